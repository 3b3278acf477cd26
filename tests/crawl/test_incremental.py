"""Lists that are read newest first: what a run that died has left out is brought by the next one, and what is final is not asked for."""

from __future__ import annotations

import random
import shutil
import time

import pytest

from tests.project import wait_for

SEED = 20261130
USER = "ok+incremental@example.com"
BEFORE, AFTER, PER = 20, 27, 5
BETWEEN = 0.05  # seconds: about the time from one request to the next
PROOF = 1  # the home page, by which a fresh session is proved, is a page of the list too


class Lists:
    """One user's documents, a data folder that is made anew for each instant, and what is stored of them."""

    def __init__(self, crawls, plain, spider: str) -> None:
        self.crawls, self.plain, self.spider = crawls, plain, spider
        self.data = crawls.project.data
        crawls.give("plain", USER)
        # After a kill in mid-sign-in, a receiver would rest for the life of the code that may have been sent.
        crawls.change(USER, receiver=None)
        crawls.db.engine.dispose()
        self.database = (self.data / "latchkey.db").read_bytes()

    def fresh(self) -> None:
        shutil.rmtree(self.data)
        self.data.mkdir(mode=0o700)
        (self.data / "latchkey.db").write_bytes(self.database)
        self.plain.reset()
        self.plain.configure(documents=BEFORE, latency_ms=10)

    def arguments(self, order: object) -> tuple[str, ...]:
        return f"per={PER}", f"shuffle={order}"

    def stored(self) -> set[int]:
        column, table = ("name", "files") if self.spider == "plain_files" else ("number", "plain_documents")
        return {int(row[0].rpartition("-")[2]) for row in self.crawls.rows(f"SELECT {column} FROM {table}")}

    def run(self, order: object) -> int:
        """Run to the end; return how many pages of the list were asked for."""
        before = len(self.pages())
        done = self.crawls.run(self.spider, *self.arguments(order))
        assert done.returncode == 0, done.stderr
        return len(self.pages()) - before

    def pages(self) -> list[str]:
        return [call["path"] for call in self.plain.journal() if call["path"] == "/documents"]

    def requests(self) -> int:
        return int(self.plain.counters()["requests"])

    def kill_at(self, place: int, later: float, order: object) -> set[int]:
        """Kill a run so many seconds after the portal had got as many requests; return what it had stored."""
        process = self.crawls.start(self.spider, *self.arguments(order))
        wait_for(lambda: self.requests() >= place or process.poll() is not None, every=0.001)
        due = time.monotonic() + later
        wait_for(lambda: time.monotonic() >= due or process.poll() is not None, every=0.001)
        process.kill()
        process.communicate()
        return self.stored()


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("spider", ["plain_documents", pytest.param("plain_files", marks=pytest.mark.matrix)])
@pytest.mark.parametrize(
    "count",
    [
        pytest.param(3, id="sample"),
        pytest.param(12, id="many", marks=pytest.mark.matrix),
        pytest.param(50, id="all", marks=[pytest.mark.matrix, pytest.mark.figures]),
    ],
)
def test_nothing_is_missing_after_a_kill_and_new_documents(crawls, plain, spider, count):
    here = Lists(crawls, plain, spider)
    here.fresh()
    here.run("undisturbed")
    requests = here.requests()
    assert here.stored() == set(range(1, BEFORE + 1))
    drawn, torn, wrong = random.Random(f"{SEED} {spider}"), 0, []
    for number in range(count):
        # By the portal's requests, not by the clock: a busy machine spreads the instants no less.
        place, later = 1 + number * requests // count, drawn.uniform(0, BETWEEN)
        here.fresh()
        left = here.kill_at(place, later, number)
        torn += 0 < len(left) < BEFORE
        plain.configure(documents=AFTER)
        here.run(f"after {number}")
        if missing := sorted(set(range(1, AFTER + 1)) - here.stored()):
            wrong.append(f"killed at request {place} with {len(left)} stored (seed {SEED}): {missing} are missing")
    print(f"{spider}: {count} killed within {requests} requests, {torn} between the first document and the last")
    assert not wrong, "\n".join(wrong)
    assert count < 10 or torn > count // 10


def test_a_first_page_that_is_known_does_not_end_a_list_that_no_run_has_read_to_its_end(crawls, plain):
    """A run stored the newest page and died: nothing but the rows that it left tells of it."""
    here = Lists(crawls, plain, "plain_documents")
    here.fresh()
    here.run("all")
    with crawls.db.transaction() as session:
        connection = session.connection()
        connection.exec_driver_sql("DELETE FROM plain_documents WHERE substr(number, -2) < '16'")
        connection.exec_driver_sql("DELETE FROM watermarks")
    assert here.stored() == {16, 17, 18, 19, 20}
    assert here.run("again") == BEFORE // PER
    assert here.stored() == set(range(1, BEFORE + 1))


def test_a_successful_run_sets_the_watermark_below_which_the_next_one_stops(crawls, plain):
    here = Lists(crawls, plain, "plain_documents")
    here.fresh()
    assert here.run("all") == BEFORE // PER + PROOF
    (mark,) = crawls.rows("SELECT * FROM watermarks")
    assert (mark["spider"], mark["target_key"], mark["reached"][:10]) == ("plain_documents", USER, "2020-01-20")
    assert here.run("nothing new") == 1
    plain.configure(documents=AFTER)
    assert here.run("seven new") == 2  # five of the first page and two of the second are new, three are older
    assert here.stored() == set(range(1, AFTER + 1))


def test_a_run_of_a_month_sets_no_watermark(crawls, plain):
    crawls.give("plain", USER)
    plain.configure(documents=BEFORE)
    assert crawls.run("plain_documents", "month=2020-01").returncode == 0
    assert crawls.rows("SELECT * FROM watermarks") == []


def test_a_run_that_fails_sets_no_watermark(crawls, plain):
    user = "truncated-file+only-1@example.com"
    plain.configure(documents=4)
    crawls.give("plain", user)
    assert crawls.run("plain_files").returncode == 4
    assert crawls.rows("SELECT * FROM watermarks") == []


def test_a_period_that_is_no_longer_offered_is_final(crawls, plain):
    crawls.give("plain", "purged@example.com")
    asked = ("plain_files", "month=2020-01")

    first = crawls.run(*asked)
    seen = plain.counters()["requests"]
    second = crawls.run(*asked)

    assert (first.returncode, second.returncode) == (3, 0), second.stderr
    assert plain.counters()["requests"] == seen
    runs = crawls.rows("SELECT outcome, bundle, sign_ins, requests FROM runs ORDER BY id")
    assert [run["outcome"] for run in runs] == ["no_longer_available"] * 2
    assert (runs[1]["bundle"], runs[1]["sign_ins"], runs[1]["requests"]) == (None, 0, 0)

    # Another period is visited, and so is this one when it is asked for again.
    assert crawls.run("plain_files", "month=2020-02").returncode == 3
    assert plain.counters()["requests"] > seen
    seen = plain.counters()["requests"]
    assert crawls.run(*asked, "again=yes").returncode == 3
    assert plain.counters()["requests"] > seen


def test_what_is_missing_at_the_end_is_told_at_the_terminal(crawls, plain):
    plain.configure(documents=3)
    crawls.give("plain", USER)
    done = crawls.run("plain_lost")
    assert (done.returncode, crawls.outcomes) == (4, ["incomplete"]), done.stderr
    (told,) = [line for line in done.stderr.splitlines() if "Missing: " in line]
    assert "and 2 more" in told

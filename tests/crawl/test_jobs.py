"""Jobs in the queue, done by crawls that are started in every way there is: by hand, by `jobs run`, by workers."""

from __future__ import annotations

import json
import signal
from itertools import pairwise
from typing import Any

import pytest

from tests.project import wait_for

PLAIN = ("-s", "SPIDER_MODULES=tests.portals.plain")


class Queue:
    """The commands of jobs, on the plain portal's spiders."""

    def __init__(self, crawls) -> None:
        self.crawls = crawls

    def run(self, *arguments: str, code: int | None = 0, **env: str | None):
        done = self.crawls.project.scrapy(*arguments, *PLAIN, env=env, timeout=250)
        assert code is None or done.returncode == code, (done.stdout, done.stderr)
        return done

    def told(self, *arguments: str, **env: str | None) -> Any:
        return json.loads(self.run(*arguments, "--json", code=None, **env).stdout)

    def start(self, *arguments: str, **env: str | None):
        return self.crawls.project.start(*arguments, *PLAIN, env=env)

    def column(self, name: str) -> list[Any]:
        return [row[0] for row in self.crawls.rows(f"SELECT {name} FROM scraper_jobs ORDER BY id")]


@pytest.fixture
def queue(crawls, plain) -> Queue:
    return Queue(crawls)


def test_a_jobs_row_follows_its_run_however_the_crawl_is_started(queue, crawls):
    for name in ("ok+a", "ok+b", "ok+c", "wrong-password"):
        crawls.give("plain", f"{name}@example.com", "wrong" if name == "wrong-password" else "")
    made = queue.told("jobs", "create", "plain_documents")["jobs"]
    assert [one["target"] for one in made] == [
        f"{name}@example.com" for name in ("ok+a", "ok+b", "ok+c", "wrong-password")
    ]
    assert [one["made"] for one in queue.told("jobs", "create", "plain_documents")["jobs"]] == [False] * 4
    # By hand without a word of the job, and by its number.
    assert crawls.run("plain_documents", "credential=ok+a@example.com").returncode == 0
    assert crawls.run("plain_documents", "job=2").returncode == 0
    assert queue.column("status") == ["success", "success", "pending", "pending"]
    done = queue.told("jobs", "run")
    assert {(one["target"], one["status"], one["outcome"]) for one in done} == {
        ("ok+c@example.com", "success", "success"),
        ("wrong-password@example.com", "pending", "bad_credentials"),
    }
    shown = queue.told("jobs", "show", "4")
    assert (shown["why"], shown["tries"]) == ("parked until its owner has acted (bad_credentials)", "0/3")
    assert [run["outcome"] for run in shown["runs"]] == ["bad_credentials"]
    assert "bad_credentials" in shown["log"][-1]
    assert queue.told("jobs", "show", "3")["result"]["success"] is True
    # It is not tried until the owner has acted, and then at once by itself.
    assert queue.run("jobs", "run").stdout == "Nothing is due.\n"
    crawls.change("wrong-password@example.com", password="new-sesame")
    assert [one["status"] for one in queue.told("jobs", "run")] == ["success"]
    assert queue.column("attempt") == [1, 1, 1, 2]
    assert queue.column("retry_count") == [0] * 4
    assert crawls.value("SELECT count(*) FROM attempts WHERE username LIKE 'wrong%'") == 2
    assert set(queue.column("claim")) == set(queue.column("held")) == set(queue.column("worker")) == {None}


@pytest.mark.matrix
def test_two_workers_one_of_them_killed(queue, crawls):
    """Each job is done once, no credential works in two crawls, and a killed worker's jobs come back for nothing."""
    users = [f"ok+{number}@example.com" for number in range(8)]
    for user in users:
        crawls.give("plain", user)
    queue.run("jobs", "create", "plain_alone", "plain_documents")
    settings = {"LATCHKEY_PORTAL_CRAWLS": "4"}
    first, second = (queue.start("worker", "--slots", "2", "--json-lines", **settings) for _ in range(2))
    wait_for(lambda: queue.column("status").count("running") >= 2, 60)
    first.kill()
    wait_for(lambda: set(queue.column("status")) == {"success"}, 120)
    second.terminate()
    assert second.wait(60) == 0
    assert len(queue.column("id")) == 16
    assert set(queue.column("retry_count")) == {0}
    runs = crawls.rows("SELECT job_id, outcome FROM runs")
    good = [row["job_id"] for row in runs if row["outcome"] == "success"]
    assert sorted(good) == sorted(queue.column("id"))
    assert {row["outcome"] for row in runs} <= {"success", "interrupted", "lease_lost"}
    spans = crawls.rows(
        "SELECT username, started_at, finished_at, spider FROM runs WHERE spider = 'plain_alone' ORDER BY username, started_at"
    )
    assert all(
        one["username"] != other["username"] or one["finished_at"] <= other["started_at"]
        for one, other in pairwise(spans)
    )


def test_a_worker_that_is_told_to_stop_hands_back_what_takes_too_long(queue, crawls):
    crawls.give("plain", "submit-hang@example.com")
    queue.run("jobs", "create", "plain_documents")
    worker = queue.start("worker", "--json-lines", LATCHKEY_WORKER_DRAIN="0")
    wait_for(lambda: queue.column("status") == ["running"], 60)
    worker.send_signal(signal.SIGTERM)
    out, _ = worker.communicate(timeout=60)
    events = [json.loads(line)["event"] for line in out.splitlines()]
    assert (worker.returncode, events[0], events[-1]) == (0, "started", "ended")
    assert "draining" in events
    assert (queue.column("status"), queue.column("retry_count")) == (["pending"], [0])
    assert queue.column("outcome") == ["interrupted"]
    assert not list(crawls.project.data.glob("worker-*.json"))


@pytest.mark.matrix
def test_what_takes_too_long_is_ended_and_uses_up_a_try(queue, crawls):
    crawls.give("plain", "submit-hang@example.com")
    queue.run("jobs", "create", "plain_documents")
    told = queue.told("jobs", "run", LATCHKEY_CRAWL_LIFE="3")
    assert [(one["status"], one["outcome"]) for one in told] == [("pending", "crawl_stopped")]
    assert queue.column("retry_count") == [1]


@pytest.mark.matrix
def test_a_cancelled_job_ends_its_crawl(queue, crawls):
    crawls.give("plain", "submit-hang@example.com")
    queue.run("jobs", "create", "plain_documents")
    running = queue.start("jobs", "run")
    wait_for(lambda: queue.column("status") == ["running"], 60)
    assert queue.run("jobs", "cancel", "1").stdout == "Cancelled: 1.\n"
    running.communicate(timeout=60)
    assert queue.column("status") == ["cancelled"]
    assert crawls.outcomes == ["interrupted"]
    assert queue.run("jobs", "cancel", "1", code=1).stderr.startswith("Job 1 is not open")
    assert queue.run("jobs", "retry", "1").stdout == "Due again: 1.\n"


def test_schedules_become_jobs(queue, crawls, tmp_path):
    crawls.give("plain", "ok+a@example.com")
    said = queue.run("schedules", "add", "nightly", "plain_documents", "--cron", "@daily").stdout
    assert said.startswith("Added: nightly, due next at ")
    assert said.endswith("00:00 UTC.\n")
    assert queue.run("worker", "--once").returncode == 0
    assert queue.column("id") == []
    # Two nights ago it was looked at for the last time.
    with crawls.db.transaction() as session:
        from datetime import timedelta

        from database.jobs.schedules import named

        schedule = named(session, "nightly")
        assert schedule is not None
        schedule.seen_until -= timedelta(days=2)
    assert queue.run("worker", "--once").returncode == 0
    assert queue.run("worker", "--once").returncode == 0
    assert queue.column("status") == ["success"]
    (told,) = queue.told("schedules", "list")
    assert (told["name"], told["jobs"]) == ("nightly", 1)
    (firing,) = queue.told("schedules", "show", "nightly")["firings"]
    assert (firing["due_times"], firing["jobs"], firing["reason"]) == (2, 1, "")
    file = tmp_path / "schedules.toml"
    file.write_text('[[schedule]]\nname = "nightly"\nspiders = "plain_documents"\ncron = "30 6 * * *"\ntime_zone = "Asia/Jerusalem"\n')  # fmt: skip
    assert queue.run("schedules", "import", str(file)).stdout == "Added 0, changed 1, unchanged 0.\n"
    assert queue.run("schedules", "import", str(file)).stdout == "Added 0, changed 0, unchanged 1.\n"
    assert [row["there"][-20:] for row in queue.told("schedules", "next", "--count", "1")] == ["06:30 Asia/Jerusalem"]

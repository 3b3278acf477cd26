"""Visits in a browser, whatever befalls them: items refused, parts that fail, sessions, browsers and leases that end."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from sandbox import totp_secret
from tests.crawl.test_attempts import browser_of
from tests.crawl.test_kills import Killing
from tests.crawl.test_sessions import take_over
from tests.project import wait_for

pytestmark = pytest.mark.browser
COUNT = 6  # documents of the user


@pytest.fixture
def user(crawls: Any, plain: Any) -> str:
    """Store a user of the plain portal who has a few documents."""
    name = "ok+visit@example.com"
    plain.configure(documents=COUNT)
    crawls.give("plain", name)
    return name


def numbers(crawls: Any) -> list[str]:
    """Return the documents whose file is stored, in the order in which they were."""
    return [row["name"] for row in crawls.rows("SELECT name FROM files WHERE status = 'ready' ORDER BY id")]


def wait_until_stored(crawls: Any, count: int) -> None:
    wait_for(lambda: crawls.value("SELECT count(*) FROM files") >= count, 90)


def test_every_document_is_brought_by_one_visit_and_a_second_run_downloads_nothing(crawls, plain, user):
    done = crawls.run("plain_visit")
    assert done.returncode == 0, done.stderr
    first = plain.counters()
    assert first["sign_ins"] == 1
    assert len(numbers(crawls)) == COUNT

    assert crawls.run("plain_visit").returncode == 0
    assert plain.counters()["sign_ins"] == 1
    assert plain.counters()["downloads"] == first["downloads"] == COUNT


def test_a_refused_item_is_named_and_the_other_parts_come(crawls, plain, user):
    assert crawls.run("plain_visit").returncode == 0
    all_of_them = numbers(crawls)
    refused = all_of_them[2]
    with crawls.db.transaction() as session:
        session.connection().exec_driver_sql("DELETE FROM files")

    done = crawls.run("plain_visit", f"spoil={refused}")

    assert done.returncode == 4, done.stderr
    assert crawls.outcomes[-1] == "bad_file"
    assert numbers(crawls) == [number for number in all_of_them if number != refused]


def test_a_part_that_fails_keeps_none_of_the_others(crawls, plain, user):
    assert crawls.run("plain_visit").returncode == 0
    all_of_them = numbers(crawls)
    with crawls.db.transaction() as session:
        session.connection().exec_driver_sql("DELETE FROM files")

    done = crawls.run("plain_visit", f"stumble={all_of_them[0]}")

    assert done.returncode == 6, done.stderr
    run = crawls.rows("SELECT * FROM runs ORDER BY id DESC")[0]
    assert (run["outcome"], run["step"]) == ("portal_changed", all_of_them[0])
    assert run["selector"] == f"#no-such-{all_of_them[0]}"
    assert run["bundle"]
    assert numbers(crawls) == all_of_them[1:]


@pytest.mark.parametrize("answer", ["redirect", pytest.param("text", marks=pytest.mark.matrix)])
def test_a_visit_whose_session_ends_begins_anew_and_passes_over_what_is_stored(crawls, plain, answer):
    name = "signed-out-midway+visit@example.com"
    plain.configure(documents=COUNT, midway_requests=4, signed_out_answer=answer)
    crawls.give("plain", name)

    done = crawls.run("plain_visit")

    assert done.returncode == 0, done.stderr
    assert len(numbers(crawls)) == COUNT
    assert plain.counters()["sign_ins"] == 2
    assert plain.counters()["downloads"] == COUNT  # none twice


def test_a_session_of_an_earlier_run_that_is_over_does_not_count_as_one_that_ended_midway(crawls, plain):
    name = "signed-out-midway+earlier@example.com"
    plain.configure(documents=COUNT, midway_requests=4)
    crawls.give("plain", name)
    assert crawls.run("plain_visit").returncode == 0
    plain.reset()  # its sessions are gone, and the next one will end midway again
    with crawls.db.transaction() as session:
        session.connection().exec_driver_sql("DELETE FROM files")

    done = crawls.run("plain_visit")

    assert done.returncode == 0, done.stderr
    assert len(numbers(crawls)) == COUNT
    assert plain.counters()["sign_ins"] == 2


@pytest.mark.timeout(300)
def test_sessions_that_end_midway_share_the_only_place_in_the_browser(crawls, plain):
    """Three users, one place: each of them needs it again for a second sign-in, and nobody waits for ever."""
    names = [f"signed-out-midway+place-{number}@example.com" for number in range(3)]
    plain.configure(documents=COUNT, midway_requests=4)
    for name in names:
        crawls.give("plain", name)

    done = crawls.run("plain_counted", f"credential={','.join(names)}", LATCHKEY_BROWSER_PAGES="1")

    assert done.returncode == 0, done.stderr
    assert crawls.outcomes == ["success"] * 3
    assert plain.counters()["sign_ins"] == 6
    assert plain.counters()["downloads"] == 3 * COUNT  # none twice


def test_a_visit_whose_browser_dies_begins_anew_in_the_same_session(crawls, plain, user):
    plain.configure(documents=COUNT, latency_ms=300)
    process = crawls.start("plain_visit")
    wait_until_stored(crawls, 2)
    os.kill(browser_of(process.pid), signal.SIGKILL)

    said = process.communicate(timeout=100)[1]

    assert process.returncode == 0, said
    assert len(numbers(crawls)) == COUNT
    assert plain.counters()["sign_ins"] == 1


def test_a_visit_that_has_lost_its_lease_stores_nothing_more(crawls, plain, user):
    plain.configure(documents=30, latency_ms=300)
    process = crawls.start("plain_visit_alone", LATCHKEY_LEASE_SECONDS="1")
    wait_until_stored(crawls, 2)
    take_over(crawls, f"run:plain_browser_alone:{user}")
    stored = len(numbers(crawls))

    said = process.communicate(timeout=100)[1]

    assert process.returncode == 4, said
    assert crawls.outcomes == ["lease_lost"]
    assert len(numbers(crawls)) == stored < 30


@pytest.mark.matrix  # SQLite waits 30 s for a lock
def test_a_visit_whose_database_goes_away_ends_and_the_next_run_brings_the_rest(crawls, plain, user):
    plain.configure(documents=COUNT, latency_ms=300)
    process = crawls.start("plain_visit")
    wait_until_stored(crawls, 2)
    with closing(sqlite3.connect(crawls.project.data / "latchkey.db", timeout=30, isolation_level=None)) as held:
        held.execute("BEGIN EXCLUSIVE")
        said = process.communicate(timeout=110)[1]
        held.execute("ROLLBACK")

    assert process.returncode == 4, said
    assert len(numbers(crawls)) < COUNT
    done = crawls.run("plain_visit")
    assert done.returncode == 0, done.stderr
    assert len(numbers(crawls)) == COUNT
    assert plain.counters()["sign_ins"] == 1


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "count",
    [
        pytest.param(2, id="sample"),
        pytest.param(6, id="many", marks=[pytest.mark.matrix, pytest.mark.figures]),
        pytest.param(30, id="all", marks=[pytest.mark.matrix, pytest.mark.figures]),
    ],
)
def test_a_visit_s_files_are_the_same_after_a_kill_at_any_instant(crawls, plain, count):
    name = "totp+kills@example.com"
    plain.configure(documents=COUNT, latency_ms=20)
    crawls.give("plain", name, totp_secret=totp_secret(name))
    Killing(crawls, plain, "plain_visit").at_instants(count)

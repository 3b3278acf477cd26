"""Sessions: one that dies in mid-run, many processes at once, runs that wait for each other, runs that are stopped."""

from __future__ import annotations

import re
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from database.models import Lease
from tests.project import wait_for

OTHER = "somebody else's run"


@pytest.mark.parametrize(
    ("spider", "answer"),
    [
        ("plain_documents", "redirect"),
        pytest.param("plain_documents", "page", marks=pytest.mark.matrix),
        pytest.param("plain_files", "redirect", marks=pytest.mark.matrix),
        ("plain_files", "page"),
    ],
)
def test_a_session_that_dies_in_mid_run_costs_one_sign_in_and_no_item(crawls, plain, spider, answer):
    """100 documents, and no session is good for more than 13 requests."""
    plain.configure(documents=100, session_requests=13, signed_out_answer=answer, file_bytes=2000)
    crawls.give("plain", "ok+dies@example.com")

    done = crawls.run(spider, LATCHKEY_SIGN_IN_BUDGET="50")

    assert done.returncode == 0, done.stderr
    counters = plain.counters()
    assert crawls.outcomes == ["success"]
    table, key = ("files", "name") if spider == "plain_files" else ("plain_documents", "number")
    assert crawls.value(f"SELECT count(*) FROM {table}") == 100
    assert crawls.value(f"SELECT count(DISTINCT {key}) FROM {table}") == 100
    assert counters["sessions_died"] >= 100 // 13
    assert counters["sign_ins"] == counters["sessions_died"] + 1
    run = crawls.rows("SELECT * FROM runs")[0]
    assert run["sign_ins"] == counters["sign_ins"]
    assert run["requests"] == counters["requests"]
    assert run["missing"] == 0
    print("sign-ins", counters["sign_ins"], "requests", counters["requests"], "died", counters["sessions_died"])


def test_a_page_that_fails_after_a_recovered_sign_out_is_asked_as_often_as_any_other(crawls, plain):
    """The first session ends after 5 requests; a page that it refused answers 503 from its second request on."""
    plain.configure(
        documents=12, errors=[{"path": "/documents/[^/?]+", "fault": "503", "ordinals": list(range(2, 30))}]
    )
    crawls.give("plain", "signed-out-midway+fails@example.com")

    command = crawls.command("plain_documents")
    env = {"LATCHKEY_REQUESTS_IN_FLIGHT": "1"}
    done = crawls.project.scrapy(*command, "-s", "STATS_DUMP=True", "-s", "LOG_LEVEL=INFO", env=env, timeout=100)

    assert crawls.outcomes == ["portal_down"], done.stderr
    asked = Counter(entry["path"] for entry in plain.journal() if entry["path"].startswith("/documents/"))
    failed = Counter(entry["path"] for entry in plain.journal() if entry["status"] == 503)
    assert failed
    assert set(failed.values()) == {4}  # RETRY_TIMES, and the first
    assert all(asked[path] == 5 for path in failed)  # the one that was refused before them
    counted = re.search(r"'limits/failures': (\d+)", done.stderr)
    assert counted
    assert int(counted[1]) == len(failed)


@pytest.mark.parametrize("fault", ["drop", pytest.param("429-bare", marks=pytest.mark.matrix)])
def test_a_page_that_breaks_once_after_a_recovered_sign_out_is_asked_once_more(crawls, plain, fault):
    plain.configure(documents=12, errors=[{"path": "/documents/[^/?]+", "fault": fault, "ordinals": [2]}])
    crawls.give("plain", "signed-out-midway+breaks@example.com")

    done = crawls.run("plain_documents", LATCHKEY_REQUESTS_IN_FLIGHT="1")

    assert crawls.outcomes == ["success"], done.stderr
    asked = Counter(entry["path"] for entry in plain.journal() if entry["path"].startswith("/documents/"))
    assert set(asked.values()) == {1, 3}  # refused, broken, answered
    assert crawls.value("SELECT count(*) FROM plain_documents") == 12


# Devices that the portal trusts, and leaving the portal


def test_a_trusted_device_outlives_its_sessions_and_no_further_code_is_sent(crawls, plain, webhook):
    """The first session ends in mid-run; the next run begins without one."""
    user = "sms+trusts+dies@example.com"
    plain.configure(documents=20, session_requests=13)
    crawls.give("plain", user)

    assert crawls.run("plain_documents").returncode == 0
    said = crawls.project.scrapy("credentials", "sign-out", "plain", "-s", "SPIDER_MODULES=tests.portals.plain")
    assert said.returncode == 0, said.stderr
    assert "1 sessions, 1 of them at the portal" in said.stdout
    assert crawls.run("plain_documents", "again=yes").returncode == 0

    counters = plain.counters()
    assert counters["sign_ins"] >= 3
    assert counters["code_requests"] == 1
    assert counters["paths"]["GET /logout"] == 1
    assert crawls.value("SELECT device FROM sessions WHERE login = 'plain'") is not None


# Many processes


@pytest.mark.timeout(600)
@pytest.mark.parametrize("crowd", [3, pytest.param(16, marks=pytest.mark.matrix)])
def test_processes_that_start_together_sign_in_once_and_work_side_by_side(crawls, plain, crowd):
    """None can sign in before all have begun; then each has one request in flight, so that two are of two processes."""
    plain.configure(latency_ms=300)
    crawls.give("plain", "ok+together@example.com")
    take_over(crawls, "sign-in:plain:ok+together@example.com")

    one_each = {"LATCHKEY_REQUESTS_IN_FLIGHT": "1"}
    processes = [crawls.start("plain_documents", "again=yes", "per=4", **one_each) for _ in range(crowd)]
    wait_for(lambda: crawls.value("SELECT count(*) FROM runs") == crowd, 300)
    assert plain.counters()["requests"] == 0
    give_back(crawls, "sign-in:plain:ok+together@example.com")
    codes = [process.wait(300) for process in processes]

    assert codes == [0] * crowd
    assert crawls.outcomes == ["success"] * crowd
    counters = plain.counters()
    assert counters["sign_ins"] == 1
    assert counters["submissions"] == {"ok+together@example.com": 1}
    assert counters["in_flight_max"] > 1
    assert crawls.value("SELECT sum(sign_ins) FROM runs") == 1
    runs = crawls.rows("SELECT started_at, finished_at FROM runs")
    assert max(run["started_at"] for run in runs) < min(run["finished_at"] for run in runs)


@pytest.mark.browser
@pytest.mark.matrix
@pytest.mark.timeout(600)
@pytest.mark.parametrize("crowd", [2, 4])
def test_processes_that_may_not_share_a_session_take_turns_in_it(crawls, bell, crowd):
    user = "ok+multi-4@example.com"
    numbers = crawls.give_bell(user)[:crowd]

    processes = [crawls.start("bell_pdf_invoice", f"account={number}") for number in numbers]
    ends = [process.communicate(timeout=300) for process in processes]

    assert [process.returncode for process in processes] == [0] * crowd, ends
    counters = bell.counters()
    assert counters["sign_ins"] == 1
    assert counters["submissions"] == {user: 1}
    assert counters["self_serve_pages_open_max"] == 1
    assert crawls.outcomes == ["success"] * crowd
    assert crawls.value("SELECT count(*) FROM files WHERE status = 'ready'") == crowd
    # Each run took the lease anew, and gave it back.
    lease = crawls.rows("SELECT * FROM leases WHERE name = ?", f"run:bell_self_serve:{user}")[0]
    assert lease["epoch"] == crowd
    assert lease["holder"] == ""


# Leases


def take_over(crawls, name):
    """Hold a lease as another run would that has taken it over."""
    later = datetime.now(UTC) + timedelta(hours=1)
    with crawls.db.transaction() as session:
        lease = session.get(Lease, name) or Lease(name=name, epoch=0, taken_at=datetime.now(UTC))
        lease.holder, lease.expires_at, lease.epoch = OTHER, later, lease.epoch + 1
        session.add(lease)


def give_back(crawls, name):
    """Let go of a lease that was taken over."""
    with crawls.db.transaction() as session:
        session.get_one(Lease, name).holder = ""
        session.get_one(Lease, name).expires_at = datetime.now(UTC)


@pytest.mark.timeout(300)
def test_a_run_that_has_lost_its_lease_stops_and_stores_nothing_more(crawls, plain):
    plain.configure(documents=100, latency_ms=300)
    user = "ok+loses@example.com"
    crawls.give("plain", user)

    process = crawls.start("plain_alone", LATCHKEY_LEASE_SECONDS="1", LATCHKEY_REQUESTS_IN_FLIGHT="2")
    wait_for(lambda: crawls.value("SELECT count(*) FROM plain_documents") > 5, 100)
    take_over(crawls, f"run:plain_alone:{user}")
    stored = crawls.value("SELECT count(*) FROM plain_documents")
    said = next(line for line in process.stderr if "lost its lease" in line)

    assert process.wait(100) == 4, said
    assert crawls.outcomes == ["lease_lost"]
    assert 5 < stored < 100
    assert plain.counters()["paths"]["GET /documents/{id}"] < 100
    assert crawls.value("SELECT count(*) FROM plain_documents") == stored
    assert crawls.value("SELECT holder FROM leases WHERE name LIKE 'run:%'") == OTHER


def test_a_run_waits_for_another_one_in_its_session_and_then_says_so(crawls, plain):
    user = "ok+waits@example.com"
    crawls.give("plain", user)
    take_over(crawls, f"run:plain_alone:{user}")

    done = crawls.run("plain_alone", LATCHKEY_BUSY_WAIT="1")

    assert done.returncode == 3, done.stderr
    assert crawls.outcomes == ["credential_busy"]
    assert plain.counters()["requests"] == 0
    assert crawls.rows("SELECT * FROM attempts") == []


# Being stopped


# Whatever a crawl may wait for lasts longer than any test, so that an end is the answer to the signal.
FOR_HOURS = dict.fromkeys(
    (f"LATCHKEY_{what}_WAIT" for what in ("CODE", "SIGN_IN", "PAGE", "FLOW", "DOWNLOAD", "REPORT")), "36000"
)


def stop(process, number):
    """Ask a crawl to stop; return its exit code."""
    process.send_signal(number)
    return process.wait(100)


def released(crawls):
    return {row["holder"] for row in crawls.rows("SELECT holder FROM leases")} == {""}


@pytest.mark.timeout(300)
def test_a_crawl_that_is_asked_to_stop_ends_while_the_portal_keeps_it_waiting(crawls, plain):
    plain.configure(documents=30, errors=[{"path": "/documents/.*", "fault": "hang"}])
    crawls.give("plain", "ok+stopped@example.com")

    process = crawls.start("plain_alone", LATCHKEY_REQUESTS_IN_FLIGHT="2", **FOR_HOURS)
    wait_for(lambda: plain.counters()["in_flight_now"] == 2, 100)

    assert stop(process, signal.SIGTERM) == 130
    assert crawls.outcomes == ["interrupted"]
    wait_for(lambda: plain.counters()["in_flight_now"] == 0)
    # The crawl let go of both, neither was answered nor timed out, and none was sent after them.
    assert [entry["status"] for entry in plain.journal() if entry["path"].startswith("/documents/")] == [499, 499]
    assert released(crawls)


@pytest.mark.timeout(300)
def test_a_crawl_that_is_stopped_while_it_waits_for_a_code_does_not_count_against_the_password(crawls, plain):
    crawls.give("plain", "sms+stopped@example.com")

    process = crawls.start("plain_documents", **FOR_HOURS)
    wait_for(lambda: plain.counters()["paths"].get("GET /code") and not plain.counters()["in_flight_now"], 100)
    requests = plain.counters()["requests"]

    assert stop(process, signal.SIGINT) == 130
    assert plain.counters()["requests"] == requests
    assert crawls.outcomes == ["interrupted"]
    assert [row["result"] for row in crawls.rows("SELECT result FROM attempts")] == ["error:interrupted"]
    assert released(crawls)
    # The message may still come: it must not be taken for the next sign-in's.
    assert [row["state"] for row in crawls.rows("SELECT state FROM code_requests")] == ["expired"]


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_a_crawl_that_is_asked_to_stop_does_not_wait_for_its_flow(crawls, bell):
    """The portal needs hours for the invoice."""
    crawls.give_bell("ok+pdf-36000@example.com")

    process = crawls.start("bell_pdf_invoice", fresh=True, **FOR_HOURS)
    wait_for(lambda: any("prepare-invoice" in request["path"] for request in bell.journal()), 100)

    assert stop(process, signal.SIGINT) == 130
    assert bell.counters()["downloads"] == 0
    assert crawls.outcomes == ["interrupted"]
    assert released(crawls)
    assert list((crawls.project.data / "spool").rglob("*.part")) == []

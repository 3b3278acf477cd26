"""Crawls whose files go on to the customer's server: what is stored stays stored, and the run says what was not sent."""

from __future__ import annotations

import signal

import pytest

from database.families.accounts import NewAccount, add_account
from sandbox.plain.data import accounts
from tests.far_side import far_side
from tests.project import CARRIERS, wait_for

USER = "ok@example.com"
KEY = "canary-upload-key-7431"


@pytest.fixture
def far():
    with far_side() as side:
        yield side


@pytest.fixture
def sending(crawls, plain, far):
    crawls.give("plain", USER)
    with crawls.db.transaction() as session:
        for number in accounts(USER):
            add_account(session, NewAccount("Example Ltd", "Head office", "bell", number, billing_day=31), CARRIERS)
    crawls.project.environment.update(LATCHKEY_UPLOAD_URL=far.url, LATCHKEY_UPLOAD_KEY=KEY, LATCHKEY_RETRY_WAIT="0")
    return crawls


def states(crawls):
    return [row["state"] for row in crawls.rows("SELECT state FROM uploads ORDER BY id")]


def test_a_crawl_sends_what_it_stores_and_a_later_one_what_is_left(sending, plain, far):
    far.retry_after, far.script = "60", [201, 503]  # more than LATCHKEY_RETRY_WAIT: it is left alone

    first = sending.run("plain_invoices")

    assert first.returncode == 3, first.stderr
    assert sorted(sending.outcomes) == ["success", "upload_failed"]
    for run in sending.rows("SELECT * FROM runs"):
        assert (run["files"], run["missing"], run["actor"]) == (1, 0, "nobody")
    assert sorted(states(sending)) == ["failed", "stored"]
    assert sending.stored()["in the store"] == 2
    pages, sign_ins = plain.counters()["requests"], plain.counters()["sign_ins"]

    with sending.db.transaction() as session:
        session.connection().exec_driver_sql("UPDATE uploads SET again_at = NULL")
    second = sending.run("plain_invoices")

    assert second.returncode == 0, second.stderr
    assert sending.outcomes[2:] == ["success", "success"]
    assert (plain.counters()["requests"], plain.counters()["sign_ins"]) == (pages, sign_ins)  # nobody asked the portal
    assert states(sending) == ["stored", "stored"]
    assert len(far.stored) == 2
    told = first.stdout + first.stderr + second.stdout + second.stderr
    assert KEY not in told
    for bundle in (sending.project.data / "bundles").rglob("*"):
        assert bundle.is_dir() or KEY.encode() not in bundle.read_bytes()
    assert all(KEY not in str(tuple(row)) for row in sending.rows("SELECT * FROM uploads"))
    assert all(KEY not in str(tuple(row)) for row in sending.rows("SELECT * FROM runs"))


@pytest.mark.matrix
def test_what_is_refused_is_said_again_without_asking_again(sending, plain, far):
    far.script = ["gone"]
    first, second = sending.run("plain_invoices"), sending.run("plain_invoices")
    assert (first.returncode, second.returncode) == (5, 5), first.stderr + second.stderr
    assert sending.outcomes == ["upload_client_gone"] * 4
    assert len(far.seen) == 1
    assert states(sending) == ["client_gone"] * 2


def test_a_crawl_that_is_killed_while_it_sends_loses_nothing(sending, plain, far):
    far.script = ["stored-hang"]
    process = sending.start("plain_invoices")
    wait_for(lambda: len(far.stored) == 1, seconds=60)
    process.kill()
    process.communicate()
    assert states(sending)[:1] == ["sending"]

    after = sending.run("plain_invoices")

    assert after.returncode == 0, after.stderr
    assert states(sending) == ["stored", "stored"]
    assert len(far.stored) == 2
    assert len(far.seen) == 3


@pytest.mark.matrix
def test_a_crawl_that_is_stopped_while_it_sends_ends_at_once(sending, plain, far):
    far.script = ["hang"]
    process = sending.start("plain_invoices")
    wait_for(lambda: len(far.seen) == 1, seconds=60)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=100)[1]

    assert process.returncode == 130, said
    assert "interrupted" in sending.outcomes
    assert KEY not in said
    assert sending.run("plain_invoices").returncode == 0
    assert len(far.stored) == 2

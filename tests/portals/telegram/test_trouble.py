"""What goes wrong at Telegram: each its named outcome, no request during a pause, one process in a session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from database.models.messaging import ChannelFile, FileState
from database.models.prices import User
from database.models.telegram import TelegramState
from tests.portals.telegram.sources import Sources

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("scenario", ["flood-short", "flood-files"])
def test_a_short_pause_is_waited_for_without_a_request(sources: Sources, scenario):
    session = sources.sign_in(scenario)
    source = sources.add("open", session)
    before = datetime.now(UTC)
    said = sources.crawl(source, code=0)
    assert sources.wrong(source, "open") == []
    assert "Telegram wants a pause of" in said
    counters = sources.admin.counters()
    assert (counters["flood_waits"], counters.get("asked_while_waiting", 0)) == (1, 0)
    assert datetime.now(UTC) - before >= timedelta(seconds=5)


def test_for_a_long_pause_the_run_ends_and_nothing_is_asked_before_its_end(sources: Sources):
    session = sources.sign_in("flood-long")
    source, other = sources.add("open", session), sources.add("reports", session)
    sources.crawl(source, code=3)
    assert sources.outcome == "flood_wait"
    until = sources.session(session).waits_until
    assert until is not None
    assert timedelta(hours=1.9) < until - datetime.now(UTC) < timedelta(hours=2.1)
    row = sources.source(source)
    assert row.outcome == "flood_wait"
    assert f"{until:%Y-%m-%d}" in (row.message or "")
    since = sources.mark()
    sources.crawl(other, code=3)
    sources.crawl(source, code=3)
    assert sources.outcome == "flood_wait"
    assert sources.requests(since) == {}
    assert sources.run.requests == 0
    assert sources.admin.counters().get("asked_while_waiting", 0) == 0


def test_expired_file_references_are_renewed(sources: Sources):
    source = sources.add("open", sources.sign_in("reference-expired"))
    sources.crawl(source, code=0)
    assert sources.wrong(source, "open") == []


def test_references_that_expire_before_their_file_is_reached_are_renewed(sources: Sources):
    source = sources.add("open", sources.sign_in())
    # The portal's clock runs on while the first file of a group is fetched.
    sources.admin.configure(reference_seconds=1.5, latency_ms=200)
    sources.crawl(source, code=0)
    assert sources.wrong(source, "open") == []
    assert sources.admin.counters()["references_expired"] > 0


@pytest.mark.parametrize(
    ("scenario", "outcome", "state"),
    [
        ("revoked-midway", "session_expired", TelegramState.EXPIRED),
        ("expired-midway", "session_expired", TelegramState.EXPIRED),
        ("banned-midway", "account_banned", TelegramState.BANNED),
    ],
)
def test_a_session_that_ends_in_mid_run(sources: Sources, scenario, outcome, state):
    session = sources.sign_in(scenario)
    source = sources.add("reports", session)
    sources.crawl(source, code=5)
    assert sources.outcome == outcome
    assert sources.session(session).state == state
    assert sources.source(source).last_scraped_at is None
    since = sources.mark()
    sources.crawl(source, code=5)
    assert (sources.outcome, sources.requests(since)) == (outcome, {})


def test_a_session_that_is_switched_off_is_not_used(sources: Sources):
    session = sources.sign_in()
    source = sources.add("reports", session)
    with sources.db.transaction() as db:
        from database.models.telegram import TelegramSession

        db.get_one(TelegramSession, session).state = TelegramState.INACTIVE
    since = sources.mark()
    sources.crawl(source, code=5)
    assert (sources.outcome, sources.requests(since)) == ("session_inactive", {})
    assert sources.session(session).state == TelegramState.INACTIVE


def test_an_owner_who_forbids_saving_is_obeyed(sources: Sources):
    source = sources.add("protected", sources.sign_in())
    sources.crawl(source, code=5)
    assert sources.outcome == "saving_forbidden"
    assert sources.requests()["upload.getFile"] == 0
    assert sources.files(source) == []


def test_a_channel_that_is_closed_to_the_account(sources: Sources):
    session = sources.sign_in("kicked")
    source = sources.add("reports", session, access_hash=1)
    sources.crawl(source, code=5)
    assert sources.outcome == "channel_closed"
    assert sources.session(session).state == TelegramState.ACTIVE


def test_a_lent_session_reads_a_channel_no_more_once_it_is_private(sources: Sources):
    """The account may be a member all the same; who has lent it is not who asks."""
    session = sources.sign_in()
    with sources.db.transaction() as db:
        user = User(email="ana@example.com")
        db.add(user)
        db.flush()
        owner = user.id
    lent, own = sources.add("reports", session, user_id=owner), sources.add("reports", session, name="own")
    sources.crawl(lent, code=0)
    sources.server.change("reports", username="", post=[{"kind": "document", "count": 1}])
    before = [file.id for file in sources.files(lent)]
    sources.crawl(lent, code=5)
    assert sources.outcome == "channel_closed"
    assert [file.id for file in sources.files(lent)] == before
    assert sources.source(lent).channel_title == "Weekly Reports"
    sources.crawl(own, code=0)


def test_connections_that_break_within_files(sources: Sources):
    session = sources.sign_in("cut")
    source = sources.add("albums", session)
    sources.crawl(source, code=0)
    assert sources.wrong(source, "albums") == []
    assert sources.admin.counters()["cuts"] > 0


def test_a_server_that_answers_no_file_ends_the_run_and_the_next_one_goes_on(sources: Sources):
    source = sources.add("open", sources.sign_in())
    sources.admin.configure(errors=[{"path": "/upload.getFile", "fault": "500"}])
    sources.crawl(source, code=3)
    assert sources.outcome == "portal_down"
    assert sources.states(source) == {"wanted": 12}
    sources.admin.configure(errors=[])
    sources.crawl(source, code=0)
    assert sources.wrong(source, "open") == []


def test_a_file_that_has_failed_is_tried_again_when_it_is_due(sources: Sources):
    source = sources.add("open", sources.sign_in())
    sources.crawl(source, code=0)
    due, later, *_ = sources.files(source)
    with sources.db.transaction() as session:
        for file, at in ((due, -HOUR), (later, HOUR)):
            row = session.get_one(ChannelFile, file.id)
            row.state, row.attempts, row.next_try_at = FileState.FAILED, 1, datetime.now(UTC) + at
            row.file_id = row.sha256 = None
    sources.crawl(source, code=3)
    assert sources.outcome == "files_failed"
    assert sources.states(source) == {"stored": 11, "failed": 1}
    with sources.db.transaction() as session:
        session.get_one(ChannelFile, later.id).next_try_at = datetime.now(UTC) - HOUR
    sources.crawl(source, code=0)
    assert sources.states(source) == {"stored": 12}


def test_two_crawls_with_one_session_are_never_in_it_at_once(sources: Sources):
    session = sources.sign_in()
    first, second = sources.add("albums", session), sources.add("open", session)
    sources.admin.configure(latency_ms=20, one_connection_per_key=True)
    crawls = [sources.start(each) for each in (first, second)]
    assert [each.wait(timeout=100) for each in crawls] == [0, 0]
    assert sources.wrong(first, "albums") == sources.wrong(second, "open") == []
    assert sources.admin.counters()["same_key_connections_max"] == 1


def test_a_crawl_that_may_not_wait_for_the_session_says_so(sources: Sources, wait_for):
    session = sources.sign_in()
    first, second = sources.add("albums", session), sources.add("open", session)
    sources.admin.configure(latency_ms=100)
    running = sources.start(first)
    wait_for(lambda: sources.requests()["messages.getHistory"])
    sources.crawl(second, code=3, LATCHKEY_BUSY_WAIT="0")
    assert sources.outcome == "credential_busy"
    assert running.wait(timeout=100) == 0
    assert sources.admin.counters()["same_key_connections_max"] == 1


def test_nothing_secret_is_said(sources: Sources):
    """Session string, API hash, phone number and texts are in no log, bundle or row but the encrypted ones."""
    session = sources.sign_in("revoked-midway")
    source = sources.add("reports", session)
    sources.server.change("reports", post=[{"kind": "text", "text": "canary-of-a-caption"}])
    said = sources.crawl(source, "texts=yes", code=5)
    secrets = [sources.strings[session], "0123456789abcdef0123456789abcdef", "+99966", "canary-of-a-caption"]
    assert [each for each in secrets if each in said] == []
    kept = [path for path in sources.project.data.rglob("*") if path.is_file() and "key" not in path.name]
    assert [path for path in kept for each in secrets if each.encode() in path.read_bytes()] == []

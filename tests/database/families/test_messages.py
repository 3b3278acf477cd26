"""What is known of a source's messages and files, on both databases; and that a session that waits is not claimed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from database.engine import Database
from database.families.telegram import messages, sessions
from database.families.telegram.waits import name_of, waiting
from database.jobs.claims import claim
from database.jobs.queue import NewJob, add
from database.models import Run, StoredFile
from database.models.messaging import ChannelFile, ChannelMessage, FileState, MediaKind
from database.models.prices import User
from database.models.telegram import AccessLevel, Source, TelegramSession
from database.upsert import upsert

AT = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LARGE = 5_000_000_000  # ids and sizes are above what an INTEGER takes


@pytest.fixture
def source(store: Database) -> str:
    with store.transaction() as session:
        assert User.__tablename__ == "users"
        made = {"api_id": 1, "api_hash": "h", "session_string": "s", "key_fingerprint": "k", "name": "n"}
        session.add(TelegramSession(id="session", **made))
        session.flush()
        known = {"identifier": "x", "channel_title": "X", "session_id": "session", "access_level": AccessLevel.PRIVATE}
        session.add(Source(id="source", name="news", channel_id=LARGE, access_hash=-(2**62), **known))
    return "source"


def a_file(message: int, document: int, state: FileState = FileState.WANTED, **values) -> ChannelFile:
    known = {"source_id": "source", "kind": MediaKind.DOCUMENT, "size": LARGE, "sent_at": AT, "state": state}
    return ChannelFile(message_id=message, document_id=document, **(known | values))


def a_message(number: int, **values) -> ChannelMessage:
    return ChannelMessage(source_id="source", message_id=number, sent_at=AT, **values)


def test_what_is_wanted_comes_oldest_first_and_failures_when_they_are_due(store, source):
    with store.transaction() as session:
        session.add_all([a_file(LARGE, 9), a_file(2, LARGE), a_file(1, 8, FileState.STORED), a_file(3, 7, member="x")])
    with store.transaction() as session:
        assert [each.message_id for each in messages.wanted(session, source, AT, 10)] == [2, LARGE]
        assert [each.message_id for each in messages.wanted(session, source, AT, 10, {9})] == [2]
        assert messages.note_failure(session, source, LARGE, "why", AT, 3)
    with store.transaction() as session:
        assert [each.message_id for each in messages.wanted(session, source, AT + MINUTE, 10)] == [LARGE]
        assert [each.message_id for each in messages.wanted(session, source, AT + 5 * MINUTE, 10)] == [2, LARGE]
        assert messages.unfinished(session, source) == (3, 0)
        assert messages.note_failure(session, source, LARGE, "why", AT, 3)
        assert not messages.note_failure(session, source, LARGE, "why", AT, 3)
    with store.transaction() as session:
        assert messages.unfinished(session, source) == (2, 1)
        assert [each.message_id for each in messages.wanted(session, source, AT + timedelta(days=99), 10)] == [LARGE]
        assert messages.open_documents(session, source) == {9, 7, LARGE}


def test_a_document_is_found_wherever_it_is_stored(store, source):
    with store.transaction() as session:
        run = Run(
            crawl="c", spider="telegram_files", portal="telegram", report_type="files", target="t", host="h", pid=1
        )
        session.add(run)
        named = {"spider": "telegram_files", "portal": "telegram", "report_type": "files", "target_key": "source"}
        stored = StoredFile(key="5", **named)
        session.add(stored)
        session.flush()
        session.add_all(
            [
                a_file(1, 5, FileState.STORED, sha256="a" * 64, file_id=stored.id),
                a_file(2, 5),
                a_file(3, 5, FileState.SKIPPED, reason="type"),
                a_file(4, 6, FileState.FAILED),
            ]
        )
        file_id = stored.id
    with store.transaction() as session:
        assert messages.stored_documents(session, source, [5, 6])[5].file_id == file_id
        assert messages.same_content(session, source, "a" * 64, LARGE).document_id == 5
        assert messages.same_content(session, source, "a" * 64, 1) is None
        assert [each.message_id for each in messages.with_document(session, source, 5)] == [2]
        assert set(messages.files_in(session, source, [1, 2, 9])) == {(1, 5), (2, 5)}
        messages.conclude(session, source, {"outcome": "success", "message": "m"}, succeeded=True)
    with store.transaction() as session:
        row = session.get_one(Source, source)
        assert (row.total_files_downloaded, row.outcome) == (1, "success")
        assert row.last_scraped_at is not None


def test_how_far_a_source_was_read_never_goes_back(store, source):
    with store.transaction() as session:
        for number in (5, LARGE, 7):
            messages.advance(session, source, number)
    with store.transaction() as session:
        assert session.get_one(Source, source).last_message_id == LARGE


def test_deletions_are_noted_once(store, source):
    with store.transaction() as session:
        session.add_all([a_message(1), a_message(2), a_message(LARGE)])
    with store.transaction() as session:
        assert messages.note_deleted(session, source, [1, LARGE, 99], AT) == 2
        assert messages.note_deleted(session, source, [1], AT + MINUTE) == 0
        assert [each.message_id for each in messages.newest(session, source, LARGE, 5)] == [2]
        assert set(messages.messages_between(session, source, 1, LARGE)) == {2, LARGE}
        assert session.get_one(ChannelMessage, 1).deleted_at == AT


def test_a_message_is_one_row_and_its_text_is_encrypted(store, source):
    rows = [{"source_id": source, "message_id": LARGE, "sent_at": AT, "text": "canary"}]
    with store.transaction() as session:
        upsert(session, ChannelMessage, rows, messages.MESSAGE_KEY)
        upsert(session, ChannelMessage, rows, messages.MESSAGE_KEY)
    with store.transaction() as session:
        (row,) = session.query(ChannelMessage).all()
        assert row.text == "canary"
        raw = session.connection().exec_driver_sql("SELECT text FROM channel_messages").scalar()
    assert "canary" not in raw


def test_no_job_of_a_session_that_waits_is_claimed(store, source):
    jobs = [
        NewJob("telegram", "files", f"telegram_files {name}", name, name, name_of(name), target={"source": name})
        for name in ("session", "other")
    ]
    with store.transaction() as session:
        add(session, jobs, AT)
        sessions.note_wait(session, "session", AT + 10 * MINUTE)
    with store.transaction() as session:
        assert waiting(session, AT) == {"telegram:session"}
        assert claim(session, "worker", AT, 3600).username == "other"
        assert claim(session, "worker", AT, 60) is None
    with store.transaction() as session:
        assert waiting(session, AT + 10 * MINUTE) == set()
        assert claim(session, "worker", AT + 11 * MINUTE, 60).username == "session"

"""Sessions of people at the imitation of Telegram, for the API and the pages of sources."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from datetime import UTC, datetime

from database.models import Run, RunState, StoredFile
from database.models.jobs import ScraperJob
from database.models.messaging import ChannelFile, FileState, MediaKind
from database.models.telegram import Source, TelegramSession
from tests.telegram import API_HASH, API_ID

AT = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
_parts = itertools.count(1)


class People:
    """The imitation, and the sessions of those who have signed in to it."""

    def __init__(self, server, db):
        self.server, self.admin, self.db = server, server.admin, db
        self.channels = server.channels()

    def id(self, word):
        return self.channels[word]["id"]

    def session(self, user_id=None, name="Mine", scenario="ok", **values):
        """Sign somebody in, and store the session for a user; None: for the installation. Return its id."""
        phone = self.server.number(scenario)
        string = self.server.string(phone)
        return self.stored(string, user_id, name, phone, **values)

    def stored(self, string, user_id=None, name="Mine", phone="+12015550100", **values):
        """Store a session of this string."""
        session_id = str(uuid.uuid4())
        facts = {"api_id": API_ID, "api_hash": API_HASH, "key_fingerprint": hashlib.sha256(string.encode()).hexdigest()}
        facts |= {"phone_number": phone, "session_string": string, **values}
        with self.db.transaction() as session:
            session.add(TelegramSession(id=session_id, user_id=user_id, name=name, **facts))
        return session_id

    def asked(self, since=0):
        """Return the methods that the imitation was asked."""
        return self.server.methods(since)

    def mark(self):
        return max((entry["number"] for entry in self.admin.journal()), default=0)


def note_run(db, source_id, *, outcome="success", files=0, **values):
    """Write a run of a source and its job; return the run's id."""
    with db.transaction() as session:
        source = session.get_one(Source, source_id)
        job = ScraperJob(
            portal="telegram", report_type="files", target={"source": source_id}, status="success", label=source.name
        )
        job.log = "[2026-11-30 12:00:00] Made by hand.\n[2026-11-30 12:00:05] Claimed, the 1. time."
        session.add(job)
        session.flush()
        facts = {"started_at": AT, "finished_at": AT, "state": RunState.FINISHED, "files": files, "outcome": outcome}
        run = Run(crawl="c", spider="telegram_files", portal="telegram", report_type="files", job_id=job.id)
        for name, value in {**facts, **values}.items():
            setattr(run, name, value)
        session.add(run)
        session.flush()
        return run.id


def note_file(db, source_id, run_id=None, *, path=None, store="/files", **values):
    """Write a file of a source; path: where it is stored, None: nowhere. Return its id."""
    number = next(_parts)
    with db.transaction() as session:
        stored = None
        if path is not None:
            stored = StoredFile(spider="telegram_files", portal="telegram", report_type="files", target_key=source_id)
            stored.key, stored.path, stored.store, stored.run_id = f"{number}", path, store, run_id
            session.add(stored)
            session.flush()
        facts = {"message_id": number, "document_id": 2**40 + number, "kind": MediaKind.DOCUMENT, "size": 3_000_000_000}
        facts |= {"name": f"{number}.pdf", "extension": "pdf", "sent_at": AT}
        facts |= {"state": FileState.STORED if path else FileState.WANTED}
        row = ChannelFile(source_id=source_id, run_id=run_id, file_id=stored.id if stored else None)
        for name, value in {**facts, **values}.items():
            setattr(row, name, value)
        session.add(row)
        session.flush()
        return row.id

"""Sources of the imitation of Telegram in a project of their own: sessions that are signed in, crawls, and what is stored."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import shutil
import subprocess
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select
from telethon.sessions import StringSession

from database.engine import Database
from database.models import Run, StoredFile
from database.models.messaging import ChannelFile, ChannelMessage, FileState
from database.models.telegram import AccessLevel, Source, TargetStore, TelegramSession
from jobs.warm import AnyProcess, WarmParent
from sandbox import Running
from sandbox.telegram import phone_number
from tests.project import Project
from tests.sandbox.telegram.client import API, Server

SPIDER = "telegram_files"
_numbers = itertools.count(2000)  # other than those of the sandbox's own tests


class Sources:
    """The project with a database of its own, whose sources are channels of the imitation."""

    def __init__(self, project: Project, db: Database, telegram: Running) -> None:
        self.project, self.db = project, db
        self.admin = telegram.admin["telegram"]
        environment = telegram.environment
        project.environment.update(environment)
        self.server = Server(environment["TELEGRAM_SERVER"], Path(environment["TELEGRAM_SERVER_KEY"]), self.admin)
        self.channels = self.server.channels()
        self.strings: dict[str, str] = {}  # session strings by the sessions' ids
        self.hashes: dict[tuple[str, int], int] = {}  # access hashes by session and channel

    # What there is

    def sign_in(self, scenario: str = "ok", **tags: Any) -> str:
        """Sign a new person of a scenario in, and store the session; return its id."""
        phone = phone_number(scenario, next(_numbers))
        if tags:
            self.admin.configure(users={phone: tags["tags"]})
        session_id = str(uuid.uuid4())

        async def scene() -> str:
            async with self.server.signed_in(phone) as client:
                async for dialog in client.iter_dialogs():
                    if (access_hash := getattr(dialog.entity, "access_hash", None)) is not None:
                        self.hashes[session_id, dialog.entity.id] = access_hash
                return str(StringSession.save(client.session))

        string = asyncio.run(scene())
        self.strings[session_id] = string
        with self.db.transaction() as session:
            session.add(
                TelegramSession(
                    id=session_id,
                    name=f"{scenario} {phone[-4:]}",
                    phone_number=phone,
                    session_string=string,
                    key_fingerprint=hashlib.sha256(string.encode()).hexdigest(),
                    api_id=API[0],
                    api_hash=API[1],
                )
            )
        return session_id

    def add(self, word: str, session_id: str, name: str = "", **values: Any) -> str:
        """Make a source of a channel; return its id. It is called like the channel's word."""
        channel = self.channels[word]
        row = {
            "target": TargetStore.LOCAL,
            "access_level": AccessLevel.PRIVATE,
            "identifier": str(channel["id"]),
            "access_hash": self.hashes.get((session_id, channel["id"])),
        }
        source = Source(
            id=str(uuid.uuid4()),
            name=name or word,
            channel_id=channel["id"],
            username=channel["username"] or None,
            channel_title=channel["title"],
            session_id=session_id,
            **(row | values),
        )
        with self.db.transaction() as session:
            session.add(source)
            session.flush()
            return source.id

    def change(self, source_id: str, **values: Any) -> None:
        with self.db.transaction() as session:
            source = session.get_one(Source, source_id)
            for name, value in values.items():
                setattr(source, name, value)

    # Crawls

    def crawl(
        self, source: str, *arguments: str, code: int | None = None, timeout: float = 110, **environment: str
    ) -> str:
        """Crawl a source, and return what was said. code: the exit code that it must have."""
        words = [word for argument in (f"source={source}", *arguments) for word in ("-a", argument)]
        done = self.project.scrapy("crawl", SPIDER, *words, env=environment or None, timeout=timeout)
        assert "Traceback" not in done.stderr, done.stderr
        assert code is None or done.returncode == code, done.stderr
        return done.stderr

    def start(self, source: str, *arguments: str, **environment: str) -> AnyProcess:
        words = [word for argument in (f"source={source}", *arguments) for word in ("-a", argument)]
        options: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return self.project.start("crawl", SPIDER, *words, env=environment or None, **options)

    @property
    def outcome(self) -> str:
        """The outcome of the newest run."""
        return self.run.outcome or ""

    @property
    def run(self) -> Run:
        with self.db.transaction() as session:
            found = session.scalars(select(Run).order_by(Run.id.desc()).limit(1)).one()
            session.expunge(found)
            return found

    # What is stored

    def source(self, source_id: str) -> Source:
        with self.db.transaction() as session:
            found = session.get_one(Source, source_id)
            session.expunge(found)
            return found

    def session(self, session_id: str) -> TelegramSession:
        with self.db.transaction() as session:
            found = session.get_one(TelegramSession, session_id)
            session.expunge(found)
            return found

    def files(self, source_id: str, **values: Any) -> list[ChannelFile]:
        return self._all(select(ChannelFile).filter_by(source_id=source_id, **values).order_by(ChannelFile.message_id))

    def messages(self, source_id: str, **values: Any) -> dict[int, ChannelMessage]:
        found = self._all(select(ChannelMessage).filter_by(source_id=source_id, **values))
        return {each.message_id: each for each in found}

    def states(self, source_id: str) -> Counter[str]:
        """Return how many files of a source have each state, skipped ones by their reason."""
        return Counter(each.reason or each.state.value for each in self.files(source_id))

    def stored(self, source_id: str) -> list[StoredFile]:
        return self._all(select(StoredFile).where(StoredFile.target_key == source_id))

    def content(self, file: StoredFile) -> bytes:
        return (self.project.data / "files" / str(file.path)).read_bytes()

    def wrong(self, source_id: str, word: str, digests: str = "") -> list[str]:
        """Return in what the files of a source are not those of its channel: missing, of other bytes, or stored twice."""
        truths, stored = self.server.files(word, digests), {each.id: each for each in self.stored(source_id)}
        rows = {(each.message_id, each.document_id): each for each in self.files(source_id, member="")}
        lines = []
        for number, truth in truths.items():
            row = rows.pop((number, truth["file"]), None)
            if row is None:
                lines.append(f"{number}: no row")
            elif truth["size"] and (row.state != FileState.STORED or row.file_id is None):
                lines.append(f"{number}: {row.state} {row.reason} {row.message}")
            elif truth["size"]:
                place = self.project.data / "files" / str(stored[row.file_id or 0].path)
                digest = hashlib.file_digest(place.open("rb"), "sha256").hexdigest()
                if digest != row.sha256 or (truth["sha256"] and digest != truth["sha256"]):
                    lines.append(f"{number}: other bytes")
        lines += [f"{number}: a row too many" for number, _ in rows]
        twice = [digest for digest, times in Counter(each.sha256 for each in stored.values()).items() if times > 1]
        return lines + [f"stored twice: {digest}" for digest in twice]

    def mark(self) -> int:
        """Return the number of the newest request."""
        return max((entry["number"] for entry in self.admin.journal()), default=0)

    def requests(self, since: int = 0) -> Counter[str]:
        """Return how many requests there were by method."""
        return Counter(entry["path"].removeprefix("/") for entry in self.admin.journal(since))

    def _all(self, query: Any) -> list[Any]:
        with self.db.transaction() as session:
            found = list(session.scalars(query))
            session.expunge_all()
            return found


@contextmanager
def sources_at(telegram: Running, folder: Path, warm: WarmParent, tables: Path) -> Iterator[Sources]:
    """Make the project in a folder, with the tables of a file, pointed at the imitation, for as long as the block lasts."""
    project = Project(folder, warm)
    project.data.mkdir(mode=0o700)
    shutil.copy(tables, project.data / "latchkey.db")
    db = Database(f"sqlite:///{project.data / 'latchkey.db'}")
    try:
        yield Sources(project, db, telegram)
    finally:
        project.close()
        db.engine.dispose()

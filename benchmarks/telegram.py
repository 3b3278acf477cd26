"""Telegram: the 500 files of 200 KB of a channel, from its history to files on disk, beside Telethon's own loop."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import StringSession

from benchmarks.bench import Bench, middle
from benchmarks.figures import Figure, count, ratio
from benchmarks.processes import Cost, measure
from sandbox import Admin, running
from sandbox.telegram import phone_number

WORD, FILES = "speed", 500
API = (12345, "0123456789abcdef0123456789abcdef")
STORED = """SELECT channel_files.message_id, files.path FROM channel_files
    JOIN files ON files.id = channel_files.file_id WHERE channel_files.state = 'stored'"""


@dataclass(frozen=True, slots=True)
class Visit:
    """What a run took; window: seconds from the server's first request to its last answer; wrong: files that are not right."""

    cost: Cost
    window: float
    requests: int
    wrong: int


class Channel:
    """A channel with 500 files, a session that may read it, and what each run of either client stores."""

    def __init__(self, bench: Bench, folder: Path, admin: Admin, environment: dict[str, str]) -> None:
        self.bench, self.folder, self.admin = bench, folder, admin
        self.environment = {**bench.environment, **environment}
        channels = {row["word"]: row for row in admin.ask("channels")["channels"]}
        self.channel: dict[str, Any] = channels[WORD]
        rows = admin.ask(f"channels/{WORD}/files")["files"]
        self.truths: dict[int, str] = {row["message"]: row["sha256"] for row in rows}
        rsa.add_key(Path(environment["TELEGRAM_SERVER_KEY"]).read_text(), old=False)
        self.string, self.access_hash = asyncio.run(self._signed_in(environment))
        self._prepare()

    async def _signed_in(self, environment: dict[str, str]) -> tuple[str, int]:
        """Sign in, and return the session's string and the channel's access hash."""
        phone = phone_number("ok", 9000)
        host, _, port = environment["TELEGRAM_SERVER"].rpartition(":")
        session = StringSession()
        session.set_dc(2, host, int(port))
        client = TelegramClient(session, *API)
        await client.connect()
        await client.send_code_request(phone)
        await client.sign_in(phone, str(self.admin.ask(f"codes/{phone.removeprefix('+')}")["code"]))
        hashes = {each.entity.id: each.entity.access_hash async for each in client.iter_dialogs() if each.is_channel}
        await client.disconnect()
        return str(StringSession.save(session)), hashes[self.channel["id"]]

    def _prepare(self) -> None:
        """Make a database with the session, and the channel as a source."""
        code = """
import json, sys
from database.engine import Database
from database.migrate import upgrade
from database.models.prices import User
from database.models.telegram import Source, TelegramSession

told = json.load(sys.stdin)
db = Database(told["url"])
upgrade(db)
with db.transaction() as session:
    session.add(TelegramSession(**told["session"]))
    session.flush()
    session.add(Source(**told["source"]))
db.engine.dispose()
"""
        prepared = self.folder / "prepared"
        prepared.mkdir()
        session: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "name": "bench",
            "session_string": self.string,
            "key_fingerprint": "bench",
        }
        source: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "name": WORD,
            "access_level": "private",
            "identifier": str(self.channel["id"]),
            "channel_id": self.channel["id"],
            "access_hash": self.access_hash,
            "channel_title": self.channel["title"],
            "session_id": session["id"],
        }
        told = {
            "url": f"sqlite:///{prepared / 'latchkey.db'}",
            "session": session | {"api_id": API[0], "api_hash": API[1]},
            "source": source,
        }
        command = [sys.executable, "-c", code]
        subprocess.run(command, env=self.environment, input=json.dumps(told), text=True, check=True, timeout=60)

    def ours(self) -> Visit:
        """Crawl, with a database that knows no message yet."""
        data = self.folder / "data"
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(self.folder / "prepared", data)
        cost, journal = self._run(
            [sys.executable, "-m", "scrapy", "crawl", "telegram_files", "-a", f"source={WORD}"], data
        )
        with closing(sqlite3.connect(data / "latchkey.db")) as database:
            stored = {number: data / "files" / path for number, path in database.execute(STORED)}
        return self._visit(cost, journal, stored)

    def bare(self) -> Visit:
        """Do the same with Telethon's own loop."""
        folder = self.folder / "bare"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        server, key = self.environment["TELEGRAM_SERVER"], self.environment["TELEGRAM_SERVER_KEY"]
        told: dict[str, Any] = {"server": server, "key": key, "string": self.string, "api": API, "folder": str(folder)}
        told |= {"channel": self.channel["id"], "access_hash": self.access_hash}
        cost, journal = self._run([sys.executable, "-m", "benchmarks.telegram_floor", json.dumps(told)], folder)
        return self._visit(cost, journal, {int(path.stem.partition("_")[0]): path for path in folder.glob("*_*")})

    def _run(self, command: list[str], data: Path) -> tuple[Cost, list[dict[str, Any]]]:
        marker = max((entry["number"] for entry in self.admin.journal()), default=0)
        environment = {
            **self.environment,
            "LATCHKEY_DATA_DIR": str(data),
            "LATCHKEY_DATABASE_URL": f"sqlite:///{data / 'latchkey.db'}",
        }
        return measure(command, environment), self.admin.journal(marker)

    def _visit(self, cost: Cost, journal: list[dict[str, Any]], stored: dict[int, Path]) -> Visit:
        digests = {number: hashlib.sha256(path.read_bytes()).hexdigest() for number, path in stored.items()}
        wrong = sum(digests.get(number) != digest for number, digest in self.truths.items())
        began = min(entry["time"] - entry["seconds"] for entry in journal)
        return Visit(cost, max(entry["time"] for entry in journal) - began, len(journal), wrong)


@contextmanager
def channel(bench: Bench) -> Iterator[Channel]:
    """Serve an imitation of Telegram, with a session that is signed in."""
    folder = bench.folder / "telegram"
    folder.mkdir()
    with running(folder / "server", ("telegram",)) as sandbox:
        yield Channel(bench, folder, sandbox.admin["telegram"], sandbox.environment)


def run(bench: Bench) -> list[Figure]:
    """Fetch all files in turns."""
    with channel(bench) as made:
        made.bare()  # the first time compiles
        ours, bare = bench.alternate(made.ours, made.bare)
    # A ratio of each round: both of its processes met the same machine.
    return [
        count(
            "telegram", "files not stored right", 0, max(each.wrong for each in ours), max(each.wrong for each in bare)
        ),
        count("telegram", "requests", 1010, max(each.requests for each in ours), max(each.requests for each in bare)),
        compared("window", 1.3, "s", [each.window for each in ours], [each.window for each in bare]),
        compared("whole process", 1.3, "s", [each.cost.seconds for each in ours], [each.cost.seconds for each in bare]),
        compared("CPU", None, "CPU s", [each.cost.cpu for each in ours], [each.cost.cpu for each in bare]),
        compared("memory", None, "MB", [each.cost.memory for each in ours], [each.cost.memory for each in bare]),
    ]


def compared(name: str, target: float | None, unit: str, ours: list[float], bare: list[float]) -> Figure:
    """Return the ratio of the medians."""
    return ratio("telegram", name, target, middle(ours), middle(bare), unit)

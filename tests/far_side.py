"""The customer's own server, as far as uploads see it: a real one on loopback, as good or bad as it is told to be."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from aiohttp import BodyPartReader, web

from database.engine import Database
from database.families.accounts import NewAccount, add_account
from database.families.cycles import cycle_for
from database.models import (
    Account,
    BillingCycleFile,
    BillingCyclePdfFile,
    CarrierReport,
    DailyUsageFile,
    FileStatus,
    StoredFile,
)
from database.models.base import utc_now
from database.upsert import ensure
from tests.project import CARRIERS

GONE = "Could not validate the user's client and/or workspace."


@dataclass
class Seen:
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    fields: dict[str, str]
    name: str = ""
    media_type: str = ""
    sha256: str = ""


@dataclass
class FarSide:
    """
    Answers as `script` says, one word a request; then 201.

    A number is an answer with that status; `gone` 403 for a deleted client; `hang` no answer ever, `cut` a closed
    connection, both before anything is stored; `stored-hang` and `stored-cut` after. `early-413` answers before the file has come.
    """

    url: str = ""
    script: list[Any] = field(default_factory=list)
    retry_after: str = ""
    slow: float = 0.0  # seconds between the end of a file and its answer
    seen: list[Seen] = field(default_factory=list)
    stored: list[Seen] = field(default_factory=list)
    most_at_once: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _keys: set[str] = field(default_factory=set)
    _now: int = 0

    def contents(self) -> list[tuple[str, str]]:
        """Return path and hash of everything stored, sorted."""
        return sorted((one.path, one.sha256) for one in self.stored)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        word = self.script.pop(0) if self.script else 201
        one = Seen(request.path, dict(request.headers), {})
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            if word == "early-413":
                self.seen.append(one)
                return web.json_response({"detail": "Too large."}, status=413)
            await self.read(request, one)
            self.seen.append(one)
            if word in ("hang", "cut"):
                return await self.leave(request, word)
            if word in (200, 201, "stored-hang", "stored-cut"):
                self.store(one)
            if isinstance(word, str) and word.startswith("stored-"):
                return await self.leave(request, word.removeprefix("stored-"))
            await asyncio.sleep(self.slow)
            if word == "gone":
                return web.json_response({"detail": GONE}, status=403)
            headers = {"Retry-After": self.retry_after} if self.retry_after and word >= 400 else {}
            if 300 <= word < 400:
                headers["Location"] = "/elsewhere"
            return web.json_response({"detail": f"Said {word}."}, status=word, headers=headers)
        except ConnectionResetError:
            return web.Response()  # whoever sent it was killed
        finally:
            self._now -= 1

    def store(self, one: Seen) -> None:
        if (key := one.headers["Idempotency-Key"]) not in self._keys:
            self._keys.add(key)
            self.stored.append(one)

    @staticmethod
    async def read(request: web.Request, one: Seen) -> None:
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            if part.name != "file":
                one.fields[str(part.name)] = await part.text()
                continue
            digest = hashlib.sha256()
            while chunk := await part.read_chunk(1 << 16):
                digest.update(chunk)
            one.name, one.media_type, one.sha256 = str(part.filename), part.headers["Content-Type"], digest.hexdigest()

    async def leave(self, request: web.Request, how: str) -> web.StreamResponse:
        if how == "hang":
            await self.over.wait()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()


class Shelf:
    """Stored files of an account, as crawls leave them."""

    def __init__(self, db: Database, folder: Path, client: str = "Acme") -> None:
        self.db, self.folder = db, folder
        with db.transaction() as session:
            number = f"770031550{len(client)}"  # long: it stands in no other number
            account, _ = add_account(session, NewAccount(client, "Depot", "bell", number), CARRIERS)
            self.account_id = account.id
            self.workspace_id, self.client_id = account.workspace_id, account.workspace.client_id

    def put(self, name, content=None, *, kind="pdf", month=10):
        """Store a file; return its id."""
        content = content if content is not None else f"{name} of {self.account_id} in {month}".encode()
        path = f"bell/{self.account_id}/2026-{month:02d}/{name}"
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(content)
        with self.db.transaction() as session:
            return self._rows(session, name, content, path, kind, month)

    def _rows(self, session, name, content, path, kind, month):
        cycle = cycle_for(session, session.get_one(Account, self.account_id), 2026, month)
        file = StoredFile(
            spider="bell_pdf_invoice",
            portal="bell",
            report_type="pdf_invoice",
            account_id=self.account_id,
            billing_cycle_id=cycle.id,
            target_key=f"{self.account_id}/2026-{month:02d}",
            key=name,
            path=path,
            store=str(self.folder),
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            status=FileStatus.READY,
            stored_at=utc_now(),
        )
        session.add(file)
        session.flush()
        row: BillingCyclePdfFile | DailyUsageFile | BillingCycleFile
        if kind == "pdf":
            row = ensure(session, BillingCyclePdfFile, {"billing_cycle_id": cycle.id, "pdf_type": name}, {})
        elif kind == "daily":
            row = ensure(session, DailyUsageFile, {"billing_cycle_id": cycle.id, "day": date(2026, month, 7)}, {})
        elif kind == "monthly":
            of_carrier = {"carrier_id": cycle.account.carrier_id, "slug": "cost_overview"}
            report = ensure(session, CarrierReport, of_carrier, {"name": "Cost Overview", "details": {}}).id
            row = ensure(session, BillingCycleFile, {"billing_cycle_id": cycle.id, "carrier_report_id": report}, {})
        else:
            return file.id
        row.file_id, row.status = file.id, FileStatus.READY
        return file.id


@contextmanager
def far_side() -> Iterator[FarSide]:
    """Give a server on a port of its own, in a thread of its own."""
    side, ready, loop = FarSide(), threading.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        application = web.Application(client_max_size=1 << 30)
        application.router.add_route("*", "/{any:.*}", side.answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        side.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        await side.over.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield side
    finally:
        loop.call_soon_threadsafe(side.over.set)
        thread.join(60)
        loop.close()

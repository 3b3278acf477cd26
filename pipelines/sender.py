"""Sending stored files to the customer's own server: each content of each file once, also after a kill."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from sqlalchemy.exc import SQLAlchemyError

from database.engine import DatabaseAway
from database.models import StoredFile, UploadState
from database.uploads import NotNow, claim, due, give_up, is_gone, settle
from pipelines.settings import pipeline_settings
from pipelines.stores import store_of
from scrapers.core.naming import unexpected_error
from scrapers.core.outcomes import (
    DatabaseAwayFailure,
    Failure,
    StoreAway,
    UploadClientGone,
    UploadFailed,
    UploadMisconfigured,
    UploadRefused,
)
from scrapers.core.pace import backoff, retry_after
from scrapers.core.redaction import redactor
from scrapers.core.settings import crawl_settings
from scrapers.core.stated import families, resolve

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from database.engine import Database
    from database.uploads import Addresses, Due
    from pipelines.settings import UploadSettings
    from scrapers.core.jobs import Job

logger = logging.getLogger(__name__)

TRIES = 3  # requests with one file in one run, when the server answers that it is in trouble
UNANSWERED_TRIES = 2  # requests without an answer: each may have been stored, and each may take LATCHKEY_UPLOAD_WAIT
STOPS_AFTER = 2  # files in a row that did not get through: then the run sends no more
READ = 1 << 16  # bytes of an answer that are looked at
SHOWN = 200  # characters of an answer that are kept
CLIENT = re.compile(r"\b(client|workspace)\b", re.I)


def addresses() -> list[Addresses]:
    """Return the `addresses` functions of the families that send files on."""
    return [resolve(family.uploads) for family in families().values() if family.uploads]


async def send_for(job: Job, sender: Sender, name: str | None = None) -> None:
    """Send a job's stored files, or the one with that natural key; what goes wrong fails the job."""
    which = [StoredFile.spider == job.spider, StoredFile.target_key == job.key]
    if name is not None:
        which.append(StoredFile.key == name)
    try:
        for file in await sender.due(*which):
            async with job.brake():
                failure = await sender.send(file, job.id)
            if failure is not None:
                job.fail(failure)
    except Failure as failure:
        job.fail(failure)
    except Exception as error:  # noqa: BLE001 - at the end of a crawl Scrapy would log it, and the run would succeed
        job.fail(unexpected_error(error))


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request."""

    state: UploadState
    failure: Failure | None = None
    status: int | None = None  # None: there was no answer
    rest: float | None = None  # seconds for which the server wants to be left alone
    limit: int = 1  # requests with one file in one run that may end so
    stop: bool = False  # no other file would fare better


class Sender:
    """Sends files one at a time; one for each crawl or command."""

    def __init__(self, db: Database, settings: UploadSettings) -> None:
        self.db = db
        self.base = settings.upload_url
        self.wait = settings.upload_wait
        self._key = settings.upload_key.get_secret_value()
        redactor.add(self._key)
        self._tried: set[tuple[int, str]] = set()  # files, by id and content
        self._stopped: Failure | None = None
        self._failed_in_a_row = 0
        self._one_at_a_time = asyncio.Lock()
        self._client: ClientSession | None = None

    async def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await self._client.close()

    async def due(self, *which: Any) -> list[Due]:
        """Return the files that the server does not have and that this sender has not tried."""
        files = await self._write(lambda session: due(session, self.base, addresses(), *which))
        return [file for file in files if (file.file_id, file.sha256) not in self._tried]

    async def send(self, file: Due, run_id: int | None = None, again: bool = False) -> Failure | None:
        """
        Send a file; return why it is not at the server, or None.

        again: also a file that the server refused before. A file that another process is sending is no failure.
        """
        async with self._one_at_a_time:
            self._tried.add((file.file_id, file.sha256))
            if not again and file.state in (UploadState.REFUSED, UploadState.CLIENT_GONE):
                kind = UploadClientGone if file.state == UploadState.CLIENT_GONE else UploadRefused
                return kind(f"{file.label}: {file.message}", step="upload")
            if self._stopped is not None:
                return type(self._stopped)(f"{file.label} was not sent: {self._stopped.detail}", step="upload")
            if not again and await self._write(lambda session: is_gone(session, self.base, file.client_id)):
                text = "not sent, because its client or workspace is gone there."
                await self._write(lambda session: give_up(session, file, run_id, text))
                return UploadClientGone(f"{file.label}: {text}", step="upload")
            failure = await self._send(file, run_id, again)
        if failure is None:
            logger.info("Sent: %s", file.label)
        return failure

    async def _send(self, file: Due, run_id: int | None, again: bool) -> Failure | None:
        tries, patience = 0, self.wait + 60
        while True:
            try:
                upload_id = await self._write(partial(claim, file=file, run_id=run_id, patience=patience, again=again))
            except NotNow as reason:
                return UploadFailed(f"{file.label}: {reason}.", step="upload")
            if upload_id is None:
                return None
            tries += 1
            answer = await self._post(file)
            message = redactor.hide(answer.failure.detail) if answer.failure else None
            may_wait = answer.rest is None or answer.rest <= crawl_settings().retry_wait
            rest = None if may_wait else answer.rest
            await self._write(
                partial(
                    settle, upload_id=upload_id, state=answer.state, status=answer.status, message=message, rest=rest
                )
            )
            if answer.state != UploadState.FAILED:
                self._failed_in_a_row = 0
                return answer.failure
            if not may_wait or tries >= answer.limit:
                break
            await asyncio.sleep(answer.rest if answer.rest is not None else backoff(tries))
        self._failed_in_a_row += 1
        if answer.stop or not may_wait or self._failed_in_a_row >= STOPS_AFTER:
            self._stopped = answer.failure
        return answer.failure

    async def _post(self, file: Due) -> Answer:
        """Send one request, and say what its answer, or none, means."""
        import aiohttp

        try:
            body = await asyncio.to_thread(open_stored, file)
        except (StoreAway, OSError) as error:
            detail = error.detail if isinstance(error, StoreAway) else str(error)
            return Answer(UploadState.FAILED, StoreAway(f"{file.label}: {detail}", step="upload"))
        here = partial(self._failed, file)
        try:
            async with self._session().post(
                file.endpoint,
                data=form(file, body),
                headers=self._headers(file),
                allow_redirects=False,  # the key would go along
            ) as response:
                said = b""
                while len(said) < READ and (piece := await response.content.read(READ - len(said))):
                    said += piece
                rest = response.headers.get("Retry-After")
                return read_answer(file, response.status, said.decode("utf-8", "replace"), rest)
        except TimeoutError:
            return here(UploadFailed, f"no answer within {self.wait:.0f} s", UNANSWERED_TRIES, stop=True)
        except aiohttp.ClientSSLError:
            return here(UploadMisconfigured, "its certificate is not valid", 1, stop=True)
        except aiohttp.ClientConnectorError as error:
            return here(UploadFailed, f"it cannot be reached ({type(error).__name__})", TRIES, stop=True)
        except (aiohttp.ClientError, ConnectionError) as error:
            return here(UploadFailed, f"the connection was cut ({type(error).__name__})", UNANSWERED_TRIES)
        finally:
            await asyncio.to_thread(body.close)

    @staticmethod
    def _failed(file: Due, kind: type[Failure], what: str, limit: int, stop: bool = False) -> Answer:
        return Answer(UploadState.FAILED, kind(f"{file.label}: {what}.", step="upload"), limit=limit, stop=stop)

    def _headers(self, file: Due) -> dict[str, str]:
        return {
            "x-api-key": self._key,
            "Accept": "application/json",
            "x-workspace-id": str(file.workspace_id),
            "x-client-id": str(file.client_id),
            # A server that keeps it takes a second request with the same file, after a kill, for the first.
            "Idempotency-Key": file.key,
        }

    def _session(self) -> ClientSession:
        import aiohttp

        if self._client is None:
            self._client = aiohttp.ClientSession(
                # A connection for each file: when a kept one turns out dead, it is unknown whether the file arrived.
                connector=aiohttp.TCPConnector(force_close=True),
                timeout=aiohttp.ClientTimeout(total=self.wait, sock_connect=30),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._client

    async def _write(self, act: Any) -> Any:
        try:
            return await self.db.run(act)
        except (DatabaseAway, SQLAlchemyError) as error:
            raise DatabaseAwayFailure(
                str(error) if isinstance(error, DatabaseAway) else type(error).__name__
            ) from error


def open_stored(file: Due) -> BinaryIO:
    """Open a stored file for reading; raise StoreAway, or OSError, when it is not there as it was stored."""
    store = store_of(pipeline_settings(), file.store)
    size = store.size(file.path)
    if size != file.size:
        raise StoreAway(f"{file.path} has {'gone' if size is None else 'another size'} in {store.address}.")
    return store.open(file.path)


def form(file: Due, body: BinaryIO) -> Any:
    """Return the body of a request: it is read as it is sent, and its length is known before."""
    import aiohttp
    from aiohttp.payload import IOBasePayload

    class Stored(IOBasePayload):
        """A stored file. Its size is known also where its store is no folder."""

        @property
        def size(self) -> int | None:
            return file.size

    made = aiohttp.FormData()
    for name, value in file.fields.items():
        made.add_field(name, value)
    made.add_field("file", Stored(body, content_type=file.media_type, filename=file.name), filename=file.name)
    return made


def read_answer(file: Due, status: int, text: str, rest: str | None = None) -> Answer:
    """
    Return what the server's answer to a file means.

    text: the answer's body. rest: its Retry-After.
    """
    if status in (200, 201):
        return Answer(UploadState.STORED, status=status)
    said = redactor.hide(" ".join(text.split()))[:SHOWN]
    seen = f"{file.label}: answered {status}" + (f" ({said})." if said and "<" not in said else ".")
    if status == 403 and CLIENT.search(text):
        return Answer(UploadState.CLIENT_GONE, UploadClientGone(seen, step="upload"), status)
    if status == 401 or 300 <= status < 400:
        return Answer(UploadState.FAILED, UploadMisconfigured(seen, step="upload"), status, stop=True)
    if status >= 500 or status in (408, 425, 429):
        return Answer(UploadState.FAILED, UploadFailed(seen, step="upload"), status, retry_after(rest), TRIES)
    return Answer(UploadState.REFUSED, UploadRefused(seen, step="upload"), status)

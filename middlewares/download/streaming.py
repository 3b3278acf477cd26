"""The HTTP half of the download handler: an exact limit on requests in flight, and bodies that stream to a part file."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from aiohttp import ClientPayloadError
from scrapy.exceptions import DownloadTimeoutError, ResponseDataLossError
from scrapy.http import Response

from middlewares.limits import pause_of
from scrapers.core.compat import AiohttpDownloadHandler
from scrapers.core.outcomes import SessionGone
from scrapers.core.pace import FIRST_PAUSE, retry_after
from scrapers.core.requests import own_state, state_of
from scrapers.core.runs import work_of
from scrapers.core.settings import crawl_settings
from scrapers.core.spool import PartWriter, matches, sniff

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Headers

IN_MEMORY = 1 << 20  # bytes kept of an answer that is not the file that was asked for
HEAD = 512  # bytes that are sniffed for the media type


class StreamingDownloadHandler(AiohttpDownloadHandler):
    """
    Scrapy's aiohttp handler (one connection pool for everything) with two additions.

    Streaming: where the request's state names media types in `stream`, a body of one of them is written to the spool;
    the response is empty then, and the state has the PartFile as `part`. Any other body stays in memory.
    Limit: at most LATCHKEY_REQUESTS_IN_FLIGHT requests to one host are in flight. Scrapy 2.19 counts a transfer only
    once its task runs, so bursts exceed its own limit.
    """

    experimental = False  # Scrapy's warning is about its private API, which requirements.txt pins
    lazy = True

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._limit = crawler.settings.getint("REQUESTS_IN_FLIGHT") or crawl_settings().requests_in_flight
        self._pause = pause_of(crawler)
        self._places: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(self._limit))

    @asynccontextmanager
    async def _make_request(self, request: Request, timeout: float) -> AsyncIterator[Any]:  # noqa: ASYNC109 - the parent's signature
        async with self._places[urlsplit(request.url).netloc]:
            await self._pause.wait()  # it may have begun while the request waited for its place
            check_session(request)
            async with super()._make_request(request, timeout) as response:
                self._heed(response)
                yield response

    def _heed(self, response: Any) -> None:
        """Begin the pause that an answer asks for before its place is given to the next request."""
        header = response.headers.get("Retry-After")
        if response.status == 429 or (response.status == 503 and header is not None):
            self._pause.prolong(min(retry_after(header) or FIRST_PAUSE, crawl_settings().retry_wait))

    async def _read_response(self, response: Any, request: Request) -> Response:
        declared = state.stream if (state := state_of(request)) else ()
        if not declared or response.status != 200:
            return await super()._read_response(response, request)
        chunks = response.content.iter_any()
        head = b""
        try:
            async for chunk in chunks:
                head += chunk
                if len(head) >= HEAD:
                    break
            if matches(sniff(head), declared):
                return await self._to_spool(response, request, head, chunks)
            return await self._to_memory(response, request, head, chunks)
        except TimeoutError as error:
            raise DownloadTimeoutError(f"{request.url} took too long") from error
        except ClientPayloadError as error:
            raise ResponseDataLossError(str(error)) from error

    async def _to_spool(self, response: Any, request: Request, head: bytes, chunks: AsyncIterator[bytes]) -> Response:
        writer = await asyncio.to_thread(PartWriter, work_of(self.crawler).spool)
        try:
            pieces, held = [head], len(head)  # as they came: joining them would copy a big file twice
            async for chunk in chunks:
                pieces.append(chunk)
                held += len(chunk)
                if held >= IN_MEMORY:
                    await asyncio.to_thread(writer.write, *pieces)
                    pieces, held = [], 0
            headers = self._extract_headers(response)
            expected, size = headers.get("Content-Length"), writer.size + held
            if expected is not None and int(expected) != size:
                raise ResponseDataLossError(f"{size} of {int(expected)} bytes came")
            part = await asyncio.to_thread(writer.finish, file_name(headers, request.url), *pieces)
        except BaseException:
            await asyncio.to_thread(writer.discard)
            raise
        own_state(request).part = part
        return Response(request.url, status=200, headers=headers, request=request, flags=["streamed"])

    async def _to_memory(self, response: Any, request: Request, head: bytes, chunks: AsyncIterator[bytes]) -> Response:
        from scrapy.responsetypes import responsetypes

        body = bytearray(head)
        async for chunk in chunks:
            body += chunk
            if len(body) >= IN_MEMORY:
                break
        headers = self._extract_headers(response)
        kind = responsetypes.from_args(headers=headers, url=request.url, body=bytes(body[:HEAD]))
        return kind(request.url, status=200, headers=headers, body=bytes(body[:IN_MEMORY]), request=request)


def check_session(request: Request) -> None:
    """Raise SessionGone for a request if its session ended while it waited in the queue."""
    state = state_of(request)
    if state is not None and state.is_current is not None and not state.is_current():
        raise SessionGone()


def file_name(headers: Headers, url: str) -> str:
    """
    Return the file name of Content-Disposition, without folders; else the last part of the URL's path.

    >>> from scrapy.http import Headers
    >>> file_name(Headers({"Content-Disposition": 'attachment; filename="../bill.pdf"'}), "https://x.example/a")
    'bill.pdf'
    """
    disposition = (headers.get("Content-Disposition") or b"").decode("latin-1")
    if found := re.search(r"filename\*=(?:UTF-8'')?([^;]+)", disposition, re.I):
        name = unquote(found[1])
    elif found := re.search(r'filename="?([^";]+)"?', disposition, re.I):
        name = found[1]
    else:
        name = unquote(urlsplit(url).path)
    return re.split(r"[/\\]", name.strip().rstrip("/"))[-1] or "download"

"""The HTTP half of the download handler: an exact limit on requests in flight, and bodies that stream to a part file."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientPayloadError
from scrapy.exceptions import DownloadTimeoutError, ResponseDataLossError
from scrapy.http import Headers, Response

from middlewares.download.encodings import decoded
from middlewares.download.names import file_name
from middlewares.download.resuming import Partial
from middlewares.limits import pause_of
from scrapers.core.compat import AiohttpDownloadHandler
from scrapers.core.outcomes import SessionGone
from scrapers.core.pace import FIRST_PAUSE, retry_after
from scrapers.core.requests import own_state, state_of
from scrapers.core.runs import work_of
from scrapers.core.settings import crawl_settings
from scrapers.core.spool import PartWriter, matches, sniff

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from scrapy import Request
    from scrapy.crawler import Crawler

    from scrapers.core.requests import RequestState

IN_MEMORY = 1 << 20  # bytes kept of an answer that is not the file that was asked for
HEAD = 2048  # bytes that are sniffed for the media type; a PDF's header may stand behind 1,024 others
KEPT = 1 << 16  # bytes of a cut body from which the next try asks for the rest alone
CUT = (TimeoutError, ClientError, ConnectionError, ResponseDataLossError)  # after these a request is tried again


class StreamingDownloadHandler(AiohttpDownloadHandler):
    """
    Scrapy's aiohttp handler (one connection pool for everything) with two additions.

    Streaming: where the request's state names media types in `stream`, a body of one of them is written to the spool;
    the response is empty then, and the state has the PartFile as `part`. Any other body stays in memory. A body that is
    compressed all the same is decoded. Where a transfer was cut, the next try of the request asks for the rest, as long as
    the file is the same version: the tries are those of RETRY_TIMES, and each answer is one.
    Limit: at most LATCHKEY_REQUESTS_IN_FLIGHT requests to one host are in flight. Scrapy 2.19 counts a transfer only
    once its task runs, so bursts exceed its own limit.
    """

    experimental = False  # Scrapy's warning is about its private API, which requirements.txt pins
    lazy = True

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._limit = crawler.settings.getint("REQUESTS_IN_FLIGHT") or crawl_settings().requests_in_flight
        self._retries = crawler.settings.getint("RETRY_TIMES") if crawler.settings.getbool("RETRY_ENABLED") else 0
        self._pause = pause_of(crawler)
        self._places: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(self._limit))

    @asynccontextmanager
    async def _make_request(self, request: Request, timeout: float) -> AsyncIterator[Any]:  # noqa: ASYNC109 - the parent's signature
        # A page that Splash renders counts for its own host, not for Splash's.
        async with self._places[urlsplit(request.meta.get("rendered_for", request.url)).netloc]:
            await self._pause.wait()  # it may have begun while the request waited for its place
            check_session(request)
            async with super()._make_request(request, timeout) as response:
                self._heed(response)
                yield response

    @staticmethod
    def _request_headers(request: Request) -> Headers:
        """Return the headers to send; where a transfer of this file was cut, they ask for the rest of it."""
        headers = AiohttpDownloadHandler._request_headers(request)
        partial: Partial | None = state.partial if (state := state_of(request)) else None
        if partial is not None and partial.asks(request):
            headers.update(partial.conditions)
        return headers

    def _heed(self, response: Any) -> None:
        """Begin the pause that an answer asks for before its place is given to the next request."""
        header = response.headers.get("Retry-After")
        if response.status == 429 or (response.status == 503 and header is not None):
            self._pause.prolong(min(retry_after(header) or FIRST_PAUSE, crawl_settings().retry_wait))

    @staticmethod
    def _extract_headers(response: Any) -> Headers:
        """Return the headers as the bytes that came: aiohttp's texts of bytes that are not UTF-8 cannot be encoded again."""
        return Headers(list(response.raw_headers))

    async def _read_response(self, response: Any, request: Request) -> Response:
        state = state_of(request)
        if state is None or not state.stream:
            return await super()._read_response(response, request)
        headers = self._extract_headers(response)
        if state.partial is not None and state.partial.asks(request) and response.status in (200, 206, 416):
            partial, state.partial = state.partial, None
            if response.status == 206 and partial.continues(headers):
                with self._named(request):
                    return await self._to_spool(request, partial.headers, partial, response.content.iter_any())
            await asyncio.to_thread(partial.writer.discard)
            if response.status != 200:
                raise ResponseDataLossError("the rest is that of another version")
        if response.status != 200:
            return await super()._read_response(response, request)
        with self._named(request):
            return await self._read_file(response, request, state, headers)

    async def _read_file(self, response: Any, request: Request, state: RequestState, headers: Headers) -> Response:
        chunks = response.content.iter_any()
        coding = headers.get("Content-Encoding")
        if coding:
            chunks = decoded(chunks, coding.decode("latin-1"))
        head = b""
        async for chunk in chunks:
            head += chunk
            if len(head) >= HEAD:
                break
        if not matches(sniff(head), state.stream):
            return await self._to_memory(request, headers, head, chunks)
        writer = PartWriter(work_of(self.crawler).spool)
        partial = Partial.of(writer, request, headers)
        return await self._to_spool(request, headers, partial or writer, chunks, head)

    async def _to_spool(
        self,
        request: Request,
        headers: Headers,
        into: Partial | PartWriter,
        chunks: AsyncIterator[bytes],
        head: bytes = b"",
    ) -> Response:
        """Append a body to a part file. What a cut body has brought is kept for the next try, if that can go on from there."""
        partial, writer = (into, into.writer) if isinstance(into, Partial) else (None, into)
        stated = None if headers.get("Content-Encoding") else headers.get("Content-Length")
        expected = partial.total if partial else int(stated) if stated is not None else None
        pieces, held = [head], len(head)  # as they came: joining them would copy a big file twice
        try:
            async for chunk in chunks:
                pieces.append(chunk)
                held += len(chunk)
                if held >= IN_MEMORY:
                    await asyncio.to_thread(writer.write, *pieces)
                    pieces, held = [], 0
            size = writer.size + held
            if expected is not None and expected != size:
                raise ResponseDataLossError(f"{size} of {expected} bytes came")
            part = await asyncio.to_thread(writer.finish, file_name(headers, request.url), *pieces)
        except CUT:
            size = writer.size + held
            is_worth = partial is not None and KEPT <= size < (expected or size + 1) and self._is_tried_again(request)
            if is_worth:
                await asyncio.to_thread(writer.write, *pieces)
                own_state(request).partial = partial
            else:
                await asyncio.to_thread(writer.discard)
            raise
        except BaseException:
            await asyncio.to_thread(writer.discard)
            raise
        own_state(request).part = part
        return Response(request.url, status=200, headers=as_decoded(headers), request=request, flags=["streamed"])

    async def _to_memory(
        self, request: Request, headers: Headers, head: bytes, chunks: AsyncIterator[bytes]
    ) -> Response:
        from scrapy.responsetypes import responsetypes

        body = bytearray(head)
        async for chunk in chunks:
            body += chunk
            if len(body) >= IN_MEMORY:
                break
        headers = as_decoded(headers)
        kind = responsetypes.from_args(headers=headers, url=request.url, body=bytes(body[:HEAD]))
        return kind(request.url, status=200, headers=headers, body=bytes(body[:IN_MEMORY]), request=request)

    def _is_tried_again(self, request: Request) -> bool:
        """Return whether a request that fails now is sent again, by RetryMiddleware or for AuthMiddleware, which awaits it."""
        if request.meta.get("dont_retry") and not own_state(request).resent:
            return False
        most = request.meta.get("max_retry_times", self._retries)
        return bool(request.meta.get("retry_times", 0) < most)

    @staticmethod
    @contextmanager
    def _named(request: Request) -> Iterator[None]:
        """Raise Scrapy's errors for aiohttp's."""
        try:
            yield
        except TimeoutError as error:
            raise DownloadTimeoutError(f"{request.url} took too long") from error
        except ClientPayloadError as error:
            raise ResponseDataLossError(str(error)) from error


def as_decoded(headers: Headers) -> Headers:
    """Return the headers of a body that was decoded."""
    if headers.get("Content-Encoding"):
        for name in ("Content-Encoding", "Content-Length"):
            headers.pop(name, None)
    return headers


def check_session(request: Request) -> None:
    """Raise SessionGone for a request if its session ended while it waited in the queue."""
    state = state_of(request)
    if state is not None and state.is_current is not None and not state.is_current():
        raise SessionGone()

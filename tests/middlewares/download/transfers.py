"""
A crawl through our download handler, from a server that cuts connections, compresses unasked and changes its files.

`python -m tests.middlewares.download.transfers FOLDER` prints what each transfer made as JSON. A process of its own,
because the handler needs an event loop that Scrapy runs in.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import re
import sys
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import brotli
import scrapy
from aiohttp import web
from scrapy.crawler import Crawler

from sandbox.files import pdf_pieces
from scrapers.core.requests import KEY, RequestState
from scrapers.core.runs import Work
from scrapers.core.spool import CSV, PDF

SIZE = 1_500_000
OLD, NEW = (b"".join(pdf_pieces(f"Invoice {number}", SIZE)) for number in (1, 2))
TABLE = "".join(f"{number};Zoé;{number * 7919 % 1000}\n" for number in range(150_000)).encode()
MODIFIED = "Mon, 02 Nov 2026 10:00:00 GMT"


def gzip(data: bytes, window: int = 31) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, window)
    return packer.compress(data) + packer.flush()


@dataclass
class Case:
    """A file, and what the server does with it. Lists have an entry for each request; the last counts for all others."""

    content: list[bytes] = field(default_factory=lambda: [OLD])
    tags: list[str] = field(default_factory=lambda: ['"one"'])
    modified: list[str] = field(default_factory=lambda: [""])
    cuts: list[int | None] = field(default_factory=lambda: [None])  # bytes of the body after which the connection ends
    statuses: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    encoding: str = ""
    ranges: str = "honest"  # "ignored", "unconditional" (whatever If-Range says), or a Content-Range that is a lie
    keeps_silent: bool = False  # after a cut the connection stays open
    chunked: bool = False
    stream: tuple[str, ...] = (PDF, CSV)
    meta: dict[str, Any] = field(default_factory=dict)
    # What happened:
    asked: list[str | None] = field(default_factory=list)  # Range of each request
    sent: list[int] = field(default_factory=list)  # bytes of each answer's body
    result: dict[str, Any] = field(default_factory=dict)


def at(values: list[Any], number: int) -> Any:
    return values[min(number, len(values) - 1)]


NO_TAG = [""]
LEFT: list[str] = []  # in the spool, when the spider was closed
CUTS: list[int | None] = [400_000, 500_000, None]
CASES = {
    "whole": Case(),
    "resumed": Case(cuts=CUTS),
    "resumed by date": Case(cuts=CUTS, tags=NO_TAG, modified=[MODIFIED]),
    "resumed in chunks": Case(cuts=CUTS, chunked=True),
    "resumed after silence": Case(cuts=CUTS, keeps_silent=True, meta={"download_timeout": 5.0}),
    "resumed after an error": Case(cuts=[400_000, None], statuses=[200, 503, 200]),
    "weak tag": Case(cuts=CUTS, tags=['W/"one"']),
    "no validator": Case(cuts=CUTS, tags=NO_TAG),
    "modified just now": Case(cuts=CUTS, tags=NO_TAG, modified=["now"]),
    "ranges refused": Case(cuts=CUTS, headers={"Accept-Ranges": "none"}),
    "ranges ignored": Case(cuts=CUTS, ranges="ignored"),
    "new version": Case(cuts=CUTS, content=[OLD, NEW], tags=['"one"', '"two"']),
    "new version in a part": Case(
        cuts=[400_000, None], content=[OLD, NEW], tags=['"one"', '"two"'], ranges="unconditional"
    ),
    "new version by date in a part": Case(
        cuts=[400_000, None],
        content=[OLD, NEW],
        tags=NO_TAG,
        modified=[MODIFIED, "Tue, 03 Nov 2026 10:00:00 GMT"],
        ranges="unconditional",
    ),
    "new version of a weak tag": Case(
        cuts=[400_000, None],
        content=[OLD, NEW],
        tags=['W/"one"', 'W/"two"'],
        modified=[MODIFIED],
        ranges="unconditional",
    ),
    "part of no version": Case(cuts=[400_000, None], content=[OLD, NEW], tags=['"one"', ""], ranges="unconditional"),
    "part of another length": Case(cuts=[400_000, None], content=[OLD, NEW + b"\n"], ranges="unconditional"),
    "part from elsewhere": Case(cuts=[400_000, None], ranges="bytes 0-1499999/1500000"),
    "no range that satisfies": Case(cuts=[400_000, None], statuses=[200, 416, 200]),
    "cut for ever": Case(cuts=[100_000]),
    "cut early": Case(cuts=[3000, None]),
    "not to be tried again": Case(cuts=CUTS, meta={"dont_retry": True}),
    "gzip": Case(encoding="gzip"),
    "gzip of a table": Case(content=[TABLE], encoding="gzip"),
    "gzip in members": Case(content=[TABLE], encoding="members"),
    "deflate": Case(encoding="deflate"),
    "raw deflate": Case(encoding="raw deflate"),
    "br": Case(encoding="br"),
    "br of a table": Case(content=[TABLE], encoding="br"),
    "br, then gzip": Case(encoding="br, gzip"),
    "gzip in chunks": Case(encoding="gzip", chunked=True),
    "gzip only by name": Case(headers={"Content-Encoding": "gzip"}),
    "gzip, cut": Case(encoding="gzip", cuts=[2000, None]),
    "gzip without its end": Case(encoding="gzip without its end"),
    "gzip, damaged": Case(encoding="gzip, damaged"),
    "bomb": Case(content=[b"%PDF-1.7\n" + b" " * 40_000_000], encoding="gzip"),
    "page": Case(content=[b"<html><p>Sign in, Zo\xc3\xa9</p></html>"], encoding="gzip"),
    "big page": Case(content=[b"<html>" + TABLE], encoding="br"),
    "named": Case(headers={"Content-Disposition": 'attachment; filename="Facture_\xe9t\xe9.pdf"'}),
}


def encoded(data: bytes, encoding: str) -> bytes:
    match encoding:
        case "gzip":
            return gzip(data)
        case "members":
            return gzip(data[:100_000]) + gzip(data[100_000:]) + b"\x00" * 100
        case "deflate":
            return gzip(data, 15)
        case "raw deflate":
            return gzip(data, -15)
        case "br":
            return brotli.compress(data, quality=3)
        case "br, gzip":
            return gzip(brotli.compress(data, quality=3))
        case "gzip without its end":
            return gzip(data)[:-200]
        case "gzip, damaged":
            packed = bytearray(gzip(data))
            packed[len(packed) // 2 : len(packed) // 2 + 50] = b"\xff" * 50
            return bytes(packed)
    return data


NAMES = {"members": "gzip", "raw deflate": "deflate", "gzip without its end": "gzip", "gzip, damaged": "gzip"}


async def serve(request: web.Request) -> web.StreamResponse:
    """Answer as the case of the URL says."""
    case = CASES[request.query["case"]]
    number = len(case.asked)
    case.asked.append(request.headers.get("Range"))
    case.sent.append(0)
    if (status := at(case.statuses, number)) != 200:
        return web.Response(status=status)
    body = encoded(at(case.content, number), case.encoding)
    tag, modified = at(case.tags, number), at(case.modified, number)
    wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
    given = request.headers.get("If-Range")
    holds = case.ranges == "unconditional" or given in (tag, modified)
    is_part = wanted is not None and case.ranges != "ignored" and holds
    answer = web.StreamResponse(status=206 if is_part else 200)
    start = int(wanted[1]) if wanted and is_part else 0
    if is_part:
        lie = case.ranges if case.ranges.startswith("bytes") else ""
        answer.headers["Content-Range"] = lie or f"bytes {start}-{len(body) - 1}/{len(body)}"
    if tag:
        answer.headers["ETag"] = tag
    if modified:
        answer.headers["Last-Modified"] = answer.headers["Date"] = modified
        if modified != "now":
            answer.headers["Date"] = "Mon, 30 Nov 2026 10:00:00 GMT"
        else:
            answer.headers["Last-Modified"] = answer.headers["Date"] = "Mon, 30 Nov 2026 10:00:00 GMT"
    if case.encoding:
        answer.headers["Content-Encoding"] = NAMES.get(case.encoding, case.encoding)
    answer.headers.update(case.headers)
    if case.chunked:
        answer.enable_chunked_encoding()
    else:
        answer.content_length = len(body) - start
    await answer.prepare(request)
    cut = at(case.cuts, number)
    for place in range(start, len(body) if cut is None else min(len(body), start + cut), 50_000):
        piece = body[place : min(place + 50_000, len(body) if cut is None else start + cut)]
        await answer.write(piece)
        case.sent[number] += len(piece)
    if cut is not None:
        if case.keeps_silent:
            await asyncio.Event().wait()
        await asyncio.sleep(0.2)  # the client loses what it has not read when the connection breaks
        assert request.transport is not None
        request.transport.close()  # what was written still goes out
        return answer
    await answer.write_eof()
    return answer


async def serve_named(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with a header that is neither ASCII nor UTF-8, which aiohttp would not send."""
    await reader.readuntil(b"\r\n\r\n")
    head = 'HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename="Facture \xe9t\xe9.pdf"\r\n'
    writer.write(head.encode("latin-1") + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(OLD) + OLD)
    CASES["named"].sent.append(len(OLD))
    CASES["named"].asked.append(None)
    await writer.drain()
    writer.close()


class OnlyASpool(Work):
    """What the handler needs of a crawl with jobs."""

    def __init__(self, spool: Path) -> None:
        self.spool, self.jobs = spool, {}

    def job_of(self, request: Any) -> None:
        return None


class Spider(scrapy.Spider):
    """One request for each case."""

    name = "transfers"
    work: Any

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Spider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.work = OnlyASpool(Path(crawler.settings["SPOOL"]))
        return spider

    async def start(self) -> AsyncIterator[Any]:
        for name, case in CASES.items():
            address = self.settings["NAMED" if name == "named" else "ADDRESS"]
            yield scrapy.Request(
                f"{address}/file.pdf?case={name}",
                self.parse,
                errback=self.failed,
                headers={"Accept-Encoding": "identity"},
                meta={KEY: RequestState(0, stream=case.stream), "case": name, "download_timeout": 60, **case.meta},
            )

    def parse(self, response: Any, **kwargs: Any) -> None:
        part = response.meta[KEY].part
        result = CASES[response.meta["case"]].result
        result["status"], result["body"] = response.status, response.text if part is None else ""
        result["sha256"] = part and hashlib.sha256(part.path.read_bytes()).hexdigest()
        result["told"] = part and [part.sha256, part.size, part.name, part.media_type]
        result["left"] = response.meta[KEY].partial is None
        if part:
            part.path.unlink()

    def closed(self, reason: str) -> None:
        LEFT.extend(sorted(str(path) for path in self.work.spool.rglob("*")))  # before the handler removes the folder

    def failed(self, failure: Any) -> None:
        CASES[failure.request.meta["case"]].result["error"] = type(failure.value).__name__


def add_drawn() -> None:
    """Add cases of a file that is cut at random places and changes at random times."""
    for seed in range(12):
        draw = random.Random(seed)
        change = draw.randint(1, 4)
        CASES[f"drawn {seed}"] = Case(
            cuts=[*(draw.randint(1, SIZE // 2) for _ in range(3)), None],
            content=[*[OLD] * change, NEW],
            tags=[*['"one"'] * change, '"two"'],
            modified=[*[MODIFIED] * change, "Tue, 03 Nov 2026 10:00:00 GMT"] if seed % 3 == 0 else [""],
            ranges="unconditional" if seed % 2 else "honest",
        )


async def crawl(folder: Path) -> None:
    """Crawl all cases, with the project's own settings of what is tried again."""
    from scrapers import settings as project

    add_drawn()
    runner = web.AppRunner(application := web.Application())
    application.router.add_get("/file.pdf", serve)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1)
    await site.start()
    named = await asyncio.start_server(serve_named, "127.0.0.1", 0)
    settings = {
        "ADDRESS": f"http://127.0.0.1:{runner.addresses[0][1]}",
        "NAMED": f"http://127.0.0.1:{named.sockets[0].getsockname()[1]}",
        "SPOOL": str(folder),
        "TWISTED_REACTOR_ENABLED": False,
        "LOG_LEVEL": "ERROR",
        "RETRY_TIMES": project.RETRY_TIMES,
        "RETRY_HTTP_CODES": project.RETRY_HTTP_CODES,
        "RETRY_EXCEPTIONS": project.RETRY_EXCEPTIONS,
        "HTTPERROR_ALLOW_ALL": True,
        "DOWNLOAD_HANDLERS": dict.fromkeys(("http", "https"), "middlewares.download.handler.FlowDownloadHandler"),
    }
    crawler = Crawler(Spider, settings)
    await crawler.crawl_async()
    named.close()
    await runner.cleanup()


if __name__ == "__main__":
    into = Path(sys.argv[1])
    asyncio.run(crawl(into))
    seen = {name: {**case.result, "asked": case.asked, "sent": case.sent} for name, case in CASES.items()}
    print(json.dumps({"cases": seen, "left": LEFT}))

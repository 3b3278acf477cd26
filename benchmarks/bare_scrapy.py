"""
Bare Scrapy: the same work on Scrapy's engine, with a handler that streams bodies to disk and one bulk insert at the end.

It has Scrapy's retries and cookies, and nothing of ours: no proof of identity, no leases, no encryption, no evidence, no
database layer. Run as `python -m benchmarks.bare_scrapy JSON`; the password is in BARE_PASSWORD.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import closing
from datetime import date
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, ClassVar

from scrapy import FormRequest, Request, Spider
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response

AT_ONCE = 16
CHUNK = 1 << 20
FILES = "CREATE TABLE IF NOT EXISTS files (person TEXT, path TEXT, sha256 TEXT, size INTEGER)"
USAGE = """CREATE TABLE IF NOT EXISTS usage (
    person TEXT, day TEXT, line TEXT, service TEXT, used INTEGER, amount NUMERIC, currency TEXT,
    UNIQUE (person, day, line, service))"""


class StreamingHandler:
    """A download handler of aiohttp: the body of a request with `stream_to` in its meta is written there and hashed."""

    lazy = False

    def __init__(self, crawler: Any) -> None:
        import aiohttp

        self.errors = aiohttp.ClientError
        connector = aiohttp.TCPConnector(limit=AT_ONCE)
        self.session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    @classmethod
    def from_crawler(cls, crawler: Any) -> StreamingHandler:
        """Return the handler of a crawl."""
        return cls(crawler)

    async def download_request(self, request: Request) -> Response:
        """Send a request; raise ResponseDataLossError, which Scrapy retries, when the answer breaks off."""
        from scrapy.exceptions import ResponseDataLossError
        from scrapy.responsetypes import responsetypes

        headers = [(name.decode(), value.decode()) for name, values in request.headers.items() for value in values]
        given: dict[str, Any] = {"data": request.body, "headers": headers, "allow_redirects": False}
        try:
            async with self.session.request(request.method, request.url, **given) as answer:
                told: dict[str, Any] = {"status": answer.status, "headers": list(answer.headers.items())}
                if answer.status == 200 and "stream_to" in request.meta:
                    value, size = hashlib.sha256(), 0
                    with Path(request.meta["stream_to"]).open("wb") as output:  # noqa: ASYNC230 - as most write it
                        async for piece in answer.content.iter_chunked(CHUNK):
                            output.write(piece)
                            value.update(piece)
                            size += len(piece)
                    request.meta["streamed"] = value.hexdigest(), size
                    return Response(request.url, **told)
                body = await answer.read()
        except self.errors as error:
            raise ResponseDataLossError(str(error)) from error
        kind = responsetypes.from_args(url=request.url, body=body)
        return kind(request.url, body=body, **told)

    async def close(self) -> None:
        """Close all connections."""
        await self.session.close()


class Bare(Spider):
    """Signs in the users of `told`, lists their documents and fetches those that are not known."""

    name = "bare"
    keeps_sessions: ClassVar[bool] = True
    told: dict[str, Any]
    ended = False

    custom_settings: ClassVar[dict[str, Any] | None] = {  # type: ignore[misc]  # as Scrapy's own documentation does
        "CONCURRENT_REQUESTS": AT_ONCE,
        "CONCURRENT_REQUESTS_PER_DOMAIN": AT_ONCE,
        "DOWNLOAD_HANDLERS": {"http": StreamingHandler},
        "REMOTE_CONTROL_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
    }

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.url, self.folder = self.told["url"].rstrip("/"), Path(self.told["folder"])
        self.rows: list[tuple[str, str, str, int]] = []
        self.database = sqlite3.connect(self.folder / "bare.db")
        self.database.execute(FILES)
        self.known = set(self.database.execute("SELECT person, path FROM files"))

    async def start(self) -> AsyncIterator[Request]:
        """Yield a request for each user: the work's with the cookies that were kept, else the sign-in form."""
        for person in self.told["people"]:
            kept = self.cookies_of(person)
            if self.keeps_sessions and self.told["work"] == "files" and kept.exists():
                yield self.first(person, cookies=json.loads(kept.read_text()))
            else:
                yield Request(f"{self.url}/login", self.sign_in, meta=self.of(person), dont_filter=True)

    def of(self, person: str) -> dict[str, Any]:
        """Return the meta of a user's requests."""
        return {"person": person, "cookiejar": person}

    def cookies_of(self, person: str) -> Path:
        """Return the file in which a user's cookies are kept."""
        return self.folder / f"{hashlib.sha256(person.encode()).hexdigest()[:16]}.cookies"

    def sign_in(self, response: Any) -> Any:
        """Submit the form."""
        person = response.meta["person"]
        form = {
            "csrf_token": response.css("[name=csrf_token]::attr(value)").get(""),
            "username": person,
            "password": os.environ["BARE_PASSWORD"],
        }
        return FormRequest(
            f"{self.url}/login", self.signed_in, formdata=form, meta=self.of(person), dont_filter=True, priority=1
        )

    def signed_in(self, response: Response) -> Any:
        """Begin the work."""
        return self.first(response.meta["person"], keep=True)

    def first(self, person: str, cookies: Any = None, keep: bool = False) -> Any:
        """Return the first request of the work; keep: its cookies are kept for the next run."""
        work = self.told["work"]
        meta = {**self.of(person), "keep": keep}
        if work == "files":
            address = f"{self.url}/documents?page=1&per=100"
            return Request(address, self.listed, meta=meta, cookies=cookies, dont_filter=True)
        return self.file(person, self.told["path"], self.folder / "one.bin", self.usage if work == "usage" else None)

    def file(self, person: str, path: str, to: Path, callback: Any = None) -> Any:
        """Return the request that streams a file."""
        meta = {**self.of(person), "stream_to": str(to), "path": path}
        return Request(f"{self.url}{path}", callback or self.stored, meta=meta, dont_filter=True)

    def listed(self, response: Any) -> Iterable[Any]:
        """Yield the requests of a list's documents that are not known, and of the next page if all of them are new."""
        person = response.meta["person"]
        if response.meta.get("keep"):
            cookies = SimpleCookie(response.request.headers["Cookie"].decode())
            self.cookies_of(person).write_text(json.dumps({name: each.value for name, each in cookies.items()}))
        numbers = response.css("table#documents tbody tr::attr(data-id)").getall()
        paths = [f"/documents/{number}/file" for number in numbers]
        new = [path for path in paths if (person, path) not in self.known]
        yield from self.fetch(person, new)
        following = response.css("a[rel=next]::attr(href)").get()
        if following and len(new) == len(paths):
            yield response.follow(following, self.listed, meta=self.of(person), dont_filter=True)

    def fetch(self, person: str, paths: list[str]) -> Iterator[Any]:
        """Yield what fetches the files of these paths."""
        for path in paths:
            yield self.file(person, path, self.folder / f"{path.split('/')[2]}.pdf")

    def stored(self, response: Response) -> None:
        """Note a file for the bulk insert."""
        self.rows.append((response.meta["person"], response.meta["path"], *response.meta["streamed"]))

    def usage(self, response: Response) -> None:
        """Insert the rows of a CSV, typed."""
        self.stored(response)
        with Path(response.meta["stream_to"]).open(newline="", encoding="utf-8") as text, self.database:
            self.database.execute(USAGE)
            self.database.executemany("INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?)", self.usage_rows(response, text))

    def usage_rows(self, response: Response, text: Iterable[str]) -> Iterator[tuple[Any, ...]]:
        """Yield the typed rows of a CSV."""
        lines = csv.reader(text)
        next(lines)
        for day, line, service, used, amount, currency in lines:
            person = response.meta["person"]
            yield person, date.fromisoformat(day).isoformat(), line, service, int(used), float(amount), currency

    def closed(self, reason: str) -> None:
        """Insert the rows of the files and print their hashes; Scrapy calls it at the end."""
        with closing(self.database), self.database:
            self.database.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", self.rows)
        print(json.dumps([row[2] for row in self.rows]))
        type(self).ended = reason == "finished"


def main(spider: type[Bare] = Bare) -> None:
    """Do the work that the argument names: `files`, `one` or `usage`."""
    spider.told = json.loads(sys.argv[1])
    process = AsyncCrawlerProcess({"LOG_LEVEL": "ERROR"})  # read before a spider's settings
    process.crawl(spider)
    process.start()
    if not spider.ended:
        sys.exit(1)  # where Scrapy itself says nothing


if __name__ == "__main__":
    main()

"""
The bare client: asyncio and aiohttp, 16 requests at once, streaming to disk, one bulk insert: the lowest possible cost.

It does what our spiders do and nothing else: no retries, no proof of identity, no leases, no encryption. Run as
`python -m benchmarks.floor JSON`; the password is in BARE_PASSWORD.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import json
import os
import re
import sqlite3
import sys
from contextlib import closing
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import aiohttp

AT_ONCE = 16
CHUNK = 1 << 20
TOKEN = re.compile(r'name="csrf_token" value="([^"]*)"')
ROW = re.compile(r'<tr[^>]* data-id="([^"]*)"')
NEXT = re.compile(r'<a[^>]*rel="next"[^>]*href="([^"]*)"|<a[^>]*href="([^"]*)"[^>]*rel="next"')


USAGE = """CREATE TABLE IF NOT EXISTS usage (
    person TEXT, day TEXT, line TEXT, service TEXT, used INTEGER, amount NUMERIC, currency TEXT,
    UNIQUE (person, day, line, service))"""


class Refused(Exception):
    """An answer that is not what was asked for."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        super().__init__(f"{answer.url.path} answered {answer.status}.")
        self.status = answer.status
        self.retry_after = float(answer.headers.get("Retry-After", 0))


class Person:
    """One user: a session kept in a file, and what is known of the documents."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name
        self.saved = client.folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.cookies"
        jar = aiohttp.CookieJar(unsafe=True)  # the portal's host is an IP address
        if self.saved.exists():
            jar.update_cookies(json.loads(self.saved.read_text()))
        self.session = aiohttp.ClientSession(connector=client.connector, connector_owner=False, cookie_jar=jar)

    async def sign_in(self) -> None:
        """Submit the form, unless there is a session."""
        if self.saved.exists():
            return
        async with self.session.get(f"{self.client.url}/login") as answer:
            token = TOKEN.search(await answer.text())
        assert token is not None
        form = {"csrf_token": token[1], "username": self.name, "password": os.environ["BARE_PASSWORD"]}
        async with self.session.post(f"{self.client.url}/login", data=form) as answer:
            answer.raise_for_status()
            await answer.read()
        cookies = {cookie.key: cookie.value for cookie in self.session.cookie_jar}
        self.saved.write_text(json.dumps(cookies))

    async def check(self) -> None:
        """Hold a request back that must not go out yet; here there is none."""

    async def new_documents(self, known: set[str]) -> list[str]:
        """Return the documents that are not known, newest first, up to the first page that is all known."""
        found: list[str] = []
        address: str | None = f"{self.client.url}/documents?page=1&per=100"
        while address:
            await self.check()
            async with self.session.get(address, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise Refused(answer)
                text = await answer.text()
            new = [number for number in ROW.findall(text) if number not in known]
            found += new
            following = NEXT.search(text)
            address = urljoin(address, unescape(following[1] or following[2])) if new and following else None
        assert len(found) == len(set(found))  # else it would do more than ours
        return found

    async def fetch(self, path: str, file: Path) -> tuple[str, str, str, int]:
        """Stream an answer to a file, hashed on the way; return owner, path, hash and size."""
        value, size = hashlib.sha256(), 0
        async with self.client.places:
            await self.check()
            async with self.session.get(f"{self.client.url}{path}", allow_redirects=False) as answer:
                if answer.status != 200:
                    raise Refused(answer)
                with file.open("wb") as output:
                    async for piece in answer.content.iter_chunked(CHUNK):
                        output.write(piece)
                        value.update(piece)
                        size += len(piece)
        return self.name, path, value.hexdigest(), size


class Client:
    """All users, one connection pool, one database."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.url = told["url"].rstrip("/")
        self.folder = Path(told["folder"])
        self.path = told.get("path", "")
        self.names = told["people"]
        self.connector = aiohttp.TCPConnector(limit=AT_ONCE)
        self.places = asyncio.Semaphore(AT_ONCE)
        self.resume_at = 0.0  # loop time before which no request may be sent

    def person(self, name: str) -> Person:
        """Return a user of this client."""
        return Person(self, name)

    async def work(self, work: str) -> None:
        """Do the named work for all users at once, then insert the rows and print the hashes of the files."""
        with closing(sqlite3.connect(self.folder / "bare.db")) as database:
            database.execute("CREATE TABLE IF NOT EXISTS files (person TEXT, path TEXT, sha256 TEXT, size INTEGER)")
            known = set(database.execute("SELECT person, path FROM files"))
            people = [self.person(name) for name in self.names]
            todo = {"files": self.files, "one": self.one, "usage": self.usage}[work]
            rows = [row for rows in await asyncio.gather(*(todo(person, known) for person in people)) for row in rows]
            with database:
                database.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", rows)
            for person in people:
                await person.session.close()
        await self.connector.close()
        print(json.dumps([row[2] for row in rows]))

    async def files(self, person: Person, known: set[tuple[str, str]]) -> list[tuple[str, str, str, int]]:
        """Fetch the files of all documents that are not known."""
        await person.sign_in()
        mine = {path.split("/")[2] for name, path in known if name == person.name}
        new = await person.new_documents(mine)
        fetched = (person.fetch(f"/documents/{number}/file", self.folder / f"{number}.pdf") for number in new)
        return list(await asyncio.gather(*fetched))

    async def one(self, person: Person, known: set[tuple[str, str]]) -> list[tuple[str, str, str, int]]:
        """Fetch one file by its path."""
        await person.sign_in()
        return [await person.fetch(self.path, self.folder / "one.pdf")]

    async def usage(self, person: Person, known: set[tuple[str, str]]) -> list[tuple[str, str, str, int]]:
        """Fetch a CSV of usage by its path and insert its rows, typed."""
        await person.sign_in()
        file = self.folder / "usage.csv"
        fetched = await person.fetch(self.path, file)
        with file.open(newline="", encoding="utf-8") as text, closing(sqlite3.connect(self.folder / "bare.db")) as to:
            lines = csv.reader(text)
            next(lines)
            rows = [
                (person.name, date.fromisoformat(day).isoformat(), line, service, int(used), float(amount), currency)
                for day, line, service, used, amount, currency in lines
            ]
            with to:
                to.execute(USAGE)
                to.executemany("INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        return [fetched]


async def main(kind: type[Client] = Client) -> None:
    """Do the work that the argument names: `files`, `one` or `usage`."""
    told = json.loads(sys.argv[1])
    await kind(told).work(told["work"])


if __name__ == "__main__":
    asyncio.run(main())

"""
The bare client for prices: aiohttp, as many requests at once as it is told, our readers, one bulk insert.

It asks for the addresses it is told and nothing else: no pace, no evidence, no rows of runs. Run as
`python -m benchmarks.prices_floor JSON`.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp

from scrapers.families.prices.addresses import named
from scrapers.families.prices.asking import AGENT, HEADERS
from scrapers.families.prices.page import ProductPage
from scrapers.families.prices.readers import price_of
from scrapers.families.prices.structured import structured


def read(url: str, body: str) -> tuple[str, str, str]:
    """Return address, price and currency of a page."""
    product = named(url)
    assert product is not None
    found = price_of(ProductPage(body, url, product), (structured,))
    return url, str(found.price), found.currency


async def fetch(session: aiohttp.ClientSession, places: asyncio.Semaphore, url: str) -> tuple[str, str, str]:
    """Fetch a page and read it."""
    async with places, session.get(url) as answer:
        answer.raise_for_status()
        body = await answer.text()
    return await asyncio.to_thread(read, url, body)


async def work(told: dict[str, Any]) -> None:
    """Fetch all pages, then write all rows."""
    places = asyncio.Semaphore(told["at_once"])
    connector = aiohttp.TCPConnector(limit=told["at_once"])
    async with aiohttp.ClientSession(connector=connector, headers={"User-Agent": AGENT, **HEADERS}) as session:
        rows = await asyncio.gather(*(fetch(session, places, url) for url in told["urls"]))
    path = Path(told["folder"]) / "bare.db"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE checks (url TEXT UNIQUE, price NUMERIC, currency TEXT)")
        database.executemany("INSERT INTO checks VALUES (?, ?, ?)", rows)
        print(len(rows))


if __name__ == "__main__":
    asyncio.run(work(json.loads(sys.argv[1])))

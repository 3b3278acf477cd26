"""
The bare client for meter readings: aiohttp, as many requests at once as our spider has, one bulk insert.

It asks for the days it is told and nothing else: no contracts, no versions, no periods, no watermark. Run as
`python -m benchmarks.readings_floor JSON`; the token is in BARE_TOKEN.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

TABLE = """CREATE TABLE readings (
    contract TEXT, meter TEXT, code TEXT, starts_at TEXT, kwh NUMERIC, status INTEGER, band INTEGER,
    UNIQUE (contract, meter, code, starts_at))"""


class Client:
    """One meter, one connection pool, one database."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        self.places = asyncio.Semaphore(told["at_once"])
        self.headers = {"Authorization": f"Bearer {os.environ['BARE_TOKEN']}", "x-iec-idt": "1", "x-iec-webview": "1"}

    async def day(self, session: aiohttp.ClientSession, day: date) -> list[tuple[Any, ...]]:
        """Return the typed rows of a day."""
        told = self.told
        meter = {"meterKind": "Consumption", "meterCode": told["code"], "meterSerial": told["meter"]}
        body = {
            "contractNumber": told["contract"],
            "fromDate": day.isoformat(),
            "resolution": 1,
            "smartMetersList": [meter],
            "lastInvoiceDate": told["invoice"],
        }
        path = f"{told['url']}/api/Consumption/RemoteReadingRange/{told['contract']}"
        async with self.places, session.post(path, json=body, headers=self.headers) as answer:
            answer.raise_for_status()
            said = await answer.json()
        bands = {each["interval"]: each["taoz"] for each in said["taozList"]}
        name = (told["contract"], told["meter"], told["code"])
        return [
            (
                *name,
                datetime.fromisoformat(row["interval"]).astimezone(UTC).isoformat(),
                float(row["consumption"]),
                int(row["status"]),
                bands.get(row["interval"]),
            )
            for row in said["meterList"][0]["periodConsumptions"]
        ]

    async def work(self) -> None:
        """Fetch all days, then write all rows."""
        first, last = date.fromisoformat(self.told["first"]), date.fromisoformat(self.told["last"])
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=self.told["at_once"])) as session:
            wanted = (first + timedelta(days=number) for number in range((last - first).days + 1))
            days = await asyncio.gather(*(self.day(session, day) for day in wanted))
        path = Path(self.told["folder"]) / "bare.db"
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(TABLE)
            database.executemany(
                "INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?)", [row for rows in days for row in rows]
            )
            print(database.execute("SELECT count(*) FROM readings").fetchone()[0])


if __name__ == "__main__":
    asyncio.run(Client(json.loads(sys.argv[1])).work())

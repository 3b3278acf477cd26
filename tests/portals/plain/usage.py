"""Usage of the plain portal: a CSV of any length, its rows typed and checked."""

import asyncio
import csv
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Self

from pydantic import Field
from scrapy.http import Response

from scrapers.core.items import Batch, FileItem, Listing
from scrapers.core.jobs import Job
from scrapers.core.outcomes import PortalChanged
from scrapers.core.spool import CSV
from tests.portals.plain.documents import PlainArguments, PlainSpider
from tests.portals.plain.models import PlainUsage

HEADING = ["day", "line", "service", "bytes", "amount", "currency"]
NATURAL_KEY = ("username", "day", "line", "service")
LINE = re.compile(r"\+\d{6,15}")
SERVICES = {"data", "voice", "text"}


@dataclass(slots=True)
class Usage:
    """A row: what a line used of a service on a day."""

    day: date
    line: str
    service: str
    used: int  # bytes
    amount: Decimal
    currency: str

    @classmethod
    def of(cls, cells: list[str]) -> Self:
        """Return the row that these cells say; ValueError when they say none."""
        day, line, service, used, amount, currency = cells
        row = cls(date.fromisoformat(day), line, service, int(used), Decimal(amount), currency)
        if not LINE.fullmatch(line) or service not in SERVICES:
            raise ValueError("no such line or service")
        if row.used < 0 or not row.amount.is_finite() or len(currency) != 3 or not currency.isupper():
            raise ValueError("no such amount")
        return row


def read(path: Path, username: str) -> list[dict[str, Any]]:
    """Return a file's rows for the table; of two with the same natural key the last one counts."""
    unique = {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        if next(rows, None) != HEADING:
            raise PortalChanged("The file has another heading.", step="read the usage")
        for cells in rows:
            try:
                row = Usage.of(cells)
            except (ValueError, InvalidOperation) as error:
                raise PortalChanged(f"Line {rows.line_num} is not understood.", step="read the usage") from error
            unique[row.day, row.line, row.service] = {
                "username": username,
                "day": row.day,
                "line": row.line,
                "service": row.service,
                "used": row.used,
                "amount": row.amount,
                "currency": row.currency,
            }
    return list(unique.values())


class PlainUsageFile(PlainSpider):
    """The file, with all of its rows in one batch; one that has not changed is not read again."""

    name = "plain_usage"
    report_type = "usage"

    class Arguments(PlainArguments):
        rows: int = Field(1_000, ge=0, description="Rows that the portal is asked for.")

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        yield Listing(job=job.id, keys=("usage",))
        address = self.at(f"/usage.csv?rows={self.arguments.rows}")
        yield self.request(job, address, self.file, stream=(CSV,))

    async def file(self, response: Response) -> AsyncIterator[Any]:
        job, part = self.job_of(response), self.part(response)
        batches: tuple[Batch, ...] = ()
        if not await self.is_stored(job, "usage", part):
            rows = await asyncio.to_thread(read, part.path, job.target.username)
            batches = (Batch(job=job.id, table=PlainUsage, natural_key=NATURAL_KEY, rows=rows),)
        yield FileItem(
            job=job.id,
            part=part,
            key="usage",
            name="usage.csv",
            declared=(CSV,),
            source=response.url,
            records=batches,
        )

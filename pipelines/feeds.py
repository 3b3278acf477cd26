"""
Scrapy's feeds (`-o`, `-O`, FEEDS) for our items: one record for each stored file and row, a piece at a time.

A record is flat and made for programs of others: `type` (the table), `target` (account and period, tenant, person …),
for the rows of a file also its `file`, then the columns. Keys into our own tables and encrypted columns are left out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from scrapy.extensions.feedexport import FeedExporter as ScrapyFeedExporter

from database.access.encryption import Encrypted
from database.upsert import table_of
from pipelines.records import opened
from scrapers.core.items import Batch, FileItem, Finding, Item, Lines, Record
from scrapers.core.outcomes import StoreAway
from scrapers.core.redaction import bare_url
from scrapers.core.runs import work_of

if TYPE_CHECKING:
    from scrapy import Spider

    from database.models.base import Base

logger = logging.getLogger(__name__)

AT_ONCE = 1000  # records that are made and written in one go: the crawl works on between two of these


class FeedExporter(ScrapyFeedExporter):
    """Scrapy's exporter of feeds, which gets the records of an item in place of the item."""

    async def item_scraped(self, item: Any, spider: Spider) -> None:  # type: ignore[override]
        """Write the records of an item that has passed all pipelines, and so is stored."""
        if not isinstance(item, Item):
            super().item_scraped(item, spider)
            return
        records = flat(item, work_of(self.crawler).jobs[item.job].label)
        try:
            # Made in a thread: a workbook is read anew for it.
            while piece := await asyncio.to_thread(lambda: list(islice(records, AT_ONCE))):
                for record in piece:
                    super().item_scraped(record, spider)
        except (OSError, StoreAway) as error:
            logger.error("A feed could not be written: %s", getattr(error, "strerror", None) or error)
            self.crawler.stats.inc_value("feedexport/failed_count/records")


def flat(item: Item, target: str) -> Iterator[dict[str, Any]]:
    """Yield the records of an item; none for one that is no record, as a Listing. target: what its job is about."""
    if isinstance(item, FileItem):
        yield {
            "type": "files",
            "target": target,
            "file": item.key,
            "name": item.name,
            "path": item.stored_path,
            "period": item.period or None,
            "media_type": item.part.media_type,
            "size": item.part.size,
            "sha256": item.part.sha256,
            "source": bare_url(item.source) if item.source else None,
        }
        with opened(item) as stored:
            for part in item.records:
                yield from _rows(part, {"target": target, "file": item.key}, stored)
    elif isinstance(item, Finding):
        yield {"type": item.kind, "target": target, **{name: plain(value) for name, value in item.row().items()}}
    elif isinstance(item, (Record, Batch)):
        yield from _rows(item, {"target": target})


def _rows(
    item: Record | Batch | Lines, known: dict[str, Any], stored: BinaryIO | None = None
) -> Iterator[dict[str, Any]]:
    first = {"type": table_of(item.table).name, **known}
    internal = _internal(item.table)
    if isinstance(item, Lines):
        assert stored is not None
        stored.seek(0)
        rows: Iterable[Mapping[str, Any]] = ({**item.place, **row} for row in item.rows(stored))
    else:
        rows = [item.row()] if isinstance(item, Record) else item.rows
    for row in rows:
        # A column named like one of ours would hide it, as an item's own `type`.
        columns = {
            f"{name}_" if name in first else name: plain(value) for name, value in row.items() if name not in internal
        }
        yield {**first, **columns}


@cache
def _internal(kind: type[Base]) -> frozenset[str]:
    """Return the columns of a table that mean nothing outside of it, or are secret."""
    columns = table_of(kind).columns
    return frozenset(
        name
        for name, column in columns.items()
        if column.primary_key or column.foreign_keys or isinstance(column.type, Encrypted)
    )


def plain(value: Any) -> Any:
    """
    Return a value as every exporter can write it; instants keep their offset, which Scrapy's encoder would drop.

    >>> plain({"on": date(2026, 10, 31), "all": [1, None]})
    {'on': '2026-10-31', 'all': [1, None]}
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return value

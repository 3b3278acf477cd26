"""An extension for crawls of tests: how many transactions a crawl takes, in a file when it ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from sqlalchemy import event

from database.engine import database

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class CountTransactions:
    """Counts from the crawler's beginning to its end, and writes the number to the file that COUNT_TRANSACTIONS names."""

    def __init__(self, crawler: Crawler) -> None:
        self.path = Path(crawler.settings["COUNT_TRANSACTIONS"])
        self.number = 0
        event.listen(database().engine, "begin", self._begin)
        crawler.signals.connect(self._write, signals.engine_stopped)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def _begin(self, _connection: Any) -> None:
        self.number += 1

    def _write(self) -> None:
        self.path.write_text(str(self.number))

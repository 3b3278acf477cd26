"""The format of Scrapy's log lines: items by name, without their content; named failures without traceback."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Self

from scrapy import logformatter

from scrapers.core.outcomes import Failure

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class LogFormatter(logformatter.LogFormatter):
    """Scrapy's formatter without item contents, which are customer data, and without tracebacks of named failures."""

    def __init__(self, *, tells_all: bool = True) -> None:
        self._tells_all = tells_all

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the formatter; where debug lines are not shown, none is made for each request and item."""
        level: Any = crawler.settings.get("LOG_LEVEL")
        level = getattr(logging, level, logging.DEBUG) if isinstance(level, str) else level
        return cls(tells_all=level <= logging.DEBUG)

    def crawled(self, request: Any, response: Any, spider: Any) -> Any:
        """Name a response, if debug lines are shown."""
        return super().crawled(request, response, spider) if self._tells_all else None

    def scraped(self, item: Any, response: Any, spider: Any) -> Any:
        """Name an item that was stored, if debug lines are shown."""
        if not self._tells_all:
            return None
        return {**super().scraped(_name(item), response, spider)}

    def dropped(self, item: Any, exception: BaseException, response: Any, spider: Any) -> Any:
        """Name an item that was not stored."""
        return {**super().dropped(_name(item), exception, response, spider)}

    def item_error(self, item: Any, exception: BaseException, response: Any, spider: Any) -> Any:
        """Name an item that failed; a named failure is logged elsewhere already, as progress and outcome."""
        line = {**super().item_error(_name(item), exception, response, spider)}
        if isinstance(exception, Failure):
            line["level"] = logging.DEBUG
        return line


def _name(item: Any) -> str:
    """
    Return what an item is called in a log line.

    >>> _name(3)
    'int'
    """
    return f"{type(item).__name__} {getattr(item, 'name', '')}".strip()

"""The format of Scrapy's log lines: items by name, without their content; named failures without traceback."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Self

from scrapy import logformatter

from scrapers.core.logs import about
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
        if not self._tells_all:
            return None
        _note(spider, request)
        return super().crawled(request, response, spider)

    def scraped(self, item: Any, response: Any, spider: Any) -> Any:
        """Name an item that was stored, if debug lines are shown."""
        if not self._tells_all:
            return None
        _note(spider, item=item)
        return {**super().scraped(_name(item), response, spider)}

    def dropped(self, item: Any, exception: BaseException, response: Any, spider: Any) -> Any:
        """Name an item that was not stored."""
        _note(spider, item=item)
        return {**super().dropped(_name(item), exception, response, spider)}

    def item_error(self, item: Any, exception: BaseException, response: Any, spider: Any) -> Any:
        """Name an item that failed; a named failure is logged elsewhere already, as progress and outcome."""
        _note(spider, item=item)
        line = {**super().item_error(_name(item), exception, response, spider)}
        if isinstance(exception, Failure):
            line["level"] = logging.DEBUG
        return line

    def spider_error(self, failure: Any, request: Any, response: Any, spider: Any) -> Any:
        """Tell that a callback has failed."""
        _note(spider, request)
        return super().spider_error(failure, request, response, spider)

    def download_error(self, failure: Any, request: Any, spider: Any, errmsg: str | None = None) -> Any:
        """Tell that a request has failed."""
        _note(spider, request)
        return super().download_error(failure, request, spider, errmsg)


def _note(spider: Any, request: Any = None, item: Any = None) -> None:
    """Let the line that is about to be logged be about the job of its request or item: the task may be another one's."""
    work = getattr(spider, "work", None)
    if work is not None:
        about.set(work.jobs.get(getattr(item, "job", None)) if request is None else work.job_of(request))


def _name(item: Any) -> str:
    """
    Return what an item is called in a log line.

    >>> _name(3)
    'int'
    """
    return f"{type(item).__name__} {getattr(item, 'name', '')}".strip()

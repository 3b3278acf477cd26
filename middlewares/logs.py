"""How Scrapy's own log lines look here: items by name, never by content; a named failure without a traceback."""

from __future__ import annotations

import logging
from typing import Any

from scrapy import logformatter

from scrapers.core.outcomes import Failure


class LogFormatter(logformatter.LogFormatter):
    """Scrapy's formatter; what an item holds is the customer's, and a run's outcome tells of its failures."""

    def scraped(self, item: Any, response: Any, spider: Any) -> Any:
        """Name an item that was stored."""
        return {**super().scraped(_name(item), response, spider)}

    def dropped(self, item: Any, exception: BaseException, response: Any, spider: Any) -> Any:
        """Name an item that was not stored."""
        return {**super().dropped(_name(item), exception, response, spider)}

    def item_error(self, item: Any, exception: BaseException, response: Any, spider: Any) -> Any:
        """Name an item that failed; a named failure is a line of the progress and an outcome already."""
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

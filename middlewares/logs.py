"""The format of Scrapy's log lines: items by name, without their content; named failures without traceback."""

from __future__ import annotations

import logging
from typing import Any

from scrapy import logformatter

from scrapers.core.outcomes import Failure


class LogFormatter(logformatter.LogFormatter):
    """Scrapy's formatter without item contents, which are customer data, and without tracebacks of named failures."""

    def scraped(self, item: Any, response: Any, spider: Any) -> Any:
        """Name an item that was stored."""
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

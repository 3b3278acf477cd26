"""What a page itself asks its portal for, as JSON."""

from __future__ import annotations

import asyncio
import json
import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from scrapers.core.compat import PlaywrightError

if TYPE_CHECKING:
    from playwright.async_api import Response

    from scrapers.core.page import PortalPage

logger = logging.getLogger(__name__)


class Answers:
    """
    The JSON answers of status 200 to a page's own requests of which the address holds a text, while it is entered.

    Enter it before the click that makes the page ask. found: in the order in which they came whole; numbers with a point are
    Decimal.
    """

    def __init__(self, page: PortalPage, holding: str) -> None:
        self.page, self.holding = page.raw, holding
        self.found: list[Any] = []
        self._reading: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Begin to watch."""
        self.page.on("response", self._came)
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Stop watching."""
        self.page.remove_listener("response", self._came)
        for task in self._reading:
            task.cancel()

    def _came(self, response: Response) -> None:
        if self.holding in response.url and response.status == 200:
            task = asyncio.ensure_future(self._read(response))  # at once: a page that is left takes its answers along
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

    async def _read(self, response: Response) -> None:
        try:
            self.found.append(json.loads(await response.body(), parse_float=Decimal))
        except (PlaywrightError, ValueError) as error:
            logger.info("An answer was not read (%s)", type(error).__name__)

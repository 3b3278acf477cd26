"""The progress of a flow: its steps, and the requests that its pages wait for."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scrapers.core.pace import Pause
from scrapers.core.redaction import bare_url

if TYPE_CHECKING:
    from playwright.async_api import Request


REST = 2.0  # seconds without a change or a request, after which a list or page counts as complete
SETTLED = 1.0  # the same once the requests that an action caused are answered; lists fill in steps less apart than this
POLLS = 3  # requests for one address since the last action, after which it is polled: that never ends
LONG_POLLS = 2  # requests for one address that hung, after which it is one that always does
HUNG = 0.25  # seconds after which a request hung whose page was left without an answer to any for its address
IN_FLIGHT = 10.0  # seconds; a request that takes longer (a long poll) does not keep a page from being at rest
PROMPT = 2.0  # seconds after an action in which its own requests are sent; what is asked for later was brought by those
WORK = ("document", "xhr", "fetch", "script")  # requests that may change what a page offers


@dataclass
class Trail:
    """The progress of a flow, shared by all its tabs and recorded in the evidence."""

    steps: list[str] = field(default_factory=list)
    selector: str = ""
    requests: int = 0
    pauses: int = 0  # pages of this flow that were answered with 429 or 5xx, also before it was recovered
    pause: Pause = field(default_factory=Pause)  # the crawl's
    is_over: Callable[[], Awaitable[bool]] | None = None  # looks whether the session has ended; None outside of one
    # See PortalPage.session_of; None outside of a session.
    enter: Callable[..., AbstractAsyncContextManager[Any]] | None = None
    by_person: bool = False  # the browser is visible: a person may put right what stands in the way
    in_flight: dict[Request, float] = field(default_factory=dict)  # requests without an answer, and when each was sent
    endless: Counter[str] = field(default_factory=Counter)  # requests that hung in this crawl, by address
    answered: set[str] = field(default_factory=set)  # addresses of this crawl that were answered within IN_FLIGHT
    asked: Counter[str] = field(default_factory=Counter)  # requests by address, since the last action
    # When each address was asked for first: a further request for it is a poll.
    first_asked: dict[str, float] = field(default_factory=dict)
    waiting: set[Request] = field(default_factory=set)  # requests without an answer, whatever they take
    news: float = 0  # when the newest request was sent for an address that the last action has brought
    acted: float = 0  # when that was, by the loop's clock
    sent: float = 0  # when the newest request was sent that may change a page

    def act(self) -> None:
        """Note an action in the page, such as a click."""
        self.asked.clear()
        self.acted = asyncio.get_running_loop().time()

    @property
    def has_effect(self) -> bool:
        """Return whether the last action goes on to bring something: beyond a prompt answer, and beside what is polled."""
        return self.news > self.acted + PROMPT or any(self.first_asked[each.url] >= self.acted for each in self.waiting)

    @property
    def step(self) -> str:
        """The step that was begun last."""
        return self.steps[-1] if self.steps else ""

    def land(self, request: Request, now: float, *, left: bool) -> None:
        """
        Note the end of a request. left: its page was left before the answer came.

        A long poll lives as long as its page; what such a page waits for is asked for under other addresses.
        """
        self.waiting.discard(request)
        if (sent := self.in_flight.pop(request, None)) is None:
            return
        address, seconds = bare_url(request.url), now - sent
        if seconds >= IN_FLIGHT or (left and seconds >= HUNG and address not in self.answered):
            self.endless[address] += 1
        elif not left:
            self.answered.add(address)

    def is_busy(self, since: float | None = None) -> bool:
        """
        Return whether a request that may change a page waits for its answer.

        since: of the loop's clock, when it was sent at the earliest; by default a little before the last action, because a
        request that hangs since long before has nothing to do with that.
        """
        since = self.acted - REST if since is None else since
        now = asyncio.get_running_loop().time()
        for request in [each for each, sent in self.in_flight.items() if now - sent >= IN_FLIGHT]:
            del self.in_flight[request]
            self.endless[bare_url(request.url)] += 1
        return any(sent >= since for sent in self.in_flight.values())

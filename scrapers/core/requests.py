"""The state of a request that our components share: a typed object in `request.meta["latchkey"]`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from scrapers.core.spool import PartFile

KEY = "latchkey"


@dataclass(slots=True)
class RequestState:
    """
    A request's job, session and result. The copies that Scrapy makes for a retry share one object.

    Written by the spider, the middlewares and the download handler; a request without one belongs to no job.
    """

    job: int  # id of the run
    ticket: int = 0  # number in Job.tickets, dropped when the request is answered; 0 for requests of the middlewares
    login: str = ""  # name of the login of the session in which it is sent; "": the spider's first
    own: bool = False  # sent by AuthMiddleware itself (sign-in, identity, sign-out): it is not authenticated again
    # What to return besides a plain response:
    stream: tuple[str, ...] = ()  # media types: a body of one of them is written to a part file
    rendering: str = "http"  # how the page is fetched: "http", "browser" (loaded in a browser page) or "splash"
    visit: bool = False  # the spider's `visit` is run, in a browser page …
    by_client: bool = False  # … or with a client of the portal's own protocol
    flow: Callable[..., Awaitable[Any]] | None = None  # a coroutine of ours that is run with a PortalPage
    time_limit: float = 0  # seconds for the flow; 0: LATCHKEY_FLOW_WAIT
    deadlines: list[asyncio.Timeout] | None = None  # the flow's own deadline is added: waiting for a code prolongs it
    leaves: bool = False  # signs out of the stored session at the portal, in place of sending anything
    landing: bool = False  # to be sent to the address on which the sign-in of its session ended, in place of its own
    # The session, by AuthMiddleware:
    session: int = 0  # its version
    is_current: Callable[[], bool] | None = None  # False once the session has ended
    context: str = ""  # key of the browser context that holds it
    storage: dict[str, Any] = field(default_factory=dict, repr=False)  # cookies and storage, for a new browser context
    guard: Callable[..., Awaitable[None]] | None = (
        None  # opens the first page of a visit and proves the session's identity
    )
    is_over: Callable[..., Awaitable[bool]] | None = None  # looks beside a page whether the session has ended
    enter: Callable[..., Any] | None = None  # enters a part of the portal that has a login of its own, in a visit
    replays: int = 0  # times that the request was sent into a new session
    resent: int = 0  # of these, those that AuthMiddleware has sent itself and awaits
    # The rest:
    rate_tries: int = 0  # responses that asked for a pause (429, 503), of a flow also pages that failed (5xx)
    sent_at: float = 0.0  # time.monotonic() of the newest try
    part: PartFile | None = None  # the streamed body
    partial: Any = field(default=None, repr=False)  # its beginning, of a transfer that was cut: the handler's
    result: Any = None  # what the flow returned

    @property
    def in_browser(self) -> bool:
        """Whether the request is handled in a browser page."""
        return (self.visit and not self.by_client) or self.flow is not None or self.rendering == "browser"


def state_of(message: Request | Response) -> RequestState | None:
    """Return the state of a request, or of the request that a response answers; None for one that is not ours."""
    found: RequestState | None = message.meta.get(KEY)
    return found


def own_state(message: Request | Response) -> RequestState:
    """Return the state of a request or response that has one."""
    state: RequestState = message.meta[KEY]
    return state

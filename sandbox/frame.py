"""
What all imitation portals share: a `Portal` serves its routes by aiohttp, on the state that `PortalState` holds.

A portal is a package `sandbox/<word>/`; its `app.py` names its class `PORTAL`; the class states facts (scenarios,
origins, what can be configured) and gives routes. Where handlers stand in modules of their own, `state.py` extends
`PortalState` with what they need, and `PORTAL` derives from it and from `Portal`, in this order. The frame counts,
delays and disturbs every request before the portal's handler sees it, and answers `/_sandbox/…` itself.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox import faults
from sandbox.admin import PREFIX, AdminPages
from sandbox.known import known_of
from sandbox.markup import perturbed
from sandbox.messages import Gateway
from sandbox.perturb import Perturbation
from sandbox.portal import PortalState
from sandbox.state import State

FLUSH_SECONDS = 0.1
SCRIPT = "<script>" + (Path(__file__).parent / "static" / "perturb.js").read_text() + "</script>"


class Portal(PortalState, ABC):
    """
    One imitation portal, as it is served. Subclasses state the facts and give the routes.

    faults: which requests are disturbed. The rest is that of `PortalState`.
    """

    origins: ClassVar[Mapping[str, str]]  # origin (the main one is ""): environment variable that takes its address
    scripted: ClassVar[bool] = False  # its pages are for browsers only, so that what is in them may come late
    html_in_json: ClassVar[frozenset[str]] = frozenset()  # keys of JSON answers whose texts are HTML, in any depth
    journal_query: ClassVar[frozenset[str]] = frozenset()  # query names without secrets: they may be in the journal
    bare: ClassVar[frozenset[str]] = frozenset()  # origins that speak no HTTP: `serve_bare` serves them

    def __init__(self, state: State, gateway: Gateway, urls: Mapping[str, str], own_hosts: bool = True) -> None:
        super().__init__(state, gateway, urls, own_hosts)
        self.faults = faults.Faults()
        self._connections: dict[object, asyncio.Event] = {}

    @abstractmethod
    def routes(self, origin: str) -> Iterable[web.AbstractRouteDef]:
        """Return the routes of an origin."""

    async def serve_bare(self, origin: str, sock: socket.socket, stack: AsyncExitStack) -> None:
        """Serve an origin of `bare` on a listening socket until the stack is closed."""
        raise AssertionError(f"{self.word} does not say how {origin or 'its origin'} is served.")

    def environment(self) -> dict[str, str]:
        """Return the variables that point clients at this portal."""
        return {variable: self.urls[origin] for origin, variable in self.origins.items()}

    def reset(self) -> None:
        """Forget the faults met too."""
        super().reset()
        self.faults.clear()

    # Serving

    def application(self, origin: str) -> web.Application:
        """Return the application of an origin, with the frame around the portal's handlers."""
        application = web.Application(middlewares=[self._around], client_max_size=2**20)
        application.add_routes(self.routes(origin))
        application.add_routes(AdminPages(self).routes())
        return application

    @web.middleware
    async def _around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(PREFIX):
            return await handler(request)
        counters, began = self.counters, time.monotonic()
        self._connected(request)
        over = counters.entered() > (self.configuration["limit"] or float("inf"))
        route = request.match_info.route.resource
        counters.add_to("paths", f"{request.method} {route.canonical if route else '(unknown)'}")
        status = 500
        try:
            if self.configuration["latency_ms"]:
                await asyncio.sleep(self.configuration["latency_ms"] / 1000)
            response = await self._answer(request, handler, over)
            status = response.status
            self._count(response)
            return response
        except web.HTTPException as answer:
            status = answer.status
            raise
        finally:
            counters.left()
            counters.note(
                method=request.method,
                path=request.path,
                query={name: value for name, value in request.query.items() if name in self.journal_query},
                status=status,
                user=request.get("user", ""),
                session=request.get("session", ""),
                seconds=round(time.monotonic() - began, 4),
            )

    async def _answer(self, request: web.Request, handler: Handler, over: bool) -> web.StreamResponse:
        if over:
            self.counters.add("over_limit")
            if self.configuration["limit_status"]:
                return web.Response(status=self.configuration["limit_status"], headers={"Retry-After": "1"})
        fault = self.faults.of(request, self.configuration)
        if fault is not None and fault.is_knock:
            self.counters.add("knocks")
        if fault is not None and fault.kind != "cut":
            return await faults.answer(request, fault)
        visitor = request.cookies.get(self.cookie("visitor"), "")
        request["visitor"], number = self.perturbation_of_visitor(visitor)
        response = self._perturbed(request, await handler(request))
        if number != visitor:
            response.set_cookie(self.cookie("visitor"), number)
        if fault is not None and isinstance(response, web.Response):
            return await faults.cut_short(request, response)
        return response

    def _perturbed(self, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        """Change what is free in a page, or in the HTML of a JSON answer."""
        if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
            return response
        perturbation, known = self.perturbation_for(request), known_of(self.word)
        if response.content_type == "text/html":
            text = perturbed(response.text or "", perturbation, known, self.scripted)
            response.text = text.replace("<head>", "<head>" + SCRIPT, 1) if self.scripted else text
        elif perturbation and self.html_in_json and response.content_type == "application/json":
            told = json.loads(response.text or "null")
            response.text = json.dumps(self._perturbed_html(told, perturbation))
        return response

    def _perturbed_html(self, told: Any, perturbation: Perturbation, html: bool = False) -> Any:
        if isinstance(told, dict):
            return {
                key: self._perturbed_html(value, perturbation, html or key in self.html_in_json)
                for key, value in told.items()
            }
        if html and isinstance(told, str):
            return perturbed(told, perturbation, known_of(self.word), self.scripted)
        return told

    def _count(self, response: web.StreamResponse) -> None:
        if response.status == 200 and response.content_type == "text/html":
            self.counters.add("pages")
        if "Content-Disposition" in response.headers:
            self.counters.add("downloads")
        if isinstance(response, web.Response):  # a streamed one counts by itself, see `streamed`
            self.counters.add("bytes", response.content_length or 0)

    def _connected(self, request: web.Request) -> None:
        """Count the connection while it lasts, and give the request an event that is set when it is lost."""
        gone = self._connections.setdefault(request.protocol, asyncio.Event())
        request["gone"] = gone
        self.counters.highest("connections_max", len(self._connections))

    def disconnected(self, connection: object) -> None:
        """Count a connection out; a connection that asked for admin pages only was never in."""
        gone = self._connections.pop(connection, None)
        if gone is not None:
            gone.set()

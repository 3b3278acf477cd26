"""Trouble on the way: answers that are errors, never come, or break off; said by path and ordinal, or drawn from a seed."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

KINDS = ("429", "429-bare", "500", "502", "503", "503-later", "hang", "drop", "cut", "html")


@dataclass(frozen=True, slots=True)
class Fault:
    """One of KINDS: a status, `429-bare` without Retry-After, `503-later` with it, `hang`, `drop` before the answer, `cut` within it, `html`."""

    kind: str
    retry_after: float | str = 1  # seconds, or the header as it is sent
    is_knock: bool = False  # it came while the portal was shut


class Faults:
    """Says which request meets which fault; ordinals count the requests of one path with its query, from 1."""

    def __init__(self) -> None:
        self._ordinals: dict[str, int] = {}
        self._drawn: dict[str, int] = {}
        self._shut_until = 0.0

    def clear(self) -> None:
        """Count from 1 again."""
        self._ordinals.clear()
        self._drawn.clear()

    def of(self, request: web.BaseRequest, configuration: dict[str, Any]) -> Fault | None:
        """Return the fault that the configuration's `errors` or `faults` have for a request."""
        errors, plan = configuration["errors"], configuration["faults"]
        if self._shut_until > time.monotonic():
            return Fault("429", 1, is_knock=True)
        if not errors and not plan:
            return None
        path = request.path_qs
        ordinal = self._ordinals[path] = self._ordinals.get(path, 0) + 1
        for error in errors:
            ordinals = error.get("ordinals")
            if re.fullmatch(error["path"], path) and (ordinals is None or ordinal in ordinals):
                if shut := error.get("shut"):
                    self._shut_until = time.monotonic() + shut
                return Fault(str(error["fault"]), error.get("retry_after", 1))
        return self._draw(request, plan, path, ordinal) if plan else None

    def _draw(self, request: web.BaseRequest, plan: dict[str, Any], path: str, ordinal: int) -> Fault | None:
        if request.method != "GET" or not re.match(plan.get("paths", "/documents"), path):
            return None
        if self._drawn.get(path, 0) >= plan.get("most", 2):  # per path, so that patience is rewarded
            return None
        drawn = hashlib.sha256(f"{plan.get('seed', 0)} {path} {ordinal}".encode()).digest()
        point = int.from_bytes(drawn[:8], "big") / 2**64
        for kind in KINDS:
            point -= plan.get(kind, 0.0)
            if point < 0:
                self._drawn[path] = self._drawn.get(path, 0) + 1
                return Fault(kind, plan.get("retry_after", 1))
        return None


def check(configuration: dict[str, Any]) -> str:
    """Return what is wrong with the configuration's `errors` and `faults`, as one sentence; "" when nothing is."""
    for error in configuration["errors"]:
        if error.get("fault") not in KINDS or "path" not in error:
            return f"Each of errors needs a path (a regular expression) and a fault, one of {', '.join(KINDS)}."
    unknown = set(configuration["faults"]) - {*KINDS, "seed", "retry_after", "paths", "most"}
    return f"faults does not know {', '.join(sorted(unknown))}." if unknown else ""


async def answer(request: web.BaseRequest, fault: Fault) -> web.StreamResponse:
    """Answer a request with a fault; `cut` is for `cut_short`, which needs the answer that it cuts."""
    if fault.kind == "hang":
        return await hang(request)
    if fault.kind == "drop":
        return drop(request)
    if fault.kind == "html":
        return web.Response(
            text="<!doctype html><title>Oops</title><h1>Something went wrong</h1>", content_type="text/html"
        )
    headers = {"Retry-After": _header(fault.retry_after)} if fault.kind in ("429", "503-later") else {}
    status = int(fault.kind.removesuffix("-bare").removesuffix("-later"))
    return web.Response(status=status, text=f"<h1>{status}</h1>", content_type="text/html", headers=headers)


def _header(retry_after: float | str) -> str:
    return retry_after if isinstance(retry_after, str) else f"{retry_after:g}"


async def hang(request: web.BaseRequest) -> web.StreamResponse:
    """Answer nothing until the client goes away."""
    await request["gone"].wait()  # the frame sets it when the connection is lost
    return web.Response(status=499)


def drop(request: web.BaseRequest) -> web.StreamResponse:
    """Break the connection off without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


async def cut_short(request: web.BaseRequest, whole: web.Response, share: float = 0.5) -> web.StreamResponse:
    """Announce the whole body, send a share of it and break the connection off."""
    body = whole.body if isinstance(whole.body, bytes) else b""
    headers = {name: value for name, value in whole.headers.items() if name != "Content-Length"}
    response = web.StreamResponse(status=whole.status, headers=headers)
    response.content_length = max(len(body), 2)
    await response.prepare(request)
    await response.write(body[: max(int(len(body) * share), 1)])
    if request.transport is not None:
        request.transport.close()
    return response

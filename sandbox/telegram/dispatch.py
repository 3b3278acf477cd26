"""From a request to the bytes of its answer: who asks, what stands in the way, what is counted."""

from __future__ import annotations

import asyncio
import gzip
import struct
import time
from dataclasses import dataclass
from typing import Any

from telethon.tl import TLObject, functions, types
from telethon.tl.alltlobjects import LAYER

from sandbox.faults import Fault, Faults
from sandbox.telegram import dialogs, history, service, signing, transfers
from sandbox.telegram.calls import METHODS, Call, Cut, Method, Refusal
from sandbox.telegram.keys import UNREGISTERED, AuthKey
from sandbox.telegram.layers import written
from sandbox.telegram.state import TelegramState

ANSWERED = (dialogs, history, service, signing, transfers)  # the modules that fill METHODS
WRAPPERS = (
    functions.InvokeWithLayerRequest,
    functions.InitConnectionRequest,
    functions.InvokeWithoutUpdatesRequest,
    functions.InvokeAfterMsgRequest,
)
RESULT, GZIPPED = 0xF35C6D01, 0x3072CFA1
GZIPPED_FROM = 2_048  # bytes of an answer; files never
CODES = {"AUTH_KEY_DUPLICATED": 406}  # of what ends a session; all others are 401


class Silence(Exception):
    """No answer is sent."""


@dataclass(frozen=True, slots=True)
class Path:
    """A request as the frame's faults see one: the configuration's `errors` name `/messages.getHistory`."""

    path_qs: str
    method: str = "GET"


class Dispatcher:
    """Answers requests on the state of the portal; `faults` is the frame's."""

    def __init__(self, state: TelegramState, faults: Faults) -> None:
        self._state, self._faults = state, faults

    async def answer(self, key: AuthKey, number: int, request: Any) -> bytes:
        """Return the body of the message that answers a request. Raises Silence, and Cut with such a body or b""."""
        state, began = self._state, time.monotonic()
        request = self._unwrapped(key, request)
        method = METHODS.get(type(request))
        name = method.name if method else type(request).__name__
        account = state.account(key.row["number"] or "none")
        call = Call(state, key, account, request, {})
        over = state.counters.entered() > (state.configuration["limit"] or float("inf"))
        state.counters.add_to("paths", name)
        status, word = 200, ""
        try:
            if state.configuration["latency_ms"]:
                await asyncio.sleep(state.configuration["latency_ms"] / 1000)
            body = self._body(key, self._judged(call, method, over))
            return result(number, body, packed=not isinstance(request, functions.upload.GetFileRequest))
        except Refusal as refusal:
            status, word = refusal.code, refusal.word
            state.counters.add_to("errors", word)
            return result(number, bytes(types.RpcError(refusal.code, refusal.word)))
        except Cut as cut:
            word = "cut"
            raise Cut(result(number, self._body(key, cut.told)) if cut.told is not None else b"") from None
        except Silence:
            word = "hang"
            raise
        finally:
            state.counters.left()
            state.counters.note(
                method="RPC",
                path=name,
                status=status,
                error=word,
                user=account.number if account else call.about.pop("number", ""),
                session=key.name,
                about=call.about,
                seconds=round(time.monotonic() - began, 4),
            )

    def _unwrapped(self, key: AuthKey, request: Any) -> Any:
        """Return the request inside of its wrappers; note the layer that the client speaks."""
        while isinstance(request, WRAPPERS):
            if isinstance(request, functions.InvokeWithLayerRequest) and key.row["layer"] != request.layer:
                self._state.keys.keep(key, layer=request.layer)
            request = request.query
        return request

    def _judged(self, call: Call, method: Method | None, over: bool) -> Any:
        """Return what a method answers, unless something stands in the way."""
        if over:
            self._state.counters.add("over_limit")
            if self._state.configuration["limit_status"]:
                raise Refusal(420, "FLOOD_WAIT_1")
        if call.key.row["error"] and (not method or not method.anonymous or call.key.row["error"] in CODES):
            raise Refusal(CODES.get(call.key.row["error"], 401), call.key.row["error"])
        if method is None:
            self._state.counters.add("unknown_methods")
            raise Refusal(400, "INPUT_METHOD_INVALID")
        self._admit(call, method)
        path: Any = Path(f"/{method.name}")
        fault = self._faults.of(path, self._state.configuration)
        if fault is not None and fault.kind != "cut":
            self._disturb(fault)
        told = method.answer(call)
        if fault is not None:
            raise Cut(told)
        return told

    def _admit(self, call: Call, method: Method) -> None:
        """Refuse who is not signed in, bots, sessions that end, and those who have to wait."""
        account = call.account
        if account is None and not method.anonymous:
            raise Refusal(401, UNREGISTERED)
        if account is not None and account.is_bot and not method.bots:
            raise Refusal(400, "BOT_METHOD_INVALID")
        if account is not None and method.content:
            error = self._state.ended_midway(call.key, account)
            if error:
                raise Refusal(401, error)
        number = account.number if account else getattr(call.request, "phone_number", "").removeprefix("+")
        seconds = self._state.wait_for(number, method.name)
        if seconds:
            raise Refusal(420, f"FLOOD_WAIT_{seconds}")

    def _disturb(self, fault: Fault) -> None:
        """Do what the configuration's `errors` and `faults` want, in the protocol's own words."""
        if fault.is_knock:
            self._state.counters.add("knocks")
        if fault.kind.startswith("429"):
            raise Refusal(420, f"FLOOD_WAIT_{fault.retry_after}")
        if fault.kind == "hang":
            raise Silence
        if fault.kind == "drop":
            raise Cut(None)
        raise Refusal(*((-503, "Timeout") if fault.kind.startswith("503") else (500, "INTERNAL_ERROR")))

    def _body(self, key: AuthKey, told: Any) -> bytes:
        return written(told, key.row["layer"] or LAYER)


def result(number: int, body: bytes, *, packed: bool = False) -> bytes:
    """Return the body of the message that answers the request with a number; packed: with gzip, where that is worth it."""
    if packed and len(body) >= GZIPPED_FROM:
        body = struct.pack("<I", GZIPPED) + TLObject.serialize_bytes(gzip.compress(body, 1))
    return struct.pack("<Iq", RESULT, number) + body

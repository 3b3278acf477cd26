"""Serving portals: one process, one event loop, until it is told to end."""

from __future__ import annotations

import asyncio
import json
import os
import pkgutil
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from aiohttp import web

import sandbox
from sandbox.addresses import ONLY_HOST, AddressError, Addresses, write_whole
from sandbox.frame import FLUSH_SECONDS, Portal
from sandbox.messages import Gateway
from sandbox.perturb import DIMENSIONS, OFF, Perturbation
from sandbox.state import State

TOKEN_VARIABLE = "SANDBOX_SMS_TOKEN"


def portal_words() -> list[str]:
    """Return the word of every portal there is: the packages of this room that have an `app`."""
    return sorted(
        module.name
        for module in pkgutil.iter_modules(sandbox.__path__)
        if module.ispkg and (Path(sandbox.__path__[0]) / module.name / "app.py").exists()
    )


def portal_class(word: str) -> type[Portal]:
    """Return a portal's class."""
    portal: type[Portal] = import_module(f"sandbox.{word}.app").PORTAL
    return portal


async def serve(
    folder: Path,
    words: Sequence[str],
    sms_url: str,
    mail_url: str,
    say: Callable[[str], object],
    perturbation: Perturbation | None = None,
) -> None:
    """
    Serve portals until SIGTERM or SIGINT; then save and return.

    folder: exists; where addresses, state and `ready.json` are. words: which portals. sms_url, mail_url: where text messages
    and mails are posted; "" for nowhere. say: gets one line per portal, and one for a perturbation, which all portals take
    over (None leaves each as it was). Raises AddressError when a portal cannot listen.
    """
    ready = folder / "ready.json"
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    addresses = Addresses(folder)
    async with AsyncExitStack() as stack:
        sockets = {word: _listen(stack, addresses, portal_class(word)) for word in words}
        ready.unlink(missing_ok=True)  # not before: another process that holds the addresses may have written it
        gateway = Gateway(sms_url, os.environ.get(TOKEN_VARIABLE, ""), mail_url)
        stack.push_async_callback(gateway.close)
        portals: dict[str, Any] = {}
        environment: dict[str, str] = {}
        for word in words:
            portal = await _open(stack, sockets[word], folder, portal_class(word), gateway, perturbation)
            variables = portal.environment()
            environment |= variables
            portals[word] = {"url": portal.urls[""], "urls": dict(portal.urls)}
            say(f"{word}: " + "  ".join(f"{variable}={url}" for variable, url in variables.items()))
        if perturbation is not None:
            say(f"perturbed: {', '.join(perturbation.dimensions) or 'nothing'}")
        write_whole(ready, json.dumps({"pid": os.getpid(), "portals": portals, "environment": environment}, indent=1))
        stack.callback(ready.unlink, missing_ok=True)
        await stop.wait()


def _listen(stack: AsyncExitStack, addresses: Addresses, kind: type[Portal]) -> dict[str, socket.socket]:
    """Take the addresses of a portal's origins."""
    sockets = {}
    for origin in kind.origins:
        sockets[origin] = addresses.listen(f"{kind.word}.{origin}" if origin else kind.word)
        stack.callback(sockets[origin].close)
    return sockets


async def _open(
    stack: AsyncExitStack,
    sockets: dict[str, socket.socket],
    folder: Path,
    kind: type[Portal],
    gateway: Gateway,
    perturbation: Perturbation | None,
) -> Portal:
    """Serve one portal on all its origins, and return it."""
    names = {origin: sock.getsockname() for origin, sock in sockets.items()}
    urls = {
        origin: f"{'tcp' if origin in kind.bare else 'http'}://{host}:{port}" for origin, (host, port) in names.items()
    }
    state = State(folder / f"{kind.word}.sqlite")
    stack.callback(state.close)
    portal = kind(state, gateway, urls, own_hosts=all(host != ONLY_HOST for host, _ in names.values()))
    if perturbation is not None:
        portal.perturb(perturbation)
    flusher = asyncio.create_task(_flush(state))
    stack.callback(flusher.cancel)
    for origin, sock in sockets.items():
        if origin in kind.bare:
            await portal.serve_bare(origin, sock, stack)
            continue
        runner = web.AppRunner(portal.application(origin), access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        _watch_connections(runner, portal)
        await web.SockSite(runner, sock, backlog=512).start()
    return portal


def _watch_connections(runner: web.AppRunner, portal: Portal) -> None:
    """Tell the portal of every connection that ends; aiohttp has no signal for it."""
    server: Any = runner.server
    lost = server.connection_lost

    def connection_lost(handler: object, error: BaseException | None = None) -> None:
        portal.disconnected(handler)
        lost(handler, error)

    server.connection_lost = connection_lost


async def _flush(state: State) -> None:
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        state.flush()


def run(folder: Path, words: Sequence[str], sms_url: str, mail_url: str = "", perturb: str = "") -> str:
    """
    Serve until told to end; return "" or, when it cannot be done, one sentence that says why.

    perturb: `7`, `7-order.words` for these dimensions only, `off`, or "" for what was set before.
    """
    known = portal_words()
    for word in words:
        if word not in known:
            return f"There is no portal {word} in the sandbox: choose from {', '.join(known)}."
    if (sms_url or mail_url) and not os.environ.get(TOKEN_VARIABLE):
        where = "SMS" if sms_url else "mail"
        return (
            f"{TOKEN_VARIABLE} is not set: put the token there with which messages are posted to the {where} address."
        )
    perturbation = None if not perturb else OFF if perturb == "off" else Perturbation.tagged(perturb)
    if perturb and perturbation is None:
        return f"{perturb!r} is no seed, nor a seed and dimensions like 7-order.words: choose from {', '.join(DIMENSIONS)}."
    try:
        folder.mkdir(parents=True, exist_ok=True)
        asyncio.run(serve(folder, words or known, sms_url, mail_url, partial(print, flush=True), perturbation))
    except AddressError as error:
        return str(error)
    except PermissionError as error:
        return f"The state folder {folder} cannot be written to ({error.strerror}): choose another one."
    return ""

"""Answers that several imitations give: a redirect, a file."""

from __future__ import annotations

from aiohttp import web


def found(where: str) -> web.Response:
    """Return a redirect."""
    return web.Response(status=302, headers={"Location": where})


def attachment(body: bytes, name: str, kind: str) -> web.Response:
    """Return a file under a name, of a media type."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Type": kind}
    return web.Response(body=body, headers=headers)

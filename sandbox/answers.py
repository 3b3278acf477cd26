"""Answers that several imitations give: a page, a redirect, a file, and what is not sent again."""

from __future__ import annotations

import hashlib
from datetime import datetime
from email.utils import format_datetime

from aiohttp import web


def html(text: str, status: int = 200) -> web.Response:
    """Return a page."""
    return web.Response(text=text, status=status, content_type="text/html")


def found(where: str) -> web.Response:
    """Return a redirect."""
    return web.Response(status=302, headers={"Location": where})


def attachment(body: bytes, name: str, kind: str) -> web.Response:
    """Return a file under a name, of a media type."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Type": kind}
    return web.Response(body=body, headers=headers)


def with_tag(
    answer: web.Response, request: web.Request, content: str = "", changed: datetime | None = None
) -> web.Response:
    """
    Give an answer an ETag, and turn it into a 304 for those who have it.

    content: what names the content, in place of the body. changed: Last-Modified (UTC), which counts where a request has no
    If-None-Match.
    """
    named = content.encode() if content else answer.body if isinstance(answer.body, bytes) else b""
    headers = {"ETag": f'"{hashlib.blake2b(named, digest_size=12).hexdigest()}"'}
    known = headers["ETag"] in request.headers.get("If-None-Match", "")
    if changed is not None:
        headers["Last-Modified"] = format_datetime(changed, usegmt=True)
        since = request.if_modified_since
        known = known or ("If-None-Match" not in request.headers and since is not None and since >= changed)
    if known:
        return web.Response(status=304, headers=headers)
    answer.headers.update(headers)
    return answer

"""Sends a stored file: as a download, with its hash, never cut short or changed without the client noticing."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import BinaryIO
from urllib.parse import quote

from flask import Response, request
from werkzeug.exceptions import Gone, ServiceUnavailable

from database.models import StoredFile
from scrapers.core.outcomes import StoreAway

logger = logging.getLogger(__name__)
CHUNK = 262_144  # bytes
# Whatever the file is, no browser opens it as a page of ours.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}
Opens = Callable[[str, str], BinaryIO]  # opens a file of a store, both by their addresses


class ContentDiffers(OSError):
    """What is in the store is not what was stored: the transfer is broken off."""


def no_store(store: str, path: str) -> BinaryIO:
    """Stand in for the stores where none were given."""
    raise StoreAway("This server was started without access to the file store.")


def download(file: StoredFile, opens: Opens) -> Response:
    """
    Return the answer that holds a stored file.

    Its last bytes are held back until the hash is that of the row; else the transfer ends early, which its length shows.
    Raises Gone for a file that is not in its store, ServiceUnavailable for a store that cannot be reached.
    """
    assert file.path is not None
    assert file.store is not None
    try:
        content = opens(file.store, file.path)
    except FileNotFoundError:
        raise Gone("The file is no longer in its store.") from None
    except StoreAway as error:
        raise ServiceUnavailable(str(error)) from error
    response = Response(_checked(content, file), mimetype=_media_type(file.media_type), direct_passthrough=True)
    response.headers.update(HEADERS)
    response.headers["Content-Disposition"] = disposition(PurePosixPath(file.path).name)
    if file.size is not None:
        response.headers["Content-Length"] = str(file.size)
    if file.sha256:
        response.set_etag(file.sha256)
        response.headers["X-Content-SHA256"] = file.sha256
        response.headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(file.sha256)).decode()}:"
    response.call_on_close(content.close)
    if request.method == "HEAD":
        content.close()
        response.response = []
    return response


def disposition(name: str) -> str:
    r"""
    Return the header that makes a browser store a file under a name.

    >>> disposition("Rechnung für Mai.pdf")
    'attachment; filename="Rechnung f_r Mai.pdf"; filename*=UTF-8\'\'Rechnung%20f%C3%BCr%20Mai.pdf'
    """
    plain = "".join(sign if sign.isascii() and sign.isprintable() and sign not in '"\\' else "_" for sign in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _media_type(stored: str | None) -> str:
    """Return the type to send: what a browser might run is sent as bytes."""
    known = (stored or "").partition(";")[0].strip().lower()
    if not known or known.endswith(("html", "xml", "svg", "javascript")) or "/" not in known:
        return "application/octet-stream"
    return known


def _checked(content: BinaryIO, file: StoredFile) -> Iterator[bytes]:
    digest, held = hashlib.sha256(), b""
    while chunk := content.read(CHUNK):
        digest.update(chunk)
        if held:
            yield held
        held = chunk
    if file.sha256 and digest.hexdigest() != file.sha256:
        logger.error("File %d: its content in the store is not what was stored.", file.id)
        raise ContentDiffers(f"file {file.id}")
    yield held

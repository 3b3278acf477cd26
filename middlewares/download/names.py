"""File names of answers: Content-Disposition as RFC 6266 and RFC 8187 have it, and as servers send it."""

from __future__ import annotations

from email.message import Message
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from scrapers.core.spool import base_name

if TYPE_CHECKING:
    from scrapy.http import Headers


def file_name(headers: Headers, url: str) -> str:
    """
    Return the file name of Content-Disposition, without folders; else the last part of the URL's path.

    >>> from scrapy.http import Headers
    >>> file_name(Headers({"Content-Disposition": 'attachment; filename="../bill.pdf"'}), "https://x.example/a")
    'bill.pdf'
    >>> file_name(Headers(), "https://x.example/bills/october.pdf?x=1")
    'october.pdf'
    """
    stated = headers.get("Content-Disposition")
    found = (stated and _disposition_name(_decoded(stated))) or unquote(urlsplit(url).path)
    name = base_name(found.strip().strip('"'))
    return name if name.strip(" .") else "download"


def _disposition_name(stated: str) -> str:
    """Return the name that a Content-Disposition states, `filename*` before `filename`; "" for none."""
    header = Message()
    header["Content-Disposition"] = stated.replace("\r", " ").replace("\n", " ")
    plain: str = ""
    parameters: list[tuple[str, Any]] = header.get_params([], "Content-Disposition")  # a value may be of three parts
    for name, value in parameters:
        if name.lower().rstrip("*") != "filename":
            continue
        if not isinstance(value, tuple):
            plain = plain or str(value)
            continue
        charset, _language, encoded = value
        try:
            return str(encoded).encode("latin-1").decode(charset or "utf-8")
        except (LookupError, UnicodeError):  # the server's own second name is better than a guess
            continue
    return plain


def _decoded(header: bytes) -> str:
    """Return a header as text: browsers take UTF-8 where it is that, and ISO 8859-1 else."""
    try:
        return header.decode()
    except UnicodeDecodeError:
        return header.decode("latin-1")

"""What a transfer that was cut has brought, and whether another answer continues it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Headers

    from scrapers.core.spool import PartWriter

RANGE = re.compile(rb"bytes (\d+)-(\d+)/(\d+|\*)", re.I)
SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class Partial:
    """The beginning of a file, in a part file that is still open."""

    writer: PartWriter
    url: str
    headers: Headers  # of the answer that began it
    validator: bytes  # what If-Range compares
    total: int | None  # bytes of the whole file

    @classmethod
    def of(cls, writer: PartWriter, request: Request, headers: Headers) -> Partial | None:
        """
        Return the file that an answer begins; None where it could not be continued safely.

        Needed are a GET, no compression, and a strong validator: an ETag that is not weak, or a Last-Modified that is at
        least a second before the answer's Date (RFC 9110, 8.8.2.2).
        """
        allows = (headers.get("Accept-Ranges") or b"bytes").strip().lower() == b"bytes"
        validator = strong_validator(headers)
        if request.method != "GET" or not allows or validator is None or headers.get("Content-Encoding"):
            return None
        stated = headers.get("Content-Length")
        return cls(writer, request.url, headers, validator, int(stated) if stated is not None else None)

    def asks(self, request: Request) -> bool:
        """Return whether a request asks for this file."""
        return request.method == "GET" and request.url == self.url

    @property
    def conditions(self) -> dict[str, bytes]:
        """Headers that ask for the rest, if the file is still the same."""
        return {"Range": b"bytes=%d-" % self.writer.size, "If-Range": self.validator}

    def continues(self, headers: Headers) -> bool:
        """
        Return whether an answer 206 begins where this file ends, and is of the same version; note the file's length.

        An answer that repeats neither validator is of an unknown version, whatever If-Range promises.
        """
        place = RANGE.fullmatch((headers.get("Content-Range") or b"").strip())
        if place is None or int(place[1]) != self.writer.size or headers.get("Content-Encoding"):
            return False
        total = None if place[3] == b"*" else int(place[3])
        if None not in (total, self.total) and total != self.total:
            return False
        pairs = [(self.headers.get(name), headers.get(name)) for name in ("ETag", "Last-Modified")]
        both = [(mine, its) for mine, its in pairs if mine is not None and its is not None]
        if not both or any(mine != its for mine, its in both):
            return False
        self.total = self.total if total is None else total
        return True


def strong_validator(headers: Headers) -> bytes | None:
    """
    Return what If-Range may compare; None where nothing in an answer names its version for sure.

    >>> from scrapy.http import Headers
    >>> strong_validator(Headers({"ETag": '"a"'})), strong_validator(Headers({"ETag": 'W/"a"'}))
    (b'"a"', None)
    """
    tag = headers.get("ETag")
    if tag is not None and re.fullmatch(rb'"[^"]*"', tag):
        return bytes(tag)
    modified, sent = headers.get("Last-Modified"), headers.get("Date")
    try:
        if modified and sent and _time(modified) + SECOND <= _time(sent):
            return bytes(modified)
    except (ValueError, TypeError, OverflowError):  # no date, one without a zone, or the last one that there is
        pass
    return None


def _time(header: bytes) -> datetime:
    return parsedate_to_datetime(header.decode("latin-1"))

"""Masks secrets in log lines, run messages and evidence bundles."""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit, urlunsplit

MASK = "•••"
QUERY = re.compile(r"(\bhttps?://[^\s?'\"<>]*\?)[^\s'\"<>)]+")
DAY = r"(?<!\d)(?:19|20)\d\d-\d\d(?:-\d\d)?(?!\d)"  # or a month, which are no numbers of anyone
NUMBER = re.compile(rf"({DAY})|\+?\d(?:[ .()/-]{{0,2}}(?!{DAY})\d){{4,}}")
SHOWN = 4  # last digits of a number by which its owner knows it
LONG = 10  # characters from which a part of a link counts as a secret, not a word
SHORTEST = 4  # characters; shorter secrets are not masked, because they occur everywhere


class Redactor:
    """Masks the secrets of this process in texts, in each of their encodings."""

    def __init__(self) -> None:
        self._spellings: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self._ordered: tuple[frozenset[str], list[str]] = (self._spellings, [])  # the same, longest first

    def add(self, *secrets: str | None) -> None:
        """Add secrets to mask: passwords, codes, cookies, tokens."""
        new = {spelt for secret in secrets if secret and len(secret) >= SHORTEST for spelt in spellings(secret)}
        with self._lock:
            if not new <= self._spellings:
                self._spellings |= new

    def hide(self, text: str) -> str:
        """Return *text* with every known secret masked."""
        of, ordered = self._ordered
        if of is not (known := self._spellings):
            ordered = sorted(known, key=len, reverse=True)
            self._ordered = known, ordered
        # No pattern of all: a crawl of many customers adds secrets all the time, and each would have it compiled anew.
        for spelt in ordered:
            if spelt in text:
                text = text.replace(spelt, MASK)
        return text


def spellings(secret: str) -> set[str]:
    """Return a secret as it is, URL-encoded, JSON-escaped, in hex and in base64 (as a whole)."""
    data = secret.encode()
    return {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        data.hex(),
        base64.b64encode(data).decode().rstrip("="),
        base64.urlsafe_b64encode(data).decode().rstrip("="),
    }


def without_queries(text: str) -> str:
    """
    Return *text* with the query of every URL in it masked: it may hold tokens that were not added.

    >>> without_queries("GET https://x.example/a?ticket=1b2c (200)")
    'GET https://x.example/a?••• (200)'
    """
    return QUERY.sub(rf"\1{MASK}", text)


def without_numbers(text: str) -> str:
    """
    Return *text* with the numbers in it that may be of an account, telephone or person cut to their last four digits.

    >>> without_numbers("501234567 2026-10, +1 (201) 555-0100, page 12 of 2026-10-31")
    '…4567 2026-10, …0100, page 12 of 2026-10-31'
    """

    def cut(found: re.Match[str]) -> str:
        digits = "".join(filter(str.isdigit, found[0]))
        return found[1] or f"…{digits[-SHOWN:]}"

    return NUMBER.sub(cut, text)


def bare_url(url: str) -> str:
    """
    Return a URL without user, query and fragment, which may hold secrets; also one that a server has malformed.

    >>> bare_url("https://me:secret@x.example/a?b=1#c"), bare_url("http://me@[::1/a?b=1")
    ('https://x.example/a', 'http://[::1/a')
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return re.sub(r"(?<=//)[^/]*@", "", re.split("[?#]", url)[0])
    netloc = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, netloc, parts.path, "", ""))


def secret_parts(url: str) -> list[str]:
    """
    Return the parts of a link that are secret: the long segments of its path and the values of its query.

    >>> secret_parts("https://x.example/allow/Zk3-9qPb_aX2?device=8f3a9c1e77&lang=en")
    ['Zk3-9qPb_aX2', '8f3a9c1e77']
    """
    parts = urlsplit(url)
    values = [value for _, value in parse_qsl(parts.query)]
    return [part for part in (*parts.path.split("/"), *values) if len(part) >= LONG]


redactor = Redactor()


def install() -> None:
    """Mask known secrets in every log record of this process, whichever logger creates it, tracebacks included."""
    factory = logging.getLogRecordFactory()
    if getattr(factory, "redacts", False):
        return

    def redacting(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = factory(*args, **kwargs)
        message = record.getMessage()
        hidden = without_queries(redactor.hide(message))
        if hidden != message:
            record.msg, record.args = hidden, None
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = without_queries(redactor.hide(logging.Formatter().formatException(record.exc_info)))
        return record

    redacting.redacts = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(redacting)

"""Parses mails: sender, recipients, and the text to search for a code or link."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime

from scrapers.reading.values.marks import INVISIBLE

LONGEST_TEXT = 20_000  # characters kept of a mail; codes are near its beginning
RECIPIENTS = ("to", "cc", "delivered-to", "x-original-to", "x-envelope-to", "envelope-to", "x-forwarded-to")
BLOCKS = frozenset(
    "address article blockquote dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p section table td th tr ul".split()
)
UNSEEN = frozenset("head script style template title".split())
NOT_SHOWN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mail:
    """A parsed mail. Its `repr` shows no recipient and no text."""

    sender: str = field(repr=False)
    recipients: frozenset[str] = field(repr=False)  # bare addresses, casefolded
    text: str = field(repr=False)  # subject and body, see `readable`
    dated: datetime | None = None  # the Date header


def parse(raw: bytes) -> Mail:
    """Parse a MIME message; parts that cannot be decoded are left out."""
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return Mail(
        sender=next(iter(_addresses(message, ("from",))), ""),
        recipients=frozenset(_addresses(message, RECIPIENTS)),
        text=readable(_header(message, "subject"), _part(message, "plain"), _part(message, "html")),
        dated=_date(_header(message, "date")),
    )


def readable(subject: str, text: str, html: str = "") -> str:
    r"""
    Return subject, plain text and the HTML part's text, joined by line breaks.

    Both parts, because some plain ones only refer to the HTML one. A link follows its text, in angle brackets:

    >>> readable("Votre code", "", '<p>Pour vous connecter, <b>utiliser le code</b>&nbsp;<span>AB12</span>CD34</p>')
    'Votre code\nPour vous connecter, utiliser le code AB12CD34'
    >>> readable("", "", '<style>p {}</style><a href="https://example.com/a?b=1">Allow or deny</a>')
    'Allow or deny <https://example.com/a?b=1>'
    """
    parts = (subject, text, html_text(html) if html.strip() else "")
    lines = (" ".join(line.split()) for part in parts for line in INVISIBLE.sub("", part).splitlines())
    return "\n".join(line for line in lines if line)[:LONGEST_TEXT]


def html_text(html: str) -> str:
    """Return the visible text of an HTML mail, with the address of each link in angle brackets behind it."""
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    try:
        # As bytes: lxml refuses str with an encoding declaration.
        root = document_fromstring(html.encode("utf-8", "replace"), parser=HTMLParser(encoding="utf-8"))
    except (etree.ParserError, etree.XMLSyntaxError):  # nothing but comments
        return ""
    said: list[str] = []
    hidden = 0
    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        tag = element.tag if isinstance(element.tag, str) else ""
        unseen = tag in UNSEEN or bool(NOT_SHOWN.search(element.get("style") or "")) if tag else False
        if event == "start":
            hidden += unseen
            if not hidden:
                said += ["\n"] if tag in BLOCKS or tag == "br" else []
                said.append(_folded(element.text))
            continue
        if event == "end":
            if not hidden:
                link = (element.get("href") or "").strip() if tag == "a" else ""
                said += [f" <{link}>"] if link.startswith(("https://", "http://")) else []
                said += ["\n"] if tag in BLOCKS else []
            hidden -= unseen
        if not hidden:
            said.append(_folded(element.tail))
    return "".join(said)


def _folded(text: str | None) -> str:
    """Return a text with white space collapsed, as a browser shows it."""
    return re.sub(r"\s+", " ", text or "")


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, ""))
    except (ValueError, IndexError, TypeError, AttributeError):  # raised by the parser for some malformed headers
        return ""


def _addresses(message: EmailMessage, names: Iterable[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        try:
            headers = [str(header) for header in message.get_all(name, [])]
        except (ValueError, IndexError, TypeError, AttributeError):
            continue
        found += [address.casefold() for _, address in getaddresses(headers) if "@" in address]
    return found


def _part(message: EmailMessage, kind: str) -> str:
    """Return the text of a mail's part of that kind; undecodable bytes become question marks."""
    part = message.get_body((kind,))
    if not isinstance(part, EmailMessage):
        return ""
    try:
        return str(part.get_content(errors="replace"))
    except (LookupError, ValueError, AttributeError, TypeError):  # an unknown encoding
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
        return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError):  # OverflowError: outside of datetime's range
        return None

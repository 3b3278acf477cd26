"""Parses mails: sender, recipients, and the text to search for a code or link."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from typing import TYPE_CHECKING

from database.access.addresses import mail_address
from scrapers.reading.values.marks import INVISIBLE

if TYPE_CHECKING:
    from lxml.html import HtmlElement

LONGEST_TEXT = 20_000  # characters kept of a mail; codes are near its beginning
RECIPIENTS = ("to", "cc", "delivered-to", "x-original-to", "x-envelope-to", "envelope-to", "x-forwarded-to")
BLOCKS = frozenset(
    "address article blockquote dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p section table td th tr ul".split()
)
UNSEEN = frozenset("head script style template title".split())
# Declarations by which mails hide a text, such as a preheader: it is shown in lists of mails, not in the mail.
NOT_SHOWN = re.compile(
    r"(?<![\w-])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all|opacity\s*:\s*0*(?:\.0+)?(?![\d.])"
    r"|(?:font-size|max-height|max-width|line-height)\s*:\s*0*(?:\.0+)?(?![\d.])|(?:font-size|max-height)\s*:\s*1px"
    r"|color\s*:\s*transparent|text-indent\s*:\s*-\d{3,}|(?:left|top)\s*:\s*-\d{3,})",
    re.IGNORECASE,
)
SIMPLE_SELECTOR = re.compile(r"([a-z][a-z0-9]*)?(?:([.#])([\w-]+))?", re.IGNORECASE)
# What the parsers of the standard library raise for malformed headers and structures.
MALFORMED = (ValueError, IndexError, TypeError, AttributeError, LookupError, AssertionError, RecursionError)


class UnreadableMail(ValueError):
    """A mail is so malformed that it cannot be parsed."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A parsed mail. Its `repr` shows no recipient and no text."""

    sender: str = field(repr=False)
    recipients: frozenset[str] = field(repr=False)  # bare addresses, casefolded
    text: str = field(repr=False)  # subject and body, see `readable`
    dated: datetime | None = None  # the Date header


def parse(raw: bytes) -> Mail:
    """Parse a MIME message; parts that cannot be decoded are left out. Raises UnreadableMail."""
    try:
        message = message_from_bytes(raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return Mail(
            sender=mail_address(_header(message, "from")).casefold(),
            recipients=frozenset(_addresses(message, RECIPIENTS)),
            text=readable(_header(message, "subject"), _part(message, "plain"), _part(message, "html")),
            dated=_date(_header(message, "date")),
        )
    except MALFORMED as error:
        raise UnreadableMail("The mail is malformed.") from error


def readable(subject: str, text: str, html: str = "") -> str:
    r"""
    Return subject, plain text and the HTML part's text, joined by line breaks.

    Both parts, because some plain ones only refer to the HTML one. A link follows its text, in angle brackets. Words of
    the subject that hold digits are left out, because numbers there are of tickets and orders. Raises UnreadableMail.

    >>> readable("Votre code (153377)", "", '<p>Pour vous connecter, <b>utiliser le code</b>&nbsp;<span>AB12</span>CD34</p>')
    'Votre code\nPour vous connecter, utiliser le code AB12CD34'
    >>> readable("", "", '<style>p {}</style><a href="https://example.com/a?b=1">Allow or deny</a>')
    'Allow or deny <https://example.com/a?b=1>'
    """
    try:
        body = (text, html_text(html) if html.strip() else "")
    except UnreadableMail:
        if not text.strip():
            raise
        body = (text, "")
    subject = " ".join(subject.split())
    if any(part.strip() for part in body):
        subject = re.sub(r"\S*\d\S*", "", subject)
    parts = (subject, *body)
    lines = (" ".join(line.split()) for part in parts for line in INVISIBLE.sub("", part).splitlines())
    return "\n".join(line for line in lines if line)[:LONGEST_TEXT]


def html_text(html: str) -> str:
    """Return the visible text of an HTML mail, each link's address in angle brackets behind it. Raises UnreadableMail."""
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    try:
        # As bytes: lxml refuses str with an encoding declaration.
        # huge_tree: without it everything that is nested deeper than 256 elements is lost.
        parser = HTMLParser(encoding="utf-8", huge_tree=True)
        root = document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):  # nothing but comments
        return ""
    if any(entry.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for entry in parser.error_log):
        raise UnreadableMail("The HTML is nested too deep.")  # the parser has dropped everything
    is_hidden = _hiding(root)
    said: list[str] = []
    hidden = 0
    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        tag = element.tag if isinstance(element.tag, str) else ""
        unseen = bool(tag) and (tag in UNSEEN or is_hidden(element))
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


def _hiding(root: HtmlElement) -> Callable[[HtmlElement], bool]:
    """Return what tells whether an element is hidden: by its attributes, or by a rule of the mail's style sheets."""
    rules: set[tuple[str, str, str]] = set()  # tag, "." or "#", name
    for sheet in root.iter("style"):
        for selectors, declarations in _css_rules(sheet.text or ""):
            if NOT_SHOWN.search(declarations):
                found = (SIMPLE_SELECTOR.fullmatch(each.strip()) for each in selectors.split(","))
                rules |= {(each[1] or "", each[2] or "", each[3] or "") for each in found if each and each[0]}

    def is_hidden(element: HtmlElement) -> bool:
        if element.get("hidden") is not None or NOT_SHOWN.search(element.get("style") or ""):
            return True
        if not rules:
            return False
        own = [
            ("", ""),
            *((".", name) for name in (element.get("class") or "").split()),
            ("#", element.get("id") or ""),
        ]
        return any((tag, *mark) in rules for tag in ("", str(element.tag)) for mark in own)

    return is_hidden


def _css_rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Give selectors and declarations of a style sheet's rules, without those of media queries: they are for other devices."""
    first, *others = sheet.split("/*")
    heads: list[str] = []
    pieces = re.split("([{}])", first + "".join(part.partition("*/")[2] for part in others))
    for text, mark in zip(pieces[::2], pieces[1::2], strict=False):
        if mark == "{":
            heads.append(text.rpartition(";")[2].strip())
        elif heads:
            selectors = heads.pop()
            if not heads and not selectors.startswith("@"):
                yield selectors, text


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

"""How people name a channel: its id, its user name, links of t.me and invitations. Pure; nothing is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qs, unquote, urlsplit

HOSTS = frozenset({"t.me", "telegram.me", "telegram.dog"})
MARK = 10**12  # what bots and clients add to a channel's id before they make it negative
USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")
INVITE = re.compile(r"[A-Za-z0-9_-]{8,64}")
# First parts of links that lead to something else than one channel.
OTHERS = {
    "addlist": "a folder of chats",
    "addstickers": "a set of stickers",
    "addemoji": "a set of emoji",
    "addtheme": "a theme",
    "bg": "a background",
    "boost": "a boost",
    "contact": "a person",
    "giftcode": "a gift",
    "iv": "a page",
    "login": "a login code",
    "m": "a message to a business",
    "proxy": "a proxy",
    "setlanguage": "a language",
    "share": "something to share",
    "socks": "a proxy",
    "invoice": "a bill",
}
LONGEST = 300  # characters, of the column


class BadAddress(ValueError):
    """A text names no channel. The text is one sentence."""


class Kind(StrEnum):
    """By what a channel is named."""

    ID = "id"
    USERNAME = "username"
    INVITE = "invite"


@dataclass(frozen=True, slots=True)
class Address:
    """How a channel is named. value: its id, its user name without "@", or the hash of an invitation."""

    kind: Kind
    value: str

    def __str__(self) -> str:
        """Return it as it is stored and shown."""
        return {Kind.ID: "", Kind.USERNAME: "@", Kind.INVITE: "https://t.me/+"}[self.kind] + self.value


def address_of(given: str | int) -> Address:
    """
    Return how a channel is named; raise BadAddress.

    >>> str(address_of("-1001500000001")), str(address_of("https://t.me/s/sandbox_reports/12")), str(address_of("@acme"))
    ('1500000001', '@sandbox_reports', '@acme')
    """
    text = str(given).strip()
    if not text:
        raise BadAddress("Name a channel: its id, its @name, or a link of t.me.")
    if len(text) > LONGEST or not text.isprintable() or any(each.isspace() for each in text):
        raise BadAddress("That is no channel: give its id, its @name, or a link of t.me.")
    if re.fullmatch(r"-?[0-9]+", text):
        return _by_id(int(text))
    if text.startswith("@"):
        return _by_name(text[1:])
    if text.lower().startswith("tg:"):
        return _by_app(text)
    if "/" in text or "." in text:
        return _by_link(text)
    return _by_name(text)


def _by_id(number: int) -> Address:
    if number < 0:
        if -number <= MARK:
            raise BadAddress("That is the id of a small group: only channels and supergroups can be a source.")
        number = -number - MARK
    if not 0 < number < MARK:
        raise BadAddress("That is no channel's id: it has at most 12 digits, or these behind -100.")
    return Address(Kind.ID, str(number))


def _by_name(name: str) -> Address:
    if not USERNAME.fullmatch(name) or name.endswith("_") or "__" in name:
        raise BadAddress("That is no user name: it begins with a letter and has 4 to 32 letters, digits and single _.")
    return Address(Kind.USERNAME, name)


def _by_invite(found: str) -> Address:
    if re.fullmatch(r"[0-9]{7,15}", found):
        raise BadAddress("That link leads to a person's phone number, and not to a channel.")
    if not INVITE.fullmatch(found):
        raise BadAddress("That is no invitation: its link looks like https://t.me/+AbCdEfGh12345678.")
    return Address(Kind.INVITE, found)


def _by_link(text: str) -> Address:
    parts = urlsplit(text if "://" in text else f"https://{text}")
    try:
        host, _ = (parts.hostname or "").lower().removeprefix("www."), parts.port
    except ValueError:
        host = ""
    if parts.scheme.lower() not in ("http", "https"):
        raise BadAddress("That is no link of Telegram: it begins with https://t.me/.")
    name, _, rest = host.partition(".")
    if rest in HOSTS and host not in HOSTS:  # name.t.me
        return _by_name(name)
    if host not in HOSTS:
        raise BadAddress("That is no link of Telegram: it begins with https://t.me/.")
    steps = [unquote(step) for step in parts.path.split("/") if step]
    if not steps:
        raise BadAddress("That link names no channel: it looks like https://t.me/name.")
    first = steps[0]
    if first.startswith("+"):
        return _by_invite(first[1:])
    if first == "joinchat":
        return _by_invite(steps[1] if len(steps) > 1 else "")
    if first == "c":
        return _by_id(_number(steps[1] if len(steps) > 1 else ""))
    if first == "s" and len(steps) > 1:
        return _by_name(steps[1])
    if first in OTHERS or first.startswith("$"):
        raise BadAddress(f"That link leads to {OTHERS.get(first, 'a bill')}, and not to a channel.")
    return _by_name(first)


def _by_app(text: str) -> Address:
    parts = urlsplit(text)
    act, query = parts.netloc or parts.path.strip("/"), parse_qs(parts.query)
    if act == "resolve" and "domain" in query:
        return _by_name(query["domain"][0])
    if act == "join" and "invite" in query:
        return _by_invite(query["invite"][0])
    if act == "privatepost" and "channel" in query:
        return _by_id(_number(query["channel"][0]))
    raise BadAddress("That link names no channel: give its id, its @name, or a link of t.me.")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0

"""Screens: how a page of a sign-in is recognised, in a browser or in an answer over HTTP, and what it means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scrapy.http import HtmlResponse, TextResponse

from scrapers.core.outcomes import LoginFailed
from scrapers.core.page import Selectors


@dataclass(frozen=True, slots=True)
class EnterCredentials:
    """Type user name and password, read them back, submit."""

    username: Selectors
    password: Selectors
    submit: Selectors


@dataclass(frozen=True, slots=True)
class ChooseFactor:
    """Choose how the code comes and ask for it."""

    option: Selectors
    send: Selectors


@dataclass(frozen=True, slots=True)
class EnterCode:
    """Type the one-time code with real key events and submit it once the portal lets us."""

    field: Selectors
    submit: Selectors
    kind: str = ""  # totp, or how the portal sends it (sms, mail); "": whatever the credential has


@dataclass(frozen=True, slots=True)
class OpenLink:
    """Open the link that came in a message, beside this page, which then goes on by itself or when it is loaded again."""

    kind: str = ""  # how the portal sends it (sms, mail); "": whatever the credential has


@dataclass(frozen=True, slots=True)
class Dismiss:
    """Click something away, or accept it."""

    click: Selectors


@dataclass(frozen=True, slots=True)
class Stop:
    """End with this failure; the texts are kept as its detail."""

    failure: type[LoginFailed]
    reason: Selectors = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The user is signed in."""


Act = EnterCredentials | ChooseFactor | EnterCode | OpenLink | Dismiss | Stop | Done


@dataclass(frozen=True, slots=True)
class Screen:
    """A page, or a part of one, that a login knows: how it is recognised and what it means. Order is precedence."""

    name: str
    shown: Selectors
    act: Act
    visits: int = 1


# What only a browser understands: it cannot be looked for in an answer over plain HTTP.
IN_A_BROWSER_ONLY = re.compile(r"^(label|text|internal:\w+)=|>>|:(text|has-text|visible|right-of|left-of)\b")


def _select(response: TextResponse, selector: str) -> Sequence[Any]:
    if not isinstance(response, HtmlResponse) or IN_A_BROWSER_ONLY.search(selector):
        return ()
    return response.xpath(xpath) if (xpath := selector.removeprefix("xpath=")) != selector else response.css(selector)


def is_shown(response: TextResponse, selectors: Selectors) -> bool:
    """Tell whether an answer over HTTP has an element that one of the selectors names."""
    return any(_select(response, selector) for selector in selectors)


def texts(response: TextResponse, selectors: Selectors) -> list[str]:
    """Return the texts, white space folded, of every element that the first matching selector names."""
    for selector in selectors:
        if found := _select(response, selector):
            return [" ".join("".join(element.css("::text").getall()).split()) for element in found]
    return []


def first_text(response: TextResponse, selectors: Selectors) -> str:
    """Return the first of those texts; "" when nothing matches."""
    return next(iter(texts(response, selectors)), "")

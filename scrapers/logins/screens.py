"""Screens: how a page of a sign-in is recognised, in a browser or an HTTP response, and the action to take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scrapy.http import HtmlResponse, TextResponse

from scrapers.core.outcomes import AccountLocked, BadCredentials, CaptchaShown, LoginFailed, MfaFailed
from scrapers.core.page import Selectors


@dataclass(frozen=True, slots=True)
class EnterCredentials:
    """
    Type user name and password, read them back, submit.

    A portal that asks for them one after the other has a screen for each: the other's selectors are empty. Both are, for
    what leads a signed-out user to the form.
    """

    username: Selectors
    password: Selectors
    submit: Selectors


@dataclass(frozen=True, slots=True)
class LinkPage:
    """The page of a link that asks whether the sign-in is allowed: what allows it, and what submits that."""

    allow: Selectors
    submit: Selectors


@dataclass(frozen=True, slots=True)
class OpenLink:
    """
    Open the link from a message in another tab; the page then continues by itself or after a reload.

    kind: how the portal sends it (sms, mail); "": whatever the credential has. page: what the link's page asks, where
    opening it is not enough.
    """

    kind: str = ""
    page: LinkPage | None = None


@dataclass(frozen=True, slots=True)
class ChooseFactor:
    """
    Choose the factor and request the code; where one click does both, there is no option and the click sends.

    kind: what the option sends (sms, mail); it is not chosen where the credential cannot receive that. "": not known.
    tick: a check box to tick where there is one, such as that the method is preferred from then on.
    contact: CSS of the masked mail address in what sends, where a portal offers several: the credential's own is chosen.
    link: the message brings a link, which is opened at once; for a portal of whose waiting page nothing is known.
    """

    option: Selectors
    send: Selectors
    kind: str = ""
    tick: Selectors = ()
    contact: str = ""
    link: OpenLink | None = None


@dataclass(frozen=True, slots=True)
class EnterCode:
    """
    Type the one-time code with key events and submit it once the button is enabled.

    unlock: the portal may leave the button disabled after the last key; then its attribute is taken away.
    tick: a check box to tick where there is one, such as that the browser is trusted from then on.
    boxes: the code is typed into one field per character; the selectors of the field match them all.
    """

    field: Selectors
    submit: Selectors
    kind: str = ""  # totp, or how the portal sends it (sms, mail); "": whatever the credential has
    unlock: bool = False
    tick: Selectors = ()
    boxes: bool = False


@dataclass(frozen=True, slots=True)
class Dismiss:
    """
    Click an element that closes or accepts a dialog.

    signed_in: it stands before the pages of signed-in users alone, and may come again in a session.
    """

    click: Selectors
    signed_in: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """
    Raise this failure, with the shown texts as its detail.

    BadCredentials counts only between password and code, AccountLocked after the password, MfaFailed after a code. late: believed only when
    no other screen comes within a third of LATCHKEY_PAGE_WAIT; for marks that may stand on any page. before_password: counts
    only before the password is submitted, whatever the failure; for a portal that judges the user name by itself.
    """

    failure: type[LoginFailed]
    reason: Selectors = ()
    late: bool = False
    before_password: bool = False

    def is_due(self, *, submitted: bool, code_entered: bool) -> bool:
        """Return whether the portal can have meant this yet."""
        if self.before_password:
            return not submitted
        if issubclass(self.failure, BadCredentials) or (self.late and issubclass(self.failure, CaptchaShown)):
            return submitted and not code_entered
        if issubclass(self.failure, AccountLocked):
            return submitted
        return code_entered or not issubclass(self.failure, MfaFailed)


@dataclass(frozen=True, slots=True)
class Done:
    """
    The user is signed in.

    weak: its elements may stand on other pages, too: they count as an address does, a moment later and beside no form.
    """

    weak: bool = False


Act = EnterCredentials | ChooseFactor | EnterCode | OpenLink | Dismiss | Stop | Done


@dataclass(frozen=True, slots=True)
class Screen:
    """
    A page, or part of one, of a sign-in: the elements or the address that recognise it, and the action.

    A screen is acted upon once per document, and in `visits` documents at most. Of several that are shown the first in the
    login's order wins: later screens stand first, because earlier ones may stay in the page. at: a regular expression that
    is found in the page's address. An address alone does not mean "signed in" while the sign-in form is shown. frame: selector
    of the frame that holds its elements; while that is shown without them, the screens behind it are not acted upon.
    """

    name: str
    shown: Selectors
    act: Act
    visits: int = 1
    at: str = ""
    frame: str = ""

    @property
    def key(self) -> str:
        """The name under which it counts as acted upon: of several factors one is chosen."""
        return "choose factor" if isinstance(self.act, ChooseFactor) else self.name

    def is_at(self, url: str) -> bool:
        """Return whether the screen is recognised by this address."""
        return bool(self.at) and re.search(self.at, url) is not None


# Selectors that only Playwright understands; they cannot be applied to an HTTP response.
IN_A_BROWSER_ONLY = re.compile(r"^(says|role|label|text|internal:\w+)=|>>|:(text|has-text|visible|right-of|left-of)\b")


def _select(response: TextResponse, selector: str) -> Sequence[Any]:
    if not isinstance(response, HtmlResponse) or IN_A_BROWSER_ONLY.search(selector):
        return ()
    return response.xpath(xpath) if (xpath := selector.removeprefix("xpath=")) != selector else response.css(selector)


def is_shown(response: TextResponse, selectors: Selectors) -> bool:
    """Return whether an HTTP response has an element that matches one of the selectors."""
    return any(_select(response, selector) for selector in selectors)


def texts(response: TextResponse, selectors: Selectors) -> list[str]:
    """Return the texts of all elements of the first selector that matches, white space collapsed."""
    for selector in selectors:
        if found := _select(response, selector):
            return [" ".join("".join(element.css("::text").getall()).split()) for element in found]
    return []


def first_text(response: TextResponse, selectors: Selectors) -> str:
    """Return the text of the first element that matches; "" when none does."""
    return next(iter(texts(response, selectors)), "")

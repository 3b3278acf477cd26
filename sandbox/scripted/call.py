"""One call of a page's script: who makes it, on which page, with which values, and the cookies that the answer sets."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from sandbox.invented import Month
from sandbox.perturb import Perturbation
from sandbox.scripted.people import shown_name
from sandbox.scripted.state import ScriptedState
from sandbox.signin import Session
from sandbox.users import User

Reply = dict[str, Any]  # what static/script.js understands: body, show, go, open, download, again, overlay, …
YEAR = 365 * 24 * 3600


@dataclass
class Call:
    """
    A call to `api/page` or `api/act` of an origin; "" is the portal's main one.

    page: path of the page that calls, with its query; values: what its form holds; cookies: name -> (value, seconds of
    life; None ends with the browser, 0 deletes).
    """

    portal: ScriptedState
    request: web.Request
    origin: str
    page: str
    session: Session | None
    values: dict[str, Any] = field(default_factory=dict)
    cookies: dict[str, tuple[str, int | None]] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The first part of every path of the origin."""
        return self.portal.site.bases[self.origin]

    @property
    def signed_in(self) -> Session:
        """The session, in a call that is answered for signed-in users only."""
        if self.session is None:
            raise LookupError("This call has no session.")
        return self.session

    @property
    def user(self) -> User:
        """The user of the session."""
        return self.signed_in.user

    @property
    def data(self) -> dict[str, Any]:
        """What the portal keeps in the session; call `keep` after a change."""
        return self.signed_in.data

    def keep(self, **changes: Any) -> None:
        """Change what the portal keeps in the session."""
        self.data.update(changes)
        self.portal.sessions.keep(self.signed_in)

    def value(self, name: str) -> str:
        """Return a value of the form as text; "" without it."""
        said = self.values.get(name, "")
        return said if isinstance(said, str) else ""

    def setting(self, name: str) -> Any:
        """Return a value of the portal's configuration."""
        return self.portal.configuration[name]

    @property
    def perturbation(self) -> Perturbation:
        """What is changed for the caller."""
        return self.portal.perturbation_of(User.of(self.request["user"]) if self.request.get("user") else None)

    @property
    def is_named(self) -> bool:
        """Whether pages say who is signed in and which account they are about; where they are wrong they always do."""
        return self.user.says("other-customer", "wrong-account") or not self.perturbation.touches("unnamed", "pages")

    @property
    def place(self) -> str:
        """The name of the page that calls."""
        return self.portal.site.name(self.origin, self.page)

    def at(self, name: str, origin: str | None = None, **query: str) -> str:
        """Return the address of a page, of this origin or of another one."""
        origin = self.origin if origin is None else origin
        address = self.portal.site.address(origin, name, self.perturbation)
        return address + (("&" if "?" in address else "?") + urlencode(query) if query else "")

    @property
    def layout(self) -> str:
        """`b` for the page structure that only labels and texts still fit, else `a`."""
        return "b" if self.session is not None and self.user.says("layout-b") else self.setting("layout")

    @property
    def accounts(self) -> list[str]:
        """The accounts that the portal lists for the user."""
        return self.portal.people.listed(self.user, self.setting("accounts"))

    @property
    def account(self) -> str | None:
        """The account that the session is in; None until one of several is chosen."""
        chosen = self.data.get("account")
        if chosen is None and len(self.accounts) == 1:
            return self.portal.people.opened(self.user, self.accounts[0], self.accounts)
        return chosen

    @property
    def today(self) -> date:
        """The portal's day."""
        return self.portal.today

    @property
    def months(self) -> list[Month]:
        """The months that the portal offers, newest first."""
        months = self.portal.published(self.user)
        if self.user.says("not-published"):
            return months[1:]
        if self.user.says("purged"):
            return months[:3]
        if self.user.says("month-missing"):
            return [month for month in months if month != months[1]]
        return months

    @property
    def delay(self) -> int:
        """How long the page takes to draw what was answered, in milliseconds."""
        shortest, longest = self.setting("render_ms")
        return round(random.uniform(shortest, longest))

    def render(self, template: str, **values: Any) -> str:
        """Return a template's HTML; it always knows base, layout and, when signed in, the user and the accounts."""
        known: dict[str, Any] = {"base": self.base, "layout": self.layout, "at": self.at, "named": True}
        if self.session is not None:
            shown = shown_name(self.user) if self.is_named else "My account"
            known |= {"shown_user": shown, "accounts": self.accounts, "account": self.account, "named": self.is_named}
        return self.portal.site.render(template, **(known | values))

    def text(self, english: str, french: str, user: User | None = None) -> str:
        """Return the sentence in the language of the user."""
        who = user or (self.user if self.session else None)
        return french if who is not None and who.says("lang-fr") else english

    def token(self) -> str:
        """Return the form token of the session, the same for its whole life."""
        return hashlib.sha256(f"csrf {self.signed_in.key}".encode()).hexdigest()[:40]

    def cookie(self, name: str) -> str | None:
        """Return the value of a cookie that the browser sent for this origin."""
        return self.request.cookies.get(self.portal.cookie(name, self.origin))

    def set_cookie(self, name: str, value: str, seconds: int | None = None) -> None:
        """Have the answer set a cookie for this origin: for so many seconds, or until the browser ends."""
        self.cookies[name] = (value, seconds)

"""
The least that a portal has, for a new imitation to begin with: form sign-in, home page, and pages behind it.

A subclass states its word, title and pages. What the real portal does otherwise replaces the method that does it here.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from html import escape
from typing import Any, ClassVar

from aiohttp import web

from sandbox.answers import attachment, found
from sandbox.frame import Portal
from sandbox.signin import Answer as Judgement
from sandbox.users import User

STRANGER = "ok+another-customer@example.com"  # the customer that the scenario `other-customer` shows
MONTHS_KEPT = 18


@dataclass(frozen=True, slots=True)
class View:
    """A signed-in request: the user, the customer that is shown, the account and month chosen, the path's parts."""

    user: User
    shown: str
    accounts: tuple[str, ...]
    account: str
    month: str  # YYYY-MM
    months: tuple[str, ...]  # that are offered, newest first
    parts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class File:
    """A file that a page answers with."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Download:
    """A page on which account and month are chosen, with a link that downloads the file."""

    title: str  # of the page, and of the link to it on the home page
    name: str  # of the file
    content: Callable[[str, str], bytes]  # of an account and a month YYYY-MM


@dataclass(frozen=True, slots=True)
class Orders:
    """A page on which reports are ordered, and listed with a link once they are made (`report_seconds` later)."""

    title: str
    reports: Mapping[str, Callable[[str, str], bytes]]  # by name; of an account and a month


Answer = str | File | list[dict[str, Any]]  # the body of a page, a file, or JSON
Page = Download | Orders | Callable[[View], Answer]
Handler = Callable[[web.Request, View], Awaitable[web.StreamResponse]]


class SimplePortal(Portal):
    """Base of an imitation of which little is known."""

    title: ClassVar[str]
    pages: ClassVar[Mapping[str, Page]]  # by path, which may have {parts}
    defaults: ClassVar[Mapping[str, Any]] = {"report_seconds": 0}
    scenarios: ClassVar[Mapping[str, str]] = {
        "ok": "everything works",
        "sms": "a code comes by text message",
        "totp": "a code of an authenticator app is wanted",
        "wrong-password": "only `new-sesame` is right",
        "locked": "the user is locked",
        "signed-out-midway": "the first session ends after 5 requests",
        "other-customer": "the pages show another customer",
        "wrong-account": "another account is opened than was chosen",
        "not-published": "the newest three months are not offered",
    }

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._orders = self.state.table("orders")

    def routes(self, origin: str) -> Iterable[web.AbstractRouteDef]:
        """Return the routes of the sign-in, the home page and the pages."""
        yield web.get("/login", self.login)
        yield web.post("/login", self.submit)
        yield web.get("/code", self.code)
        yield web.post("/code", self.submit_code)
        yield web.get("/logout", self.logout)
        yield web.get("/", self._signed_in(self.home))
        for path, page in self.pages.items():
            if isinstance(page, Download):
                yield web.get(f"/{path}", self._signed_in(self._choice(path, page)))
                yield web.get(f"/{path}/file", self._signed_in(self._file(page)))
            elif isinstance(page, Orders):
                yield web.get(f"/{path}", self._signed_in(self._ordering(path, page)))
                yield web.post(f"/{path}", self._signed_in(self._order(path, page)))
                yield web.get(f"/{path}/{{order}}", self._signed_in(self._made(page)))
            else:
                yield web.get(f"/{path}", self._signed_in(self._shown(page)))

    # Signing in

    async def login(self, request: web.Request) -> web.StreamResponse:
        """Show the sign-in."""
        return self._sign_in_page(request)

    def _sign_in_page(self, request: web.Request, alert: str = "", message: str = "") -> web.Response:
        visit, secret = self.visits.find(request.cookies.get(self.cookie("visit"))), ""
        if visit is None:
            visit, secret = self.visits.open()
        answer = self.page(
            "Sign in",
            f'{_alert(alert, message)}<form id="login" method="post" action="/login">{self._token(visit)}'
            '<label>User name <input id="username" name="username"></label>'
            '<label>Password <input id="password" name="password" type="password"></label>'
            '<button id="sign-in" type="submit">Sign in</button></form>',
        )
        if secret:
            answer.set_cookie(self.cookie("visit"), secret, httponly=True, samesite="Lax")
        return answer

    def _token(self, visit: str) -> str:
        return f'<input type="hidden" name="csrf_token" value="{self.visits.token(visit)}">'

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """Judge a user name and password."""
        form = await request.post()
        visit = self.visits.find(request.cookies.get(self.cookie("visit")))
        if visit is None or not self.visits.take(visit, str(form.get("csrf_token", ""))):
            return self.page("Form expired", _alert("form", "This form has expired."), status=403)
        user = User.of(str(form.get("username", "")))
        request["user"] = user.name
        answer = self.passwords.submit(user.name, str(form.get("password", "")))
        if answer is Judgement.LOCKED:
            return self._sign_in_page(request, "locked", "Your profile is locked.")
        if answer is Judgement.REFUSED:
            return self._sign_in_page(request, "credentials", "The user name or password is not right.")
        factor = self.codes.factor(user)
        if not factor:
            return self._welcome(visit, user)
        self.visits.change(visit, user=user.name)
        if factor == "sms":
            self.codes.send(user, visit)
        return found("/code")

    async def code(self, request: web.Request) -> web.StreamResponse:
        """Show the page for the code, to those who have shown a password."""
        visit = self.visits.find(request.cookies.get(self.cookie("visit")))
        if visit is None or not self.visits.row(visit)["user"]:
            return found("/login")
        return self._code_page(visit)

    def _code_page(self, visit: str, alert: str = "") -> web.Response:
        return self.page(
            "Verification",
            f'{_alert(alert, "This code is not right.")}<form id="code" method="post" action="/code">'
            f'{self._token(visit)}<label>Verification code <input id="code-field" name="code"></label>'
            '<button id="continue" type="submit">Continue</button></form>',
        )

    async def submit_code(self, request: web.Request) -> web.StreamResponse:
        """Judge a code."""
        form = await request.post()
        visit = self.visits.find(request.cookies.get(self.cookie("visit")))
        if visit is None or not self.visits.row(visit)["user"]:
            return found("/login")
        if not self.visits.take(visit, str(form.get("csrf_token", ""))):
            return self.page("Form expired", _alert("form", "This form has expired."), status=403)
        user = User.of(self.visits.row(visit)["user"])
        request["user"] = user.name
        answer = self.codes.check(user, visit, str(form.get("code", "")))
        if answer is Judgement.GOOD:
            return self._welcome(visit, user)
        if answer is Judgement.TOO_MANY:
            self.visits.end(visit)
            return found("/login")
        return self._code_page(visit, "code")

    def _welcome(self, visit: str, user: User) -> web.Response:
        self.visits.end(visit)
        answer = found("/")
        answer.set_cookie(self.cookie("session"), self.sessions.open(user), httponly=True, samesite="Lax")
        answer.del_cookie(self.cookie("visit"))
        return answer

    async def logout(self, request: web.Request) -> web.StreamResponse:
        """End the session."""
        session = self.session(request)
        if session is not None:
            self.sessions.close(session.key)
        return found("/login")

    # Signed in

    def _signed_in(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return a handler that sends requests without a live session to the sign-in."""

        async def answer(request: web.Request) -> web.StreamResponse:
            session = self.session(request)
            return found("/login") if session is None else await handler(request, self._view(request, session.user))

        return answer

    def _view(self, request: web.Request, user: User) -> View:
        shown = STRANGER if user.says("other-customer") else user.name
        numbers, months = accounts(shown), self._months(user)
        account = request.query.get("account", numbers[0])
        if user.says("wrong-account"):
            account = next(number for number in numbers if number != account)
        month = request.query.get("month", months[0])
        if account not in numbers or month not in months:
            raise web.HTTPNotFound(text="There is no such account or month.")
        return View(user, shown, numbers, account, month, months, dict(request.match_info))

    def _months(self, user: User) -> tuple[str, ...]:
        day = datetime.fromtimestamp(self.now(), UTC).date().replace(day=1)
        months = []
        for _ in range(MONTHS_KEPT):
            months.append(f"{day:%Y-%m}")
            day = (day - timedelta(days=1)).replace(day=1)
        return tuple(months[3:] if user.says("not-published") else months)

    async def home(self, request: web.Request, view: View) -> web.StreamResponse:
        """Show the home page; it and every page behind it say who is signed in, and link to the pages with a title."""
        return self.framed("Home", "<p>Welcome</p>", view)

    def framed(self, title: str, body: str, view: View) -> web.Response:
        """Return a signed-in page."""
        titled = [(path, page.title) for path, page in self.pages.items() if isinstance(page, Download | Orders)]
        links = " ".join(f'<a href="/{path}">{escape(name)}</a>' for path, name in titled)
        numbers = "".join(f"<li>{number}</li>" for number in view.accounts)
        return self.page(
            title,
            f'<header>Signed in as <span id="user">{escape(view.shown)}</span> <a id="sign-out" href="/logout">Sign out</a>'
            f'<ul id="accounts">{numbers}</ul><nav>{links}</nav></header>'
            f"<main>{body}</main>",
        )

    def page(self, title: str, body: str, status: int = 200) -> web.Response:
        """Return a page."""
        text = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(f"{title} - {self.title}")}'
            f"</title></head><body><h1>{escape(title)}</h1>{body}</body></html>"
        )
        return web.Response(text=text, status=status, content_type="text/html")

    def _shown(self, page: Callable[[View], Answer]) -> Handler:
        async def answer(request: web.Request, view: View) -> web.StreamResponse:
            made = page(view)
            if isinstance(made, list):
                return web.json_response(made)
            return sent(made) if isinstance(made, File) else self.framed(self.title, made, view)

        return answer

    def _choice(self, path: str, page: Download) -> Handler:
        async def answer(request: web.Request, view: View) -> web.StreamResponse:
            body = f'<form method="get" action="/{path}">{choices(view)}<button id="show" type="submit">Show</button></form>'
            if "account" in request.query:
                link = f"/{path}/file?account={view.account}&amp;month={view.month}"
                body += (
                    f'<p>Account <b id="shown-account">{view.account}</b>, <b id="shown-month">{named(view.month)}</b></p>'
                    f'<a id="download" href="{link}">Download</a>'
                )
            return self.framed(page.title, body, view)

        return answer

    def _file(self, page: Download) -> Handler:
        async def answer(request: web.Request, view: View) -> web.StreamResponse:
            return sent(File(page.name, page.content(view.account, view.month)))

        return answer

    def _ordering(self, path: str, page: Orders) -> Handler:
        async def answer(request: web.Request, view: View) -> web.StreamResponse:
            rows = []
            for key, row in reversed(list(self._orders.items())):
                if row["user"] != view.user.name:
                    continue
                is_made = self.now() - row["at"] >= float(self.configuration["report_seconds"])
                link = f'<a href="/{path}/{key}">Download</a>' if is_made else "Being made"
                cells = (escape(row["report"]), row["account"], named(row["month"]), link)
                rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
            names = "".join(f"<option>{escape(name)}</option>" for name in page.reports)
            body = (
                f'<form method="post" action="/{path}"><label>Report <select id="report" name="report">{names}</select>'
                f'</label>{choices(view)}<button id="order" type="submit">Order</button></form>'
                f'<table id="orders"><tbody>{"".join(rows)}</tbody></table>'
            )
            return self.framed(page.title, body, view)

        return answer

    def _order(self, path: str, page: Orders) -> Handler:
        async def answer(request: web.Request, view: View) -> web.StreamResponse:
            form = await request.post()
            row = {name: str(form.get(name, "")) for name in ("report", "account", "month")}
            if row["report"] not in page.reports or row["account"] not in view.accounts:
                raise web.HTTPBadRequest(text="There is no such report or account.")
            self._orders[f"{len(self._orders) + 1:04d}"] = {**row, "user": view.user.name, "at": self.now()}
            return found(f"/{path}")

        return answer

    def _made(self, page: Orders) -> Handler:
        async def answer(request: web.Request, view: View) -> web.StreamResponse:
            row = self._orders.get(view.parts["order"])
            if row is None or row["user"] != view.user.name:
                raise web.HTTPNotFound(text="There is no such report.")
            content = page.reports[row["report"]](row["account"], row["month"])
            return sent(File(f"{row['report']}.xlsx", content))

        return answer


def accounts(username: str) -> tuple[str, str]:
    """Return the two account numbers of a user, the same in every process."""
    digest = hashlib.sha256(f"accounts {User.of(username).name}".encode()).digest()
    first, second = (f"{int.from_bytes(digest[at : at + 6], 'big') % 10**8 + 10**8}" for at in (0, 6))
    return first, second


def choices(view: View) -> str:
    """Return the drop-downs for account and month, with the chosen ones selected."""
    numbers = "".join(_option(number, number, number == view.account) for number in view.accounts)
    months = "".join(_option(month, named(month), month == view.month) for month in view.months)
    return (
        f'<label>Account <select id="account" name="account">{numbers}</select></label>'
        f'<label>Month <select id="month" name="month">{months}</select></label>'
    )


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def named(month: str) -> str:
    """Return a month YYYY-MM as people write it: October 2026."""
    return f"{date.fromisoformat(f'{month}-01'):%B %Y}"


def sent(file: File) -> web.Response:
    """Return a file, of the media type that its name's ending tells."""
    return attachment(file.content, file.name, mimetypes.guess_type(file.name)[0] or "application/octet-stream")


def _option(value: str, text: str, selected: bool) -> str:
    return f'<option value="{value}"{" selected" if selected else ""}>{text}</option>'


def _alert(situation: str, message: str) -> str:
    return f'<p class="alert alert--{situation}" role="alert">{message}</p>' if situation else ""

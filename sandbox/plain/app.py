"""The plain portal: its facts, its sign-in and its documents."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from aiohttp import web

from sandbox import faults, files
from sandbox.answers import attachment, found, html, with_tag
from sandbox.frame import Portal
from sandbox.messages import Mail
from sandbox.plain import data, pages
from sandbox.signin import Answer, Session, digest
from sandbox.users import User, mailbox, phone

STRANGER = "ok+somebody-else@example.com"  # the customer that the scenario `other-customer` shows
MOST_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True)
class View:
    """A signed-in request: the session, the customer that its pages show, and the account it is about."""

    session: Session
    shown: str
    accounts: tuple[str, str]
    account: str

    @property
    def user(self) -> User:
        """Who is signed in."""
        return self.session.user


SignedIn = Callable[["PlainPortal", web.Request, View], Awaitable[web.StreamResponse]]
Page = Callable[["PlainPortal", web.Request], Awaitable[web.StreamResponse]]


def signed_in(handler: SignedIn) -> Page:
    """Let a handler be called for live sessions only; others see the sign-in."""

    async def page(portal: PlainPortal, request: web.Request) -> web.StreamResponse:
        session = portal.session(request)
        if session is None:
            return portal.signed_out(request)
        limited = portal.rate_limited(session.user)
        return limited or await handler(portal, request, portal.view(request, session))

    return page


class PlainPortal(Portal):
    """Form sign-in with a token, a code if the user name says so, a paged list and files."""

    word = "plain"
    origins: ClassVar = {"": "PLAIN_URL"}
    sender = "+15550100001"
    message = "Plain: your verification code is {code}. Do not share it."
    journal_query = frozenset({"page", "per", "month", "account", "rows", "bytes", "next"})
    defaults: ClassVar = {
        "documents": 20,  # documents per account
        "per_page": 20,
        "file_bytes": 100_000,
        "signed_out_answer": "redirect",  # or "page": the sign-in page with status 200; "text": a sentence
        "rate_limited_requests": 2,  # signed-in requests refused in the scenario `rate-limited`
    }
    scenarios: ClassVar = {
        "ok": "everything works",
        "sms": "a code comes by text message",
        "trusts": "as a tag of sms: a device on which a code was right is not asked for another",
        "totp": "a code of an authenticator app is wanted",
        "link": "a message has a link, and the sign-in waits until it was opened",
        "strange-link": "the message's link leads elsewhere",
        "code-late": "the message comes late",
        "code-never": "no message comes",
        "code-refused": "no code is right",
        "wrong-password": "only `new-sesame` is right",
        "locked": "the user is locked",
        "captcha": "a captcha comes after the password",
        "submit-503": "503 after the password was submitted",
        "submit-hang": "no answer after the password was submitted",
        "submit-drop": "the connection breaks after the password was submitted",
        "signed-out-midway": "the first session ends after 5 requests",
        "other-customer": "the pages show and serve another customer",
        "wrong-account": "another account is opened than was asked for",
        "account-missing": "the account that was asked for is not there",
        "not-published": "no month is published yet",
        "purged": "every month is gone",
        "month-missing": "the months offered lack the one that was asked for",
        "layout-b": "the list looks different",
        "rate-limited": "429 with Retry-After for the first 2 requests",
        "rate-limited-bare": "the same without Retry-After",
        "truncated-file": "files break off half-way",
        "empty-file": "files are empty",
        "html-instead-of-pdf": "a page comes instead of a file",
        "unsafe-zip": "the bundle's members point outside it",
        "gzip": "files come compressed to whoever accepts that",
    }

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._troubles = self.state.table("troubles")
        self._links = self.state.table("links")

    def routes(self, origin: str) -> Iterable[web.AbstractRouteDef]:
        """Return the portal's routes; it has one origin."""

        def at(page: Page) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
            return lambda request: page(self, request)

        return [
            web.get("/", at(PlainPortal.home)),
            web.get("/login", at(PlainPortal.login)),
            web.post("/login", at(PlainPortal.submit)),
            web.get("/code", at(PlainPortal.code)),
            web.post("/code", at(PlainPortal.submit_code)),
            web.post("/code/send", at(PlainPortal.send_code)),
            web.get("/waiting", at(PlainPortal.waiting)),
            web.get("/allow/{ticket}", at(PlainPortal.allow)),
            web.get("/logout", at(PlainPortal.logout)),
            web.get("/documents", at(PlainPortal.documents)),
            web.get("/documents/{id}", at(PlainPortal.detail)),
            web.get("/documents/{id}/file", at(PlainPortal.file)),
            web.get("/big", at(PlainPortal.big)),
            web.get("/usage.csv", at(PlainPortal.usage)),
            web.get("/bundle.zip", at(PlainPortal.bundle)),
            web.get("/unsafe.zip", at(PlainPortal.unsafe)),
        ]

    # Signing in

    async def home(self, request: web.Request) -> web.StreamResponse:
        """Redirect to the documents."""
        return found("/documents")

    async def login(self, request: web.Request) -> web.StreamResponse:
        """Show the sign-in, or the documents to those who are signed in."""
        if self.sessions.look(request.cookies.get(self.cookie("session"))):
            return found("/documents")
        return self._login_page(request)

    def _login_page(self, request: web.Request, alert: str = "", message: str = "") -> web.Response:
        visit, secret = self._visit(request)
        following = local(request.query.get("next", ""))
        answer = html(pages.sign_in(self.visits.token(visit), alert, message, quote(following, safe="/")))
        if secret:
            answer.set_cookie(self.cookie("visit"), secret, httponly=True, samesite="Lax")
        return answer

    def _visit(self, request: web.Request) -> tuple[str, str]:
        """Return the key of a request's visit, and a value for its cookie if it is new."""
        visit = self.visits.find(request.cookies.get(self.cookie("visit")))
        return (visit, "") if visit else self.visits.open()

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """Judge a user name and password."""
        form = await request.post()
        visit = self.visits.find(request.cookies.get(self.cookie("visit")))
        if visit is None or not self.visits.take(visit, str(form.get("csrf_token", ""))):
            return html(pages.refused_form(), status=403)
        user = User.of(str(form.get("username", "")))
        request["user"] = user.name
        answer = self.passwords.submit(user.name, str(form.get("password", "")))
        disturbed = await self._disturb_submission(request, user)
        if disturbed is not None:
            return disturbed
        if answer is Answer.LOCKED:
            return self._login_page(request, "locked", "Your profile is locked. Please call us.")
        if answer is Answer.REFUSED:
            return self._login_page(request, "credentials", "The user name or password is not right.")
        if user.says("captcha"):
            return html(pages.captcha())
        following = local(request.query.get("next", ""))
        if user.says("link", "strange-link"):
            self.visits.change(visit, user=user.name, next=following, allowed=False)
            self._send_link(user, visit)
            return found("/waiting")
        factor = self.codes.factor(user)
        if not factor or request.cookies.get(self.cookie("device")) == self._device(user):
            return self._welcome(visit, user, following)
        self.visits.change(visit, user=user.name, next=following, sent=not user.says("send"))
        if factor == "sms" and not user.says("send"):
            self.codes.send(user, visit)
        return found("/code")

    def _device(self, user: User) -> str:
        """Return the cookie by which a user's device is known once a code was right on it."""
        return digest(f"device of {user.name}")

    async def _disturb_submission(self, request: web.Request, user: User) -> web.StreamResponse | None:
        for word in ("submit-503", "submit-hang", "submit-drop"):
            if user.says(word) and self._troubled(user, word):
                self.state.flush()
                return await faults.answer(request, faults.Fault(word.removeprefix("submit-")))
        return None

    async def code(self, request: web.Request) -> web.StreamResponse:
        """Show the page for the code, to those who have shown a password."""
        visit = self.visits.find(request.cookies.get(self.cookie("visit")))
        if visit is None or not self.visits.row(visit)["user"]:
            return found("/login")
        return self._code_page(visit)

    def _code_page(self, visit: str, alert: str = "", message: str = "") -> web.Response:
        row = self.visits.row(visit)
        factor = self.codes.factor(User.of(row["user"]))
        to_send = factor == "sms" and not row["sent"]
        return html(pages.code(self.visits.token(visit), factor, alert, message, to_send))

    async def _code_form(self, request: web.Request) -> tuple[str, User, str] | web.StreamResponse:
        """Return the visit, user and typed code of a form of the code page, or the answer that refuses it."""
        form = await request.post()
        visit = self.visits.find(request.cookies.get(self.cookie("visit")))
        if visit is None or not self.visits.row(visit)["user"]:
            return found("/login")
        user = User.of(self.visits.row(visit)["user"])
        request["user"] = user.name
        if not self.visits.take(visit, str(form.get("csrf_token", ""))):
            return html(pages.refused_form(), status=403)
        return visit, user, str(form.get("code", ""))

    async def send_code(self, request: web.Request) -> web.StreamResponse:
        """Send a code, or another one."""
        form = await self._code_form(request)
        if isinstance(form, web.StreamResponse):
            return form
        visit, user, _ = form
        if self.codes.factor(user) == "sms":
            self.codes.send(user, visit)
        self.visits.change(visit, sent=True)
        return found("/code")

    async def submit_code(self, request: web.Request) -> web.StreamResponse:
        """Judge a code."""
        form = await self._code_form(request)
        if isinstance(form, web.StreamResponse):
            return form
        visit, user, code = form
        answer = self.codes.check(user, visit, code)
        if answer is Answer.GOOD:
            return self._welcome(visit, user, self.visits.row(visit).get("next", ""))
        if answer is Answer.TOO_MANY:
            self.visits.end(visit)
            return found("/login")
        return self._code_page(visit, "code", "This code is not right.")

    def _send_link(self, user: User, visit: str) -> None:
        """Send a message with a link that is good once, for this visit: by mail with the tag `mail`."""
        ticket = secrets.token_urlsafe(24)
        self.reveal("tokens", ticket)
        self._links[digest(ticket)] = {"visit": visit}
        origin = "https://portal.stranger.example" if user.says("strange-link") else self.urls[""]
        link = f"{origin}/allow/{ticket}"
        text = f"Somebody signs in to Plain as you. Allow or deny <{link}>"
        if not user.says("mail"):
            self.gateway.send(self.configuration["sms_url"], self.sender, phone(user.name), text)
            return
        markup = f'<p>Somebody signs in to Plain as you.</p><p><a href="{link}">Allow or deny</a></p>'
        text, markup = ("", markup) if user.says("mail-html") else (text, "")
        mail = Mail(self.mail_sender, mailbox(user.name), "A sign-in", text, markup)
        self.gateway.mail(self.configuration["mail_url"], self.configuration["mail_folder"], mail)

    async def allow(self, request: web.Request) -> web.StreamResponse:
        """Let the visit go on that a link belongs to; a link is good once."""
        row = self._links.pop(digest(request.match_info["ticket"]), None)
        if row is None or not self.visits.is_open(row["visit"]):
            return html(pages.whole("Gone", "<h1>This link is no longer good</h1>"), status=410)
        self.visits.change(row["visit"], allowed=True)
        return html(pages.whole("Thank you", "<h1>The sign-in goes on</h1>"))

    async def waiting(self, request: web.Request) -> web.StreamResponse:
        """Show the page that loads itself until the link was opened."""
        visit = self.visits.find(request.cookies.get(self.cookie("visit")))
        if visit is None or not self.visits.row(visit)["user"]:
            return found("/login")
        row = self.visits.row(visit)
        if row.get("allowed"):
            return self._welcome(visit, User.of(row["user"]), row.get("next", ""))
        return html(pages.waiting())

    def _welcome(self, visit: str, user: User, following: str) -> web.StreamResponse:
        self.visits.end(visit)
        answer = found(following or "/documents")
        answer.set_cookie(self.cookie("session"), self.sessions.open(user), httponly=True, samesite="Lax")
        answer.del_cookie(self.cookie("visit"))
        if user.says("trusts"):
            answer.set_cookie(self.cookie("device"), self._device(user), max_age=31_536_000, httponly=True)
        return answer

    async def logout(self, request: web.Request) -> web.StreamResponse:
        """End the session."""
        session = self.session(request)
        if session is not None:
            self.sessions.close(session.key)
        answer = found("/login")
        answer.del_cookie(self.cookie("session"))
        return answer

    def signed_out(self, request: web.Request) -> web.StreamResponse:
        """Answer a request without a live session."""
        if self.configuration["signed_out_answer"] == "page":
            return self._login_page(request)
        if self.configuration["signed_out_answer"] == "text":
            return html("<!doctype html><title>Plain</title><p>You were away for a while. Please begin again.</p>")
        return found(f"/login?{urlencode({'next': request.path_qs})}")

    # Signed in

    def view(self, request: web.Request, session: Session) -> View:
        """Return the customer and account that a request sees."""
        shown = STRANGER if session.user.says("other-customer") else session.user.name
        numbers = data.accounts(shown)
        asked = request.query.get("account", numbers[0])
        if session.user.says("wrong-account"):
            asked = next(number for number in numbers if number != asked)
        missing = session.user.says("account-missing") or asked not in numbers
        return View(session, shown, numbers, "" if missing else asked)

    def rate_limited(self, user: User) -> web.Response | None:
        """Return the 429 of a user who is to be slowed down, if one is left."""
        word = next((word for word in ("rate-limited", "rate-limited-bare") if user.says(word)), "")
        if not word or not self._troubled(user, word, self.configuration["rate_limited_requests"]):
            return None
        headers = {} if word.endswith("-bare") else {"Retry-After": "1"}
        return web.Response(status=429, text="Too many requests", headers=headers)

    def _troubled(self, user: User, word: str, times: float = float("inf")) -> bool:
        """Count a trouble that a user is to meet, and say whether to let it happen: `times-<k>` is for how often."""
        key = f"{user.name} {word}"
        row = self._troubles.setdefault(key, {"times": 0})
        if row["times"] >= user.number("times", times):
            return False
        row["times"] += 1
        self._troubles.touch(key)
        return True

    def _page(self, view: View, title: str, body: str, request: web.Request) -> web.Response:
        """Return a signed-in page, or 304 to those who have it."""
        return with_tag(html(pages.frame(title, view.shown, view.accounts, view.account, body)), request)

    @signed_in
    async def documents(self, request: web.Request, view: View) -> web.StreamResponse:
        """Show a page of an account's documents, newest first; of one month if the address says so."""
        if not view.account:
            return self._page(view, "Documents", pages.alert("account-missing", "There is no such account."), request)
        page, per = whole(request, "page", 1), whole(request, "per", int(self.configuration["per_page"]))
        if page < 1 or not 1 <= per <= 1_000:
            raise web.HTTPBadRequest(text="page counts from 1, per from 1 to 1000.")
        if "month" in request.query:
            return self._month(request, view, request.query["month"])
        total = int(self.configuration["documents"])
        newest = total - (page - 1) * per
        shown = [data.document(view.account, number) for number in range(newest, max(newest - per, 0), -1)]
        query = {**request.query, "page": str(page + 1)}
        following = f"/documents?{urlencode(query)}" if newest > per else ""
        body = pages.listing_b(shown) if view.user.says("layout-b") else pages.listing(shown, total, following)
        return self._page(view, "Documents", body, request)

    def _month(self, request: web.Request, view: View, month: str) -> web.StreamResponse:
        every = [data.document(view.account, number) for number in range(int(self.configuration["documents"]), 0, -1)]
        offered = sorted({row.day.isoformat()[:7] for row in every}, reverse=True)
        if view.user.says("month-missing"):
            offered = [other for other in offered if other != month]
        shown = [row for row in every if row.day.isoformat()[:7] == month and month in offered]
        body = pages.months(offered, month)
        if view.user.says("not-published") or (not shown and offered and month > offered[0]):
            body += pages.alert("not-published", "This month is not published yet.")
        elif view.user.says("purged") or (not shown and offered and month < offered[-1]):
            body += pages.alert("purged", "This month is no longer kept.")
        elif not shown:
            body += pages.alert("month-missing", "There is nothing to show.")
        else:
            body += pages.listing_b(shown) if view.user.says("layout-b") else pages.listing(shown, len(shown), "")
        return self._page(view, "Documents", body, request)

    def _document(self, request: web.Request, view: View) -> data.Document:
        row = data.find(view.accounts, request.match_info["id"], int(self.configuration["documents"]))
        if row is None:
            raise web.HTTPNotFound(text=pages.whole("Not found", "<h1>Not found</h1>"), content_type="text/html")
        return row

    @signed_in
    async def detail(self, request: web.Request, view: View) -> web.StreamResponse:
        """Show a document."""
        row = self._document(request, view)
        return self._page(view, row.title, pages.detail(row), request)

    @signed_in
    async def file(self, request: web.Request, view: View) -> web.StreamResponse:
        """Send a document's PDF, or what the scenario has in its place."""
        row, user = self._document(request, view), view.user
        body = files.pdf(f"{row.title} of account {view.account or row.id}", int(self.configuration["file_bytes"]))
        answer = attachment(body, f"{row.id}.pdf", "application/pdf")
        if user.says("gzip"):
            answer.enable_compression()  # for those who say that they can undo it
        words = ("truncated-file", "empty-file", "html-instead-of-pdf")
        word = next((word for word in words if user.says(word)), "")
        only = user.value("only")  # `only-3`: just the document with the number 3
        if not word or (only and int(only) != row.number) or not self._troubled(user, f"{word} {row.id}"):
            return with_tag(answer, request, f"{row.id} {self.configuration['file_bytes']}")
        if word == "truncated-file":
            return await faults.cut_short(request, answer)
        if word == "empty-file":
            return attachment(b"", f"{row.id}.pdf", "application/pdf")
        sorry = pages.frame("Sorry", view.shown, view.accounts, view.account, "<h1>This document cannot be shown</h1>")
        if user.says("mislabelled"):
            return attachment(sorry.encode(), f"{row.id}.pdf", "application/pdf")
        return html(sorry)

    @signed_in
    async def big(self, request: web.Request, view: View) -> web.StreamResponse:
        """Send a PDF of `bytes` bytes, 300 MB without that."""
        size = whole(request, "bytes", 300_000_000)
        if not files.SMALLEST_PDF <= size <= MOST_BYTES:
            raise web.HTTPBadRequest(text=f"bytes must be from {files.SMALLEST_PDF} to {MOST_BYTES}.")
        headers = {"Content-Disposition": 'attachment; filename="big.pdf"', "Content-Type": "application/pdf"}
        answer = web.StreamResponse(headers=headers)
        answer.content_length = size
        await answer.prepare(request)
        for piece in files.pdf_pieces("A big one", size):
            await answer.write(piece)
            self.streamed(len(piece))
        await answer.write_eof()
        return answer

    @signed_in
    async def usage(self, request: web.Request, view: View) -> web.StreamResponse:
        """Send a CSV of `rows` rows, 1000 without that."""
        rows = whole(request, "rows", 1_000)
        if not 0 <= rows <= 1_000_000:
            raise web.HTTPBadRequest(text="rows must be from 0 to 1000000.")
        return with_tag(attachment(files.usage_csv(view.account, rows), "usage.csv", "text/csv"), request)

    @signed_in
    async def bundle(self, request: web.Request, view: View) -> web.StreamResponse:
        """Send a ZIP with two PDFs and a CSV."""
        if view.user.says("unsafe-zip"):
            return attachment(files.unsafe_zip(), "bundle.zip", "application/zip")
        members = {f"invoice-{number}.pdf": files.pdf(f"{view.account} {number}", 5_000) for number in (1, 2)}
        members["usage.csv"] = files.usage_csv(view.account, 100)
        return with_tag(attachment(files.pack(members), "bundle.zip", "application/zip"), request)

    @signed_in
    async def unsafe(self, request: web.Request, view: View) -> web.StreamResponse:
        """Send a ZIP that must not be unpacked."""
        return attachment(files.unsafe_zip(), "unsafe.zip", "application/zip")


def local(where: str) -> str:
    """Return an address of this portal as it is, and "" for any other."""
    return where if where.startswith("/") and not where.startswith(("//", "/\\")) else ""


def whole(request: web.Request, name: str, default: int) -> int:
    """Return a number of the address; 400 when it is none."""
    said = request.query.get(name, str(default))
    if not said.isdecimal() or len(said) > 12:
        raise web.HTTPBadRequest(text=f"{name} must be a whole number.")
    return int(said)


PORTAL = PlainPortal

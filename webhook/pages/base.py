"""What all pages share: the layout, messages, the token of forms, the policy on content, static files, errors."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, g, request, send_from_directory, url_for
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.exceptions import Forbidden, HTTPException, MethodNotAllowed, Unauthorized

from database.families.watching import HIGHEST_ID
from database.models.operators import Role
from webhook.access import Caller, access, callers_of, for_callers
from webhook.api.requests import SAFE, UserAccess, cookie_token
from webhook.settings import PriceWatchSettings

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
TOKEN = "form_token"  # the hidden field of every form
ID = f"int(min=1, max={HIGHEST_ID})"  # what the address of a row's page holds
YEAR = 365 * 86_400  # seconds
# Scripts and styles are files of ours; nothing on a page can bring others along. Pico's icons are `data:` images.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`, with which browsers send no Origin either: that tells our forms from those of other sites.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
SENTENCES = {
    HTTPStatus.NOT_FOUND: "There is no such page.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This page is not opened like that: begin again.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "That is more than a form may hold.",
}


@dataclass(frozen=True)
class Section:
    """A part of the pages that the navigation names. endpoint: of its first page. roles: of those to whom it is shown."""

    name: str
    endpoint: str
    roles: frozenset[Role] = frozenset({Role.USER})


@dataclass(frozen=True)
class Door:
    """Where one comes in, and goes out. The fields are endpoints; prefix: of the pages that it leads to."""

    home: str
    sign_in: str
    sign_out: str
    prefix: str


@dataclass
class Pages:
    """
    The pages of the application; a module of pages adds its paths, sections and messages.

    home: endpoint of the first page. sign_in: endpoint of the page to which visitors without a sign-in are sent.
    """

    settings: PriceWatchSettings
    access: UserAccess
    home: str = ""
    sign_in: str = ""
    sign_out: str = ""
    room: Door | None = None  # of the control room
    prefixes: set[str] = field(default_factory=lambda: {"/static"})
    sections: list[Section] = field(default_factory=list)
    # By its name, which travels in a cookie from a form to the page after it; the cookie holds no text of its own.
    messages: dict[str, str] = field(default_factory=lambda: {"sign-in-needed": "Sign in first."})

    def __post_init__(self) -> None:
        """Make what renders the templates."""
        self.templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.templates.globals.update(pages=self, url_for=url_for, asset=asset)

    @property
    def filters(self) -> dict[str, Any]:
        """The filters of the templates, to which a module of pages adds its own."""
        return self.templates.filters

    def register(self, app: Flask) -> None:
        """Add the first page and the static files to an application."""
        routes = Blueprint("pages", __name__)

        @routes.get("/")
        @for_callers(Caller.ANYONE)
        def home() -> Response:
            return self.redirect(self.door.home)

        @routes.get("/static/<path:name>")
        @for_callers(Caller.ANYONE)
        def static(name: str) -> Response:
            response = send_from_directory(STATIC, name)
            # Its address has the hash of its content.
            response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
            return response

        app.register_blueprint(routes)

    # Who asks

    @property
    def door(self) -> Door:
        """The door for who asks: that of the control room for its pages, and for users who have a role."""
        if self.room is not None:
            prefix = self.room.prefix
            is_inside = request.path == prefix or request.path.startswith(f"{prefix}/")
            if is_inside or not self.home or access().role is not Role.USER:
                return self.room
        return Door(self.home, self.sign_in, self.sign_out, "/")

    @property
    def shown_sections(self) -> list[Section]:
        """The sections that are shown to who asks."""
        return [each for each in self.sections if access().role in each.roles]

    def are_asked_for(self) -> bool:
        """Tell whether a request is for a page, also where there is none of that address."""
        return request.path == "/" or any(
            request.path == prefix or request.path.startswith(f"{prefix}/") for prefix in self.prefixes
        )

    def let_in(self, view: Callable[..., object] | None) -> None:
        """
        Note who is signed in, for a view that may be seen by users or anyone; None: there is no such page.

        Raises Forbidden for a form that is none of ours, Unauthorized without a sign-in.
        """
        self.access.refuse_other_sites()
        if request.method not in SAFE:
            shown = request.form.get(TOKEN, "")
            if not hmac.compare_digest(shown.encode("utf-8", "replace"), self.form_token().encode()):
                raise Forbidden("The form is out of date: open its page again, then send it once more.")
        callers = callers_of(view) if view is not None else {Caller.ANYONE}
        if Caller.USER in callers:
            self.access.let_in(view)
        elif Caller.ANYONE not in callers:
            raise Unauthorized
        elif request.endpoint != "pages.static" and (found := self.access.signed_in()) is not None:
            self.access.note(found)

    def form_token(self) -> str:
        """
        Return what every form carries: it belongs to the sign-in, for visitors without one to a cookie of their own.

        No page of another site can read either cookie.
        """
        key = cookie_token(self.settings) or self._visit()
        return hmac.new(key.encode("utf-8", "replace"), b"form", hashlib.sha256).hexdigest()

    def _visit(self) -> str:
        """Return the random text in the visitor's cookie; a new one is sent along with the page."""
        if known := request.cookies.get(self._cookie("visit")):
            return known
        if "visit" not in g:
            g.visit = secrets.token_urlsafe(32)
        made: str = g.visit
        return made

    # Answers

    def render(self, template: str, status: int = 200, **values: Any) -> Response:
        """Return a page; *template*: its name without `.html`. One that begins with `_` is a part of a page, for htmx."""
        is_part = template.rpartition("/")[2].startswith("_")
        message = "" if is_part else self.messages.get(request.cookies.get(self._cookie("message"), ""), "")
        shown = {"user": g.get("user"), "message": message, "request_path": request.path}
        shown |= {"token_name": TOKEN, "token": self.form_token()}
        response = Response(self.templates.get_template(f"{template}.html").render({**shown, **values}), status)
        if message:
            response.delete_cookie(self._cookie("message"), **self._flags())
        if "visit" in g:
            response.set_cookie(self._cookie("visit"), g.visit, **self._flags())
        return response

    def redirect(self, endpoint: str, message: str = "", **values: Any) -> Response:
        """Send the browser to a page. message: name of the sentence that stands there."""
        response = Response(status=HTTPStatus.SEE_OTHER, headers={"Location": url_for(endpoint, **values)})
        if message:
            assert message in self.messages
            response.set_cookie(self._cookie("message"), message, **self._flags())
        return response

    def tell(self, error: HTTPException) -> Response:
        """Answer an HTTP error with a page, keeping its headers; without a sign-in, send the browser to that page."""
        if error.code == Unauthorized.code:
            response = self.redirect(self.door.sign_in, "sign-in-needed")
            if is_htmx():
                response.status_code, response.headers["HX-Redirect"] = HTTPStatus.OK, response.headers["Location"]
            return response
        status = HTTPStatus(error.code or 500)
        # Werkzeug's own sentences speak of URLs and servers.
        is_own = error.description not in (type(error).description, MethodNotAllowed.description)
        sentence = (error.description if is_own else SENTENCES.get(status)) or f"{status.phrase}."
        response = self.render("_error" if is_htmx() else "error", status, sentence=sentence, title=status.phrase)
        response.headers.extend((name, text) for name, text in error.get_headers() if name != "Content-Type")
        return response

    def _cookie(self, name: str) -> str:
        return f"{self.settings.auth_cookie_name}_{name}"

    def _flags(self) -> Mapping[str, Any]:
        return {"httponly": True, "samesite": "Lax", "secure": self.settings.auth_cookie_secure}


def with_headers(response: Response) -> Response:
    """Give a page, or a file of one, the headers that say what a browser may do with it."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)  # what an answer says of itself is stricter
    return response


def as_json(text: str) -> Response:
    """Return an answer for a script of a page."""
    return Response(text, mimetype="application/json")


def is_htmx() -> bool:
    """Tell whether htmx asks, for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def unchanged() -> Response:
    """Return the answer upon which htmx leaves the page as it is: nothing is announced, and no focus lost."""
    return Response(status=HTTPStatus.NO_CONTENT)


@cache
def asset(name: str) -> str:
    """Return the address of a static file, which changes with its content."""
    version = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={version}"

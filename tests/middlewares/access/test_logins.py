"""What the middlewares rely on in every login, whatever its kind."""

from __future__ import annotations

import ast
import asyncio
import inspect

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse
from scrapy.utils.misc import walk_modules_iter

from scrapers.core.outcomes import BadCredentials
from scrapers.logins.base import Attempt, Login, ShownIdentity
from scrapers.logins.form import FormLogin
from scrapers.logins.screens import Done, EnterCredentials, Screen, Stop
from tests.project import ROOT

KINDS = {"scrapers.logins.browser", "scrapers.logins.form", "scrapers.logins.conversation"}
for _ in walk_modules_iter("scrapers.portals"):
    pass  # importing a portal registers its logins
LOGINS = sorted(login for login in Login.registry if login.partition("_")[0] in {"bell", "iec", "trucktech"})


@pytest.mark.parametrize("path", sorted((ROOT / "middlewares").rglob("*.py")), ids=lambda path: path.stem)
def test_no_middleware_knows_the_kinds_of_login(path):
    imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    assert not {node.module for node in imports} & KINDS


@pytest.mark.parametrize("name", LOGINS)
def test_every_login_says_how_a_session_comes_and_goes(name):
    login = Login.registry[name]
    for method in ("establish", "renew", "leave", "guard"):
        assert inspect.iscoroutinefunction(getattr(login, method))
    assert login.establish is not Login.establish
    assert login.renewable == (login.renew is not Login.renew)
    assert login.keeps_context == (login.guard is not Login.guard)
    # What is kept before it is proved must show its user at an address that can be asked.
    assert not login.proved_by_request or login.home


class NoCodes:
    """The second factor of a portal that asks for none."""

    def __init__(self):
        self.deadlines = []

    async def expect(self, kind=""):
        """Nothing is reserved."""

    async def may_send(self):
        """Nothing is sent."""


class Desk:
    """A portal of two pages, reached as a PortalAccess; the answers are given, the requests are kept."""

    key = "acme:ann"

    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = []

    async def send(self, request):
        self.sent.append(request)
        return HtmlResponse(request.url, body=self.answers.pop(0), encoding="utf-8", request=request)

    def take_cookies(self):
        return [{"name": "session", "value": "one"}]


SIGN_IN = (
    "<form id=sign-in action=/in method=post><input name=user><input name=pass type=password><button>Go</button></form>"
)
WELCOME = "<p id=user>ann@example.com</p>"
SILENT = "<p id=welcome>Welcome</p>"


class AcmeLogin(FormLogin):
    """Not registered: it has no name of its own in the class body."""

    url = "http://acme.example/sign-in"
    home = "/me"
    shows_username = ("#user",)
    sign_out_path = "/out"
    screens = (
        Screen("refused", (".wrong",), Stop(BadCredentials)),
        Screen("sign in", ("#sign-in",), EnterCredentials(("[name=user]",), ("[name=pass]",), ("#sign-in button",))),
        Screen("done", ("#user", "#welcome"), Done()),
    )


AcmeLogin.name = "acme"


def an_attempt():
    from database.access.credentials import Credential

    return Attempt(Credential("acme", "ann@example.com", "sesame"), NoCodes())


def test_a_form_login_establishes_a_session_with_one_submission():
    desk, attempt = Desk(SIGN_IN, WELCOME), an_attempt()
    signed_in = asyncio.run(AcmeLogin().establish(desk, attempt))
    assert signed_in.shown == ShownIdentity("ann@example.com")
    assert signed_in.state == {"cookies": [{"name": "session", "value": "one"}]}  # a form's target is no landing page
    assert [(request.method, request.url) for request in desk.sent] == [
        ("GET", "http://acme.example/sign-in"),
        ("POST", "http://acme.example/in"),
    ]
    assert desk.sent[1].body == b"user=ann%40example.com&pass=sesame"
    assert attempt.submitted
    assert attempt.screens == ["sign in", "done"]


def test_a_landing_page_that_shows_nothing_is_followed_by_the_home_page():
    desk = Desk(SIGN_IN, SILENT, WELCOME)
    signed_in = asyncio.run(AcmeLogin().establish(desk, an_attempt()))
    assert signed_in.shown.username == "ann@example.com"
    assert desk.sent[-1].url == "http://acme.example/me"


def test_a_refused_password_ends_the_sign_in():
    desk, attempt = Desk(SIGN_IN, "<p class=wrong>No</p>" + SIGN_IN), an_attempt()
    with pytest.raises(BadCredentials):
        asyncio.run(AcmeLogin().establish(desk, attempt))
    assert attempt.submitted
    assert len(desk.sent) == 2


def test_a_form_login_leaves_by_its_address():
    desk = Desk("bye")
    asyncio.run(AcmeLogin().leave(desk, {}))
    assert [request.url for request in desk.sent] == [Request("http://acme.example/out").url]


def test_a_login_without_tokens_is_not_renewed():
    with pytest.raises(TypeError, match="acme"):
        asyncio.run(AcmeLogin().renew(Desk(), {}))

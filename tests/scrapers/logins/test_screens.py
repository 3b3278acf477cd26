"""Sign-ins and sessions in a real browser, at a portal of a few lines: screens, landing pages, ends of sessions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from database.access.credentials import Credential
from middlewares.download.browser import find_browser
from scrapers.core.outcomes import (
    BadCredentials,
    CaptchaShown,
    MfaFailed,
    MfaRequired,
    NotListed,
    PortalChanged,
    SignedOut,
    SignInTimedOut,
    TermsPending,
    WrongAccount,
)
from scrapers.core.page import PortalPage
from scrapers.logins.base import Attempt, landing
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.screens import ChooseFactor, Dismiss, Done, EnterCode, EnterCredentials, Screen, Stop

pytestmark = pytest.mark.browser
HOST = "http://acme.example"
WAIT = "3"  # seconds for a page, LATCHKEY_PAGE_WAIT


@pytest.fixture(scope="module")
def browser() -> Iterator[tuple[asyncio.AbstractEventLoop, Any]]:
    from playwright.async_api import async_playwright

    async def launch() -> tuple[Any, Any]:
        driver = await async_playwright().start()
        return driver, await driver.chromium.launch(executable_path=find_browser())

    loop = asyncio.new_event_loop()
    driver, launched = loop.run_until_complete(launch())
    yield loop, launched
    loop.run_until_complete(launched.close())
    loop.run_until_complete(driver.stop())
    loop.close()


class Codes:
    """A second factor that has a code; *answers*: the kinds that the credential can receive."""

    def __init__(self, *answers: str) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.deadlines: list[asyncio.Timeout] = []

    def can_answer(self, kind: str) -> bool:
        return kind in self.answers

    async def expect(self, kind: str = "") -> None:
        self.asked.append(f"expect {kind}".strip())

    async def may_send(self) -> None:
        self.asked.append("may send")

    def sent(self) -> None:
        self.asked.append("sent")

    async def code(self, kind: str = "", *, again: bool = False) -> str:
        return "12345678"


class Portal:
    """Pages by path, given to the browser; what their forms and scripts have sent is kept. gone: paths answered with 404."""

    def __init__(self, pages: dict[str, str], gone: Sequence[str] = ()) -> None:
        self.pages, self.gone = pages, gone
        self.opened: list[str] = []
        self.sent: list[str] = []

    async def answer(self, route: Any) -> None:
        request, path = route.request, route.request.url.removeprefix(HOST)
        if request.method == "POST" or path.startswith("/sent/"):
            self.sent.append(path)
        if request.is_navigation_request():
            self.opened.append(path)
        body = self.pages.get(path.partition("?")[0], "")
        status = 404 if path in self.gone else 200
        await route.fulfill(status=status, content_type="text/html", body=f"<!doctype html><body>{body}</body>")


Run = Callable[..., Any]


@pytest.fixture
def run(browser: tuple[asyncio.AbstractEventLoop, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a coroutine function on a page of a portal's session."""
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", WAIT)
    loop, launched = browser

    async def act(portal: Portal, what: Callable[[PortalPage], Awaitable[Any]]) -> Any:
        context = await launched.new_context()
        await context.route("**/*", portal.answer)
        try:
            page = await context.new_page()
            return await what(PortalPage(page, spool=tmp_path, job=SimpleNamespace(failures=[])))
        finally:
            await context.close()

    return lambda portal, what: loop.run_until_complete(act(portal, what))


USER, PASSWORD, LOG_IN = ("#user",), ("#pass",), ("#go",)
CODE = ("#code",)


class Acme(BrowserLogin):
    """Not registered: it has no name of its own in the class body."""

    url = f"{HOST}/login"
    shows_username = ("#who",)
    screens: ClassVar[tuple[Screen, ...]] = (
        Screen("signed in", ("#who",), Done(), at="/signed-in"),
        Screen("wrong code", (".code-error",), Stop(MfaFailed, (".code-error",))),
        Screen("refused", (".error",), Stop(BadCredentials, (".error",))),
        Screen("new terms", ("#later",), Dismiss(("#later",))),
        Screen("terms", ("#accept",), Stop(TermsPending)),
        Screen("text message", ("#sms",), ChooseFactor(("#sms",), ("#send",), "sms")),
        Screen("mail", ("#mail",), ChooseFactor(("#mail",), ("#send",), "mail")),
        Screen("code", CODE, EnterCode(CODE, ("#confirm",)), at=r"#/IG\.OTP"),
        Screen("credentials", USER, EnterCredentials(USER, PASSWORD, LOG_IN)),
        Screen("captcha", ("iframe",), Stop(CaptchaShown, late=True)),
    )


Acme.name = "acme"
Acme.portal = "acme"
FORM = "<form id=f {0}><input id=user><input id=pass type=password><button id=go>Log in</button></form>"
POSTS = FORM.format("method=post action=/in")
METHOD = "<p><label><input type=radio id=sms>Text</label><label><input type=radio id=mail>Mail</label><button id=send>Send</button></p>"
ENTER = "<p><input id=code><button id=confirm>Go on</button></p>"
WHO = "<b id=who>ann@example.com</b>"
SHOW = "const show = (id, on) => document.getElementById(id).hidden = !on; const sent = what => fetch('/sent/' + what);"
# One document: each screen is shown as the one before it is answered, and {0} says whether that one stays.
ONE_DOCUMENT = f"""
<div id=a>{FORM.format('onsubmit="return false"')}</div><div id=b hidden>{METHOD}</div><div id=c hidden>{ENTER}</div>
<div id=d hidden>{WHO}</div>
<script>{SHOW} const stays = STAYS;
go.onclick = () => {{ sent('password').then(() => setTimeout(show, 200, 'b', true)); show('a', stays) }};
send.onclick = () => {{ sent('send').then(() => setTimeout(show, 200, 'c', true)); show('b', stays) }};
confirm_ = document.getElementById('confirm');
confirm_.onclick = () => {{ sent('code').then(() => setTimeout(show, 200, 'd', true)); show('c', stays) }};
</script>"""


def attempt(*receivers: str) -> Attempt:
    return Attempt(Credential("acme", "ann@example.com", "sesame"), Codes(*receivers))


def sign_in(run: Run, portal: Portal, tried: Attempt | None = None) -> Attempt:
    made = tried or attempt("sms")
    run(portal, lambda page: Acme().sign_in(page, made))
    return made


@pytest.mark.parametrize("stays", [True, False], ids=["earlier screens stay", "earlier screens go"])
def test_screens_of_one_document_are_each_acted_upon_once(run, stays):
    portal = Portal({"/login": ONE_DOCUMENT.replace("STAYS", json.dumps(stays))})
    made = sign_in(run, portal)
    assert made.screens == ["credentials", "text message", "code", "signed in"]
    assert portal.sent == ["/sent/password", "/sent/send", "/sent/code"]
    assert portal.opened == ["/login"]


def test_screens_of_several_documents_may_repeat_what_came_before(run):
    """Each page still has the forms of those before it, and its own appears a little later."""

    def late(html: str) -> str:
        return f"<div id=late hidden>{html}</div><script>setTimeout(() => late.hidden = false, 300)</script>"

    second = f"<form method=post action=/chosen>{METHOD}</form>"
    third = f"<form method=post action=/confirmed>{ENTER}</form>"
    portal = Portal(
        {
            "/login": late(POSTS),
            "/in": POSTS + late(second),
            "/chosen": POSTS + second + late(third),
            "/confirmed": POSTS + late(WHO),
        }
    )
    made = sign_in(run, portal)
    assert made.screens == ["credentials", "text message", "code", "signed in"]
    assert portal.sent == ["/in", "/chosen", "/confirmed"]


@pytest.mark.parametrize(
    ("pages", "ended_at"),
    [
        pytest.param({"/login": POSTS, "/in": WHO}, f"{HOST}/in", id="a page of its own"),
        pytest.param({"/login": ONE_DOCUMENT.replace("STAYS", "false")}, "", id="drawn at the form's address"),
    ],
)
def test_the_address_of_a_form_is_not_kept_as_where_the_sign_in_ended(run, pages, ended_at):
    async def establish(page: PortalPage) -> str:
        async def here(flow: Callable[[PortalPage], Awaitable[Any]], url: str) -> Any:
            return await flow(page)

        access: Any = SimpleNamespace(run=here, key="context")
        return landing((await Acme().establish(access, attempt("sms"))).state)

    assert run(Portal(pages), establish) == ended_at


def test_a_screen_is_recognised_by_its_address(run):
    """The code's field comes late, and the sign-in form stays; the address says which screen it is."""
    after = (
        "location.hash = '/IG.OTP'; setTimeout(() => code_.hidden = false, 500); fetch('/sent/password'); return false"
    )
    form = FORM.format(f'onsubmit="{after}"')
    portal = Portal(
        {
            "/login": f"{form}<form id=code_ hidden method=post action=/signed-in>{ENTER}</form>",
            "/signed-in": "<h1>Welcome</h1>",
        }
    )
    made = sign_in(run, portal)
    assert made.screens == ["credentials", "code", "signed in"]
    assert portal.sent == ["/sent/password", "/signed-in"]


@pytest.mark.parametrize(
    ("receivers", "chosen"), [(("sms",), "text message"), (("mail",), "mail"), (("sms", "mail"), "text message")]
)
def test_the_factor_is_chosen_that_the_credential_can_receive(run, receivers, chosen):
    portal = Portal({"/login": ONE_DOCUMENT.replace("STAYS", "true")})
    made = sign_in(run, portal, attempt(*receivers))
    assert made.screens == ["credentials", chosen, "code", "signed in"]
    # What may make the portal send is written down before the click that does.
    assert isinstance(made.second_factor, Codes)
    assert made.second_factor.asked[:2] == ["expect", "may send"]


def test_the_preferred_factor_is_chosen_though_it_is_drawn_after_the_other(run):
    late = METHOD.replace("<label><input type=radio id=sms>Text</label>", "<span id=later></span>")
    draw = "setTimeout(() => later.outerHTML = '<label><input type=radio id=sms>Text</label>', 600)"
    page = f"<form method=post action=/chosen>{late}</form><script>{draw}</script>"
    code = f"<form method=post action=/confirmed>{ENTER}</form>"
    portal = Portal({"/login": POSTS, "/in": page, "/chosen": code, "/confirmed": WHO})
    assert sign_in(run, portal, attempt("sms", "mail")).screens == ["credentials", "text message", "code", "signed in"]


def test_a_way_out_beside_the_field_of_a_code_is_not_taken(run):
    """What would put new terms off may stand on any page, and cancel there."""
    later = "<button form=away id=later>Not now</button><form id=away method=post action=/away></form>"
    field = f"<form hidden id=code_ method=post action=/confirmed>{ENTER}</form>"
    code = f"{later}{field}<script>setTimeout(() => code_.hidden = false, 500)</script>"
    terms = f"{FORM.format('')}{field.replace('hidden', '')}{later}"
    portal = Portal({"/login": POSTS, "/in": code, "/confirmed": terms, "/away": WHO})
    assert sign_in(run, portal).screens == ["credentials", "code", "new terms", "signed in"]


ACCEPT = "<button id=accept>Accept</button>"


def test_terms_that_may_wait_are_put_off_though_they_could_be_accepted(run):
    later = f"{ACCEPT}<form method=post action=/away><button id=later>Not now</button></form>"
    portal = Portal({"/login": POSTS, "/in": later, "/away": WHO})
    assert sign_in(run, portal).screens == ["credentials", "new terms", "signed in"]
    at_home = Portal({"/login": POSTS.replace("/in", "/signed-in"), "/signed-in": later, "/away": WHO})
    assert sign_in(run, at_home).screens == ["credentials", "new terms", "signed in"]
    with pytest.raises(TermsPending):
        sign_in(run, Portal({"/login": POSTS, "/in": ACCEPT}))


def test_no_code_is_asked_for_that_cannot_be_received(run):
    portal = Portal({"/login": ONE_DOCUMENT.replace("STAYS", "false")})
    with pytest.raises(MfaRequired):
        sign_in(run, portal, attempt())
    assert portal.sent == ["/sent/password"]


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        pytest.param(POSTS, SignInTimedOut, id="the form again"),
        pytest.param("<p class=error>Incorrect</p>" + POSTS, BadCredentials, id="refused"),
        pytest.param("<h1>What is this?</h1>", PortalChanged, id="unknown"),
        pytest.param("<iframe srcdoc=robot></iframe>", CaptchaShown, id="captcha"),
        pytest.param(ENTER, MfaFailed, id="a code that changes nothing"),
        pytest.param(f"<form method=post action=/login>{ENTER}</form>", MfaFailed, id="from the code to the form"),
    ],
)
def test_the_password_is_submitted_once_whatever_the_portal_answers(run, answer, failure):
    """A message that stands on the page before anything was sent, and a robot's badge, mean nothing."""
    portal = Portal({"/login": "<p class=error>Sign in again</p><iframe srcdoc=badge></iframe>" + POSTS, "/in": answer})
    made = attempt("sms")
    with pytest.raises(failure):
        sign_in(run, portal, made)
    assert portal.sent.count("/in") == 1
    assert made.submitted


def test_an_address_alone_is_not_believed_while_the_sign_in_form_is_shown(run):
    form = FORM.format("method=post action=/signed-in/yes")
    elsewhere = type("Elsewhere", (Acme,), {"url": f"{HOST}/signed-in"})
    portal = Portal({"/signed-in": form, "/signed-in/yes": "<h1>Welcome</h1>"})
    made = attempt()
    run(portal, lambda page: elsewhere().sign_in(page, made))
    assert made.screens == ["credentials", "signed in"]
    assert portal.sent == ["/signed-in/yes"]


# A person in the control room


class Operator:
    """A person who is shown the page once the login can go no further. acts: what is done in it, then."""

    def __init__(self, acts: Callable[[Any], Awaitable[Any]], seconds: float = 60) -> None:
        self.acts, self.seconds, self.until = acts, seconds, 0.0
        self.shown: list[str] = []

    async def show(self, page: Any) -> None:
        if self.until:
            return
        self.until = asyncio.get_running_loop().time() + self.seconds
        self.shown.append(page.url.removeprefix(HOST))
        await self.acts(page)


def go_on(selector: str) -> Callable[[Any], Awaitable[Any]]:
    async def act(page: Any) -> None:
        await page.click(selector)

    return act


async def nothing(page: Any) -> None:
    """Leave the page alone."""


ROBOT = "<iframe srcdoc=robot></iframe><a id=pass href=/home>I am none</a>"
STRANGE = "<h1>Touch your key</h1><a id=pass href=/home>Touched</a>"


@pytest.mark.parametrize(
    ("answer", "receivers", "screens"),
    [
        pytest.param(ROBOT, ("sms",), ["credentials"], id="a captcha"),
        pytest.param(STRANGE, ("sms",), ["credentials"], id="an unknown second factor"),
        pytest.param(METHOD + "<a id=pass href=/home>x</a>", (), ["credentials"], id="a way that nothing can receive"),
        pytest.param(ACCEPT + "<a id=pass href=/home>x</a>", (), ["credentials"], id="policies"),
    ],
)
def test_what_only_a_person_can_pass_is_left_to_the_operator(run, answer, receivers, screens):
    portal = Portal({"/login": POSTS, "/in": answer, "/home": WHO})
    made = attempt(*receivers)
    made.operator = operator = Operator(go_on("#pass"))
    sign_in(run, portal, made)
    assert (made.screens, operator.shown) == ([*screens, "signed in"], ["/in"])
    assert portal.sent == ["/in"]  # one password


def test_the_operator_is_not_asked_where_nothing_is_in_the_way(run, monkeypatch):
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "60")  # a page that is slow is no reason to ask
    portal = Portal({"/login": ONE_DOCUMENT.replace("STAYS", "false")})
    made = attempt("sms")
    made.operator = operator = Operator(nothing)
    sign_in(run, portal, made)
    assert (made.screens[-1], operator.shown) == ("signed in", [])


@pytest.mark.parametrize(("receivers", "wanted"), [(("sms",), False), ((), True)])
def test_a_choice_of_ways_of_which_one_can_be_answered_needs_no_person(run, receivers, wanted):
    """It may have come just after the screens were looked at."""
    made = attempt(*receivers)
    made.submitted = True

    async def asked(page: PortalPage) -> bool:
        await page.open(f"{HOST}/in")
        return await Acme()._needs_person(page, made, 0.0)

    assert run(Portal({"/in": METHOD}), asked) is wanted


class NoCodes(Codes):
    """A second factor whose code cannot be received here."""

    async def code(self, kind: str = "", *, again: bool = False) -> str:
        raise MfaRequired


@pytest.mark.parametrize("operator", [None, Operator(nothing)], ids=["in a visible browser", "in the control room"])
def test_no_other_code_is_asked_for_while_a_person_types_the_first(run, operator):
    screens = (*Acme.screens[:-2], Screen("send code", ("#again",), ChooseFactor((), ("#again",))), *Acme.screens[-2:])
    types = "<script>setTimeout(() => location = '/home', 1500)</script>"  # the person is done then
    field = "<input id=code><button id=again onclick=\"fetch('/sent/again')\">Send another code</button>"
    portal = Portal({"/login": POSTS, "/in": field + types, "/home": WHO})
    made = Attempt(Credential("acme", "ann@example.com", "sesame"), NoCodes(), visible=not operator, operator=operator)
    run(portal, lambda page: type("Again", (Acme,), {"screens": screens})().sign_in(page, made))
    assert (made.screens, portal.sent) == (["credentials", "code", "signed in"], ["/in"])


def test_a_captcha_that_the_operator_leaves_ends_as_one(run):
    portal = Portal({"/login": POSTS, "/in": ROBOT})
    made = attempt("sms")
    made.operator = Operator(nothing, seconds=1)
    with pytest.raises(CaptchaShown, match="not completed by hand"):
        sign_in(run, portal, made)
    assert portal.sent == ["/in"]


# Sessions

OVER = {
    "form": POSTS,
    "redirect": "<script>location.replace('/login')</script>",
    "text": "<p>Your session is over.</p>",
    "dialog": "<h1>Reports</h1><div role=dialog>Please sign in again. <button>OK</button></div>",
    "empty": "",
}


@pytest.mark.parametrize("told", OVER)
def test_the_end_of_a_session_is_known_however_the_portal_tells_it(run, told):
    """A stored session is looked at where the sign-in ended, and then at the sign-in's address."""
    portal = Portal({"/login": POSTS, "/anywhere": OVER[told]})
    with pytest.raises(SignedOut):
        run(portal, lambda page: Acme().guard(page, f"{HOST}/anywhere?a=b"))
    assert portal.opened[0] == "/anywhere?a=b"
    assert set(portal.opened) <= {"/anywhere?a=b", "/login"}


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param({"/anywhere": WHO}, id="where the sign-in ended"),
        pytest.param({"/anywhere": "<p>This link was used.</p>", "/login": WHO}, id="at the sign-in's address"),
        pytest.param({"/anywhere": "<script>location.replace('/signed-in')</script>"}, id="by its address"),
    ],
)
def test_a_session_that_lives_is_taken_up(run, pages):
    portal = Portal(pages)
    run(portal, lambda page: Acme().guard(page, f"{HOST}/anywhere"))


@pytest.mark.parametrize("login", [WHO, POSTS], ids=["signed in", "signed out"])
def test_an_address_that_is_gone_says_nothing_of_a_session(run, login):
    portal = Portal({"/anywhere": WHO, "/login": login}, gone=["/anywhere"])
    if login == WHO:
        run(portal, lambda page: Acme().guard(page, f"{HOST}/anywhere"))
    else:
        with pytest.raises(SignedOut):
            run(portal, lambda page: Acme().guard(page, f"{HOST}/anywhere"))
    assert portal.opened == ["/anywhere", "/login"]


def test_a_page_of_which_nothing_is_known_is_no_end_of_a_session(run):
    with pytest.raises(PortalChanged):
        run(Portal({}), lambda page: Acme().guard(page, f"{HOST}/anywhere"))


@pytest.mark.parametrize(
    ("pages", "over"),
    [
        pytest.param({"/login": POSTS}, True, id="signed out"),
        pytest.param({"/login": WHO}, False, id="signed in"),
        pytest.param({"/login": POSTS, "/anywhere": WHO}, False, id="form for signed-in users"),
        pytest.param({"/login": "<h1>Maintenance</h1>"}, False, id="unknown"),
    ],
)
@pytest.mark.parametrize("kind", [PortalChanged, WrongAccount, NotListed])
def test_a_page_on_which_something_is_missing_is_compared_with_the_sign_in_s_address(run, pages, over, kind):
    """The visit's own page stays as it is; one page more is open, and for a time only."""
    portal = Portal({**pages, "/work": "<input id=typed>"})

    async def work(page: PortalPage) -> tuple[type[BaseException], str, int]:
        await page.open(f"{HOST}/work")
        await page.type(("#typed",), "half a word")

        async def is_over() -> bool:
            return await Acme().has_ended(page, f"{HOST}/anywhere")

        page.trail.is_over = is_over
        failure = await page.failure_of(kind("Nothing matched."))
        again = await page.failure_of(BadCredentials())  # which means no unknown page
        assert isinstance(again, BadCredentials)
        typed = await page.raw.input_value("#typed")
        return type(failure), typed, len(page.raw.context.pages)

    assert run(portal, work) == (SignedOut if over else kind, "half a word", 1)
    assert portal.opened.count("/login") == 1


@pytest.mark.parametrize(
    ("after", "login", "leaves"),
    [
        pytest.param("<p>Good bye</p>", POSTS, True, id="a page without a form"),
        pytest.param(POSTS, POSTS, True, id="the form"),
        pytest.param("<p>Good bye</p>", WHO, False, id="still signed in"),
        pytest.param(WHO, WHO, False, id="nothing happens"),
    ],
)
def test_a_sign_out_is_believed_when_the_user_is_no_longer_signed_in(run, after, login, leaves):
    leaving = type("Leaving", (Acme,), {"sign_out_clicks": (("#who",), ("#out",))})
    home = f"{WHO}<script>who.onclick = () => out.hidden = false</script><a id=out hidden href=/out>Leave</a>"
    portal = Portal({"/anywhere": home, "/out": after, "/login": login})

    def sign_out() -> None:
        run(portal, lambda page: leaving().sign_out(page, f"{HOST}/anywhere"))

    if leaves:
        sign_out()
    else:
        with pytest.raises(PortalChanged):
            sign_out()
    assert "/out" in portal.opened


HELLO = ("h1",)
HUB = "<button id=on onclick=\"location = '/home'\">Go to your pages</button>"


class Greeting(Acme):
    """A portal whose first page and whose pages of users greet in the same way, and that may put a hub before these."""

    screens = (
        Screen("hub", ("#on",), Dismiss(("#on",), signed_in=True)),
        Screen("signed in", HELLO, Done(weak=True)),
        *Acme.screens[1:],
    )
    sign_out_clicks = (("#out",),)


@pytest.mark.parametrize("after", ["<p>Wrong</p>", "<h1>Hello</h1>", "<h1>Hello</h1><p class=error>Refused</p>"])
def test_a_weak_mark_in_a_document_of_a_form_is_no_sign_in(run, after):
    body = (
        FORM.format('onsubmit="return false"')
        + f"<script>go.onclick = () => document.body.innerHTML = {after!r}</script>"
    )
    made = attempt("sms")
    with pytest.raises(BadCredentials if "error" in after else PortalChanged):
        run(Portal({"/login": f"<h1>Hello</h1>{body}"}), lambda page: Greeting().sign_in(page, made))


@pytest.mark.parametrize("hub", [True, False])
def test_a_weak_mark_in_a_document_of_its_own_is_one(run, hub):
    home = "<h1>Hello</h1>"
    portal = Portal({"/login": f"<h1>Hello</h1>{POSTS}", "/in": HUB + home if hub else home, "/home": home})
    made = attempt("sms")
    run(portal, lambda page: Greeting().sign_in(page, made))
    assert made.screens == ["credentials", *(["hub"] if hub else []), "signed in"]


@pytest.mark.parametrize("hub", [True, False])
def test_a_hub_before_the_pages_is_passed_in_a_session_too(run, hub):
    """A visit begins behind it, and the control that signs out is there."""
    home = "<h1>Hello</h1><a id=out href=/out>Leave</a>"
    portal = Portal({"/anywhere": HUB if hub else home, "/home": home, "/out": "<p>Good bye</p>", "/login": POSTS})

    async def act(page: PortalPage) -> str:
        await Greeting().guard(page, f"{HOST}/anywhere")
        began = page.raw.url.removeprefix(HOST)
        await Greeting().sign_out(page, f"{HOST}/anywhere")
        return str(began)

    assert run(portal, act) == ("/home" if hub else "/anywhere")
    assert "/out" in portal.opened


@pytest.mark.parametrize("form", [f"<h1>Hello</h1>{POSTS}", POSTS])
def test_a_weak_mark_beside_the_form_is_the_end_of_a_session(run, form):
    with pytest.raises(SignedOut):
        run(Portal({"/login": form, "/anywhere": form}), lambda page: Greeting().guard(page, f"{HOST}/anywhere"))


def test_an_identity_that_is_filled_in_late_is_waited_for(run):
    portal = Portal(
        {"/anywhere": "<b id=who>&nbsp;</b><script>setTimeout(() => who.textContent = 'ann@example.com', 500)</script>"}
    )

    async def look(page: PortalPage) -> str:
        await Acme().guard(page, f"{HOST}/anywhere")
        return (await Acme().page_identity(page)).username

    assert run(portal, look) == "ann@example.com"


# User name and password one after the other, and boxes to tick


class InTwoSteps(BrowserLogin):
    url = f"{HOST}/login"
    shows_username = ("#who",)
    screens = (
        Screen("signed in", ("#who",), Done()),
        Screen("mail", ("#delivery",), ChooseFactor(("#mail",), ("#send",), "mail", tick=("#preferred",))),
        Screen("code", CODE, EnterCode(CODE, ("#confirm",), tick=("#trust",))),
        Screen("password", PASSWORD, EnterCredentials((), PASSWORD, ("#in",))),
        Screen("user name", USER, EnterCredentials(USER, (), LOG_IN)),
    )


InTwoSteps.name = InTwoSteps.portal = "two-steps"
HIDDEN = "style='position: absolute; opacity: 0; width: 1px; height: 1px'"
STEPS = f"""
<div id=a><input id=user><button id=go>Continue</button></div>
<div id=b hidden><input id=pass type=password><button id=in>Log in</button></div>
<div id=c hidden><form id=delivery onsubmit="return false"><input type=radio id=mail {HIDDEN}><label for=mail>E-mail</label>BOX
  <button id=send>Send</button></form></div>
<div id=d hidden><input id=code><label><input type=checkbox id=trust>Trust</label><button id=confirm>Go on</button></div>
<div id=e hidden>{WHO}</div>
<script>{SHOW}
const next = (from, to, what) => {{ sent(what).then(() => setTimeout(show, 200, to, true)); show(from, false) }};
const on = (id, act) => document.getElementById(id).onclick = act;
on('go', () => next('a', 'b', 'user'));
on('in', () => next('b', 'c', 'password'));
on('send', () => next('c', 'd', 'send-' + mail.checked + '-' + (window.preferred?.checked ?? 'none')));
on('confirm', () => next('d', 'e', 'code-' + trust.checked));
</script>"""


@pytest.mark.parametrize(
    ("box", "said"),
    [("<label><input type=checkbox id=preferred>Prefer</label>", "true"), ("", "none")],
    ids=["a method can be preferred", "none can"],
)
def test_user_name_and_password_may_be_asked_for_one_after_the_other(run, box, said):
    portal, made = Portal({"/login": STEPS.replace("BOX", box)}), attempt("mail")
    run(portal, lambda page: InTwoSteps().sign_in(page, made))
    assert made.screens == ["user name", "password", "mail", "code", "signed in"]
    assert portal.sent == ["/sent/user", "/sent/password", f"/sent/send-true-{said}", "/sent/code-true"]


def test_no_code_is_expected_before_the_password_is_asked_for(run):
    portal, made = Portal({"/login": "<input id=user><button id=go>Continue</button>"}), attempt("mail")
    factor: Any = made.second_factor
    with pytest.raises(PortalChanged):
        run(portal, lambda page: InTwoSteps().sign_in(page, made))
    assert (made.screens, made.submitted, factor.asked) == (["user name"], False, [])


@pytest.mark.parametrize("form", ["<input id=user>", "<input id=pass type=password>"])
def test_either_step_is_the_form_of_a_signed_out_user(run, form):
    async def look(page: PortalPage) -> Any:
        await page.open(f"{HOST}/login")
        return await page.shown(InTwoSteps.credential_screens())

    assert run(Portal({"/login": form}), look) is not None


# First steps, and codes in several fields


class Slow(Acme):
    """The password stands on a page of its own, whose scripts may take long the first time."""

    slow_after = ("name",)
    screens = (
        *Acme.screens[:-2],
        Screen("password", PASSWORD, EnterCredentials((), PASSWORD, LOG_IN)),
        Screen("name", USER, EnterCredentials(USER, (), ("#next",))),
    )


NAME = "<form method=post action=/named><input id=user><button id=next>Next</button></form>"
SECRET = "<form method=post action=/in><input id=pass type=password><button id=go>Log in</button></form>"


class Warming(Portal):
    """The page after the user name is blank the first times."""

    def __init__(self, blank: int, answer: str = WHO) -> None:
        super().__init__({"/login": NAME, "/in": answer})
        self.blank = blank

    async def answer(self, route: Any) -> None:
        if route.request.url.endswith("/named"):
            self.pages["/named"] = SECRET if self.blank <= 0 else "<p>Loading</p>"
            self.blank -= 1
        await super().answer(route)


@pytest.mark.parametrize("blank", [0, 1])
def test_the_first_steps_are_done_again_where_a_page_does_not_come(run, blank):
    portal, made = Warming(blank), attempt()
    run(portal, lambda page: Slow().sign_in(page, made))
    assert made.screens == [*["name"] * (blank + 1), "password", "signed in"]
    assert portal.sent == [*["/named"] * (blank + 1), "/in"]


@pytest.mark.parametrize(
    ("portal", "login", "sent"),
    [
        (Warming(2), Slow, ["/named", "/named"]),
        (Warming(0, "<p>Loading</p>"), Slow, ["/named", "/in"]),
        (Warming(1), type("Prompt", (Slow,), {"slow_after": ()}), ["/named"]),
    ],
    ids=["once", "not after the password", "only where the login says so"],
)
def test_they_are_not_done_again_otherwise(run, portal, login, sent):
    with pytest.raises(PortalChanged):
        run(portal, lambda page: login().sign_in(page, attempt()))
    assert portal.sent == sent


def test_a_code_is_typed_into_one_field_per_character(run):
    entered = (
        "<form method=post action=/confirmed>"
        + "<input class=box maxlength=1>" * 8
        + "<button id=confirm>Go on</button></form>"
    )
    screens = tuple(
        Screen("code", (".box",), EnterCode((".box",), ("#confirm",), boxes=True)) if each.name == "code" else each
        for each in Acme.screens
    )
    portal, made = Portal({"/login": POSTS, "/in": entered, "/confirmed": WHO}), attempt()
    run(portal, lambda page: type("Boxes", (Acme,), {"screens": screens})().sign_in(page, made))
    assert made.screens == ["credentials", "code", "signed in"]


def test_a_button_that_sends_is_no_way_where_its_code_cannot_be_received(run):
    screens = (
        *Acme.screens[:5],
        Screen("text message", ("#send",), ChooseFactor((), ("#send",), "sms")),
        *Acme.screens[-2:],
    )
    portal = Portal({"/login": POSTS, "/in": "<form method=post action=/sent><button id=send>Text me</button></form>"})
    with pytest.raises(MfaRequired):
        run(portal, lambda page: type("OneClick", (Acme,), {"screens": screens})().sign_in(page, attempt("mail")))
    assert portal.sent == ["/in"]


class Boxed(Acme):
    """Asks for a language in a frame that lies before its form."""

    screens = (Screen("language", ("#en",), Dismiss(("#en",)), frame="#box"), *Acme.screens)


@pytest.mark.parametrize("is_filled", [True, False], ids=["filled late", "of something else"])
def test_a_screen_in_a_frame_is_waited_for_before_what_lies_behind_it(run, is_filled):
    inside = "<button id=en onclick=parent.chosen()>English</button>" if is_filled else "<p>News</p>"
    script = f"setTimeout(() => box.srcdoc = {json.dumps(inside)}, 700)"
    box = f"<iframe id=box></iframe><script>function chosen() {{ fetch('/sent/en'); box.remove() }} {script}</script>"
    portal, made = Portal({"/login": POSTS + box, "/in": WHO}), attempt("sms")
    run(portal, lambda page: Boxed().sign_in(page, made))
    assert made.screens == [*(["language"] if is_filled else []), "credentials", "signed in"]
    assert portal.sent == [*(["/sent/en"] if is_filled else []), "/in"]

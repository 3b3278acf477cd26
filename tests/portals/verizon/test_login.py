"""The sign-in of My Business on pages of a few lines that are drawn as the fact sheet allows, and not as the sandbox draws them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from database.access.codes import extract
from database.access.credentials import Credential
from scrapers.core.outcomes import (
    BadCredentials,
    CaptchaShown,
    CodeNotReceived,
    Failure,
    MfaFailed,
    MfaRequired,
    PortalChanged,
)
from scrapers.core.page import PortalPage
from scrapers.logins.base import Attempt
from scrapers.logins.contacts import may_be_address
from scrapers.portals.verizon.login import LINK, VerizonLogin
from tests.pages import make_haste

HOST, HOME = "https://mblogin.verizonwireless.com", "https://mb.verizonwireless.com"
SIGN_IN = "/account/business/ilogin"
FORM = """<h1>Welcome to My Business</h1><div id=app><input id=ilogin_userid><input id=ilogin_password type=password>
<button id=ilogin_login_button onclick="proved()">Log in</button></div>"""
SCRIPT = """<script>
const said = what => {{ const told = new XMLHttpRequest(); told.open('GET', '/said/' + what, false); told.send() }};  // before it goes on
const app = document.getElementById('app');
const show = html => app.innerHTML = html;
const proved = () => {{ said(`password of ${{ilogin_userid.value}}`); setTimeout(() => {{ {after_password} }}, 300); }};
const list = ways => `<div><div><div><div></div><div><div><div><div><div><div><div></div><div>${{ways}}</div></div></div></div></div></div></div></div></div></div>`;
const sent = to => {{ said(`sent to ${{to}}`); document.querySelector('ul').insertAdjacentHTML('beforebegin', '<p>We sent a mail.</p>');
  const wait = async () => {{ if (await (await fetch('/state')).text() === 'yes') {after_link}; else setTimeout(wait, 200) }}; wait(); }};
</script>"""
WAY = (
    "<li><div class=pwdless_options_section id=way{place} onclick=\"sent('{contact}')\"><div class=delivery_option_with_msg>"
    "<a><span>{method}</span><br>We send you a link</a></div><span class=pwdless_delivery_link>{contact}</span></div></li>"
)
LINK_PAGE = """<div id=dvbtn><form onsubmit="return false"><div>{}</div><div>{}</div></form>
<button onclick="fetch('/answer/' + document.querySelector(':checked')?.value).then(() => document.body.textContent = 'Thank you')">Submit</button></div>"""
CHOICES = "<input type=radio name=a value={0} id={0}><label for={0}><span>{1}</span></label>"
ALLOW, DENY = CHOICES.format("yes", "Allow this sign in"), CHOICES.format("no", "Deny: I did not try to sign in")
HUB = "<h1>Welcome</h1><button onclick=\"location = '/mbt/secure/home'\">VISIT THE MY BUSINESS HOME PAGE</button>"
GREETING = "<h2>Welcome, Ann Birch</h2>"
MAIL = "ann.birch@example.com"


def ways(*offered: tuple[str, str]) -> str:
    """Return a script that shows a list of ways, each with its method and its contact."""
    items = "".join(
        WAY.format(place=place, method=method, contact=contact) for place, (method, contact) in enumerate(offered)
    )
    return f"show(list(`<ul>{items}</ul>`))"


BY_MAIL, BY_TEXT = ("Email", "a*******h@ex*****.com"), ("Text message", "***-***-0100")


class Links:
    """A second factor whose mail brings a link."""

    def __init__(self, link: str, *kinds: str) -> None:
        self.link, self.kinds = link, kinds

    def can_answer(self, kind: str) -> bool:
        return kind in self.kinds

    async def expect(self, kind: str = "") -> None:
        """Nothing has to be reserved."""

    async def may_send(self) -> None:
        """Nothing has to be written down."""

    def sent(self) -> None:
        """Nothing has to be counted."""

    async def code(self, kind: str = "", *, again: bool = False) -> str:
        return self.link


class Ended:
    """What a sign-in has come to: its screens, what the portal was given, where it ended, the tabs that are open."""

    screens: list[str]
    said: list[str]
    failure: type[Failure] | None = None
    detail = ""
    at = ""
    name = ""
    tabs = 0


@pytest.fixture
def sign_in(
    launched: tuple[asyncio.AbstractEventLoop, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ended]:
    """Give a function that signs in. facts: of SCRIPT; pages: further ones by address."""
    make_haste(monkeypatch)
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "4")
    loop, browser = launched

    async def run(
        pages: dict[str, Any], link: str, receiver: str, kinds: tuple[str, ...], facts: dict[str, str]
    ) -> Ended:
        ended, allowed = Ended(), ["waiting"]
        ended.said = []
        made = {"after_password": ways(BY_MAIL), "after_link": f"location = '{HOME}/mbt/secure/home'", **facts}
        known = {
            SIGN_IN: FORM + SCRIPT.format(**made),
            "/allow": LINK_PAGE.format(ALLOW, DENY),
            "/mbt/secure/home": GREETING,
            "/hub": HUB,
            **pages,
        }

        async def answer(route: Any) -> None:
            path = "/" + route.request.url.split("/", 3)[3].partition("?")[0]
            if path.startswith("/said/"):
                ended.said.append(path.removeprefix("/said/").replace("%20", " "))
            if path.startswith("/answer/"):
                await asyncio.sleep(0.5)  # an answer that a tab would take back if it were closed at once
                allowed[0] = path.removeprefix("/answer/")
                ended.said.append(f"answer {allowed[0]}")
            status, body = known.get(path, "") if isinstance(known.get(path), tuple) else (200, known.get(path, ""))
            text = allowed[0] if path == "/state" else f"<!doctype html><body>{body}</body>"
            await route.fulfill(status=status, content_type="text/html", body=text)

        context = await browser.new_context()
        await context.route("**/*", answer)
        raw = await context.new_page()
        page = PortalPage(raw, spool=tmp_path, job=SimpleNamespace(failures=[]))
        attempt = Attempt(Credential("verizon", "ann", "sesame", receiver=receiver), Links(link, *kinds))
        try:
            await VerizonLogin().sign_in(page, attempt)
            ended.name = (await VerizonLogin().page_identity(page)).name
        except Failure as failure:
            ended.failure, ended.detail = type(failure), failure.detail
        ended.screens, ended.at, ended.tabs = attempt.screens, raw.url, len(context.pages)
        await context.close()
        return ended

    def go(
        pages: dict[str, Any] | None = None,
        link: str = f"{HOST}/allow?id=7",
        receiver: str = MAIL,
        kinds: tuple[str, ...] = ("mail",),
        **facts: str,
    ) -> Ended:
        return loop.run_until_complete(run(pages or {}, link, receiver, kinds, facts))

    return go


pytestmark = pytest.mark.browser
PASSWORD, SENT, ALLOWED = "password of ann", "sent to a*******h@ex*****.com", "answer yes"


def test_the_sign_in_is_allowed_in_a_second_tab_and_goes_on_in_the_first(sign_in):
    ended = sign_in()
    assert (ended.failure, ended.screens) == (None, ["credentials", "choose mail", "signed in"])
    assert ended.said == [PASSWORD, SENT, ALLOWED]
    assert (ended.at, ended.tabs, ended.name) == (f"{HOME}/mbt/secure/home", 1, "Welcome, Ann Birch")


@pytest.mark.parametrize(
    "link", [f"{HOME}/allow", f"{HOST}/elsewhere", f"{HOST}/choice"], ids=["the portal's host", "moved", "drawn"]
)
def test_links_of_stated_hosts_are_opened(sign_in, link):
    moved = f"<script>location = '{HOME}/allow'</script>"
    drawn = LINK_PAGE.format("<label>ALLOW<input type=radio name=a value=yes></label>", DENY)
    assert sign_in({"/elsewhere": moved, "/choice": drawn}, link).said[-1] == ALLOWED


@pytest.mark.parametrize(
    "link",
    [
        "https://example.com/allow",
        f"{HOST}@example.com/allow",
        "http://mb.verizonwireless.com/allow",
        f"{HOST}.example/allow",
        f"{HOST}/away",
    ],
)
def test_links_of_other_hosts_are_not_answered(sign_in, link):
    ended = sign_in({"/away": "<script>location = 'https://example.com/allow'</script>"}, link)
    assert (ended.failure, ended.said, ended.tabs) == (CodeNotReceived, [PASSWORD, SENT], 1)


@pytest.mark.parametrize("given", ["other.example", "first.example, https://other.example"])
def test_further_hosts_are_a_setting(sign_in, monkeypatch, given):
    monkeypatch.setenv("VERIZON_LINK_HOSTS", given)
    assert sign_in(link="https://other.example/allow").said[-1] == ALLOWED


@pytest.mark.parametrize(
    ("page", "failure"),
    [
        ((410, "Gone"), MfaFailed),
        ("<h1>This link has expired</h1>", MfaFailed),
        (LINK_PAGE.format(DENY, CHOICES.format("maybe", "Do not allow")), MfaFailed),
        (LINK_PAGE.format(ALLOW, DENY).replace("type=radio", "type=radio onclick='return false'"), MfaFailed),
    ],
    ids=["gone", "expired", "no way to allow", "the choice does not stay"],
)
def test_a_link_that_does_not_allow_is_named(sign_in, page, failure):
    ended = sign_in({"/allow": page})
    assert (ended.failure, ended.said, ended.tabs) == (failure, [PASSWORD, SENT], 1)


def test_a_sign_in_that_is_denied_all_the_same_is_named(sign_in):
    assert sign_in(after_link="show('<p role=alert>Your sign in was denied.</p>')").failure is MfaFailed


def test_a_first_tab_that_does_not_go_on_is_named(sign_in):
    ended = sign_in(after_link="null")
    assert (ended.failure, ended.said[-1]) == (MfaFailed, ALLOWED)


def test_a_captcha_is_not_answered(sign_in):
    image = "show(app.innerHTML + '<img id=captchaImg width=90 height=30 src=x alt=x><input id=captchaInput>')"
    ended = sign_in(after_password=image)
    assert (ended.failure, ended.said) == (CaptchaShown, [PASSWORD])


def test_a_captcha_that_vanishes_is_none(sign_in):
    image = "show(app.innerHTML + '<img id=captchaImg width=90 height=30 src=x alt=x>')"
    ended = sign_in(after_password=f"{image}; setTimeout(() => {ways(BY_MAIL)}, 700)")
    assert ended.said == [PASSWORD, SENT, ALLOWED]


@pytest.mark.parametrize("said", ["Check your e-mail", "We have emailed a link to a***@example.com"])
def test_a_mail_that_was_sent_unasked_is_answered(sign_in, said):
    waits = "const wait = async () => { if (await (await fetch('/state')).text() === 'yes') location = '/mbt/secure/home'; else setTimeout(wait, 200) }; wait()"
    ended = sign_in(after_password=f"show('<p>{said}</p>'); {waits}")
    assert (ended.failure, ended.said) == (None, [PASSWORD, ALLOWED])
    assert ended.screens == ["credentials", "a mail was sent", "signed in"]


def test_a_code_that_was_sent_is_no_link(sign_in):
    assert sign_in(after_password="show('<p>We sent a code to your email</p>')").failure is PortalChanged


def test_before_a_captcha_nothing_is_typed(sign_in):
    ended = sign_in({SIGN_IN: FORM + "<img id=captchaImg width=90 height=30 src=x alt=x>"})
    assert (ended.failure, ended.screens) == (CaptchaShown, ["captcha in the form"])


@pytest.mark.parametrize(
    ("facts", "failure"),
    [
        ({"after_password": "show('<p role=alert>Invalid user ID or password.</p>')"}, BadCredentials),
        ({"after_password": "show('<h2>Something else</h2>')"}, PortalChanged),
        ({"after_password": ways(BY_TEXT)}, MfaRequired),
    ],
    ids=["refused", "unknown", "by text message alone"],
)
def test_the_password_is_typed_once_whatever_comes(sign_in, facts, failure):
    ended = sign_in(**facts)
    assert (ended.failure, ended.said) == (failure, [PASSWORD])


def test_no_mail_is_sent_that_cannot_be_received(sign_in):
    ended = sign_in(kinds=("sms",))
    assert (ended.failure, ended.said) == (MfaRequired, [PASSWORD])


OWN, SISTER = ("Email", "a***@example.com"), ("E-mail", "b***@example.com")


@pytest.mark.parametrize("offered", [(SISTER, OWN, BY_TEXT), (BY_TEXT, OWN, SISTER), (OWN,), (SISTER,)])
def test_of_several_addresses_the_credential_s_is_chosen(sign_in, offered):
    wanted = OWN if OWN in offered else SISTER
    assert sign_in(after_password=ways(*offered)).said[1] == f"sent to {wanted[1]}"


@pytest.mark.parametrize(
    ("offered", "receiver"),
    [((OWN, OWN), MAIL), ((SISTER, ("Email", "c***@example.com")), MAIL), ((OWN, SISTER), "+12015550100")],
    ids=["two that may be it", "none that may be it", "none is known"],
)
def test_none_is_chosen_where_that_is_not_certain(sign_in, offered, receiver):
    ended = sign_in(after_password=ways(*offered), receiver=receiver)
    assert (ended.failure, ended.said) == (MfaRequired, [PASSWORD])
    assert ended.detail.startswith("2 addresses are offered")


@pytest.mark.parametrize("late", [0, 1500])
def test_the_form_may_come_late_behind_a_page_that_checks(sign_in, late):
    checks = f"<h2>One moment</h2><script>setTimeout(() => location = '{SIGN_IN}/form', {late})</script>"
    made = {"after_password": ways(BY_MAIL), "after_link": f"location = '{HOME}/mbt/secure/home'"}
    ended = sign_in({SIGN_IN: checks, f"{SIGN_IN}/form": FORM + SCRIPT.format(**made)})
    assert ended.said == [PASSWORD, SENT, ALLOWED]


def test_a_greeting_beside_the_form_is_no_sign_in(sign_in):
    """The first page greets everybody, and its form comes a moment later."""
    late = (
        FORM.replace("<div id=app>", "<div id=app hidden>")
        + "<script>setTimeout(() => app.hidden = false, 600)</script>"
    )
    made = {"after_password": ways(BY_MAIL), "after_link": f"location = '{HOME}/mbt/secure/home'"}
    assert sign_in({SIGN_IN: late + SCRIPT.format(**made)}).said == [PASSWORD, SENT, ALLOWED]


def test_a_greeting_before_the_choice_of_ways_is_no_sign_in(sign_in, monkeypatch):
    """A new document after the password greets, too, and its list comes later than a moment."""
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "12")
    made = {"after_password": "null", "after_link": f"location = '{HOME}/mbt/secure/home'"}
    listed = f"<h1>Welcome</h1><div id=app></div>{SCRIPT.format(**made)}<script>setTimeout(() => {ways(BY_MAIL)}, 2500)</script>"
    ended = sign_in({"/ways": listed}, after_password="location = '/ways'")
    assert ended.screens == ["credentials", "choose mail", "signed in"]


@pytest.mark.parametrize("late", [0, 500])
def test_the_hub_is_passed(sign_in, late):
    hub = f"<main id=m></main><script>setTimeout(() => m.innerHTML = {HUB!r}, {late})</script>"
    ended = sign_in({"/hub": hub}, after_link=f"location = '{HOME}/hub'")
    assert ended.screens == ["credentials", "choose mail", "welcome hub", "signed in"]
    assert ended.at == f"{HOME}/mbt/secure/home"


def test_the_address_alone_is_a_sign(sign_in):
    assert sign_in({"/mbt/secure/home": "<p>Overview</p>"}).failure is None


def test_an_address_in_another_one_is_none(sign_in):
    ended = sign_in(after_link=f"location = '{HOST}/next?goto=https://mb.verizonwireless.com/mbt/secure/home'")
    assert ended.failure is PortalChanged


@pytest.mark.parametrize(
    ("text", "link"),
    [
        (f"Hello.\nAllow or deny <{HOST}/allow?id=7&x=y>\nThank you", f"{HOST}/allow?id=7&x=y"),
        (f"ALLOW OR DENY\n<{HOST}/a> Help <{HOST}/help>", f"{HOST}/a"),
        (f"Help <{HOST}/help>", None),
        (f"Allow or deny <{HOST}/a> Allow or deny <{HOST}/b>", None),
    ],
)
def test_the_link_is_read_from_the_mail(text, link):
    assert extract(LINK, text) == link


@pytest.mark.parametrize(
    ("shown", "fits"),
    [
        ("a***h@example.com", True),
        ("Email: A\u2022\u2022\u2022H@ex\u2022\u2022\u2022\u2022\u2022.com.", True),
        ("axxxxx@example.com", True),
        (MAIL, True),
        ("a...h@e...", True),
        ("b***h@example.com", False),
        ("a***h@example.org", False),
        ("***-***-0100", False),
        ("", False),
    ],
)
def test_masked_addresses_are_told_apart(shown, fits):
    assert may_be_address(MAIL, shown) is fits
    assert may_be_address("", shown) is False

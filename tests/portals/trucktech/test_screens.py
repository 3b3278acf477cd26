"""Which screen of the sign-in a page is, in any words and nesting, in a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from scrapy.http import HtmlResponse, Response

from middlewares.download.browser import find_browser
from scrapers.logins.screens import Stop
from scrapers.portals.trucktech.login import TruckTechLogin

FORM = "<form><input id=auth_key><input type=password><button type=submit>Sign in</button></form>"
CODE = "<input name=code><button>Verify</button>"
pytestmark = pytest.mark.browser

PAGES = [
    ("credentials", f"{FORM}<footer>Privacy policy. Logged in on another device? <button>Continue</button></footer>"),
    *(
        ("bad credentials", f"<div class={mark}>Invalid</div>{FORM}")
        for mark in ("error", "alert-danger", "error-message")
    ),
    ("locked", f"<div class=alert-danger>Your account is locked</div>{FORM}"),
    ("bad credentials", f"<div class=alert-danger>Wrong. It will be locked after one more try</div>{FORM}"),
    *(
        ("wrong code", f"<form><p class={mark}>Wrong</p>{CODE}</form>")
        for mark in ("error", "alert-danger", "error-message")
    ),
    ("authenticator", f"<form>{CODE}</form><a>Get it by text message</a>"),
    ("authenticator", "<form><input placeholder='Code of your Authenticator app'><button>Verify</button></form>"),
    ("code by text message", f"<form><p>We sent a <b>text message</b> to +1</p>{CODE}</form>"),
    (
        "code by text message",
        "<form><p>Un SMS vous a été envoyé</p><input inputmode=numeric><button>OK</button></form>",
    ),
    ("code by mail", "<form><p>Check your e-mail</p><input inputmode=numeric><button>Verify</button></form>"),
    (
        "code by text message",
        "<form><p>A text message with six digits is on its way</p><input name=pin6 type=tel><button>OK</button></form>",
    ),
    (
        "code by mail",
        "<form><p>A code is on the way by e-mail</p><input name=foo maxlength=6><button>OK</button></form>",
    ),
    (
        "code by text message",
        "<form><p>We have texted a 6-digit code to +1</p><input name=foo aria-label='6-digit code'><button>OK</button></form>",
    ),
    ("", "<main><p>57 vehicles</p><form><input type=tel><input maxlength=6></form></main>"),
    ("a code is announced", "<main><p>Enter the code from the text message</p><input name=foo></main>"),
    (
        "signed in elsewhere",
        "<div><h2>You are <b>already logged in</b> on another device</h2><a href=#><i>Continue</i></a></div>",
    ),
    (
        "signed in elsewhere",
        f"{FORM}<dialog open>Session active elsewhere<button>Yes, sign out the other one</button></dialog>",
    ),
    ("signed in elsewhere", "<main><p>Votre compte est connecté ailleurs</p><button>Continuer</button></main>"),
    ("policies", "<main><h1><span>Policies &amp; agreements</span></h1><button><span>I agree</span></button></main>"),
    ("policies", "<main><h2>Conditions d'utilisation</h2><button>J’accepte</button></main>"),
    ("policies, may wait", "<div role=dialog>Terms of use<button>Accept</button><button>Not now</button></div>"),
    ("trust this device", "<button><i>Trust this device</i></button>"),
    ("send code", "<form><button><span>Send me a code</span></button></form>"),
    ("", "<main><p>57 vehicles</p></main><footer><a>Privacy policy</a><a>Terms</a><button>OK</button></footer>"),
    ("", "<div role=dialog>We use cookies, see our policy<button>Accept</button></div>"),
]


@pytest.fixture(scope="module")
def page() -> Iterator[tuple[Any, Any]]:
    """Give an event loop and a page of a browser in it."""
    from playwright.async_api import async_playwright

    loop = asyncio.new_event_loop()

    async def start() -> tuple[Any, Any, Any]:
        driver = await async_playwright().start()
        browser = await driver.chromium.launch(executable_path=find_browser())
        return driver, browser, await browser.new_page()

    driver, browser, page = loop.run_until_complete(start())
    yield loop, page
    loop.run_until_complete(browser.close())
    loop.run_until_complete(driver.stop())
    loop.close()


@pytest.mark.parametrize(("name", "html"), PAGES)
def test_a_screen_is_told_by_what_it_is_and_says(page, name, html):
    loop, tab = page
    submitted = "id=auth_key" not in html or "class=" in html

    async def shown() -> list[str]:
        await tab.set_content(f"<body>{html}</body>")
        found = []
        for screen in TruckTechLogin.screens:
            due = not isinstance(screen.act, Stop) or screen.act.is_due(
                submitted=submitted, code_entered="=code" in html
            )
            counts = (
                [await tab.locator(selector).filter(visible=True).count() for selector in screen.shown] if due else []
            )
            if any(counts):
                found.append(screen.name)
        return found

    assert ([*loop.run_until_complete(shown()), ""])[0] == name


@pytest.mark.parametrize(
    ("address", "signed_in"),
    [
        ("https://paccar.decisiv.net/dashboard", True),
        ("https://paccar.decisiv.net/home?tab=1", True),
        ("https://paccar.decisiv.net/login?next=/dashboard", False),
        ("https://paccar.decisiv.net/dashboards-help", False),
        ("https://paccar.decisiv.net/policies", False),
    ],
)
def test_the_address_of_the_landing_page_means_signed_in(address, signed_in):
    done = next(screen for screen in TruckTechLogin.screens if screen.name == "signed in")
    assert done.is_at(address) == signed_in


@pytest.mark.parametrize(
    ("target", "signed_out"),
    [
        ("/login", True),
        ("/login?next=/assets", True),
        ("/login/ended", True),
        ("/logins-help", False),
        ("/assets?p=2", False),
    ],
)
def test_a_redirect_to_a_page_of_the_sign_in_means_signed_out(target, signed_out):
    login = object.__new__(TruckTechLogin)
    answer = Response("https://paccar.decisiv.net/assets", status=302, headers={"Location": target})
    assert login.is_signed_out(answer) == signed_out


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ("<header><span class=c81>bob@example.com</span> <a href=/end>Leave</a></header>", ("bob@example.com", "")),
        ("<header><p>Signed in as bob@example.com.</p></header>", ("bob@example.com", "")),
        ("<header><span class=user-name>Hello bob@example.com</span></header>", ("bob@example.com", "")),
        ("<header><p>Follow us @trucktech</p></header>", ("", "")),
        ("<header><div><b><bdi>bob@example.com</bdi></b></div></header>", ("bob@example.com", "")),
        ("<header><span class=user-name>Bob Alder</span> <i>x@example.com</i></header>", ("", "Bob Alder")),
        ("<header><a href=mailto:help@example.com><b>help@example.com</b></a></header>", ("", "")),
        ("<header>TruckTech+</header><main>bob@example.com</main>", ("", "")),
    ],
    ids=[
        "unknown class",
        "in a sentence",
        "greeted",
        "no address",
        "wrapped",
        "a known mark",
        "a link to write to",
        "not at the top",
    ],
)
def test_a_mail_address_at_the_top_says_whose_the_page_is(header, shown):
    """Of another user: the session is refused, though nothing that names the user is known of the portal."""
    page = HtmlResponse("https://paccar.decisiv.net/assets", body=f"<body>{header}</body>".encode(), encoding="utf-8")
    identity = object.__new__(TruckTechLogin).identity(page)
    assert (identity.username, identity.name) == shown

"""The control room in a real browser: without JavaScript, on a telephone of 360 px, by keyboard alone, and axe on every page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect, sync_playwright
from werkzeug.serving import make_server

from database.access.assisted import Wanted, ask
from database.access.roles import grant, make_link
from database.access.users import user_of
from database.models import CodeRequest
from database.models.jobs import ScraperJobStatus
from database.models.operators import Role
from middlewares.download.browser import find_browser
from sandbox.mailserver import serving
from tests.webhook.pages.test_browser import AXE, DESKTOP, PHONE, SCREENS, SCRIPT, Quiet, fits, message, serious, tab_to
from tests.webhook.room.conftest import OPERATOR

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=find_browser())
        yield launched
        launched.close()


@pytest.fixture
def site(house):
    """The application behind a server."""
    server = make_server("127.0.0.1", 0, house.api.app, threaded=True, request_handler=Quiet)
    with serving(server):
        house.url = f"http://127.0.0.1:{server.port}"
        yield house


@pytest.fixture
def window(browser, site):
    """Give a function that opens a window; at the end no script may have failed, and the policy have refused nothing."""
    opened, wrong = [], []

    def open_(screen, scheme="light", signed_in=True, **options):
        context = browser.new_context(
            viewport=screen, color_scheme=scheme, base_url=site.url, locale="en-GB", **options
        )
        context.set_default_timeout(30_000)
        opened.append(context)
        if signed_in:
            token = site.operator().client.get_cookie("pb_session").value
            context.add_cookies([{"name": "pb_session", "value": token, "url": site.url, "httpOnly": True}])
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        return page

    yield open_
    for context in opened:
        context.close()
    assert [each for each in wrong if "Failed to load resource" not in each] == []


def fill(site):
    """Give the inbox an entry of every kind; return the code request."""
    parked = site.job("510000001", "north@example.com", message=SCRIPT)
    site.job("520000002", "south@example.com", outcome="account_locked")
    site.job("520000002", "south@example.com", 3, status=ScraperJobStatus.ERROR, outcome="no_longer_available")
    return site.waits("north@example.com", parked)


def test_without_javascript_on_a_telephone(window, site):
    """From the link that a command prints to an empty inbox: its token is pasted."""
    request = fill(site)
    with site.db.transaction() as session:
        token = make_link(session, grant(session, OPERATOR, Role.OPERATOR))
    page = window(PHONE, signed_in=False, java_script_enabled=False)
    page.goto("/room/link")
    page.get_by_label("Link").fill(token)
    page.get_by_role("button", name="Sign in").click()
    message(page, "You are signed in.")
    page.get_by_label("One-time code").fill("12")
    page.get_by_role("button", name="Give the code").click()
    expect(page.locator(f"#type_code-{request}-code-problem")).to_contain_text("it looks otherwise")
    page.get_by_label("One-time code").fill("123456")
    page.get_by_role("button", name="Give the code").click()
    message(page, "The code is given to the sign-in that waits for it.")
    assert site.one(CodeRequest, id=request).typed == "123456"
    page.get_by_text("Change the secret of north@example.com").click()
    page.get_by_label("New password").fill("another-secret")
    page.get_by_role("button", name="Store the secret").click()
    message(page, "The new secret is stored, and the jobs that waited for it are due.")
    page.get_by_role("button", name="Unblock").click()
    message(page, "The credential may be tried again, and the jobs that waited for it are due.")
    page.get_by_role("button", name="Accept that it is gone").click()
    message(page, "It is accepted: nothing is to be fetched for that period.")
    assert "another-secret" not in page.content()
    page.get_by_role("link", name="Audit").click()
    expect(page.locator("main")).to_contain_text("period.accepted")
    page.get_by_role("button", name="Sign out").click()
    message(page, "You are signed out.")


def test_the_keyboard_alone(window, site):
    request = fill(site)
    page = window(DESKTOP)
    page.goto("/room/inbox")
    tab_to(page, page.get_by_label("One-time code"))
    page.keyboard.type("123456")
    page.keyboard.press("Enter")
    message(page, "The code is given to the sign-in that waits for it.")
    assert site.one(CodeRequest, id=request).typed == "123456"
    tab_to(page, page.get_by_text("Change the secret of north@example.com"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("New password"))
    page.keyboard.type("another-secret")
    page.keyboard.press("Enter")
    message(page, "The new secret is stored, and the jobs that waited for it are due.")
    tab_to(page, page.get_by_role("button", name="Unblock"))
    page.keyboard.press("Enter")
    message(page, "The credential may be tried again, and the jobs that waited for it are due.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@SCREENS
def test_axe_finds_nothing_serious(window, site, screen, scheme):
    page = window(screen, scheme)
    page.context.add_init_script(path=str(AXE))
    page.goto("/room/inbox")
    assert serious(page) == []
    fill(site)
    with site.db.transaction() as session:
        asked = ask(session, user_of(session, OPERATOR).id, Wanted("bell", "bell_self_serve", "north@example.com", 1))
    for path in ("inbox", "audit", "audit?action=nothing", "nothing", f"finishing/{asked}"):
        page.goto(f"/room/{path}")
        assert serious(page) == [], path
        assert fits(page), path
        assert page.title() != "taken"
    page.goto("/room/inbox")
    page.get_by_text("Change the secret of north@example.com").click()
    page.get_by_label("New password").fill("x")
    page.get_by_label("Authenticator secret").fill("no base32!")
    page.get_by_role("button", name="Store the secret").click()
    expect(page.locator("[id$=totp_secret-problem]")).to_contain_text("The authenticator secret")
    assert serious(page) == []
    assert fits(page)
    page.get_by_role("button", name="Sign out").click()
    message(page, "You are signed out.")
    assert serious(page) == []
    for address in ("/room/link", "/room/link#x"):
        page.goto(address)
        assert serious(page) == []
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#link-problem")).to_contain_text("The link was used")
    assert serious(page) == []

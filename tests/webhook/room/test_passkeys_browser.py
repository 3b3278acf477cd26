"""Passkeys and links in a real browser, with the virtual device that Chromium has for tests; every page is looked at by axe."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import request
from playwright.sync_api import expect
from werkzeug.serving import make_server

from database.access.roles import grant, make_link
from database.models.operators import Passkey, Role
from sandbox.mailserver import serving
from tests.webhook.api.conftest import make_api
from tests.webhook.pages.test_browser import AXE, DESKTOP, PHONE, Quiet, fits, message, serious, tab_to
from tests.webhook.room.conftest import OPERATOR, House
from tests.webhook.room.test_browser import browser, window
from webhook.api.room.passkeys import NOT_SIGNED_IN

__all__ = ["browser", "make_api", "window"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
DEVICE = {"protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal", "hasResidentKey": True}
DEVICE |= {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
NO_BROWSER = "This needs a browser that has passkeys, with JavaScript on."


@pytest.fixture
def site(make_api):
    """The application behind a server, with passkeys for its address, which has a name."""
    server = make_server("127.0.0.1", 0, lambda environ, start: [], threaded=True, request_handler=Quiet)
    url = f"http://localhost:{server.port}"
    house: Any = House(make_api(webhook={"webhook_public_url": url}))
    server.app, house.url = house.api.app, url
    with serving(server):
        yield house


class Device:
    """A device that the browser of a page has, and that knows the finger of its owner."""

    def __init__(self, page):
        self.session = page.context.new_cdp_session(page)
        self.session.send("WebAuthn.enable")
        self.id = self.session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]

    def knows(self, it):
        self.session.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": it})


def check(page):
    """Look at a page on a telephone and a desktop, in light and dark."""
    for screen in (PHONE, DESKTOP):
        page.set_viewport_size(screen)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.wait_for_function("() => !document.getAnimations().length")  # colours pass into one another
            assert serious(page) == [], (page.url, screen, scheme)
        assert fits(page), (page.url, screen)


def add(page, name):
    page.goto("/room/passkeys")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add a passkey").click()


def test_a_passkey_from_adding_to_removing(window, site):
    page = window(DESKTOP)
    page.context.add_init_script(path=str(AXE))
    device = Device(page)
    add(page, "Laptop")
    message(page, "The passkey is added: you can sign in with it.")
    expect(page.locator("main")).to_contain_text("not used yet")
    check(page)
    add(page, "The same again")
    expect(page.get_by_role("alert")).to_have_text("This device has a passkey for you already.")
    page.get_by_role("button", name="Sign out").click()
    message(page, "You are signed out.")
    check(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    message(page, "You are signed in.")
    page.get_by_role("link", name="Sign-in").click()
    expect(page.locator("main")).to_contain_text("used last")
    page.get_by_role("button", name="Sign out").click()
    message(page, "You are signed out.")
    # Another finger.
    device.knows(False)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was used")
    check(page)
    device.knows(True)
    tab_to(page, page.get_by_role("button", name="Sign in with a passkey"))
    page.keyboard.press("Enter")
    message(page, "You are signed in.")
    page.goto("/room/passkeys")
    page.get_by_role("button", name="Remove").click()
    message(page, "The passkey is removed and opens nothing any more.")
    assert site.all(Passkey) == []
    page.get_by_role("button", name="Sign out").click()
    message(page, "You are signed out.")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_have_text(NOT_SIGNED_IN)
    assert page.url.endswith("/room/sign-in/passkey")


def test_the_server_says_what_is_wrong_where_it_gives_no_options(window, site):
    page = window(DESKTOP)
    Device(page)
    page.goto("/room/passkeys")
    site.api.turn(timedelta(minutes=site.api.settings.auth_recent_minutes))
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert")).to_have_text("Sign in again first: this needs a recent sign-in.")


def test_a_browser_without_passkeys_shows_no_button(window, site):
    without = window(PHONE)
    without.context.add_init_script("delete window.PublicKeyCredential")
    for page in (without, window(PHONE, java_script_enabled=False)):
        page.goto("/room/passkeys")
        expect(page.get_by_text(NO_BROWSER)).to_be_visible()
        expect(page.get_by_role("button", name="Add a passkey")).to_have_count(0)
        page.get_by_role("button", name="Sign out").click()
        message(page, "You are signed out.")
        expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)
        expect(page.get_by_role("button", name="Send the code")).to_be_visible()


def test_the_token_of_a_link_is_sent_in_the_form_alone(window, site):
    """No address that the server is asked for holds it, and the browser's own address not for long."""
    asked = []
    with site.db.transaction() as session:
        token = make_link(session, grant(session, OPERATOR, Role.OPERATOR))
    site.api.app.before_request(lambda: asked.append(request.url))
    page = window(PHONE, signed_in=False)
    page.goto(f"/room/link#{token}")
    expect(page.get_by_label("Link")).to_be_hidden()
    assert page.url == f"{site.url}/room/link"
    page.get_by_role("button", name="Sign in").click()
    message(page, "You are signed in.")
    assert len(asked) >= 4
    assert token not in str(asked)

"""The pages of the control room in a real browser, on a telephone and a desktop: the grid, a run's story, evidence that bites."""

from __future__ import annotations

import hashlib
import json

import pytest
from playwright.sync_api import expect, sync_playwright
from werkzeug.serving import make_server

from middlewares.download.browser import find_browser
from sandbox.mailserver import serving
from tests.webhook.api.conftest import make_api
from tests.webhook.pages.test_browser import AXE, DESKTOP, PHONE, SCREENS, SCRIPT, Quiet, fits, serious
from tests.webhook.room.test_overview import CONTENT, Room

__all__ = ["make_api"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PAGE = f"<html><head><title>Portal</title></head><body><h1>Your account is locked</h1>{SCRIPT}</body></html>"
JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300" + "01" * 64
    + "ffc0000b080001000101011100ffc40014000100000000000000000000000000000009ffc40014100100000000000000000000000000000000"
    + "ffda0008010100003f0037ffd9"
)  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=find_browser())
        yield launched
        launched.close()


@pytest.fixture
def site(make_api, monkeypatch, tmp_path):
    """The room behind a server, with a run that has failed and left evidence, one that runs, and a file."""
    room = Room(make_api, monkeypatch, tmp_path)
    account, _ = room.account("500100200", "Meadow")
    requests = [
        {
            "at": f"2026-11-20T06:00:{n % 60:02d}.000",
            "kind": "request",
            "method": "GET",
            "url": f"https://x.example/{n}",
        }
        for n in range(130)
    ]
    story = {"steps": ["open the bills", SCRIPT], "screens": ["sign in"], "cause": [SCRIPT], "url": SCRIPT}
    members = {"page_html": PAGE.encode(), "run_json": json.dumps(story).encode(), "screenshot_jpg": JPEG}
    bundle = room.bundle(**members, requests_json=json.dumps(requests).encode())
    about = {"message": SCRIPT, "actor": "owner", "missing_names": [SCRIPT], "warnings": [SCRIPT], "step": SCRIPT}
    room.failed = room.run(account, "portal_changed", bundle=bundle, target=SCRIPT, **about)
    room.now = room.run(account, None, step="open the bills")
    room.kept = room.file(account, run=room.failed, source="https://x.example/bill")
    server = make_server("127.0.0.1", 0, room.api.app, threaded=True, request_handler=Quiet)
    with serving(server):
        room.url = f"http://127.0.0.1:{server.port}"
        yield room


@pytest.fixture
def window(browser, site):
    """Give a function that opens a window of an operator; at the end no script may have failed, and nothing was refused."""
    opened, wrong = [], []

    def open_(screen, scheme="light", **options):
        context = browser.new_context(
            viewport=screen,
            color_scheme=scheme,
            base_url=site.url,
            **options,
        )
        token = site.client.get_cookie("pb_session").value
        context.add_cookies([{"name": "pb_session", "value": token, "url": site.url, "httpOnly": True}])
        context.set_default_timeout(30_000)
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        return page

    yield open_
    for context in opened:
        context.close()
    assert [each for each in wrong if "Failed to load resource" not in each] == []


@SCREENS
def test_every_page_fits_is_sound_and_runs_nothing_of_a_portal(window, site, screen):
    page = window(screen, scheme="dark" if screen == PHONE else "light")
    page.context.add_init_script(path=str(AXE))
    kinds = [f"/room/missing/{kind}" for kind in ("fleets", "meters", "shops", "channels")]
    for path in (
        "/room/missing", "/room/missing?state=stored", "/room/missing/accounts/1", *kinds, "/room/runs", "/room/runs?outcome=bad_file",
        f"/room/runs/{site.failed}", f"/room/runs/{site.failed}?start=60", f"/room/runs/{site.now}", "/room/files", "/room/runs/99",
    ):  # fmt: skip
        page.goto(path)
        assert serious(page) == [], path
        assert fits(page), path
        assert page.title() != "taken", path
        assert page.locator("main script").count() == 0
    assert page.locator("h1").inner_text() == "Not Found"


def test_from_what_is_missing_to_the_evidence_and_the_file(window, site):
    """Without JavaScript: the grid, the account, its failed run, the text of its page, the file."""
    page = window(PHONE, java_script_enabled=False)
    page.goto("/room/missing")
    page.get_by_role("link", name="500100200").click()
    expect(page.get_by_role("heading", name="500100200")).to_be_visible()
    page.get_by_role("link", name="Its runs").click()
    page.get_by_role("link", name=str(site.failed), exact=True).click()
    expect(page.locator("main")).to_contain_text("open the bills")
    expect(page.locator("img.shot")).to_have_count(1)
    page.get_by_text("Text of the page").click()
    expect(page.locator("pre.page")).to_have_text("Your account is locked")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("main")).to_contain_text("https://x.example/69")
    with page.expect_download() as started:
        page.get_by_role("link", name="a/1.pdf").click()
    known = hashlib.sha256(CONTENT).hexdigest()
    assert hashlib.sha256(started.value.path().read_bytes()).hexdigest() == known
    expect(page.locator("main")).to_contain_text(known)


def test_evidence_is_no_page_of_ours(window, site):
    """What a portal has sent comes as text, in a document that may do nothing."""
    page = window(DESKTOP)
    for name in ("page.txt", "source.txt"):
        answer = page.goto(f"/room/runs/{site.failed}/{name}")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert page.title() != "taken"
        assert page.locator("h1, script").count() == 0
    assert "<h1>Your account is locked</h1>" in page.locator("pre").inner_text()
    answer = page.request.get(f"/room/runs/{site.failed}/screenshot")
    assert (answer.headers["content-type"], answer.body()) == ("image/jpeg", JPEG)
    assert "script" not in page.request.get(f"/room/runs/{site.failed}/page.txt").text()


def test_the_live_list_follows_by_itself(window, site):
    page = window(DESKTOP)
    page.goto("/room/runs")
    live = page.locator("#live tbody tr")
    expect(live).to_have_count(1)
    site.run(None, None)
    expect(live).to_have_count(2, timeout=30_000)
    expect(page.locator("#live")).to_have_count(1)

"""The pages of Telegram in a real browser, on a telephone and a desktop: every action, axe, and without JavaScript."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect, sync_playwright
from werkzeug.serving import make_server

from middlewares.download.browser import find_browser
from pipelines.settings import PipelineSettings
from pipelines.stores import store_of
from sandbox.mailserver import serving
from tests.project import ROOT
from tests.webhook.pages.conftest import Visitor
from tests.webhook.pages.test_browser import AXE, CRAWL, PHONE, SCREENS, SCRIPT, Quiet, fits, message, serious
from tests.webhook.telegram import People, note_file, note_run
from webhook.api.checking import Checker, Crawls

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
APP = {"API id of an app": "12345", "Its API hash": "0123456789abcdef0123456789abcdef"}


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=find_browser())
        yield launched
        launched.close()


@pytest.fixture
def site(make_api, sqlite, tmp_path, monkeypatch, telegram_server):
    """The application behind a server, with crawls of its own that ask the imitation of Telegram."""
    environment = {
        "LATCHKEY_DATABASE_URL": sqlite.engine.url.render_as_string(hide_password=False),
        "LATCHKEY_DATA_DIR": str(tmp_path / "data"),
        "PYTHONPATH": str(ROOT),
        **telegram_server.environment,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT)
    telegram_server.admin.reset()
    crawls = Crawls()

    def erase(store, path):
        return store_of(PipelineSettings.current(), store).remove(path)

    rates = {"telegram_rate": "100000 per minute", "user_rate": "100000 per minute"}
    api = make_api(checker=Checker(sqlite, 0, start=crawls), erase=erase, **rates)
    server = make_server("127.0.0.1", 0, api.app, threaded=True, request_handler=Quiet)
    with serving(server):
        api.url, api.people, api.files = f"http://127.0.0.1:{server.port}", People(telegram_server, sqlite), tmp_path / "data" / "files"  # fmt: skip
        yield api
        crawls.close()
    api.wait()


@pytest.fixture
def window(browser, site):
    """Give a function that opens a window of Ana's; at the end no script may have failed, and nothing was refused."""
    opened, wrong = [], []

    def open_(screen, scheme="light", **options):
        context = browser.new_context(
            viewport=screen, color_scheme=scheme, base_url=site.url, locale="en-GB", **options
        )
        context.set_default_timeout(30_000)
        opened.append(context)
        site.visitor = Visitor(site).signed_in()
        token = site.visitor.client.get_cookie("pb_session").value
        context.add_cookies([{"name": "pb_session", "value": token, "url": site.url, "httpOnly": True}])
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        return page

    yield open_
    for context in opened:
        context.close()
    assert [each for each in wrong if "Failed to load resource" not in each] == []


def sign_in(page, site, scenario="ok"):
    """Begin a session by a code."""
    phone = site.people.server.number(scenario)
    page.goto("/telegram/sessions")
    page.get_by_role("link", name="Add a session").click()
    page.get_by_label("Phone number of the account").fill(phone)
    for label, value in APP.items():
        page.get_by_label(label).first.fill(value)
    page.get_by_role("button", name="Send the code").click()
    expect(page.get_by_role("heading", name="The code of Telegram")).to_be_visible()
    page.get_by_label("Code", exact=False).first.fill(site.people.server.code(phone))
    page.get_by_label("Your name for the session").fill("Main")
    page.get_by_role("button", name="Sign in").click()


@SCREENS
def test_every_action(window, site, screen):
    page = window(screen)

    # A session, by a code and a password.
    sign_in(page, site, "password")
    expect(page.locator("#form-problem")).to_contain_text("the account has a password")
    page.get_by_label("Password of the account").fill("open-sesame")
    page.get_by_label("Your name for the session").fill("Main")
    page.get_by_role("button", name="Sign in").click()
    message(page, "The session is stored.")
    assert fits(page)
    page.get_by_role("button", name="Test it").click()
    message(page, "Telegram knows the session: it works.")
    page.get_by_role("button", name="Switch off").click()
    message(page, "The session is switched off: nothing is fetched with it.")
    expect(page.get_by_role("button", name="Show its channels")).to_be_disabled()
    page.get_by_role("button", name="Switch on").click()
    page.get_by_label("Your name for it").fill("Reader")
    page.get_by_role("button", name="Store the name").click()
    message(page, "The changes are stored.")

    # One of its channels becomes a source, with what is wrong beside its field.
    page.get_by_role("button", name="Show its channels").click()
    assert fits(page)
    page.locator("li", has_text="Weekly Reports").get_by_role("link").click()
    expect(page.get_by_label("Your name for it")).to_have_value("Weekly Reports")
    page.get_by_label("Schedule", exact=False).first.fill("every day")
    page.get_by_role("button", name="Add the source").click()
    expect(page.locator("#schedule-problem")).to_contain_text("has not 5 fields")
    page.get_by_label("Schedule", exact=False).first.fill("0 */6 * * *")
    page.get_by_label("File types").fill("pdf, zip, docx")
    page.get_by_role("button", name="Add the source").click()
    message(page, "The source is stored.")
    expect(page.locator("#standing")).to_contain_text("0 */6 * * *")
    assert fits(page)

    # Read: the page shows by itself how that ends.
    page.get_by_role("button", name="Read it now").click()
    message(page, "The source is read as soon as a worker is free.")
    expect(page.locator("#standing .mark")).to_have_text("Last run succeeded", timeout=CRAWL)
    expect(page.locator("#standing tbody tr")).to_have_count(1)
    page.reload()
    stored = page.locator("[aria-label=Files] tbody tr", has_text="stored")
    assert stored.count() > 0
    files = [path for path in site.files.rglob("*") if path.is_file() and ".incoming" not in path.parts]
    assert len(files) >= stored.count()
    page.get_by_label("What became of them").select_option(label="Not wanted")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("[aria-label=Files] tbody tr", has_text="not wanted: type").first).to_be_visible()
    assert fits(page)
    page.locator("[aria-label=Runs] tbody a").first.click()
    expect(page.locator("main")).to_contain_text("Claimed, the 1. time.")
    assert fits(page)
    page.get_by_role("link", name="To the source").click()

    # Changed, paused, resumed.
    page.get_by_role("link", name="Change").click()
    page.get_by_label("Your name for it").fill("Reports")
    page.get_by_text("Further filters").click()
    page.get_by_label("At least").fill("2 KB")
    page.get_by_label("File types").fill("")
    page.get_by_label("Schedule", exact=False).first.fill("@daily")
    page.get_by_label("Target", exact=True).select_option(label="Bucket (S3)")
    page.get_by_role("button", name="Store the changes").click()
    message(page, "The source is changed.")
    expect(page.get_by_role("heading", name="Reports", exact=True)).to_be_visible()
    expect(page.locator("#standing")).to_contain_text("@daily")
    page.get_by_role("button", name="Pause").click()
    message(page, "The source is paused: its schedule is not followed until you resume it.")
    page.get_by_role("button", name="Resume").click()
    message(page, "The source is active again.")
    page.get_by_role("link", name="Sources", exact=True).click()
    expect(page.locator(".items li")).to_contain_text("Reports")
    assert fits(page)

    # A public one, by a link; a wrong one is named.
    page.get_by_role("link", name="Add a source").click()
    page.get_by_label("Your name for it").fill("Open")
    page.get_by_label("Channel", exact=False).first.fill("https://t.me/addstickers/Cats")
    page.get_by_role("button", name="Add the source").click()
    expect(page.locator("#channel-problem")).to_contain_text("a set of stickers")
    page.get_by_label("Channel", exact=False).first.fill("https://t.me/sandbox_open")
    page.get_by_role("button", name="Add the source").click()
    message(page, "The source is stored.")
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("link", name="Keep it").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    message(page, "The source is deleted; its stored files stay.")

    # The first one with its files, then the session.
    page.get_by_role("link", name="Reports", exact=True).click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_label("Delete its stored files, too").check()
    page.get_by_role("button", name="Delete it").click()
    message(page, "The source and its stored files are deleted.")
    assert [path for path in files if path.exists()] == []
    page.get_by_role("link", name="Telegram", exact=True).click()
    page.get_by_role("link", name="Reader").click()
    page.get_by_role("link", name="Delete the session").click()
    page.get_by_role("button", name="Delete it").click()
    message(page, "The session is deleted.")


def test_without_javascript(window, site):
    page = window(PHONE, java_script_enabled=False)
    sign_in(page, site)
    message(page, "The session is stored.")
    page.get_by_role("button", name="Show its channels").click()
    page.locator("li", has_text="Weekly Reports").get_by_role("link").click()
    page.get_by_role("button", name="Add the source").click()
    message(page, "The source is stored.")
    page.get_by_role("button", name="Read it now").click()
    expect(page.locator("#standing .mark")).to_have_text("Waits to be read")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@SCREENS
def test_axe_finds_nothing_serious(window, site, screen, scheme):
    """On every page, filled and empty: no finding that is serious or critical, and nothing stands out at the side."""
    page = window(screen, scheme)
    page.context.add_init_script(path=str(AXE))

    def look(path, label=""):
        page.goto(path)
        assert serious(page) == [], label or path
        assert fits(page), label or path

    for path in ("/telegram/sessions", "/telegram/sessions/new", "/telegram/sources", "/telegram/sources/new"):
        look(path)
    session = site.people.session(site.visitor.client.get("/me").get_json()["id"], SCRIPT)
    body = {"name": "x" * 200, "session_id": session, "channel_id": "@sandbox_reports", "schedule": "0 */6 * * *"}
    # In a thread: Telegram is asked in a loop, and Playwright's runs in this one.
    with ThreadPoolExecutor(1) as thread:
        source = thread.submit(site.visitor.client.post, "/sources/private", json=body).result().get_json()["id"]
    run = note_run(site.db, source, outcome="files_failed", message=SCRIPT, warnings=[SCRIPT])
    note_file(site.db, source, run, path=f"{'long-' * 60}/a.pdf", name=SCRIPT)
    note_file(site.db, source, state="failed", message=SCRIPT)
    for path in (
        *(f"/telegram/sessions{more}" for more in ("", f"/{session}", f"/{session}/delete")),
        *(f"/telegram/sources{more}" for more in ("", f"/{source}", f"/{source}/edit", f"/{source}/delete")),
        f"/telegram/sources/{source}/runs/{run}",
        "/telegram/nothing",
    ):
        look(path)
        assert page.title() != "taken"
        assert page.locator("main img, main script").count() == 0
    page.goto(f"/telegram/sessions/{session}")
    page.get_by_role("button", name="Show its channels").click()
    expect(page.get_by_role("heading", name="Channels of")).to_be_visible()
    assert serious(page) == []
    assert fits(page)
    page.goto("/telegram/sources/new")
    page.get_by_label("Your name for it").fill("n")
    page.get_by_label("Channel", exact=False).first.fill("nothing here!")
    page.get_by_role("button", name="Add the source").click()
    expect(page.locator("#channel-problem")).to_be_visible()
    assert serious(page) == []
    page.goto("/telegram/sessions/new")
    page.get_by_label("Phone number of the account").fill(site.people.server.number("ok"))
    for label, value in APP.items():
        page.get_by_label(label).first.fill(value)
    page.get_by_role("button", name="Send the code").click()
    expect(page.get_by_role("heading", name="The code of Telegram")).to_be_visible()
    assert serious(page) == []
    assert fits(page)

"""An operator finishes a sign-in from the control room: real portal, worker, server and browsers; and nothing of it is kept."""

from __future__ import annotations

import base64
import http.client
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from database.access.assisted import Wanted, ask, take
from database.access.guesses import Limits
from database.access.roles import grant
from database.access.users import open_session, user_of
from database.models import StoredCredential
from database.models.operators import Role
from database.processes import signature
from jobs.assisting import AssistedSignIns
from middlewares.download.browser import find_browser
from sandbox import PASSWORD, Admin, Running, running
from tests.project import wait_for
from tests.webhook.pages.test_browser import AXE, serious

pytestmark = [pytest.mark.browser, pytest.mark.matrix, pytest.mark.timeout(1500)]
PATIENCE = 300.0  # seconds for a sign-in and a crawl on a busy machine
WAIT = {"LATCHKEY_PAGE_WAIT": "20", "LATCHKEY_WORKER_POLL": "0.5"}
JPEG = (b"JFIF\x00\x01", base64.b64encode(b"\xff\xd8\xff\xe0\x00\x10JFIF")[:12])
# Where the yellow of the captcha's word stands in the picture, by what is seen: left, top, width and height.
YELLOW = """() => {
  const { width, height } = document.querySelector("canvas");
  const { data } = document.querySelector("canvas").getContext("2d").getImageData(0, 0, width, height);
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let at = 0; at < data.length; at += 4) {
    if (data[at] < 230 || Math.abs(data[at + 1] - 221) > 20 || data[at + 2] > 110) continue;
    const [x, y] = [(at / 4) % width, Math.floor(at / 4 / width)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
  }
  return right > left ? [left, top, right - left + 1, bottom - top + 1] : null;
}"""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("trucktech"), ("trucktech",)) as started:
        yield started


@pytest.fixture
def portal(crawls: Any, sandbox: Running) -> Admin:
    """The portal, which the crawls ask."""
    crawls.point_at(sandbox)
    sandbox.admin["trucktech"].reset()
    return sandbox.admin["trucktech"]


def give(crawls: Any, username: str) -> None:
    """Store a credential that can receive no code."""
    with crawls.db.transaction() as session:
        session.add(StoredCredential(portal="trucktech", username=username, password=PASSWORD))


def token_of(crawls: Any, email: str) -> str:
    with crawls.db.transaction() as session:
        return open_session(session, grant(session, email, Role.OPERATOR), "", Limits())


@pytest.fixture
def window(crawls: Any, webhook: str) -> Iterator[Callable[..., Page]]:
    """
    Give a function that opens a window of an operator who is signed in.

    At the end no script may have failed, and the policy have refused nothing.
    """
    wrong: list[str] = []
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser())

        def open_(width: int, height: int, **options: Any) -> Page:
            size: Any = {"width": width, "height": height}
            context = browser.new_context(base_url=webhook, locale="en-GB", viewport=size, **options)
            context.set_default_timeout(PATIENCE * 1000)
            context.add_cookies([{"name": "pb_session", "value": token_of(crawls, "olga@example.com"), "url": webhook}])
            context.add_init_script(path=str(AXE))
            page = context.new_page()
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
            return page

        yield open_
        browser.close()
    expect.set_options(timeout=5000)  # Playwright's own
    assert [each for each in wrong if "Failed to load resource" not in each] == []


def status_of(url: str, path: str, token: str) -> int:
    """Return how a request of somebody else is answered."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    connection.request("GET", path, headers={"Cookie": f"pb_session={token}"} if token else {})
    return connection.getresponse().status


def has_parked(crawls: Any, outcome: str) -> bool:
    return bool(crawls.rows("SELECT id FROM scraper_jobs WHERE parked_for = 'owner' AND outcome = ?", outcome))


def leaves(page: Page) -> bool:
    """Press Escape, and return whether the keys go nowhere any more; of two presses the second has to come in time."""
    page.keyboard.press("Escape")
    return page.locator(".keys").text_content() == ""


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def look(page: Page) -> list[int]:
    """Wait until the picture shows the captcha's word, and return its place and size, in pixels of the window."""
    found: list[int] = wait_for(lambda: page.evaluate(YELLOW), PATIENCE, 0.2)
    box = page.locator("canvas").bounding_box()
    assert box is not None
    scale = box["width"] / page.locator("canvas").evaluate("canvas => canvas.width")
    left, top, width, height = (round(each * scale) for each in found)
    return [round(box["x"]) + left, round(box["y"]) + top, width, height]


def test_a_captcha_is_passed_by_an_operator_who_looks_and_clicks_and_types(crawls, portal, window, webhook):
    give(crawls, "captcha")
    for spider in ("trucktech_vehicles", "trucktech_faults"):
        made = crawls.project.scrapy("jobs", "create", spider, "--json", timeout=PATIENCE)
        assert len(json.loads(made.stdout)["jobs"]) == 1, made.stderr
    worker = crawls.project.start("worker", "--slots", "1", env=WAIT)
    wait_for(lambda: has_parked(crawls, "captcha_shown"), PATIENCE)
    resting = "SELECT count(*) FROM scraper_jobs WHERE outcome = 'credential_cooling_down'"
    wait_for(lambda: crawls.value(resting) == 1, PATIENCE)  # the captcha has its rest, for hours
    before = files(crawls.project.data)  # with the evidence of the crawl that has met the captcha
    attempts = crawls.rows("SELECT id FROM attempts")

    page = window(1400, 1100)
    page.goto("/room/inbox")
    page.get_by_role("button", name="Finish this sign-in").click()
    expect(page.get_by_role("heading", name="Finish a sign-in")).to_be_visible()
    address = page.url.removeprefix(webhook)
    expect(page.locator("canvas")).to_be_visible()
    left, top, width, height = look(page)
    assert (round(width / height), page.locator(".state").text_content()[:17]) == (4, "It is your turn: ")
    assert serious(page) == []

    # Another operator, and who is not signed in, see nothing of it.
    assert status_of(webhook, f"{address}/picture", token_of(crawls, "otto@example.com")) == 404
    assert status_of(webhook, f"{address}/picture", "") == 303

    # The box stands above the word, the field below it and the button below that, each 40 pixels high in the page.
    unit = height / 50
    word = portal.secrets()["codes"][-1]
    page.mouse.click(left + 20 * unit, top - 20 * unit)
    page.mouse.click(left + 60 * unit, top + 70 * unit)
    expect(page.locator(".keys")).to_have_text("Your keys go to the portal’s page. Press Escape twice to leave it.")
    page.keyboard.type(word)
    wait_for(lambda: leaves(page), PATIENCE, 0.05)
    page.keyboard.type("nowhere")  # without a blank, which would scroll the page of the picture
    page.mouse.click(left + 60 * unit, top + 110 * unit)
    expect(page.locator("main")).to_contain_text("It is signed in.")
    assert serious(page) == []

    counters = portal.counters()
    assert (counters["sign_ins"], counters["captchas_refused"], counters["submissions"]) == (1, 0, {"captcha": 2})
    added = crawls.rows("SELECT login, username, result, proved FROM attempts WHERE id > ?", attempts[-1]["id"])
    assert [tuple(row) for row in added] == [("trucktech", "captcha", "signed_in", 1)]
    done = "SELECT count(*) FROM scraper_jobs WHERE status = 'success'"
    wait_for(lambda: crawls.value(done) == 2, PATIENCE)
    assert portal.counters()["sign_ins"] == 1  # the jobs work in the session that was kept
    row = crawls.rows("SELECT * FROM assisted_sign_ins")[0]
    assert (row["state"], row["outcome"], row["address"], row["key"]) == ("ended", "success", None, None)
    told = crawls.rows("SELECT actor, action FROM audit WHERE action LIKE 'sign_in.%' ORDER BY id")
    assert [each["action"] for each in told] == ["sign_in.asked", "sign_in.ended"]
    assert told[0]["actor"] == "olga@example.com"

    page.goto("about:blank")
    said = ends_of(crawls, worker)
    assert_kept_nowhere(crawls, before, word, said)


def ends_of(crawls: Any, worker: Any) -> str:
    """End worker and server, and return what they have said."""
    said = ""
    for process in (worker, crawls.project.started[0]):
        process.terminate()
        said += "".join(filter(None, process.communicate(timeout=PATIENCE)))
    return said


def assert_kept_nowhere(crawls: Any, before: dict[Path, bytes], typed: str, said: str) -> None:
    """No picture, and nothing that was typed, is in what is new in the data folder, in the database, or in what was said."""
    alone = re.compile(rb"(?<![0-9A-Za-z.])%b(?![0-9A-Za-z])" % typed.encode())  # not in the middle of a time
    assert not alone.search(said.encode())
    changed = {path: content for path, content in files(crawls.project.data).items() if before.get(path) != content}
    assert any(path.name.startswith("latchkey.db") for path in changed)
    for path, content in changed.items():
        assert not alone.search(content), path
        assert not [mark for mark in JPEG if mark in content], path
    assert not [path for path in changed if path.suffix == ".zip"]


@pytest.mark.parametrize("has_script", [True, False], ids=["on a telephone", "without JavaScript"])
def test_an_unknown_second_factor_is_answered_without_a_keyboard(crawls, portal, window, has_script):
    """The credential has no telephone: the portal has sent a code that nothing here receives. It is typed in the field below."""
    give(crawls, "sms")
    crawls.project.scrapy("jobs", "create", "trucktech_vehicles", "--json", timeout=PATIENCE)
    worker = crawls.project.start("worker", "--slots", "1", env=WAIT)
    wait_for(lambda: has_parked(crawls, "mfa_required"), PATIENCE)
    before = files(crawls.project.data)
    sent = portal.counters()["code_requests"]

    page = window(360, 740) if has_script else window(1280, 800, java_script_enabled=False)
    page.goto("/room/inbox")
    page.get_by_role("button", name="Finish this sign-in").click()
    if has_script:
        expect(page.locator("canvas")).to_be_visible()
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    else:
        wait_for(lambda: again(page, "It is your turn"), PATIENCE, 0.5)
        expect(page.locator("input[type=image]")).to_be_visible()
        page.locator("input[type=image]").click(position={"x": 900, "y": 500})  # a place without anything
    code = wait_for(lambda: portal.counters()["code_requests"] > sent and portal.secrets()["codes"][-1], PATIENCE)
    for text, key in (("", "Then Tab"), (code, "Then Enter")):
        page.get_by_label("Text for the field").fill(text)
        page.get_by_role("button", name=key).click()
    if not has_script:
        wait_for(lambda: again(page, "It is signed in."), PATIENCE, 0.5)
    expect(page.locator("main")).to_contain_text("It is signed in.")
    page.goto("about:blank")
    assert_kept_nowhere(crawls, before, code, ends_of(crawls, worker))


def again(page: Page, text: str) -> bool:
    """Open the page again, and return whether a text stands there."""
    page.reload()
    return text in (page.locator("main").text_content() or "")


def test_a_captcha_that_is_left_alone_ends_as_one_and_leaves_no_picture(crawls, portal):
    """The operator has a second: no evidence is kept of that either."""
    give(crawls, "captcha")
    token_of(crawls, "olga@example.com")
    with crawls.db.transaction() as session:
        user = user_of(session, "olga@example.com")
        assert user is not None
        number = ask(session, user.id, Wanted("trucktech", "trucktech", "captcha", 1))
        assert take(session, signature(), AssistedSignIns._life(), None) is not None
    before = files(crawls.project.data)
    done = crawls.project.scrapy(
        *("test-login", "trucktech", "--assisted", str(number)),
        env={**WAIT, "LATCHKEY_PERSON_WAIT": "1"},
        timeout=PATIENCE,
    )
    assert done.returncode == 5, done.stderr
    row = crawls.rows("SELECT * FROM assisted_sign_ins")[0]
    assert (row["state"], row["outcome"], row["key"]) == ("ended", "captcha_shown", None)
    assert "not completed by hand within 1 s" in row["message"]
    assert [each["result"] for each in crawls.rows("SELECT result FROM attempts")] == ["captcha_shown"]
    assert_kept_nowhere(crawls, before, portal.secrets()["codes"][-1], done.stdout + done.stderr)

"""A customer who knows no more than the fact sheet does gets every file of the perturbed Bell: so the sheet still holds."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator

import pypdf
import pytest
from playwright.sync_api import BrowserContext, Download, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from sandbox import PASSWORD, Running, phone, running
from sandbox.bell import accounts
from sandbox.invented import published_months
from sandbox.perturb import DIMENSIONS
from tests.project import wait_for
from tests.sandbox.bell_customer import CHECK, FORM, MENU, STANDARD, USER_BUTTON, at, content
from tests.sandbox.person import Phones

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
CLOSES = re.compile(r"not\snow|later|plus\stard|close|dismiss|^no\b|skip|fermer", re.I)


@pytest.fixture(scope="module")
def bell(tmp_path_factory, phones) -> Iterator[Running]:
    quick = {"load_ms": 20, "render_ms": [1, 20], "report_seconds": 0.2, "pdf_seconds": 0.1, "status_ms": 200}
    folder = tmp_path_factory.mktemp("bell")
    with running(folder, ("bell",), sms_url=phones.url, sms_token=phones.token, **quick) as sandbox:
        yield sandbox


class Reader:
    """Somebody at a browser with the fact sheet in hand: absolute paths, ids, labels; dialogs are closed by their own control."""

    def __init__(self, sandbox: Running, context: BrowserContext, phones: Phones) -> None:
        self.sandbox, self.context, self.phones = sandbox, context, phones
        self.downloads: list[Download] = []
        context.set_default_timeout(60_000)
        context.on("page", lambda page: page.on("download", self._keep))
        self.page = context.new_page()
        self._watch(self.page)

    def _keep(self, found: Download) -> None:
        self.downloads.append(found)

    def _watch(self, page: Page) -> None:
        dialog = page.get_by_role("dialog").filter(visible=True, has=page.get_by_role("button", name=CLOSES))
        # There may be several, of which one lies on top of the others.
        page.add_locator_handler(dialog.first, lambda _: self._close_one(dialog), no_wait_after=True)

    @staticmethod
    def _close_one(dialogs: Locator) -> None:
        for dialog in reversed(dialogs.all()):
            try:
                dialog.get_by_role("button", name=CLOSES).first.click(timeout=2_000)
            except PlaywrightTimeout:
                continue  # another one lies over it
            return

    def sign_in(self, user: str) -> None:
        page = self.page
        page.goto(f"{self.sandbox.urls['bell']}/corporateselfserve/Login", wait_until="domcontentloaded")
        at(page, f"{FORM}/div[1]/div[2]/input[1]").press_sequentially(user)
        at(page, f"{FORM}/div[2]/div[2]/input[1]").press_sequentially(PASSWORD)
        at(page, f"{FORM}/button[1]").click()
        if "sms" in user:
            radio = at(page, f"{CHECK}/div[1]/form/div[1]/section/div[2]/div/label[1]/input")
            expect(radio).to_be_visible()
            at(page, f"{CHECK}/div[1]/form/div[1]/section/div[2]/div/label[2]").click()
            at(page, f"{CHECK}/div[1]/form/div[2]/div[2]/div[2]/div[2]/button").click()
            code = at(page, f"{CHECK}/div[1]/form/div[2]/div[2]/div[3]/div[2]/div[1]/input")
            code.wait_for()  # it is in the page, hidden, before the code is sent
            code.press_sequentially(wait_for(lambda: self.phones.codes(phone(user)))[-1])
            at(page, f"{CHECK}/div[2]/div/button[1]").click()
        expect(at(page, USER_BUTTON)).to_be_visible()

    def fetch(self, control: Locator, within: float | None = None) -> bytes:
        """Click what begins a download, and return it. within: milliseconds in which it can be clicked."""
        before = len(self.downloads)
        control.click(timeout=within)
        wait_for(lambda: self.page.evaluate("new Promise(requestAnimationFrame)") and self.downloads[before:])
        return content(self.downloads[-1])

    def open_entry(self, column: int, entry: str) -> None:
        self._choose(at(self.page, f"{MENU}/li[{column}]/a[1]"), f"{MENU}/li[{column}]/div[1]/ul[1]/{entry}")

    def _choose(self, menu: Locator, entry: str) -> None:
        for _ in range(3):  # a dialog that comes meanwhile takes the pointer away, and the menu closes
            menu.hover()
            try:
                at(self.page, entry).click(timeout=8_000)
            except PlaywrightTimeout:
                self.page.mouse.move(0, 0)
            else:
                return
        raise AssertionError(f"{entry} was not seen.")

    def usage(self, account: str) -> bytes:
        page = self.page
        self.open_entry(2, "li[1]/ul[1]/li[1]/a[1]/span[1]")
        row = at(page, f"//tr[.//td[@data-table-col='banId' and normalize-space(text())='{account}']]")
        filters = page.locator("filter-selection select")
        expect(row.or_(filters)).to_be_visible()
        if row.is_visible():
            row.locator("button[aria-label*=Select]").click()
        expect(filters.locator("option").filter(has_text=re.compile(r"^All usage$"))).to_have_count(1)
        pools = at(page, "//*[@id='sharedAllowanceAdminContainer']/div[2]")
        expect(pools.first.locator("xpath=div[1]/span")).to_contain_text("GB")
        filters.select_option(label="All usage")
        entry = at(page, "//search/nav/ul/li[3]/ul/li/a")
        for _ in range(3):  # a dialog that comes meanwhile closes the menu
            if not entry.is_visible():
                at(page, "//search/nav/ul/li[3]/a").click()
            try:
                return self.fetch(entry, within=8_000)
            except PlaywrightTimeout:
                continue
        raise AssertionError("The export was not seen.")

    def invoice(self, account: str, month: str) -> bytes:
        page = self.page
        self.open_entry(3, "li[1]/ul[1]/li[3]/a[1]")
        row = at(page, f"//tr[.//td[@data-table-col='banId' and normalize-space(text())='{account}']]")
        complete = at(page, "//input[@name='invoiceSelect' and @value='Y']")
        expect(row.or_(complete)).to_have_count(1)
        if row.is_visible():
            row.locator("xpath=.//span[contains(@class,'input-checkbox-representation')]").click()
            page.locator("selection-dock button").filter(has_text="Continue", visible=True).click()
        complete.wait_for(state="attached")
        page.locator("label").filter(has_text="Complete invoice", visible=True).click()
        page.locator("label").filter(has_text=re.compile(month.replace(" ", r"\s"))).click()
        page.locator("#continueButton").click()
        return self.fetch(page.locator("#downloadPDFNOWBtn"))

    def report(self, month: str) -> bytes:
        with self.context.expect_page() as opened:
            self.open_entry(4, "li[1]/a[1]/h3[1]")
        tab = opened.value
        self._watch(tab)
        at(tab, STANDARD).click()
        for field_id, label in (
            ("reportsDropDown", "Cost Overview"),
            ("fromReportDate", month),
            ("toReportDate", month),
        ):
            field = tab.locator(f"#{field_id}")
            expect(field.locator("option").filter(has_text=re.compile(f"^{label}$"))).to_have_count(1)
            field.select_option(label=label)
        tab.locator("#btnApply").click()
        tab.locator("img[alt*=Excel], img[title*=Excel]").filter(visible=True).click()
        found = self.fetch(at(tab, "//*[@id='reportStatusBarRequests']/tbody/tr[1]/td[1]/a"))
        tab.close()
        return found


@pytest.fixture
def read(bell, browser, phones) -> Iterator[Callable[[str], None]]:
    """Give a function that brings all files home as a user."""
    contexts: list[BrowserContext] = []

    def walk(user: str) -> None:
        contexts.append(browser.new_context(viewport={"width": 1920, "height": 1080}))
        reader = Reader(bell, contexts[-1], phones)
        reader.sign_in(user)
        account, newest = accounts(user)[0], published_months(reader_day())[0]
        assert reader.usage(account)
        pdf = pypdf.PdfReader(io.BytesIO(reader.invoice(account, newest.name)))
        assert account in pdf.pages[0].extract_text()
        assert reader.report(newest.short)[:2] == b"PK"

    yield walk
    for context in contexts:
        context.close()


def reader_day():
    from datetime import datetime

    from sandbox.bell.state import ZONE

    return datetime.now(ZONE).date()


@pytest.mark.parametrize("seed", [5])
def test_a_sample_of_seeds_keeps_to_the_sheet(bell, read, seed):
    bell.admin["bell"].perturb(seed)
    read(f"sms+multi+sample{seed}@example.com")


@pytest.mark.matrix
@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.figures) for seed in range(2, 40))])
def test_every_seed_keeps_to_the_sheet(bell, read, seed):
    bell.admin["bell"].perturb(seed)
    read(f"sms+multi+seed{seed}@example.com")


@pytest.mark.matrix
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_dimension_keeps_to_the_sheet(bell, read, dimension):
    bell.admin["bell"].perturb(7, [dimension])
    read(f"sms+multi+alone-{dimension}@example.com")

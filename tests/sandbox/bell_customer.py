"""A customer of the Bell imitation: a real browser, used as the fact sheet of the portal says, by the older structure."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Download, Locator, Page

from sandbox import PASSWORD, Running, phone
from tests.project import wait_for
from tests.sandbox.person import Phones

HEAD = "/html[1]/body[1]/div[1]/header[1]/div[2]/div[1]/div[1]/div[1]/div[1]/div[1]"
FORM = "/html[1]/body[1]/main[1]/div[4]/div[1]/div[1]/div[2]/div[2]/div[2]/form[1]"
CHECK = "/html/body/main/div/div[1]/div/div[2]/uxp-flow/div/identity-verification/div"
MENU = f"{HEAD}/div[2]/nav[1]/ul[1]"
STANDARD = "/html[1]/body[1]/header[1]/div[1]/div[2]/div[1]/div[1]/div[1]/ul[1]/li[2]/div[1]/span[1]/a[1]"
USER_BUTTON = f"{HEAD}/div[1]/div[2]/div[1]/logout[1]/div[1]/button[1]"


def at(page: Page, xpath: str) -> Locator:
    return page.locator(f"xpath={xpath}")


@dataclass
class Customer:
    sandbox: Running
    context: BrowserContext
    phones: Phones

    def __post_init__(self) -> None:
        self.context.set_default_timeout(60_000)
        self.page = self.context.new_page()

    @property
    def login_url(self) -> str:
        return f"{self.sandbox.urls['bell']}/corporateselfserve/Login"

    def submit(self, username: str, password: str = PASSWORD) -> None:
        """Open the sign-in page and submit a password."""
        self.page.goto(self.login_url, wait_until="domcontentloaded")
        at(self.page, f"{FORM}/div[1]/div[2]/input[1]").fill(username)
        at(self.page, f"{FORM}/div[2]/div[2]/input[1]").fill(password)
        at(self.page, f"{FORM}/button[1]").click()

    def sign_in(self, username: str) -> None:
        """Sign a user in who owes no code."""
        self.submit(username)
        at(self.page, USER_BUTTON).wait_for()

    def choose_text_message(self) -> None:
        at(self.page, f"{CHECK}/div[1]/form/div[1]/section/div[2]/div/label[2]/input").check()
        at(self.page, f"{CHECK}/div[1]/form/div[2]/div[2]/div[2]/div[2]/button").click()

    @property
    def code_field(self) -> Locator:
        return at(self.page, f"{CHECK}/div[1]/form/div[2]/div[2]/div[3]/div[2]/div[1]/input")

    @property
    def proceed(self) -> Locator:
        return at(self.page, f"{CHECK}/div[2]/div/button[1]")

    def texted(self, username: str, count: int = 1) -> str:
        """Return the newest code that the user's telephone got, when it has got so many."""
        return wait_for(lambda: self.phones.codes(phone(username))[count - 1 :])[-1]

    def type_code(self, code: str) -> None:
        self.code_field.wait_for()  # it is in the page, hidden, before the code is sent
        self.code_field.press_sequentially(code)
        self.proceed.click()

    def open_usage(self) -> None:
        at(self.page, f"{MENU}/li[2]/a[1]").hover()
        at(self.page, f"{MENU}/li[2]/div[1]/ul[1]/li[1]/ul[1]/li[1]/a[1]/span[1]").click()

    def open_invoices(self) -> None:
        at(self.page, f"{MENU}/li[3]/a[1]").hover()
        at(self.page, f"{MENU}/li[3]/div[1]/ul[1]/li[1]/ul[1]/li[3]/a[1]").click()

    def open_reports(self) -> Page:
        """Open the e-reports, which come in a tab of their own."""
        at(self.page, f"{MENU}/li[4]/a[1]").hover()
        with self.context.expect_page() as opened:
            at(self.page, f"{MENU}/li[4]/div[1]/ul[1]/li[1]/a[1]/h3[1]").click()
        opened.value.wait_for_url("**/ereports/Home")
        return opened.value

    def narrow_usage(self, label: str = "All usage") -> None:
        self.page.locator("filter-selection select").select_option(label=label)
        self.page.get_by_role("heading", name=label).wait_for()

    @property
    def usage_entry(self) -> Locator:
        """Open the tab Download, and return its entry."""
        at(self.page, "//search/nav/ul/li[3]/a").click()
        return at(self.page, "//search/nav/ul/li[3]/ul/li/a")

    def pools(self) -> list[tuple[str, str]]:
        blocks = at(self.page, "//*[@id='sharedAllowanceAdminContainer']/div[2]")
        blocks.first.wait_for()
        return [
            (block.locator("xpath=div[1]/span").inner_text(), block.locator("xpath=div[2]/span[1]").inner_text())
            for block in blocks.all()
        ]

    def prepare_invoice(self, month: str) -> Locator:
        """Choose the complete invoice of a month; return the button that appears when it is made."""
        self.page.locator("xpath=//input[@name='invoiceSelect' and @value='Y']/..").click()
        self.page.get_by_label(month, exact=True).check()
        self.page.locator("#continueButton").click()
        return self.page.locator("#downloadPDFNOWBtn")

    def months(self) -> list[str]:
        self.page.locator("xpath=//input[@name='invoiceSelect' and @value='Y']/..").click()
        self.page.locator("label:has([name=month])").first.wait_for()
        return [text.strip() for text in self.page.locator("label:has([name=month])").all_inner_texts()]

    def fetch(self, button: Locator) -> Download:
        """Click, and wait for the download that it starts to end."""
        with button.page.expect_download() as started:
            button.click()
        started.value.failure()
        return started.value


def ask_report(page: Page, report: str, start: str, end: str) -> None:
    at(page, STANDARD).click()
    page.locator("#reportsDropDown").select_option(label=report)
    page.locator("#fromReportDate").select_option(label=start)
    page.locator("#toReportDate").select_option(label=end)
    page.locator("#btnApply").click()
    page.get_by_alt_text("Excel").click()


def row(page: Page, number: int) -> Locator:
    return page.locator(f"xpath=//*[@id='reportStatusBarRequests']/tbody/tr[{number}]")


def content(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


def gigabytes(text: str) -> str:
    return re.search(r"([\d,]+\.?\d*)\s*GB", text)[1]  # type: ignore[index]


@contextmanager
def customer(sandbox: Running, browser, phones: Phones):
    """A browser context of its own for as long as the block lasts."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    try:
        yield Customer(sandbox, context, phones)
    finally:
        context.close()

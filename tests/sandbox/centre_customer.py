"""A customer of the Enterprise Centre's imitation: a real browser, used as the fact sheet of the portal says."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Download, Locator, Page

from sandbox import PASSWORD, Running, mailbox
from tests.project import wait_for
from tests.sandbox.person import Mails

SIDE_BAR = "#ec-sidebar > div > div > div.ec-sidebar__container"
LOG_OUT = f"{SIDE_BAR} > ul:nth-child(2) > li:nth-child(4) > a"
REPORTS_LINK = "xpath=//*[@id='ec-goa-reports-app']/div[1]/section/main/div/div/div/ul/li[1]/a"
WORKSPACE = "xpath=/html/body/div[2]/app-base/section/block-ui/div/div/app-aside-left/div/div/div/ul/li[3]"
FILTERS = "xpath=//*[@id='wb-sheet-container']/div/div/div[2]"
BELL = "xpath=//li[contains(@class,'kt-notification-content')]//span[@aria-label='Notification']"
NOTIFICATIONS = "xpath=//*[@id='m_quick_sidebar_notification-wrap']/div/div/ul"


@dataclass
class Subscriber:
    sandbox: Running
    context: BrowserContext
    mails: Mails

    def __post_init__(self) -> None:
        self.context.set_default_timeout(60_000)
        self.page = self.context.new_page()

    @property
    def address(self) -> str:
        return self.sandbox.environment["BELL_ENTERPRISE_CENTRE_URL"]

    def submit(self, username: str, password: str = PASSWORD) -> None:
        """Open the Enterprise Centre, be sent to the business portal, and submit a password."""
        self.page.goto(self.address, wait_until="domcontentloaded")
        self.page.locator("#Username").fill(username)
        self.page.locator("#Password").fill(password)
        self.page.locator("#loginBtn").click()

    @property
    def code_field(self) -> Locator:
        return self.page.locator("input[ng-model='password']").filter(visible=True)

    def mailed(self, username: str, count: int = 1) -> str:
        """Return the newest code that the user's mailbox got, when it has got so many."""
        return wait_for(lambda: self.mails.codes(mailbox(username))[count - 1 :])[-1]

    def type_code(self, code: str) -> None:
        self.code_field.press_sequentially(code)
        self.page.locator("#continueButton").click()

    def sign_in(self, username: str) -> None:
        """Sign a user in, with the code by mail unless the user owes none."""
        had = len(self.mails.codes(mailbox(username)))
        self.submit(username)
        if "no-code" not in username:
            self.type_code(self.mailed(username, had + 1))
        self.page.locator(LOG_OUT).wait_for()

    def open_reports(self) -> Page:
        """Open the reports' tab."""
        self.page.get_by_role("button", name="My Reports").click()
        self.page.get_by_role("link", name="Service", exact=True).click()
        with self.context.expect_page() as opened:
            self.page.locator(REPORTS_LINK).click()
        return opened.value

    def open_folder(self) -> Page:
        """Open the reports' tab and in it the folder of the workbooks."""
        tab = self.open_reports()
        tab.locator(WORKSPACE).click()
        tab.locator("p-treenode").nth(1).locator("span").click()
        tab.locator("#ws-grid__appfolder_0").dblclick()
        return tab


def card(tab: Page, label: str) -> Locator:
    return tab.locator("div.ws-grid__item__description").filter(has_text=re.compile(label, re.I))


def open_workbook(tab: Page, label: str) -> None:
    card(tab, label).dblclick()
    tab.locator(FILTERS).click()


def shown(tab: Page, title: str) -> Locator:
    """Return what a filter shows."""
    section = tab.locator(".filter-section").filter(has=tab.locator(f".filter-title-ellipsis:text-is('{title}')"))
    return section.locator("div.c-btn")


def months(tab: Page) -> list[str]:
    shown(tab, "Invoice month").click()
    return tab.locator("#monthList .singleselect-dropdown-item").all_text_contents()


def choose_month(tab: Page, month: str) -> None:
    shown(tab, "Invoice month").click()
    tab.locator("#monthList").get_by_placeholder("Search").fill(month)
    tab.locator(".singleselect-dropdown-item").filter(has_text=month, visible=True).click()


def choose_account(tab: Page, account: str) -> None:
    tab.locator("th.Accountnumber span.menu-toggle-btn").click()
    menu = tab.locator("table-column-menu .ui-tieredmenu")
    menu.get_by_label("Select all").set_checked(True)
    menu.get_by_label("Select all").uncheck()
    menu.get_by_placeholder("Search...").fill(account)
    menu.locator(f"label[for*='{account}']").click()
    menu.get_by_role("button", name="Ok").click()


def ask_for_export(tab: Page) -> None:
    tab.locator("#export-btn").click()
    tab.locator(".popover li").filter(has=tab.locator(".line-XLSX")).click()
    tab.locator("#btn-bc-export").click()


def notifications(tab: Page) -> Locator:
    """Open the list of notifications and return its entries."""
    tab.locator(BELL).click()
    tab.locator(NOTIFICATIONS).wait_for()
    return tab.locator(NOTIFICATIONS).locator("li.kt-notifi-li")


def fetch(entry: Locator) -> Download:
    with entry.page.expect_download() as started:
        entry.locator("em.line-download").click()
    started.value.failure()
    return started.value


@contextmanager
def subscriber(sandbox: Running, browser, mails: Mails):
    """A browser context of its own for as long as the block lasts."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    try:
        yield Subscriber(sandbox, context, mails)
    finally:
        context.close()

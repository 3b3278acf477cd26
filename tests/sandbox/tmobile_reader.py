"""A reader of the T-Mobile imitation who knows what the fact sheet says, and no more."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from lxml.html import HtmlElement
from playwright.sync_api import Locator, Page, expect

from sandbox import PASSWORD
from tests.project import wait_for
from tests.sandbox.mailed import MailedReader
from tests.sandbox.reader import NotThere, said_in

FRAME = "#lightbox_pop"
CODE_BUTTON = "//*[@id='main']/div[1]/form/div/div/div[2]/div/div[2]/button"
SIDE = "/html/body/globalnav-root/globalnav-nav/mat-sidenav-container/mat-sidenav/div"
SIGNED_IN = f"{SIDE}/mat-nav-list[1]/mat-panel-title/mat-list-item"
LOG_OUT = f"{SIDE}/mat-nav-list[2]/mat-panel-title[7]/mat-list-item"
LOG_OUT_TOO = "//mat-list-item[.//span[contains(text(),'Logout')]]"
REPORTING = "#mat-expansion-panel-header-3"
PERIOD = "#mat-select-0"
HIERARCHY = "//mat-select[@name='hierarchyLevel']"
SEARCH = "//input[contains(@id,'mat-input')]"
KIND = "//*[@id='usage-dropdown']//mat-select"
OPTION = "//*[@role='option'] | //mat-option"
ROW = "mat-expansion-panel.history-content"
DEEPEST = 5

# slug: tab, accordion, template, name in My reports
REPORTS = {
    "charges_and_usage": (
        "Billing templates",
        "Billing & Statements",
        "Charges and Usage Summary",
        "Charges and Usage Summary",
    ),
    "usage_detail": ("Billing templates", "Billing & Statements", "Usage Detail", "Usage Detail Report"),
    "statement_detail": ("Billing templates", "Billing & Statements", "Statement Detail", "Statement Detail"),
    "inventory_report": (
        "Other templates",
        "Equipment templates",
        "Equipment Inventory",
        "Equipment Inventory Report",
    ),
    "equipment_installment": (
        "Other templates",
        "Equipment templates",
        "Equipment Installment",
        "Equipment Installment and Payment Report",
    ),
}


def has(text: str, account: str) -> bool:
    """Whether a text names exactly this account."""
    return account in re.findall(r"\d+", text)


def seen(elements: Iterable[HtmlElement]) -> list[HtmlElement]:
    """Return the elements that are not hidden."""
    return [each for each in elements if all(one.get("hidden") is None for one in (each, *each.iterancestors()))]


class Tmobile(MailedReader):
    """A browser at T-Mobile for Business."""

    portal, start, sender = "tmobile", "/", "t-mobile.com"

    # Signing in

    def begin(self) -> Self:
        """Go to the sign-in: choose a language, where one is asked for."""
        self.open(self.home)
        if self.sees(FRAME):
            self.frame(FRAME).click("#en")
        self.find("#emailOrPhoneNumberTextBox")
        return self

    def submit(self, user: str, password: str = PASSWORD) -> Self:
        """Give the user name, then the password."""
        self.begin().type("#emailOrPhoneNumberTextBox", user).click("#lp1-next-btn")
        return self.type("#passwordTextBox", password).click("#lp2-login-btn")

    def type_code(self, code: str, keys: bool = True) -> Self:
        """Type the code."""
        return self.type("#code", code, keys=keys).click(CODE_BUTTON)

    def sign_in(self, user: str) -> Self:
        """Sign a user in, with a code by mail unless the user owes none."""
        had = len(self.got(user))
        self.submit(user)
        if "no-code" not in user:
            self.type_code(self.mailed(user, had + 1))
        self.find("mat-sidenav")
        return self

    def dashboard(self) -> Self:
        """Go to the address of the dashboard."""
        return self.open(f"{self.home}apps/tfb_billing/dashboard")

    def sign_out(self) -> Self:
        """End the session."""
        self.dashboard()
        last = [each for each in self.all(LOG_OUT) if "logout" in said_in(each).lower()]
        return self.click(last[0] if last else LOG_OUT_TOO)

    # Reports

    def open_reports(self) -> Self:
        """Open the page of reports."""
        self.dashboard()
        return self.click(REPORTING if self.sees(REPORTING) else self.named("mat-expansion-panel-header", "Reporting"))

    def named(self, selector: str, text: str) -> HtmlElement:
        """Return the element of a selector that says this and no more."""
        self.find(selector)
        found = [each for each in seen(self.all(selector)) if said_in(each) == text]
        if not found:
            raise NotThere(f"{selector} {text!r} is not there: {[said_in(each) for each in self.all(selector)]}")
        return found[0]

    def tab(self, text: str) -> Self:
        """Open a tab."""
        return self.click(self.named("[role=tab]", text))

    def pick(self, trigger: str | HtmlElement, text: str) -> Self:
        """Choose an option of a list, which may be there later."""

        def options() -> list[HtmlElement]:
            if not self.sees(OPTION):
                self.click(trigger)
            self.look_again()
            return [each for each in self.all(OPTION) if said_in(each) == text]

        return self.click(wait_for(options, seconds=6)[0])

    def options(self, trigger: str | HtmlElement) -> list[str]:
        """Return the options of a list."""

        def shown() -> list[HtmlElement]:
            if not self.sees(OPTION):
                self.click(trigger)
            self.look_again()
            return self.all(OPTION)

        found = [said_in(each) for each in wait_for(shown, seconds=6)]
        self.click(".cdk-overlay-backdrop")
        return found

    def period_list(self) -> str | HtmlElement:
        """Return the list of billing periods."""
        return PERIOD if self.sees(PERIOD) else self.find("mat-select[placeholder='Select billing period']")

    def period(self, text: str) -> Self:
        """Choose a billing period."""
        return self.pick(self.period_list(), text)

    def shown_period(self) -> str:
        """Return what the list of periods shows."""
        found = self.period_list()
        return said_in(found if not isinstance(found, str) else self.find(found))

    def hierarchy_list(self) -> HtmlElement:
        """Return the list of the hierarchy: the last one of the tab, where it has no name."""
        named = self.all(HIERARCHY)
        if named:
            return named[0]
        self.find("mat-select")
        return self.all("mat-select")[-1]

    def open_tree(self) -> Self:
        """Open the tree of the hierarchy."""
        self.click(self.hierarchy_list()).find("mat-tree")
        return self

    def leaves(self) -> list[str]:
        """Expand all nodes of the open tree, five levels at most; return the texts of all nodes."""
        for _ in range(DEEPEST):
            closed = [each.get("data-value") for each in seen(self.all("mat-tree button[aria-expanded=false]"))]
            for path in closed:
                self.click(f"mat-tree button[data-value='{path}']")
        return [said_in(each) for each in seen(self.all("mat-tree span")) if not len(each)]

    def account(self, account: str) -> Self:
        """Choose an account in the tree."""
        self.open_tree().leaves()
        nodes = [each for each in self.all("mat-tree span") if has(said_in(each), account) and not len(each)]
        if not nodes:
            raise NotThere(f"{account} is not in the tree")
        return self.click(nodes[0])

    def run(self, group: str, template: str) -> Self:
        """Run a template as it is, and close the note."""
        header = self.named("mat-expansion-panel-header", group)
        if header.get("aria-expanded") == "false":
            self.click(header)
        named = next(each for each in seen(self.all("div")) if said_in(each) == template and not len(each))
        row = next(each for each in named.iterancestors() if self._more(each))
        self.click(self._more(row)[0]).click(self.named("[role=menuitem]", "Run as is"))
        return self.click("[role=dialog] button")

    def _more(self, element: HtmlElement) -> list[HtmlElement]:
        return [each for each in seen(element.iter("button")) if said_in(each) == "more_vert"]

    def order(self, slug: str, account: str, month: str) -> Self:
        """Set the filters of a report's tab, read them back, and run its template."""
        tab, group, template, _ = REPORTS[slug]
        self.tab(tab)
        if tab == "Billing templates":
            self.period(month)
            assert self.shown_period() == month
        self.account(account)
        assert has(said_in(self.hierarchy_list()), account)
        return self.run(group, template)

    def history(self) -> list[dict[str, str]]:
        """Open My reports, and return its rows."""
        self.tab("My reports")
        for _ in range(3):
            self.look_again()
        return [self._row(each) for each in self.all(ROW)]

    def _row(self, element: HtmlElement) -> dict[str, str]:
        names = {"name": "report-name", "detail": "report-det", "ran": "run-date", "status": "report-status"}
        return {key: element.cssselect(f".{name}")[0].text_content().strip() for key, name in names.items()}

    def collect(self, slug: str, account: str, month: str) -> bytes:
        """Download a completed report of an account, and of a month such as `Nov 2026`."""
        name = REPORTS[slug][3]
        detail = f"{month} | {account}" if REPORTS[slug][0] == "Billing templates" else account

        def fits() -> list[HtmlElement]:
            rows = self.history()
            wanted = (name, detail, "Completed")
            return [
                each
                for row, each in zip(rows, self.all(ROW), strict=True)
                if (row["name"], row["detail"], row["status"]) == wanted
            ]

        self.click(self._more(wait_for(fits)[0])[0]).click(self.named("[role=menuitem]", "Download"))
        buttons = [each for each in seen(self.all("[role=dialog] button")) if not each.findall(".//mat-icon")]
        return self.click(buttons[-1]).files[-1][1]

    # Bills

    def search(self, account: str) -> Self:
        """Search for an account in the list of bills."""
        self.dashboard()
        self.click("#billingApp" if self.sees("#billingApp") else self.named("mat-expansion-panel-header", "Billing"))
        self.type(SEARCH, account)
        self.click(self.all("[data-entered]")[0])  # what the Enter key does
        self.find("div.billinglist-data, [data-place=bills] p:not([aria-busy])")
        return self

    def rows(self) -> list[str]:
        """Return the rows of the list of bills."""
        return [said_in(each) for each in self.all("div.billinglist-data")]

    def open_bill(self, account: str) -> Self:
        """Open the bill of the row with an account."""
        rows = [each for each in self.all("div.billinglist-data") if has(said_in(each), account)]
        return self.click(rows[0])

    def queries(self) -> list[tuple[int, dict[str, Any]]]:
        """Make the requests that the page makes by itself; return status and answer of each."""
        answers = []
        for each in self.all("[data-query]"):
            url = urllib.parse.urljoin(self.url, each.get("data-query"))
            body = json.dumps({"hints": each.get("data-hints")}).encode()
            answer = self.person.ask(url, body=body, X_CSRF_Token=each.get("data-token"))
            told = json.loads(answer.text) if answer.status == 200 else {}
            self.pieces.append(f"<script type='application/json'>{json.dumps(told)}</script>")
            answers.append((answer.status, told))
        return answers

    def usage(self) -> bytes:
        """Download all usage of the open bill."""
        self.tab("Usage").pick(KIND, "All usage")
        assert said_in(self.find(KIND)) == "All usage"
        return self.click("button", "Download").files[-1][1]

    def cycle(self, text: str) -> Self:
        """Choose the period of the open bill."""
        return self.tab("Bill").pick("mat-select", text)

    def pdf(self) -> bytes:
        """Download the detailed bill of the chosen period."""
        self.click(self.named("button", "View PDF bill")).find("[role=dialog] input[type=radio]")
        radios = self.all("[role=dialog] input[type=radio]")
        if len(radios) > 1:
            radios[0].attrib.pop("checked", None)
            radios[1].set("checked", "checked")
        buttons = [each for each in seen(self.all("[role=dialog] button")) if not each.findall(".//mat-icon")]
        return self.click(buttons[-1]).files[-1][1]


@dataclass
class Tab:
    """The same in a tab of a real browser."""

    page: Page

    def xpath(self, path: str) -> Locator:
        """Return what an XPath leads to."""
        return self.page.locator(f"xpath={path}")

    def submit(self, user: str, password: str = PASSWORD) -> None:
        """Choose the language in its frame, then give user name and password."""
        self.page.frame_locator(FRAME).locator("#en").click()
        self.page.locator("#emailOrPhoneNumberTextBox").fill(user)
        self.page.locator("#lp1-next-btn").click()
        self.page.locator("#passwordTextBox").fill(password)
        self.page.locator("#lp2-login-btn").click()

    def pick(self, trigger: Locator, text: str) -> None:
        """Choose an option of a mat-select, which may open later than it is clicked."""
        option = self.page.locator(".cdk-overlay-container mat-option").filter(
            has_text=re.compile(f"^{re.escape(text)}$")
        )

        def opened() -> bool:
            if not option.count():
                trigger.click()
            return option.count() > 0

        wait_for(opened, seconds=15)
        option.click()
        expect(trigger).to_have_text(text)

    def account(self, account: str) -> None:
        """Choose an account in the tree: expand what is closed, level by level."""
        trigger = self.xpath(HIERARCHY).or_(self.page.locator("[role=tabpanel] mat-select")).last
        trigger.click()
        node = self.page.locator("mat-tree-node").filter(has_text=re.compile(rf"\b{account}\b"))
        closed = self.page.locator("mat-tree button[aria-expanded=false]")

        def found() -> bool:
            if node.count():
                return True
            if closed.count():
                closed.last.click()
            return False

        wait_for(found, seconds=15)
        node.click()
        expect(trigger).to_contain_text(account)

    def run(self, group: str, template: str) -> None:
        """Run a template as it is, and close the note."""
        header = self.page.locator("mat-expansion-panel-header").filter(has_text=group)
        if header.get_attribute("aria-expanded") == "false":
            header.click()
        named = self.page.get_by_text(template, exact=True)
        self.page.locator(".template").filter(has=named).locator("button").click()
        self.page.locator("[role=menuitem]", has_text="Run as is").click()
        self.page.locator("[role=dialog] button").click()
        expect(self.page.locator(".cdk-overlay-container")).to_have_count(0)

    def saved(self, button: Locator) -> bytes:
        """Click, and return what is downloaded."""
        with self.page.expect_download() as started:
            button.click()
        return Path(started.value.path()).read_bytes()

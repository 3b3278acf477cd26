"""A reader of the Rogers imitation who knows what the fact sheet says, and no more."""

from __future__ import annotations

import re
from typing import Self

from sandbox import PASSWORD
from tests.sandbox.mailed import MailedReader
from tests.sandbox.reader import Reader, said_in

SIGN_IN = "//*[@id='login']/div[2]/div[3]/div/input | //*[@id='login']/div[2]/div[4]/div/input"
CONTINUE = "//app-root//ng-component//form/div[3]//button"
METHOD = "//otp-device-list/div/div[2]/button[1]"
LOG_OUT = "//*[@id='header_greeting']/a[2]"
MENU = "//*[@id='header_menu']/table/tbody/tr[2]/td/table/tbody/tr/td[3]/a"
NOTIFICATIONS = "//*[@id='header_menu']//a[@href='/bizonline/prm-duns.do']"
VIEW_BILLS = "//*[@id='landing_left_pan']/div[2]//a"
DIALOG = "#TB_iframeContent"
SIZE = "//*[@id='BanUsage']/div/table[2]/tbody/tr[1]/td/span[2]"
USED = "//*[@id='spanUsage_pooled']/div/div/div/div[2]"

DETAIL, CREDITS = "Cost Centre Detail", "Current Charges and Credits"
REPORTS = {
    "ccd_monthly": (DETAIL, "Monthly Charges Breakdown"),
    "data": (DETAIL, "Monthly Usage Breakdown"),
    "ccc_chg": (CREDITS, "Current Charges - Subscriber Level"),
    "ccc_credits": (CREDITS, "Credit - Subscriber Level"),
}
EXTRACT = ("Wireless Eligibility Check", "Hardware Upgrade Eligibility Report")

REQUEST = re.compile(
    r"Report name: (?P<name>.*?)\s*Show for: (?P<account>.*?)\s*Status: (?P<status>.*?)\s*Expiry Date: (?P<expiry>[\d/]{10})"
)


def digits(text: str) -> str:
    return re.sub(r"\D", "", text)


class Rogers(MailedReader):
    """A browser at the business portal."""

    portal, start, sender = "rogers", "/bizonline/homePage.do", "rogers.com"

    # Signing in

    def name(self, user: str) -> Self:
        """Go to the identity provider, and give the user name."""
        return self.open(self.home).click(SIGN_IN).type("#ds-form-input-id-0", user).click(CONTINUE)

    def submit(self, user: str, password: str = PASSWORD) -> Self:
        """Give the user name, then the password."""
        self.name(user)
        return self.type("#input_password", password).click("//*[@id='LoginForm']/div[4]/button")

    def type_code(self, code: str, keys: bool = True) -> Self:
        """Type a code into the six boxes."""
        self.find("ds-code-input input")
        for box, digit in zip(self.all("ds-code-input input"), code, strict=True):
            self.type(self.page.getroottree().getpath(box), digit, keys=keys)
        return self.click("//otp-waiting-for-input//form//button", "Verify")

    def sign_in(self, user: str) -> Self:
        """Sign a user in, with a code by mail unless the user owes none."""
        self.submit(user)
        if "no-code" not in user:
            had = len(self.got(user))
            self.click(METHOD).type_code(self.mailed(user, had + 1))
        self.find("#landing_left_pan")
        return self

    def sign_out(self) -> Self:
        """End the session."""
        return self.open(self.home).click(LOG_OUT)

    # Reports

    def open_report(self, category: str, report: str) -> Self:
        """Choose a report."""
        self.open(self.home).click(MENU)
        return self.choose("#categIDSelect", category).choose("#reportIDSelect", report)

    def search(self, account: str) -> Reader:
        """Search for an account in the dialog, and return the dialog."""
        dialog = self.click("#accountNumbersLink").frame(DIALOG)
        dialog.tick("//*[@id='searchBox1']//input[@type='radio']").type("#searchField1", account).click("#findButton1")
        return dialog

    def pick(self, account: str) -> Self:
        """Select an account, by the entry with exactly its digits."""
        dialog = self.search(account)
        dialog.find("li strong")
        entry = next(each for each in dialog.all("li strong") if digits(said_in(each)) == account)
        link = entry.getparent().cssselect("a.buttongray")
        dialog.click(next(each for each in link if said_in(each) == "Select"))
        if self.sees("#TB_closeWindowButton"):
            self.click("#TB_closeWindowButton")
        return self

    def run(self) -> Self:
        """Run the chosen report."""
        return self.click("#submitbutton")

    def cycle(self, value: str) -> Self:
        """Choose a bill cycle by the month and year of its value."""
        month, _, year = value.split("/")
        dialog = self.click("#changeBillCycleDate").frame(DIALOG)
        dialog.find("input[name=billCycleDate], [data-name=billCycleDate]")
        radios = dialog.all("input[name=billCycleDate]")
        wanted = [each for each in radios if each.get("value", "").split("/")[::2] == [month, year]]
        assert len(wanted) == 1, [each.get("value") for each in radios]
        for each in radios:
            each.attrib.pop("checked", None)
        wanted[0].set("checked", "checked")
        dialog.click("#submitNewBCD")
        if self.sees("#TB_closeWindowButton"):
            self.click("#TB_closeWindowButton")
        return self.click("#goButton")

    def export(self, qualifier: str = "D") -> bytes:
        """Export the report that is shown as text."""
        dialog = self.click("a.buttontext[href*=exportText]").frame(DIALOG)
        dialog.tick(f"//input[@name='qualifier' and @value='{qualifier}']").click("#downloadNow")
        self.click("#TB_closeWindowButton")
        return self.files[-1][1]

    def requests(self) -> list[dict[str, str]]:
        """Return the rows of My Requests."""
        if not self.sees("ol.fav_items"):
            self.open(self.home).click(MENU).click("#myRequests-tab")
        self.look_again()
        rows = [REQUEST.match(said_in(each)) for each in self.all("ol.fav_items li")]
        return [row.groupdict() for row in rows if row is not None]

    def collect(self, account: str) -> bytes:
        """Download the completed extract of an account."""
        for row, each in zip(self.requests(), self.all("ol.fav_items li"), strict=True):
            if (row["name"], digits(row["account"]), row["status"]) == (EXTRACT[1], account, "Completed"):
                self.click(each.cssselect("a[href*=downloadExtractFile]")[0])
                break
        return self.files[-1][1]

    # Usage

    def open_account(self, account: str) -> Self:
        """Open the data usage of an account."""
        self.open(self.home).click(NOTIFICATIONS).type("#searchField", account)
        self.find("div.ac_results li .rowName")
        entries = [
            each for each in self.all("div.ac_results li") if digits(said_in(each.cssselect(".rowName")[0])) == account
        ]
        self.click(entries[0].cssselect("a.buttongray")[0])
        return self.click("//*[@id='dunsAccountsListTableId']//a[contains(@onclick,'getDunsCtns')]").click(
            "#BanUsageTab"
        )

    def select_all(self) -> list[int]:
        """Select each page of users; return how many users each one has."""
        self.click("#getCTNsPGId")
        counts = []
        while True:
            self.click("//*[@id='dunsSelectPage']/span")
            counts.append(len([each for each in self.all("[data-place=users] tr") if each.find("td") is not None]))
            if not self.sees("#mypagination a.next"):
                assert self.sees("#mypagination span.next")
                return counts
            self.click("#mypagination a.next")

    def usage(self) -> list[tuple[str, str, str]]:
        """Return name, number and usage of the selected users."""
        self.click("#selectedCtnsId")
        self.find("tr.odd")
        self.look_again()
        found = []
        for row in self.all("tr.odd, tr.even"):
            if "extract-table-body" not in row.get("class", ""):
                name, line = (said_in(cell) for cell in row.findall("td")[:2])
                found.append((name, line, said_in(row.cssselect(f"[id='spanUsage_{digits(line)}']")[0])))
        return found

    # Bills

    def open_bills(self, month_end: str) -> Self:
        """List the bills of a date that ends so."""
        self.open(self.home).click(VIEW_BILLS).find("#invoice_dates option")
        value = next(
            each.get("value") for each in self.all("#invoice_dates option") if each.get("value", "").endswith(month_end)
        )
        return self.choose("#invoice_dates", value).choose("#invoiceShowTypeList", "accountsView")

    def view_bill(self, account: str) -> Reader:
        """Open the viewer of an account's bill, and return its frame."""
        self.find("#tableSorterListId td.textData")
        rows = [
            row
            for row in self.all("#tableSorterListId tr")
            if account in [digits(said_in(cell)) for cell in row.cssselect("td.textData")]
        ]
        self.click(rows[0].cssselect("#banDownloadBriteBill")[0])
        frame: Reader = self.frame("iframe")
        while frame.all("iframe"):
            frame = frame.frame("iframe")
        return frame

    def bill(self, account: str) -> bytes:
        """Download the complete bill of an account."""
        frame = self.view_bill(account).click("#save_desktop")
        frame.click("//*[@id='tippy-1']//span[contains(@class,'downloadPdfEbuLink-rogers')]", "Complete bill")
        return self.files[-1][1]

"""A reader of the AT&T imitation who knows what the fact sheet says, and no more."""

from __future__ import annotations

from typing import Self

from sandbox import PASSWORD
from tests.sandbox.mailed import MailedReader

FORM = "/html/body/app-root/div/div/div/div/{}/app-card/div/div/div/form"
USER, SECRET = FORM.format("app-login-general"), FORM.format("app-login-password")
EMAIL = '(//input[@name="selectCTN" and starts-with(@label,"Email")])[1]'
PROFILE = "/html/body/div[1]/div/div[2]/p/a"
LOG_OUT = "/html/body/div[1]/div/div[1]/ul/li[4]/a"
SCOPE = "//*[@id='thisForm']/div/div[2]/div[1]/div[1]"
SEARCH = "//*[@id='scopeExpandedAccountMenu']/div[1]/div/div[2]/input"
OK = "//*[@id='scopeExpandedAccountMenu']/div[4]/button"

CHARGES = "Charges and usage"
REPORTS = {
    "all_billing_cycle_charges": (CHARGES, "Bill summary", "All charges"),
    "wireless_charges": (CHARGES, "Wireless number summary", "All wireless charges and usage (GB usage)"),
    "usage_details": (CHARGES, "Billed usage", "All data export - usage details (GB usage)"),
    "device_installment": (CHARGES, "Equipment installment", "Device installment details"),
    "upgrade_and_inventory": ("Inventory", "Inventory", "Upgrade eligibility and inventory"),
}


class Att(MailedReader):
    """A browser at Premier Care."""

    portal, start, sender = "att", "/premiercare/", "att-mail.com"

    def submit(self, user: str, password: str = PASSWORD) -> Self:
        """Give the user name, then the password."""
        self.type(f"{USER}/div[1]//input", user).click(f"{USER}/div[3]//button")
        return self.type(f"{SECRET}/div[2]//input", password).click(f"{SECRET}/div[3]//button")

    def choose_mail(self, preferred: bool = False) -> Self:
        """Have the code sent by mail."""
        self.tick(EMAIL)
        if preferred:
            self.tick("#preferredMethodInput")
        return self.click("#deliveryForm #continueButton")

    def type_code(self, code: str, trusted: bool = True) -> Self:
        """Type a code."""
        self.type("#enterOtp", code)
        if trusted:
            self.tick("#trustedDevice")
        return self.click("#continue")

    def sign_in(self, user: str) -> Self:
        """Sign a user in, with a code by mail unless the user owes none."""
        self.submit(user)
        if "no-code" not in user:
            had = len(self.got(user))
            self.choose_mail().type_code(self.mailed(user, had + 1))
        self.find(PROFILE, "My Profile")
        return self

    def sign_out(self) -> Self:
        """End the session."""
        return self.open(self.home).click(LOG_OUT)

    def open_detail(self) -> Self:
        """Open the detail reports."""
        self.open(self.home).click("//*[@id='primaryNav']/li[3]/a", "BILLING")
        return self.click("//*[@id='navMenuGroupReports']").click("//*[@id='mainNavMenu']/ul[1]/li[4]/ul/li[3]/a")

    def open_summary(self) -> Self:
        """Open the summary reports of unbilled usage."""
        self.open(self.home).click('//*[@id="reportsTab"]/a').click('//*[@id="functionality"]/div/div[2]/div[1]')
        return (
            self.click("#navMenuGroupReports")
            .click("#navMenuItem5")
            .click('//*[@id="navTabItem5-2"]', "Unbilled usage")
        )

    def scope(self, account: str) -> Self:
        """Set the filter of accounts to the first item of the list."""
        self.click("#LevelDataDropdownButton").click("#LevelDataDropdownList_multipleaccounts", "Accounts")
        return self.type(SEARCH, account).click("#scopeExpandedAccountMenu li").click(OK)

    def pick(self, account: str) -> Self:
        """Set the filter of accounts, and read it back."""
        self.click("#LevelDataDropdownButton").click("#LevelDataDropdownList_multipleaccounts")
        self.type("#scopeExpandedAccountMenu input", account).click("#scopeExpandedAccountMenu [data-value]", account)
        self.click(OK)
        assert self.shown_scope() == account
        return self

    def shown_scope(self) -> str:
        """Return what the filter of accounts shows."""
        return self.said("//*[@id='LevelDataDropdownButton']")

    def month(self, value: str) -> Self:
        """Set the filter of months by the beginning of a value."""
        self.click("//*[@id='thisForm']/div/div[2]/div[1]/div[2]//button")
        return self.choose("select#bmtype_data", value).click("#btnApply")

    def export(self, tab: str, section: str, button: str) -> bytes:
        """Open a report by the exact text of its button, and export it as CSV."""
        self.click("//*[@id='thisForm']/div/div[1]/ul//a", tab)
        self.click("#accordion div.panel-reports .panel-title span", section)
        self.click(f"//button[@name='ViewReport' and normalize-space()='{button}']")
        self.click("#export").tick("#radCsvLabel").click("#hrefOK")
        return self.files[-1][1]

    def back(self) -> Self:
        """Return to the reports."""
        return self.click("//*[@id='thisForm']/div[1]/div[1]/a")

    def open_bills(self) -> Self:
        """Open the list of bills."""
        return self.open(self.home).click("//*[@id='primaryNav']/li[3]/a", "BILLING").click("#navMenuItem14", "Bills")

    def bill(self, month: str) -> bytes:
        """Download the standard bill of the first row."""
        self.click("//*[@id='_globysForm_']//button[contains(., '20') and not(@id='LevelDataDropdownButton')]")
        self.click("#BilledMonthYearPendingDataDropdownList li", month).click("#btnViewList")
        self.click("#DataTable_wrapper button.stmtListTableLinkDocument").click("#acctContent #billDocType_1")
        self.click("#bdfModal footer button")
        return self.files[-1][1]

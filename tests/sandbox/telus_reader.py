"""A reader of the Telus imitation who knows what the fact sheet says, and no more."""

from __future__ import annotations

from typing import Self

from sandbox import PASSWORD, Running
from tests.sandbox.reader import Reader, said_in

LOGIN = '[data-testid="login-form-{}"]'
AVATAR = '//*[@id="ge-top-nav"]/ul[2]/li[3]'
TEXT_BILL = "//a[@href='/my-telus/text-bill?intcmp=tcom_mt_overview_button_download-text-bill']"
SEARCH = "//*[@id='scopeExpandedAccountMenu']/div[1]/div/div[2]/input"
OK = "//*[@id='scopeExpandedAccountMenu']/div[4]/button"
REPORT_NAME = "Daily Usage Report 01-15-2024"  # never of today or of yesterday, which the portal names by itself


class Telus(Reader):
    """A browser at My Telus, TELUS IQ and Bill Analyzer."""

    home: str

    @classmethod
    def at(cls, sandbox: Running) -> Self:
        """Begin at the portal's start page."""
        reader = cls()
        reader.home = sandbox.urls["telus"]
        reader.open(f"{reader.home}/en")
        return reader

    def submit(self, user: str, password: str = PASSWORD) -> Self:
        """Submit a password at the form, by test ids or, in the older layout, by ids."""
        older = not self.sees(LOGIN.format("email-input"))
        fields = ("#idtoken1", "#idtoken2", "#login-btn") if older else ("", "", "")
        names = ("email-input", "password-input", "submit-button")
        name, secret, button = (field or LOGIN.format(each) for field, each in zip(fields, names, strict=True))
        self.type(name, user).type(secret, password).click(button)
        return self

    def sign_in(self, user: str) -> Self:
        """Sign a user in who owes no code."""
        self.open("/my-telus")
        self.submit(user)
        self.find(f"{AVATAR}/button")
        return self

    def overview(self) -> Self:
        """Go to the overview."""
        self.open(f"{self.home}/my-telus")
        return self

    def bill_option(self, entry: str) -> Self:
        """Choose an entry of Bill Options."""
        self.overview().click('//div[@data-testid="generic-card-dropdown-button"]', "Bill Options")
        self.click(entry)
        return self

    def find_account(self, account: str) -> Self:
        """Choose the account, where one is asked for."""
        if self.sees("h1", "Find your account"):
            self.click('//div[@data-testid="account-card-north-star"]', account)
        return self

    def bundle(self, account: str, month: str, year: str) -> bytes:
        """Download the bundle of a month."""
        self.bill_option(TEXT_BILL).find_account(account)
        self.click(f"//div[@role='link'][preceding::h2[1][contains(., '{year}')]]", month)
        return self.files[-1][1]

    def open_detail(self) -> Self:
        """Open the detail reports of Bill Analyzer."""
        self.overview().click('//*[@id="navOpen"]/li[2]/a')
        self.accept_terms().click('//*[@id="navMenuGroupReports"]').click('//*[@id="navMenuItem6"]')
        return self

    def accept_terms(self) -> Self:
        """Close the terms, if they are shown."""
        if self.sees("//*[@id='tandc-content']"):
            self.click("//*[@id='tandc-content']/div[3]/button")
        return self

    def scope(self, account: str) -> str:
        """Set the filter of accounts; return what it shows then."""
        self.click("#LevelDataDropdownButton").click("//*[@id='LevelDataDropdownList_multipleaccounts']")
        self.type(SEARCH, account).click("#scopeExpandedAccountMenu li", account).click(OK)
        return self.said("//*[@id='LevelDataDropdownButton']")

    def month(self, value: str) -> str:
        """Set the filter of months by the beginning of a value; return what it shows then."""
        self.click("//*[@id='CIDPendingDataDropdownButton']").choose("select#bmtype_data", value).click("#btnApply")
        return self.said("//*[@id='CIDPendingDataDropdownButton']")

    def export(self, section: str, button: str) -> bytes:
        """Open a report of the accordion, and export it as CSV."""
        if self.find(f"#heading{section} [aria-expanded]").get("aria-expanded") == "false":
            self.click(f"#heading{section} [aria-expanded]")
        exact = f"//*[@id='collapse{section}']//button[contains(@id,'btnSelectSummaryReport') and normalize-space()='{button}']"
        self.click(exact).click("#export").tick("#radCsvLabel").click("#hrefOK")
        return self.files[-1][1]

    def open_bills(self) -> Self:
        """Open the list of bills of Bill Analyzer."""
        self.bill_option("//a[normalize-space()='View bill']")
        self.accept_terms().click('//*[@id="navMenuItem14"]')
        return self

    def pick_month(self, month: str) -> Self:
        """Choose the month of the bills, and have them listed."""
        self.click('//*[@id="BilledMonthYearPendingDataDropdownButton"]')
        self.click("li", month).click('//*[@id="btnViewList"]')
        return self

    def documents(self, account: str) -> list[str]:
        """Open the documents of an account's bill; return the texts of the entries."""
        self.click(
            f"//*[@id='DataTable']//button[contains(@aria-label,'PDF Bill') and contains(@aria-label,'{account}')]"
        )
        assert account in self.said("//*[@id='bdfModalHeaderText']")
        self.click("//a[contains(@class,'bdfDocType')]", "PDF copy of your print bill")
        return [each.text_content() for each in self.all("//button[contains(@class,'bdf-doc-item')]")]

    def document(self, entry: str) -> bytes:
        """Download a document."""
        self.click("//button[contains(@class,'bdf-doc-item')]", entry)
        return self.files[-1][1]

    def open_iq(self) -> Self:
        """Open TELUS IQ, and close its dialogs."""
        self.overview().click('//a[@data-testid="generic-card-primary-cta" and contains(@href,"/iq/manage")]')
        return self

    def close_dialogs(self) -> list[str]:
        """Close the dialogs of TELUS IQ; return their heads."""
        heads = []
        for _ in range(3):
            if self.sees("//*[@id='confirmation__dialog']"):
                heads.append(self.said("//*[@id='confirmation__dialog']/h2"))
                self.click("//*[@id='cancel__clear__filter__button']")
        return heads

    def ban(self, account: str) -> str:
        """Choose an account in TELUS IQ; return what the list says then."""
        self.find("select#select-a-ban option:nth-child(2)")
        self.choose("select#select-a-ban", account)
        return self.chosen("select#select-a-ban")

    def ask_report(self, name: str = REPORT_NAME) -> Self:
        """Ask for the usage report under a name."""
        self.click("a", "View heavy data user details").click("button", "Export view")
        self.type('//*[@id="reportname"]', name).click('//*[@id="confirmation__dialog1"]/div/div[2]/a[2]')
        return self

    def queue(self) -> list[tuple[str, str, str]]:
        """Return name, status and account of the queue's rows."""
        self.look_again()
        rows = self.all("//*[@id='dynamicTable']/tbody/tr")
        return [(said_in(row[1]), said_in(row[2]), said_in(row[4])) for row in rows]

    def collect(self, name: str, account: str) -> bytes:
        """Download a report of the queue when it is ready."""
        self.click(f"//*[@id='dynamicTable']//tr[td[2]='{name}' and td[5]='{account}']//a[@class='download-anchor']")
        return self.files[-1][1]

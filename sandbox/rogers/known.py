"""What the fact sheet knows of Rogers. Section numbers are the sheet's."""

from __future__ import annotations

from sandbox.known import Known, facts
from sandbox.rogers.state import SENDER

MENU = "//*[@id='header_menu']"

SIGN_IN = [
    *facts("address", "1.4.1", "/bizonline/homePage.do"),
    *facts("id", "1.4.2", "login"),
    *facts("path", "1.4.2", "//*[@id='login']/div[2]/div[3]/div/input", "//*[@id='login']/div[2]/div[4]/div/input"),
    *facts("words", "1.4.2", "Sign In"),
    *facts("id", "1.4.3", "ds-form-input-id-0"),
    *facts("component", "1.4.3", "app-root", "ng-component"),
    *facts("path", "1.4.3", "//app-root//ng-component//form/div[3]//button"),
    *facts("words", "1.4.3", "Continue"),
    *facts("id", "1.4.4", "input_password", "LoginForm"),
    *facts("path", "1.4.4", "//*[@id='LoginForm']/div[4]/button"),
    *facts("format", "1.4.4", "in a browser that was not here before the first steps are done again, once"),
    *facts("component", "1.4.5", "otp-device-list", "otp-waiting-for-input", "ds-code-input"),
    *facts("contained", "1.4.5", "receive verification code", "Email"),
    *facts("path", "1.4.5", "//otp-device-list/div/div[2]/button[1]"),
    *facts(
        "format",
        "1.4.5",
        "a code has six digits in six fields of one character; it is typed by key events from the first on",
    ),
    *facts("words", "1.4.5", "Verify"),
    *facts("class", "1.4.6", "Welcome-Oliver-Gree"),
    *facts("contained", "1.4.6", "Welcome"),
    *facts("id", "1.4.6", "landing_left_pan"),
    *facts("id", "1.4.7", "header_greeting"),
    *facts("path", "1.4.7", "//*[@id='header_greeting']/a[2]"),
    *facts("sender", "1.8", SENDER),
    *facts("wait", "1.4.3", "the user name's field, 10 s", "what Continue does, 5 s"),
    *facts("wait", "1.4.4", "the password's field, 30 s; longer in a browser that was not here before"),
    *facts("wait", "1.4.5", "the choice of methods, 10 s", "the first field to go, 3 s after a 5 s settle"),
    *facts("wait", "1.4.6", "the welcome, 10 s"),
]
MONTHLY = [
    *facts("address", "2.3.1", "/bizonline/prm-reports.do"),
    *facts("id", "2.3.1", "header_menu", "categIDSelect", "reportIDSelect"),
    *facts("path", "2.3.1", f"{MENU}/table/tbody/tr[2]/td/table/tbody/tr/td[3]/a"),
    *facts("order", "2.3.1", "#header_menu tbody"),
    *facts("words", "2.3.1", "Reports", "Run Report"),
    *facts("words", "2.3.1", "Cost Centre Detail", "Current Charges and Credits", "Wireless Eligibility Check"),
    *facts("words", "2.3.1", "Monthly Charges Breakdown", "Monthly Usage Breakdown"),
    *facts("words", "2.3.1", "Current Charges - Subscriber Level", "Credit - Subscriber Level"),
    *facts("words", "2.3.1", "Hardware Upgrade Eligibility Report", "Select"),
    *facts("id", "2.3.1", "accountNumbersLink", "TB_iframeContent", "TB_closeWindowButton"),
    *facts("id", "2.3.1", "searchBox1", "searchField1", "findButton1"),
    *facts("path", "2.3.1", "//*[@id='searchBox1']//input[@type='radio']"),
    *facts("class", "2.3.1", "buttongray", "buttontext"),
    *facts("format", "2.3.1", "an account is typed key by key without hyphens, and may be listed with them"),
    *facts("format", "2.3.1", "the field has to lose the focus before its button is enabled"),
    *facts("id", "2.3.1", "submitbutton", "changeBillCycleDate", "submitNewBCD", "goButton"),
    *facts("name", "2.3.1", "billCycleDate", "qualifier"),
    *facts("format", "2.3.1", "values of bill cycles are MM/DD/YYYY; month and year are those of the cycle's end"),
    *facts("attribute", "2.3.1", "href*=exportText", "value=D"),
    *facts("id", "2.3.1", "downloadNow", "myRequests-tab"),
    *facts("class", "2.3.1", "fav_items"),
    *facts("contained", "2.3.1", "Report name:", "Show for:", "Status:", "Expiry Date:"),
    *facts("words", "2.3.1", "Report name:", "Show for:", "Status:", "Expiry Date:", "Completed", "Pending"),
    *facts("attribute", "2.3.1", "href*=downloadExtractFile"),
    *facts("format", "2.3.1", "expiry dates are MM/DD/YYYY"),
    *facts(
        "format",
        "2.3.1",
        "a ZIP: a TXT with period, empty line, then name,width,type of each column; a CSV without heads",
    ),
    *facts(
        "wait",
        "2.3.1",
        "Reports, 3 s",
        "a search, 3 s",
        "Run Report and Go, 5 s",
        "a file, 60 s",
        "an extract, 10 min and 120 s",
    ),
]
DAILY = [
    *facts("address", "2.3.2", "/bizonline/prm-duns.do"),
    *facts("path", "2.3.2", f"{MENU}//a[@href='/bizonline/prm-duns.do']"),
    *facts("attribute", "2.3.2", "href=/bizonline/prm-duns.do", "onclick*=getDunsCtns", "id*=spanUsage_"),
    *facts("words", "2.3.2", "Manage Data Notifications"),
    *facts("id", "2.3.2", "searchField", "dunsAccountsListTableId", "BanUsageTab", "BanUsage", "spanUsage_pooled"),
    *facts("class", "2.3.2", "ac_results", "rowName"),
    *facts("format", "2.3.2", "an account is typed key by key; digits alone are compared"),
    *facts("words", "2.3.2", "Data Usage Tracking", "Shared Group User List", "select this page", "View Data Usage"),
    *facts("path", "2.3.2", "//*[@id='spanUsage_pooled']/div/div/div/div[2]"),
    *facts("path", "2.3.2", "//*[@id='BanUsage']/div/table[2]/tbody/tr[1]/td/span[2]"),
    *facts("id", "2.3.2", "getCTNsPGId", "dunsSelectPage", "mypagination", "selectedCtnsId"),
    *facts("path", "2.3.2", "//*[@id='dunsSelectPage']/span"),
    *facts("class", "2.3.2", "next", "odd", "even", "extract-table-body"),
    *facts("path", "2.3.2", "//tr[contains(@class,'odd')]/td[1]", "//tr[contains(@class,'odd')]/td[2]"),
    *facts("format", "2.3.2", "a span.next in the place of a link means the last page"),
    *facts("wait", "2.3.2", "the page, 5 s", "an account, 10 s", "the tab, 5 s", "the users, 5 s", "their usage, 10 s"),
]
INVOICE = [
    *facts("address", "2.3.3", "prm-bizInvoicePayment"),
    *facts("attribute", "2.3.3", "href*=prm-bizInvoicePayment"),
    *facts("path", "2.3.3", "//*[@id='landing_left_pan']/div[2]//a"),
    *facts("words", "2.3.3", "View Bills", "View Bill", "Complete bill"),
    *facts("id", "2.3.3", "invoice_dates", "invoiceShowTypeList", "tableSorterListId", "banDownloadBriteBill"),
    *facts("format", "2.3.3", "values of bill dates end with Mon-YYYY"),
    *facts("attribute", "2.3.3", "value=accountsView"),
    *facts("class", "2.3.3", "textData", "downloadPdfEbuLink-rogers"),
    *facts("id", "2.3.3", "save_desktop", "tippy-1"),
    *facts("path", "2.3.3", "//*[@id='tippy-1']//span[contains(@class,'downloadPdfEbuLink-rogers')]"),
    *facts("format", "2.3.3", "the viewer is in a frame: all frames are looked through"),
    *facts("wait", "2.3.3", "View Bills, 3 s", "the viewer, 60 s", "Complete bill, 10 s", "a bill, 60 s"),
]

KNOWN = Known([*SIGN_IN, *MONTHLY, *DAILY, *INVOICE])

# Stated by the sheet, and not shown by the imitation, which has hosts of its own.
NOT_SHOWN = facts("address", "1.4", "bss.rogers.com", "account-business.rogers.com")

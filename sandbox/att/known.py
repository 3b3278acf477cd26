"""What the fact sheet knows of AT&T. Section numbers are the sheet's; `2025` marks the state of August 2025."""

from __future__ import annotations

from sandbox.att.state import SENDERS
from sandbox.globys.known import shared
from sandbox.known import Known, facts

FORM = "/html/body/app-root/div/div/div/div/{}/app-card/div/div/div/form"
USER, SECRET = FORM.format("app-login-general"), FORM.format("app-login-password")
PAGE = "/html/body/div[1]/div"
REPORTS = "//*[@id='thisForm']/div"


SIGN_IN = [
    *facts("address", "1.0", "/premiercare/"),
    *facts("format", "1.5.2", "a verification that is pending stands at the address of the sign-in, by either form"),
    *facts("component", "1.5.3", "app-root", "app-login-general", "app-login-password", "app-card"),
    *facts("path", "1.5.3", f"{USER}/div[1]", f"{USER}/div[3]"),
    *facts("path", "1.5.3", f"{SECRET}/div[2]", f"{SECRET}/div[3]"),
    *facts("id", "1.5.4", "deliveryForm", "enterOtp", "preferredMethodInput", "continueButton", "trustedDevice"),
    *facts("id", "1.5.4", "checkbox1FormRow", "continue"),
    *facts("name", "1.5.4", "selectCTN"),
    *facts("attribute", "1.5.4", "label*=Email"),
    *facts("path", "1.5.4", "//input[@name='selectCTN' and starts-with(@label,'Email')]"),
    *facts("visible", "1.5.4", "input[name=selectCTN]", "#trustedDevice", "#preferredMethodInput"),
    *facts("wait", "1.5.2", "the choice of methods, 5 s", "the field for the code, 1 s"),
    *facts("wait", "1.5.4", "what a code does, 30 s"),
    *facts("sender", "1.8", *SENDERS),
    *facts("format", "1.8", "a code has 6 to 8 digits"),
    *facts("format", "1.8", "a preferred method is saved, and a trusted browser owes no code"),
    *facts(
        "path",
        "1.5.4",
        "//fieldset/div[1]/fieldset/div[1]/label",
        "//fieldset/div[4]/input[3]",
        "//fieldset/div[1]/input[1]",
        dated="2025",
    ),
    *facts("class", "1.5.5", "uws-invite__button-decline"),
    *facts("path", "1.5.6", f"{PAGE}/div[2]/p/a"),
    *facts("words", "1.5.6", "My Profile"),
    *facts("wait", "1.5.6", "My Profile, 10 s"),
    *facts("path", "1.5.7", f"{PAGE}/div[1]/ul/li[4]/a"),
]
MONTHLY = [
    *facts("id", "2.4.1", "primaryNav", "mainNavMenu", "thisForm"),
    *facts("path", "2.4.1", "//*[@id='primaryNav']/li[3]/a", "//*[@id='mainNavMenu']/ul[1]/li[4]/ul/li[3]/a"),
    *facts("words", "2.4.1", "BILLING", "Reports", "Detail", "Accounts"),
    *facts("path", "2.4.1", f"{REPORTS}/div[1]/ul"),
    *facts("words", "2.4.1", "Charges and usage", "Unbilled usage", "Inventory"),
    *facts("words", "2.4.1", "Bill summary", "Wireless number summary", "Billed usage", "Equipment installment"),
    *facts(
        "words",
        "2.4.1",
        "All charges",
        "Monthly charges",
        "All wireless charges and usage (GB usage)",
        "All data export - usage details (GB usage)",
        "Device installment details",
        "Upgrade eligibility and inventory",
    ),
    *facts("words", "2.4.1", "All wireless charges and usage", "All data export - usage details"),
    *facts("path", "2.4.1", f"{REPORTS}/div[2]/div[1]/div[1]", f"{REPORTS}/div[2]/div[1]/div[2]"),
    *facts("format", "2.4.1", "values of months are cYYYYMM01, their texts `Month YYYY bills`"),
    *facts("contained", "2.4.1", "bills"),
    *facts("id", "2.4.1", "accordion"),
    *facts("class", "2.4.1", "panel-reports", "panel-title"),
    *facts("name", "2.4.1", "ViewReport"),
    *facts("path", "2.4.1", "//*[@id='thisForm']/div[1]/div[1]/a"),
    *facts("wait", "2.4.1", "BILLING, 15 s", "Detail, 10 s", "a report, 30 s", "a file, 120 s"),
]
DAILY = [
    *facts("id", "2.4.2", "reportsTab", "functionality", "navMenuItem5", "navTabItem5-2"),
    *facts("path", "2.4.2", "//*[@id='reportsTab']/a", "//*[@id='functionality']/div/div[2]/div[1]"),
    *facts("words", "2.4.2", "Summary", "Unbilled details"),
    *facts("words", "2.4.2", "Unbilled usage details totals (GB usage)", "Unbilled usage details totals"),
    *facts("wait", "2.4.2", "the reports, 30 s and 60 s", "a report, 60 s", "a file, 120 s"),
]
INVOICE = [
    *facts("words", "2.4.3", "Bills"),
    *facts("id", "2.4.3", "_globysForm_", "BilledMonthYearPendingDataDropdownList", "DataTable_wrapper"),
    *facts("path", "2.4.3", "//*[@id='_globysForm_']/div/div/div[1]/div"),
    *facts("class", "2.4.3", "stmtListTableLinkDocument"),
    *facts("id", "2.4.3", "acctContent", "billDocType_1"),
    *facts("path", "2.4.3", "//*[@id='bdfModal']//footer//button"),
    *facts("format", "2.4.3", "months are Month YYYY"),
    *facts("wait", "2.4.3", "BILLING, 60 s", "Bills, 5 s", "the list, 15 s", "a bill, 60 s"),
]

KNOWN = Known([*SIGN_IN, *MONTHLY, *DAILY, *INVOICE, *shared("2.4.1", "2.4.3")])

# Stated by the sheet, and not shown by the imitation, which has a host of its own.
NOT_SHOWN = facts("address", "1.0", "www.wireless.att.com")

"""What the fact sheet knows of Telus. Section numbers are the sheet's; `2025` marks the state of August 2025."""

from __future__ import annotations

from calendar import month_name

from sandbox.globys.known import shared
from sandbox.known import Known, facts

SIGN_IN = [
    *facts("address", "1.3.1", "/en"),
    *facts("address", "1.3.2", "/my-telus"),
    *facts(
        "format", "1.3.1", "a check of the connection may stand before any page, and clears within 15 s, or 30 s more"
    ),
    *facts("format", "1.3.1", "its page says `Just a moment` or `cf_chl_opt`; its widget is in a closed shadow root"),
    *facts("id", "1.3.1", "success", "fail", "timeout", "expired", "challenge-error", "verifying"),
    *facts("words", "1.3.3", "Accept all cookies"),
    *facts("id", "1.3.3", "skip-button"),
    *facts("test id", "1.3.5", "login-form-email-input", "login-form-password-input", "login-form-submit-button"),
    *facts("id", "1.3.5", "idtoken1", "idtoken2", "login-btn", "login-form"),
    *facts("attribute", "1.3.5", "aria-label=Email or username", "aria-label=Password"),
    *facts("words", "1.3.5", "Email or username", "Password"),
    *facts("path", "1.3.5", "//*[@id='login-form']//*[@role='button']"),
    *facts("wait", "1.3.5", "the form, 20 s; it takes 8 to 15", "the password's field, 10 s", "the button, 5 s"),
    *facts("address", "1.3.6", "login"),
    *facts("contained", "1.3.6", "Account", "Your balance"),
    *facts("id", "1.3.6", "account-overview"),
    *facts("id", "1.3.8", "ge-top-nav"),
    *facts("path", "1.3.8", "//*[@id='ge-top-nav']/ul[2]/li[3]/button"),
    *facts("path", "1.3.8", "//*[@id='ge-top-nav']/ul[2]/li[3]/nav/div/ul/li[5]/a"),
    *facts("format", "1.3.7", "no second factor is known"),
    *facts("address", "1.3.9", "/iq/manage/logout"),
    *facts("id", "1.3.9", "site-header__root"),
    *facts("class", "1.3.9", "site-header__header__user"),
    *facts("attribute", "1.3.9", "href=/iq/manage/logout"),
    *facts("format", "1.3.9", "TELUS IQ is a session of its own, which may ask for the password by the same form"),
]
TEXT_BILLS = [
    *facts("test id", "2.2.1", "generic-card-dropdown-button", "account-card-north-star"),
    *facts("words", "2.2.1", "Bill Options", "Find your account", "Change"),
    *facts("contained", "2.2.1", "Account #"),
    *facts("attribute", "2.2.1", "href=/my-telus/text-bill?intcmp=tcom_mt_overview_button_download-text-bill"),
    *facts("address", "2.2.1", "/my-telus/text-bill"),
    *facts("wait", "2.2.1", "an entry of Bill Options, at once: the menu leaves soon", "the bundle, 60 s"),
    *facts("path", "2.2.1", "//h2/following-sibling::div[@role='link']"),
    *facts("attribute", "2.2.1", "role=link"),
    *facts("format", "2.2.1", "a month is its full English name below a head with its year"),
    *facts("contained", "2.2.1", *month_name[1:]),
    *facts(
        "format", "2.2.1", "members: group_summary, individual_detail, airtime_detail or airtime detail, and others"
    ),
]
ANALYZER = [
    *facts("id", "2.2.1", "navOpen", "tandc-content", "navMenuItem6", "CIDPendingDataDropdownButton"),
    *facts("path", "2.2.1", "//*[@id='navOpen']/li[2]/a", "//*[@id='tandc-content']/div[3]/button"),
    *facts("words", "2.2.1", "Detail Reports"),
    *facts("id", "2.2.1", "heading42", "collapse42"),
    *facts("attribute", "2.2.1", "aria-expanded", "id*=btnSelectSummaryReport"),
    *facts("words", "2.2.1", "Mobility Device Summary", "Mobility Device"),
    *facts("format", "2.2.1", "values of months are bYYYYMMDD"),
    *facts("wait", "2.2.1", "Bill Analyzer, 30 s", "the terms, 3 s", "a report, 60 s", "an export, 3 s and 60 s"),
    *facts(
        "words",
        "2.2.1",
        "Wireless Subscriber Charges",
        "Invoice Detail Report",
        "Wireless Data Usage Detail",
        dated="2025",
    ),
]
USAGE = [
    *facts("path", "2.2.2.1", "//*[@id='navOpen']/li[3]/a"),
    *facts("test id", "2.2.2.1", "accountNumber"),
    *facts("words", "2.2.2.1", "Change account", "Usage"),
    *facts("test id", "2.2.2.2", "total-usage", "usage-used", "usage-allowance"),
    *facts("path", "2.2.2.2", "//div[@data-testid='total-usage']//*[@data-testid='usage-used']"),
    *facts("contained", "2.2.2.2", "GB"),
]
IQ = [
    *facts("test id", "2.2.2.3", "generic-card-primary-cta"),
    *facts("attribute", "2.2.2.3", "href*=/iq/manage"),
    *facts("id", "2.2.2.3", "confirmation__dialog", "cancel__clear__filter__button"),
    *facts("words", "2.2.2.3", "Select customer", "Upcoming changes to order processing"),
    *facts("id", "2.2.2.4", "select-a-ban"),
    *facts("wait", "2.2.2.4", "the options of the accounts, 30 s"),
    *facts("format", "2.2.2.4", "the list's value is a property; its attribute is always empty"),
    *facts("words", "2.2.2.5", "View heavy data user details"),
    *facts("words", "2.2.2.6", "Continue", "Export view"),
    *facts("id", "2.2.2.6", "reportname", "confirmation__dialog1"),
    *facts("path", "2.2.2.6", "//*[@id='confirmation__dialog1']/div/div[2]/a[2]"),
    *facts("format", "2.2.2.6", "reports are called `Daily Usage Report MM-DD-YYYY`"),
    *facts("wait", "2.2.2.6", "a report, 3 minutes, twice"),
    *facts("id", "2.2.2.7", "dynamicTable"),
    *facts("path", "2.2.2.7", *(f"//*[@id='dynamicTable']/tbody/tr/td[{place}]" for place in range(2, 9))),
    *facts("words", "2.2.2.7", "In Queue", "Download", "Multiple"),
    *facts("class", "2.2.2.7", "download-anchor"),
    *facts("format", "2.2.2.7", "times are `Dec 25, 2025 17:37 CST`"),
]
INVOICE = [
    *facts("words", "2.2.3", "View bill", "Statements"),
    *facts("order", "2.2.3", "[data-stays]"),
    *facts("path", "2.2.3", "//*[@id='scopeExpandedAccountMenu']/div[1]/div/div[2]/input"),
    *facts("id", "2.2.3", "BilledMonthYearPendingDataDropdownButton", "bdfModalHeaderText"),
    *facts("attribute", "2.2.3", "aria-label*=PDF Bill"),
    *facts("class", "2.2.3", "bdfDocType", "bdf-doc-item"),
    *facts("words", "2.2.3", "PDF copy of your print bill"),
    *facts("format", "2.2.3", "months are Month YYYY, in the documents' dialog YYYY/MM"),
    *facts("wait", "2.2.3", "View bill, 30 s", "Statements, 5 s", "the list, 10 s", "a document, 60 s"),
]

KNOWN = Known([*SIGN_IN, *TEXT_BILLS, *ANALYZER, *USAGE, *IQ, *INVOICE, *shared("2.2.1", "2.2.3")])

# Stated by the sheet, and not shown by the imitation, which has hosts of its own.
NOT_SHOWN = [
    *facts("address", "1.0", "www.telus.com", "mobilitymanager.telus.com"),
    *facts("address", "1.3.2", "dashboard"),
]

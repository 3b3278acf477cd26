"""What the fact sheet knows of T-Mobile for Business. Section numbers are the sheet's."""

from __future__ import annotations

from sandbox.known import Known, facts
from sandbox.tmobile.state import SENDER

SIDE = "/html/body/globalnav-root/globalnav-nav/mat-sidenav-container/mat-sidenav/div"

SIGN_IN = [
    *facts("id", "1.6.1", "lightbox_pop", "en"),
    *facts("format", "1.6.1", "the language is chosen in a frame that is attached before its content is ready"),
    *facts("id", "1.6.2", "emailOrPhoneNumberTextBox", "lp1-next-btn", "passwordTextBox", "lp2-login-btn"),
    *facts("id", "1.6.3", "code", "main"),
    *facts("path", "1.6.3", "//*[@id='main']/div[1]/form/div/div/div[2]/div/div[2]/button"),
    *facts("format", "1.6.3", "no method is chosen; the field that is still there means that the code was refused"),
    *facts("component", "1.6.4", "globalnav-root", "globalnav-nav", "mat-sidenav-container", "mat-sidenav"),
    *facts("component", "1.6.4", "mat-nav-list", "mat-panel-title", "mat-list-item"),
    *facts("path", "1.6.4", f"{SIDE}/mat-nav-list[1]/mat-panel-title/mat-list-item"),
    *facts("address", "1.6.5", "/apps/tfb_billing/dashboard"),
    *facts("path", "1.6.5", f"{SIDE}/mat-nav-list[2]/mat-panel-title[7]/mat-list-item"),
    *facts("path", "1.6.5", "//mat-list-item[.//span[contains(text(),'Logout')]]"),
    *facts("words", "1.6.5", "Logout"),
    *facts("sender", "1.8", SENDER),
    *facts("format", "1.8", "a code has six to eight digits and comes by mail"),
    *facts("wait", "1.6.1", "the page, 3 s", "the frame, 15 s", "its button, 20 s"),
    *facts("wait", "1.6.2", "each step, 3 to 5 s"),
    *facts("wait", "1.6.3", "the code's field, 10 s", "the field to go, 3 s after a 5 s settle"),
]
MONTHLY = [
    *facts("id", "2.5.1", "mat-expansion-panel-header-3", "mat-select-0"),
    *facts("words", "2.5.1", "Reporting", "Billing templates", "Other templates", "My reports"),
    *facts("words", "2.5.1", "Select billing period", "Billing & Statements", "Equipment templates"),
    *facts("attribute", "2.5.1", "placeholder=Select billing period"),
    *facts("name", "2.5.1", "hierarchyLevel"),
    *facts("path", "2.5.1", "//mat-select[@name='hierarchyLevel']"),
    *facts("component", "2.5.1", "mat-select", "mat-tree", "mat-expansion-panel", "mat-expansion-panel-header"),
    *facts("format", "2.5.1", "billing periods are Month YYYY, and are there late: 15 s"),
    *facts("format", "2.5.1", "the tree is expanded, five levels at most, until a node contains the account"),
    *facts("format", "2.5.1", "the filters are reset after every run of a template"),
    *facts("words", "2.5.1", "more_vert", "Run as is"),
    *facts("format", "2.5.1", "a dialog confirms a run, within 60 s, and must be closed"),
    *facts("words", "2.5.1", "Charges and Usage Summary", "Usage Detail", "Statement Detail"),
    *facts("words", "2.5.1", "Equipment Inventory", "Equipment Installment"),
    *facts("words", "2.5.1", "Usage Detail Report", "Equipment Inventory Report"),
    *facts("words", "2.5.1", "Equipment Installment and Payment Report"),
    *facts("class", "2.5.1", "history-content", "report-name", "report-det", "run-date", "report-status"),
    *facts("path", "2.5.1", "//mat-expansion-panel[contains(@class,'history-content')]"),
    *facts("format", "2.5.1", "a detail is Mon YYYY | account; that of equipment has no month"),
    *facts("format", "2.5.1", "a date is Mon D, YYYY, with no-break spaces"),
    *facts("words", "2.5.1", "Completed", "Download"),
    *facts("contained", "2.5.1", "Something went wrong"),
    *facts("words", "2.5.1", "Reload reports"),
    *facts("wait", "2.5.1", "the page, 5 s", "a report, 7 min, then thrice 3 min", "a file, 60 s"),
    *facts("wait", "2.5.1", "reports that are loaded again, 30 s"),
]
DAILY = [
    *facts("id", "2.5.2", "billingApp", "usage-dropdown"),
    *facts("attribute", "2.5.2", "id*=mat-input"),
    *facts("path", "2.5.2", "//input[contains(@id,'mat-input')]", "//*[@id='usage-dropdown']//mat-select"),
    *facts("class", "2.5.2", "billinglist-data"),
    *facts("words", "2.5.2", "Usage", "All usage", "Download"),
    *facts("address", "2.5.2", "britebill/documents/query"),
    *facts("key", "2.5.2", "presentationHints", "recentUsageHistory", "date", "data"),
    *facts("format", "2.5.2", "a date of the history is YYYY-MM-DD; its data are GB as text"),
    *facts("wait", "2.5.2", "the page, 5 s", "a search, 5 s", "a file, 60 s"),
]
INVOICE = [
    *facts("words", "2.5.3", "Billing", "Current", "View historical", "View PDF bill"),
    *facts("format", "2.5.3", "a period is Mon D - Mon D, without a year"),
    *facts("format", "2.5.3", "the second of the radios, if there are two, is the detailed bill"),
    *facts("wait", "2.5.3", "View PDF bill, 5 s", "a file, 60 s"),
]

KNOWN = Known([*SIGN_IN, *MONTHLY, *DAILY, *INVOICE])

# Stated by the sheet, and not shown by the imitation, which has hosts of its own.
NOT_SHOWN = facts("address", "1.0", "tfb.t-mobile.com", "account.t-mobile.com")

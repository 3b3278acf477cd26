"""What the fact sheet knows of Bell. Section numbers are the sheet's; `2023` marks what only an older state is known to have."""

from __future__ import annotations

from sandbox.known import Fact, Known

H = "/html[1]/body[1]/div[1]/header[1]/div[2]/div[1]/div[1]/div[1]/div[1]/div[1]"
F = "/html[1]/body[1]/main[1]/div[4]/div[1]/div[1]/div[2]/div[2]/div[2]/form[1]"
V = "/html/body/main/div/div[1]/div/div[2]/uxp-flow/div/identity-verification/div"
MENU = f"{H}/div[2]/nav[1]/ul[1]"
SIDE = "//*[@id='ec-sidebar']/div/div/div[contains(@class,'ec-sidebar__container')]"
WRAP = "//*[@id='m_quick_sidebar_notification-wrap']/div/div/ul"
STANDARD = "/html[1]/body[1]/header[1]/div[1]/div[2]/div[1]/div[1]/div[1]/ul[1]/li[2]/div[1]/span[1]/a[1]"
REPORTS_LINK = "//*[@id='ec-goa-reports-app']/div[1]/section/main/div/div/div/ul/li[1]/a"
ASIDE = "/html/body/div[2]/app-base/section/block-ui/div/div/app-aside-left/div/div/div/ul/li[3]"


def facts(kind: str, section: str, *values: str, dated: str = "") -> list[Fact]:
    """Return a fact for each value."""
    return [Fact(kind, value, section, dated) for value in values]


SELF_SERVE = [
    # Sign-in
    *facts("address", "1.0", "/corporateselfserve/Login"),
    *facts("path", "1.1.2", f"{F}/div[1]/div[2]/input[1]"),
    *facts("path", "1.1.3", f"{F}/div[2]/div[2]/input[1]"),
    *facts("path", "1.1.4", f"{F}/button[1]"),
    *facts("id", "1.1.2-4", "usernameField", "passwordField", "submitBtn", dated="2023"),
    *facts("id", "1.1.5", "divEmailAddress"),
    *facts("class", "1.1.5", "error-desc", "invalid"),
    *facts("path", "1.1.5", "//*[@id='divEmailAddress']//p[contains(@class,'error-desc')]"),
    *facts("component", "1.1.6", "uxp-flow", "identity-verification"),
    *facts(
        "path",
        "1.1.6",
        f"{V}/div[1]/form/div[1]/section/div[2]/div/label[1]/input",
        f"{V}/div[1]/form/div[1]/section/div[2]/div/label[2]",
        f"{V}/div[1]/form/div[2]/div[2]/div[2]/div[2]/button",
        f"{V}/div[1]/form/div[2]/div[2]/div[3]/div[2]/div[1]/input",
        f"{V}/div[2]/div/button[1]",
    ),
    *facts("visible", "1.1.6", "identity-verification input[type=radio]"),
    *facts("order", "1.1.6", "identity-verification [role=radiogroup]"),
    *facts("id", "1.1.6", "smsSelect", "verificationCode", "continueButton", dated="2023"),
    *facts("name", "1.1.6", "btn_save", dated="2023"),
    *facts("format", "1.1.6", "a code has 8 digits; 6 to 8 are taken"),
    *facts("format", "1.1.6", "a code is typed by key events; the button is disabled until then"),
    *facts("component", "1.1.7", "logout"),
    *facts(
        "path",
        "1.1.7",
        f"{H}/div[1]/div[2]/div[1]/logout[1]/div[1]/button[1]",
        "//logout//button",
    ),
    *facts("attribute", "1.1.8", "src*=recaptcha"),
    *facts(
        "path",
        "1.1.9",
        f"{H}/div[1]/div[1]/div[1]/div[1]/a[1]",
        f"{H}/div[1]/div[2]/div[1]/logout[1]/div[1]/div[1]/div[2]/div[1]/button[1]",
    ),
    *facts("wait", "1.1.1", "the sign-in page, 60 s"),
    *facts("wait", "1.1.5", "the refusal, 2 s"),
    *facts("wait", "1.1.6", "the verification page, 40 s; then 10 s more without it"),
    *facts("wait", "1.1.6", "the code's field to go, 4 to 6 s and 3 s"),
    *facts("wait", "1.1.7", "the user button, 10 s"),
    *facts("wait", "1.1.8", "the challenge's frame, 3 s"),
    # e-reports
    *facts("path", "2.1.2.1", f"{MENU}/li[4]/a[1]", f"{MENU}/li[4]/div[1]/ul[1]/li[1]/a[1]/h3[1]"),
    *facts("words", "2.1.2.1", "Reports", "e-report"),
    *facts("path", "2.1.2.2", STANDARD),
    *facts("words", "2.1.2.2", "Standard reports"),
    *facts("first", "2.1.2.3", "#reportsDropDown"),
    *facts("words", "2.1.2.3", "Apply", "Cost Overview", "Usage Overview", "Enhanced User Profile Report"),
    *facts("format", "2.1.2.3", "months are Mon YYYY, of the cycle's start and end"),
    *facts("format", "2.1.2.3", "values of the reports' options are 2, 5, 7", dated="2025"),
    *facts("format", "2.1.2.3", "values of the reports' options are 2, 5, 10", dated="2023"),
    *facts("id", "2.1.2.3", "reportsDropDown", "fromReportDate", "toReportDate", "btnApply", dated="2023"),
    *facts("id", "2.1.2.3", "reportStatusBar", "reportStatusBarContent", "reportStatusBarRequests", dated="2023"),
    *facts("order", "2.1.2.4", "#reportStatusBarRequests > tbody"),
    *facts("path", "2.1.2.4", "//*[@id='reportStatusBarRequests']//tr/td[1]/a"),
    *facts("wait", "2.1.2.1", "the tab, 60 s, later 90 s"),
    *facts("wait", "2.1.2.2", "the standard reports, 30 s, later 50 s"),
    *facts("wait", "2.1.2.3", "what Apply does, 5 s", "what the image does, 10 s"),
    *facts("wait", "2.1.2.4", "the reports, 5 minutes, later 2", "the status table, 120 s", "a download, 30 s"),
    *facts("wait", "4", "the header's menu, 60 s, later 90 s"),
    # Usage
    *facts("path", "2.1.3.1", f"{MENU}/li[2]/a[1]", f"{MENU}/li[2]/div[1]/ul[1]/li[1]/ul[1]/li[1]/a[1]/span[1]"),
    *facts("words", "2.1.3.1", "Usage", "Usage details"),
    *facts("id", "2.1.3.2", "dataContainer"),
    *facts("component", "2.1.3.2", "account-search"),
    *facts("attribute", "2.1.3.2", "data-table-col=banId"),
    *facts("own text", "2.1.3.2", "td[data-table-col=banId]"),
    *facts("attribute", "2.1.3.2", "aria-label*=Select"),
    *facts("attribute", "2.1.3.2", "placeholder=Search by Billing account number"),
    *facts("words", "2.1.3.2", "Search by Billing account number"),
    *facts("name", "2.1.3.2", "btn_search"),
    *facts("path", "2.1.3.2", "//tr/td[@data-table-col='banId']"),
    *facts("id", "2.1.3.3", "sharedAllowanceAdminContainer"),
    *facts(
        "path",
        "2.1.3.3",
        "//*[@id='sharedAllowanceAdminContainer']/div[2]/div[1]/span",
        "//*[@id='sharedAllowanceAdminContainer']/div[2]/div[2]/span[1]",
    ),
    *facts("contained", "2.1.3.3", "Included", "GB", "GB used"),
    *facts("format", "2.1.3.3", "sizes are N,NNN.NN GB; those of several pools are added up"),
    *facts("format", "2.0", "a GB has 1,024^3 bytes"),
    *facts("component", "2.1.3.4", "filter-selection"),
    *facts(
        "words",
        "2.1.3.4",
        "All usage",
        "Medium Business Data Share",
        "Corp Business Data Share",
        "Corporate Share NA Data Group",
        "Medium Business Unlimited Data Share",
    ),
    *facts("component", "2.1.3.5", "search"),
    *facts("path", "2.1.3.5", "//search/nav/ul/li[3]/a", "//search/nav/ul/li[3]/ul/li/a"),
    *facts("words", "2.1.3.5", "Download", "Download all pages"),
    *facts("wait", "2.1.3.2", "the account page, 20 s", "an account's row, 5 s", "what the search finds, 3 s"),
    *facts("wait", "2.1.3.3", "pools, 60 s"),
    *facts("wait", "2.1.3.4", "the narrowed view, 30 s"),
    *facts("wait", "2.1.3.5", "the entries of Download, 5 s"),
    # Invoice
    *facts("path", "2.1.4.1", f"{MENU}/li[3]/a[1]", f"{MENU}/li[3]/div[1]/ul[1]/li[1]/ul[1]/li[3]/a[1]"),
    *facts("words", "2.1.4.1", "Billing", "Download PDF"),
    *facts("attribute", "2.1.4.2", "data-selection"),
    *facts("class", "2.1.4.2", "input-checkbox-representation"),
    *facts("path", "2.1.4.2", "//td[@data-selection]//span[contains(@class,'input-checkbox-representation')]"),
    *facts("component", "2.1.4.2", "selection-dock", "account-selection-global-search"),
    *facts("labelled", "2.1.4.2", "account-selection-global-search input[type=radio]"),
    *facts("words", "2.1.4.2", "Continue"),
    *facts("name", "2.1.4.3", "invoiceSelect"),
    *facts("attribute", "2.1.4.3", "value=Y"),
    *facts("words", "2.1.4.3", "Complete invoice"),
    *facts("labelled", "2.1.4.3", "input[name=invoiceSelect]"),
    *facts("labelled", "2.1.4.4", "input[name=month]"),
    *facts("format", "2.1.4.4", "months are Month YYYY"),
    *facts("id", "2.1.4.5", "continueButton", "downloadPDFNOWBtn"),
    *facts("words", "2.1.4.6", "Back to my account", "Leave page"),
    *facts("format", "2.1.4.5", "an invoice is one file or a ZIP"),
    *facts("wait", "2.1.4.2", "the account page, 5 s", "the search, 10 s", "what the search finds, 3 s"),
    *facts("wait", "2.1.4.3", "the complete invoice's field, 5 s", "what it changes, 5 s"),
    *facts("wait", "2.1.4.5", "the invoice's button, 120 s", "a download, 30 s"),
    *facts("wait", "2.1.4.6", "the question whether to leave, 30 s"),
]

ENTERPRISE_CENTRE = [
    *facts("id", "1.2.2", "Username", "Password", "loginBtn"),
    *facts("address", "1.2.3", "IG.OTP"),
    *facts("attribute", "1.2.3", "ng-model=password"),
    *facts("name", "1.2.3", "message0", "message1", "message2", "message3"),
    *facts("id", "1.2.3", "continueButton"),
    *facts("sender", "1.8", "businessportal_portailaffaires@bell.ca"),
    *facts("format", "1.2.4", "a code has 8 letters and digits"),
    *facts("format", "3.2", "a code in a mail follows `use this code` or `utiliser le code`"),
    *facts("wait", "1.2.3", "the code's page, 8 to 11 s and 45 s", "the code's field, 40 s"),
    *facts("wait", "1.2.4", "the code's field to go, 4 to 6 s and 3 s"),
    *facts("wait", "1.2.5", "the sign-in's button to go, 5 s"),
    *facts("id", "1.2.6", "ec-sidebar"),
    *facts("class", "1.2.6", "ec-sidebar__container"),
    *facts("path", "1.2.6", f"{SIDE}/ul[2]/li[4]/a"),
    *facts("path", "2.1.1", f"{SIDE}/ul[1]/li/button", REPORTS_LINK, ASIDE),
    *facts("contained", "2.1.1", "My Reports"),
    *facts("words", "2.1.1", "Service", "Enhanced Mobility Reports", "Shared with me"),
    *facts("id", "2.1.1", "ec-sidebar", "ec-goa-reports-app", "ws-grid__appfolder_0"),
    *facts("component", "2.1.1", "app-base", "block-ui", "app-aside-left", "p-treenode"),
    *facts("path", "2.1.1", "//p-treenode[2]"),
    *facts("order", "2.1.1", ".ec-sidebar__container > ul", "app-aside-left ul"),
    *facts(
        "contained",
        "2.1.1",
        "Cost Overview Report",
        "Usage Overview Report",
        "Enhanced User Profile Report",
        "Invoice Charge Report",
    ),
    *facts("class", "2.1.1.1", "ws-grid__item", "ws-grid__item__description"),
    *facts("id", "2.1.1.2", "wb-sheet-container"),
    *facts("path", "2.1.1.2", "//*[@id='wb-sheet-container']/div/div/div[2]"),
    *facts("class", "2.1.1.3", "filter-title-ellipsis", "c-btn", "singleselect-dropdown-item"),
    *facts("contained", "2.1.1.3", "Invoice month"),
    *facts("attribute", "2.1.1.3", "placeholder=Search", "aria-label=searchbox"),
    *facts("words", "2.1.1.3", "Search", "searchbox"),
    *facts("format", "2.1.1.3", "invoice months are Mon YYYY, of the cycle's end"),
    *facts("id", "2.1.1.4", "autoApplyButton", "filter_apply_btn"),
    *facts("attribute", "2.1.1.5", "placeholder=Search..."),
    *facts("words", "2.1.1.5", "Account number", "Select all", "Search...", "Ok"),
    *facts("class", "2.1.1.5", "Accountnumber", "menu-toggle-btn", "ui-tieredmenu", "filter-item-label"),
    *facts("component", "2.1.1.5", "table-column-menu"),
    *facts("id", "2.1.1.6", "export-btn", "btn-bc-export"),
    *facts("class", "2.1.1.6", "line-XLSX"),
    *facts("id", "2.1.1.7", "breadcrumb_item_1"),
    *facts("class", "2.1.1", "kt-notification-content", "kt-notifi-li", "ng-star-inserted", "kt-notifi-time"),
    *facts("class", "2.1.1", "line-download", "line-close"),
    *facts("attribute", "2.1.1", "aria-label=Notification"),
    *facts("words", "2.1.1", "Notification"),
    *facts("id", "2.1.1", "m_quick_sidebar_notification-wrap"),
    *facts("path", "2.1.1", WRAP),
    *facts("order", "2.1.1", "span.ng-star-inserted"),
    *facts("format", "2.1.1", "ages are: a few seconds, a minute, N minutes, an hour, N hours ago"),
    *facts("format", "2.1.1", "entries of more than 45 minutes, or of days, weeks and months, are too old"),
    *facts("format", "2.1.1", "a report is an XLSX workbook"),
    *facts("wait", "2.1.1", "a link that is there already, 3 s", "the reports' tab, 90 s and 30 s", "a download, 30 s"),
    *facts("wait", "2.1.1.1", "the cards, 15 s"),
    *facts("wait", "2.1.1.2", "a workbook, 30 s"),
    *facts("wait", "2.1.1.3", "a month in the list, 10 s"),
    *facts("wait", "2.1.1.4", "what Apply does, 30 s; 10 s where it applies by itself"),
    *facts("wait", "2.1.1.5", "an account in the list, 8 s"),
    *facts("wait", "2.1.1.6", "an export, 10 s"),
]

KNOWN = Known([*SELF_SERVE, *ENTERPRISE_CENTRE])

# What a module of the spiders is about: a word that the sheet states for one page is none of another page's.
PAGES = {
    "login": ("1.0", "1.1"),
    "enterprise_login": ("1.2", "1.8"),
    "self_serve": ("1.1", "2.1.2.1", "2.1.3.1", "2.1.3.2", "2.1.4.1", "2.1.4.2"),
    "daily_usage": ("2.1.3",),
    "pdf_invoice": ("2.1.4",),
    "ereports": ("2.1.2",),
    "monthly_reports": ("2.1.1",),
    "workbooks": ("2.1.1",),
}

# Stated by the sheet, and not shown by the imitation: it has hosts of its own, one place of the user button, and delivers no
# codes by mail at Self Serve.
NOT_SHOWN = [
    *facts("address", "1.0", "business.bell.ca", "enterprisecentre.bell.ca"),
    *facts("address", "1.2.1", "businessportal.bell.ca"),
    *facts(
        "path",
        "1.1.7",
        f"{H}/div[1]/div[1]/div[2]/div[1]/logout[1]/div[1]/button[1]",
    ),
    *facts("path", "1.1.9", f"{H}/div[1]/div[1]/div[2]/div[1]/logout[1]/div[1]/div[1]/div[2]/div[1]/button[1]"),
    *facts("sender", "1.8", "noreply@bell.ca"),
]

"""What the fact sheet knows of Verizon. Section numbers are the sheet's."""

from __future__ import annotations

from sandbox.known import Known, facts
from sandbox.verizon.state import SENDER

HEADER = "//*[@id='gNavHeader']/div/div/div[1]/div[2]/header/div/div"
MENUS = f"{HEADER}/div[2]/nav/ul"
ENTRIES = "div/div/div[1]/div/ul"

SIGN_IN = [
    *facts("address", "1.7.1", "/account/business/ilogin"),
    *facts("id", "1.7.1", "ilogin_userid", "ilogin_password", "ilogin_login_button"),
    *facts(
        "wait", "1.7.1", "the page, 60 s", "the user name's field, 30 s: it is late, or behind a check", "10 s after"
    ),
    *facts("id", "1.7.2", "captchaImg", "captchaInput"),
    *facts("format", "1.7.2", "an image; after a round the whole form is filled again, with the same button"),
    *facts("id", "1.7.4", "app", "dvbtn"),
    *facts("class", "1.7.4", "pwdless_options_section", "delivery_option_with_msg", "pwdless_delivery_link"),
    *facts("path", "1.7.4", "//*[@id='app']/div/div/div/div[2]/div/div/div/div/div/div[2]/li"),
    *facts("contained", "1.7.4", "Email", "allow"),
    *facts("path", "1.7.4", "//*[@id='dvbtn']/form/div[1]/label", "//*[@id='dvbtn']/button"),
    *facts("format", "1.7.4", "the first line of an option is its method; a masked contact stands below"),
    *facts("format", "1.7.4", "a link is confirmed in another tab; the first one goes on by itself"),
    *facts("sender", "1.8", SENDER),
    *facts("words", "1.7.5", "Visit the My Business home page"),
    *facts("id", "1.7.5", "root"),
    *facts("path", "1.7.5", "//*[@id='root']/div/div[2]/div/div[1]/div[2]/div/button"),
    *facts("contained", "1.7.5", "Welcome"),
    *facts("address", "1.7.5", "/mbt/secure"),
    *facts("id", "1.7.6", "on-landing"),
    *facts("words", "1.7.6", "No thanks", "close icon"),
    *facts("id", "1.7.7", "gNavHeader", "gn-logout-li-item"),
    *facts("path", "1.7.7", f"{HEADER}/div[3]/nav/ul/li/div[1]", "//*[@id='gn-logout-li-item']/a"),
]
MONTHLY = [
    *facts("path", "2.6.1", f"{MENUS}/li[4]/a", f"{MENUS}/li[4]/{ENTRIES}/li[4]/a"),
    *facts("words", "2.6.1", "Reports", "Raw Data Download", "Download"),
    *facts("class", "2.6.1", "Modal", "is-active"),
    *facts("format", "2.6.1", "months of the raw data are Mon YYYY"),
    *facts("format", "2.6.1", "members of the ZIP are told apart by parts of their names, in two spellings"),
    *facts("attribute", "2.6.1", "data-track=Others"),
    *facts("attribute", "2.6.1", "data-track=Other reports: Offer recovery & early termination fees"),
    *facts("attribute", "2.6.1", "data-track=Other reports: Activation & deactivation"),
    *facts("attribute", "2.6.1", "data-track=Other reports: Suspended wireless number"),
    *facts("id", "2.6.1", "monthRangeFrom", "monthRangeTo", "dateFrom", "dateTo", "apply-changes"),
    *facts("format", "2.6.1", "days are MM/DD/YYYY; a range of months has the newest one only"),
    *facts("component", "2.6.1", "app-form-modal"),
    *facts("contained", "2.6.1", "Monthly reports are not available yet"),
    *facts("words", "2.6.1", "I understand", "View by", "Account number", "Select number", "Download full report"),
    *facts("class", "2.6.1", "disabled"),
    *facts(
        "wait",
        "2.6.1",
        "the ZIP, 120 s",
        "offer recovery, 45 s; the other reports, 15 s",
        "changed filters, 15 s",
        "a report's file, 60 s, asked for twice",
    ),
]
DAILY = [
    *facts("path", "2.6.2", f"{MENUS}/li[4]/{ENTRIES}/li[1]/a"),
    *facts("words", "2.6.2", "Reports Home"),
    *facts("attribute", "2.6.2", "data-track=Usage", "data-track=Usage reports: Account unbilled usage"),
    *facts("wait", "2.6.2", "Reports Home, 15 s", "the tab, 5 s", "the report, 10 s", "a file, 60 s"),
]
INVOICE = [
    *facts("path", "2.6.3", f"{MENUS}/li[3]/a", f"{MENUS}/li[3]/{ENTRIES}/li[2]/a"),
    *facts("words", "2.6.3", "Billing", "View bill details", "Previous bills", "Recent bills"),
    *facts("id", "2.6.3", "billing-view-bills-s"),
    *facts("path", "2.6.3", "//*[@id='billing-view-bills-s']/div/ul/li[4]/a"),
    *facts("component", "2.6.3", "app-dropdown"),
    *facts("path", "2.6.3", "//app-dropdown[.//label[contains(normalize-space(.),'Account number')]]"),
    *facts("labelled", "2.6.3", "app-dropdown select"),
    *facts("class", "2.6.3", "invoice-card", "fs-20", "Icon--download"),
    *facts("format", "2.6.3", "cards are called Mon YYYY; the tab resets when an account is chosen"),
    *facts("wait", "2.6.3", "Previous bills, 10 s", "the tab, 10 s", "an account, 10 s", "a bill, 60 s"),
]

KNOWN = Known([*SIGN_IN, *MONTHLY, *DAILY, *INVOICE])

# Stated by the sheet, and not shown by the imitation, which has hosts of its own.
NOT_SHOWN = facts("address", "1.7", "mblogin.verizonwireless.com", "mb.verizonwireless.com")

"""The sign-in of T-Mobile for Business: a language in a frame, user name and password in two steps, then a code by mail."""

from database.access.codes import CodeChannel
from scrapers.core.outcomes import AccountLocked, BadCredentials, CaptchaShown, MfaFailed
from scrapers.core.overlays import Interruption
from scrapers.core.page import guess
from scrapers.logins import words
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.screens import Dismiss, Done, EnterCode, EnterCredentials, Screen, Stop

LIGHTBOX, ENGLISH = "#lightbox_pop", ("#en",)
USERNAME, GO_ON = ("#emailOrPhoneNumberTextBox",), ("#lp1-next-btn",)
PASSWORD, LOG_IN = ("#passwordTextBox",), ("#lp2-login-btn",)
CODE = ("xpath=//*[@id='code']",)
CONFIRM = (
    "xpath=//*[@id='main']/div[1]/form/div/div/div[2]/div/div[2]/button",
    guess("form:has(#code) [type=submit]"),
    guess("form:has(#code) button"),
)
MENU = (
    "globalnav-root/globalnav-nav/mat-sidenav-container/mat-sidenav/div/mat-nav-list[1]/mat-panel-title/mat-list-item"
)
SIGNED_IN = (f"xpath=/html/body/{MENU}", "globalnav-nav mat-nav-list mat-list-item", "mat-sidenav mat-list-item")
LEAVE = (
    "mat-nav-list mat-list-item:has-text('logout')",
    "xpath=//mat-list-item[.//span[contains(text(),'Logout')]]",
    *words.controls(words.LOG_OUT),
)
GREETING = "(hi|hello|welcome)( back)?, ?[a-z]"
NAMED = (
    guess(":is(globalnav-nav, header) [class*=user-name i]"),
    guess(f":is(globalnav-nav, header) :text-matches('^{GREETING}', 'i')"),
)
REFUSED = words.alerts(words.REFUSED)
LOCKED, LATER = words.alerts(words.LOCKED), words.controls(words.LATER)
CAPTCHA = (guess("iframe[src*=captcha]"),)


class TmobileLogin(BrowserLogin):
    """All report types; the code comes by mail."""

    portal = name = "tmobile"
    url = "https://tfb.t-mobile.com"
    home = "/apps/tfb_billing/dashboard"
    channel = CodeChannel(
        "tmobile",
        senders=("customercare@notifications.t-mobile.com",),
        pattern=r"(?<!\d)(\d{6,8})(?!\d)",
        by="mail",
    )
    # The frame of the language may come late, and what is chosen in it load the page anew under what is being typed.
    slow_after = ("language", "user name", "password")
    shows_user = NAMED
    interruptions = (Interruption(ENGLISH[0], ENGLISH[0], frame=LIGHTBOX),)
    screens = (
        Screen("language", ENGLISH, Dismiss(ENGLISH), visits=2, frame=LIGHTBOX),
        Screen("signed in", SIGNED_IN, Done()),
        Screen("locked", LOCKED, Stop(AccountLocked, LOCKED)),
        Screen("wrong code", REFUSED, Stop(MfaFailed, REFUSED)),
        Screen("bad credentials", REFUSED, Stop(BadCredentials, REFUSED, late=True)),
        Screen("user locked", LOCKED, Stop(AccountLocked, LOCKED, late=True, before_password=True)),
        Screen("user name refused", REFUSED, Stop(BadCredentials, REFUSED, late=True, before_password=True)),
        Screen("new terms", LATER, Dismiss(LATER)),
        Screen("code", CODE, EnterCode(CODE, CONFIRM, "mail")),
        Screen("password", PASSWORD, EnterCredentials((), PASSWORD, LOG_IN)),
        Screen("user name", USERNAME, EnterCredentials(USERNAME, (), GO_ON), visits=2),
        Screen("captcha", CAPTCHA, Stop(CaptchaShown, late=True)),
    )
    sign_out_clicks = (LEAVE,)

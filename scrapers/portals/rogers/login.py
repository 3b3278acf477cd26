"""The sign-in of Bizonline: its home page leads to an identity provider, which asks for user name, password and a code."""

from database.access.codes import CodeChannel
from scrapers.core.outcomes import AccountLocked, BadCredentials, CaptchaShown, MfaFailed
from scrapers.core.page import guess
from scrapers.logins import words
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.screens import ChooseFactor, Dismiss, Done, EnterCode, EnterCredentials, Screen, Stop

ENTRANCE = "xpath=//*[@id='login']/div[2]"
SIGN_IN = (f"{ENTRANCE}/div[3]//input", f"{ENTRANCE}/div[4]//input", guess("#login input[value='Sign In' i]"))
USERNAME = ("#ds-form-input-id-0",)
GO_ON = ("xpath=//app-root//ng-component//form/div[3]//button", "app-root ng-component >> says=Continue")
PASSWORD = ("#input_password",)
LOG_IN = ("xpath=//*[@id='LoginForm']/div[4]//button", "#LoginForm button[type=submit]")
DEVICES, WAITING = "otp-device-list", "otp-waiting-for-input"
BY_MAIL = (f"{DEVICES} button:text-matches('e-?mail', 'i')", f"{DEVICES} button:has(:text-matches('e-?mail', 'i'))")
BY_TEXT = words.controls(words.TEXT_MESSAGE, DEVICES)
CODE = (f"{WAITING} ds-code-input input", "ds-code-input input")
VERIFY = (f"{WAITING} >> says=Verify", f"{WAITING} form button[type=submit]", f"{WAITING} form button")
WELCOME = ("div[class*='Welcome-Oliver-Gree']:has-text('welcome')",)
LANDING = "#landing_left_pan"
LEAVE = ("xpath=//*[@id='header_greeting']/a[2]", *words.controls(words.LOG_OUT, "#header_greeting"))
REFUSED = words.alerts(words.REFUSED)
LOCKED, LATER = words.alerts(words.LOCKED), words.controls(words.LATER)
CAPTCHA = (guess("iframe[src*=captcha]"),)


class RogersLogin(BrowserLogin):
    """All report types; the code comes by mail, and into one field per digit."""

    portal = name = "rogers"
    url = "https://bss.rogers.com/bizonline/homePage.do"
    home = "/bizonline/homePage.do"
    channel = CodeChannel(
        "rogers", senders=("notifications@rci.rogers.com",), pattern=r"(?<!\d)(\d{6})(?!\d)", by="mail"
    )
    slow_after = ("home", "user name")  # the scripts of the password's page may take longer than a page, the first time
    shows_user = WELCOME
    screens = (
        Screen("signed in", (*WELCOME, LANDING), Done()),
        Screen("locked", LOCKED, Stop(AccountLocked, LOCKED)),
        Screen("wrong code", REFUSED, Stop(MfaFailed, REFUSED)),
        Screen("bad credentials", REFUSED, Stop(BadCredentials, REFUSED, late=True)),
        Screen("user locked", LOCKED, Stop(AccountLocked, LOCKED, late=True, before_password=True)),
        Screen("user name refused", REFUSED, Stop(BadCredentials, REFUSED, late=True, before_password=True)),
        Screen("new terms", LATER, Dismiss(LATER)),
        Screen("code", CODE, EnterCode(CODE, VERIFY, "mail", boxes=True)),
        Screen("choose mail", BY_MAIL, ChooseFactor((), BY_MAIL, "mail")),
        Screen("choose text message", BY_TEXT, ChooseFactor((), BY_TEXT, "sms")),
        Screen("password", PASSWORD, EnterCredentials((), PASSWORD, LOG_IN)),
        Screen("user name", USERNAME, EnterCredentials(USERNAME, (), GO_ON)),
        Screen("home", SIGN_IN, EnterCredentials((), (), SIGN_IN)),
        Screen("captcha", CAPTCHA, Stop(CaptchaShown, late=True)),
    )
    sign_out_clicks = (LEAVE,)

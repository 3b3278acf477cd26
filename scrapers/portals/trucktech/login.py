"""
The sign-in of TruckTech+. Only `#auth_key` and the password's type were read off the portal.

Everything else is recognised in several ways: by what a design of 2026 assumed, and by what pages say.
"""

from datetime import timedelta

from database.access.codes import CodeChannel
from scrapers.core.outcomes import AccountLocked, BadCredentials, CaptchaShown, MfaFailed, MfaRequired, TermsPending
from scrapers.core.page import guess
from scrapers.logins import announcements as words
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.screens import ChooseFactor, Dismiss, Done, EnterCode, EnterCredentials, Screen, Stop

FORM = "#auth_key"
USERNAME = (FORM, guess("input[name=auth_key]"))
PASSWORD = ("input[type=password]",)
SUBMIT = ("form:has(input[type=password]) [type=submit]", guess("form:has(input[type=password]) button"))
MARKS = (".alert-danger", ".error-message", ".error")
REFUSED = tuple(f"body:has({FORM}) {mark}" for mark in MARKS)
LOCKED = tuple(guess(f"{mark}:text-matches('{words.LOCKED}', 'i')") for mark in REFUSED)
TOTP = ("input[name=code]", "input[placeholder*=authenticator i]")
CODE = (
    guess("input[name=verification_code]"),
    guess("input[autocomplete=one-time-code]"),
    guess("form input[name*=code i]:not([type=hidden])"),
    guess("form input[inputmode=numeric]"),
    guess("form input[aria-label*=code i]:not([type=hidden], [type=password])"),
)
BESIDE_WORDS = (  # fields of a code where the page announces one
    guess("form input[type=tel]"),
    guess("form input[maxlength='6']:not([type=hidden], [type=password])"),
)
FIELDS = TOTP + CODE
SENT_FIELDS = FIELDS + BESIDE_WORDS
TEXTED = words.saying(words.TEXTED, FORM, SENT_FIELDS)
MAILED = words.saying(words.MAILED, FORM, SENT_FIELDS)
SAID = guess(
    f"body:not(:has({FORM})){words.NO_MENU} :is(main, form, p):text-matches('text message|\\\\bSMS\\\\b|verification code', 'i')"
)
ANNOUNCED = (SAID, *words.saying(words.ANY_CODE, FORM, (words.PLACES,)))
CONFIRM = (
    *(f"form:has({field}) [type=submit]" for field in TOTP),
    *(guess(f"form:has({field}) {button}") for field in SENT_FIELDS for button in ("[type=submit]", "button")),
)
WRONG_CODE = (
    *REFUSED,
    *(f"body:has({field}) {mark}" for field in TOTP for mark in MARKS),
    *(guess(f"body:has({field}) {mark}") for field in CODE + BESIDE_WORDS for mark in MARKS),
)
SEND = words.called(words.SEND_CODE)
TRUST = ("role=button[name=/trust this device/i]", *words.called(words.TRUST))
ELSEWHERE = words.saying(words.ELSEWHERE, FORM) + words.dialogs_saying(words.ELSEWHERE)
CONTINUE = (
    guess("body:has(:text-matches('already logged in elsewhere', 'i')) >> role=button[name=/^continue$/i]"),
    *words.called(words.GO_ON, ELSEWHERE),
)
LATER = words.called(words.LATER, words.about_policies(FORM))
ACCEPT = (
    guess(
        f"body:not(:has({FORM})):has(:text-matches('policies (&|and) agreements', 'i')) >> role=button[name=/accept/i]"
    ),
    *words.called(words.ACCEPT, words.about_policies(FORM)),
)
KEY = words.saying(words.SECURITY_KEY, FORM, (words.PLACES,))
CAPTCHA = (guess("iframe[src*=captcha]"),)
USER = (
    guess("header .user-name"),
    guess("[data-testid=user-name]"),
    guess(".navbar .username"),
    guess("#current-user"),
)


# Texts at the top of the page, outside of links, that may hold the mail address of the signed-in user.
HEADER_MAIL = (guess("xpath=//header//*[not(ancestor-or-self::a)][contains(text(), '@')]"),)


class TruckTechLogin(BrowserLogin):
    """One sign-in for the whole portal; its pages are then read over plain HTTP."""

    portal = name = "trucktech"
    url = "https://paccar.decisiv.net/login"
    home = probe = "/dashboard"
    signed_out_at = r"/login(?![\w-])"
    shared = True  # every page has its vehicle in its address: the session has no state
    life = timedelta(hours=24)  # an estimate of 2026
    device_cookies = guess("(?i)device|trust|remember")
    channel = CodeChannel("trucktech", pattern=r"\b(\d{6})\b")  # the sender is not known
    shows_user = USER
    shows_mail = HEADER_MAIL
    screens = (
        Screen("wrong code", WRONG_CODE, Stop(MfaFailed, WRONG_CODE)),
        Screen("locked", LOCKED, Stop(AccountLocked, LOCKED)),
        Screen("bad credentials", REFUSED, Stop(BadCredentials, REFUSED)),
        Screen("code by text message", TEXTED, EnterCode(SENT_FIELDS, CONFIRM, kind="sms")),
        Screen("code by mail", MAILED, EnterCode(SENT_FIELDS, CONFIRM, kind="mail")),
        Screen("authenticator", TOTP, EnterCode(TOTP, CONFIRM, kind="totp")),
        Screen("code", CODE, EnterCode(CODE, CONFIRM, kind="sms")),
        Screen("send code", SEND, ChooseFactor((), SEND)),
        Screen("trust this device", TRUST, Dismiss(TRUST)),
        Screen("signed in elsewhere", CONTINUE, Dismiss(CONTINUE)),
        Screen("policies, may wait", LATER, Dismiss(LATER)),
        Screen("policies", ACCEPT, Stop(TermsPending)),
        Screen("signed in", USER, Done(), at=r"^[^?#]*/(dashboard|home)(?![\w-])"),
        Screen("credentials", USERNAME, EnterCredentials(USERNAME, PASSWORD, SUBMIT)),
        Screen("security key", KEY, Stop(MfaRequired, KEY)),
        Screen("captcha", CAPTCHA, Stop(CaptchaShown)),
        Screen("a code is announced", ANNOUNCED, Stop(MfaRequired, ANNOUNCED, late=True)),
    )

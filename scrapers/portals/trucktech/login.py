"""The sign-in of TruckTech+. Only `#auth_key` and the password's type are known of the portal; the rest is a guess."""

from datetime import timedelta

from database.access.codes import CodeChannel
from scrapers.core.outcomes import AccountLocked, BadCredentials, CaptchaShown, MfaFailed, MfaRequired, TermsPending
from scrapers.core.page import guess
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.screens import ChooseFactor, Dismiss, Done, EnterCode, EnterCredentials, Screen, Stop

USERNAME = ("#auth_key", "input[name=auth_key]")
PASSWORD = ("input[type=password]",)
SUBMIT = ("form:has(input[type=password]) [type=submit]", "form:has(input[type=password]) button")
REFUSED = tuple(f"body:has({USERNAME[0]}) {mark}" for mark in (".alert-danger", ".error-message", ".error"))
LOCKED = tuple(f"{mark}:text-matches('locked|verrouillé|bloqué', 'i')" for mark in REFUSED)
TOTP = ("input[name=code]", "input[placeholder*=authenticator i]")
CODE = ("input[name=verification_code]", "input[autocomplete=one-time-code]")
MAILED = tuple(f"body:has(:text-matches('we sent an? e-?mail|courriel', 'i')) {field}" for field in CODE)
CONFIRM = tuple(f"form:has({field}) {button}" for field in TOTP + CODE for button in ("[type=submit]", "button"))
WRONG_CODE = tuple(f"body:has({field}) .alert-danger" for field in TOTP + CODE)
ANY = ":is(button, input[type=submit], a)"
SEND = (f"form {ANY}:text-matches('^(send|envoyer).*code', 'i')",)
TRUST = (f"{ANY}:text-matches('trust this|faire confiance', 'i')", "button[name=trust]")
ELSEWHERE = ("[role=dialog], dialog, main >> text=/signed in elsewhere|logged in elsewhere|connecté ailleurs/i",)
CONTINUE = (f"{ANY}:text-matches('^(continue|continuer)$', 'i')",)
LATER = (f"{ANY}:text-matches('remind me later|plus tard', 'i')",)
ACCEPT = (f"{ANY}:text-matches('^(i accept|accept|j.accepte|accepter)$', 'i')",)
KEY = ("main >> text=/security key|passkey|clé de sécurité/i",)
USER = ("header .user-name", "[data-testid=user-name]", ".navbar .username", "#current-user")


class TruckTechLogin(BrowserLogin):
    """One sign-in for the whole portal; its pages are then read over plain HTTP."""

    portal = name = "trucktech"
    url = "https://paccar.decisiv.net/login"
    home = "/dashboard"
    shared = True  # every page has its vehicle in its address: the session has no state
    life = timedelta(hours=24)  # an estimate of 2026
    device_cookies = guess("(?i)device|trust|remember")
    channel = CodeChannel("trucktech", pattern=r"\b(\d{6})\b")  # the sender is not known
    shows_user = USER
    screens = (
        Screen("wrong code", WRONG_CODE, Stop(MfaFailed, WRONG_CODE)),
        Screen("locked", LOCKED, Stop(AccountLocked, LOCKED)),
        Screen("bad credentials", REFUSED, Stop(BadCredentials, REFUSED)),
        Screen("authenticator", TOTP, EnterCode(TOTP, CONFIRM, kind="totp")),
        Screen("code by mail", MAILED, EnterCode(CODE, CONFIRM, kind="mail")),
        Screen("code by text message", CODE, EnterCode(CODE, CONFIRM, kind="sms")),
        Screen("send code", SEND, ChooseFactor(SEND, SEND)),
        Screen("trust this device", TRUST, Dismiss(TRUST)),
        Screen("signed in elsewhere", ELSEWHERE, Dismiss(CONTINUE)),
        Screen("policies, may wait", LATER, Dismiss(LATER)),
        Screen("policies", ACCEPT, Stop(TermsPending)),
        Screen("signed in", USER, Done()),
        Screen("credentials", USERNAME, EnterCredentials(USERNAME, PASSWORD, SUBMIT)),
        Screen("security key", KEY, Stop(MfaRequired, KEY)),
        Screen("captcha", ("iframe[src*=captcha]",), Stop(CaptchaShown)),
    )

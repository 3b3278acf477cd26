"""The sign-in of Premier Care: user name and password in two steps, then a code, unless the browser is trusted."""

import time
from typing import Any

from database.access.codes import CodeChannel
from scrapers.core.outcomes import AccountLocked, BadCredentials, CaptchaShown, MfaFailed
from scrapers.core.overlays import Interruption
from scrapers.core.page import guess
from scrapers.logins import words
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.screens import ChooseFactor, Dismiss, Done, EnterCode, EnterCredentials, Screen, Stop

USERNAME = ("xpath=//app-login-general//form/div[1]//input", "app-login-general input:not([type=checkbox])")
GO_ON = ("xpath=//app-login-general//form/div[3]//button", "app-login-general button")
PASSWORD = ("xpath=//app-login-password//form/div[2]//input", "app-login-password input[type=password]")
LOG_IN = ("xpath=//app-login-password//form/div[3]//button", "app-login-password button")
# Codes came by text message before they came by mail (end of 2025): that form had no ids.
DELIVERY, OLD_FORM = "#deliveryForm", "xpath=//fieldset"
BY_MAIL = ("input[name=selectCTN][label^=Email]", *words.labels(words.MAIL, "fieldset"))
BY_TEXT = (guess("input[name=selectCTN]:not([label^=Email])"), f"{OLD_FORM}/div[1]/fieldset/div[1]/label")
PREFERRED, SEND = ("#preferredMethodInput",), ("#continueButton", f"{OLD_FORM}/div[4]/input[3]")
CODE, CONTINUE = ("#enterOtp", f"{OLD_FORM}/div[1]/input[1]"), ("#continue", f"{OLD_FORM}/div[4]/input[3]")
TRUST = ("#trustedDevice", *words.labels("trust this", "fieldset"))
DECLINE = "xpath=//div[contains(@class,'uws-invite__button-decline')]"
HOME = "xpath=/html/body/div[1]/div"
PROFILE = (f"{HOME}/div[2]/p/a >> says=My Profile", "says=My Profile")
NAMED = (guess("[data-testid=signed-in-user]"), guess(".user-name"), guess(f"{HOME}/div[2]/p[a and text()]"))
LEAVE = (f"{HOME}/div[1]/ul/li[4]/a", *words.controls(words.LOG_OUT))
REFUSED = words.alerts(words.REFUSED, ":is(app-login-general, app-login-password)")
USER_LOCKED = words.alerts(words.LOCKED, "app-login-general")
WRONG_CODE = words.alerts(words.REFUSED, "form:has(#enterOtp)")
LOCKED, LATER = words.alerts(words.LOCKED), words.controls(words.LATER)
CAPTCHA = (guess("iframe[src*=captcha]"),)
DAY = 24 * 3600  # seconds; a session's cookies end sooner, that of a trusted browser later


class AttLogin(BrowserLogin):
    """All report types; the code comes by mail, and not at all once the browser is trusted."""

    portal = name = "att"
    url = "https://www.wireless.att.com/premiercare/"
    may_be_signed_in = True  # a session that says so is believed only once its page has shown whose it is
    channel = CodeChannel(
        "att",
        senders=(
            "premier@premier.wireless.att-mail.com",
            "noreply@e.online.att-mail.com",
            "noreply@cbus.att-mail.com",
        ),
        pattern=r"\b(\d{6,8})\b",
    )
    shows_user = NAMED
    interruptions = (Interruption(DECLINE, DECLINE),)
    screens = (
        Screen("signed in", PROFILE, Done()),
        Screen("locked", LOCKED, Stop(AccountLocked, LOCKED)),
        Screen("wrong code", WRONG_CODE, Stop(MfaFailed, WRONG_CODE)),
        Screen("bad credentials", REFUSED, Stop(BadCredentials, REFUSED)),
        Screen("user locked", USER_LOCKED, Stop(AccountLocked, USER_LOCKED, late=True, before_password=True)),
        Screen("user name refused", REFUSED, Stop(BadCredentials, REFUSED, late=True, before_password=True)),
        Screen("feedback", (DECLINE,), Dismiss((DECLINE,))),
        Screen("new terms", LATER, Dismiss(LATER)),
        # A former attempt may have left the user before any of these: the sign-in's address leads there at once.
        Screen(
            "choose mail",
            (f"{DELIVERY}:has({BY_MAIL[0]})", *BY_MAIL),
            ChooseFactor(BY_MAIL, SEND, "mail", tick=PREFERRED),
        ),
        Screen("choose text message", BY_TEXT, ChooseFactor(BY_TEXT, SEND, "sms", tick=PREFERRED)),
        Screen("code", CODE, EnterCode(CODE, CONTINUE, tick=TRUST)),
        Screen("password", PASSWORD, EnterCredentials((), PASSWORD, LOG_IN)),
        Screen("user name", USERNAME, EnterCredentials(USERNAME, (), GO_ON)),
        Screen("captcha", CAPTCHA, Stop(CaptchaShown, late=True)),
    )
    sign_out_clicks = (LEAVE,)

    def device(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return the cookies that a browser keeps for more than a day: no fact names the one of a trusted browser."""
        cookies = [cookie for cookie in state.get("cookies", []) if cookie.get("expires", -1) > time.time() + DAY]
        return {"cookies": cookies} if cookies else {}

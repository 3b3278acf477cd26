"""
The sign-in of Corporate Self Serve. Ids are those of 2023, absolute XPaths those of 2025 and 2026.

What no fact is known of is marked as a guess: which words stand on labels and buttons, how a locked user is told, and how
overlays are closed.
"""

from database.access.codes import CodeChannel
from scrapers.core.outcomes import AccountLocked, BadCredentials, CaptchaShown, MfaFailed
from scrapers.core.page import Interruption, guess
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.screens import ChooseFactor, Dismiss, Done, EnterCode, EnterCredentials, Screen, Stop
from scrapers.logins.words import (
    LATER,
    LOCKED,
    LOG_OUT,
    MAIL,
    REFUSED,
    SEND_CODE,
    TEXT_MESSAGE,
    alerts,
    controls,
    labels,
)

HEADER = "xpath=/html[1]/body[1]/div[1]/header[1]/div[2]/div[1]/div[1]/div[1]/div[1]/div[1]"
FORM = "xpath=/html[1]/body[1]/main[1]/div[4]/div[1]/div[1]/div[2]/div[2]/div[2]/form[1]"
VERIFY = "xpath=/html/body/main/div/div[1]/div/div[2]/uxp-flow/div/identity-verification/div"
METHOD = f"{VERIFY}/div[1]/form/div[1]/section/div[2]/div"

PASSWORD = ("#passwordField", f"{FORM}/div[2]/div[2]/input[1]", guess("input[type=password]"))
USERNAME = (
    "#usernameField",
    f"{FORM}/div[1]/div[2]/input[1]",
    guess("#divEmailAddress input"),
    guess("form:has(input[type=password]) input:is([type=text], [type=email], :not([type]))"),
)
LOG_IN = ("#submitBtn", f"{FORM}/button[1]", guess("form:has(input[type=password]) :is(button, [type=submit])"))
USER = (
    f"{HEADER}/div[1]/div[2]/div[1]/logout[1]/div[1]/button[1]",
    f"{HEADER}/div[2]/div[1]/logout[1]/div[1]/button[1]",
    "xpath=//logout//button",
)
LEAVE = (
    f"{HEADER}/div[1]/div[2]/div[1]/logout[1]/div[1]/div[1]/div[2]/div[1]/button[1]",
    f"{HEADER}/div[2]/div[1]/logout[1]/div[1]/div[1]/div[2]/div[1]/button[1]",
    "xpath=//logout/div[1]/div[1]/div[2]/div[1]/button[1]",
    *controls(LOG_OUT, "logout"),
)
# The first option is most likely the mail since codes come by mail (end of 2025); the second was the text message before.
BY_TEXT = ("#smsSelect", *labels(TEXT_MESSAGE, "identity-verification"), f"{METHOD}/label[2]")
BY_MAIL = (*labels(MAIL, "identity-verification"), f"{METHOD}/label[1]/input[1]", f"{METHOD}/label[1]")
SEND = (
    "[name=btn_save]",
    f"{VERIFY}/div[1]/form/div[2]/div[2]/div[2]/div[2]/button",
    *controls(SEND_CODE, "identity-verification"),
)
CODE = ("#verificationCode", f"{VERIFY}/div[1]/form/div[2]/div[2]/div[3]/div[2]/div[1]/input")
CONTINUE = ("#continueButton", f"{VERIFY}/div[2]/div/button[1]")
WRONG = ("xpath=//*[@id='divEmailAddress']//p[contains(@class,'error-desc')]",)
GUESSED_WRONG = alerts(REFUSED, "form:has(input[type=password])")
GUESSED_LOCKED = alerts(LOCKED)
WRONG_CODE = (guess("identity-verification .error-desc"), *alerts(REFUSED, "identity-verification"))
LATER_BUTTON = controls(LATER)


class BellSelfServe(BrowserLogin):
    """Daily usage, PDF invoices and e-reports; the code comes by mail or text message."""

    portal = "bell"
    name = "bell_self_serve"
    url = "https://business.bell.ca/corporateselfserve/Login"
    channel = CodeChannel("bell_self_serve", pattern=r"\b(\d{6,8})\b")  # what text messages come from is not known
    shows_user = USER
    screens = (
        Screen("signed in", USER, Done()),
        Screen("locked", GUESSED_LOCKED, Stop(AccountLocked, GUESSED_LOCKED)),
        Screen("wrong code", WRONG_CODE, Stop(MfaFailed, WRONG_CODE)),
        Screen("bad credentials", WRONG, Stop(BadCredentials, WRONG)),
        Screen("bad credentials, by its words", GUESSED_WRONG, Stop(BadCredentials, GUESSED_WRONG, late=True)),
        Screen("new terms", LATER_BUTTON, Dismiss(LATER_BUTTON)),
        # The code's field may stand beside the choice from the beginning.
        Screen("choose text message", BY_TEXT, ChooseFactor(BY_TEXT, SEND, "sms")),
        Screen("choose mail", BY_MAIL, ChooseFactor(BY_MAIL, SEND, "mail")),
        Screen("code", CODE, EnterCode(CODE, CONTINUE)),
        Screen("credentials", PASSWORD, EnterCredentials(USERNAME, PASSWORD, LOG_IN)),
        Screen("captcha", ("iframe[src*='recaptcha']",), Stop(CaptchaShown, late=True)),
    )
    sign_out_clicks = (USER, LEAVE)
    interruptions = (
        Interruption(
            guess("[role=dialog] button:text-is('Accept all cookies')"), guess("button:text-is('Accept all cookies')")
        ),
        Interruption(
            guess("[role=dialog] button:text-is('No thanks')"), guess("[role=dialog] button:text-is('No thanks')")
        ),
    )

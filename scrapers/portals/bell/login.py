"""
The sign-in of Corporate Self Serve. Ids are those of 2023, absolute XPaths those of 2025 and 2026.

What no fact is known of is marked as a guess: words on labels and buttons, how a locked user is told, how overlays close.
"""

from database.access.codes import CodeChannel
from scrapers.core.outcomes import AccountLocked, BadCredentials, CaptchaShown, MfaFailed
from scrapers.core.page import Interruption, guess
from scrapers.logins import words
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.screens import ChooseFactor, Dismiss, Done, EnterCode, EnterCredentials, Screen, Stop

HEADER = "xpath=/html[1]/body[1]/div[1]/header[1]/div[2]/div[1]/div[1]/div[1]/div[1]/div[1]"
FORM = "xpath=/html[1]/body[1]/main[1]/div[4]/div[1]/div[1]/div[2]/div[2]/div[2]/form[1]"
VERIFY = "xpath=/html/body/main/div/div[1]/div/div[2]/uxp-flow/div/identity-verification/div"
METHOD, ASKED = f"{VERIFY}/div[1]/form/div[1]/section/div[2]/div", f"{VERIFY}/div[1]/form/div[2]/div[2]"

PASSWORD = ("#passwordField", f"{FORM}/div[2]/div[2]/input[1]", guess("input[type=password]"))
USERNAME = ("#usernameField", f"{FORM}/div[1]/div[2]/input[1]", guess("form:has([type=password]) input"))
LOG_IN = ("#submitBtn", f"{FORM}/button[1]", guess("form:has([type=password]) :is(button, [type=submit])"))
USER = ("xpath=//logout//button",)
LEAVE = ("xpath=//logout/div[1]/div[1]/div[2]/div[1]/button[1]", *words.controls(words.LOG_OUT, "logout"))
# The first option is most likely the mail since codes come by mail (end of 2025); the second was the text message before.
BY_TEXT = ("#smsSelect", *words.labels(words.TEXT_MESSAGE, "identity-verification"), f"{METHOD}/label[2]")
BY_MAIL = (*words.labels(words.MAIL, "identity-verification"), f"{METHOD}/label[1]")
SEND = (
    "[name=btn_save]",
    f"{ASKED}/div[2]/div[2]/button",
    *words.controls(words.SEND_CODE, "identity-verification"),
)
CODE = ("#verificationCode", f"{ASKED}/div[3]/div[2]/div[1]/input")
CONTINUE = ("#continueButton", f"{VERIFY}/div[2]/div/button[1]")
WRONG = ("xpath=//*[@id='divEmailAddress']//p[contains(@class,'error-desc')]",)
GUESSED_WRONG = words.alerts(words.REFUSED, "form:has([type=password])")
GUESSED_LOCKED = words.alerts(words.LOCKED)
WRONG_CODE = (guess("identity-verification .error-desc"), *words.alerts(words.REFUSED, "identity-verification"))
LATER = words.controls(words.LATER)
OVERLAYS = tuple(
    Interruption(guess(f"[role=dialog] button:text-is('{says}')"), guess(f"[role=dialog] button:text-is('{says}')"))
    for says in ("Accept all cookies", "No thanks")
)


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
        Screen("new terms", LATER, Dismiss(LATER)),
        # The code's field may stand beside the choice from the beginning.
        Screen("choose text message", BY_TEXT, ChooseFactor(BY_TEXT, SEND, "sms")),
        Screen("choose mail", BY_MAIL, ChooseFactor(BY_MAIL, SEND, "mail")),
        Screen("code", CODE, EnterCode(CODE, CONTINUE, unlock=True)),
        Screen("credentials", PASSWORD, EnterCredentials(USERNAME, PASSWORD, LOG_IN)),
        Screen("captcha", ("iframe[src*='recaptcha']",), Stop(CaptchaShown, late=True)),
    )
    sign_out_clicks = (USER, LEAVE)
    interruptions = OVERLAYS

"""The sign-in of Corporate Self Serve. Absolute XPaths are those of 2025; they are tried last."""

from database.access.codes import CodeChannel
from scrapers.core.outcomes import AccountLocked, BadCredentials, CaptchaShown, MfaFailed
from scrapers.core.page import Interruption
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.screens import ChooseFactor, Dismiss, Done, EnterCode, EnterCredentials, Screen, Stop

HEADER = "xpath=/html[1]/body[1]/div[1]/header[1]/div[2]/div[1]/div[1]/div[1]/div[1]/div[1]"
FORM = "xpath=/html[1]/body[1]/main[1]/div[4]/div[1]/div[1]/div[2]/div[2]/div[2]/form[1]"
VERIFY = "xpath=/html/body/main/div/div[1]/div/div[2]/uxp-flow/div/identity-verification/div"

USERNAME = (
    "#usernameField",
    "label=Email address or username",
    "#divEmailAddress input",
    f"{FORM}/div[1]/div[2]/input[1]",
)
PASSWORD = ("#passwordField", "label=Password", "input[type=password]", f"{FORM}/div[2]/div[2]/input[1]")
LOG_IN = ("#submitBtn", "button:text-is('Log in')", f"{FORM}/button[1]")
USER = (
    "logout button[aria-haspopup]",
    "xpath=//logout//button[1]",
    f"{HEADER}/div[1]/div[2]/div[1]/logout[1]/div[1]/button[1]",
)
TEXT_MESSAGE = (
    "#smsSelect",
    "identity-verification input[value=sms]",
    f"{VERIFY}/div[1]/form/div[1]/section/div[2]/div/label[2]/input",
)
SEND = (
    "[name=btn_save]",
    "identity-verification button:text-is('Send code')",
    f"{VERIFY}/div[1]/form/div[2]/div[2]/div[2]/div[2]/button",
)
CODE = (
    "#verificationCode",
    "label=Verification code",
    f"{VERIFY}/div[1]/form/div[2]/div[2]/div[3]/div[2]/div[1]/input",
)
CONTINUE = ("#continueButton", "identity-verification button:text-is('Continue')", f"{VERIFY}/div[2]/div/button[1]")
WRONG = ("#divEmailAddress p.error-desc", "form p.error-desc")
LOCKED = ("main :text-matches('account is locked|compte est verrouillé', 'i')",)
WRONG_CODE = ("identity-verification p.error-desc",)
LATER = ("button:text-is('Remind me later')",)


class BellSelfServe(BrowserLogin):
    """Daily usage, PDF invoices and e-reports; codes come as text messages."""

    portal = "bell"
    name = "bell_self_serve"
    url = "https://business.bell.ca/corporateselfserve/Login"
    home = "/corporateselfserve/Home"
    channel = CodeChannel("bell_self_serve", senders=("BELL", "Bell"), pattern=r"\b(\d{6,8})\b", by="sms")
    shows_user = USER
    screens = (
        Screen("signed in", USER, Done()),
        Screen("wrong code", WRONG_CODE, Stop(MfaFailed, WRONG_CODE)),
        Screen("bad credentials", WRONG, Stop(BadCredentials, WRONG)),
        Screen("locked", LOCKED, Stop(AccountLocked, LOCKED)),
        Screen("new terms", LATER, Dismiss(LATER)),
        Screen("code", CODE, EnterCode(CODE, CONTINUE)),
        Screen("choose method", TEXT_MESSAGE, ChooseFactor(TEXT_MESSAGE, SEND)),
        Screen("credentials", USERNAME, EnterCredentials(USERNAME, PASSWORD, LOG_IN)),
        # After the form: the page always has an invisible widget, and a visible one matters after the submission.
        Screen("captcha", ("iframe[src*='recaptcha']",), Stop(CaptchaShown)),
    )
    sign_out_clicks = (USER, ("logout button:text-is('Log out')", "[data-testid=log-out]"))
    interruptions = (
        Interruption("[role=dialog] button:text-is('Accept all cookies')", "button:text-is('Accept all cookies')"),
        Interruption("[role=dialog] button:text-is('No thanks')", "[role=dialog] button:text-is('No thanks')"),
    )

"""The sign-in of the Enterprise Centre, which redirects to the business portal and back."""

from database.access.codes import CodeChannel
from scrapers.core.outcomes import AccountLocked, BadCredentials, CaptchaShown, MfaFailed
from scrapers.core.page import guess
from scrapers.logins import words
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.screens import Dismiss, Done, EnterCode, EnterCredentials, Screen, Stop
from scrapers.portals.bell.login import LATER

# Eight letters and digits: of several, what the mail says beside each decides; a word in capitals counts only after it.
CODE_IN_MAIL = r"(?<![\w/=.@#%&+-])[A-Za-z0-9]{8}(?![\w/=@%-])"

SIDEBAR = ("#ec-sidebar",)
NAMED = (guess(".ec-header__user"), guess("[data-testid=signed-in-user]"))  # no fact says that a user is named anywhere
USERNAME = ("#Username",)
PASSWORD = ("#Password",)
LOG_IN = ("#loginBtn",)
# The page has a hidden sign-in form with a password field of the same model; hidden elements are ignored.
CODE = ("input[ng-model='password']:not(#Password)",)
CONTINUE = ("#continueButton",)
CODE_FORM = "form:not(:has(input[type=password]:visible)):has([ng-model=password])"
# Also beside the form, and in what is not marked as an alert: a refusal that is not seen would be tried again.
OF_PASSWORD = "user ?name|user id|password|combination|credentials|identifiant|nom d.utilisateur|mot de passe"
ABOUT_IT = f"^(?!.*(went wrong|later|plus tard))(?=.*({OF_PASSWORD}))(?=.*({words.REFUSED}))"
REFUSED = (
    *words.alerts(words.REFUSED, "form:has(#Password)"),
    guess(f"body:has(#Password:visible) :not(:has(input)):text-matches('{ABOUT_IT}', 'i')"),
)
WRONG_CODE = words.alerts(words.REFUSED, CODE_FORM)
LOCKED = words.alerts(words.LOCKED)
CAPTCHA = (guess("iframe[src*='recaptcha']"),)
LEAVE = (
    "#ec-sidebar > div > div > div.ec-sidebar__container > ul:nth-child(2) > li:nth-child(4) > a",
    *words.controls(words.LOG_OUT, "#ec-sidebar"),
)


class BellEnterpriseCentre(BrowserLogin):
    """Monthly reports; the code comes by mail without being asked for."""

    portal = "bell"
    name = "bell_enterprise_centre"
    url = "https://enterprisecentre.bell.ca"
    channel = CodeChannel(
        "bell_enterprise_centre",
        senders=("businessportal_portailaffaires@bell.ca",),
        pattern=CODE_IN_MAIL,
        by="mail",
    )
    shows_user = NAMED
    screens = (
        Screen("signed in", SIDEBAR, Done()),
        Screen("locked", LOCKED, Stop(AccountLocked, LOCKED)),
        Screen("wrong code", WRONG_CODE, Stop(MfaFailed, WRONG_CODE)),
        Screen("bad credentials", REFUSED, Stop(BadCredentials, REFUSED, late=True)),
        Screen("new terms", LATER, Dismiss(LATER)),
        Screen("code", CODE, EnterCode(CODE, CONTINUE, "mail"), at=r"IG\.OTP"),
        Screen("credentials", USERNAME, EnterCredentials(USERNAME, PASSWORD, LOG_IN)),
        Screen("captcha", CAPTCHA, Stop(CaptchaShown, late=True)),
    )
    sign_out_clicks = (LEAVE,)

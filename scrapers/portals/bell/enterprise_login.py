"""The sign-in of the Enterprise Centre, which redirects to the business portal and back."""

from database.access.codes import CodeChannel
from scrapers.core.outcomes import AccountLocked, BadCredentials, CaptchaShown, MfaFailed
from scrapers.core.page import Interruption
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.screens import Dismiss, Done, EnterCode, EnterCredentials, Screen, Stop

# Eight letters and digits: of several, what the mail says beside each decides; a word in capitals counts only after it.
CODE_IN_MAIL = r"(?<![\w/=.@#%&+-])[A-Za-z0-9]{8}(?![\w/=@%-])"

SIDEBAR = ("#ec-sidebar", "nav[aria-label=Main]")
USER = (".ec-header__user", "[data-testid=signed-in-user]")
USERNAME = ("#Username", "label=Username")
PASSWORD = ("#Password", "label=Password")
LOG_IN = ("#loginBtn", "button:text-is('Log in')")
# The page has a hidden sign-in form with the same password field; hidden elements are ignored.
CODE = ("input[ng-model=password]", "label=Verification code")
CONTINUE = ("#continueButton", "button:text-is('Continue')")
REFUSED = ("form .error-message", "form [role=alert]")
LOCKED = ("form :text-matches('account is locked|compte est verrouillé', 'i')",)
CODE_FORM = "form:not(:has([type=password])):has([ng-model=password])"
WRONG_CODE = (f"{CODE_FORM} .error-message", f"{CODE_FORM} [role=alert]")
LATER = ("button:text-is('Remind me later')",)


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
    shows_user = USER
    screens = (
        Screen("signed in", SIDEBAR, Done()),
        Screen("wrong code", WRONG_CODE, Stop(MfaFailed, WRONG_CODE)),
        Screen("locked", LOCKED, Stop(AccountLocked, LOCKED)),
        Screen("bad credentials", REFUSED, Stop(BadCredentials, REFUSED)),
        Screen("new terms", LATER, Dismiss(LATER)),
        Screen("credentials", USERNAME, EnterCredentials(USERNAME, PASSWORD, LOG_IN)),
        Screen("code", CODE, EnterCode(CODE, CONTINUE, "mail")),
        # After the form: the page always has an invisible widget, and a visible one matters after the submission.
        Screen("captcha", ("iframe[src*='recaptcha']",), Stop(CaptchaShown)),
    )
    sign_out_clicks = (
        (
            "#ec-sidebar > div > div > div.ec-sidebar__container > ul:nth-child(2) > li:nth-child(4) > a",
            "#ec-sidebar a:text-is('Log out')",
            "nav[aria-label=Main] a:text-is('Log out')",
        ),
    )
    interruptions = (
        Interruption("[role=dialog] button:text-is('Accept all cookies')", "button:text-is('Accept all cookies')"),
        Interruption("[role=dialog] button:text-is('No thanks')", "[role=dialog] button:text-is('No thanks')"),
    )

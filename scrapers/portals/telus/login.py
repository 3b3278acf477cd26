"""
The sign-ins of My Telus and of TELUS IQ, which show the same form.

A bot wall of Cloudflare may come after any navigation. No second factor is known: one that is asked for ends the sign-in.
"""

from scrapers.core.outcomes import AccountLocked, BadCredentials, MfaRequired
from scrapers.core.page import Interruption, guess
from scrapers.core.walls import Wall
from scrapers.logins import announcements, words
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.screens import Dismiss, Done, EnterCredentials, Screen, Stop

WALL = Wall(
    marks=("Just a moment", "Checking if the site connection is secure", "cf-challenge", "cf_chl_opt"),
    frames=("challenges.cloudflare.com", "turnstile"),
    failed=("#fail", "#timeout", "#expired", "#challenge-error"),
)
USERNAME = ("[data-testid=login-form-email-input]", "#idtoken1", "input[aria-label='Email or username']")
PASSWORD = ("[data-testid=login-form-password-input]", "#idtoken2", "input[aria-label='Password']")
LOG_IN = ("[data-testid=login-form-submit-button]", "#login-btn", "xpath=//*[@id='login-form']//*[@role='button']")
FORM = "#idtoken1, #idtoken2, [data-testid=login-form-email-input], [data-testid=login-form-password-input]"
REFUSED = words.alerts(words.REFUSED)
LOCKED = words.alerts(words.LOCKED)
LATER = words.controls(words.LATER)
SECOND_FACTOR = (
    *announcements.saying(announcements.ANY_CODE, FORM, ("input",)),
    *announcements.saying(announcements.APPROVAL, FORM),
    guess(f"body:not(:has({FORM})) input[autocomplete=one-time-code]"),
)
USER = ("xpath=//*[@id='ge-top-nav']/ul[2]/li[3]/button",)
LEAVE = (
    "xpath=//*[@id='ge-top-nav']/ul[2]/li[3]/nav/div/ul/li[5]/a",
    *words.controls(words.LOG_OUT, "#ge-top-nav"),
)
# The top navigation stands on public pages, too; these stand on an account's.
OVERVIEW = ("[data-testid=generic-card-dropdown-button]", "[data-testid=generic-card-primary-cta]", "#navOpen")
IQ_USER = ("xpath=//*[@id='site-header__root']//a[contains(@class,'site-header__header__user')]",)
IQ_LEAVE = ("a[href='/iq/manage/logout']",)
ACCOUNTS = ("select#select-a-ban",)
# In TELUS IQ the dialog's id occurs twice, and its notices are told by their headings.
NOTICES = ("Select customer", "Upcoming changes to order processing")
CANCEL = "#cancel__clear__filter__button:visible"

SIGN_IN = (
    Screen("locked", LOCKED, Stop(AccountLocked, LOCKED)),
    Screen("bad credentials", REFUSED, Stop(BadCredentials, REFUSED, late=True)),
    Screen("new terms", LATER, Dismiss(LATER)),
    Screen("credentials", (*USERNAME, *PASSWORD), EnterCredentials(USERNAME, PASSWORD, LOG_IN)),
    Screen("second factor", SECOND_FACTOR, Stop(MfaRequired, late=True)),
)


class MyTelus(BrowserLogin):
    """Bills, Bill Analyzer and usage; it may greet a browser as another user, whose session was left over."""

    portal = "telus"
    name = "telus"
    url = "https://www.telus.com/my-telus"
    opens_first = "/en"
    wall = WALL
    may_be_signed_in = True
    shows_user = USER
    interruptions = (
        Interruption("#skip-button:visible", "#skip-button:visible"),
        Interruption("#tandc-content:visible", "xpath=//*[@id='tandc-content']/div[3]/button"),
    )
    screens = (Screen("signed in", OVERVIEW, Done()), *SIGN_IN)
    sign_out_clicks = (USER, LEAVE)


class TelusIq(BrowserLogin):
    """Daily usage; a visit of My Telus comes to it by a link, and it has a session of its own that is ended each time."""

    portal = "telus"
    name = "telus_iq"
    url = "https://mobilitymanager.telus.com"
    keep = False
    wall = WALL
    may_be_signed_in = True
    shows_user = IQ_USER
    interruptions = tuple(Interruption(f"#confirmation__dialog:visible:has-text('{each}')", CANCEL) for each in NOTICES)
    screens = (Screen("signed in", (*ACCOUNTS, *IQ_USER), Done()), *SIGN_IN)
    sign_out_at = "/iq/manage/logout"
    sign_out_clicks = (IQ_USER, IQ_LEAVE)

"""The sign-in of My Business: user name and password on one page, then a link in a mail, by whose page the sign-in is allowed."""

from database.access.codes import CodeChannel
from scrapers.core.outcomes import AccountLocked, BadCredentials, CaptchaShown, MfaFailed, MfaRequired
from scrapers.core.overlays import Interruption
from scrapers.core.page import guess
from scrapers.logins import words
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.screens import ChooseFactor, Dismiss, Done, EnterCredentials, LinkPage, OpenLink, Screen, Stop

USERNAME, PASSWORD, LOG_IN = ("#ilogin_userid",), ("#ilogin_password",), ("#ilogin_login_button",)
CAPTCHA = ("#captchaImg",)
WAYS, METHOD, CONTACT = ".pwdless_options_section", ".delivery_option_with_msg a", ".pwdless_delivery_link"
IS_EMAIL = ":text-matches('^[^A-Za-z]*e-?mail', 'i')"
EMAIL = f"{METHOD}:is({IS_EMAIL}, :has({IS_EMAIL}))"
BY_MAIL = (f"#app li {WAYS}:has({EMAIL})",)
NO_MAIL = (f"#app:not(:has({EMAIL})) li {WAYS}",)
LINK = r"(?i)Allow or deny\s*<(https?://[^>\s]+)>"
ALLOWS = ":text-matches('^(?!.*(deny|disallow|[^a-z]not[^a-z]|n.t[^a-z])).*allow', 'i')"  # the page offers both
ALLOW = tuple(
    f"#dvbtn {label}:is({ALLOWS}, :has({ALLOWS}))" for label in ("> form > div:nth-of-type(1) > label", "label")
)
SUBMIT = ("#dvbtn > button", "#dvbtn button")
BY_LINK = OpenLink("mail", LinkPage(ALLOW, SUBMIT))
HUB = ("says=Visit the My Business home page",)
MAILED = "#app :text-matches('^(?!.*code).*(check your e-?mail|(sent|mailed) .*(link|e-?mail)|link .*sent)', 'i')"
SENT = (guess(f"body:not(:has({WAYS}:visible)) {MAILED}"),)  # the portal may send a mail unasked
SIGNING_IN = f"#ilogin_userid:visible, {WAYS}:visible"
WELCOME = (f"body:not(:has({SIGNING_IN})) :is(h1, h2):has-text('Welcome')",)
NAMED = (guess(f"body:not(:has({SIGNING_IN})) :is(h1, h2):text-matches('^[^A-Za-z]*welcome( back)?, ?[A-Za-z]', 'i')"),)
NO_THANKS = "xpath=//*[@id='on-landing']//button[@aria-label='No thanks']"
HEADER = "xpath=//*[@id='gNavHeader']/div/div/div[1]/div[2]/header/div/div"
PROFILE = (f"{HEADER}/div[3]/nav/ul/li/div[1]",)
LEAVE = ("#gn-logout-li-item a", *words.controls(words.LOG_OUT, "#gNavHeader"))
REFUSED, LOCKED, LATER = words.alerts(words.REFUSED), words.alerts(words.LOCKED), words.controls(words.LATER)
DENIED = words.alerts("denied|expired|timed out|refused|declined")


class VerizonLogin(BrowserLogin):
    """All report types. A captcha of letters in an image is never answered: its owner signs in by hand."""

    portal = "verizon"
    name = "verizon"
    url = "https://mblogin.verizonwireless.com/account/business/ilogin"
    link_hosts = ("mb.verizonwireless.com",)
    channel = CodeChannel(
        "verizon", senders=("VZWMail@ecrmemail.verizonwireless.com",), pattern=LINK, kind="link", by="mail"
    )
    shows_user = NAMED
    interruptions = (Interruption(NO_THANKS, NO_THANKS),)
    screens = (
        Screen("welcome hub", HUB, Dismiss(HUB, signed_in=True)),
        Screen("signed in", WELCOME, Done(weak=True), at=r"^https?://[^/?#]+/mbt/secure\b"),
        Screen("captcha in the form", CAPTCHA, Stop(CaptchaShown, before_password=True)),
        Screen("captcha", CAPTCHA, Stop(CaptchaShown, late=True)),  # it may vanish, and the sign-in goes on
        Screen("locked", LOCKED, Stop(AccountLocked, LOCKED)),
        Screen("denied", DENIED, Stop(MfaFailed, DENIED)),
        Screen("bad credentials", REFUSED, Stop(BadCredentials, REFUSED, late=True)),
        Screen("new terms", LATER, Dismiss(LATER)),
        Screen(
            "choose mail",
            BY_MAIL,
            ChooseFactor((), BY_MAIL, "mail", contact=CONTACT, link=BY_LINK),
        ),
        Screen("a mail was sent", SENT, BY_LINK),
        Screen("no mail offered", NO_MAIL, Stop(MfaRequired, late=True)),
        Screen("credentials", USERNAME, EnterCredentials(USERNAME, PASSWORD, LOG_IN)),
    )
    sign_out_clicks = (PROFILE, LEAVE)

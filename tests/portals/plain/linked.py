"""The plain portal as one that sends a link: allow or deny, over HTTP and in the browser."""

from database.access.codes import CodeChannel
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.form import FormLogin
from scrapers.logins.screens import Done, EnterCredentials, OpenLink, Screen
from tests.portals.plain.documents import PlainDocuments, PlainFiles
from tests.portals.plain.login import PlainLogin

LINK = r"Allow or deny\s*<(https?://[^>\s]+)>"
SENDERS = ("+15550100001", "codes@portal.example")
SCREENS = (
    Screen("credentials", ("form#login",), EnterCredentials(("#username",), ("#password",), ("form#login button",))),
    Screen("waiting", ("#waiting",), OpenLink()),
    Screen("signed in", ("#user-name",), Done()),
)


class PlainLinkedLogin(FormLogin):
    portal = "plain"
    name = "plain_linked"
    url = PlainLogin.url
    shared = True
    channel = CodeChannel("plain_linked", SENDERS, LINK, kind="link")
    shows_username = PlainLogin.shows_username
    shows_accounts = PlainLogin.shows_accounts
    screens = SCREENS

    @classmethod
    def address(cls) -> str:
        return PlainLogin.address()


class PlainLinked(PlainDocuments):
    name = "plain_linked"
    report_type = "linked"
    logins = (PlainLinkedLogin,)


class PlainLinkedBrowserLogin(BrowserLogin):
    portal = "plain"
    name = "plain_linked_browser"
    url = PlainLogin.url
    shared = True
    channel = CodeChannel("plain_linked_browser", SENDERS, LINK, kind="link")
    shows_username = PlainLogin.shows_username
    shows_accounts = PlainLogin.shows_accounts
    screens = SCREENS

    @classmethod
    def address(cls) -> str:
        return PlainLogin.address()


class PlainLinkedInBrowser(PlainFiles):
    name = "plain_linked_browser"
    report_type = "linked_browser"
    logins = (PlainLinkedBrowserLogin,)

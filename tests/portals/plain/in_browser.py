"""The plain portal signed in to with a browser: then its files over plain HTTP, or the browser's sessions held."""

from scrapers.core.items import Listing
from scrapers.core.page import PortalPage
from scrapers.core.visit import Visit
from scrapers.logins.browser import BrowserLogin
from tests.portals.plain.documents import PlainFiles, PlainSpider
from tests.portals.plain.login import PlainLogin


class PlainBrowserLogin(BrowserLogin):
    portal = "plain"
    name = "plain_browser"
    url = PlainLogin.url
    home = PlainLogin.home
    shared = True
    shows_username = PlainLogin.shows_username
    shows_accounts = PlainLogin.shows_accounts
    screens = PlainLogin.screens

    @classmethod
    def address(cls) -> str:
        return PlainLogin.address()


class PlainBrowserFiles(PlainFiles):
    """The same files as plain_files."""

    name = "plain_browser_files"
    report_type = "browser_files"
    logins = (PlainBrowserLogin,)


class PlainHeld(PlainSpider):
    """A look at each user's home page in the browser, whose sessions stay open to the end of the crawl."""

    name = "plain_held"
    report_type = "held"
    logins = (PlainBrowserLogin,)
    rendering = "browser"

    async def visit(self, page: PortalPage) -> Visit:
        identity = await PlainBrowserLogin().page_identity(page)
        assert identity.username == page.job.target.username
        yield Listing(job=page.job.id, keys=())

"""The plain portal signed in to with a browser: then its files over plain HTTP, or the browser's sessions held."""

from collections.abc import AsyncIterator
from typing import Any

from scrapers.core.items import Listing
from scrapers.core.jobs import Job
from scrapers.core.page import PortalPage
from scrapers.logins.base import Identity
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

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        yield self.flow(job, self.look, self.seen)

    async def look(self, page: PortalPage) -> Identity:
        return await PlainBrowserLogin().page_identity(page)

    def seen(self, job: Job, identity: Identity) -> Any:
        assert identity.username == job.target.username
        yield Listing(job=job.id, keys=())

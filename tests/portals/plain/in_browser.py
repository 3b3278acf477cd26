"""The plain portal signed in to with a browser: then its files over plain HTTP, or the browser's sessions held."""

from collections.abc import AsyncIterator
from typing import Any

from pydantic import Field

from scrapers.core.items import FileItem, Listing
from scrapers.core.jobs import Job
from scrapers.core.page import PortalPage
from scrapers.core.settings import crawl_settings
from scrapers.core.spool import CSV, PDF
from scrapers.core.visit import Visit
from scrapers.logins.browser import BrowserLogin
from tests.portals.plain.documents import PlainArguments, PlainFiles, PlainSpider
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


class PlainVisit(PlainFiles):
    """Every document's PDF by one visit in the browser: each document is a part of its own."""

    name = "plain_visit"
    report_type = "visit"
    logins = (PlainBrowserLogin,)
    rendering = "browser"

    class Arguments(PlainArguments):
        spoil: str = Field("", description="Number of the document that is declared to be of another type.")
        stumble: str = Field("", description="Number of the document at which the visit looks for what is not there.")

    def requests(self, job: Job) -> AsyncIterator[Any]:
        return PlainSpider.requests(self, job)

    async def visit(self, page: PortalPage) -> Visit:
        job = page.job
        await page.open(self.at("/documents?page=1&per=100"))
        await page.find(("table#documents",))
        numbers = await page.texts(("table#documents td.id",))
        yield Listing(job=job.id, keys=tuple(numbers))
        job.stored.update(await self.work.db.run(lambda session: self.known(session, job)))
        for number in job.missing():
            async with page.part(number):
                if number == self.arguments.stumble:
                    await page.find((f"#no-such-{number}",), within=0.1)
                part = await page.download((f"tr[data-id='{number}'] a.file",))
                declared = (CSV,) if number == self.arguments.spoil else (PDF,)
                yield FileItem(job=job.id, part=part, key=number, name=f"{number}.pdf", declared=declared)


class PlainCounted(PlainVisit):
    """The same; the pages that are open in the browser, of all sessions, are counted at each document."""

    name = "plain_counted"
    report_type = "counted"

    async def visit(self, page: PortalPage) -> Visit:
        visit = super().visit(page)
        browser = page.raw.context.browser
        assert browser is not None
        item = await anext(visit, None)
        while item is not None:
            open_pages = sum(len(context.pages) for context in browser.contexts)
            assert open_pages <= crawl_settings().browser_pages, f"{open_pages} pages are open at once"
            yield item
            item = await anext(visit, None)


class PlainBrowserAlone(PlainBrowserLogin):
    name = "plain_browser_alone"
    shared = False


class PlainVisitAlone(PlainVisit):
    """The same in a session that only one run may work in."""

    name = "plain_visit_alone"
    report_type = "visit_alone"
    logins = (PlainBrowserAlone,)

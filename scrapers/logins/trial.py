"""The spiders that try a sign-in (`scrapy test-login`) and sign out (`scrapy credentials sign-out`); they fetch nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, Field
from scrapy.http import Response
from sqlalchemy.orm import Session

from scrapers.core.items import Listing
from scrapers.core.jobs import ArgumentError, Job, Plan
from scrapers.core.page import PortalPage
from scrapers.core.requests import own_state
from scrapers.core.spider import PortalSpider, SpiderArguments
from scrapers.core.visit import Visit
from scrapers.logins.base import Login
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.credentials import find_credential

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class SignInTarget(BaseModel):
    """The target: the user name of the credential to test."""

    username: str


class SignInArguments(SpiderArguments):
    """Arguments of a sign-in."""

    aims: ClassVar[frozenset[str]] = SpiderArguments.aims | {"assisted"}
    assisted: int = Field(0, description="Set by a worker: number of the request of an operator who finishes it.")


class SignInSpider(PortalSpider):
    """Base of the spiders that `sign_in_spider` makes."""

    report_type: ClassVar[str] = "sign_in"
    keeps_files = False
    Arguments = SignInArguments

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Make the spider; an operator may finish its sign-in."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.work.assisted = spider.arguments.assisted
        return spider

    @classmethod
    def plans(cls, session: Session, arguments: Any) -> list[Plan]:
        """Return one job: the credential named, or the only one."""
        credential = find_credential(session, cls.portal, cls.logins[0].name, arguments.credential)
        if credential is None:
            raise ArgumentError(
                f"No credential of {cls.portal} is known: add one with `scrapy credentials add {cls.portal}`."
            )
        name = credential.username
        return [Plan(target=SignInTarget(username=name), key=name, label=name, credential=credential)]

    def requests(self, job: Job) -> AsyncIterator[Any]:
        """Request the page on which the sign-in ended, over HTTP or by a visit."""
        return super().requests(job) if issubclass(self.logins[0], BrowserLogin) else self._landing(job)

    async def _landing(self, job: Job) -> AsyncIterator[Any]:
        request = self.request(job, self.logins[0].address(), self.seen_page)
        own_state(request).landing = True
        yield request

    async def visit(self, page: PortalPage) -> Visit:
        """Yield an empty Listing: a visit begins on the page on which the sign-in ended."""
        yield Listing(job=page.job.id, keys=())

    def seen_page(self, response: Response) -> Listing:
        """Yield an empty Listing."""
        return Listing(job=self.job_of(response).id, keys=())


class SignOutSpider(SignInSpider):
    """Base of the spiders that `sign_out_spider` makes."""

    report_type: ClassVar[str] = "sign_out"

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        """Sign out of the stored session at the portal, if there is one."""
        request = self.request(job, self.logins[0].address(), self.seen_page)
        own_state(request).leaves = True
        yield request


def look_spider(login: type[Login]) -> type[SignInSpider]:
    """Return the spider class that looks whether a stored session lives, and never signs in."""
    facts = {"name": f"{login.name}_look", "portal": login.portal, "logins": (login,), "only_stored": True}
    return type("Look", (SignInSpider,), facts)


def sign_out_spider(login: type[Login]) -> type[SignOutSpider]:
    """Return the spider class that signs out of the session of one login."""
    facts = {"name": f"{login.name}_sign_out", "portal": login.portal, "report_type": "sign_out", "logins": (login,)}
    return type("SignOut", (SignOutSpider,), facts)


def sign_in_spider(login: type[Login]) -> type[SignInSpider]:
    """Return the spider class that tests one login."""
    facts = {"name": f"{login.name}_sign_in", "portal": login.portal, "report_type": "sign_in", "logins": (login,)}
    return type("SignIn", (SignInSpider,), facts)

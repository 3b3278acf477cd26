"""The spider of `scrapy test-login`: signs in, proves the session's identity, and fetches nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, ClassVar

from pydantic import BaseModel
from scrapy.http import Response
from sqlalchemy.orm import Session

from scrapers.core.items import Listing
from scrapers.core.jobs import ArgumentError, Job, Plan
from scrapers.core.page import PortalPage
from scrapers.core.spider import PortalSpider
from scrapers.core.visit import Visit
from scrapers.logins.base import Login
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.credentials import find_credential


class SignInTarget(BaseModel):
    """The target: the user name of the credential to test."""

    username: str


class SignInSpider(PortalSpider):
    """Base of the spiders that `sign_in_spider` makes."""

    report_type: ClassVar[str] = "sign_in"
    keeps_files = False

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
        """Request the landing page in the session, over HTTP or by a visit."""
        return super().requests(job) if issubclass(self.logins[0], BrowserLogin) else self._landing(job)

    async def _landing(self, job: Job) -> AsyncIterator[Any]:
        yield self.request(job, self.logins[0].home_address(), self.seen_page)

    async def visit(self, page: PortalPage) -> Visit:
        """Yield an empty Listing once the landing page is open."""
        login = self.logins[0]
        assert issubclass(login, BrowserLogin)
        await login().guard(page)
        yield Listing(job=page.job.id, keys=())

    def seen_page(self, response: Response) -> Listing:
        """Yield an empty Listing."""
        return Listing(job=self.job_of(response).id, keys=())


def sign_in_spider(login: type[Login]) -> type[SignInSpider]:
    """Return the spider class that tests one login."""
    facts = {"name": f"{login.name}_sign_in", "portal": login.portal, "report_type": "sign_in", "logins": (login,)}
    return type("SignIn", (SignInSpider,), facts)

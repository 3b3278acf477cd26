"""The spider behind `scrapy test-login`: signs in, proves whose session it is, and fetches nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, ClassVar

from pydantic import BaseModel
from scrapy.http import Response
from sqlalchemy.orm import Session

from scrapers.core.items import Listing
from scrapers.core.jobs import ArgumentError, Job, Plan
from scrapers.core.spider import PortalSpider
from scrapers.logins.base import Login
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.credentials import find_credential


class SignInTarget(BaseModel):
    """Whose sign-in is tried."""

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

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        """Look at the landing page in the session."""
        login = self.logins[0]
        if issubclass(login, BrowserLogin):
            yield self.flow(job, login().guard, self.seen)
        else:
            yield self.request(job, login.home_address(), self.seen_page)

    def seen(self, job: Job, identity: object) -> Listing:
        """Say that there is nothing to fetch."""
        return Listing(job=job.id, keys=())

    def seen_page(self, response: Response) -> Listing:
        """Say that there is nothing to fetch."""
        return Listing(job=self.job_of(response).id, keys=())


def sign_in_spider(login: type[Login]) -> type[SignInSpider]:
    """Return the spider that tries one login."""
    facts = {"name": f"{login.name}_sign_in", "portal": login.portal, "logins": (login,)}
    return type("SignIn", (SignInSpider,), facts)

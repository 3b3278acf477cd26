"""Documents of the plain portal: as records, or as files with their record inside."""

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import BaseModel, Field, field_validator
from scrapy.http import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from database.models import FileStatus, StoredFile
from scrapers.core.items import FileItem, Listing, Record
from scrapers.core.jobs import Job, Plan
from scrapers.core.outcomes import NoLongerAvailable, NotYetPublished, PortalChanged, WrongAccount
from scrapers.core.spider import PortalSpider, SpiderArguments
from scrapers.core.spool import CSV, PDF, XLSX, ZIP
from scrapers.logins.base import Login
from scrapers.logins.credentials import credential_for
from tests.portals.plain.login import PlainLogin
from tests.portals.plain.models import PlainDocument


class PlainArguments(SpiderArguments):
    per: int = Field(100, description="Documents a page of the list.")
    month: str = Field("", description="Only this month.")
    account: str = Field("", description="Only this account.")


class PlainTarget(BaseModel):
    username: str


class DocumentRecord(Record):
    table = PlainDocument
    natural_key = ("username", "number")
    username: str
    number: str
    day: date
    amount: Decimal
    currency: str

    def key(self) -> str:
        return self.number


class PlainSpider(PortalSpider):
    portal = "plain"
    logins: ClassVar[tuple[type[Login], ...]] = (PlainLogin,)
    Arguments: ClassVar = PlainArguments

    @classmethod
    def plans(cls, session: Session, arguments: Any) -> list[Plan]:
        plans = []
        for username in (arguments.credential or "").split(","):
            credential = credential_for(cls, session, username or None)
            name = credential.username if credential else username
            plans.append(Plan(target=PlainTarget(username=name), key=name, label=name, credential=credential))
        return plans

    def at(self, path: str) -> str:
        return PlainLogin.address().removesuffix("/login") + path


class PlainDocuments(PlainSpider):
    """Every document's own page, newest first, until a page of the list is all known."""

    name = "plain_documents"
    report_type = "documents"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known_of: dict[int, set[str]] = {}

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        again = self.arguments.again
        known = set() if again else await self.work.db.run(lambda session: self.known(session, job))
        self.known_of[job.id] = known
        query = f"per={self.arguments.per}"
        if self.arguments.account:
            query += f"&account={self.arguments.account}"
        if self.arguments.month:
            query += f"&month={self.arguments.month}"
        yield self.request(job, self.at(f"/documents?page=1&{query}"), self.listed)

    def known(self, session: Session, job: Job) -> set[str]:
        rows = session.scalars(select(PlainDocument.number).where(PlainDocument.username == job.target.username))
        return set(rows)

    def listed(self, response: Response) -> Any:
        job = self.job_of(response)
        if response.css(".alert--not-published"):
            raise NotYetPublished(self.arguments.month)
        if response.css(".alert--purged"):
            raise NoLongerAvailable(self.arguments.month)
        if self.arguments.account and response.css("#account::text").get() != self.arguments.account:
            raise WrongAccount("Another account is open.")
        if not response.css("table#documents"):
            raise PortalChanged("The list is not there.", step="read the list", selector="table#documents")
        numbers = response.css("table#documents tbody tr::attr(data-id)").getall()
        yield Listing(job=job.id, keys=tuple(numbers))
        known = self.known_of[job.id]
        new = [number for number in numbers if number not in known]
        job.stored.update(known & set(numbers))
        for number in new:
            yield self.wanted(job, number)
        if new and (following := response.css("a[rel=next]::attr(href)").get()):
            yield self.request(job, response.urljoin(following), self.listed)

    def wanted(self, job: Job, number: str) -> Any:
        return self.request(job, self.at(f"/documents/{number}"), self.detail)

    def detail(self, response: Response) -> Any:
        job = self.job_of(response)
        yield document(job, response)


class PlainFiles(PlainDocuments):
    """Every document's page and its PDF."""

    name = "plain_files"
    report_type = "files"

    def known(self, session: Session, job: Job) -> set[str]:
        of_job = select(StoredFile.key).where(StoredFile.spider == self.name, StoredFile.target_key == job.key)
        return set(session.scalars(of_job.where(StoredFile.status == FileStatus.READY)))

    def wanted(self, job: Job, number: str) -> Any:
        return self.request(
            job, self.at(f"/documents/{number}/file"), self.file, stream=(PDF,), meta={"number": number}
        )

    def file(self, response: Response) -> Any:
        job = self.job_of(response)
        number = response.meta["number"]
        part = self.part(response)
        yield FileItem(job=job.id, part=part, key=number, name=f"{number}.pdf", declared=(PDF,), source=response.url)


class PlainBig(PlainSpider):
    """One file of any path: a big PDF, a ZIP."""

    name = "plain_big"
    report_type = "big"

    class Arguments(PlainArguments):
        path: str = "/big?bytes=300000000"

        @field_validator("path")
        @classmethod
        def absolute(cls, value: str) -> str:
            if not value.startswith("/"):
                raise ValueError("a path begins with /")
            return value

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        yield Listing(job=job.id, keys=("file",))
        yield self.request(job, self.at(self.arguments.path), self.file, stream=(PDF, ZIP, XLSX, CSV))

    def file(self, response: Response) -> Any:
        job = self.job_of(response)
        part = self.part(response)
        declared = (ZIP,) if "zip" in self.arguments.path else (PDF,)
        yield FileItem(job=job.id, part=part, key="file", name=part.name, declared=declared, source=response.url)


def document(job: Job, response: Response) -> DocumentRecord:
    return DocumentRecord(
        job=job.id,
        username=job.target.username,
        number=response.css("#document .id::text").get(""),
        day=date.fromisoformat(response.css("#document .date::text").get("")),
        amount=Decimal(response.css("#document .amount::text").get("")),
        currency=response.css("#document .currency::text").get(""),
    )

"""Documents of the plain portal: as records, or as files with their record inside."""

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any, ClassVar
from urllib.parse import urlencode

from pydantic import Field, field_validator
from scrapy import Request
from scrapy.http import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from scrapers.core.items import FileItem, Listing, Record
from scrapers.core.jobs import Job, Plan
from scrapers.core.outcomes import NoLongerAvailable, NotYetPublished, PortalChanged, WrongAccount
from scrapers.core.spool import CSV, PDF, XLSX, ZIP
from scrapers.families.documents.spiders import Document, DocumentArguments, DocumentSpider, ListPage
from scrapers.logins.base import Login
from tests.portals.plain.login import PlainLogin
from tests.portals.plain.models import PlainDocument


class PlainArguments(DocumentArguments):
    per: int = Field(100, description="Documents a page of the list.")
    month: str = Field("", description="Only this month.")
    account: str = Field("", description="Only this account.")
    shuffle: str = Field("", description="Seed: documents and pages are asked for in any order.")


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


class PlainSpider(DocumentSpider):
    portal = "plain"
    logins: ClassVar[tuple[type[Login], ...]] = (PlainLogin,)
    Arguments: ClassVar = PlainArguments

    @classmethod
    def _plan(cls, session: Session, arguments: Any, username: str | None) -> Plan:
        plan = super()._plan(session, arguments, username)
        if month := getattr(arguments, "month", ""):
            plan.key, plan.period = f"{plan.key}/{month}", month
        return plan

    def at(self, path: str) -> str:
        return PlainLogin.address().removesuffix("/login") + path


class PlainDocuments(PlainSpider):
    """Every document's own page."""

    name = "plain_documents"
    report_type = "documents"

    def first_page(self, job: Job) -> str:
        given = {"per": self.arguments.per, "account": self.arguments.account, "month": self.arguments.month}
        return self.at(f"/documents?page=1&{urlencode({name: value for name, value in given.items() if value})}")

    def scope(self, job: Job) -> str | None:
        return None if self.arguments.month else self.arguments.account or "documents"

    def stored(self, session: Session, job: Job) -> set[str]:
        rows = session.scalars(select(PlainDocument.number).where(PlainDocument.username == job.target.username))
        return set(rows)

    def read(self, response: Response) -> ListPage:
        if response.css(".alert--not-published"):
            raise NotYetPublished(self.arguments.month)
        if response.css(".alert--purged"):
            raise NoLongerAvailable(self.arguments.month)
        if self.arguments.account and response.css("#account::text").get() != self.arguments.account:
            raise WrongAccount("Another account is open.")
        if not response.css("table#documents"):
            raise PortalChanged("The list is not there.", step="read the list", selector="table#documents")
        rows = response.css("table#documents tbody tr")
        documents = [
            Document(row.attrib["data-id"], date.fromisoformat(row.css("td.date::text").get(""))) for row in rows
        ]
        total = response.css("#total::text").get("")
        following = response.css("a[rel=next]::attr(href)").get("")
        return ListPage(documents, following, int(total) if total.isdecimal() else None)

    def request(self, *args: Any, **kwargs: Any) -> Request:
        if self.arguments.shuffle:
            self.order = getattr(self, "order", None) or Random(self.arguments.shuffle)
            kwargs["priority"] = self.order.randrange(100)
        return super().request(*args, **kwargs)

    def fetch(self, job: Job, document: Document) -> Any:
        return self.request(job, self.at(f"/documents/{document.key}"), self.detail)

    def detail(self, response: Response) -> Any:
        job = self.job_of(response)
        yield document(job, response)


class PlainFiles(PlainDocuments):
    """Every document's PDF."""

    name = "plain_files"
    report_type = "files"

    def stored(self, session: Session, job: Job) -> set[str]:
        return DocumentSpider.stored(self, session, job)

    def fetch(self, job: Job, document: Document) -> Any:
        address = self.at(f"/documents/{document.key}/file")
        return self.request(job, address, self.file, stream=(PDF,), meta={"number": document.key})

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

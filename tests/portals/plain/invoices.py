"""The plain portal's newest document as the invoice of a carrier's billing cycle."""

from collections.abc import AsyncIterator
from typing import Any

from pydantic import BaseModel
from scrapy.http import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from database.families.cycles import cycle_for, parse_month
from database.models import Account, FileStatus, StoredFile
from scrapers.core.items import Listing
from scrapers.core.jobs import Job, Plan
from scrapers.core.spool import PDF
from scrapers.families.carriers.items import InvoiceFile
from scrapers.logins.credentials import credential_for
from tests.portals.plain.documents import PlainArguments, PlainSpider


class InvoiceTarget(BaseModel):
    account: str
    billing_cycle_id: int


class PlainInvoices(PlainSpider):
    """One PDF for each account that has a number of the portal's."""

    name = "plain_invoices"
    report_type = "invoices"

    class Arguments(PlainArguments):
        month: str = "2026-10"

    @classmethod
    def plans(cls, session: Session, arguments: Any) -> list[Plan]:
        plans = []
        for account in session.scalars(select(Account).order_by(Account.number)):
            cycle, key = (
                cycle_for(session, account, *parse_month(arguments.month)),
                f"{account.number}/{arguments.month}",
            )
            stored = select(StoredFile.id).where(StoredFile.spider == cls.name, StoredFile.target_key == key)
            plans.append(
                Plan(
                    target=InvoiceTarget(account=account.number, billing_cycle_id=cycle.id),
                    key=key,
                    label=key,
                    credential=credential_for(cls, session, None),
                    account_id=account.id,
                    billing_cycle_id=cycle.id,
                    done=session.scalar(stored.where(StoredFile.status == FileStatus.READY)) is not None,
                )
            )
        return plans

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        yield Listing(job=job.id, keys=("invoice",))
        number = f"{job.target.account}-00001"
        yield self.request(job, self.at(f"/documents/{number}/file"), self.file, stream=(PDF,))

    def file(self, response: Response) -> Any:
        job = self.job_of(response)
        yield InvoiceFile(
            job=job.id,
            part=self.part(response),
            key="invoice",
            name="invoice.pdf",
            source=response.url,
            billing_cycle_id=job.target.billing_cycle_id,
        )

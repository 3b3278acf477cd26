"""The plain portal as carriers are: a session that only one run may work in; one month of one account."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

from scrapy.http import Response

from sandbox.plain.data import accounts
from scrapers.core.jobs import Job
from scrapers.core.outcomes import WrongAccount
from scrapers.core.periods import month_missing
from scrapers.families.documents.spiders import Progress
from tests.portals.plain.documents import PlainDocuments, PlainFiles
from tests.portals.plain.login import PlainLogin


class PlainAloneLogin(PlainLogin):
    name = "plain_alone"
    shared = False

    @classmethod
    def address(cls) -> str:
        return PlainLogin.address()


class PlainAlone(PlainDocuments):
    name = "plain_alone"
    report_type = "alone"
    logins = (PlainAloneLogin,)


class PlainMonth(PlainFiles):
    """One month's files of each user's first account, as a carrier's spider brings an invoice."""

    name = "plain_month"
    report_type = "month"

    @staticmethod
    def today() -> date:
        return datetime.now(UTC).date()

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        self.progress[job.id] = Progress(set(), None)
        account = accounts(job.target.username)[0]
        yield self.request(job, self.at(f"/documents?account={account}&month={self.arguments.month}"), self.of_month)

    def of_month(self, response: Response) -> Any:
        job = self.job_of(response)
        if response.css("#account::text").get() != accounts(job.target.username)[0]:
            raise WrongAccount("Another account is open.")
        if response.css(".alert--month-missing"):
            month = date.fromisoformat(f"{self.arguments.month}-01")
            raise month_missing(month, response.css("#months option::text").getall(), self.today())
        yield from self.listed(response)

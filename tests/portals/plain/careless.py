"""A spider that is careless with secrets wherever it can be, to see that none gets out all the same."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from scrapy.http import Response

from scrapers.core.items import Listing
from scrapers.core.jobs import Job
from scrapers.core.outcomes import PortalChanged
from tests.portals.plain.documents import PlainSpider


class PlainCareless(PlainSpider):
    """Logs secrets, warns of them, and fails with them in its exceptions."""

    name = "plain_careless"
    report_type = "careless"

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        yield Listing(job=job.id, keys=("nothing",))
        yield self.request(job, self.at("/documents?page=1&per=10"), self.listed)

    def listed(self, response: Response) -> Any:
        job = self.job_of(response)
        assert job.credential is not None
        assert response.request is not None
        cookie = response.request.headers["Cookie"].decode()
        secrets = f"{cookie} and {job.credential!r} with {job.credential.password}"
        self.logger.error("Logged: %s", secrets)
        self.logger.warning(f"Formatted: {secrets}")  # noqa: G004 - as careless people do
        job.warn(f"Warned: {secrets}")
        job.fail(PortalChanged(f"Failed: {secrets}", step=secrets, selector=secrets, evidence={"response": response}))
        address = f"/missing?password={quote(job.credential.password)}&{quote(cookie)}"
        yield self.request(job, self.at(address), self.listed)
        try:
            raise LookupError(secrets)
        except LookupError as error:
            raise ValueError(f"Raised: {secrets}") from error

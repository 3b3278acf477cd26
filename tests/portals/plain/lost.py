"""The plain portal by a spider that lists more than it brings."""

from collections.abc import AsyncIterator
from typing import Any

from scrapers.core.items import Listing
from scrapers.core.jobs import Job
from tests.portals.plain.documents import PlainSpider


class PlainLost(PlainSpider):
    name = "plain_lost"
    report_type = "lost"

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        yield Listing(job=job.id, keys=tuple(f"document {number}" for number in range(12)))

"""The price family's base: asks for the page of each product once, and yields what it says to everyone who watches it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any, ClassVar

from scrapy import Request
from scrapy.http import HtmlResponse, Response
from sqlalchemy.orm import Session

from database.models.prices import PriceCheckRun, WatchlistItem
from database.notes import write
from scrapers.core.items import Listing
from scrapers.core.jobs import Job, Plan
from scrapers.core.outcomes import AddressNotAsked, Failure, ProductGone, Then
from scrapers.core.redaction import bare_url
from scrapers.core.spider import Fence, PortalSpider
from scrapers.families.prices import asking, checking, planning
from scrapers.families.prices.addresses import Product, named
from scrapers.families.prices.arguments import PriceArguments
from scrapers.families.prices.readers import Reader
from scrapers.families.prices.settings import PriceSettings

progress = logging.getLogger("latchkey.progress")

PRODUCT = "product"  # in meta: whose page a request is for
REDIRECT_URLS = "redirect_urls"  # in meta: the addresses over which a rendered page was reached
NOTE = "page"  # the last one that was read: its validators and its prices


class PriceSpider(PortalSpider):
    """Base of the price spiders. A failed check leaves what is known of an item as it is."""

    logins = ()
    keeps_files = False
    closes_early = True  # what was read is not asked for again after a kill
    target_argument = "url"
    Arguments = PriceArguments
    custom_settings = asking.POLITE
    tables: ClassVar = (WatchlistItem, PriceCheckRun)  # written by `conclude`
    readers: ClassVar[Sequence[Reader]]
    language: ClassVar[str | None] = None  # of the shop's pages, for one that says none

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.results: dict[int, checking.Results] = {}  # by job
        self.notes: dict[int, dict[str, Any]] = {}  # by job: of a page that was read as a whole

    @classmethod
    def plans(cls, session: Session, arguments: Any) -> list[Plan]:
        """Return a job for each address that is named, or for each product that is watched at this shop."""
        if arguments.job:
            rows = [cls.row(session, number) for number in arguments.job]
            return planning.of_jobs(session, cls.portal, rows, arguments)
        if arguments.url:
            found = [planning.once(cls.portal, url, arguments.country, arguments.selector) for url in arguments.url]
            return list({plan.key: plan for plan in found}.values())
        return planning.watched(session, cls.portal)

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        """Yield the request of the product's page, in the buyer's country."""
        if job.target.refused:
            raise AddressNotAsked(job.target.refused, step=asking.STEP)
        await self.enter(job)
        if (product := named(job.target.url)) is None:
            raise AddressNotAsked("The address names no product.", step=asking.STEP)
        # A page that is rendered is always loaded as a whole.
        is_plain = self.rendering_of(job) == "http" and not self.arguments.again
        known = await job.recall(NOTE) if is_plain else None
        known = known if known is not None and set(job.target.selectors) <= set(known["prices"]) else None
        yield await self.ask(job, product, known=known)

    @classmethod
    def rendering_at(cls, url: str) -> str:
        """Return how the pages of a shop are fetched, by its settings."""
        return cls.rendering

    def rendering_of(self, job: Job) -> str:
        """Return how the page of a job is fetched: as the arguments say, else its items, else the settings of its shop."""
        said: str = self.arguments.rendering or job.target.rendering or self.rendering_at(job.target.url)
        return said

    async def enter(self, job: Job) -> None:
        """Tell the shop the buyer's country, where it takes that; raise a Failure when it does not answer."""

    async def ask(
        self, job: Job, product: Product, *, known: Any = None, hops: int = 0, moved: bool = False
    ) -> Request:
        """Return the request of a product's page. known: what the last check has noted of it."""
        await asking.refuse_address(product.url)
        headers = checking.conditions(known or {})
        callback = partial(self.answered, product=product, known=known, hops=hops, moved=moved)
        meta = {"handle_httpstatus_list": asking.HANDLED, "cookiejar": job.target.country or "", "dont_redirect": True}
        options: dict[str, Any] = {
            "headers": headers,
            "meta": meta | {PRODUCT: product},
            "rendering": self.rendering_of(job),
        }
        return self.request(job, product.url, callback, dont_filter=True, **options)

    async def is_ready(self, response: HtmlResponse) -> bool:
        """Return whether a page that is being rendered shows the price for everyone who watches it."""
        if PRODUCT not in response.meta:
            return True  # nothing is read there
        try:
            product = asking.product_at(self.portal, response.url)  # it may have moved
            found = await asyncio.to_thread(self._read, self.job_of(response), response, product, False)
        except Failure:
            return False  # it may be on the way: what the page is at rest is told of
        return not any(isinstance(each, Failure) for each in found.values())

    def fence(self) -> Fence | None:
        """Keep rendered pages from private networks, unless they may be asked."""
        return None if PriceSettings.current().prices_private_addresses else asking.may_reach

    async def answered(
        self, response: Response, product: Product, known: Any, hops: int, moved: bool
    ) -> AsyncIterator[Any]:
        """Read the page, or follow it to where it has moved: to another product once."""
        job = self.job_of(response)
        asking.refuse_answer(response)
        if response.status in asking.REDIRECTS:
            target = asking.product_at(self.portal, asking.location(response))
            is_other = target.key != product.key
            if hops >= asking.MOST_REDIRECTS or (is_other and moved):
                raise ProductGone(f"It has moved more than once, at last to {bare_url(target.url)}.")
            yield await self.ask(job, target, hops=hops + 1, moved=moved or is_other)
            return
        # A page that was rendered has been followed already.
        for address in (*way, response.url) if (way := response.meta.get(REDIRECT_URLS)) else ():
            target = asking.product_at(self.portal, address)
            is_other = target.key != product.key
            if is_other and moved:
                raise ProductGone(f"It has moved more than once, at last to {bare_url(target.url)}.")
            product, moved = target, moved or is_other
        if response.status in asking.GONE:
            raise ProductGone(f"{bare_url(response.url)} answered {response.status}.")
        if response.status == asking.UNCHANGED and known:
            found = checking.unchanged(job, known["prices"])
        else:
            found = await asyncio.to_thread(self._read, job, response, product, moved)
        yield Listing(job=job.id, keys=())
        self.results[job.id] = found
        for selector in job.target.selectors:
            result = found[selector]
            if isinstance(result, Failure):
                job.fail(result)
                continue
            job.counts.records += 1
            progress.info("%s %s: %s %s (%s)", self.name, job.label, result.price, result.currency, result.source)
            yield result
        # A page that was rendered cannot be asked for conditionally: its note is for who asked without watching it.
        is_asked_once = not any(job.target.selectors.values())
        is_rendered = self.rendering_of(job) != "http"
        is_new = response.status != asking.UNCHANGED and (is_asked_once or not is_rendered)
        if is_new and not any(isinstance(each, Failure) for each in found.values()):
            self.notes[job.id] = checking.note_of(response, found, is_rendered=is_rendered)

    def _read(self, job: Job, response: Response, product: Product, moved: bool) -> checking.Results:
        options: dict[str, Any] = {"country": job.target.country, "language": self.language}
        found = checking.read_answer(response, product, tuple(job.target.selectors), self.readers, **options)
        return checking.as_items(job, self.portal, product.url, moved, found)

    def conclude(self, session: Session, job: Job, failure: Failure | None) -> None:
        """Write a check for each item of the job (its price, or why there is none), and the note of its page."""
        if failure is not None and failure.outcome.then == Then.AT_ONCE:
            return  # taken from this run: nothing is known of the shop
        if (note := self.notes.get(job.id)) is not None:
            write(session, self.name, job.key, NOTE, note)
        checking.record(session, job, self.results.get(job.id, {}), failure)

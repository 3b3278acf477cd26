"""What the shop's page says before a product is watched: a check for nobody, whose price the new item is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.engine import Database, now
from database.families.prices import CheckFailure, PriceReading, record_check
from database.jobs.queue import NewJob, add, cancel, open_with
from database.models import Note, Run
from database.models.jobs import ScraperJob
from database.models.runs import RunState
from scrapers.families.prices.addresses import Product, short
from webhook.api.checking import PRIORITY, REPORT_TYPE, Checker
from webhook.api.models import ProductAsked
from webhook.api.watching import named_product

NOTE = "page"  # as `scrapers.families.prices.spiders` calls what it has read of a page
FRESH = timedelta(minutes=30)
NO_PREVIEW = "The page was read, and what stood there is gone: read it once more."


@dataclass(frozen=True, slots=True)
class Preview:
    """A check for nobody. result: None while it has not ended. run_id, read_at: of the crawl that has read the page."""

    job_id: int
    result: PriceReading | CheckFailure | None = None
    run_id: int | None = None
    read_at: datetime | None = None

    @property
    def price(self) -> PriceReading | None:
        """What was read, if that was a price."""
        return self.result if isinstance(self.result, PriceReading) else None


class Previews:
    """Makes the jobs, and finds what came of them. An address that is not asked raises AddressRefused."""

    def __init__(self, db: Database, checker: Checker) -> None:
        self.db, self.checker = db, checker

    def begin(self, asked: ProductAsked) -> Preview:
        """Make the job of an address, or take the one that is open."""
        product = named_product(asked.product_url)
        new = preview_job(product, asked)
        with self.db.transaction() as session:
            at = now(session)
            # One try: somebody looks at the page and can ask again.
            (job_id,) = add(session, [new], at, available_at=at, priority=PRIORITY, max_retries=0)
            if job_id is None:
                there = open_with(session, new.identity)
                assert there is not None  # its identity has kept the new one out
                job_id = there.id
        self.checker.see_to(product.portal)
        return Preview(job_id)

    def result(self, asked: ProductAsked, job_id: int) -> Preview:
        """Return what came of a job; raise LookupError when it is not about that address."""
        product = named_product(asked.product_url)
        with self.db.transaction() as session:
            job = session.get(ScraperJob, job_id)
            if job is None or job.identity != preview_job(product, asked).identity:
                raise LookupError("There is no such check.")
            of_job = select(Run).where(Run.job_id == job_id, Run.state == RunState.FINISHED)
            run = session.scalars(of_job.order_by(Run.id.desc()).limit(1)).one_or_none()
            if run is not None:
                cancel(session, [job_id], now(session), "Cancelled: whoever asked has the answer.")
                return Preview(job_id, _result(session, product, asked, run), run.id, run.finished_at)
            if job.completed_at is not None:  # without a run
                failure = CheckFailure(job.outcome or "unexpected_error", job.message or "The check did not run.")
                return Preview(job_id, failure)
        self.checker.see_to(product.portal)
        return Preview(job_id)

    def give(self, preview: Preview, item_id: int) -> None:
        """Make the price that a preview has shown the first check of a new item, unless it is old by now."""
        if preview.price is None or preview.read_at is None:
            return
        with self.db.transaction() as session:
            if now(session) - preview.read_at <= FRESH:
                record_check(session, [item_id], preview.price, preview.run_id)


def preview_job(product: Product, asked: ProductAsked) -> NewJob:
    """Return the job that reads a product's page for nobody."""
    country = f" {asked.country}" if asked.country else ""
    selector = f" {short(asked.selector, 100)}" if asked.selector else ""
    target = {"url": product.url, "product": product.key, "country": asked.country}
    return NewJob(
        product.portal,
        REPORT_TYPE,
        identity=f"{_spider(product)} {_key(product, asked)}{selector}",
        label=f"{product.key[:250]}{country}",
        target={**target, "selectors": {asked.selector or "": []}},
        arguments={"selector": asked.selector} if asked.selector else None,
    )


def _spider(product: Product) -> str:
    return f"{product.portal}_{REPORT_TYPE}"


def _key(product: Product, asked: ProductAsked) -> str:
    """Return the key of the spider's plan for an address that nobody watches."""
    country = f" {asked.country}" if asked.country else ""
    return f"once {short(product.key, 250)}{country}"


def _result(session: Session, product: Product, asked: ProductAsked, run: Run) -> PriceReading | CheckFailure:
    if run.outcome != "success":
        return CheckFailure(run.outcome or "unexpected_error", run.message or "The check has failed.")
    of_page = (Note.spider == _spider(product), Note.target_key == _key(product, asked), Note.name == NOTE)
    note = session.scalar(select(Note.value).where(*of_page)) or {}
    found = note.get("prices", {}).get(asked.selector or "")
    if found is None:
        return CheckFailure("unexpected_error", NO_PREVIEW)
    return PriceReading(
        Decimal(found["price"]),
        found["currency"],
        list_price=None if found["list_price"] is None else Decimal(found["list_price"]),
        availability=found["availability"],
        source=found["source"],
        title=found["title"],
    )

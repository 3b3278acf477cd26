"""What a check has found: the items of an answer by selector, its note for the next check, and the rows of those who watch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from scrapy.http import Response, TextResponse
from sqlalchemy.orm import Session

from database.families import prices
from scrapers.core.jobs import Job
from scrapers.core.outcomes import Blocked, Failure, PortalChanged
from scrapers.core.redaction import bare_url, redactor
from scrapers.families.prices.addresses import Product
from scrapers.families.prices.asking import refusal
from scrapers.families.prices.challenges import CHALLENGE, is_challenge
from scrapers.families.prices.items import PriceReading
from scrapers.families.prices.page import ProductPage
from scrapers.families.prices.readers import Reader, prices_of
from scrapers.families.prices.readings import Reading

Result = PriceReading | Failure
Results = dict[str, Result]  # by selector; "": none
VALIDATORS = (("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since"))


def read_answer(
    response: Response,
    product: Product,
    selectors: Sequence[str],
    readers: Sequence[Reader],
    *,
    country: str | None,
    language: str | None,
) -> dict[str, Reading | Failure]:
    """Return the price on the page of an answer, or why there is none, by selector; raise the Failure of its status."""
    if response.status != 200 and response.status not in (403, 503):
        raise refusal(response)
    if not isinstance(response, TextResponse):
        raise PortalChanged(f"{bare_url(response.url)} is no page.")
    page = ProductPage(response.text, response.url, product, country, language)
    if response.status != 200:
        raise Blocked(CHALLENGE) if is_challenge(page) else refusal(response)
    found = prices_of(page, readers, selectors)
    for each in found.values():
        if isinstance(each, Failure):
            each.evidence.setdefault("response", response)
    return found


def as_items(job: Job, portal: str, url: str, moved: bool, found: Mapping[str, Reading | Failure]) -> Results:
    """Return readings as items of a job. url: of the page on which they stood; moved: it is another product's."""
    known: dict[str, Any] = {
        "job": job.id,
        "portal": portal,
        "product": job.target.product,
        "country": job.target.country,
    }
    known |= {"url": url, "moved": moved, "read_at": datetime.now(UTC)}
    return {
        selector: each if isinstance(each, Failure) else PriceReading.of(each, **known, selector=selector or None)
        for selector, each in found.items()
    }


def unchanged(job: Job, saved: Mapping[str, Any]) -> Results:
    """Return the prices of the last check, for a page that is the same as then."""
    known = {"job": job.id, "unchanged": True, "read_at": datetime.now(UTC)}
    return {selector: PriceReading.model_validate({**each, **known}) for selector, each in saved.items()}


def note_of(response: Response, found: Mapping[str, Any], *, is_rendered: bool) -> dict[str, Any]:
    """
    Return the note of a page: its prices, and by what it is asked for again only if it has changed.

    What scripts have brought to a rendered page may change while the page itself stays the same.
    """
    validators = {ask: value.decode("latin-1") for name, ask in VALIDATORS if (value := response.headers.get(name))}
    return {
        **({} if is_rendered else validators),
        "prices": {name: each.model_dump(mode="json") for name, each in found.items()},
    }


def conditions(note: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that ask for a page only if it is not the one of a note."""
    return {ask: note[ask] for _, ask in VALIDATORS if note.get(ask)}


def record(session: Session, job: Job, results: Mapping[str, Result], failure: Failure | None) -> None:
    """Write a check for each item of a job: its price, or why there is none. failure: of a selector without a result."""
    for selector, items in job.target.selectors.items():
        result = results.get(selector, failure)
        if items and result is not None:
            prices.record_check(session, items, _checked(result), job.id)


def _checked(result: Result) -> prices.PriceReading | prices.CheckFailure:
    """Return a result as the items' table takes it."""
    if isinstance(result, Failure):
        return prices.CheckFailure(result.outcome.code, redactor.hide(str(result)))
    moved = f" The product has moved to {bare_url(result.url)}." if result.moved else ""
    return prices.PriceReading(
        result.price,
        result.currency,
        list_price=result.list_price,
        availability=result.availability.value if result.availability else None,
        source=result.source,
        title=result.title,
        message=f"The price is {result.price} {result.currency}.{moved}" if moved else None,
    )

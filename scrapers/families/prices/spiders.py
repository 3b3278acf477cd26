"""The price family's base: a job is a product in a country, fetched once for everyone who watches it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

from pydantic import BaseModel, Field, field_validator, model_validator
from scrapy import Request
from scrapy.http import Response, TextResponse
from scrapy.spidermiddlewares.httperror import HttpError
from sqlalchemy.orm import Session

from database.families import prices
from database.models.prices import PriceCheckRun, WatchlistItem
from scrapers.core.items import Listing
from scrapers.core.jobs import ArgumentError, Job, Plan
from scrapers.core.naming import name_failure
from scrapers.core.outcomes import AddressNotAsked, Blocked, Failure, PortalChanged, ProductGone, Then
from scrapers.core.redaction import bare_url, redactor
from scrapers.core.spider import PortalSpider, SpiderArguments
from scrapers.families.prices.addresses import (
    AddressRefused,
    Product,
    check,
    check_host,
    is_own,
    named,
    product_of,
    short,
)
from scrapers.families.prices.challenges import CHALLENGE, is_challenge
from scrapers.families.prices.items import PriceReading
from scrapers.families.prices.page import ProductPage
from scrapers.families.prices.readers import Reader, price_of
from scrapers.families.prices.settings import PriceSettings

# As a browser asks, which is what shops answer; and who asks.
AGENT = "Mozilla/5.0 (compatible; Latchkey/0.1; price watch)"
HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.9",
}
POLITE = {
    "DOWNLOAD_DELAY": 1,  # one request per shop and second
    "DOWNLOAD_DELAY_JITTER": 0,  # not less than that either
    "CONCURRENT_REQUESTS_PER_DOMAIN": 1,  # Scrapy counts the delay for each host
    "REQUESTS_IN_FLIGHT": 1,
    "DOWNLOAD_TIMEOUT": 60,  # a page, no file
    "DOWNLOAD_MAXSIZE": 20_000_000,  # of an address that somebody has given
    "USER_AGENT": AGENT,
    "DEFAULT_REQUEST_HEADERS": HEADERS,
}
REDIRECTS = (301, 302, 303, 307, 308)
UNCHANGED, GONE = 304, (404, 410)
HANDLED = [*REDIRECTS, UNCHANGED, *GONE, 403, 503]  # those of a wall have a page to read
MOST_REDIRECTS = 5
NOTE = "page"  # the last one that was read: its validators and its prices


class PriceArguments(SpiderArguments):
    """Arguments of the price spiders. Without an address they check everything that is watched at their shop."""

    aims: ClassVar[frozenset[str]] = SpiderArguments.aims | {"url", "country"}
    url: tuple[str, ...] = Field(
        (), description="Check these addresses alone, for nobody; several are parted by blanks."
    )
    country: str | None = Field(None, description="Country of the buyer (US, GB …), with -a url=.")
    selector: str | None = Field(None, max_length=500, description="CSS of the price's element, with -a url=.")

    @field_validator("url", mode="before")
    @classmethod
    def split_addresses(cls, value: Any) -> Any:
        """Accept several addresses with blanks between them: a comma may stand in one."""
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("country")
    @classmethod
    def real_country(cls, value: str | None) -> str | None:
        """Accept the code of a country, in any case."""
        from babel.core import get_global

        code = value.strip().upper() if value else ""
        if code and code not in get_global("territory_currencies"):
            raise ValueError("give the code of a country, as GB")
        return code or None

    @model_validator(mode="after")
    def with_address(self) -> PriceArguments:
        """Refuse a country or selector where each item has its own."""
        if not (self.url or self.job) and (self.country or self.selector):
            raise ValueError("country and selector belong to -a url=; items have their own")
        return self


class PriceTarget(BaseModel):
    """The target of a job: a product's address, for a buyer's country. Empty items: a check for nobody."""

    url: str
    product: str  # its key
    country: str | None = None
    selectors: dict[str, tuple[int, ...]] = {"": ()}  # items by their selector; "": none
    refused: str = ""  # why the address is not asked


class PriceSpider(PortalSpider):
    """Base of the price spiders. A failed check leaves what is known of an item as it is."""

    logins = ()
    keeps_files = False
    target_argument = "url"
    Arguments = PriceArguments
    custom_settings = POLITE
    tables: ClassVar = (WatchlistItem, PriceCheckRun)  # written by `conclude`
    readers: ClassVar[Sequence[Reader]]
    language: ClassVar[str | None] = None  # of the shop's pages, for one that says none

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.results: dict[int, dict[str, PriceReading | Failure]] = {}  # by job and selector

    @classmethod
    def plans(cls, session: Session, arguments: Any) -> list[Plan]:
        """Return a job for each address that is named, or for each product that is watched at this shop."""
        if arguments.job:
            return [cls._of_job(session, number, arguments) for number in arguments.job]
        if arguments.url:
            found = [cls._once(url, arguments.country, arguments.selector) for url in arguments.url]
            return list({plan.key: plan for plan in found}.values())
        return [cls._watched(group) for group in prices.groups(session, cls.portal)]

    @classmethod
    def _of_job(cls, session: Session, number: int, arguments: Any) -> Plan:
        given = cls.row(session, number).target or {}
        target = PriceTarget(**given) if given else None
        if target is None or not any(target.selectors.values()):
            url = target.url if target else next(iter(arguments.url), "")
            country = target.country if target else arguments.country
            return replace(cls._once(url, country, arguments.selector), job_id=number)
        for group in prices.groups(session, cls.portal):
            if (group.product_key, group.country) == (target.product, target.country):
                return replace(cls._watched(group), job_id=number)
        label = target.product[:300]
        return Plan(target, short(target.product, 250), label, None, job_id=number, done=True)  # watched no more

    @classmethod
    def _once(cls, url: str, country: str | None, selector: str | None) -> Plan:
        try:
            product = product_of(url, private=PriceSettings.current().prices_private_addresses)
        except AddressRefused as error:
            raise ArgumentError(f"-a url: {error}") from None
        if product.portal != cls.portal:
            raise ArgumentError(f"-a url: {product.portal}_prices checks addresses of that shop.")
        target = PriceTarget(url=product.url, product=product.key, country=country, selectors={selector or "": ()})
        plan = cls._plan(target)
        # Not the key of those who watch the product: their check is due all the same.
        return replace(plan, key=f"once {plan.key}")

    @classmethod
    def _watched(cls, group: prices.Group) -> Plan:
        selectors: dict[str, tuple[int, ...]] = {}
        for item in group.items:
            selectors[item.selector or ""] = (*selectors.get(item.selector or "", ()), item.item_id)
        url, refused = group.product_url, ""
        try:
            url = product_of(url, private=PriceSettings.current().prices_private_addresses).url
        except AddressRefused as error:
            refused = str(error)
        return cls._plan(
            PriceTarget(url=url, product=group.product_key, country=group.country, selectors=selectors, refused=refused)
        )

    @classmethod
    def _plan(cls, target: PriceTarget) -> Plan:
        country = f" {target.country}" if target.country else ""
        return Plan(target, f"{short(target.product, 250)}{country}", f"{target.product[:250]}{country}", None)

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        """Yield the request of the product's page, in the buyer's country."""
        if job.target.refused:
            raise AddressNotAsked(job.target.refused, step="check the address")
        await self.enter(job)
        if (product := named(job.target.url)) is None:
            raise AddressNotAsked("The address names no product.", step="check the address")
        known = None if self.arguments.again else await job.recall(NOTE)
        known = known if known is not None and set(job.target.selectors) <= set(known["prices"]) else None
        yield await self.ask(job, product, known=known)

    async def enter(self, job: Job) -> None:
        """Tell the shop the buyer's country, where it takes that; raise a Failure when it does not answer."""

    async def ask(
        self, job: Job, product: Product, *, known: Any = None, hops: int = 0, moved: bool = False
    ) -> Request:
        """Return the request of a product's page. known: what the last check has noted of it."""
        if not is_own(product.url):
            try:
                check(product.url, private=(private := PriceSettings.current().prices_private_addresses))
                if not private:
                    await check_host(product.url)
            except AddressRefused as error:
                raise AddressNotAsked(str(error), step="check the address") from None
        headers = {}
        if known:
            headers = {name: known[name] for name in ("If-None-Match", "If-Modified-Since") if known.get(name)}
        callback = partial(self.answered, product=product, known=known, hops=hops, moved=moved)
        meta = {"handle_httpstatus_list": HANDLED, "cookiejar": job.target.country or "", "dont_redirect": True}
        return self.request(job, product.url, callback, headers=headers, meta=meta, dont_filter=True)

    async def answered(
        self, response: Response, product: Product, known: Any, hops: int, moved: bool
    ) -> AsyncIterator[Any]:
        """Read the page, or follow it to where it has moved: to another product once."""
        job = self.job_of(response)
        self._refuse_private(response)
        if response.status in REDIRECTS:
            target = self._moved_to(response)
            is_other = target.key != product.key
            if hops >= MOST_REDIRECTS or (is_other and moved):
                raise ProductGone(f"It has moved more than once, at last to {bare_url(target.url)}.")
            yield await self.ask(job, target, hops=hops + 1, moved=moved or is_other)
            return
        if response.status in GONE:
            raise ProductGone(f"{bare_url(response.url)} answered {response.status}.")
        if response.status == UNCHANGED and known:
            found = self._unchanged(job, known["prices"])
        else:
            found = await asyncio.to_thread(self._read_all, job, response, product, moved)
        yield Listing(job=job.id, keys=())
        self.results[job.id] = found
        for selector in job.target.selectors:
            result = found[selector]
            if isinstance(result, Failure):
                job.fail(result)
                continue
            job.counts.records += 1
            yield result
        if response.status != UNCHANGED and not any(isinstance(each, Failure) for each in found.values()):
            await job.remember(NOTE, self._noted(response, found))

    def _moved_to(self, response: Response) -> Product:
        """Return the product that a redirect leads to; raise ProductGone where it leads to none."""
        address = response.urljoin((response.headers.get("Location") or b"").decode("utf-8", "replace"))
        try:
            found = named(check(address, private=True))
        except AddressRefused:
            found = None
        if found is None or found.portal != self.portal:
            raise ProductGone(f"Its page leads to {bare_url(address)}, which is no product's.")
        return found

    def _refuse_private(self, response: Response) -> None:
        """Raise AddressNotAsked for an answer of a private network: a name may stand for another machine at each look."""
        if is_own(response.url) or PriceSettings.current().prices_private_addresses or response.ip_address is None:
            return
        if not response.ip_address.is_global and not response.meta.get("proxy"):
            raise AddressNotAsked("The address is one of this machine or of a private network.")

    def _read_all(
        self, job: Job, response: Response, product: Product, moved: bool
    ) -> dict[str, PriceReading | Failure]:
        """Return the price, or why there is none, by selector."""
        if response.status != 200 and response.status not in (403, 503):
            raise _refusal(response)
        return {selector: self._read(job, response, product, selector, moved) for selector in job.target.selectors}

    def _read(
        self, job: Job, response: Response, product: Product, selector: str, moved: bool
    ) -> PriceReading | Failure:
        if not isinstance(response, TextResponse):
            return PortalChanged(f"{bare_url(response.url)} is no page.")
        page = ProductPage(response.text, response.url, product, job.target.country, self.language)
        try:
            if response.status != 200:
                raise Blocked(CHALLENGE) if is_challenge(page) else _refusal(response)
            reading = price_of(page, self.readers, selector or None)
        except Failure as failure:
            failure.evidence.setdefault("response", response)
            return failure
        known = {"job": job.id, "portal": self.portal, "product": job.target.product, "country": job.target.country}
        return PriceReading.of(
            reading, **known, url=product.url, moved=moved, selector=selector or None, read_at=datetime.now(UTC)
        )

    def _unchanged(self, job: Job, saved: dict[str, Any]) -> dict[str, PriceReading | Failure]:
        """Return the prices of the last check, for a page that is the same as then."""
        known = {"job": job.id, "unchanged": True, "read_at": datetime.now(UTC)}
        return {selector: PriceReading.model_validate({**each, **known}) for selector, each in saved.items()}

    @staticmethod
    def _noted(response: Response, found: dict[str, Any]) -> dict[str, Any]:
        """Return the note of a page: by what it is asked for again only if it has changed, and its prices."""
        sent = (("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since"))
        validators = {ask: value.decode("latin-1") for name, ask in sent if (value := response.headers.get(name))}
        return {**validators, "prices": {name: each.model_dump(mode="json") for name, each in found.items()}}

    def conclude(self, session: Session, job: Job, failure: Failure | None) -> None:
        """Write a check for each item of the job: its price, or why there is none."""
        if failure is not None and failure.outcome.then == Then.AT_ONCE:
            return  # taken from this run: nothing is known of the shop
        for selector, items in job.target.selectors.items():
            result = self.results.get(job.id, {}).get(selector, failure)
            if items and result is not None:
                prices.record_check(session, items, _checked(result), job.id)


def _refusal(response: Response) -> Failure:
    """Return the failure that an answer's status stands for."""
    assert response.request is not None
    return name_failure(HttpError(response), response.request)


def _checked(result: PriceReading | Failure) -> prices.PriceReading | prices.CheckFailure:
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

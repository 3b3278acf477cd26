"""Pages of shops with their truths, read as a crawl reads them; and the rule of distance, to which that is compared."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from sandbox.storefront.offers import Truth
from scrapers.core.outcomes import Failure
from scrapers.families.prices.addresses import Product
from scrapers.families.prices.page import ProductPage
from scrapers.families.prices.readers import price_of
from scrapers.families.prices.readings import Reading
from scrapers.families.prices.spiders import PriceSpider

SYMBOLS = {"£": "GBP", "€": "EUR", "$": "USD"}
OURS = {"discontinued": "gone"}  # the imitation's word for an availability, and the readers'


@dataclass(frozen=True, slots=True)
class Sample:
    """A page with its truth. plain: nothing that is free was changed on it."""

    kind: str
    html: str
    url: str
    product: Product
    country: str | None
    truth: Truth
    plain: bool = True


@dataclass
class Judged:
    """What readers made of pages. wrong: prices that are not the truth's; missed: other lines about pages that should be read or refused."""

    count: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The part that was read of the pages on which a price is certain."""
        return self.count["read"] / (self.count["read"] + self.count["not read"])


def judge(spider: type[PriceSpider], samples: Iterable[Sample]) -> Judged:
    """Read pages by the readers of a spider, and compare what they say with the truths."""
    judged = Judged()
    for sample in samples:
        page = ProductPage(sample.html, sample.url, sample.product, sample.country, spider.language)
        try:
            found: Reading | Failure = price_of(page, spider.readers)
        except Failure as failure:
            found = failure
        truth, about = sample.truth, f"{sample.kind} {sample.country}"
        if isinstance(found, Reading):
            differs = _differs(found, truth, sample.plain)
            judged.wrong += [f"{about}: {each}" for each in differs]
            judged.count["read" if not truth.refusals else "read, may be refused"] += not differs
        elif found.outcome.code in truth.refusals:
            judged.count["refused"] += 1
        else:
            judged.count["not read"] += truth.price is not None
            judged.missed.append(f"{about}: {found}")
    return judged


def _differs(found: Reading, truth: Truth, plain: bool) -> list[str]:
    """Return in what a reading differs from the truth; what is optional, or said in words of their own, may be None."""
    if truth.price is None:
        return [f"{found} in the place of {', '.join(truth.refusals)}"]
    said = {"price": (found.price, truth.price), "currency": (found.currency, truth.currency)}
    if not (found.list_price is None and "list_price" in truth.optional):
        said["list price"] = (found.list_price, truth.list_price)
    available = found.availability.value if found.availability else None
    if not (available is None and ("availability" in truth.optional or not plain)):
        said["availability"] = (available, OURS.get(truth.availability, truth.availability))
    return [f"{name} {ours}, not {true}" for name, (ours, true) in said.items() if ours != true]


def nearest(html: str) -> tuple[Decimal, str] | None:
    """Return amount and currency of the price in the HTML that is nearest to the first button, as section 2 of the sheet has it."""
    said = html.lower()
    anchor = next((at for words in ("add to cart", "buy now") if (at := said.find(words)) >= 0), 0)
    prices = [(abs(m.start() - anchor), m) for m in re.finditer(r"([£€$])\s?(\d[\d,]*(?:\.\d\d)?)", html)]
    if not prices:
        return None
    _, match = min(prices, key=lambda each: each[0])
    return Decimal(match[2].replace(",", "")), SYMBOLS[match[1]]


def wrong_by_distance(samples: Iterable[Sample]) -> int:
    """Return on how many pages the nearest price is not the truth's; a page where any price is refused has none that is right."""
    found = [(nearest(sample.html), sample.truth) for sample in samples]
    return sum(said is not None and said != (truth.price, truth.currency) for said, truth in found)

"""
What the tests of prices share: items that are watched, in a project of their own; pages of shops with their truths, read as a
crawl reads them; and the rule of distance, to which that is compared.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select

from database.engine import Database
from database.models import Run
from database.models.prices import PriceCheckRun, User, WatchlistItem
from jobs.warm import WarmParent
from sandbox.storefront.offers import Truth
from scrapers.core.outcomes import Failure
from scrapers.families.prices.addresses import Product, identity
from scrapers.families.prices.page import ProductPage
from scrapers.families.prices.readers import price_of
from scrapers.families.prices.readings import Reading
from scrapers.families.prices.spiders import PriceSpider
from tests.project import Project

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


class PriceWatch:
    """The project with a database of its own, whose items are watched at shops. urls: their origins by portal."""

    def __init__(self, project: Project, db: Database, urls: Mapping[str, str]) -> None:
        self.project, self.db, self.urls = project, db, urls
        self.user = 0

    def watch(self, path: str, portal: str = "shop", **values: Any) -> int:
        """Let a new user watch a path of a shop; return the item's id."""
        url = f"{self.urls[portal]}{path}"
        number = re.search(r"/(\d+)[^/]*$", path) if portal == "pluginboutique" else None
        with self.db.transaction() as session:
            self.user += 1
            user = User(email=f"user{self.user}@example.com")
            session.add(user)
            session.flush()
            item = WatchlistItem(
                user_id=user.id,
                product_url=url,
                portal=portal,
                product_key=number[1] if number else identity(url),
                threshold=Decimal(10),
                **values,
            )
            session.add(item)
            session.flush()
            return item.id

    def crawl(self, spider: str, *arguments: str, delay: float | None = None, **environment: str) -> str:
        """Crawl, and return what was said. delay: between two requests, in the place of the spider's own."""
        words = [word for argument in arguments for word in ("-a", argument)]
        words += [] if delay is None else ["-s", f"DOWNLOAD_DELAY={delay}"]
        done = self.project.scrapy("crawl", spider, *words, env=environment or None, timeout=110)
        assert "Traceback" not in done.stderr, done.stderr
        return done.stderr

    def rows(self, model: Any) -> list[Any]:
        """Return the rows of a table in the order of their ids."""
        with self.db.transaction() as session:
            found = list(session.scalars(select(model).order_by(model.id)))
            session.expunge_all()
            return found

    @property
    def outcomes(self) -> list[str | None]:
        """The outcomes of all runs."""
        return [run.outcome for run in self.rows(Run)]

    @property
    def checks(self) -> list[Any]:
        """The checks of all items."""
        return self.rows(PriceCheckRun)

    def item(self, number: int) -> Any:
        """Return an item as it stands."""
        return next(item for item in self.rows(WatchlistItem) if item.id == number)


W = TypeVar("W", bound=PriceWatch)


@contextmanager
def watching(kind: type[W], folder: Path, warm: WarmParent, tables: Path, urls: Mapping[str, str]) -> Iterator[W]:
    """Make the project in a folder, with the tables of a file and shops on loopback, for as long as the block lasts."""
    project = Project(folder, warm, LATCHKEY_PRICES_PRIVATE_ADDRESSES="true")
    project.data.mkdir(mode=0o700)
    shutil.copy(tables, project.data / "latchkey.db")
    db = Database(f"sqlite:///{project.data / 'latchkey.db'}")
    try:
        yield kind(project, db, urls)
    finally:
        project.close()
        db.engine.dispose()

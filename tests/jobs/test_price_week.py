"""A week of prices: many users watch the products of a shop, three workers check them, and one of these is killed."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from decimal import Decimal
from random import Random
from time import monotonic

import psutil
import pytest
from sqlalchemy import func, select

from database.models.jobs import CLAIMED, OPEN, ScraperJob
from database.models.prices import AlertKind, AlertResult, PriceCheckRun, User, WatchlistItem
from sandbox import running
from sandbox.mailserver import MailServer, serving
from sandbox.pluginboutique.catalogue import Product
from tests.jobs.test_alerts import mail_environment
from tests.jobs.test_sixty import kill_all
from tests.project import wait_for
from tests.turns import one_database

DAY = 86_400
DAYS = 7
UNDER_WAY = 2  # requests of a crawl whose answers are not written yet
KILLED_ON = 3  # no price changes on that day: whether a mail goes out twice when its sender is killed is another test's
KINDS = ("data-layer", "buy-box", "json-ld", "every-source", "thousand", "bundle")
PRICES, THRESHOLDS = (120, 100, 80, 60), (110, 90, 70)
SETTINGS = {
    "LATCHKEY_LEASE_SECONDS": "10",
    "LATCHKEY_PORTAL_CRAWLS": "3",
    "LATCHKEY_WORKER_POLL": "0.5",
}
PASSWORD = "mail-password-for-tests"


class Week:
    """What is watched, and what a week of it should bring. prices: by product and day."""

    def __init__(self, items: int, users: int, products: int) -> None:
        random = Random(1)
        self.products = [Product(KINDS[number % len(KINDS)], 1 + number // len(KINDS)) for number in range(products)]
        self.prices = {product.id: self._prices(random) for product in self.products}
        # 7 is coprime with the number of products: nobody watches one twice, and each is watched.
        self.items = [
            (number * users // items, self.products[number * 7 % products], random.choice(THRESHOLDS))
            for number in range(items)
        ]
        assert {product.id for _, product, _ in self.items} == set(self.prices)

    @staticmethod
    def _prices(random: Random) -> list[int]:
        prices = [random.choice(PRICES)]
        for day in range(1, DAYS):
            stays = day == KILLED_ON or random.random() < 0.5
            prices.append(prices[-1] if stays else random.choice(PRICES))
        return prices

    @property
    def histories(self) -> dict[str, list[dict[str, object]]]:
        """The prices as the shop's clock brings them."""
        return {
            number: [{"day": day, "price": f"{price}.00"} for day, price in enumerate(prices)]
            for number, prices in self.prices.items()
        }

    def alerts(self) -> Counter[tuple[str, str, int]]:
        """How often each user should be mailed a price of a product: once when it comes below, armed by its way back."""
        found: Counter[tuple[str, str, int]] = Counter()
        for user, product, threshold in self.items:
            armed = True
            for price in self.prices[product.id]:
                found[email(user), product.id, price] += armed and price < threshold
                armed = price >= threshold
        return +found

    def store(self, session, url):
        """Write users and items."""
        users = sorted({user for user, _, _ in self.items})
        session.add_all(User(id=user + 1, email=email(user)) for user in users)
        session.flush()
        for user, product, threshold in self.items:
            facts = {"portal": "pluginboutique", "product_key": product.id, "product_url": f"{url}{product.address(2)}"}
            facts |= {"alerts": [AlertKind.BELOW_THRESHOLD], "threshold": Decimal(threshold)}
            session.add(WatchlistItem(user_id=user + 1, **facts))


def email(user: int) -> str:
    return f"user{user}@example.com"


def mailed(mails):
    """Return whom each mail was for, of which product, and its price."""
    found: Counter[tuple[str, str, int]] = Counter()
    for mail in mails:
        text = mail.get_content()
        (number,), (price,) = re.findall(r"/products/(\d+)", text), re.findall(r"^Price: (\d+)\.00 GBP", text, re.M)
        found[mail["To"], number, int(price)] += 1
    return found


@one_database
@pytest.mark.matrix
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("items", "users", "products"),
    [
        pytest.param(100, 10, 30, id="100"),
        pytest.param(1000, 100, 300, id="1000", marks=pytest.mark.figures),
    ],
)
def test_a_week_of_prices_on_three_workers(
    project, tmp_path, store, database_url, record_property, items, users, products
):
    week, began = Week(items, users, products), monotonic()
    asked: list[int] = []
    with running(tmp_path / "sandbox", ["pluginboutique"]) as shop, serving(MailServer(PASSWORD)) as server:
        admin = shop.admin["pluginboutique"]
        admin.configure(histories=week.histories)
        environment = {**shop.environment, **SETTINGS, **mail_environment(server)}
        here = project(tmp_path, LATCHKEY_DATABASE_URL=database_url, **environment)
        with store.transaction() as session:
            week.store(session, shop.origins["pluginboutique"][""])

        def worker():
            out = (tmp_path / f"worker-{len(here.started)}.log").open("w")  # a pipe that nobody reads would stop it
            return here.start("worker", "--slots", "1", "-s", "DOWNLOAD_DELAY=0.2", stdout=out, stderr=out)

        def count(model, *conditions):
            with store.transaction() as session:
                return session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0

        def requests():
            return sum(admin.counters()["products"].values())

        workers = [worker() for _ in range(3)]
        for day in range(DAYS):
            admin.clock(day * DAY)
            admin.configure(latency_ms=200 if day == KILLED_ON else 0)  # so that there is time to kill one at work
            before = requests()
            assert here.scrapy("jobs", "create", "pluginboutique_prices", timeout=120).returncode == 0
            if day == KILLED_ON:
                wait_for(lambda: requests() > before + products / 3, 300)  # noqa: B023 - waits here
                kill_one_at_work(store, workers)
            wait_for(lambda: not count(ScraperJob, ScraperJob.status.in_(OPEN)), 600, every=0.2)
            wait_for(
                lambda: not count(PriceCheckRun, PriceCheckRun.alert_result == AlertResult.PENDING), 120, every=0.2
            )
            asked.append(requests() - before)
        for process in workers:
            if process.poll() is None:
                process.terminate()
                assert process.wait(120) == 0
        mails = mailed(server.mails)
    with store.transaction() as session:
        checks = defaultdict(list)
        for check in session.scalars(select(PriceCheckRun).order_by(PriceCheckRun.id)):
            checks[check.watchlist_item_id].append(check.price_amount)
        known = {item.id: item.product_key for item in session.scalars(select(WatchlistItem))}
    told = f"{items} items, {products} addresses: {asked} requests, {mails.total()} mails, {monotonic() - began:.0f} s"
    print(told)
    record_property("week", told)
    assert {number: week.prices[key] for number, key in known.items()} == dict(checks)
    # Only what was under way when the worker was killed is asked for again.
    assert asked[:KILLED_ON] + asked[KILLED_ON + 1 :] == [products] * (DAYS - 1)
    assert products <= asked[KILLED_ON] <= products + UNDER_WAY
    assert mails == week.alerts()


def kill_one_at_work(db, workers):
    """Kill a worker that has jobs, and its crawl, at once."""
    with db.transaction() as session:
        names = session.scalars(select(ScraperJob.worker).where(ScraperJob.status.in_(CLAIMED)).distinct()).all()
    # Jobs name the process that does them: the worker, or the crawl that it has started.
    at_work = [
        process
        for process in workers
        for each in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        if any(f"+{each.pid}+" in name for name in names)
    ]
    assert at_work, (names, [process.pid for process in workers])
    kill_all(at_work[0])
    wait_for(lambda: not psutil.pid_exists(at_work[0].pid) or at_work[0].poll() is not None, 30)

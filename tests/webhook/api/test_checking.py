"""A check that a user asks for: a job, worked off by a worker, of which the user hears at once or later."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from sqlalchemy import select

from database.families.prices import PriceReading, record_check
from database.jobs.queue import add
from database.jobs.settling import settle
from database.jobs.steps import Ending
from database.models import Run
from database.models.base import utc_now
from database.models.jobs import ScraperJob, ScraperJobStatus, Worker
from database.models.prices import WatchlistItem
from sandbox.mailserver import serving
from scrapers.portals.shop.prices import ShopPrices
from tests.project import ROOT
from tests.web import Answer, WebServer
from tests.webhook.api.conftest import BEN
from webhook.api.checking import Checker, Crawls, one_job


class Shop:
    """In the place of a crawl: does in the database what one does, when it is told to start."""

    def __init__(self, db, price=Decimal("12.50")):
        self.db, self.price, self.started, self.threads = db, price, [], []

    def __call__(self, portal):
        """Start, unless a crawl runs."""
        if any(thread.is_alive() for thread in self.threads):
            return
        self.started.append(portal)
        if self.price is not None:
            self.threads.append(threading.Thread(target=self.work))
            self.threads[-1].start()

    def work(self):
        with self.db.transaction() as session:
            pending = select(ScraperJob).where(ScraperJob.status == ScraperJobStatus.PENDING)
            for job in session.scalars(pending):
                facts = {"crawl": "c", "spider": "shop_prices", "portal": "shop", "report_type": "prices"}
                run = Run(**facts, job_id=job.id)
                session.add(run)
                session.flush()
                (items,) = job.target["selectors"].values()
                record_check(session, items, PriceReading(self.price, "GBP"), run.id)
                job.status, job.completed_at = ScraperJobStatus.SUCCESS, utc_now()


@pytest.fixture
def checked(request, make_api):
    """Give a function that makes the application with a shop behind it, and a user."""

    def make(seconds=25.0, price=Decimal("12.50"), **settings):
        db = request.getfixturevalue("store" if "store" in request.fixturenames else "sqlite")
        shop = Shop(db, price)
        api = make_api(checker=Checker(db, seconds, start=shop, alert_seconds=0), **settings)
        return api, shop, api.user()

    return make


def test_a_check_that_ends_soon_is_the_answer(store, checked):
    api, shop, client = checked()
    item = api.item(client)
    answer = client.post(f"/me/watchlist-items/{item}/check")
    run = answer.get_json()
    assert answer.status_code == 200
    assert (run["status"], run["price_amount"], run["price_currency"]) == ("success", 12.5, "GBP")
    assert run["watchlist_item_id"] == item
    assert shop.started == ["shop"]
    assert client.get(f"/me/watchlist-items/{item}").get_json()["last_price"] == 12.5
    again = client.post(f"/me/watchlist-items/{item}/check").get_json()
    assert again["id"] > run["id"]


def test_a_check_that_takes_longer_is_asked_for_at_its_address(checked):
    api, shop, client = checked(seconds=0, price=None)
    item = api.item(client)
    answer = client.post(f"/me/watchlist-items/{item}/check")
    body = answer.get_json()
    assert (answer.status_code, body["status"], answer.headers["Location"]) == (202, "pending", body["location"])
    assert client.get(body["location"]).status_code == 202
    same = client.post(f"/me/watchlist-items/{item}/check")
    assert same.get_json()["location"] == body["location"]
    shop.price = Decimal("3")
    shop.work()
    done = client.get(body["location"])
    assert (done.status_code, done.get_json()["price_amount"]) == (200, 3)
    other = api.item(client, country="DE")
    assert client.get(f"/me/watchlist-items/{other}/check/{body['job_id']}").status_code == 404
    assert client.get(f"/me/watchlist-items/{item}/check/{body['job_id'] + 1}").status_code == 404
    assert api.user(BEN).get(body["location"]).status_code == 404


def test_a_paused_item_is_not_checked(checked):
    api, shop, client = checked()
    item = api.item(client, is_active=False)
    answer = client.post(f"/me/watchlist-items/{item}/check")
    assert (answer.status_code, answer.get_json()["detail"]) == (400, "The item is not active.")
    assert shop.started == []


def test_where_a_worker_is_none_is_started(checked):
    api, shop, client = checked(seconds=0.3, price=None)
    item = api.item(client)

    def worker(seen_at, portals):
        with api.db.transaction() as session:
            facts = {"host": "here", "pid": 1, "slots": 1, "started_at": seen_at, "state": "working"}
            session.merge(Worker(name="w", seen_at=seen_at, portals=portals, **facts))

    for portals, started in ((None, 0), (["shop"], 0), (["bell"], 1)):
        worker(utc_now(), portals)
        shop.started.clear()
        assert client.post(f"/me/watchlist-items/{item}/check").status_code == 202
        assert bool(shop.started) == bool(started)
    worker(utc_now().replace(year=2020), None)
    shop.started.clear()
    client.post(f"/me/watchlist-items/{item}/check")
    assert shop.started


def test_a_job_that_has_ended_without_a_result_is_a_failed_check(checked):
    api, _, client = checked(seconds=0, price=None)
    item = api.item(client)
    location = client.post(f"/me/watchlist-items/{item}/check").get_json()["location"]
    with api.db.transaction() as session:
        job = session.scalars(select(ScraperJob)).one()
        job.claim, job.status = "c", ScraperJobStatus.RUNNING
        session.flush()
        ending = Ending("product_gone", "final", "The shop no longer has it.", "nobody", requests=1)
        settle(session, job.id, "c", ending, utc_now())
        assert job.status == ScraperJobStatus.ERROR
    first = client.get(location).get_json()
    assert (first["status"], first["outcome"], first["message"]) == (
        "error",
        "product_gone",
        "The shop no longer has it.",
    )
    assert client.get(location).get_json()["id"] == first["id"]
    assert len(client.get(f"/me/watchlist-items/{item}/runs").get_json()) == 1


def test_a_job_that_waits_for_its_next_try_is_due_at_once(checked):
    api, _, client = checked(price=Decimal("7"))
    item = api.item(client)
    with api.db.transaction() as session:
        at = utc_now()
        add(session, [one_job(session.get_one(WatchlistItem, item))], at, available_at=at.replace(year=2099))
    assert client.post(f"/me/watchlist-items/{item}/check").get_json()["price_amount"] == 7
    with api.db.transaction() as session:
        assert session.scalars(select(ScraperJob)).one().available_at < utc_now()


def test_more_requests_than_may_wait_are_answered_at_once(checked, monkeypatch):
    api, shop, client = checked(price=None)
    item = api.item(client)
    monkeypatch.setattr(api.checker, "places", threading.BoundedSemaphore(1))
    with api.checker.places:
        answer = client.post(f"/me/watchlist-items/{item}/check")
    assert answer.status_code == 202
    assert shop.started == ["shop"]


def test_checks_are_asked_for_only_so_often(checked):
    api, _, client = checked(seconds=0, price=None, check_rate="2 per minute")
    item = api.item(client)
    assert [client.post(f"/me/watchlist-items/{item}/check").status_code for _ in range(3)] == [202, 202, 429]


@pytest.mark.parametrize("country", [None, "GB"])
@pytest.mark.parametrize("path", ["/products/1001-echo", "/p/" + "long-" * 80])
def test_the_job_is_the_one_that_a_schedule_would_make(checked, path, country):
    api, _, client = checked()
    item = api.item(client, country=country, product_url=f"https://www.shop.example{path}?a_aid=1", selector=".price")
    with api.db.transaction() as session:
        (plan,) = ShopPrices.planned(session, ShopPrices.Arguments.parse({}))
        mine = one_job(session.get_one(WatchlistItem, item))
        assert (mine.identity, mine.label) == (plan.identity, plan.label)
        (number,) = add(session, [mine], utc_now())
        (of_job,) = ShopPrices.planned(session, ShopPrices.Arguments.parse({"job": str(number)}))
        assert of_job.target == plan.target
        assert of_job.target.model_dump()["selectors"] == {".price": (item,)}


PAGE = """<!doctype html><html lang="en"><head><title>Echo</title><script type="application/ld+json">
{"@context": "https://schema.org", "@type": "Product", "name": "Echo", "sku": "1001", "url": "%s",
 "offers": {"@type": "Offer", "price": "12.50", "priceCurrency": "GBP", "availability": "https://schema.org/InStock"}}
</script></head><body><h1>Echo</h1><p>12.50 GBP</p></body></html>"""


class EchoShop(WebServer):
    def answer(self, asked):
        return Answer(PAGE % (self.url + asked.path))


def test_a_crawl_of_its_own_brings_the_price(make_api, sqlite, tmp_path, monkeypatch, wait_for):
    """Nothing in the place of anything: the webhook starts the worker, that the spider, and that asks a shop."""
    monkeypatch.setenv("LATCHKEY_PRICES_PRIVATE_ADDRESSES", "true")
    monkeypatch.setenv("LATCHKEY_DATABASE_URL", sqlite.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(ROOT)
    crawls = Crawls()
    api = make_api(checker=Checker(sqlite, 0, start=crawls))
    client = api.user()
    with serving(EchoShop()) as shop:
        url = f"{shop.url}/products/1001-echo"
        item = api.item(client, product_url=url)
        location = client.post(f"/me/watchlist-items/{item}/check").headers["Location"]
        crawls("shop")
        wait_for(lambda: client.get(location).status_code == 200, 120)
    # Alerts are sent once the crawl has ended.
    wait_for(lambda: client.get(location).get_json()["alert_result"] != "pending", 60)
    run = client.get(location).get_json()
    assert run["status"] == "success"
    assert run["message"].startswith("The price is 12.50 GBP. The alert was skipped: mail is not set up")
    assert (run["price_amount"], run["price_currency"], run["availability"]) == (12.5, "GBP", "in_stock")
    assert run["alerts"] == ["below_threshold"]
    assert client.get(f"/me/watchlist-items/{item}").get_json()["title"] == "Echo"
    crawls.close()

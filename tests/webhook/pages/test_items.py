"""The pages of what a user watches: list, adding with a preview, one product, changes, checks, alerts."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from html import unescape

import pytest
from sqlalchemy import select, update

from database.families.prices import CheckFailure, PriceReading, record_check
from database.models import Note, Run
from database.models.base import utc_now
from database.models.jobs import ScraperJob, ScraperJobStatus
from database.models.prices import AlertResult, PriceCheckRun, WatchlistItem
from database.models.runs import RunState
from tests.webhook.api.conftest import BEN, PRODUCT
from tests.webhook.pages.conftest import Visitor, beside, words
from webhook.api.checking import Checker
from webhook.pages.prices.items import ON_A_PAGE
from webhook.pages.prices.shown import KINDS, RESULTS, in_words, sparkline

SCRIPT = "<script>alert('x')</script><img src=x onerror=alert(1)>"
FOUND = {
    "price": "12.50",
    "currency": "GBP",
    "list_price": "19.90",
    "availability": "in_stock",
    "source": "json_ld",
    "title": "Tape Echo",
}


class Shop:
    """In the place of a crawl: does in the database what one does, when the test says so."""

    def __init__(self, db):
        self.db, self.started = db, []

    def __call__(self, portal):
        self.started.append(portal)

    def answer(self, outcome="success", message=None, **found):
        """End the jobs that wait: with a price, or another outcome."""
        reading = {**FOUND, **found}
        with self.db.transaction() as session:
            waiting = select(ScraperJob).where(ScraperJob.status == ScraperJobStatus.PENDING)
            for job in session.scalars(waiting):
                facts = {"crawl": "c", "spider": f"{job.portal}_prices", "portal": job.portal, "report_type": "prices"}
                run = Run(**facts, job_id=job.id, state=RunState.FINISHED, outcome=outcome, message=message)
                run.finished_at = utc_now()
                session.add(run)
                session.flush()
                ((selector, items),) = job.target["selectors"].items()
                if outcome == "success":
                    country = f" {job.target['country']}" if job.target["country"] else ""
                    key = f"once {job.target['product']}{country}"
                    value = {"prices": {selector: reading}}
                    session.add(Note(spider=run.spider, target_key=key, name="page", value=value))
                    price = PriceReading(Decimal(reading["price"]), reading["currency"], source="json_ld")
                    record_check(session, items, price, run.id)
                    job.status, job.completed_at = ScraperJobStatus.SUCCESS, utc_now()
                else:  # the job waits for somebody, as one does whose price is unclear
                    record_check(session, items, CheckFailure(outcome, message), run.id)


@pytest.fixture
def shop(request, make_api):
    """A user who is signed in, and a shop behind the application."""
    db = request.getfixturevalue("store" if "store" in request.fixturenames else "sqlite")
    made = Shop(db)
    visitor = Visitor(make_api(checker=Checker(db, 25, start=made), check_rate="1000 per minute"))
    visitor.signed_in()
    visitor.open("/prices/items/new")
    visitor.shop = made
    return visitor


# The list


def test_the_list_when_it_is_empty(ana):
    answer = ana.open("/prices/items")
    assert "Nothing is watched yet. Give the address of a product" in words(answer)
    assert 'href="/prices/items/new"' in answer.text
    assert 'name="q"' not in answer.text
    assert "No product fits." in words(ana.open("/prices/items?q=echo"))
    assert "There has been no alert yet." in words(ana.open("/prices/alerts"))


def test_the_list(store, ana):
    echo = ana.item(label="My echo", country="GB")
    ana.item(product_url="https://www.shop.example/products/1002", is_active=False)
    for price in ("30", "10", "19.5"):
        ana.read(echo, Decimal(price), availability="in_stock")
    answer = ana.open("/prices/items")
    shown = words(answer)
    assert "My echo shop.example, GB 19.50 GBP Threshold 20.00 GBP Below your threshold" in shown
    assert "https://www.shop.example/products/1002 shop.example – Threshold 20.00 Paused" in shown
    assert re.findall(r'points="([^"]*)"', answer.text) == ["2.0,2.0 60.0,26.0 118.0,14.6"]


def test_how_an_item_stands_in_words(ana):
    item = ana.item(threshold=10)
    found = []
    for act in (
        lambda: None,
        lambda: ana.read(item, 12),
        lambda: ana.api.fail(item),
        lambda: ana.api.fail(item),
        lambda: ana.read(item, 9, availability="out_of_stock"),
        lambda: ana.read(item, 9),
    ):
        act()
        found.append(re.findall(r'class="mark \w+">([^<]*)<', ana.open("/prices/items").text)[0])
    assert found == [
        "Not checked yet",
        "Watched",
        "Last check failed",
        "Failed 2 times in a row",
        "Out of stock",
        "Below your threshold",
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "CBA"),
        ("sort=id", "ABC"),
        ("q=%20b%20", "B"),
        ("state=paused", "C"),
        ("state=failing", "B"),
        ("state=below", "A"),
        ("state=never", "C"),
        ("state=active&sort=title", "AB"),
        ("state=nonsense&sort=nonsense&page=x", "CBA"),
        ("q=%00", "CBA"),
        ("page=-1", "CBA"),
        ("page=99999999999999999999", "CBA"),
    ],
)
def test_the_list_is_filtered_and_ordered(ana, query, found):
    items = [ana.item(label=label, is_active=label != "C") for label in "ABC"]
    ana.read(items[0], 5, title="1")
    ana.api.fail(items[1])
    answer = ana.open(f"/prices/items?{query}")
    assert "".join(re.findall(r'href="/prices/items/\d+">(\w)</a>', answer.text)) == found


def test_pages_of_the_list(ana):
    for number in range(ON_A_PAGE + 1):
        ana.item(label=f"N{number}")
    first = ana.open("/prices/items?state=active")
    assert "Page 1 of 2" in words(first)
    (following,) = re.findall(r'rel="next" href="([^"]*)"', first.text)
    second = ana.open(unescape(following))
    assert re.findall(r">(N\d+)</a>", second.text) == ["N0"]
    assert 'rel="prev"' in second.text
    assert 'value="active" selected' in second.text
    assert "This page of the list is empty." in words(ana.open("/prices/items?page=9"))


# Adding


def test_a_product_is_added_by_its_address_with_a_preview(store, shop):
    answer = shop.send("/prices/items/new", product_url=f" {PRODUCT} ", country="gb", selector="")
    assert "The page is being read." in words(answer)
    assert shop.shop.started == ["shop"]
    assert "The page is being read." in words(shop.send("/prices/items/new"))  # “Look again”
    assert len(shop.shop.started) == 2
    shop.shop.answer()
    shown = words(shop.send("/prices/items/new"))
    assert "12.50 GBP Product Tape Echo List price 19.90 GBP Availability in stock" in shown
    assert "Read from structured data (JSON-LD)" in shown
    assert shop.client.get("/me/watchlist-items").get_json() == []
    done = shop.send("/prices/items", threshold="15", threshold_currency="gbp", label="", alerts=["drop", "gone"], drop_percent="20", failing_after="")  # fmt: skip
    assert words(done).startswith("The product is watched. Tape Echo")
    (item,) = shop.client.get("/me/watchlist-items").get_json()
    assert (item["product_url"], item["country"], item["threshold"], item["threshold_currency"]) == (
        PRODUCT,
        "GB",
        15,
        "GBP",
    )
    assert (item["alerts"], item["drop_percent"], item["failing_after"]) == (["drop", "gone"], 20, 3)
    # What was read is its first check: the shop is not asked again.
    assert (item["last_price"], item["title"]) == (12.5, "Tape Echo")
    (run,) = shop.client.get(f"/me/watchlist-items/{item['id']}/runs").get_json()
    assert (run["price_amount"], run["source"]) == (12.5, "json_ld")


def test_a_preview_for_htmx_is_a_part_of_the_page(shop):
    answer = shop.send("/prices/items/new", product_url=PRODUCT)
    assert 'hx-trigger="every 1s, submit"' in answer.text
    answer = shop.send("/prices/items/new", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.data) == (204, b"")
    shop.shop.answer()
    answer = shop.send("/prices/items/new", headers={"HX-Request": "true"})
    assert "<html" not in answer.text
    assert "12.50 GBP" in answer.text
    assert "hx-trigger" not in answer.text


def test_a_page_without_a_price_can_be_watched_all_the_same(shop):
    shop.send("/prices/items/new", product_url=PRODUCT, selector=".price")
    shop.shop.answer("price_unclear", "Two sources disagree.")
    shown = words(shop.send("/prices/items/new"))
    assert "No price was read. Two sources disagree." in shown
    with shop.api.db.transaction() as session:  # nobody waits for it any more
        assert session.scalars(select(ScraperJob.status)).one() == ScraperJobStatus.CANCELLED
    done = shop.send("/prices/items", threshold="15")
    assert words(done).startswith("The product is watched.")
    (item,) = shop.client.get("/me/watchlist-items").get_json()
    assert (item["selector"], item["last_price"], item["alerts"]) == (".price", None, [])


@pytest.mark.parametrize(
    "address",
    [
        "",
        "no address",
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "ftp://shop.example/p/1",
        "http://127.0.0.1/p/1",
        "http://169.254.169.254/p/1",
        "http://10.0.0.1/p/1",
        "http://[::1]/p/1",
        "http://2130706433/p/1",
        "https://user:secret@shop.example/p/1",
        "https://shop.example/",
        "x" * 2001,
    ],
)
def test_what_is_no_address_of_a_product_is_refused_beside_it(shop, address):
    answer = shop.send("/prices/items/new", product_url=address)
    assert (answer.status_code, shop.shop.started) == (422, [])
    assert len(beside(answer, "product_url")) > 10
    answer = shop.send("/prices/items", product_url=address, threshold="1", job="")
    assert answer.status_code == 422
    assert shop.client.get("/me/watchlist-items").get_json() == []
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"threshold": ""}, "threshold"),
        ({"threshold": "0"}, "threshold"),
        ({"threshold": "12,50"}, "threshold"),
        ({"threshold": "nan"}, "threshold"),
        ({"threshold_currency": "pounds"}, "threshold_currency"),
        ({"label": "x" * 201}, "label"),
        ({"drop_percent": "a lot"}, "drop_percent"),
        ({"failing_after": "0"}, "failing_after"),
        ({"alerts": ["nonsense"]}, "alerts"),
    ],
)
def test_what_is_wrong_with_a_rule_stands_beside_it(shop, fields, name):
    shop.send("/prices/items/new", product_url=PRODUCT)
    shop.shop.answer()
    shop.send("/prices/items/new")
    given = {"threshold": "15", "label": "Mine", **fields}
    answer = shop.send("/prices/items", **given)
    assert (answer.status_code, len(beside(answer, name)) > 10) == (422, True)
    assert "12.50 GBP" in words(answer)  # what was read stands there still
    assert shop.client.get("/me/watchlist-items").get_json() == []
    item = shop.item()
    shop.open(f"/prices/items/{item}/edit")
    answer = shop.send(f"/prices/items/{item}/edit", **given)
    assert (answer.status_code, len(beside(answer, name)) > 10) == (422, True)
    assert shop.client.get(f"/me/watchlist-items/{item}").get_json()["label"] is None


def test_a_preview_of_another_address_is_as_if_it_were_not_there(shop):
    shop.send("/prices/items/new", product_url=PRODUCT)
    job = shop.hidden["job"]
    for fields in ({"product_url": f"{PRODUCT}-2"}, {"country": "DE"}, {"selector": "p"}, {"job": str(int(job) + 1)}):
        answer = shop.client.post("/prices/items/new", data={**shop.hidden, **fields})
        assert answer.status_code == 404, fields
    assert shop.client.post("/prices/items", data={**shop.hidden, "job": "999999", "threshold": "1"}).status_code == 404
    assert shop.client.get("/me/watchlist-items").get_json() == []


def test_an_old_preview_is_no_check(shop):
    shop.send("/prices/items/new", product_url=PRODUCT)
    shop.shop.answer()
    with shop.api.db.transaction() as session:
        session.execute(update(Run).values(finished_at=utc_now().replace(year=2020)))
    shop.send("/prices/items/new")
    assert "No check has been made yet." in words(shop.send("/prices/items", threshold="15"))


def test_previews_are_counted_with_the_checks(make_api, sqlite):
    visitor = Visitor(make_api(checker=Checker(sqlite, 0, start=Shop(sqlite)), check_rate="2 per minute"))
    visitor.signed_in()
    visitor.open("/prices/items/new")
    answers = [
        visitor.client.post("/prices/items/new", data={**visitor.hidden, "product_url": PRODUCT}) for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert beside(answers[2], "product_url")


# One product


def test_a_product_before_its_first_check(ana):
    item = ana.item()
    answer = ana.open(f"/prices/items/{item}")
    assert "No check has been made yet. “Check now” makes the first one." in words(answer)
    assert "<price-chart" not in answer.text


def test_a_product_with_its_history(store, ana):
    item = ana.item(threshold=15)
    ana.read(item, 20, list_price=Decimal(25), availability="in_stock", source="json_ld")
    ana.api.fail(item)
    ana.read(item, 12, availability="out_of_stock", source="microdata", title="Tape Echo")
    ana.read(item, 9, "EUR")
    ana.read(item, 14)
    answer = ana.open(f"/prices/items/{item}")
    shown = words(answer)
    assert shown.startswith("Tape Echo https://www.shop.example/products/1001-tape-echo Check now")
    assert "14.00 GBP Below your threshold Threshold 15.00 GBP" in shown
    assert "20.00 GBP 25.00 GBP in stock structured data (JSON-LD) The price is 20 GBP." in shown
    assert "– – – – Failed. The shop does not answer." in shown
    drawn = json.loads(unescape(re.findall(r'data-drawn="([^"]*)"', answer.text)[0]))
    assert drawn["prices"] == [20, None, 12, None, 14]
    assert drawn["list_prices"] == [25, None, None, None, None]
    assert drawn["failed"] == [False, True, False, False, False]
    assert drawn["unavailable"] == [False, False, True, False, False]
    assert (drawn["threshold"], drawn["currency"]) == (15, "GBP")
    assert drawn["times"] == sorted(drawn["times"])
    assert 'aria-label="Prices of 5 checks, from 12.00 to 20.00 GBP, at last 14.00 GBP; 1 check failed.' in answer.text


def test_pages_of_the_history(ana):
    item = ana.item()
    for number in range(35):
        ana.read(item, number + 1)
    assert "Page 1 of 2" in words(ana.open(f"/prices/items/{item}"))
    shown = words(ana.open(f"/prices/items/{item}?page=2"))
    assert "The price is 5 GBP." in shown
    assert "The price is 6 GBP." not in shown


def test_what_a_shop_and_a_user_say_is_text(store, ana):
    item = ana.item(label=SCRIPT, product_url='https://www.shop.example/p/1?"><script>alert(2)</script>')
    ana.read(item, 1, title=SCRIPT, availability=SCRIPT[:30], source=SCRIPT[:50], message=SCRIPT)
    other = ana.item()
    ana.read(other, 1, title=SCRIPT)
    with ana.api.db.transaction() as session:
        session.execute(update(PriceCheckRun).values(alerts=["below_threshold", SCRIPT], alert_result="sent"))
    pages = ["items", "alerts", *(f"items/{each}{more}" for each in (item, other) for more in ("", "/edit", "/delete"))]
    for page in pages:
        text = ana.open(f"/prices/{page}").text
        assert "alert(" in text, page
        assert not re.search(r"<script>|<img|onerror=alert\(1\)>", text), page


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "//evil.example"]
)
def test_an_address_that_is_not_of_the_web_is_no_link(ana, address):
    """None can be stored by a user; one that stands in the database all the same is shown as text."""
    item = ana.item()
    with ana.api.db.transaction() as session:
        session.get_one(WatchlistItem, item).product_url = address
    text = ana.open(f"/prices/items/{item}").text
    assert f'<p class="address">{address}</p>' in text
    assert f'href="{address}' not in text


def test_links_to_shops_tell_them_nothing(ana):
    text = ana.open(f"/prices/items/{ana.item()}").text
    assert f'<a href="{PRODUCT}" rel="noopener noreferrer" target="_blank">' in text


# Changing


def test_an_item_is_edited(store, ana):
    item = ana.item(label="Mine", country="GB", selector=".price", alerts=["drop"])
    text = ana.open(f"/prices/items/{item}/edit").text
    assert 'value="20"' in text
    assert re.findall(r'name="alerts" value="(\w+)" checked', text) == ["drop"]
    fields = {"threshold": "9.99", "threshold_currency": "eur", "label": "", "country": "", "selector": ""}
    done = ana.send(
        f"/prices/items/{item}/edit", **fields, alerts=["gone", "failing"], drop_percent="", rendering="http"
    )
    assert words(done).startswith("The changes are stored.")
    stored = ana.client.get(f"/me/watchlist-items/{item}").get_json()
    assert (stored["threshold"], stored["threshold_currency"], stored["rendering"]) == (9.99, "EUR", "http")
    assert [stored[name] for name in ("label", "country", "selector")] == [None, None, None]
    assert (stored["alerts"], stored["drop_percent"]) == (["gone", "failing"], 10)


def test_an_item_is_paused_resumed_and_deleted(ana):
    item = ana.item()
    ana.open(f"/prices/items/{item}")
    shown = words(ana.send(f"/prices/items/{item}/pause"))
    assert shown.startswith("The product is paused")
    assert "Check now" not in shown
    assert "Paused" in shown
    assert words(ana.send(f"/prices/items/{item}/resume")).startswith("The product is watched again.")
    assert "That cannot be undone" in words(ana.open(f"/prices/items/{item}/delete"))
    assert words(ana.send(f"/prices/items/{item}/delete")).startswith("The product and its checks are deleted.")
    assert ana.open(f"/prices/items/{item}").status_code == 404


def test_items_of_others_are_as_if_they_were_not_there(store, ana):
    item = ana.item()
    ben = Visitor(ana.api).signed_in(BEN)
    for number in (item, item + 1000, 2**31 - 1, 2**31, 0):
        for path in ("", "/edit", "/delete", "/check/1"):
            assert ben.client.get(f"/prices/items/{number}{path}").status_code == 404, (number, path)
        for path in ("edit", "delete", "pause", "resume", "check"):
            fields = {**ben.hidden, "threshold": "1"}
            assert ben.client.post(f"/prices/items/{number}/{path}", data=fields).status_code == 404, (number, path)
    assert "Nothing is watched yet." in words(ben.open("/prices/items"))
    stored = ana.client.get(f"/me/watchlist-items/{item}").get_json()
    assert (stored["threshold"], stored["is_active"]) == (20, True)


# Checks


def test_a_check_now_without_javascript(store, shop):
    item = shop.item()
    shop.open(f"/prices/items/{item}")
    answer = shop.send(f"/prices/items/{item}/check")
    assert "The shop is being asked." in words(answer)
    assert shop.shop.started
    (again,) = re.findall(r'href="([^"]*/check/\d+)"', answer.text)
    shop.shop.answer()
    assert "Checked. The price is 12.50 GBP." in words(shop.open(again))


def test_a_check_now_with_htmx(shop):
    item = shop.item()
    shop.open(f"/prices/items/{item}")
    htmx = {"HX-Request": "true"}
    answer = shop.send(f"/prices/items/{item}/check", headers=htmx)
    (again,) = re.findall(r'hx-get="([^"]*)" hx-trigger="every 1s"', answer.text)
    assert "The shop is being asked." in answer.text
    started = len(shop.shop.started)
    assert shop.open(again, **htmx).status_code == 204
    assert len(shop.shop.started) == started + 1  # a crawl that has ended meanwhile did not take the job
    shop.shop.answer("portal_down", "The shop does not answer.")
    ended = shop.open(again, **htmx).text
    assert "The check has failed.</strong> The shop does not answer." in ended
    assert f'hx-get="/prices/items/{item}" hx-trigger="load" hx-select="#standing"' in ended
    assert "every 1s" not in ended


def test_a_paused_item_is_not_checked(shop):
    item = shop.item(is_active=False)
    shop.open(f"/prices/items/{item}")
    assert "The item is not active." in words(shop.send(f"/prices/items/{item}/check"))
    part = shop.send(f"/prices/items/{item}/check", headers={"HX-Request": "true"})
    assert "The item is not active." in part.text
    assert shop.shop.started == []


def test_checks_are_asked_for_only_so_often(make_api, sqlite):
    visitor = Visitor(make_api(checker=Checker(sqlite, 0, start=Shop(sqlite)), check_rate="1 per minute"))
    visitor.signed_in()
    visitor.open("/prices/account")
    item = visitor.item()
    statuses = [visitor.client.post(f"/prices/items/{item}/check", data=visitor.hidden).status_code for _ in range(2)]
    assert statuses == [303, 429]


# Alerts


def test_alerts(store, ana):
    item = ana.item(label="Echo", alerts=["below_threshold", "new_lowest"])
    for price in (25, 19):
        ana.read(item, price)
    ben = Visitor(ana.api).signed_in(BEN)
    shown = words(ana.open("/prices/alerts"))
    assert re.search(r"Echo \d{4}-.* UTC 19.00 GBP below the threshold, lowest price so far to be sent", shown)
    with ana.api.db.transaction() as session:
        session.execute(
            update(PriceCheckRun).where(PriceCheckRun.alert_result.is_not(None)).values(alert_result="sent")
        )
    assert "lowest price so far sent" in words(ana.open("/prices/alerts"))
    assert "Alert: below the threshold, sent" in words(ana.open(f"/prices/items/{item}"))
    assert "There has been no alert yet." in words(ben.open("/prices/alerts"))


@pytest.mark.parametrize(("mail", "is_said"), [({"smtp_address": ""}, True), (None, False)])
def test_where_mail_is_not_set_up_the_alerts_say_so(make_api, mail, is_said):
    visitor = Visitor(make_api(mail=mail)).signed_in()
    assert ("Mail is not set up on this server" in words(visitor.open("/prices/alerts"))) is is_said


# Words and lines


def test_all_kinds_and_results_have_words():
    from database.models.prices import AlertKind

    assert set(KINDS) == set(AlertKind)
    assert set(RESULTS) == set(AlertResult)


def test_a_line_of_equal_prices_is_level():
    assert sparkline([Decimal(5)] * 3) == "2.0,14.0 60.0,14.0 118.0,14.0"
    assert sparkline([Decimal(5)]) == ""


def test_a_chart_without_a_price_says_so():
    assert in_words({"prices": [None, None], "failed": [True, True], "currency": ""}) == "No price has been read yet; 2 checks failed."  # fmt: skip

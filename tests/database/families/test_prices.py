"""Items, their groups, and the checks of them, on both databases."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import func, select

from database.families.prices import CheckFailure, PriceReading, groups, history, record_check
from database.models import Run
from database.models.base import utc_now
from database.models.prices import (
    AlertResult,
    AuthCode,
    AuthSession,
    CheckStatus,
    PriceCheckRun,
    Purpose,
    Rendering,
    User,
    WatchlistItem,
)

GONE = CheckFailure("no_longer_available", "The shop no longer has this product.")


def user(store, email="ana@example.com"):
    with store.transaction() as session:
        row = User(email=email)
        session.add(row)
        session.flush()
        return row.id


def item(store, of, key="1001", country="GB", **fields):
    facts = {"portal": "pluginboutique", "product_url": f"https://www.example.com/products/{key}", "threshold": 20}
    with store.transaction() as session:
        row = WatchlistItem(user_id=of, product_key=key, country=country, **{**facts, **fields})
        session.add(row)
        session.flush()
        return row.id


def check(store, ids, result, run_id=None):
    with store.transaction() as session:
        return record_check(session, ids, result, run_id)


def stored(store, of):
    with store.transaction() as session:
        return session.get_one(WatchlistItem, of)


def test_active_items_are_grouped_by_product_and_country(store):
    ana, ben = user(store), user(store, "ben@example.com")
    first, same = item(store, ana), item(store, ben, selector=".price")
    elsewhere, paused = item(store, ana, country=None), item(store, ana, is_active=False)
    other = item(store, ben, key="1002", rendering=Rendering.HTTP)
    with store.transaction() as session:
        found = groups(session)
        assert [[watched.item_id for watched in group.items] for group in found] == [
            [first, same],
            [elsewhere],
            [other],
        ]
        assert [group.country for group in found] == ["GB", None, "GB"]
        assert [group.rendering for group in found] == [Rendering.AUTOMATIC, Rendering.AUTOMATIC, Rendering.HTTP]
        assert [watched.selector for watched in found[0].items] == [None, ".price"]
        assert [group.product_key for group in groups(session, item_ids=[other, paused])] == ["1002"]
        assert groups(session, "shop") == []


def test_one_item_that_needs_a_browser_decides_for_its_group(store):
    ana = user(store)
    item(store, ana, rendering=Rendering.HTTP)
    item(store, ana, rendering=Rendering.BROWSER)
    with store.transaction() as session:
        (group,) = groups(session)
        assert group.rendering == Rendering.BROWSER


def test_what_was_never_checked_comes_first_then_the_oldest(store):
    ana = user(store)
    first, second, third = (item(store, ana, key=key) for key in ("1", "2", "3"))
    check(store, [second], GONE)
    check(store, [first], GONE)
    with store.transaction() as session:
        assert [group.items[0].item_id for group in groups(session)] == [third, second, first]


def test_a_reading_is_written_for_every_item_of_its_group(store):
    ana, ben = user(store), user(store, "ben@example.com")
    ids = [item(store, ana), item(store, ben)]
    with store.transaction() as session:
        crawl = Run(crawl="c", spider="pluginboutique_prices", portal="pluginboutique", report_type="prices")
        session.add(crawl)
        session.flush()
        run_id = crawl.id
    reading = PriceReading(Decimal("19.99"), "GBP", Decimal("49.00"), "in_stock", "data_layer", "Tape Echo")
    made = check(store, ids, reading, run_id)
    assert [run.watchlist_item_id for run in made] == ids
    with store.transaction() as session:
        for run in session.scalars(select(PriceCheckRun)):
            assert (run.status, run.outcome, run.run_id) == (CheckStatus.SUCCESS, "success", run_id)
            assert (run.price_amount, run.price_currency, run.list_price) == (Decimal("19.99"), "GBP", Decimal("49"))
            assert (run.availability, run.source, run.alert_sent) == ("in_stock", "data_layer", False)
    row = stored(store, ids[1])
    assert (row.last_price, row.last_currency, row.lowest_price) == (Decimal("19.99"), "GBP", Decimal("19.99"))
    assert (row.title, row.availability, row.threshold_currency, row.failures) == ("Tape Echo", "in_stock", "GBP", 0)
    assert row.last_checked_at == row.last_success_at == made[0].created_at
    assert row.last_checked_at.utcoffset().total_seconds() == 0


def test_a_failure_is_a_run_and_changes_no_price(store):
    watched = item(store, user(store))
    check(store, [watched], PriceReading(Decimal("19.99"), "GBP"))
    before = stored(store, watched)
    check(store, [watched], GONE)
    check(store, [watched], GONE)
    row = stored(store, watched)
    assert (row.last_price, row.last_currency, row.lowest_price) == (Decimal("19.99"), "GBP", Decimal("19.99"))
    assert (row.last_success_at, row.failures) == (before.last_success_at, 2)
    assert (row.last_status, row.last_outcome) == (CheckStatus.ERROR, "no_longer_available")
    assert row.last_checked_at > before.last_checked_at
    with store.transaction() as session:
        newest, _, oldest = history(session, watched)
        assert (newest.status, newest.message, newest.price_amount) == (CheckStatus.ERROR, GONE.message, None)
        assert oldest.price_amount == Decimal("19.99")
        assert len(history(session, watched, status=CheckStatus.ERROR)) == 2
        assert len(history(session, watched, since=newest.created_at)) == 1
    check(store, [watched], PriceReading(Decimal("0"), "GBP"))
    assert (stored(store, watched).failures, stored(store, watched).last_price) == (0, Decimal("0"))


def test_the_lowest_price_is_that_of_the_same_currency(store):
    watched = item(store, user(store))
    lowest = []
    for amount, currency in (("20", "GBP"), ("15", "GBP"), ("18", "GBP"), ("2000", "JPY"), ("17", "GBP")):
        check(store, [watched], PriceReading(Decimal(amount), currency))
        lowest.append(stored(store, watched).lowest_price)
    assert lowest == [20, 15, 15, 2000, 15]
    assert stored(store, watched).threshold_currency == "GBP"


def test_a_price_at_which_nobody_can_buy_is_no_lowest_one(store):
    watched = item(store, user(store))
    for amount, availability in (("20", "in_stock"), ("5", "out_of_stock"), ("18", None)):
        check(store, [watched], PriceReading(Decimal(amount), "GBP", availability=availability))
    assert stored(store, watched).lowest_price == 18
    check(store, [watched], PriceReading(Decimal("900"), "JPY"))
    check(store, [watched], PriceReading(Decimal("19"), "GBP"))
    assert stored(store, watched).lowest_price == 18


def test_alerts_are_written_with_the_check_that_gives_rise_to_them(store):
    chosen = ["below_threshold", "failing", "new_lowest"]
    watched, other = (
        item(store, user(store), alerts=chosen, failing_after=2),
        item(store, user(store, "ben@example.com")),
    )
    results = [
        PriceReading(Decimal("19"), "GBP"), PriceReading(Decimal("18"), "GBP"), GONE, GONE, GONE,
        PriceReading(Decimal("20"), "GBP"), PriceReading(Decimal("17"), "GBP"),
    ]  # fmt: skip
    told = []
    for result in results:
        run, silent = check(store, [watched, other], result)
        told.append(run.alerts)
        assert (run.alert_result == AlertResult.PENDING) == bool(run.alerts)
        assert (silent.alerts, silent.alert_result, run.alert_sent) == ([], None, False)
    assert told == [
        ["below_threshold"],
        ["new_lowest"],
        [],
        ["failing"],
        [],
        ["recovered"],
        ["below_threshold", "new_lowest"],
    ]
    assert stored(store, watched).armed == {"below_threshold": False}


@pytest.mark.parametrize(
    ("price", "currency"),
    [("-1", "GBP"), ("1.0005", "GBP"), ("NaN", "GBP"), ("Infinity", "GBP"), ("1", "£"), ("1", "gbp"), ("1", "")],
)
def test_what_would_be_stored_as_something_else_is_no_reading(price, currency):
    with pytest.raises(ValueError, match=r"amount|currency"):
        PriceReading(Decimal(price), currency)


def test_an_item_that_was_deleted_meanwhile_is_left_out(store):
    watched = item(store, user(store))
    (run,) = check(store, [watched, watched + 100], GONE)
    assert run.watchlist_item_id == watched
    assert check(store, [], GONE) == []


def test_a_user_goes_with_all_that_is_theirs(store):
    ana, ben = user(store), user(store, "ben@example.com")
    check(store, [item(store, ana), item(store, ben)], GONE)
    with store.transaction() as session:
        for of in (ana, ben):
            session.add(AuthSession(user_id=of, token_hash=str(of), expires_at=utc_now()))
            facts = {"channel": "sms", "code_hash": "0", "expires_at": utc_now()}
            session.add(AuthCode(user_id=of, purpose=Purpose.LOGIN, **facts))
    with store.transaction() as session:
        session.delete(session.get_one(User, ana))
    with store.transaction() as session:
        for model in (User, WatchlistItem, PriceCheckRun, AuthSession, AuthCode):
            assert session.scalar(select(func.count()).select_from(model)) == 1

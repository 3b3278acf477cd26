"""When a user is told of an item: rules that hold for every row of checks."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database.families.alerts import Before, Found, due
from database.models.prices import AlertKind

GONE = Found(outcome="product_gone")
DOWN = Found(outcome="portal_down")
EVERY = tuple(AlertKind)
START = Before(threshold=Decimal(20), threshold_currency="GBP")
PRICES = st.integers(0, 400).map(lambda quarters: Decimal(quarters) / 10)
READINGS = st.builds(
    Found, price=PRICES, currency=st.just("GBP"), list_price=st.none() | PRICES,
    availability=st.sampled_from([None, "in_stock", "out_of_stock"]),
)  # fmt: skip
CHECKS = st.lists(READINGS | st.sampled_from([GONE, DOWN]), max_size=30)
FACTS = READINGS.map(lambda found: replace(found, availability=None, list_price=None))


def price(amount, currency="GBP", **more):
    return Found(price=Decimal(amount), currency=currency, **more)


def after(before, found):
    """Return how an item stands after a check, as `database.families.prices` keeps it."""
    if found.price is None:
        return replace(before, failures=before.failures + 1)
    lowest = before.lowest
    if found.can_be_bought:
        lowest = found.price if lowest is None else min(lowest, found.price)
    return replace(
        before, price=found.price, list_price=found.list_price, currency=found.currency,
        availability=found.availability, lowest=lowest, failures=0,
    )  # fmt: skip


def told(checks, wanted=EVERY, before=START):
    """Return the kinds of each check in turn."""
    armed, all_told = {}, []
    for found in checks:
        kinds, armed = due(before, found, wanted, armed)
        all_told.append(kinds)
        before = after(before, found)
    return all_told


def only(kind, checks, **more):
    return ["!" if kind in kinds else "." for kinds in told(checks, (kind, *more.pop("also", ())), **more)]


@given(st.lists(FACTS | st.just(DOWN), max_size=40))
def test_below_the_threshold_is_told_once_for_each_crossing(checks):
    marks = only(AlertKind.BELOW_THRESHOLD, checks)
    amounts = [(found.price, mark) for found, mark in zip(checks, marks, strict=True) if found.price is not None]
    below = [amount < 20 for amount, _ in amounts]
    expected = [now and not was for was, now in pairwise([False, *below])]
    assert [mark == "!" for _, mark in amounts] == expected
    assert all(mark == "." for found, mark in zip(checks, marks, strict=True) if found.price is None)


@given(CHECKS)
def test_a_new_lowest_price_is_below_every_one_at_which_one_could_buy(checks):
    for number, kinds in enumerate(told(checks)):
        earlier = [found.price for found in checks[:number] if found.can_be_bought]
        is_lowest = checks[number].can_be_bought and bool(earlier) and checks[number].price < min(earlier)
        assert (AlertKind.NEW_LOWEST in kinds) == is_lowest


@given(CHECKS)
def test_any_change_is_told_when_and_only_when_the_price_is_another(checks):
    last = None
    for found, kinds in zip(checks, told(checks), strict=True):
        changed = found.price is not None and last is not None and found.price != last
        assert (AlertKind.ANY_CHANGE in kinds) == changed
        last = last if found.price is None else found.price


@given(CHECKS, st.integers(1, 6))
def test_failures_are_told_once_in_a_row_and_followed_by_the_recovery(checks, limit):
    row, failing = 0, False
    for found, kinds in zip(checks, told(checks, before=replace(START, failing_after=limit)), strict=True):
        row = row + 1 if found.price is None else 0
        assert (AlertKind.FAILING in kinds) == (row == limit)
        assert (AlertKind.RECOVERED in kinds) == (failing and row == 0)
        failing = row >= limit


@given(CHECKS)
def test_a_product_that_is_gone_is_told_once_until_it_is_there_again(checks):
    gone = False
    for found, kinds in zip(checks, told(checks), strict=True):
        assert (AlertKind.GONE in kinds) == (found is GONE and not gone)
        gone = True if found is GONE else gone and found.price is None


@given(CHECKS, st.sets(st.sampled_from(AlertKind)))
def test_nothing_is_told_that_was_not_chosen(checks, wanted):
    for kinds in told(checks, wanted):
        assert set(kinds) <= wanted | ({AlertKind.RECOVERED} if AlertKind.FAILING in wanted else set())
        assert len(kinds) == len(set(kinds))


@given(CHECKS)
def test_a_failed_check_tells_of_no_price(checks):
    for found, kinds in zip(checks, told(checks), strict=True):
        if found.price is None:
            assert set(kinds) <= {AlertKind.GONE, AlertKind.FAILING}


@given(st.lists(PRICES, min_size=1, max_size=20))
def test_prices_of_another_currency_cross_no_threshold(amounts):
    assert "!" not in only(AlertKind.BELOW_THRESHOLD, [price(amount, "EUR") for amount in amounts])


@pytest.mark.parametrize(
    ("kind", "checks", "marks"),
    [
        (AlertKind.BELOW_THRESHOLD, [price("19.99"), price("19.99"), price(20), price("19.99")], "!..!"),
        (AlertKind.BELOW_THRESHOLD, [price(10, availability="out_of_stock"), price(10, availability="in_stock")], ".!"),
        (AlertKind.BELOW_THRESHOLD, [price(10), price(10, "EUR"), price(30, "EUR"), price(9)], "!..."),
        (AlertKind.NEW_LOWEST, [price(10), price(10), price("9.999"), price(0), price(0)], "..!!."),
        (AlertKind.DROP, [price(100), price("90.01"), price(81), price(73), price(0), price(0)], "..!.!."),
        (AlertKind.BACK_IN_STOCK, [price(9, availability="in_stock"), price(9, availability="out_of_stock"), DOWN, price(9, availability="in_stock")], "...!"),
        (AlertKind.BACK_IN_STOCK, [price(9, availability="out_of_stock"), price(9)], ".."),
        (AlertKind.GONE, [GONE, DOWN, GONE, price(9), GONE], "!...!"),
        (AlertKind.USUAL_PRICE, [price(9, list_price=Decimal(20)), price(15, list_price=Decimal(20)), price(20), price(20)], "..!."),
        (AlertKind.USUAL_PRICE, [price(9), price(20)], ".."),
        (AlertKind.ANY_CHANGE, [price("2879.2"), price("2879.20"), price("2879.21"), price(5, "EUR")], "..!."),
        (AlertKind.FAILING, [DOWN, DOWN, DOWN, DOWN, price(9), DOWN, DOWN, DOWN], "..!....!"),
    ],
)  # fmt: skip
def test_examples(kind, checks, marks):
    assert "".join(only(kind, checks)) == marks


def test_a_first_price_below_the_threshold_is_told():
    assert told([price(5)], (AlertKind.BELOW_THRESHOLD,)) == [[AlertKind.BELOW_THRESHOLD]]


def test_without_a_currency_the_threshold_is_in_that_of_the_price():
    before = Before(threshold=Decimal(20))
    assert due(before, price(5, "EUR"), EVERY, {})[0] == [AlertKind.BELOW_THRESHOLD]

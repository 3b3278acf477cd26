"""Billing months in texts; of one that a portal does not offer, what its list says decides whether it may still come."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrapers.core.outcomes import NoLongerAvailable, NotYetPublished, PortalChanged
from scrapers.core.periods import month_missing, months_in

OCTOBER, TODAY = date(2026, 10, 31), date(2026, 11, 20)
LONG_AGO = date(2025, 3, 31)


@pytest.mark.parametrize(
    ("month", "offered", "failure"),
    [
        (OCTOBER, ["September 2026", "August 2026"], NotYetPublished),
        (OCTOBER, ["All bills", "September 2026"], NotYetPublished),
        (LONG_AGO, ["September 2026", "August 2026"], NoLongerAvailable),
    ],
)
def test_the_months_that_are_offered_say_whether_it_may_still_come(month, offered, failure):
    assert type(month_missing(month, offered, TODAY)) is failure


@pytest.mark.parametrize(
    "said",
    [
        "No bills",
        "There are no statements yet.",
        "No data available in table",
        "No matching documents found",
        "Nothing to show",
        "Aucun relevé disponible",
        "Aucune facture",
    ],
)
def test_a_list_that_says_that_it_is_empty_is_believed(said):
    assert type(month_missing(OCTOBER, ["Bill month", said], TODAY)) is NotYetPublished
    assert type(month_missing(LONG_AGO, [said], TODAY)) is NoLongerAvailable


@pytest.mark.parametrize("month", [OCTOBER, LONG_AGO])
@pytest.mark.parametrize(
    "offered",
    [[], [""], ["Loading"], ["Select a month"], ["No report selected"], ["Novembre dernier"], ["Notable bills"]],
)
def test_a_list_of_which_no_month_was_read_was_not_understood(month, offered):
    assert type(month_missing(month, offered, TODAY)) is PortalChanged


@given(
    number=st.from_regex(r"[0-9]{1,2}-[0-9]{4}-[0-9]{4}|(19|20)[0-9]{2}-[0-9]{1,2}-[0-9]{4}", fullmatch=True),
    sign=st.sampled_from("-. /"),
    month=st.dates(date(1990, 1, 1), date(2099, 12, 31)),
    form=st.sampled_from(["%b %Y", "%Y-%m", "%m/%Y", "%B %d, %Y"]),
)
def test_a_number_in_groups_names_no_month(number, sign, month, form):
    grouped = number.replace("-", sign)
    assert months_in(f"Account {grouped} | {month:{form}}") == [(month.year, month.month)]

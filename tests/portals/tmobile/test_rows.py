"""What T-Mobile writes: periods without a year, rows of its list of reports, sizes of its pool."""

from __future__ import annotations

import json
from calendar import isleap
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from database.families.cycles import period as cycle_of
from scrapers.core.outcomes import NoLongerAvailable, NotYetPublished, PortalChanged
from scrapers.families.carriers.ordered import Entry
from scrapers.portals.tmobile.history import Made, entries_of, run_date
from scrapers.portals.tmobile.periods import TOLERANCE, days_of, latest, place_of
from scrapers.portals.tmobile.pool import pool_used

OURS, OTHER = "123456782", "123456790"
NBSP = "\u00a0"


def written(start: date, end: date) -> str:
    """Return a period as the portal writes it."""
    return f"{start:%b} {start.day} - {end:%b} {end.day}"


def bills(billing_day: int, newest: tuple[int, int], count: int) -> list[tuple[date, date]]:
    """Return the cycles of some months, the newest first."""
    year, month = newest
    months = [divmod(year * 12 + month - 1 - back, 12) for back in range(count)]
    return [cycle_of(billing_day, at, number + 1) for at, number in months]


# Periods


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Dec 16 - Jan 15", (12, 16, 1, 15)),
        ("Dec 16 \u2013 Jan 15", (12, 16, 1, 15)),
        (f"Feb{NBSP}1 - Feb{NBSP}29", (2, 1, 2, 29)),
        ("September 5 - October 4", (9, 5, 10, 4)),
        ("Sept. 5-Oct. 4", (9, 5, 10, 4)),
        ("Oct 1 - Oct 31 $120.50", (10, 1, 10, 31)),
        ("Current", None),
        ("Current (Nov 1 - Nov 30)", None),
        ("View historical", None),
        ("View historical: Oct 1 - Oct 31", None),
        ("Feb 30 - Mar 1", None),
        ("Oct 1", None),
        ("Oct 1 - Oct 31, Nov 1 - Nov 30", None),
        ("10/1 - 10/31", None),
        ("Foo 1 - Oct 31", None),
        ("", None),
    ],
)
def test_an_option_is_a_period_or_none(text, days):
    assert days_of(text) == days


TODAY = date(2027, 1, 20)
YEAR = [written(*each) for each in bills(15, (2027, 1), 12)]
TWO_YEARS = [written(*each) for each in bills(15, (2027, 1), 24)]


@pytest.mark.parametrize(
    "options", [["Current", *YEAR, "View historical"], [*YEAR[::-1], "Current"], [*YEAR[1:11:2], *YEAR[:11:2]]]
)
@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2026, 12, 16), date(2027, 1, 15)),
        (date(2026, 11, 16), date(2026, 12, 15)),
        (date(2026, 2, 16), date(2026, 3, 15)),
        (date(2026, 12, 18), date(2027, 1, 18)),  # within the tolerance
    ],
)
def test_a_period_over_new_year_belongs_to_the_year_in_which_it_ends(options, start, end):
    days = days_of(options[place_of(options, start, end, TODAY)])
    assert days is not None
    assert days[2] == end.month


@pytest.mark.parametrize("options", [YEAR, YEAR[::-1]])
def test_a_bill_of_a_year_ago_does_not_pass_for_one_that_is_not_there_yet(options):
    with pytest.raises(NotYetPublished):
        place_of(options, date(2027, 1, 16), date(2027, 2, 15), date(2027, 2, 20))


def test_twelve_bills_without_an_order_may_be_of_two_years():
    with pytest.raises(PortalChanged):
        place_of([*YEAR[1::2], *YEAR[::2]], date(2027, 1, 16), date(2027, 2, 15), date(2027, 2, 20))


@pytest.mark.parametrize(
    ("start", "end", "failure"),
    [
        (date(2027, 1, 16), date(2027, 2, 15), NotYetPublished),
        (date(2025, 12, 16), date(2026, 1, 15), NoLongerAvailable),  # the same days a year before
        (date(2027, 12, 16), date(2028, 1, 15), NotYetPublished),
        (date(2026, 12, 25), date(2027, 1, 24), NotYetPublished),
        (date(2026, 11, 25), date(2026, 12, 24), PortalChanged),  # nine days are no tolerance
        (date(2026, 11, 1), date(2026, 12, 15), PortalChanged),  # it begins another day
    ],
)
def test_no_other_period_is_taken(start, end, failure):
    with pytest.raises(failure):
        place_of(["Current", *YEAR, "View historical"], start, end, TODAY)


@pytest.mark.parametrize("reverse", [False, True])
def test_the_order_tells_the_year_where_days_come_twice(reverse):
    options = TWO_YEARS[::-1] if reverse else TWO_YEARS
    for place, (start, end) in enumerate(bills(15, (2027, 1), 24)):
        assert place_of(options, start, end, TODAY) == (len(options) - 1 - place if reverse else place)


@pytest.mark.parametrize(
    "options",
    [
        [*TWO_YEARS[::2], *TWO_YEARS[1::2]],
        [YEAR[0], YEAR[0]],
        [*YEAR, YEAR[3]],
        ["Oct 1 - Oct 31", "Feb 1 - Feb 28", "Mar 1 - Mar 31"],  # of one year out of order, or of two with gaps
    ],
)
def test_years_that_are_not_certain_are_refused(options):
    with pytest.raises(PortalChanged, match="not certain"):
        place_of(options, date(2026, 2, 1), date(2026, 2, 28), TODAY)


@pytest.mark.parametrize("options", [[], ["Current", "View historical"], ["2026"]])
def test_a_list_without_periods_is_not_understood(options):
    with pytest.raises(PortalChanged, match="No period"):
        place_of(options, date(2026, 12, 16), date(2027, 1, 15), TODAY)


def test_a_leap_day_is_of_a_leap_year():
    options = ["Mar 1 - Mar 31", "Feb 1 - Feb 29", "Jan 1 - Jan 31"]
    assert place_of(options, date(2028, 2, 1), date(2028, 2, 29), date(2028, 4, 5)) == 1
    assert place_of(options[1:], date(2028, 2, 1), date(2028, 2, 29), date(2028, 3, 1)) == 0
    with pytest.raises(PortalChanged):
        place_of(options, date(2027, 2, 1), date(2027, 2, 28), date(2027, 4, 5))


@given(
    billing_day=st.integers(1, 31),
    newest=st.dates(date(2024, 1, 1), date(2040, 12, 31)),
    count=st.integers(1, 30),
    reverse=st.booleans(),
    since=st.integers(0, 26),
    place=st.integers(0, 29),
)
@example(billing_day=31, newest=date(2028, 2, 29), count=14, reverse=False, since=0, place=0)
@example(billing_day=29, newest=date(2029, 1, 1), count=30, reverse=True, since=26, place=11)
def test_every_bill_of_a_list_is_found_at_its_place(billing_day, newest, count, reverse, since, place):
    cycles = bills(billing_day, (newest.year, newest.month), count)
    today = cycles[0][1] + timedelta(days=since)
    options = ["Current", *(written(*each) for each in cycles), "View historical"]
    options = options[::-1] if reverse else options
    place %= count
    start, end = cycles[place]
    assert options[place_of(options, start, end, today)] == written(start, end)
    assert place_of(options, start, end, today) == (len(options) - 2 - place if reverse else place + 1)


@given(
    billing_day=st.integers(1, 31),
    newest=st.dates(date(2024, 1, 1), date(2040, 12, 31)),
    count=st.integers(1, 30),
    start=st.dates(date(2022, 1, 1), date(2042, 1, 1)),
    length=st.integers(25, 35),
)
def test_what_is_found_is_never_another_cycle(billing_day, newest, count, start, length):
    cycles = bills(billing_day, (newest.year, newest.month), count)
    end = start + timedelta(days=length)
    try:
        place = place_of([written(*each) for each in cycles], start, end, cycles[0][1] + timedelta(days=5))
    except (PortalChanged, NotYetPublished, NoLongerAvailable):
        return
    begins, ends = cycles[place]
    assert abs(begins - start) <= TOLERANCE
    assert abs(ends - end) <= TOLERANCE


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.dates(date(2004, 1, 1), date(2060, 12, 31)))
def test_the_latest_day_is_the_latest(day, until):
    found = latest(day.month, day.day, until)
    assert found <= until
    assert (found.month, found.day) == (day.month, day.day)
    following = next(
        year for year in range(found.year + 1, found.year + 9) if (day.month, day.day) != (2, 29) or isleap(year)
    )
    assert date(following, day.month, day.day) > until


# My reports

DAY = date(2026, 11, 20)


def row(
    name: str = "Usage Detail Report",
    detail: str = f"Oct 2026 | {OURS}",
    ran: str = f"Nov{NBSP}20,{NBSP}2026",
    status: str = "Completed",
) -> Made:
    return Made.of(name, detail, ran, status)


def found(
    *rows: Made, name: str = "Usage Detail Report", month: tuple[int, int] | None = (2026, 10)
) -> list[tuple[bool, bool]]:
    return [(entry.is_ready, entry.failed) for entry in entries_of(rows, name, OURS, month, DAY)]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, [(True, False)]),
        ({"detail": "Oct 2026 | 123-456-782"}, [(True, False)]),
        ({"detail": f"October{NBSP}2026{NBSP}|{NBSP}{OURS}"}, [(True, False)]),
        ({"status": "Pending"}, [(False, False)]),
        ({"status": "Not completed"}, [(False, False)]),
        ({"status": "Failed"}, [(False, True)]),
        ({"status": "Completed with errors"}, [(False, True)]),
        ({"ran": "Nov 20, 2026 9:41 AM"}, [(True, False)]),
        ({"ran": "Nov 19, 2026"}, []),
        ({"ran": "Nov 21, 2026"}, []),
        ({"ran": "Nov 20, 2025"}, []),
        ({"ran": ""}, []),
        ({"detail": f"Sep 2026 | {OURS}"}, []),
        ({"detail": f"Oct 2025 | {OURS}"}, []),
        ({"detail": f"Oct 2026 | {OTHER}"}, []),
        ({"detail": f"Oct 2026 | {OURS}0"}, []),
        ({"detail": f"Oct 2026 | {OURS}, {OTHER}"}, []),
        ({"detail": OURS}, []),  # of no month
        ({"detail": f"Sep 2026 - Oct 2026 | {OURS}"}, []),
        ({"name": "Usage Detail"}, []),
        ({"name": "Usage Detail Report (copy)"}, []),
    ],
)
def test_a_billing_report_is_of_the_name_account_month_and_day(changed, expected):
    assert found(row(**changed)) == expected


@pytest.mark.parametrize(
    ("detail", "expected"),
    [(OURS, [(True, False)]), (f"| {OURS}", [(True, False)]), (f"Oct 2026 | {OURS}", []), (OTHER, [])],
)
def test_an_equipment_report_is_of_no_month(detail, expected):
    name = "Equipment Inventory Report"
    assert found(row(name=name, detail=detail), name=name, month=None) == expected


def test_each_entry_has_a_selector_of_its_own():
    entries: list[Entry] = list(
        entries_of([row(), row(status="Pending"), row()], "Usage Detail Report", OURS, (2026, 10), DAY)
    )
    assert [entry.selector.rpartition(" ")[2] for entry in entries if entry.is_ready] == ["nth=0", "nth=1"]


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.sampled_from([" ", NBSP, "\u202f", "  "]))
def test_every_run_date_is_read(day, blank):
    assert run_date(f"{day:%b}{blank}{day.day},{blank}{day.year}") == day


@pytest.mark.parametrize(
    "text", ["Feb 29, 2027", "Nov 2026", "11/20/2026", "Foo 1, 2026", "Nov 20, 2026 - Nov 21, 2026", ""]
)
def test_no_run_date_is_made_up(text):
    assert run_date(text) is None


# The pool

END = date(2026, 10, 31)


def history(*entries: object, **more: object) -> object:
    return json.loads(json.dumps({"presentationHints": {"recentUsageHistory": entries}, **more}), parse_float=Decimal)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("1.5", 1610612736),
        ("0", 0),
        ("12", 12 * 1024**3),
        ("1,024.25", 1024**4 + 1024**3 // 4),
        ("1.5 GB", 1610612736),
        ("512 MB", 1024**3 // 2),
        (1.5, 1610612736),
        (2, 2 * 1024**3),
        ("0.1", 107374182),
        ("unlimited", None),
        ("-1", None),
        ("", None),
        (None, None),
        (True, None),
        ([], None),
    ],
)
def test_a_number_of_gb_is_read_exactly(data, expected):
    assert pool_used([history({"date": "2026-10-31", "data": data})], OURS, END) == expected


@given(st.decimals(0, 100_000, places=3))
def test_every_number_of_gb_is_read_exactly(number):
    assert pool_used([history({"date": "2026-10-31", "data": f"{number:f}"})], OURS, END) == round(number * 1024**3)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], None),
        ([history()], None),
        ([history({"date": "2026-09-30", "data": "1"})], None),
        ([history({"date": "2025-10-31", "data": "1"})], None),
        ([history({"date": "2026-10", "data": "1"})], None),
        ([history({"date": "2026-10-32", "data": "1"})], None),
        ([history({"date": None, "data": "1"}, "x", {"date": "2026-10-01", "data": "2"})], 2 * 1024**3),
        ([history({"date": "2026-09-30", "data": "1"}, {"date": "2026-10-31", "data": "2"})], 2 * 1024**3),
        ([history({"date": "2026-10-01", "data": "1"}, {"date": "2026-10-31", "data": "2"})], None),
        ([history({"date": "2026-10-31", "data": "2"})] * 2, 2 * 1024**3),
        ([history({"date": "2026-10-31", "data": "1"}, accountNumber=OTHER)], None),
        ([history({"date": "2026-10-31", "data": "1"}, accountNumber=OURS)], 1024**3),
        (
            [
                history({"date": "2026-10-31", "data": "9"}, ban=int(OTHER)),
                history({"date": "2026-10-31", "data": "1"}),
            ],
            1024**3,
        ),
        ([[{"document": history({"date": "2026-10-31", "data": "1"})}], "text", None], 1024**3),
        (
            [
                {"presentationHints": None},
                {"presentationHints": {"recentUsageHistory": None}},
                {"recentUsageHistory": [1]},
            ],
            None,
        ),
    ],
)
def test_the_month_s_entry_alone_is_the_pool_s_use(answers, expected):
    assert pool_used(answers, OURS, END) == expected

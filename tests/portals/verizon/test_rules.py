"""Verizon's rules without a page: the dates of its reports, and the names of the members of its ZIP."""

from __future__ import annotations

import re
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from scrapers.core.outcomes import NoLongerAvailable, NotYetPublished, PortalChanged
from scrapers.core.periods import names_month
from scrapers.families.carriers.spiders import CarrierTarget
from scrapers.portals.verizon.dates import Days, a_month_later, newest_month
from scrapers.portals.verizon.monthly_reports import VerizonMonthlyReports

TODAY = date(2026, 11, 20)
OCTOBER, MID_OCTOBER = date(2026, 10, 31), date(2026, 10, 15)


@pytest.mark.parametrize(
    ("offered", "end", "today", "month"),
    [
        (["Oct 2026"], OCTOBER, TODAY, (2026, 10)),
        (["Select a month", "Oct 2026", "Sep 2026", "Oct 2025"], OCTOBER, TODAY, (2026, 10)),
        (["Dec 2025", "Sep 2026", "October 2026"], OCTOBER, TODAY, (2026, 10)),
        (["Nov 2026", "Oct 2026"], OCTOBER, TODAY, (2026, 11)),
        (["Nov 2026"], OCTOBER, date(2026, 11, 29), (2026, 11)),
        (["Nov 2026"], MID_OCTOBER, date(2026, 11, 14), (2026, 11)),
        (["Jan 2027"], date(2026, 12, 31), date(2027, 1, 30), (2027, 1)),
        (["Feb 2028"], date(2028, 1, 31), date(2028, 2, 28), (2028, 2)),
        (["Feb 2028"], date(2028, 2, 29), date(2028, 3, 1), (2028, 2)),
    ],
)
def test_the_newest_month_is_that_of_the_cycle_or_the_running_one_after_it(offered, end, today, month):
    assert newest_month(offered, end, today) == date(month[0], month[1], 1)


@pytest.mark.parametrize(
    ("offered", "end", "today", "failure"),
    [
        (["Nov 2026", "Oct 2026"], OCTOBER, date(2026, 11, 30), NoLongerAvailable),
        (["Nov 2026"], MID_OCTOBER, date(2026, 11, 15), NoLongerAvailable),
        (["Nov 2026", "Sep 2026"], date(2026, 9, 30), TODAY, NoLongerAvailable),
        (["Dec 2026"], OCTOBER, TODAY, NoLongerAvailable),
        (["Feb 2028"], date(2028, 1, 31), date(2028, 2, 29), NoLongerAvailable),
        (["Sep 2026", "Aug 2026"], OCTOBER, TODAY, NotYetPublished),
        (["Oct 2025"], OCTOBER, TODAY, NotYetPublished),
        (["No reports available"], OCTOBER, TODAY, NotYetPublished),
        (["Loading"], OCTOBER, TODAY, PortalChanged),
        ([], OCTOBER, TODAY, PortalChanged),
    ],
)
def test_no_report_is_made_of_another_month(offered, end, today, failure):
    with pytest.raises(failure):
        newest_month(offered, end, today)


@pytest.mark.parametrize(
    ("day", "later"),
    [
        ((2026, 10, 31), (2026, 11, 30)),
        ((2026, 11, 30), (2026, 12, 31)),
        ((2028, 1, 31), (2028, 2, 29)),
        ((2027, 1, 30), (2027, 2, 28)),
        ((2028, 2, 29), (2028, 3, 31)),
        ((2026, 12, 15), (2027, 1, 15)),
    ],
)
def test_a_month_later(day, later):
    assert a_month_later(date(*day)) == date(*later)


@pytest.mark.parametrize(
    ("start", "end", "typed"),
    [
        (date(2026, 10, 1), date(2026, 10, 31), ["10/01/2026", "10/31/2026"]),
        (date(2028, 2, 1), date(2028, 2, 29), ["02/01/2028", "02/29/2028"]),
        (date(2026, 12, 16), date(2027, 1, 15), ["12/16/2026", "01/15/2027"]),
    ],
)
def test_days_are_written_as_in_the_united_states(start, end, typed):
    target = CarrierTarget(account_id=1, account="1", billing_cycle_id=2, start=start, end=end)
    page: Any = SimpleNamespace(job=SimpleNamespace(target=target))
    assert [text for _, text in Days._fields(page)] == typed


@pytest.mark.parametrize(
    ("end", "offered", "fits"),
    [
        (OCTOBER, "Oct 2026", True),
        (OCTOBER, "October 2026", True),
        (OCTOBER, "Oct 2025", False),
        (OCTOBER, "Nov 2026", False),
        (date(2028, 2, 29), "Feb 2028", True),
        (date(2026, 5, 31), "May 2026", True),
        (date(2027, 1, 1), "Jan 2027", True),
        (date(2026, 12, 31), "Dec 2026 (latest)", True),
    ],
)
def test_months_are_told_by_the_cycle_s_end(end, offered, fits):
    assert bool(names_month(offered, end)) is fits


MEMBERS = {each.slug: each.member for each in VerizonMonthlyReports.reports if each.member}


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Account & Wireless Summary_Oct_2026.csv", "account_wireless"),
        ("account_wireless_summary.csv", "account_wireless"),
        ("242000001 ACCOUNT_&_WIRELESS_SUMMARY 102026.txt", "account_wireless"),
        ("Acct & Wireless Charges Detail Summary Usage.csv", "wireless_charges_detail"),
        ("wireless_charges_detail_20261031.csv", "wireless_charges_detail"),
        ("Wireless Usage Detail.csv", "wireless_usage_detail"),
        ("wireless_usage_detail.csv", "wireless_usage_detail"),
        ("Account Summary.csv", None),
        ("Acct & Wireless Detail.csv", None),
        ("account_charges_detail.csv", None),
        ("wireless_summary.csv", None),
    ],
)
def test_members_are_told_by_a_part_of_their_name_in_both_spellings(name, slug):
    assert [each for each, member in MEMBERS.items() if re.search(member, name, re.I)] == ([slug] if slug else [])


def test_the_reports_are_those_of_the_carrier():
    required = {each.slug for each in VerizonMonthlyReports.reports if each.required}
    assert required == {
        "account_wireless",
        "wireless_charges_detail",
        "device_report",
        "suspended_wireless_numbers",
        "activation_and_deactivation",
    }
    assert {each.slug for each in VerizonMonthlyReports.reports} - required == {"wireless_usage_detail"}

"""Billing cycles and the accounts they belong to, on both databases."""

from __future__ import annotations

import doctest
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import func, select

from database.families import cycles
from database.families.accounts import AccountError, NewAccount, add_account, import_accounts, read_accounts
from database.families.imports import BadLines
from database.models import (
    Account,
    BillingCycle,
    BillingCycleFile,
    CarrierPortalCredential,
    CarrierReport,
    Client,
    ScraperConfig,
)
from tests.project import CARRIERS

NEW = NewAccount("Acme", "Head office", "bell", "500100200", billing_day=31)


def test_doctests():
    assert doctest.testmod(cycles).failed == 0


@pytest.mark.parametrize("day", [None, 0, 32])
def test_an_impossible_billing_day_counts_as_the_15th(day):
    assert cycles.period(day, 2026, 1) == (date(2025, 12, 16), date(2026, 1, 15))


@pytest.mark.parametrize("billing_day", range(1, 32))
def test_cycles_follow_each_other_without_gap_or_overlap(billing_day):
    for month in range(2, 13):
        before, after = cycles.period(billing_day, 2026, month - 1), cycles.period(billing_day, 2026, month)
        assert (after[0] - before[1]).days == 1
        assert cycles.month_of(billing_day, after[0]) == cycles.month_of(billing_day, after[1]) == (2026, month)


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "26-10", "2026-1", "2026-10-01", "", "1026-10", "２０２６-10"])
def test_a_malformed_month_is_refused(text):
    with pytest.raises(ValueError, match="2026-10"):
        cycles.parse_month(text)


def test_a_cycle_is_opened_once_with_its_reports(store):
    with store.transaction() as session:
        account, is_new = add_account(session, NEW, CARRIERS)
        reports = (("cost_overview", True), ("usage_overview", True), ("dtl", False))
        for slug, required in reports:
            session.add(CarrierReport(carrier_id=account.carrier_id, slug=slug, name=slug, required=required))
        cycle = cycles.cycle_for(session, account, 2028, 2)
        assert is_new
        assert (cycle.start_date, cycle.end_date) == (date(2028, 2, 1), date(2028, 2, 29))
    with store.transaction() as session:
        account = session.scalars(select(Account)).one()
        assert cycles.cycle_for(session, account, 2028, 2).id == cycle.id
        assert cycles.cycle_of_day(session, account, date(2028, 2, 29)).id == cycle.id
        slugs = session.scalars(select(CarrierReport.slug).join(BillingCycleFile)).all()
        assert sorted(slugs) == ["cost_overview", "dtl", "usage_overview"]


def test_a_report_that_comes_later_is_added_to_an_open_cycle(store):
    with store.transaction() as session:
        account, _ = add_account(session, NEW, CARRIERS)
        cycles.cycle_for(session, account, 2026, 10)
        session.add(CarrierReport(carrier_id=account.carrier_id, slug="dtl", name="Details", required=False))
    with store.transaction() as session:
        cycles.cycle_for(session, session.scalars(select(Account)).one(), 2026, 10)
        assert session.scalar(select(func.count()).select_from(BillingCycleFile)) == 1


def test_a_changed_billing_day_opens_no_second_cycle_for_a_month(store):
    with store.transaction() as session:
        account, _ = add_account(session, NEW, CARRIERS)
        first = cycles.cycle_for(session, account, 2026, 10)
        account.billing_day = 3
        assert cycles.cycle_for(session, account, 2026, 10).id == first.id


def test_several_runs_that_open_a_cycle_at_once_share_it(store):
    with store.transaction() as session:
        account, _ = add_account(session, NEW, CARRIERS)
        session.add_all(CarrierReport(carrier_id=account.carrier_id, slug=slug, name=slug) for slug in ("a", "b", "c"))

    def open_one(_):
        with store.transaction() as session:
            return cycles.cycle_for(session, session.scalars(select(Account)).one(), 2026, 10).id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(open_one, range(16)))) == 1
    with store.transaction() as session:
        assert session.scalar(select(func.count()).select_from(BillingCycle)) == 1
        assert session.scalar(select(func.count()).select_from(BillingCycleFile)) == 3


def test_an_account_is_linked_to_its_credential(store):
    with store.transaction() as session:
        session.add(CarrierPortalCredential(portal="bell", username="owner", password="not-a-real-one"))
    with store.transaction() as session:
        new = NewAccount("Acme", "Head office", "bell", "500100200", username="owner", nickname="Depot")
        account, _ = add_account(session, new, CARRIERS)
        config = session.scalars(select(ScraperConfig)).one()
        assert (config.account_id, config.credential.username, account.billing_day) == (account.id, "owner", 15)
        assert config.credential.client_id == account.workspace.client_id
        again, is_new = add_account(session, NEW, CARRIERS)
        assert (again.id, is_new, again.billing_day, again.nickname) == (account.id, False, 31, "Depot")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"carrier": "belle"}, "carrier"),
        ({"number": ""}, "number"),
        ({"client": "x" * 101}, "client"),
        ({"billing_day": 32}, "billing_day"),
        ({"username": "nobody"}, "username"),
        ({"workspace": "Another"}, "number"),
    ],
)
def test_what_is_wrong_with_an_account_is_named(store, change, field):
    with store.transaction() as session:
        add_account(session, NEW, CARRIERS)
    wrong = NewAccount(
        **({"client": "Acme", "workspace": "Head office", "carrier": "bell", "number": "500100200"} | change)
    )
    with pytest.raises(AccountError, match=f"^{field}: "), store.transaction() as session:
        add_account(session, wrong, CARRIERS)


def test_bad_lines_are_named_and_nothing_is_half_done(store):
    lines = read_accounts(
        ["client,workspace,carrier,number\n", "Acme,Depot,bell,1\n", "Acme,Depot,acme,2\n", "\n", "Acme,Depot,zzz,3\n"]
    )
    with pytest.raises(BadLines) as caught, store.transaction() as session:
        import_accounts(session, lines, CARRIERS)
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["Line 3", "Line 5"]
    with store.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Client)) == 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Line 1: the column client is missing"),
        ("client,workspace,carrier\n", "Line 1: the column number is missing"),
        ("client,workspace,carrier,number,password\n", "Line 1: 'password' is no column"),
        ("client,client,workspace,carrier,number\n", "Line 1: a column comes twice"),
        ("client,workspace,carrier,number\na,b,bell\n", "Line 2: it has not as many fields"),
        ("client,workspace,carrier,number\na,b,bell,1,2\n", "Line 2: it has not as many fields"),
        ("client,workspace,carrier,number\na,,bell,1\n", "Line 2: workspace is empty."),
        ("client,workspace,carrier,number,billing_day\na,b,bell,1,0\n", "Line 2: billing_day must be"),
        ("client,workspace,carrier,number\na,b,bell,1\na,c,bell,1\n", "Line 3: bell 1 stands in line 2"),
    ],
)
def test_a_malformed_file_is_refused_by_line(text, problem):
    with pytest.raises(BadLines) as caught:
        read_accounts(text.splitlines(keepends=True))
    assert caught.value.problems[0].startswith(problem)


def test_a_file_from_a_spreadsheet_is_read():
    """Semicolons, a byte order mark, capital letters and quotes, as spreadsheets write them."""
    text = '\ufeffClient;Workspace;Carrier;Number;Billing_day\n"Acme; Sons";Depot;bell;0042;7\n'
    ((line, account),) = read_accounts(text.splitlines(keepends=True))
    assert (line, account.client, account.number, account.billing_day) == (2, "Acme; Sons", "0042", 7)

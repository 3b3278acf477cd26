"""Every carrier's spider over New Year, leap days and month ends: which cycle it is asked for, and by which words it asks."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from scrapy.settings import Settings

from database.families import cycles
from database.families.accounts import NewAccount, add_account
from database.jobs.queue import add
from database.models import BillingCycle
from jobs.clock import TurnableClock
from jobs.planning import Planner, Spiders, Wanted
from scrapers.core.outcomes import NoLongerAvailable, NotYetPublished
from scrapers.families.carriers import spiders
from tests.portals.moments import EASTERN, MOMENTS, ONE, Cycle, Moment, closed, closes, present
from tests.portals.paper import ACCOUNT, DropDown, Paper, run
from tests.portals.test_carriers import SPIDERS
from tests.project import CARRIERS

NAMES = "January February March April May June July August September October November December".split()
OFFERED = 14  # cycles that a portal lists: the present one, and those that have ended before
MISSING = (NotYetPublished, NoLongerAvailable)
Take = Callable[[Sequence[Cycle], Cycle, date], "int | None"]


# How portals write a period


def long(day: date) -> str:
    return f"{NAMES[day.month - 1]} {day.year}"


def short(day: date) -> str:
    return f"{NAMES[day.month - 1][:3]} {day.year}"


def american(day: date) -> str:
    return f"{day.month:02}/{day.day:02}/{day.year}"


def without_year(cycle: Cycle) -> str:
    return " - ".join(f"{NAMES[day.month - 1][:3]} {day.day}" for day in (cycle.start, cycle.end))


def compact(day: date) -> str:
    return f"{day.year}{day.month:02}"


# How each spider asks for one: which of the offered cycles its own steps take


def of(name: str) -> Any:
    """Return a spider that was never started."""
    return object.__new__(SPIDERS[name])


def report(name: str, slug: str) -> Any:
    spider: Any = SPIDERS[name]
    return next(each for each in spider.reports if each.slug == slug)


def place(page: Paper, texts: Sequence[str]) -> int:
    """Return the place of what was taken; of several choices of the same period, all must be of it."""
    (at,) = {texts.index(text) for text in page.taken}
    return at


def bell_monthly(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int:
    from scrapers.portals.bell.workbooks import choose_month

    page = Paper(wanted, [short(each.end) for each in offered])
    run(choose_month(page, today))
    return place(page, page.offered)


def bell_notifications(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int | None:
    one = report("bell_monthly_reports", "cost_overview")
    page = Paper(wanted, listed=[(one.name, f"{one.name} {short(each.end)}", "a minute ago", True) for each in offered])
    return only(run(of("bell_monthly_reports").entries(page, one)))


def bell_ereports(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int:
    """From and to are months of the cycle's first and last day."""
    months = dict.fromkeys(short(day) for each in offered for day in (each.end, each.start))
    if wanted not in offered:
        months.pop(short(wanted.end), None)
    page = Paper(wanted, list(months))
    run(of("bell_ereports").order(page, report("bell_ereports", "cost_overview")))
    assert page.taken == [short(wanted.start), short(wanted.end)]
    return [short(each.end) for each in offered].index(page.taken[1])


def bell_pdf(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int:
    page = Paper(wanted, [long(each.end) for each in offered])
    run(of("bell_pdf_invoice").fetch(page))
    return place(page, page.offered)


def telus_bundle(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int:
    """The months stand below the headings of their years."""
    page = Paper(wanted, listed=[[NAMES[each.end.month - 1], str(each.end.year)] for each in offered])
    run(of("telus_monthly_reports").bundle(page))
    return page.place


def by_value(step: Callable[[Paper], Any], value: Callable[[Cycle], str], others: str) -> Take:
    """Return how a step takes a cycle in the drop-down whose values begin with a letter; there are *others* beside them."""

    def take(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int:
        options = [(value(each), f"{long(each.end)} bills") for each in offered]
        page = Paper(wanted)
        page.element = DropDown(page, [*options, *((f"{others}{option[1:]}", "Other") for option, _ in options)])
        run(step(page))
        return place(page, [text for _, text in options])

    return take


def telus_devices(page: Paper) -> Any:
    return of("telus_monthly_reports").devices(page)


def att_monthly(page: Paper) -> Any:
    return of("att_monthly_reports").fetch(page, report("att_monthly_reports", "wireless_charges"))


def telus_pdf(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int:
    """The month is chosen by its name; the entry says its year and number."""
    page = Paper(
        wanted, [long(each.end) for each in offered], [f"Bill {each.end.year}/{each.end.month:02}" for each in offered]
    )
    run(of("telus_pdf_invoice").fetch(page))
    assert page.place == place(page, page.offered)
    return page.place


def att_pdf(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int:
    page = Paper(wanted, [long(each.end) for each in offered])
    run(of("att_pdf_invoice").fetch(page))
    return place(page, page.offered)


def rogers_monthly(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int:
    from scrapers.portals.rogers.reports import choose_bill_cycle

    page = Paper(wanted, listed=[american(each.end) for each in offered])
    ticked = list[str]()

    async def tick(names: Any, **_: Any) -> None:
        ticked.append(names[0])

    setattr(page, "tick", tick)
    run(choose_bill_cycle(page, today))
    (one,) = ticked
    return page.scope.listed.index(json.loads(one.partition("[value=")[2].removesuffix("]")))


def rogers_pdf(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int:
    page = Paper(wanted, [f"{each.end.day:02}-{short(each.end).replace(' ', '-')}" for each in offered])
    run(of("rogers_pdf_invoice").fetch(page))
    return place(page, page.offered)


def chosen_in_panel(module: str, monkeypatch: pytest.MonkeyPatch, offered: list[str], *given: str) -> list[int]:
    """Let a module's drop-downs offer some texts; return the list of the places that are taken. given: steps that do nothing."""
    taken = list[int]()

    async def choose(page: Any, opener: Any, which: Callable[[list[str]], int], **_: Any) -> None:
        taken.append(which(offered))

    async def nothing(*_: Any, **__: Any) -> str:
        return ""

    monkeypatch.setattr(f"{module}.choose_in_panel", choose)
    for name in given:
        monkeypatch.setattr(f"{module}.{name}", nothing)
    return taken


def tmobile_monthly(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int:
    module = "scrapers.portals.tmobile.templates"
    with pytest.MonkeyPatch.context() as patched:
        taken = chosen_in_panel(module, patched, [long(each.end) for each in offered])
        run(import_module(module).choose_period(Paper(wanted), wanted.end, today))
    return taken[0]


def tmobile_made(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int | None:
    """Reports of today and of yesterday, of all months; the date has a non-breaking space."""
    history = import_module("scrapers.portals.tmobile.history")
    name = "Usage Detail Report"
    days = [f"{NAMES[day.month - 1][:3]}\u00a0{day.day}, {day.year}" for day in (today - ONE, today)]
    found = []
    for at, each in enumerate(offered):
        rows = [history.Made.of(name, f"{short(each.end)} | {ACCOUNT}", day, "Completed") for day in days]
        month = (wanted.end.year, wanted.end.month)
        found += [at for _ in history.entries_of(rows, name, ACCOUNT, month, today)]
    assert len(found) <= 1
    return found[0] if found else None


def tmobile_pdf(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int:
    """Of bills alone, whose periods have ended; beside them are two options that are none."""
    module = "scrapers.portals.tmobile.pdf_invoice"
    bills = [each for each in offered if each.end < today]
    with pytest.MonkeyPatch.context() as patched:
        texts = ["Current", *map(without_year, bills), "View historical"]
        taken = chosen_in_panel(module, patched, texts, "find_account", "open_account", "confirm_account")
        run(of("tmobile_pdf_invoice").fetch(Paper(wanted)))
    return offered.index(bills[taken[0] - 1])


def tmobile_pool(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int | None:
    """What the pool has used in the month in which the cycle ends."""
    told = [{"date": each.end.isoformat(), "data": str(at)} for at, each in enumerate(offered)]
    pool = import_module("scrapers.portals.tmobile.pool")
    used = pool.pool_used([{"presentationHints": {"recentUsageHistory": told}}], ACCOUNT, wanted.end)
    return None if used is None else used // 2**30


def verizon_raw(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int:
    page = Paper(wanted, [short(each.end) for each in offered])
    run(of("verizon_monthly_reports").raw_data(page))
    return place(page, page.offered)


def verizon_days(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int | None:
    """Both days are typed: there is nothing to choose."""
    page = Paper(wanted)
    run(import_module("scrapers.portals.verizon.dates").Days().choose(page, today))
    typed = [[american(each.start), american(each.end)] for each in offered]
    return typed.index(page.typed) if page.typed in typed else None


def verizon_newest(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int:
    """Of months that have ended, whose newest one is the only one of which there is a report."""
    newest_month = import_module("scrapers.portals.verizon.dates").newest_month
    found = newest_month([short(each.end) for each in offered if each.end < today], wanted.end, today)
    return [compact(each.end) for each in offered].index(compact(found))


def verizon_pdf(offered: Sequence[Cycle], wanted: Cycle, today: date) -> int:
    module = import_module("scrapers.portals.verizon.pdf_invoice")
    page = Paper(wanted, listed=[(long(each.end), f"{long(each.end)} {ACCOUNT}") for each in offered])

    async def nothing(page: Any) -> None: ...

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "open_recent_bills", nothing)
        run(of("verizon_pdf_invoice").fetch(page))
    return page.place


def only(entries: Sequence[Any]) -> int | None:
    """Return the place in a list of its only entry."""
    (selector,) = [each.selector for each in entries] or [""]
    return int(selector.rpartition("nth=")[2]) if selector else None


# None where a spider names no period to its portal: it fetches what is present.
TAKES: dict[str, tuple[Take, ...]] = {
    "att_daily_usage": (),
    "att_monthly_reports": (by_value(att_monthly, lambda each: f"c{compact(each.end)}01", "b"),),
    "att_pdf_invoice": (att_pdf,),
    "bell_daily_usage": (),
    "bell_ereports": (bell_ereports,),
    "bell_monthly_reports": (bell_monthly, bell_notifications),
    "bell_pdf_invoice": (bell_pdf,),
    "rogers_daily_usage": (),
    "rogers_monthly_reports": (rogers_monthly,),
    "rogers_pdf_invoice": (rogers_pdf,),
    "telus_daily_usage": (),
    "telus_monthly_reports": (
        telus_bundle,
        by_value(telus_devices, lambda each: f"b{compact(each.end)}{each.end.day:02}", "c"),
    ),
    "telus_pdf_invoice": (telus_pdf,),
    "tmobile_daily_usage": (tmobile_pool,),
    "tmobile_monthly_reports": (tmobile_monthly, tmobile_made),
    "tmobile_pdf_invoice": (tmobile_pdf,),
    "verizon_daily_usage": (),
    "verizon_monthly_reports": (verizon_raw, verizon_days, verizon_newest),
    "verizon_pdf_invoice": (verizon_pdf,),
}
NEWEST_ALONE = (verizon_newest,)  # of what is kept of the newest cycle alone
TYPED = (verizon_days,)  # what is not offered, but typed


def frozen(monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    """Stop the clock by which spiders tell their portal's date."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return at.astimezone(tz)

    monkeypatch.setattr(spiders, "datetime", Stopped)


def test_the_table_is_what_the_calendar_says():
    assert len(MOMENTS) >= 60
    assert {moment.billing_day for moment in MOMENTS} == set(range(1, 32))
    assert sum(moment.at.date() > moment.today for moment in MOMENTS) >= 20
    for moment in MOMENTS:
        assert closed(moment.today, moment.billing_day, 1) == [moment.newest], moment


@pytest.mark.parametrize("billing_day", range(1, 32))
def test_cycles_are_the_calendar_s_on_every_date(billing_day):
    for today in {moment.today for moment in MOMENTS}:
        (newest,), now = closed(today, billing_day, 1), present(today, billing_day)
        assert cycles.latest_closed(billing_day, today) == (newest.end.year, newest.end.month)
        assert cycles.period(billing_day, newest.end.year, newest.end.month) == (newest.start, newest.end)
        assert cycles.month_of(billing_day, today) == (now.end.year, now.end.month)
        assert now.start <= today <= now.end
        assert closes(newest.end, billing_day)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", SPIDERS)
def test_the_job_is_of_the_newest_closed_cycle_or_of_the_portal_s_day(store, monkeypatch, name):
    """At every instant of the table, also while the present cycle is open, and by the portal's date alone."""
    spider = SPIDERS[name]
    assert spider.time_zone in EASTERN
    clock, wrong = TurnableClock(MOMENTS[0].at), []
    planner = Planner(Spiders(Settings({"SPIDER_MODULES": ["scrapers.portals"]})), clock)
    with store.transaction() as session:
        account, _ = add_account(session, NewAccount("Acme", "Main", spider.portal, ACCOUNT), CARRIERS)
        for moment in MOMENTS:
            clock.at = moment.at
            frozen(monkeypatch, moment.at)
            with session.begin_nested() as unkept:
                account.billing_day = moment.billing_day
                cycles.cycle_of_day(session, account, moment.today)  # as the portal's daily usage has opened it
                found = planned(session, planner, name)
                unkept.rollback()
            if found != wanted_of(spider, moment):
                wrong.append((moment, found))
    assert wrong == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", [name for name, spider in SPIDERS.items() if not spider.takes_cycles])
def test_a_daily_job_that_waited_over_the_end_of_its_cycle_is_of_the_next_one(store, monkeypatch, name):
    """What the portal shows is of the day on which it is asked."""
    spider: Any = SPIDERS[name]
    clock = TurnableClock(datetime(2027, 1, 1, 4, 59, tzinfo=UTC))
    frozen(monkeypatch, clock.at)
    with store.transaction() as session:
        add_account(session, NewAccount("Acme", "Main", spider.portal, ACCOUNT, billing_day=31), CARRIERS)
        planner = Planner(Spiders(Settings({"SPIDER_MODULES": ["scrapers.portals"]})), clock)
        (job,) = add(session, planner.find(session, Wanted([name], [ACCOUNT])).jobs, clock.at)
    frozen(monkeypatch, clock.at + timedelta(minutes=1))
    with store.transaction() as session:
        plan: Any
        (plan,) = spider.planned(session, spider.Arguments.parse({"job": str(job)}))
    assert (plan.key, plan.period) == (f"{ACCOUNT}/2027-01-01", "2027-01-01")
    assert (plan.target.start, plan.target.end) == (date(2027, 1, 1), date(2027, 1, 31))
    assert plan.billing_cycle_id == plan.target.billing_cycle_id


def planned(session: Any, planner: Planner, name: str) -> list[tuple[str, Cycle]]:
    """Return the labels and cycles of a spider's jobs for the account."""
    found = planner.find(session, Wanted([name], [ACCOUNT]))
    assert found.problems == []
    rows = [session.get(BillingCycle, job.billing_cycle_id) for job in found.jobs]
    return [(job.label, Cycle(row.start_date, row.end_date)) for job, row in zip(found.jobs, rows, strict=True)]


def wanted_of(spider: Any, moment: Moment) -> list[tuple[str, Cycle]]:
    """Return what the only job must be."""
    if not spider.takes_cycles:
        return [(f"{ACCOUNT} {moment.today.isoformat()}", present(moment.today, moment.billing_day))]
    end = moment.newest.end
    return [(f"{ACCOUNT} {end.year}-{end.month:02}", moment.newest)]


@pytest.mark.parametrize("name", SPIDERS)
def test_the_right_period_is_taken_and_no_other(monkeypatch, name):
    """Of 14 cycles, in both orders: the newest that has ended, and the one of a year ago; none in the place of one that lacks."""
    wrong = []
    for moment in MOMENTS:
        frozen(monkeypatch, moment.at)
        offered = [present(moment.today, moment.billing_day), *closed(moment.today, moment.billing_day, OFFERED - 1)]
        for take in TAKES[name]:
            for listed in (offered, offered[::-1]):
                for wanted in (offered[1], offered[-1]) if take not in NEWEST_ALONE else (offered[1],):
                    at = take(listed, wanted, moment.today)
                    if at is None or listed[at] != wanted:
                        wrong.append((moment, take, wanted, at))
                    if take not in TYPED:
                        wrong += taken_instead(take, [each for each in listed if each != wanted], wanted, moment)
    assert wrong == []


def taken_instead(take: Take, listed: Sequence[Cycle], wanted: Cycle, moment: Moment) -> list[Any]:
    """Return what is taken where the wanted cycle is not offered."""
    try:
        taken = take(listed, wanted, moment.today)
    except MISSING:
        return []
    return [] if taken is None else [(moment, take, wanted, listed[taken])]

"""What is missing: for each account, billing month and report type whether it is stored, comes, failed, or was never asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from database.families.cycles import latest_closed, period
from database.families.holdings import (
    AccountLine,
    Chosen,
    Count,
    Cycle,
    Holdings,
    Key,
    LastRun,
    OpenJob,
    accepted,
    accounts,
    holdings,
    last_runs,
    noted,
    open_jobs,
)
from database.models.jobs import ScraperType
from jobs.coming import Coming, stated

MONTHS = 12  # that are shown
YEAR = timedelta(days=365)  # of which the gaps of meters are shown
LOOKED_BACK = timedelta(days=100)  # as `scrapers.families.carriers.spiders`: older cycles are asked for by hand only
AT_ONCE = 50  # accounts whose rows are held at once
DAILY = ScraperType.DAILY_USAGE.value
REPORT_TYPES = (ScraperType.PDF_INVOICE.value, ScraperType.MONTHLY_REPORTS.value, DAILY)
NOT_YET, NO_LONGER, NOT_READY = "not_yet_published", "no_longer_available", "report_not_ready"  # outcomes


class State(StrEnum):
    """What has become of one report type of an account's billing month."""

    STORED = "stored"
    COMING = "coming"
    NOT_YET = "not_yet_published"
    GONE = "gone"  # the portal no longer offers it
    FAILED = "failed"
    NEVER = "never_asked"


@dataclass(frozen=True, slots=True)
class Cell:
    """
    One report type of one billing month of an account.

    when: the next time it is asked for; None: nothing will. why: outcome of the last run. said: a sentence on it.
    """

    month: str  # YYYY-MM
    report_type: str
    state: State
    stored: int = 0
    wanted: int = 0
    when: datetime | None = None
    why: str | None = None
    said: str | None = None
    run_id: int | None = None
    cycle_id: int | None = None
    lacking: tuple[str, ...] = ()
    has_ended: bool = False  # the billing month


@dataclass(frozen=True, slots=True)
class Line:
    """An account with its cells: report types in their order, in each the newest month first."""

    account: AccountLine
    cells: tuple[Cell, ...]

    def of(self, report_type: str) -> dict[str, Cell]:
        """Return the cells of a report type by month."""
        return {cell.month: cell for cell in self.cells if cell.report_type == report_type}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked at. months: newest first; empty: the last MONTHS. states: only cells in one of them; empty: all."""

    chosen: Chosen = field(default_factory=Chosen)
    months: tuple[str, ...] = ()
    states: frozenset[State] = frozenset()
    report_types: tuple[str, ...] = REPORT_TYPES


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of a page. following: where the next page begins; None: there is no other."""

    lines: list[Line]
    following: int | None


def months_until(newest: tuple[int, int], count: int = MONTHS) -> tuple[str, ...]:
    """
    Return billing months as YYYY-MM, the newest first.

    >>> months_until((2026, 2), 3)
    ('2026-02', '2026-01', '2025-12')
    """
    last = newest[0] * 12 + newest[1] - 1
    return tuple(f"{number // 12:04d}-{number % 12 + 1:02d}" for number in range(last, last - count, -1))


def latest_months(at: datetime, count: int = MONTHS) -> tuple[str, ...]:
    """Return the billing months that accounts may have by now, the newest first: that of the next month is open for some."""
    following = (at.astimezone(UTC).date().replace(day=1) + timedelta(days=31)).timetuple()
    return months_until((following.tm_year, following.tm_mon), count)


def part(session: Session, wanted: Wanted, at: datetime, start: int, size: int, most: int = 100) -> Part:
    """
    Return up to *size* accounts from place *start* on, those without a cell in the wanted states left out.

    most: accounts that are looked at; then the part may be short, and `following` says where to go on.
    """
    found: list[Line] = []
    coming, place = Coming.of(session), start
    while True:
        step = size if not wanted.states else AT_ONCE
        some = accounts(session, wanted.chosen, place, step)
        for line in lines(session, some, wanted, at, coming):
            place += 1
            if line.cells or not wanted.states:
                found.append(line)
            if len(found) == size:
                break
        if len(found) == size or (len(some) == step and place - start >= most):
            return Part(found, place if accounts(session, wanted.chosen, place, 1) else None)
        if len(some) < step:
            return Part(found, None)


def lines(
    session: Session, some: Sequence[AccountLine], wanted: Wanted, at: datetime, coming: Coming
) -> Iterator[Line]:
    """Yield the line of each account, with the cells in the wanted states."""
    if not some:
        return
    months = wanted.months or latest_months(at)
    first = date(*_month(months[-1]), 1)
    last = (date(*_month(months[0]), 1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    known = holdings(session, some, first, last)
    todays = {account.portal: _today(account.portal, at) for account in some}
    keys: set[Key] = {
        (cycle.id, report_type)
        for cycle in known.cycles.values()
        for report_type in wanted.report_types
        if not _is_settled(known.counts.get((cycle.id, report_type)), report_type, cycle, min(todays.values()))
    }
    runs, jobs = last_runs(session, keys), open_jobs(session, keys)
    months_of = {cycle.id: (account_id, month) for (account_id, month), cycle in known.cycles.items()}
    by_id = {account.id: account for account in some}
    lacking = (key for key in keys if (run := runs.get(key)) is None or run.outcome not in (None, "success"))
    named = {identity(by_id[months_of[cycle][0]], kind, months_of[cycle][1]) for cycle, kind in lacking}
    gone = dict.fromkeys(noted(session, named, NO_LONGER), "The portal has said that it offers it no more.")
    gone |= dict.fromkeys(accepted(session, named), "An operator has accepted that it is gone.")
    for account in some:
        made = _Cells(account, todays[account.portal], at, coming, known, runs, jobs, gone)
        cells = (made.cell(month, kind) for kind in wanted.report_types for month in months)
        shown = (cell for cell in cells if cell is not None and (not wanted.states or cell.state in wanted.states))
        yield Line(account, tuple(shown))


def every_line(session: Session, wanted: Wanted, at: datetime, start: int) -> list[Line]:
    """Return the lines of the next AT_ONCE accounts, for what is written without an end; empty: there are no more."""
    some = accounts(session, wanted.chosen, start, AT_ONCE)
    return list(lines(session, some, wanted, at, Coming.of(session)))


class Judged(NamedTuple):
    """The state of a cell, with the fields of Cell that explain it."""

    state: State
    when: datetime | None = None
    why: str | None = None
    said: str | None = None
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Cells:
    """Makes the cells of one account."""

    account: AccountLine
    today: date
    at: datetime
    coming: Coming
    known: Holdings
    runs: dict[Key, LastRun]
    jobs: dict[Key, OpenJob]
    gone: dict[str, str]  # sentences by identity, of what an earlier run or an operator has found

    def cell(self, month: str, report_type: str) -> Cell | None:
        """Return a cell; None for a month of which no day has come yet."""
        cycle = self.known.cycles.get((self.account.id, month))
        start, end = (cycle.start, cycle.end) if cycle is not None else period(self.account.billing_day, *_month(month))
        if start > self.today:
            return None
        key = (cycle.id, report_type) if cycle is not None else None
        count = self.known.counts.get(key, Count()) if key is not None else Count()
        if report_type == DAILY:
            count.wanted = (min(end, self.today) - start).days + 1
        elif not count.wanted:
            lacking = ["invoice"] if report_type == REPORT_TYPES[0] else self.known.required.get(self.account.carrier_id, [])  # fmt: skip
            count = Count(wanted=len(lacking), lacking=lacking)
        judged = self._judged(month, report_type, cycle, end, count)
        return Cell(
            month=month,
            report_type=report_type,
            state=judged.state,
            stored=count.stored,
            wanted=count.wanted,
            when=judged.when,
            why=judged.why,
            said=judged.said,
            run_id=judged.run_id,
            cycle_id=cycle.id if cycle is not None else None,
            lacking=tuple(count.lacking),
            has_ended=end < self.today,
        )

    def _judged(self, month: str, report_type: str, cycle: Cycle | None, end: date, count: Count) -> Judged:
        is_daily, has_ended = report_type == DAILY, end < self.today
        if self._is_stored(count, is_daily=is_daily, has_ended=has_ended):
            return Judged(State.STORED)
        key = (cycle.id, report_type) if cycle is not None else (0, report_type)
        run, job = self.runs.get(key), self.jobs.get(key)
        last = job if job is not None and job.outcome else run
        why, said = (last.outcome, last.message) if last is not None else (None, count.comment)
        number = run.id if run is not None else None
        if is_daily and has_ended:
            state = State.GONE if count.stored or run is not None else State.NEVER
            return Judged(state, None, why, "A day's usage is offered on that day alone.", number)
        if (job is not None and job.runs) or (run is not None and run.outcome is None):
            return Judged(State.COMING, self.at, None, "It is being fetched now.", number)
        if why == NO_LONGER and job is None:
            return Judged(State.GONE, None, why, said, number)
        if job is None and (found := self.gone.get(identity(self.account, report_type, month))) is not None:
            return Judged(State.GONE, None, why, found, number)
        when = self._when(month, report_type, cycle, end, job)
        if why == NOT_YET:
            return Judged(State.NOT_YET, when, why, said, number)
        if job is not None:
            return Judged(State.FAILED if job.parked_for else State.COMING, when, why, said, number)
        if why == NOT_READY and when is not None:
            return Judged(State.COMING, when, why, said, number)
        is_of_today = run is None or not is_daily or self._day(run.started_at) == self.today
        if is_of_today and (why not in (None, "success") or count.comment is not None):
            return Judged(State.FAILED, when, why, said, number)
        if not has_ended and not is_daily:
            return Judged(State.NOT_YET, when, None, f"The cycle ends on {end}.", number)
        if when is not None:
            return Judged(State.COMING, when, None, None, number)
        if run is None or is_daily:
            return Judged(State.NEVER, None, None, "Not asked today." if run is not None else None, number)
        return Judged(State.FAILED, None, why, "The last run succeeded; what is not stored was added since.", number)

    def _is_stored(self, count: Count, *, is_daily: bool, has_ended: bool) -> bool:
        if is_daily and not has_ended:
            return count.last_day == self.today
        return count.wanted > 0 and count.stored >= count.wanted

    def _when(
        self, month: str, report_type: str, cycle: Cycle | None, end: date, job: OpenJob | None
    ) -> datetime | None:
        """Return when it is asked for next."""
        if job is not None:
            return job.available_at if job.available_at is not None or job.parked_for else self.at
        after = self.at
        if report_type != DAILY:
            newest = "{:04d}-{:02d}".format(*latest_closed(self.account.billing_day, self.today))
            if month < newest and not (cycle is not None and cycle.is_open and end > self.today - LOOKED_BACK):
                return None
            if end >= self.today:  # once the cycle has ended
                after = datetime.combine(end + timedelta(days=1), datetime.min.time(), _zone(self.account.portal))
        account = self.account
        return self.coming.due(account.portal, report_type, account.number, after, account.client)

    def _day(self, at: datetime) -> date:
        return at.astimezone(_zone(self.account.portal)).date()


def _is_settled(count: Count | None, report_type: str, cycle: Cycle, today: date) -> bool:
    """Tell whether neither runs nor jobs change what is shown of a cell."""
    if count is None:
        return False
    if report_type == DAILY:
        return count.stored > 0 and cycle.end < today
    return count.wanted > 0 and count.stored >= count.wanted


def identity(account: AccountLine, report_type: str, month: str) -> str:
    """Return the identity of the job for an account's month, as `scrapers.core.spider` makes it."""
    return f"{account.portal}_{report_type} {account.number}/{month}"


def _zone(portal: str) -> ZoneInfo:
    known = stated().get(portal)
    return ZoneInfo(known.time_zone if known is not None else "UTC")


def _today(portal: str, at: datetime) -> date:
    return at.astimezone(_zone(portal)).date()


def _month(month: str) -> tuple[int, int]:
    return int(month[:4]), int(month[5:])


def states_named(words: Collection[str]) -> frozenset[State]:
    """Return the states of words; `missing` stands for all but stored. Raises ValueError for a word that is none."""
    found: set[State] = set()
    for word in words:
        found |= set(State) - {State.STORED} if word == "missing" else {State(word)}
    return frozenset(found)


CSV_COLUMNS = (
    *("client", "carrier", "account", "month", "report_type", "state", "stored", "wanted"),
    *("lacking", "when", "outcome", "message", "run"),
)


def csv_rows(found: Iterable[Line]) -> Iterator[tuple[str | int, ...]]:
    """Yield a row of CSV for each cell, in the order of CSV_COLUMNS; texts that a spreadsheet would run are quoted."""
    for line in found:
        for cell in line.cells:
            texts = (
                *(line.account.client, line.account.portal, line.account.number, cell.month, cell.report_type),
                cell.state.value,
            )
            rest = (
                ", ".join(cell.lacking),
                cell.when.isoformat() if cell.when is not None else "",
                cell.why or "",
                cell.said or "",
            )
            run = cell.run_id if cell.run_id is not None else ""
            yield (*map(harmless, texts), cell.stored, cell.wanted, *map(harmless, rest), run)


def harmless(text: str) -> str:
    """
    Return a text as a spreadsheet takes it for one, and runs no formula.

    >>> harmless("=1+1"), harmless("500100200")
    ("'=1+1", '500100200')
    """
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text

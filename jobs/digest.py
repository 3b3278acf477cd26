"""The digest: what is missing, who must act, what is new, and whether the data came in time, of all clients or of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from database.families.holdings import Chosen, accounts_of
from database.jobs.causes import Failed, client_of
from database.jobs.notices import Told, cases_of
from database.models import (
    Account,
    BillingCycle,
    Client,
    Run,
    Schedule,
    ScraperConfig,
    ScraperJob,
    ScraperJobStatus,
)
from database.models.jobs import ScraperType
from database.models.notices import Case, Cause
from database.models.operators import Acceptance
from jobs.freshness import Freshness, freshness
from jobs.missing import State, Wanted, every_line, latest_months
from scrapers.core.outcomes import OUTCOMES
from scrapers.core.redaction import without_numbers

MONTHS = 14  # that are looked at, with the one that begins next; portals offer about 13 months of invoices
INVOICE = ScraperType.PDF_INVOICE.value
LONGEST = 20  # entries of a list


@dataclass
class Digest:
    """What a digest says."""

    since: datetime
    at: datetime
    zone: str
    client: str | None = None  # None: of all
    missing: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # months by portal and account
    waiting: list[tuple[Cause, tuple[Told, ...]]] = field(default_factory=list)
    given_up: list[tuple[str, str, int]] = field(default_factory=list)  # spider, outcome, jobs
    new: list[tuple[str, int, int]] = field(default_factory=list)  # spider, files, records
    fresh: list[tuple[str, Freshness]] = field(default_factory=list)  # by schedule

    @property
    def subject(self) -> str:
        """One line: how much of each."""
        months = sum(map(len, self.missing.values()))
        late = sum(not each.is_met for _, each in self.fresh)
        parts = [
            f"{months} invoices missing" if months else "",
            f"{len(self.waiting)} wait for a person" if self.waiting else "",
            f"{late} schedules late" if late else "",
            f"{sum(files for _, files, _ in self.new)} new files",
        ]
        said = ", ".join(filter(None, parts))
        return f"[Latchkey] {f'{self.client}: ' if self.client else ''}{said}"

    @property
    def text(self) -> str:
        """The whole message."""
        lines = [
            f"From {self._shown(self.since)} to {self._shown(self.at)}{f', {self.client}' if self.client else ''}."
        ]
        for title, entries, none in (
            ("Missing invoices", list(self._missing()), "No invoice is missing."),
            ("Waiting for a person", list(self._waiting()), "Nobody has to act."),
            ("Given up", [f"{spider}: {count} jobs ended with {code}" for spider, code, count in self.given_up], ""),
            (
                "New",
                [f"{spider}: {files} files, {records} records" for spider, files, records in self.new],
                "Nothing is new.",
            ),
            ("Freshness", list(self._fresh()), ""),
        ):
            if entries or none:
                more = [f"- and {len(entries) - LONGEST} more"] if len(entries) > LONGEST else []
                lines += ["", title, *([f"- {each}" for each in entries[:LONGEST]] + more or [none])]
        return "\n".join(lines) + "\n"

    def _missing(self) -> Iterator[str]:
        for (portal, account), months in sorted(self.missing.items()):
            yield f"{portal} {without_numbers(account)}: {', '.join(sorted(months))}"

    def _waiting(self) -> Iterator[str]:
        for cause, cases in self.waiting:
            who = f" of {without_numbers(cause.username)}" if cause.username else ""
            what = OUTCOMES[cause.outcome].sentence if cause.outcome in OUTCOMES else ""
            on = f"{len(cases)} affected, since {self._shown(cause.began_at)}"
            yield f"{cause.actor}: {cause.portal} {cause.outcome}{who} ({on}). {what}".rstrip()

    def _fresh(self) -> Iterator[str]:
        for name, each in self.fresh:
            by = self._shown(each.deadline)
            lacking = ", ".join(map(without_numbers, each.lacking[:5]))
            more = f" and {len(each.lacking) - 5} more" if len(each.lacking) > 5 else ""
            yield f"{name}: in time by {by}" if each.is_met else f"{name}: late by {by}: {lacking}{more}"

    def _shown(self, at: datetime) -> str:
        return f"{at.astimezone(ZoneInfo(self.zone)):%Y-%m-%d %H:%M}"


def digest(session: Session, since: datetime, at: datetime, zone: str, client: Client | None = None) -> Digest:
    """Return what has happened since an instant, and how things stand. zone: of the times in it. client: None for all."""
    made = Digest(since, at, zone, client.name if client is not None else None)
    accounts = _accounts(session, client)
    made.missing = _missing(session, client, at)
    made.waiting = list(_waiting(session, accounts, client))
    made.given_up = _given_up(session, accounts, since, client)
    made.new = _new(session, accounts, since, client)
    schedules = select(Schedule).where(Schedule.fresh_by.is_not(None), Schedule.paused.is_(False))
    if client is not None:
        schedules = schedules.where(Schedule.client == client.name)
    for schedule in session.scalars(schedules.order_by(Schedule.name)):
        if (stands := freshness(session, schedule, at)) is not None:
            made.fresh.append((schedule.name, stands))
    return made


def _accounts(session: Session, client: Client | None) -> frozenset[int]:
    """Return the ids of the accounts of a client, or of all active ones."""
    return frozenset(session.scalars(accounts_of(_of(client)).with_only_columns(Account.id)))


def _of(client: Client | None) -> Chosen:
    return Chosen(client_id=client.id if client is not None else None)


def _missing(session: Session, client: Client | None, at: datetime) -> dict[tuple[str, str], list[str]]:
    """
    Return the months of ended cycles without their invoice, by portal and account.

    Of an account that is fetched by us also the newest one, for which no cycle may have been opened.
    """
    configured = set(session.scalars(select(ScraperConfig.account_id)))
    wanted = Wanted(_of(client), months=latest_months(at, MONTHS), report_types=(INVOICE,))
    missing: dict[tuple[str, str], list[str]] = {}
    start = 0
    while some := every_line(session, wanted, at, start):
        start += len(some)
        for line in some:
            ended = [cell for cell in line.cells if cell.has_ended]
            newest = ended[:1] if line.account.id in configured else []
            lacking = [
                cell.month
                for cell in ended
                if (cell.cycle_id is not None or cell in newest) and cell.state not in (State.STORED, State.GONE)
            ]
            if lacking:
                missing[line.account.portal, line.account.number] = lacking
    return missing


def _waiting(
    session: Session, accounts: frozenset[int], client: Client | None
) -> Iterator[tuple[Cause, tuple[Told, ...]]]:
    """Yield the open causes with their cases; of a client those that its accounts or credentials have met."""
    subjects = {f"account {number}" for number in accounts}
    still = select(Cause).where(Cause.solved_at.is_(None)).order_by(Cause.actor, Cause.portal, Cause.began_at)
    for cause in session.scalars(still):
        cases = cases_of(session, cause)
        if client is not None and cause.client_id != client.id:
            met = session.scalars(select(Case).where(Case.cause_id == cause.id, Case.is_open)).all()
            known = _client_of(session, cause)
            mine = [each for each in met if each.subject in subjects or known == client.id]
            if not mine:
                continue
            cases = tuple(Told(each.spider, each.label, each.last_run) for each in mine)
        yield cause, cases


def _client_of(session: Session, cause: Cause) -> int | None:
    if not cause.username:
        return None
    facts = (cause.portal, "", cause.outcome, cause.actor, cause.last_at, "")
    return client_of(session, Failed(*facts, username=cause.username))


def _given_up(
    session: Session, accounts: frozenset[int], since: datetime, client: Client | None
) -> list[tuple[str, str, int]]:
    is_accepted = exists().where(Acceptance.identity == ScraperJob.identity)
    query = select(ScraperJob.portal, ScraperJob.report_type, ScraperJob.outcome, func.count()).where(
        ScraperJob.status == ScraperJobStatus.ERROR, ScraperJob.completed_at > since, ~is_accepted
    )
    if client is not None:
        query = query.join(BillingCycle, BillingCycle.id == ScraperJob.billing_cycle_id)
        query = query.where(BillingCycle.account_id.in_(accounts))
    columns = (ScraperJob.portal, ScraperJob.report_type, ScraperJob.outcome)
    rows = session.execute(query.group_by(*columns).order_by(*columns))
    return [(f"{portal}_{kind}", outcome or "no outcome", count) for portal, kind, outcome, count in rows]


def _new(
    session: Session, accounts: frozenset[int], since: datetime, client: Client | None
) -> list[tuple[str, int, int]]:
    query = select(Run.spider, func.sum(Run.files), func.sum(Run.records)).where(Run.finished_at > since)
    if client is not None:
        query = query.where(Run.account_id.in_(accounts))
    rows = session.execute(query.group_by(Run.spider).order_by(Run.spider))
    return [(spider, int(files), int(records)) for spider, files, records in rows if files or records]

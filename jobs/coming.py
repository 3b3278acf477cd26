"""When schedules ask next: for an account and report type, and for other targets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.jobs.hours import into_hours
from database.models.jobs import Schedule
from jobs.cron import due_times
from scrapers.core.stated import Portal, portals


@cache
def stated() -> dict[str, Portal]:
    """Return our portals by their word; read once, as it looks into folders."""
    return portals()


@dataclass
class Coming:
    """The schedules that are not paused, and when each is due after an instant; asked often, computed once."""

    schedules: list[Schedule]
    _next: dict[tuple[int, datetime], datetime | None] = field(default_factory=dict)
    _by_words: dict[frozenset[str], list[Schedule]] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session) -> Coming:
        """Read the schedules."""
        query = select(Schedule).where(Schedule.paused.is_(False)).order_by(Schedule.id)
        return cls(list(session.scalars(query)))

    def due(
        self, portal: str, report_type: str, target: str, after: datetime, client: str | None = None
    ) -> datetime | None:
        """
        Return when a target is asked for next by any schedule; None: by none.

        target: an account's number, or another family's target. client: name of the owner of the account.
        """
        found = [
            due
            for schedule in self._asking(portal, report_type)
            if (schedule.accounts is None or target in schedule.accounts)
            and schedule.client in (None, client)
            and (due := self.next(schedule, after)) is not None
        ]
        return min(found, default=None)

    def next(self, schedule: Schedule, after: datetime) -> datetime | None:
        """Return when the jobs of a schedule may start after its next due time."""
        key = (schedule.id, after)
        if key not in self._next:
            due = next(due_times(schedule.cron, schedule.time_zone, after), None)
            self._next[key] = None if due is None else into_hours(due, schedule.hours, schedule.time_zone)
        return self._next[key]

    def _asking(self, portal: str, report_type: str) -> list[Schedule]:
        words = words_of(portal, report_type)
        if words not in self._by_words:
            self._by_words[words] = [each for each in self.schedules if not words.isdisjoint(each.spiders)]
        return self._by_words[words]


@cache
def words_of(portal: str, report_type: str) -> frozenset[str]:
    """
    Return the words by which a schedule names a spider: its own, its portal's, its family's.

    >>> sorted(words_of("bell", "pdf_invoice"))
    ['bell', 'bell_pdf_invoice', 'carriers']
    """
    known = stated().get(portal)
    return frozenset({f"{portal}_{report_type}", portal} | ({known.family} if known is not None else set()))

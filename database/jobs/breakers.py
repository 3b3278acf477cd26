"""
The breaker of each portal, shared by all workers.

Once so many different credentials have met the portal's trouble without a success in between, its other jobs wait. Then
one job at a time tries, after a pause that is doubled each time; the first success lets all go on.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.jobs.settings import QueueSettings
from database.jobs.steps import Ending, pause
from database.models.jobs import Breaker
from database.upsert import ensure

OLD = timedelta(hours=24)  # trouble that no other followed within that time is forgotten


def note(session: Session, portal: str, username: str | None, ending: Ending, at: datetime, random: Random) -> None:
    """Record what a run's end says of its portal; nothing when it has sent no request."""
    if not ending.requests or not (ending.portal_trouble or ending.portal_works):
        return
    if ending.portal_works and session.get(Breaker, portal) is None:
        return
    settings = QueueSettings.current()
    ensure(session, Breaker, {"portal": portal}, {"changed_at": at, "outcome": "", "usernames": [], "probes": 0})
    breaker = session.scalars(select(Breaker).where(Breaker.portal == portal).with_for_update()).one()
    if ending.portal_works:
        breaker.outcome, breaker.usernames, breaker.probes = "", [], 0
        breaker.tripped_at = breaker.probe_at = None
        breaker.changed_at = at
        return
    known = [] if at - breaker.changed_at > OLD and breaker.tripped_at is None else list(breaker.usernames)
    breaker.usernames = known if (username or "") in known else [*known, username or ""][-settings.breaker_after :]
    breaker.outcome, breaker.changed_at = ending.outcome, at
    if breaker.tripped_at is not None:
        breaker.probes += 1
    elif len(breaker.usernames) >= settings.breaker_after:
        breaker.tripped_at = at
    if breaker.tripped_at is not None:
        breaker.probe_at = at + pause(breaker.probes, timedelta(minutes=settings.breaker_pause), random)


def places(session: Session, at: datetime) -> dict[str, tuple[int, datetime | None]]:
    """Return, by portal in trouble, how many crawls it may have at once, and since when it has tripped (None: it has not)."""
    settings = QueueSettings.current()
    found: dict[str, tuple[int, datetime | None]] = {}
    for breaker in session.scalars(select(Breaker)):
        if breaker.tripped_at is not None:
            found[breaker.portal] = (int(breaker.probe_at is None or breaker.probe_at <= at), breaker.tripped_at)
        elif breaker.usernames and at - breaker.changed_at <= OLD:
            # Crawls under way may all meet the trouble: with those that have met it, no more than the breaker lets.
            found[breaker.portal] = (max(1, settings.breaker_after - len(breaker.usernames)), None)
    return found

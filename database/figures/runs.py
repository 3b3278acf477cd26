"""Runs over time: how they ended, and the health of each portal, day by day and now."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from database.families.holdings import Chosen
from database.figures.curves import Figures, curve, ids_of, label_of
from database.figures.spans import Span, Step, span_of
from database.models import Run
from database.models.jobs import Breaker

DAYS = 30  # of a portal's health
SUCCESS, RUNNING = "success", "running"  # the latter stands for the outcome that a run does not have yet


@dataclass(slots=True)
class Health:
    """
    The runs of a portal that were started in the last DAYS days (UTC).

    days: how many, by outcome, of each day, the oldest first. last_outcome: of the one that was started last of those that have
    ended. trouble: the outcome for which the portal is left alone now; None: it is not.
    """

    portal: str
    days: tuple[dict[str, int], ...]
    running: int = 0
    last_outcome: str | None = None
    last_at: datetime | None = None
    trouble: str | None = None


def runs_by_outcome(session: Session, chosen: Chosen, span: Span) -> Figures:
    """Return how many runs were started, by outcome: successes first, then the commonest. With a client or account those of accounts alone."""
    point = label_of(session, Run.started_at, span.step)
    query = select(point, Run.outcome, func.count()).where(*_chosen(chosen, span)).group_by(point, Run.outcome)
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for label, outcome, count in session.execute(query):
        found[outcome or RUNNING][label] = count
    order = sorted(found, key=lambda outcome: (outcome != SUCCESS, -sum(found[outcome].values()), outcome))
    return Figures(span, tuple(curve(span, outcome, "runs", found[outcome], 0) for outcome in order))


def health(session: Session, chosen: Chosen, at: datetime) -> tuple[Span, list[Health]]:
    """Return the last days, and each portal that had runs then or is left alone now, by name."""
    span = span_of(Step.DAY, at.date(), at.date() - timedelta(days=DAYS - 1))
    point = label_of(session, Run.started_at, span.step)
    by = (Run.portal, point, Run.outcome)
    query = select(*by, func.count(), func.max(Run.started_at)).where(*_chosen(chosen, span)).group_by(*by)
    places = {label: number for number, label in enumerate(span.labels)}
    found: dict[str, Health] = {}
    for portal, label, outcome, count, last_at in session.execute(query):
        of = found.setdefault(portal, _none_of(portal, span))
        of.days[places[label]][outcome or RUNNING] = count
        if outcome is None:
            of.running += count
        elif of.last_at is None or last_at > of.last_at:
            of.last_at, of.last_outcome = last_at, outcome
    tripped = select(Breaker.portal, Breaker.outcome).where(Breaker.tripped_at.is_not(None))
    for portal, trouble in session.execute(tripped):
        # Of a portal without runs of the chosen accounts it is no concern of theirs.
        if portal in found or chosen == Chosen():
            found.setdefault(portal, _none_of(portal, span)).trouble = trouble
    return span, [found[portal] for portal in sorted(found)]


def _none_of(portal: str, span: Span) -> Health:
    return Health(portal, tuple({} for _ in span.labels))


def _chosen(chosen: Chosen, span: Span) -> list[ColumnElement[bool]]:
    """Return the conditions for the runs that a period and a choice name."""
    found: list[ColumnElement[bool]] = [Run.started_at >= span.edges[0], Run.started_at < span.edges[-1]]
    if chosen.portal is not None:
        found.append(Run.portal == chosen.portal)
    of_accounts = replace(chosen, portal=None)  # runs of all families have a portal of their own
    return found if of_accounts == Chosen() else [*found, Run.account_id.in_(ids_of(of_accounts))]

"""`scrapy status`: what runs, how the last runs ended, and who has to do something."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, print_json, show

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


class Command(Everyday, ScrapyCommand):
    """Show the present state on one page."""

    word = "status"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Show what runs, how the last runs ended, and who must act"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the option for machines."""
        parser.add_argument("--json", action="store_true", help="as JSON")

    def do(self, opts: argparse.Namespace) -> None:
        """Show running runs, last runs, sessions, leases and receivers of codes."""
        from database.engine import database, now
        from jobs import overview

        with database().transaction() as session:
            time = now(session)
            parts = {
                "running": _running(session),
                "jobs": overview.jobs(session, time),
                "workers": overview.workers(session, time),
                "portals_in_trouble": overview.portals_in_trouble(session),
                "last_runs": _last_runs(session),
                "sessions": _sessions(session, time),
                "leases": _leases(session, time),
                "receivers": _receivers(session),
            }
        if opts.json:
            print_json(parts)
            return
        empty = {
            "running": "Nothing runs now.",
            "jobs": "No job is open.",
            "workers": "No worker runs.",
            "portals_in_trouble": "No portal is in trouble.",
            "last_runs": "Nothing has run yet: `scrapy list` shows the spiders.",
            "sessions": "Nobody is signed in anywhere.",
            "leases": "Nobody holds a lease.",
            "receivers": "Every receiver of codes is free.",
        }
        for name, rows in parts.items():
            print(f"{name.replace('_', ' ').capitalize()}")
            show(
                [key.replace("_", " ") for key in rows[0]] if rows else (),
                [list(row.values()) for row in rows],
                empty=empty[name],
            )
            print()
        acting = [row for row in parts["last_runs"] if row["who_must_act"] not in (None, "nobody")]
        for row in acting:
            print(
                f"{row['who_must_act'].capitalize()}: {row['spider']} {row['target']}: {row['what']} (scrapy runs {row['run']})"
            )
        if parts["last_runs"] and not acting:
            print("Nobody has to do anything.")


def _running(session: Session) -> list[dict[str, Any]]:
    from sqlalchemy import select

    from database.models import Run, RunState

    rows = session.scalars(select(Run).where(Run.state == RunState.RUNNING).order_by(Run.id))
    return [
        {
            "run": run.id,
            "spider": run.spider,
            "target": run.target,
            "since": run.started_at,
            "files": run.files,
            "records": run.records,
            "step": run.step,
            "process": "has ended" if run.has_died else f"{run.host} {run.pid}",
        }
        for run in rows
    ]


def _last_runs(session: Session) -> list[dict[str, Any]]:
    """The newest finished run of every spider and account (or other target), newest first."""
    from sqlalchemy import func, select

    from database.models import Run, RunState
    from scrapers.core.outcomes import OUTCOMES

    newest = (
        select(func.max(Run.id))
        .where(Run.state == RunState.FINISHED)
        # A carrier's target changes every month; its account does not.
        .group_by(Run.spider, func.coalesce(Run.account_id, -1), func.coalesce(Run.username, ""))
    )
    found = []
    for run in session.scalars(select(Run).where(Run.id.in_(newest)).order_by(Run.id.desc())):
        outcome = OUTCOMES.get(run.outcome or "")
        found.append(
            {
                "run": run.id,
                "spider": run.spider,
                "target": run.target,
                "ended": run.finished_at,
                "outcome": run.outcome,
                "files": run.files,
                "records": run.records,
                "already": run.already,
                "who_must_act": None if run.outcome == "success" else run.actor,
                "what": None if run.outcome == "success" else outcome.sentence if outcome else run.message,
            }
        )
    return found


def _sessions(session: Session, time: datetime) -> list[dict[str, Any]]:
    from sqlalchemy import or_, select

    from database.models import StoredSession

    # The state itself is not read: nothing here needs the key.
    columns = (StoredSession.login, StoredSession.username, StoredSession.created_at, StoredSession.expires_at)
    alive = or_(StoredSession.expires_at.is_(None), StoredSession.expires_at > time)
    rows = session.execute(
        select(*columns)
        .where(StoredSession.state.is_not(None), alive)
        .order_by(StoredSession.login, StoredSession.username)
    )
    return [
        {"login": login, "username": username, "since": since, "expires": expires}
        for login, username, since, expires in rows
    ]


def _leases(session: Session, time: datetime) -> list[dict[str, Any]]:
    from sqlalchemy import select

    from database.models import Lease

    rows = session.scalars(select(Lease).where(Lease.holder != "", Lease.expires_at > time).order_by(Lease.name))
    return [{"lease": row.name, "holder": row.holder, "since": row.taken_at, "until": row.expires_at} for row in rows]


def _receivers(session: Session) -> list[dict[str, Any]]:
    """Receivers of one-time codes for which sign-ins wait: who holds each, or held it before it rests, and until when at most."""
    from database.access.codes import holders

    return [
        {"receiver": one.receiver, "login": one.login, "username": one.username, "run": one.run_id, "until": one.until}
        for one in holders(session)
    ]

"""The pace at which a portal is asked, shared by all processes: each request is given the next free moment."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.models.jobs import Pace
from database.upsert import ensure


def reserve(session: Session, portal: str, at: datetime, per_minute: int) -> timedelta:
    """
    Reserve the next free moment of a portal, and return how long it is until then.

    Moments are a minute divided by *per_minute* apart, whichever process asks.
    """
    ensure(session, Pace, {"portal": portal}, {"free_at": at})
    pace = session.scalars(select(Pace).where(Pace.portal == portal).with_for_update()).one()
    session.refresh(pace)  # as it is under the lock
    moment = max(pace.free_at, at)
    pace.free_at = moment + timedelta(minutes=1) / per_minute
    return moment - at

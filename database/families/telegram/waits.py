"""Which sessions may not be used now, because Telegram wants a pause of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from database.models.base import UtcDateTime
from database.models.telegram import TelegramSession

PORTAL = "telegram"
# Built once: a worker asks it every few seconds.
WAITING = select(TelegramSession.id).where(TelegramSession.waits_until > bindparam("at", type_=UtcDateTime))


def name_of(session_id: str) -> str:
    """Return what a session is called where its use is exclusive: `ScraperJob.exclusive`, and its lease after `run:`."""
    return f"{PORTAL}:{session_id}"


def waiting(session: Session, at: datetime) -> set[str]:
    """Return the names of the sessions that wait."""
    return {name_of(found) for found in session.scalars(WAITING, {"at": at})}

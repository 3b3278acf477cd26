"""TOTP steps that were submitted: a portal accepts each once, and may lock the account at a repetition."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete

from database.engine import Database, now
from database.models import UsedTotpStep
from database.upsert import upsert

KEPT = timedelta(days=1)  # far beyond the steps that any portal still accepts


class TotpSteps:
    """The used steps of each login and user name."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def use_step(self, login: str, username: str, step: int) -> bool:
        """Mark a step (Unix time divided by the period) as used; False when it was used before: wait for the next one."""
        with self.db.transaction() as session:
            time = now(session)
            session.execute(delete(UsedTotpStep).where(UsedTotpStep.used_at < time - KEPT))
            row = {"login": login, "username": username, "step": step, "used_at": time}
            return upsert(session, UsedTotpStep, [row], ["login", "username", "step"], update=[]) == 1

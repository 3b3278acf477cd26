"""Notes of jobs: written before an act that must not be done twice, and read by the next run after a kill."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from database.engine import Database, now
from database.models import Note
from database.upsert import upsert


def write(session: Session, spider: str, target_key: str, name: str, value: Any) -> None:
    """Write a note within a transaction, or write it over; *value* is JSON."""
    row = {"spider": spider, "target_key": target_key, "name": name, "value": value, "created_at": now(session)}
    upsert(session, Note, [row], ["spider", "target_key", "name"])


class Notes:
    """Notes of jobs: by spider, target and name. Each call is one short transaction."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def remember(self, spider: str, target_key: str, name: str, value: Any) -> None:
        """Write a note, or write it over; *value* is JSON."""
        with self.db.transaction() as session:
            write(session, spider, target_key, name, value)

    def recall(self, spider: str, target_key: str, name: str) -> Any:
        """Return the value of a note, or None."""
        with self.db.transaction() as session:
            return session.scalar(
                select(Note.value).where(Note.spider == spider, Note.target_key == target_key, Note.name == name)
            )

    def forget(self, spider: str, target_key: str, name: str | None = None) -> int:
        """Delete one note of a target, or all of them; return how many there were."""
        with self.db.transaction() as session:
            statement = delete(Note).where(Note.spider == spider, Note.target_key == target_key)
            if name is not None:
                statement = statement.where(Note.name == name)
            return len(session.scalars(statement.returning(Note.id)).all())

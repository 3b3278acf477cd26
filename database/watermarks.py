"""Up to when something is stored in full. A run reads it when it begins and moves it on when it has succeeded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.models.versions import Watermark
from database.upsert import table_of, upsert


def reached(session: Session, spider: str, target_key: str) -> dict[str, datetime]:
    """Return a target's watermarks by name; what has none was never stored in full."""
    of_target = (Watermark.spider == spider, Watermark.target_key == target_key)
    question = select(Watermark.name, Watermark.reached).where(*of_target)
    return {row.name: row.reached for row in session.execute(question)}


def advance(
    session: Session, spider: str, target_key: str, marks: Mapping[str, datetime], run_id: int | None = None
) -> None:
    """
    Move a target's watermarks on; none ever goes back.

    Belongs into the transaction that closes a successful run (`PortalSpider.conclude`), so that one cannot be without the other.
    """
    session.flush()
    rows = [{"spider": spider, "target_key": target_key, "name": name, "reached": at} for name, at in marks.items()]
    key = ("spider", "target_key", "name")
    # Of two transactions the second finds the first one's row and waits for it.
    upsert(session, Watermark, rows, key, update=())
    table = table_of(Watermark)
    for row in rows:
        same = [table.c[name] == row[name] for name in key]
        session.execute(
            table.update().where(*same, table.c.reached <= row["reached"]).values(reached=row["reached"], run_id=run_id)
        )

"""Reading what was written down of changes and uses of secrets."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.models.audit import AuditEntry


def entries(
    session: Session,
    *,
    actor: str | None = None,
    action: str | None = None,
    subject: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[AuditEntry]:
    """
    Return the newest rows first.

    action: a whole one, or the part before the point. subject: text that it holds. before: rows older than this id.
    """
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if actor:
        query = query.where(AuditEntry.actor == actor)
    if action:
        query = query.where((AuditEntry.action == action) | AuditEntry.action.startswith(f"{action}.", autoescape=True))
    if subject:
        query = query.where(AuditEntry.subject.contains(subject, autoescape=True))
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return list(session.scalars(query))

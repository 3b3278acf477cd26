"""The acts of the inbox, for the API and the pages alike; what is refused is raised as an HTTP error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import g
from werkzeug.exceptions import Conflict, Gone

from database.access.audit import entries
from database.access.roles import Member, members
from database.access.typed_codes import CodeRefused, TooLate, give
from database.engine import Database
from database.models.audit import AuditEntry
from jobs.clock import Clock
from jobs.engines.embedded import Engine
from jobs.inbox import Cause, inbox
from jobs.solving import ActRefused, Solved, Solving
from webhook.access import only_client
from webhook.api.room.models import AuditQuery, NewSecret
from webhook.api.telegram.managing import FieldRefused


@dataclass(frozen=True)
class Room:
    """What is read and done in the control room."""

    db: Database
    engine: Callable[[], Engine]

    @property
    def solving(self) -> Solving:
        """The acts upon jobs."""
        return Solving(self.db, self.engine, Clock())

    def inbox(self) -> list[Cause]:
        """Return what needs a person, as far as the user of this request may see it."""
        with self.db.transaction() as session:
            return inbox(session, only_client())

    def give_code(self, request_id: int, code: str) -> None:
        """Give a code to the sign-in that waits for it."""
        try:
            with self.db.transaction() as session:
                give(session, request_id, code)
        except TooLate as error:
            raise Gone(str(error)) from None
        except CodeRefused as error:
            raise FieldRefused("code", str(error)) from None

    def change_secret(self, job_id: int, body: NewSecret) -> int:
        """Store another secret; return how many jobs are due by that."""
        password, totp = body.password.get_secret_value(), body.totp_secret.get_secret_value()
        with _refusals():
            return self.solving.change_secret(job_id, password, totp, body.stored_for)

    def unblock(self, job_id: int) -> int:
        """Let a credential be tried again; return how many jobs are due by that."""
        with _refusals():
            return self.solving.unblock(job_id)

    def finish_sign_in(self, job_id: int) -> int:
        """Ask for a sign-in that the user of this request finishes; return its number."""
        with _refusals():
            return self.solving.finish_sign_in(job_id, g.user.id)

    def accept(self, job_id: int) -> int:
        """Accept that there is nothing to fetch; return how many jobs have left the inbox."""
        with _refusals():
            return self.solving.accept(job_id)

    def run_again(self, job_id: int) -> int:
        """Make jobs due at once; return how many."""
        with _refusals():
            return self.solving.run_again(job_id)

    def audit(self, query: AuditQuery) -> list[AuditEntry]:
        """Return rows of the audit, the newest first."""
        with self.db.transaction() as session:
            return entries(session, **query.model_dump())

    def members(self) -> list[Member]:
        """Return the users who have a role."""
        with self.db.transaction() as session:
            return members(session)


@contextmanager
def _refusals() -> Iterator[None]:
    """Raise what an act refuses as an HTTP error."""
    try:
        yield
    except Solved as error:
        raise Gone(str(error)) from None
    except ActRefused as error:
        if error.field:
            raise FieldRefused(error.field, str(error)) from None
        raise Conflict(str(error)) from None

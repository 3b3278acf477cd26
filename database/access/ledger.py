"""The attempt ledger: it decides whether a sign-in may be tried now, and records it before the first request."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from database.access.fingerprints import fingerprints
from database.engine import Transacting, now
from database.models import LedgerEntry
from database.models.audit import record
from database.processes import has_died, signature
from database.settings import database_settings

SIGNED_IN = "signed_in"
BAD_CREDENTIALS = "bad_credentials"
ACCOUNT_LOCKED = "account_locked"
CAPTCHA_SHOWN = "captcha_shown"
MFA_FAILED = "mfa_failed"
NOT_SUBMITTED = "not_submitted"  # the secret never left this machine: the row counts for nothing
UNANSWERED = "error:unanswered"  # it may have been a wrong password all the same
TIMED_OUT = "error:sign_in_timed_out"  # the outcome's own name for it, stored as UNANSWERED
UNBLOCKED = "unblocked"  # the mark of `unblock`; no attempt
RESULTS = (SIGNED_IN, BAD_CREDENTIALS, ACCOUNT_LOCKED, CAPTCHA_SHOWN, MFA_FAILED, NOT_SUBMITTED)

DAY = timedelta(hours=24)
PATIENCE = timedelta(minutes=10)  # no sign-in takes longer: an older one without an answer gets none any more


class Refusal(Exception):
    """
    A sign-in may not be tried. The text is one sentence with the cure.

    kind: `blocked` until its owner acts; `cooling_down` and `budget` until the time in `until`.
    """

    def __init__(
        self, kind: Literal["blocked", "cooling_down", "budget"], reason: str, until: datetime | None = None
    ) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.until = until


class Ledger:
    """
    Attempts by login and user name. Each call is one short transaction.

    secret: the password, with the TOTP secret behind it where there is one; only its HMAC is stored. A changed secret lifts
    what an earlier one was refused for, not what rests the user at the portal (a lock, a captcha).
    """

    def __init__(
        self,
        db: Transacting,
        budget: int | None = None,
        lock_rest: timedelta | None = None,
        mfa_rest: timedelta | None = None,
    ) -> None:
        settings = database_settings()
        self.db = db
        self.budget = settings.sign_in_budget if budget is None else budget
        self.lock_rest = timedelta(hours=settings.lock_rest_hours) if lock_rest is None else lock_rest
        self.mfa_rest = timedelta(hours=settings.mfa_rest_hours) if mfa_rest is None else mfa_rest

    def begin(
        self,
        login: str,
        username: str,
        secret: str,
        run_id: int | None = None,
        pause: float = 0,
        *,
        by_person: bool = False,
    ) -> int:
        """
        Write down an attempt that is about to be made and return its number; raise Refusal when it may not be.

        pause: seconds since the end of the last one, where the portal limits how often it sends codes. by_person: a person is
        there to answer a captcha, so that the rest after one does not hold.
        """
        with self.db.transaction() as session:
            _alone(session, login, username)
            prints = _fingerprints(session, login, username, secret)
            time = now(session)
            self._settle_dead(session, login, username, time)
            refusal = self._judge(session, login, username, prints, time, by_person=by_person) or self._rest(
                session, login, username, time, timedelta(seconds=pause)
            )
            if refusal is None:
                attempt = LedgerEntry(
                    login=login,
                    username=username,
                    secret_fingerprint=prints[0],
                    started_at=time,
                    run_id=run_id,
                    host=socket.gethostname(),
                    pid=os.getpid(),
                    process=signature(),
                )
                session.add(attempt)
                session.flush()
                record(session, "credential.used", f"{login} {username}", {"attempt": attempt.id, "run": run_id})
                return attempt.id
        raise refusal  # after the commit: what is known of dead attempts stays

    def check(self, login: str, username: str, secret: str) -> None:
        """Raise Refusal when an attempt may not be made now; write down nothing new."""
        with self.db.transaction() as session:
            _alone(session, login, username)
            prints = _fingerprints(session, login, username, secret)
            time = now(session)
            self._settle_dead(session, login, username, time)
            refusal = self._judge(session, login, username, prints, time)
        if refusal is not None:
            raise refusal

    def finish(self, attempt_id: int, result: str, *, proved: bool = False) -> None:
        """
        Write down how an attempt ended; raise LookupError when it was answered already.

        result: one of RESULTS, or `error:` and an outcome's code; `error:unanswered` when the portal never said.
        proved: the portal accepted the password, whatever came after it; always so when the result is `signed_in`.
        """
        if result not in RESULTS and not result.startswith("error:"):
            raise ValueError(f"result: {result!r} is none of {', '.join(RESULTS)} or error:…")
        with self.db.transaction() as session:
            statement = (
                update(LedgerEntry)
                # A late answer is worth more than "unanswered", which another process may have written meanwhile.
                .where(
                    LedgerEntry.id == attempt_id,
                    or_(LedgerEntry.finished_at.is_(None), LedgerEntry.result == UNANSWERED),
                )
                .values(
                    finished_at=now(session),
                    result=UNANSWERED if result == TIMED_OUT else result,
                    proved=proved or result == SIGNED_IN,
                )
            )
            if session.execute(statement.returning(LedgerEntry.id)).first() is None:
                raise LookupError(f"Attempt {attempt_id} is not open.")

    def unblock(self, logins: Collection[str], username: str) -> int:
        """
        Lift blocks and rests of a user name at the logins where it has tried to sign in; return at how many.

        The history stays; the budget is not lifted.
        """
        with self.db.transaction() as session:
            tried = session.scalars(
                select(LedgerEntry.login)
                .where(LedgerEntry.username == username, LedgerEntry.login.in_(logins))
                .distinct()
                .order_by(LedgerEntry.login)
            ).all()
            for login in tried:
                _alone(session, login, username)
                time = now(session)
                self._settle_dead(session, login, username, time)
                session.add(
                    LedgerEntry(
                        login=login,
                        username=username,
                        secret_fingerprint="",
                        started_at=time,
                        finished_at=time,
                        result=UNBLOCKED,
                        host=socket.gethostname(),
                        pid=os.getpid(),
                        process=signature(),
                    )
                )
                session.flush()
            if tried:
                record(session, "credential.unblocked", username, {"logins": list(tried)})
            return len(tried)

    def last(self, login: str | None = None, username: str | None = None, limit: int = 20) -> list[LedgerEntry]:
        """Return the newest rows first, marks of `unblock` included."""
        with self.db.transaction() as session:
            statement = select(LedgerEntry).order_by(LedgerEntry.id.desc()).limit(limit)
            if login is not None:
                statement = statement.where(LedgerEntry.login == login)
            if username is not None:
                statement = statement.where(LedgerEntry.username == username)
            return list(session.scalars(statement))

    def _settle_dead(self, session: Session, login: str, username: str, time: datetime) -> None:
        for row in session.scalars(select(LedgerEntry).where(*_of(login, username), LedgerEntry.finished_at.is_(None))):
            if row.started_at <= time - PATIENCE or has_died(row.process, row.host, row.pid):
                row.finished_at, row.result = time, UNANSWERED
        session.flush()

    def _rest(self, session: Session, login: str, username: str, time: datetime, pause: timedelta) -> Refusal | None:
        """Refuse an attempt right after one in which the portal may have sent a code, whatever secret it was."""
        ended = session.scalar(
            select(func.max(LedgerEntry.finished_at))
            .where(*_of(login, username))
            .where(LedgerEntry.result.not_in((NOT_SUBMITTED, UNBLOCKED, SIGNED_IN)))
        )
        if ended is None or ended + pause <= time:
            return None
        return Refusal("cooling_down", f"The portal sends no second code within {pause.seconds} s.", ended + pause)

    def _judge(
        self,
        session: Session,
        login: str,
        username: str,
        prints: Sequence[str],
        time: datetime,
        *,
        by_person: bool = False,
    ) -> Refusal | None:
        mark = (
            session.scalar(
                select(func.max(LedgerEntry.id)).where(*_of(login, username), LedgerEntry.result == UNBLOCKED)
            )
            or 0
        )
        window = max(DAY, self.lock_rest, self.mfa_rest)
        rows = session.scalars(
            select(LedgerEntry)
            .where(*_of(login, username))
            .where(
                or_(
                    LedgerEntry.started_at > time - window - PATIENCE,
                    LedgerEntry.finished_at.is_(None),
                    LedgerEntry.result.in_((BAD_CREDENTIALS, UNANSWERED)),
                )
            )
            .order_by(LedgerEntry.id)
        ).all()
        since = [row for row in rows if row.id > mark]
        ours = [row for row in since if row.secret_fingerprint in prints]

        if any(row.result == BAD_CREDENTIALS for row in ours):
            return Refusal(
                "blocked",
                "The portal refused this password before: store the right one with `scrapy credentials add`, "
                "or lift the block with `scrapy credentials unblock`.",
            )
        proved = session.scalar(
            select(func.max(LedgerEntry.id)).where(
                *_of(login, username), LedgerEntry.secret_fingerprint.in_(prints), LedgerEntry.proved
            )
        )
        if sum(row.result == UNANSWERED and row.id > (proved or 0) for row in ours) >= 2:
            return Refusal(
                "blocked",
                "The portal left two sign-ins without an answer, and either may have been a refusal: look at the account by hand, "
                "then run `scrapy credentials unblock`.",
            )
        for row in since:
            if row.finished_at is None:
                until = row.started_at + PATIENCE
                return Refusal("cooling_down", "Another sign-in with this credential is under way.", until)
            rests = (ACCOUNT_LOCKED,) if by_person else (ACCOUNT_LOCKED, CAPTCHA_SHOWN)
            if row.result in rests and row.finished_at + self.lock_rest > time:
                what = "locked the user" if row.result == ACCOUNT_LOCKED else "showed a captcha"
                until = row.finished_at + self.lock_rest
                return Refusal("cooling_down", f"The portal {what}: the credential rests until {_clock(until)}.", until)
            if row.result == MFA_FAILED and row in ours and row.finished_at + self.mfa_rest > time:
                until = row.finished_at + self.mfa_rest
                return Refusal(
                    "cooling_down", f"The portal refused a code: the credential rests until {_clock(until)}.", until
                )
        spent = [
            row.started_at
            for row in rows
            if row.result not in (NOT_SUBMITTED, UNBLOCKED) and row.started_at > time - DAY
        ]
        if len(spent) >= self.budget:
            until = spent[-self.budget] + DAY
            return Refusal(
                "budget",
                f"The {self.budget} sign-ins of 24 hours are used up (LATCHKEY_SIGN_IN_BUDGET): the next may begin at {_clock(until)}.",
                until,
            )
        return None


def told(login: str, username: str, secret: str) -> str:
    """Return what the fingerprint of a secret is made of: with login and user name, so that equal passwords do not show."""
    return f"{login}\0{username}\0{secret}"


def _fingerprints(session: Session, login: str, username: str, secret: str) -> list[str]:
    return fingerprints(session, told(login, username, secret))


def _of(login: str, username: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return LedgerEntry.login == login, LedgerEntry.username == username


def _alone(session: Session, login: str, username: str) -> None:
    """Let one transaction at a time judge a credential; SQLite's transactions are alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        digest = hashlib.sha256(f"attempts\0{login}\0{username}".encode()).digest()
        session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(digest[:8], signed=True))))


def _clock(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"

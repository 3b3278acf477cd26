"""What a person does about an entry of the inbox: a changed secret, an unblock, a sign-in, accepting, running again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from database.access.assisted import OneAtATime, Wanted, ask
from database.access.credentials import Credential
from database.access.ledger import Ledger
from database.access.totp import TotpSecret
from database.actors import current_actor
from database.engine import Database
from database.jobs import causes, queue
from database.jobs.queue import is_parked, release, without_due_time, write
from database.models import ScraperJob, ScraperJobStatus, StoredCredential
from database.models.audit import record
from database.models.operators import Acceptance
from database.upsert import ensure
from jobs.clock import Clock
from jobs.engines.embedded import Engine, EngineAway
from jobs.finishing import login_to_finish
from jobs.inbox import Act, acts_for, beside, group_of
from scrapers.core.outcomes import CredentialMalformed
from scrapers.logins.base import logins_of

LONGEST_SECRET = 1000  # characters


class Solved(Exception):
    """The entry needs no person any more. The text is one sentence."""


class ActRefused(Exception):
    """What was asked for cannot be done. field: the one that is at fault, empty for none. The text is one sentence."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Solving:
    """The acts, each upon the entry of a job. Each raises Solved, ActRefused or DatabaseAway."""

    db: Database
    engine: Callable[[], Engine]
    clock: Clock

    def change_secret(self, job_id: int, password: str, totp_secret: str = "", stored_for: str = "") -> int:
        """
        Store another secret of the entry's credential, and return how many jobs are due at once by that.

        totp_secret: empty leaves the one that is stored. stored_for: the portal's word or the name of the login for which the
        credential is stored; needed where there are several.
        """
        if not password or len(password) > LONGEST_SECRET or not password.isprintable():
            raise ActRefused(f"A password is one line of 1 to {LONGEST_SECRET} characters.", "password")
        try:
            totp = TotpSecret.parse(totp_secret).stored if totp_secret.strip() else None
        except ValueError as error:
            raise ActRefused(f"The authenticator secret: {error}", "totp_secret") from None
        with self.db.transaction() as session:
            job = self._jobs(session, job_id, Act.CHANGE_SECRET)[0]
            row = _stored(session, job, stored_for)
            self._check(job.portal, row, password, totp)
            row.password = password
            if totp is not None:
                row.totp_secret = totp
            freed = self._free(session, job, "its credential has changed")
        self._post()
        return freed

    def unblock(self, job_id: int) -> int:
        """Let the entry's credential be tried again, and return how many jobs are due at once by that."""
        with self.db.transaction() as session:
            job = self._jobs(session, job_id, Act.UNBLOCK)[0]
            portal, username = job.portal, job.username or ""
        lifted = Ledger(self.db).unblock({portal, *(login.name for login in logins_of(portal))}, username)
        with self.db.transaction() as session:
            if not lifted:  # else the ledger has written it down
                record(session, "credential.unblocked", username, {"logins": [portal]})
            freed = self._free(session, job, "its credential was unblocked")
        self._post()
        return freed

    def finish_sign_in(self, job_id: int, user_id: int) -> int:
        """Ask for a sign-in of the entry's credential that a user finishes; return its number."""
        try:
            with self.db.transaction() as session:
                jobs = self._jobs(session, job_id, Act.FINISH_SIGN_IN)
                portal, username, name = jobs[0].portal, jobs[0].username or "", login_to_finish(session, jobs)
                if name is None:
                    raise ActRefused(
                        f"{portal} has several logins, and at which one it failed is not known: use `scrapy test-login`."
                    )
                return ask(session, user_id, Wanted(portal, name, username, jobs[0].id))
        except OneAtATime as error:
            raise ActRefused(str(error)) from None

    def accept(self, job_id: int) -> int:
        """Accept that there is nothing to fetch for the entry's target and period; return how many jobs it had."""
        with self.db.transaction() as session:
            jobs = self._jobs(session, job_id, Act.ACCEPT)
            last = jobs[-1]
            if last.identity is None:
                raise ActRefused("The job was made without target and period: cancel it, or run it again.")
            row = {"label": f"{last.spider} {last.label or ''}".strip()[:300], "outcome": last.outcome or ""}
            # A job of a missed due time has an identity of its own; what is accepted holds for the next ones too.
            for identity in {last.identity, without_due_time(last.identity)}:
                ensure(session, Acceptance, {"identity": identity}, {**row, "actor": current_actor().name})
            record(session, "period.accepted", row["label"], {"outcome": last.outcome, "job": last.id})
            self._tell_no_more(session, jobs)
            return len(jobs)

    def run_again(self, job_id: int) -> int:
        """Make the entry's jobs due at once, with all their tries; return how many."""
        try:
            with self.db.transaction() as session:
                jobs = self._jobs(session, job_id, Act.RUN_AGAIN)
                ids = [jobs[-1].id] if jobs[0].status is ScraperJobStatus.ERROR else [job.id for job in jobs]
                done = queue.retry(session, ids, self.clock.now(session))
                record(session, "job.run_again", f"job {', '.join(map(str, done))}")
        except queue.NotPossible as error:
            raise ActRefused(str(error)) from None
        self._post()
        return len(done)

    def _tell_no_more(self, session: Session, jobs: Sequence[ScraperJob]) -> None:
        """Solve the cause of accepted jobs in the notices, unless another period of the same account needs a person."""
        subjects = causes.subjects_of(session, jobs) - causes.subjects_of(session, beside(session, jobs[0]))
        why = "an operator has accepted that there is nothing to fetch"
        causes.needs_nobody(session, jobs[0].spider, subjects, why, self.clock.now(session))

    def _jobs(self, session: Session, job_id: int, act: Act) -> Sequence[ScraperJob]:
        jobs = group_of(session, job_id)
        if not jobs:
            raise Solved("That needs nobody any more.")
        if act not in acts_for(jobs[0]):
            raise ActRefused("That does not help here.")
        return jobs

    def _free(self, session: Session, job: ScraperJob, why: str) -> int:
        """Make the jobs of a credential due that wait for its owner, as the workers' tick would within seconds."""
        at = self.clock.now(session)
        same = (ScraperJob.portal == job.portal, ScraperJob.username == job.username)
        query = select(ScraperJob).where(ScraperJob.status == ScraperJobStatus.PENDING, is_parked(), *same)
        found = session.scalars(query.order_by(ScraperJob.id).with_for_update()).all()
        for each in found:
            release(each, at)
            write(each, at, f"Due again: {why}.")
        return len(found)

    def _post(self) -> None:
        with suppress(EngineAway):  # the jobs are stored as due; the engine is told again by itself
            self.engine().post()

    def _check(self, portal: str, row: StoredCredential, password: str, totp: str | None) -> None:
        """Raise ActRefused for a secret that the portal would certainly refuse."""
        served = [login for login in logins_of(portal) if row.portal in (portal, login.name)]
        for login in served[:1]:
            try:
                login().check(Credential(row.portal, row.username, password, totp))
            except CredentialMalformed as malformed:
                raise ActRefused(malformed.detail or "The portal would refuse this password.", "password") from None


def stored_for(session: Session, portal: str, username: str) -> list[StoredCredential]:
    """Return the credentials that are stored under a user name for a portal or its logins."""
    words = [portal, *(login.name for login in logins_of(portal))]
    query = select(StoredCredential).where(StoredCredential.portal.in_(words), StoredCredential.username == username)
    # One whose old secret no key reads can still be stored anew.
    unread = defer(StoredCredential.password), defer(StoredCredential.totp_secret)
    return list(session.scalars(query.options(*unread).order_by(StoredCredential.id)))


def _stored(session: Session, job: ScraperJob, word: str) -> StoredCredential:
    rows = stored_for(session, job.portal, job.username or "")
    if not rows:
        raise ActRefused("This credential is not kept here but in the environment or a file: change it there.")
    if word:
        rows = [row for row in rows if row.portal == word]
        if not rows:
            raise ActRefused("No credential is stored for that.", "stored_for")
    if len(rows) > 1:
        raise ActRefused(f"It is stored for {' and '.join(row.portal for row in rows)}: say which one.", "stored_for")
    return rows[0]

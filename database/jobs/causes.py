"""
Causes for which a person must act, as the ends of runs show them: what began, what goes on, what is solved.

A cause is a portal and an outcome: of one credential (or account) where its owner must act, else of all that have met it.
Each spider and account, or user, that has met it is a case; a cause is solved when all its cases are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from database.access.ledger import SIGNED_IN, UNBLOCKED
from database.models import (
    Account,
    BillingCycle,
    CarrierPortalCredential,
    LedgerEntry,
    Run,
    RunState,
    ScraperJob,
    ScraperJobStatus,
    Workspace,
)
from database.models.notices import Case, Cause, NoticeAddress
from database.models.operators import Acceptance
from database.upsert import ensure

BATCH = 500  # runs that are looked at in one transaction
FOLLOWS = "credential_blocked"  # the outcome that is a consequence of an earlier one of the same credential
OWNER = "owner"
TOLD = frozenset({OWNER, "operator", "developer"})
FORGOTTEN = timedelta(days=7)  # after which a cause that no run has met, and for which no job waits, is told no more


@dataclass(frozen=True, slots=True)
class Failed:
    """A run, or a crawl that could not begin, which has ended so that a person must act."""

    portal: str
    spider: str
    outcome: str
    actor: str
    at: datetime
    target: str  # for people
    username: str | None = None
    account_id: int | None = None
    run: int | None = None

    @property
    def subject(self) -> str:
        """What stays the same from run to run."""
        return subject_of(self.account_id, self.username, self.target)


def subject_of(account_id: int | None, username: str | None, target: str) -> str:
    """Return what stays the same from run to run: a carrier's target changes every month, its account does not."""
    if account_id is not None:
        return f"account {account_id}"
    return f"user {username}" if username else target[:300]


def collect(session: Session, at: datetime) -> int:
    """Look at the runs that have ended since the last look; return how many there were."""
    unseen = select(Run).where(Run.noticed_at.is_(None), Run.state == RunState.FINISHED)
    # The lock lets each run be looked at once, by any number of workers.
    runs = session.scalars(unseen.order_by(Run.id).limit(BATCH).with_for_update()).all()
    if not runs:
        return 0
    known = select(Case.spider, Case.subject).where(Case.is_open)
    waiting = {(spider, subject) for spider, subject in session.execute(known)}
    for run in sorted(runs, key=lambda run: (run.finished_at or at, run.id)):
        run.noticed_at = at
        subject = subject_of(run.account_id, run.username, run.target)
        if run.outcome == "success":
            if (run.spider, subject) in waiting:
                _solve(session, run.spider, subject, run.finished_at or at, "its next run has succeeded", at)
        elif run.actor in TOLD and not _was_better_since(session, run) and not _is_accepted(session, run):
            waiting.add((run.spider, subject))
            failed(
                session,
                Failed(
                    *(run.portal, run.spider, run.outcome or "", run.actor or "", run.finished_at or at, run.target),
                    *(run.username, run.account_id, run.id),
                ),
                at,
            )
    session.flush()
    return len(runs)


def failed(session: Session, failure: Failed, at: datetime) -> Cause:
    """Write a failure into its cause, which begins with it, or comes back, unless it goes on."""
    client = client_of(session, failure)
    scope = client if client is not None and _has_address(session, client, failure.actor) else None
    cause = _earlier(session, failure) or _cause(session, failure, scope)
    if cause.solved_at is not None or not cause.failures:
        cause.began_at, cause.failures, cause.solved_at, cause.solved_by = failure.at, 0, None, ""
    cause.failures += 1
    cause.last_at = max(cause.last_at, failure.at)
    cause.check_at = min(cause.check_at or at, at)
    of_case = select(Case).where(Case.cause_id == cause.id, Case.spider == failure.spider)
    case = session.scalars(of_case.where(Case.subject == failure.subject)).one_or_none()
    if case is None:
        case = Case(cause_id=cause.id, spider=failure.spider, subject=failure.subject)
        session.add(case)
    case.label, case.last_at, case.last_run, case.is_open = failure.target[:300], failure.at, failure.run, True
    session.flush()
    why = f"its runs now end with {failure.outcome}"
    _solve(session, failure.spider, failure.subject, failure.at, why, at, but=cause.id)
    return cause


def failed_job(session: Session, job: ScraperJob, outcome: str, actor: str, at: datetime) -> None:
    """Write the failure of a crawl that could not begin, which has no run, into its cause."""
    if actor in TOLD:
        cycle = None if job.billing_cycle_id is None else session.get(BillingCycle, job.billing_cycle_id)
        account = None if cycle is None else cycle.account_id
        facts = (job.portal, job.spider, outcome, actor, at, job.label or f"job {job.id}", job.username, account)
        failed(session, Failed(*facts), at)


def subjects_of(session: Session, jobs: Sequence[ScraperJob]) -> set[str]:
    """Return under which subjects the failures of jobs stand: those of their runs, and those of crawls that could not begin."""
    ids, cycles = [job.id for job in jobs], {job.billing_cycle_id for job in jobs}
    runs = select(Run.account_id, Run.username, Run.target).where(Run.job_id.in_(ids)).distinct()
    of_cycles = select(BillingCycle.id, BillingCycle.account_id).where(BillingCycle.id.in_(cycles - {None}))
    accounts = dict(session.execute(of_cycles).tuples().all())
    own = {
        subject_of(accounts.get(job.billing_cycle_id or 0), job.username, job.label or f"job {job.id}") for job in jobs
    }
    return own | {subject_of(account, username, target) for account, username, target in session.execute(runs)}


def needs_nobody(session: Session, spider: str, subjects: Collection[str], why: str, at: datetime) -> None:
    """Solve what a spider has met for some subjects, without a run that shows it. why: a sentence without its end."""
    for subject in sorted(subjects):
        _solve(session, spider, subject, at, why, at)


def lift(session: Session, cured: Collection[str], at: datetime) -> list[Cause]:
    """
    Solve the causes of credentials that were unblocked, or have signed in, since their last failure; return them.

    cured: the outcomes that a sign-in cures.
    """
    of_sign_in = Cause.username.is_not(None), Cause.outcome.in_(cured), Cause.solved_at.is_(None)
    lifted = []
    waiting = select(Cause).where(*of_sign_in).order_by(Cause.id).with_for_update(skip_locked=True)
    for cause in session.scalars(waiting).all():
        at_portal = or_(
            LedgerEntry.login == cause.portal, LedgerEntry.login.startswith(f"{cause.portal}_", autoescape=True)
        )
        since = select(LedgerEntry.result).where(
            LedgerEntry.username == cause.username, LedgerEntry.started_at > cause.last_at, at_portal
        )
        results = set(session.scalars(since.where(LedgerEntry.result.in_((UNBLOCKED, SIGNED_IN)))))
        # A run that has signed in may still end as the one before.
        if not results or (SIGNED_IN in results and UNBLOCKED not in results and _is_at_work(session, cause)):
            continue
        why = "its credential was unblocked" if UNBLOCKED in results else "its credential has signed in"
        for case in session.scalars(select(Case).where(Case.cause_id == cause.id, Case.is_open)):
            case.is_open = False
        _close(cause, at, why, at)
        lifted.append(cause)
    session.flush()
    return lifted


def forget(session: Session, cause: Cause, at: datetime) -> bool:
    """Solve a cause that no run has met for long, and for which no job waits; return whether it was so."""
    if cause.solved_at is not None or cause.last_at > at - FORGOTTEN:
        return False
    waits = select(ScraperJob.id).where(
        ScraperJob.portal == cause.portal,
        ScraperJob.outcome == cause.outcome,
        ScraperJob.status == ScraperJobStatus.PENDING,
        *([ScraperJob.username == cause.username] if cause.username else []),
    )
    if session.scalar(waits.limit(1)) is not None:
        return False
    for case in session.scalars(select(Case).where(Case.cause_id == cause.id, Case.is_open)):
        case.is_open = False
    _close(cause, at, f"no run has met it for {FORGOTTEN.days} days", at)
    return True


def client_of(session: Session, failure: Failed) -> int | None:
    """Return the client of an account, else of a credential; None where there is none."""
    if failure.account_id is not None:
        of_account = select(Workspace.client_id).join(Account, Account.workspace_id == Workspace.id)
        return session.scalar(of_account.where(Account.id == failure.account_id))
    if not failure.username:
        return None
    at_portal = or_(
        CarrierPortalCredential.portal == failure.portal,
        CarrierPortalCredential.portal.startswith(f"{failure.portal}_", autoescape=True),
    )
    of_user = select(CarrierPortalCredential.client_id).where(
        CarrierPortalCredential.username == failure.username, CarrierPortalCredential.client_id.is_not(None)
    )
    return session.scalar(of_user.where(at_portal).limit(1))


def _has_address(session: Session, client: int, actor: str) -> bool:
    found = session.scalars(select(NoticeAddress.actors).where(NoticeAddress.client_id == client))
    return any(actor in actors for actors in found)


def _cause(session: Session, failure: Failed, scope: int | None) -> Cause:
    who = (failure.username or failure.subject) if failure.actor == OWNER else ""
    key = f"{failure.portal} {failure.outcome} {scope or '-'} {who}".strip()
    facts = {"portal": failure.portal, "outcome": failure.outcome, "actor": failure.actor, "client_id": scope}
    facts |= {"username": failure.username if failure.actor == OWNER else None}
    ensure(session, Cause, {"key": key}, {**facts, "began_at": failure.at, "last_at": failure.at, "failures": 0})
    locked = select(Cause).where(Cause.key == key).with_for_update()
    return session.scalars(locked.execution_options(populate_existing=True)).one()


def _earlier(session: Session, failure: Failed) -> Cause | None:
    """Return the cause of the same credential that a failure is a consequence of, or None."""
    if failure.outcome != FOLLOWS or failure.actor != OWNER or not failure.username:
        return None
    of_user = select(Cause).where(Cause.portal == failure.portal, Cause.username == failure.username)
    is_open = Cause.solved_at.is_(None), Cause.outcome != FOLLOWS
    newest = of_user.where(*is_open).order_by(Cause.last_at.desc()).limit(1).with_for_update()
    return session.scalars(newest.execution_options(populate_existing=True)).one_or_none()


def _solve(
    session: Session, spider: str, subject: str, when: datetime, why: str, at: datetime, but: int | None = None
) -> None:
    """Close the cases of a spider and subject, and the causes that have no other; but: a cause that goes on."""
    mine = select(Case).where(Case.spider == spider, Case.subject == subject, Case.is_open)
    for case in session.scalars(mine.where(Case.cause_id != (but or 0)).order_by(Case.id)).all():
        # Locked first, so that of two processes which close its last two cases the second one sees the first.
        cause = session.get_one(Cause, case.cause_id, with_for_update=True, populate_existing=True)
        case.is_open = False
        session.flush()
        others = select(Case.id).where(Case.cause_id == case.cause_id, Case.is_open)
        if session.scalar(others.limit(1)) is None:
            _close(cause, when, why, at)


def _close(cause: Cause, when: datetime, why: str, at: datetime) -> None:
    cause.solved_at, cause.solved_by, cause.check_at = when, why, at


def _was_better_since(session: Session, run: Run) -> bool:
    """Tell whether a later run of the same spider and subject, which another process may have looked at, has succeeded."""
    later = select(Run.id).where(
        Run.spider == run.spider,
        Run.outcome == "success",
        Run.finished_at > run.finished_at,
        Run.noticed_at.is_not(None),
        Run.account_id.is_not_distinct_from(run.account_id),
        Run.username.is_not_distinct_from(run.username),
    )
    if run.account_id is None and not run.username:
        later = later.where(Run.target == run.target)
    return session.scalar(later.limit(1)) is not None


def _is_accepted(session: Session, run: Run) -> bool:
    """Tell whether an operator has accepted what a run was to fetch as gone, meanwhile."""
    of_job = select(Acceptance.identity).join(ScraperJob, ScraperJob.identity == Acceptance.identity)
    return run.job_id is not None and session.scalar(of_job.where(ScraperJob.id == run.job_id)) is not None


def _is_at_work(session: Session, cause: Cause) -> bool:
    running = select(Run.id).where(Run.portal == cause.portal, Run.username == cause.username)
    return session.scalar(running.where(Run.state == RunState.RUNNING).limit(1)) is not None

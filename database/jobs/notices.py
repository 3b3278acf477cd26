"""
Messages about causes, and digests, on their way: each is a row before it is sent, and is sent by one process at a time.

An address is told of a cause when it begins, again after a while as long as it is not solved, and when it is. At most one
message of a cause waits for an address: what it says is settled when it is sent, so that one which had to wait for days
says how things stand then. It is tried until it is taken. A process that dies after it has sent one, and before that is
written, is the one case in which it is sent again: once its claim has run out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from database.jobs.causes import forget
from database.models.notices import Case, Cause, NoticeAddress, NoticeDelivery, NoticeKind, NoticeResult
from database.upsert import ensure

CLAIM = timedelta(minutes=5)  # longer than a message takes when each answer of the server comes as late as it may
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)  # between two attempts; it doubles
MAIL = "mail"  # the service of an address that our own mail server is asked for
TOPIC = "digest"
BATCH = 200  # causes that are looked at in one transaction
TELLS_BEGIN = frozenset({NoticeKind.BEGAN, NoticeKind.STILL, NoticeKind.PAST})
TELLS_END = frozenset({NoticeKind.SOLVED, NoticeKind.PAST})


@dataclass(frozen=True, slots=True)
class Told:
    """A case of a cause, as a message shows it."""

    spider: str
    label: str
    run: int | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A message on its way, which was claimed."""

    delivery_id: int
    attempt: int  # from 1
    kind: NoticeKind
    service: str
    address: str = field(repr=False)
    client_id: int | None  # of the address
    created_at: datetime
    cause_id: int | None = None  # None: a digest, as all that follows
    portal: str = ""
    outcome: str = ""
    actor: str = ""
    username: str | None = None
    began_at: datetime | None = None
    failures: int = 0
    solved_at: datetime | None = None
    solved_by: str = ""
    cases: tuple[Told, ...] = ()  # those that are open; of a solved cause all


def decide(
    cause: Cause, sent: Sequence[NoticeDelivery], at: datetime, repeat: timedelta
) -> tuple[NoticeKind, datetime] | None:
    """
    Return what an address is to be told of a cause, and from when on; None for nothing.

    sent: what it was told, in order. repeat: at least so long after a message that tells of a failure comes no other one.
    """
    last = sent[-1] if sent else None
    begin = next((each for each in reversed(sent) if each.kind in TELLS_BEGIN), None)
    due = at if begin is None else begin.updated_at + repeat
    is_told = begin is not None and begin.updated_at >= cause.began_at
    if cause.solved_at is None:
        return (NoticeKind.STILL if is_told else NoticeKind.BEGAN), due
    if last is not None and last.kind not in TELLS_END:
        return NoticeKind.SOLVED, at
    return None if is_told else (NoticeKind.PAST, due)


def plan(session: Session, at: datetime, repeat: timedelta) -> int:
    """Make the messages about causes that are due; return how many."""
    due = select(Cause).where(Cause.check_at <= at).order_by(Cause.check_at, Cause.id).limit(BATCH)
    made = 0
    for cause in session.scalars(due.with_for_update(skip_locked=True)).all():
        forget(session, cause, at)
        later: list[datetime] = []
        for address in _addresses(session, cause):
            messages = _messages(session, cause.id, address)
            if any(each.result is NoticeResult.PENDING for each in messages):
                continue  # it says how things stand when it is sent
            told = decide(cause, _sent(messages), at, repeat)
            if told is not None and told[1] > at:
                later.append(told[1])
            elif told is not None:
                number = messages[-1].number + 1 if messages else 1
                key = {"address_id": address, "topic": f"cause {cause.id}", "number": number}
                facts = {"cause_id": cause.id, "kind": told[0], **_new(at)}
                ensure(session, NoticeDelivery, key, facts)
                made += 1
        cause.check_at = min(later, default=None)
    session.flush()
    return made


def plan_digests(session: Session, day: int, since: datetime, at: datetime) -> int:
    """
    Make the digest of a day for each address that gets one, unless an earlier one is still on its way; return how many.

    day: its number. since: when it was due; addresses that were added later do not get it.
    """
    made = 0
    of_digests = select(NoticeAddress.id).where(NoticeAddress.digest, NoticeAddress.created_at <= since)
    for address in session.scalars(of_digests.order_by(NoticeAddress.id)):
        there = select(NoticeDelivery.id).where(
            NoticeDelivery.address_id == address,
            NoticeDelivery.topic == TOPIC,
            or_(
                NoticeDelivery.number >= day,
                NoticeDelivery.result == NoticeResult.PENDING,
                NoticeDelivery.updated_at >= since,  # one of an earlier day that has come as late as that
            ),
        )
        if session.scalar(there.limit(1)) is None:
            key = {"address_id": address, "topic": TOPIC, "number": day}
            ensure(session, NoticeDelivery, key, {"kind": NoticeKind.DIGEST, **_new(at)})
            made += 1
    return made


def is_any_due(session: Session, at: datetime) -> bool:
    """Tell whether a message is to be sent now."""
    return session.scalar(select(NoticeDelivery.id).where(NoticeDelivery.due_at <= at).limit(1)) is not None


def claim(session: Session, at: datetime, repeat: timedelta, closed: Collection[str] = ()) -> Notice | None:
    """
    Claim what has been due longest; None when there is nothing that another process has not claimed.

    closed: services that get nothing now.
    """
    due = (
        select(NoticeDelivery, NoticeAddress)
        .join(NoticeAddress, NoticeAddress.id == NoticeDelivery.address_id)
        .where(NoticeDelivery.due_at <= at, NoticeAddress.service.not_in(closed))
        .order_by(NoticeDelivery.due_at, NoticeDelivery.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=NoticeDelivery)
    )
    while (found := session.execute(due).one_or_none()) is not None:
        row, address = found
        if row.cause_id is not None:
            cause = session.get_one(Cause, row.cause_id, populate_existing=True)
            told = decide(cause, _sent(_messages(session, cause.id, address.id)), at, repeat)
            if told is None:  # it was solved before it came back in a message
                row.result, row.due_at, row.updated_at = NoticeResult.SKIPPED, None, at
            elif told[1] > at:
                row.due_at = told[1]
            else:
                row.kind = told[0]
            session.flush()
            if row.due_at is None or row.due_at > at:
                continue
        row.due_at, row.attempts, row.updated_at = at + CLAIM, row.attempts + 1, at
        session.flush()
        return _notice(session, row, address)
    return None


def sent(session: Session, notice: Notice, at: datetime) -> None:
    """Write that a message was taken."""
    if _write(session, notice, result=NoticeResult.SENT, due_at=None, error=None, updated_at=at) and notice.cause_id:
        # What comes next is looked at, also if the cause has changed meanwhile.
        of_cause = update(Cause).where(Cause.id == notice.cause_id)
        session.execute(of_cause.values(check_at=at).execution_options(synchronize_session=False))


def failed(session: Session, notice: Notice, why: str, at: datetime, *, all_of_service: bool = False) -> datetime:
    """
    Write that an attempt has failed; return when the next one is due. why: a sentence.

    What else waits for that address waits as long, and with *all_of_service* what waits for the others of its service.
    """
    due_at: datetime = at + min(FIRST_PAUSE * 2 ** min(notice.attempt - 1, 20), LONGEST_PAUSE)
    _write(session, notice, due_at=due_at, error=why[:300], updated_at=at)
    mine = select(NoticeDelivery.address_id).where(NoticeDelivery.id == notice.delivery_id)
    of_service = select(NoticeAddress.id).where(NoticeAddress.service == notice.service)
    waiting = update(NoticeDelivery).where(
        NoticeDelivery.address_id.in_(of_service if all_of_service else mine), NoticeDelivery.due_at <= at
    )
    session.execute(waiting.values(due_at=due_at).execution_options(synchronize_session=False))
    return due_at


def since_last_digest(session: Session, notice: Notice) -> datetime | None:
    """Return when the address of a digest got the one before; None: it got none."""
    mine = select(NoticeDelivery.address_id).where(NoticeDelivery.id == notice.delivery_id).scalar_subquery()
    before = select(NoticeDelivery.updated_at).where(
        NoticeDelivery.address_id == mine,
        NoticeDelivery.topic == TOPIC,
        NoticeDelivery.result == NoticeResult.SENT,
    )
    return session.scalar(before.order_by(NoticeDelivery.number.desc()).limit(1))


def tell_open_causes(session: Session, at: datetime) -> None:
    """Look at every open cause anew: addresses have changed."""
    still = update(Cause).where(Cause.solved_at.is_(None)).values(check_at=at)
    session.execute(still.execution_options(synchronize_session=False))


def cases_of(session: Session, cause: Cause) -> tuple[Told, ...]:
    """Return the cases of a cause, the newest first: those that are open, of a solved one all since it began."""
    of_cause = select(Case).where(Case.cause_id == cause.id)
    shown = Case.is_open if cause.solved_at is None else Case.last_at >= cause.began_at
    rows = session.scalars(of_cause.where(shown).order_by(Case.last_at.desc(), Case.id))
    return tuple(Told(each.spider, each.label, each.last_run) for each in rows)


def _new(at: datetime) -> dict[str, object]:
    return {"due_at": at, "attempts": 0, "result": NoticeResult.PENDING, "created_at": at, "updated_at": at}


def _addresses(session: Session, cause: Cause) -> list[int]:
    """Return the addresses that are told of a cause: those of its client, where it has some for the actor, else all clients'."""
    columns = select(NoticeAddress.id, NoticeAddress.client_id, NoticeAddress.actors).order_by(NoticeAddress.id)
    rows = [row for row in session.execute(columns) if cause.actor in row.actors]
    own = [row.id for row in rows if row.client_id is not None and row.client_id == cause.client_id]
    routed = own or [row.id for row in rows if row.client_id is None]
    if cause.solved_at is None:
        return routed
    told = select(NoticeDelivery.address_id).where(NoticeDelivery.cause_id == cause.id).distinct()
    return sorted({*routed, *session.scalars(told)})


def _messages(session: Session, cause: int, address: int) -> Sequence[NoticeDelivery]:
    of_both = select(NoticeDelivery).where(NoticeDelivery.cause_id == cause, NoticeDelivery.address_id == address)
    ordered = of_both.order_by(NoticeDelivery.number)
    return session.scalars(ordered.execution_options(populate_existing=True)).all()


def _sent(messages: Sequence[NoticeDelivery]) -> list[NoticeDelivery]:
    return [each for each in messages if each.result is NoticeResult.SENT]


def _notice(session: Session, row: NoticeDelivery, address: NoticeAddress) -> Notice:
    facts = (row.id, row.attempts, row.kind, address.service, address.address, address.client_id, row.created_at)
    if row.cause_id is None:
        return Notice(*facts)
    cause = session.get_one(Cause, row.cause_id)
    return Notice(
        *facts,
        *(cause.id, cause.portal, cause.outcome, cause.actor, cause.username, cause.began_at, cause.failures),
        *(cause.solved_at, cause.solved_by, cases_of(session, cause)),
    )


def _write(session: Session, notice: Notice, **values: object) -> bool:
    # Another attempt means that another process has claimed the message since: it writes the result.
    mine = NoticeDelivery.id == notice.delivery_id, NoticeDelivery.attempts == notice.attempt
    done = session.execute(
        update(NoticeDelivery)
        .where(*mine, NoticeDelivery.due_at.is_not(None))
        .values(**values)
        .returning(NoticeDelivery.id)
        .execution_options(synchronize_session=False)
    )
    return done.first() is not None

"""
The broker of one-time codes: it matches messages from the gateways to the sign-ins that wait for a code.

A message does not name the login it belongs to. So at one receiver only one request at a time waits for the same
senders; after a request that ended without its message the receiver is blocked for the code's life, because the message
may still come.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, and_, case, delete, func, literal, or_, select, update
from sqlalchemy.orm import Session

from database.access.addresses import address, kind_of, storable
from database.access.fingerprints import fingerprints
from database.engine import Database, now
from database.models.audit import record
from database.models.codes import CodeKind, CodeRequest, CodeRequestState, Message
from database.models.runs import Run, RunState

LIFE = 300.0  # seconds a code is good for, unless a login or LATCHKEY_CODE_LIFE says otherwise
CLOCK_SKEW = timedelta(seconds=10)  # how far a gateway's clock may differ from ours before a message counts as old
TOMBSTONE_LIFE = timedelta(days=1)  # gateways repeat a delivery for hours when our answer got lost
STRANGER = "not one of the senders that the login knows"
GENERIC_PATTERN = r"\b([0-9]{6,8})\b"


class MessageNotReceived(Exception):
    """The deadline passed and no message of this login came."""


class MessageUnclear(Exception):
    """A message of this login came, and several of its numbers may be the code."""


class ReceiverBusy(Exception):
    """The receiver did not become free in the time that the caller had."""


@dataclass(frozen=True, slots=True)
class CodeChannel:
    """How the codes of one login come: from which senders (empty: any), how they look (see `candidates`), and which kind."""

    login: str
    senders: tuple[str, ...] = ()
    pattern: str = GENERIC_PATTERN
    kind: str = "code"
    by: str = ""  # sms or mail: which of a credential's receivers it is; "": whichever gets one
    portal: str = ""  # the login's: messages that came for another one are not read


@dataclass(frozen=True, slots=True)
class Reading:
    """The answer to a reader of codes: the code or None, when it was received, and its state."""

    code: str | None = field(repr=False)
    received_at: datetime | None
    status: str  # available, consumed, no code available, code already used, code expired, code unclear


@dataclass(frozen=True, slots=True)
class Summary:
    """State of the newest message of one receiver and carrier prefix, without its content."""

    receiver: str
    portal: str | None
    has_code: bool
    received_at: datetime
    used: bool


@dataclass(frozen=True, slots=True)
class Holder:
    """A sign-in for which a receiver is reserved, or was; until: when the receiver is free at the latest."""

    receiver: str
    login: str
    username: str
    until: datetime
    run_id: int | None


def candidates(pattern: str, text: str) -> tuple[str, ...]:
    """Return what may be the code in a text, see `database.access.extraction`."""
    from database.access.extraction import candidates  # its patterns take a tenth of a second to compile

    return candidates(pattern, text)


def extract(pattern: str, text: str) -> str | None:
    """Return the code or link that a text names, see `candidates`; None when it names none, or several."""
    found = candidates(pattern, text)
    return found[0] if len(found) == 1 else None


class OpenRequest:
    """A code request that holds its receiver. Its `repr` shows no more than the row's number."""

    def __init__(self, db: Database, request_id: int, receiver: str, portal: str, poll: float) -> None:
        self.id = request_id
        self._db, self._receiver, self._portal, self._poll = db, receiver, portal, poll
        self._unused = False

    def __repr__(self) -> str:
        """Show the row's number."""
        return f"OpenRequest({self.id})"

    async def answer(self, timeout: float) -> str:  # noqa: ASYNC109 - a last look is due when the time is up
        """
        Return the code or link of the oldest message that fits this request; the message is gone when this returns.

        timeout: seconds from now. Raises MessageNotReceived when it passes, or when the request's life is over before;
        MessageUnclear when several numbers of a message may be the code: at once if its sender is one of those that were
        named, else when the time is up, because any sender can write one.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while True:
            left = end - loop.time()
            claim = partial(_claim, request_id=self.id, receiver=self._receiver, portal=self._portal, is_last=left <= 0)
            found = await self._db.run(claim)
            if len(found) > 1:
                raise MessageUnclear(f"{len(found)} numbers of the message may be the code.")
            if found:
                return found[0]
            if left <= 0:
                raise MessageNotReceived(f"No message that fits came within {timeout:g} seconds.")
            await asyncio.sleep(min(self._poll, left))

    async def unfit(self) -> dict[str, int]:
        """Return how many messages came to the receiver since this request and did not fit, by kind of sender and reason."""
        return await self._db.run(partial(_unfit, request_id=self.id, portal=self._portal))

    def unused(self) -> None:
        """Note that the portal was not asked to send a code, so that `close` frees the receiver at once."""
        self._unused = True

    async def may_send(self) -> None:
        """Write down that from now on the portal may have sent a message; the rest after a kill depends on it."""
        await self._db.run(partial(_may_send, request_id=self.id, receiver=self._receiver))

    async def close(self) -> None:
        """Free the receiver: at once when the request is answered or unused, else after a rest."""
        state = CodeRequestState.UNUSED if self._unused else CodeRequestState.EXPIRED
        await self._db.run(partial(_close, request_id=self.id, receiver=self._receiver, state=state))


class CodeBroker:
    """Gives receivers to code requests, one at a time, and messages to the request that they belong to."""

    def __init__(self, db: Database, poll: float = 0.25) -> None:
        """poll: seconds between two looks at the database while something is waited for."""
        self._db, self._poll = db, poll

    @asynccontextmanager
    async def open(
        self,
        *,
        login: str,
        portal: str,
        username: str,
        receiver: str,
        senders: Sequence[str],
        pattern: str,
        kind: str = "code",
        life: float = LIFE,
        wait: float = 600,
        run_id: int | None = None,
        on_wait: Callable[[Holder], None] | None = None,
    ) -> AsyncIterator[OpenRequest]:
        """
        Hold *receiver* for *senders* (empty: any) while the context lasts; enter it before the portal is made to send.

        Entering waits up to *wait* seconds for other requests and rests, then raises ReceiverBusy. *life*: seconds that
        a code of this login is good for; the request of a dead process blocks no longer than that. *portal*: the
        login's; messages that came for another one are left alone. on_wait: called once when the receiver is not free.
        """
        re.compile(pattern)
        row: dict[str, Any] = {
            "login": login,
            "username": username,
            "receiver": address(receiver),
            "senders": sorted({address(sender) for sender in senders}),
            "kind": CodeKind(kind),
            "pattern": pattern,
            "run_id": run_id,
        }
        await self._db.run(purge_expired)
        request = await self._enter(row, portal, timedelta(seconds=life), wait, on_wait)
        try:
            yield request
        finally:
            await asyncio.shield(request.close())

    async def _enter(
        self,
        row: dict[str, Any],
        portal: str,
        life: timedelta,
        wait: float,
        on_wait: Callable[[Holder], None] | None = None,
    ) -> OpenRequest:
        loop = asyncio.get_running_loop()
        end = loop.time() + wait
        while True:
            attempt = asyncio.ensure_future(self._db.run(partial(_try_open, row=row, life=life)))
            try:
                request_id = await asyncio.shield(attempt)
            except asyncio.CancelledError:
                # The thread goes on: the row that it may still insert would block the receiver until its deadline.
                if (late := await attempt) is not None:
                    request = OpenRequest(self._db, late, row["receiver"], portal, self._poll)
                    request.unused()
                    await request.close()
                raise
            if request_id is not None:
                return OpenRequest(self._db, request_id, row["receiver"], portal, self._poll)
            if on_wait is not None and (held := await self._db.run(partial(holders, receiver=row["receiver"]))):
                on_wait(held[-1])
                on_wait = None
            left = end - loop.time()
            if left <= 0:
                raise ReceiverBusy(f"Another sign-in held the receiver for all of {wait:g} seconds, or it rests.")
            await asyncio.sleep(min(self._poll, left))


def accept(
    session: Session,
    receiver: str,
    sender: str,
    text: str,
    gateway_id: str | None = None,
    received_at: datetime | None = None,
    *,
    sent_at: datetime | None = None,
    portal: str | None = None,
    life: float = LIFE,
) -> None:
    """
    Store a message, encrypted; one that was delivered before, used ones included, is ignored.

    received_at: when it reached us; None means now. sent_at: when the gateway says that it reached the phone.
    portal: only logins of this portal may claim it; None: any.
    """
    receiver, text = address(receiver), storable(text)
    serialise(session, receiver)
    received_at = received_at or now(session)
    prints = fingerprints(session, "\n".join(("message", receiver, address(sender), text.strip())))
    same_text = and_(Message.text_fingerprint.in_(prints), Message.received_at > received_at - timedelta(seconds=life))
    gateway_id = (storable(gateway_id) if gateway_id else "") or None
    same = or_(same_text, Message.gateway_id == gateway_id) if gateway_id else same_text
    if session.scalar(select(Message.id).where(Message.receiver == receiver, same).limit(1)) is not None:
        return
    session.add(
        Message(
            receiver=receiver,
            sender=address(sender),
            sender_raw=storable(sender),
            portal=portal,
            text=text,
            text_fingerprint=prints[0],
            gateway_id=gateway_id,
            sent_at=sent_at,
            received_at=received_at,
        )
    )
    session.flush()


def is_awaited(session: Session, receiver: str, sender: str) -> bool:
    """Tell whether a sign-in waits at *receiver* for a message of that sender, or of any sender."""
    waiting = select(CodeRequest.senders).where(
        CodeRequest.receiver == address(receiver),
        CodeRequest.state == CodeRequestState.OPEN,
        CodeRequest.deadline > now(session),
    )
    return any(not senders or address(sender) in senders for senders in session.scalars(waiting))


def peek(session: Session, channel: CodeChannel, receiver: str, life: float = LIFE) -> Reading:
    """Return the newest unused code of *channel* that no sign-in waits for; it stays available."""
    return _read(session, channel, address(receiver), life, use=False)


def consume(session: Session, channel: CodeChannel, receiver: str, life: float = LIFE) -> Reading:
    """Return the same as `peek`, once: the message is gone afterwards."""
    return _read(session, channel, address(receiver), life, use=True)


def summaries(session: Session, channels: Iterable[CodeChannel], life: float = LIFE) -> list[Summary]:
    """Return what is known of the newest message of every receiver and carrier prefix in the last day."""
    moment = now(session)
    patterns = {channel.pattern for channel in channels}
    newest: dict[tuple[str, str | None], Summary] = {}
    for message in session.scalars(select(Message).order_by(Message.received_at, Message.id)):
        fresh = _is_fresh(message, moment, life)
        newest[message.receiver, message.portal] = Summary(
            receiver=message.receiver,
            portal=message.portal,
            has_code=fresh and any(extract(pattern, message.text or "") for pattern in patterns),
            received_at=message.received_at,
            used=message.claimed_at is not None,
        )
    return list(newest.values())


def purge_expired(session: Session, life: float = LIFE) -> int:
    """Delete the text of messages older than *life* seconds and forget old tombstones; return how many texts went."""
    serialise(session, "purge")
    moment = now(session)
    old = Message.received_at <= moment - timedelta(seconds=life)
    session.execute(delete(Message).where(Message.received_at <= moment - TOMBSTONE_LIFE))
    expired = _rowcount(session, update(Message).where(old, Message.text.is_not(None)).values(text=None))
    session.execute(update(Message).where(old, Message.text_fingerprint.is_not(None)).values(text_fingerprint=None))
    session.execute(delete(Message).where(old, Message.gateway_id.is_(None)))
    over = or_(CodeRequest.deadline <= moment, CodeRequest.closed_at.is_not(None))
    session.execute(update(CodeRequest).where(over, CodeRequest.typed.is_not(None)).values(typed=None))
    return expired


def serialise(session: Session, name: str) -> None:
    """Let one transaction at a time work on *name*; on SQLite every transaction of ours is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"latchkey codes {name}", 0))))


def _rowcount(session: Session, statement: Any) -> int:
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def _try_open(session: Session, row: dict[str, Any], life: timedelta) -> int | None:
    """Insert the request and return its number; None while another request or a rest is in the way."""
    serialise(session, row["receiver"])
    moment = now(session)
    here = CodeRequest.receiver == row["receiver"]
    dead = and_(here, CodeRequest.closed_at.is_(None), CodeRequest.deadline <= moment)
    _end(session, dead, CodeRequestState.EXPIRED, moment)
    # A killed sign-in that had its code, or that had not come so far that the portal could send one, frees the receiver;
    # one that still waited does not: its message may yet come.
    over = CodeRequest.run_id.in_(_ended_runs(session, here))
    _end(session, and_(here, CodeRequest.state == CodeRequestState.ANSWERED, over), CodeRequestState.EXPIRED, moment)
    _end(session, and_(here, CodeRequest.sent_at.is_(None), over), CodeRequestState.UNUSED, moment)
    held = or_(CodeRequest.closed_at.is_(None), CodeRequest.rest_until > moment)
    for other in session.scalars(select(CodeRequest.senders).where(here, held)):
        if not other or not row["senders"] or set(other) & set(row["senders"]):
            return None
    request = CodeRequest(
        **row,
        sender_group=" ".join(row["senders"]),
        requested_at=moment,
        deadline=moment + life,
        state=CodeRequestState.OPEN,
    )
    session.add(request)
    session.flush()
    return request.id


def _ended_runs(session: Session, here: ColumnElement[bool]) -> list[int]:
    """Return the runs that have an open request there and whose process has ended or which are closed."""
    open_runs = select(CodeRequest.run_id).where(here, CodeRequest.closed_at.is_(None), CodeRequest.run_id.is_not(None))
    runs = session.scalars(select(Run).where(Run.id.in_(open_runs))).all()
    return [run.id for run in runs if run.state is RunState.FINISHED or run.has_died]


def holders(session: Session, receiver: str | None = None) -> list[Holder]:
    """Return who holds a receiver (all receivers by default), or held the one that rests, and until when; latest end last."""
    moment = now(session)
    open_one = and_(CodeRequest.closed_at.is_(None), CodeRequest.deadline > moment)
    which = select(CodeRequest).where(or_(open_one, CodeRequest.rest_until > moment))
    if receiver is not None:
        which = which.where(CodeRequest.receiver == address(receiver))
    found = [
        Holder(
            request.receiver, request.login, request.username, request.rest_until or request.deadline, request.run_id
        )
        for request in session.scalars(which)
    ]
    return sorted(found, key=lambda holder: holder.until)


def _may_send(session: Session, request_id: int, receiver: str) -> None:
    serialise(session, receiver)
    session.execute(
        update(CodeRequest)
        .where(CodeRequest.id == request_id, CodeRequest.sent_at.is_(None))
        .values(sent_at=now(session))
    )


def _close(session: Session, request_id: int, receiver: str, state: CodeRequestState) -> None:
    serialise(session, receiver)
    _end(session, CodeRequest.id == request_id, state, now(session))


def _end(session: Session, which: ColumnElement[bool], state: CodeRequestState, moment: datetime) -> None:
    """Close requests: an answered one stays so; one that still waits becomes unused, or expired with a rest."""
    waits = CodeRequest.state == CodeRequestState.OPEN
    values: dict[str, Any] = {
        "closed_at": moment,
        "typed": None,
        "state": case((waits, literal(state, CodeRequest.state.type)), else_=CodeRequest.state),
    }
    if state is CodeRequestState.EXPIRED:
        values["rest_until"] = case((waits, CodeRequest.deadline), else_=None)
    # One statement: between two of them another transaction could bring a row into the condition.
    ended = update(CodeRequest).where(which, CodeRequest.closed_at.is_(None)).values(values)
    session.execute(ended.execution_options(synchronize_session=False))


def _claim(session: Session, request_id: int, receiver: str, portal: str, *, is_last: bool = False) -> tuple[str, ...]:
    """
    Take the oldest message that fits and return its code, or the several numbers that may be it; () while none came.

    is_last: the time is up, so an unclear message of any sender counts. Raises MessageNotReceived when the request is no
    longer open.
    """
    serialise(session, receiver)
    moment = now(session)
    request = session.get_one(CodeRequest, request_id)
    if request.state is not CodeRequestState.OPEN or request.deadline <= moment:
        raise MessageNotReceived("The request is answered, or its code's life is over.")
    if request.typed is not None:
        code, request.typed, request.state = request.typed, None, CodeRequestState.ANSWERED
        _note_use(session, request, "a person")
        return (code,)
    fitting = _fitting(session, request.receiver, request.senders, portal, request.pattern)
    since = [(message, found) for message, found in fitting if not _is_older(message, request)]
    clear = [(message, found) for message, found in since if len(found) == 1]
    unclear = [each for each in since if len(each[1]) > 1] if request.senders or is_last else []
    for message, found in (*clear, *unclear):
        if _use(session, message, moment, request.id):
            request.state = CodeRequestState.ANSWERED
            if len(found) == 1:
                _note_use(session, request, "a message")
            return found
    return ()


def _note_use(session: Session, request: CodeRequest, given_by: str) -> None:
    detail = {"from": given_by, "run": request.run_id}
    record(session, "code.used", f"{request.login} {request.username}", detail)


def _is_older(message: Message, request: CodeRequest) -> bool:
    """Return whether a message came, or was sent, before the request was made."""
    before = message.sent_at is not None and message.sent_at < request.requested_at - CLOCK_SKEW
    return before or message.received_at < request.requested_at


def _fitting(
    session: Session, receiver: str, senders: Sequence[str], portal: str, pattern: str
) -> Iterator[tuple[Message, tuple[str, ...]]]:
    """Give the unused messages that a login of a portal may read, with what may be their code, oldest first."""
    query = select(Message).where(Message.receiver == receiver, Message.claimed_at.is_(None), Message.text.is_not(None))
    if senders:
        query = query.where(Message.sender.in_(senders))
    for message in session.scalars(query.order_by(Message.received_at, Message.id)).all():
        if message.portal in (None, portal) and (found := candidates(pattern, message.text or "")):
            yield message, found


def _unfit(session: Session, request_id: int, portal: str) -> dict[str, int]:
    request = session.get_one(CodeRequest, request_id)
    came = select(Message).where(Message.receiver == request.receiver, Message.received_at >= request.requested_at)
    said: dict[str, int] = {}
    for message in session.scalars(came.order_by(Message.id)):
        if why := _why_unfit(message, request, portal):
            text = f"{kind_of(message.sender)}: {why}"
            said[text] = said.get(text, 0) + 1
    return said


def _why_unfit(message: Message, request: CodeRequest, portal: str) -> str:
    """Return why a message that came since a request did not answer it; "" if it did."""
    if message.claimed_by == request.id:
        return ""
    if request.senders and message.sender not in request.senders:
        return STRANGER
    if message.claimed_at is not None:
        return "used already"
    if message.portal not in (None, portal):
        return "delivered for another portal"
    if _is_older(message, request):
        return "sent before the code was asked for"
    named = len(candidates(request.pattern, message.text or ""))
    return "it names no code" if not named else "it came too late" if named == 1 else "it names several numbers"


def _is_fresh(message: Message, moment: datetime, life: float) -> bool:
    alive = message.received_at > moment - timedelta(seconds=life)
    return alive and message.claimed_at is None and message.text is not None


def _use(session: Session, message: Message, moment: datetime, request_id: int | None) -> bool:
    """Mark the message as used and delete its text; False when another one was faster."""
    statement = (
        update(Message)
        .where(Message.id == message.id, Message.claimed_at.is_(None))
        .values(claimed_at=moment, claimed_by=request_id, text=None)
        .execution_options(synchronize_session=False)
    )
    return _rowcount(session, statement) == 1


def _read(session: Session, channel: CodeChannel, receiver: str, life: float, *, use: bool) -> Reading:
    serialise(session, receiver)
    moment = now(session)
    senders = [address(sender) for sender in channel.senders]
    waiting = session.scalars(
        select(CodeRequest).where(
            CodeRequest.receiver == receiver,
            CodeRequest.state == CodeRequestState.OPEN,
            CodeRequest.deadline > moment,
        )
    ).all()
    found = list(_fitting(session, receiver, senders, channel.portal, channel.pattern))
    unclear = False
    for message, codes in reversed(found):
        # A sign-in of ours that waits has the first right to what came since it asked.
        reserved = any(
            message.received_at >= request.requested_at and (not request.senders or message.sender in request.senders)
            for request in waiting
        )
        if reserved or not _is_fresh(message, moment, life):
            continue
        if len(codes) > 1:
            unclear = True
            continue
        if not use:
            return Reading(codes[0], message.received_at, "available")
        if _use(session, message, moment, None):
            return Reading(codes[0], message.received_at, "consumed")
    if unclear:
        return Reading(None, None, "code unclear")
    return Reading(None, None, _why_none(session, channel.portal, receiver, senders, moment, life))


def _why_none(
    session: Session, portal: str, receiver: str, senders: Sequence[str], moment: datetime, life: float
) -> str:
    query = select(Message).where(Message.receiver == receiver)
    if senders:
        query = query.where(Message.sender.in_(senders))
    for message in session.scalars(query.order_by(Message.received_at.desc(), Message.id.desc())):
        if message.portal not in (None, portal):
            continue
        if message.claimed_at is not None:
            return "code already used"
        if message.received_at <= moment - timedelta(seconds=life):
            return "code expired"
    return "no code available"

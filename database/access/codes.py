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
from email.utils import parseaddr
from functools import partial
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from database.access.fingerprints import fingerprints
from database.engine import Database, now
from database.models.codes import CodeKind, CodeRequest, CodeRequestState, Message
from database.models.runs import Run, RunState

LIFE = 300.0  # seconds a code is good for, unless a login or LATCHKEY_CODE_LIFE says otherwise
CLOCK_SKEW = timedelta(seconds=10)  # how far a gateway's clock may differ from ours before a message counts as old
TOMBSTONE_LIFE = timedelta(days=1)  # gateways repeat a delivery for hours when our answer got lost
GENERIC_PATTERN = r"\b([0-9]{6,8})\b"


class MessageNotReceived(Exception):
    """The deadline passed and no message of this login came."""


class ReceiverBusy(Exception):
    """The receiver did not become free in the time that the caller had."""


@dataclass(frozen=True, slots=True)
class CodeChannel:
    """How the codes of one login come: from which senders (empty: any), by which regular expression (first group), and which kind."""

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
    status: str  # available, consumed, no code available, code already used, code expired


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
    """A sign-in that holds a receiver, or after which it rests: whose it is, and until when at most."""

    receiver: str
    login: str
    username: str
    until: datetime
    run_id: int | None


def address(raw: str) -> str:
    """
    Return the one spelling under which a phone number, short code, mail address or sender name is compared.

    Ten digits are taken for a North American number; longer ones for an international number without its plus sign.
    """
    text = " ".join(storable(raw).split())
    if "@" in text:
        return (parseaddr(text)[1] or text).casefold()
    digits = re.sub(r"[\s().\-/]", "", text)
    if re.fullmatch(r"\+[0-9]{5,15}", digits):
        return digits
    if re.fullmatch(r"00[1-9][0-9]{6,13}", digits):
        return "+" + digits[2:]
    if re.fullmatch(r"[2-9][0-9]{9}", digits):
        return "+1" + digits
    if re.fullmatch(r"[1-9][0-9]{10,14}", digits):
        return "+" + digits
    return digits if re.fullmatch(r"[0-9]+", digits) else text.casefold()


def receivers(given: str) -> dict[str, str]:
    """
    Return a credential's receivers as they are compared, by the way that codes take to them: sms, mail.

    given: a phone number, a mail address, or both separated by a comma. Raises ValueError, with the cure, for two of a kind.

    >>> receivers("(201) 555-0100, Codes@Example.com")
    {'sms': '+12015550100', 'mail': 'codes@example.com'}
    """
    found: dict[str, str] = {}
    for each in filter(None, map(address, given.split(","))):
        way = "mail" if "@" in each else "sms"
        if way in found:
            kind = "mail address" if way == "mail" else "phone number"
            raise ValueError(f"only one {kind} can be a receiver: name one, or one phone number and one mail address.")
        found[way] = each
    return dict(sorted(found.items(), reverse=True))  # always sms before mail


def storable(text: str) -> str:
    """Return *text* without what PostgreSQL or UTF-8 refuse: NUL and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def extract(pattern: str, text: str) -> str | None:
    """Return the first group of *pattern* in *text*, or the whole match when it has none; None without a match."""
    match = re.search(pattern, text)
    if match is None:
        return None
    return next((group for group in match.groups() if group is not None), match.group(0))


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

        timeout: seconds from now. Raises MessageNotReceived when it passes, or when the request's life is over before.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while True:
            code = await self._db.run(partial(_claim, request_id=self.id, receiver=self._receiver, portal=self._portal))
            if code is not None:
                return code
            left = end - loop.time()
            if left <= 0:
                raise MessageNotReceived(f"No message that fits came within {timeout:g} seconds.")
            await asyncio.sleep(min(self._poll, left))

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
    _serialise(session, receiver)
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
    _serialise(session, "purge")
    moment = now(session)
    old = Message.received_at <= moment - timedelta(seconds=life)
    session.execute(delete(Message).where(Message.received_at <= moment - TOMBSTONE_LIFE))
    expired = _rowcount(session, update(Message).where(old, Message.text.is_not(None)).values(text=None))
    session.execute(update(Message).where(old, Message.text_fingerprint.is_not(None)).values(text_fingerprint=None))
    session.execute(delete(Message).where(old, Message.gateway_id.is_(None)))
    return expired


def _serialise(session: Session, name: str) -> None:
    """Let one transaction at a time work on *name*; on SQLite every transaction of ours is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"latchkey codes {name}", 0))))


def _rowcount(session: Session, statement: Any) -> int:
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def _try_open(session: Session, row: dict[str, Any], life: timedelta) -> int | None:
    """Insert the request and return its number; None while another request or a rest is in the way."""
    _serialise(session, row["receiver"])
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
    _serialise(session, receiver)
    session.execute(
        update(CodeRequest)
        .where(CodeRequest.id == request_id, CodeRequest.sent_at.is_(None))
        .values(sent_at=now(session))
    )


def _close(session: Session, request_id: int, receiver: str, state: CodeRequestState) -> None:
    _serialise(session, receiver)
    _end(session, CodeRequest.id == request_id, state, now(session))


def _end(session: Session, which: ColumnElement[bool], state: CodeRequestState, moment: datetime) -> None:
    """Close requests: an answered one stays so; one that still waits becomes unused, or expired with a rest."""
    rest_until = CodeRequest.deadline if state is CodeRequestState.EXPIRED else None
    waits = CodeRequest.state == CodeRequestState.OPEN
    session.execute(update(CodeRequest).where(which, waits).values(state=state, rest_until=rest_until))
    session.execute(update(CodeRequest).where(which, CodeRequest.closed_at.is_(None)).values(closed_at=moment))


def _claim(session: Session, request_id: int, receiver: str, portal: str) -> str | None:
    """Take the oldest message that fits; raise MessageNotReceived when the request is no longer open."""
    _serialise(session, receiver)
    moment = now(session)
    request = session.get_one(CodeRequest, request_id)
    if request.state is not CodeRequestState.OPEN or request.deadline <= moment:
        raise MessageNotReceived("The request is answered, or its code's life is over.")
    for message, code in _fitting(session, request.receiver, request.senders, portal, request.pattern):
        old = message.sent_at is not None and message.sent_at < request.requested_at - CLOCK_SKEW
        if message.received_at < request.requested_at or old:
            continue
        if _use(session, message, moment, request.id):
            request.state = CodeRequestState.ANSWERED
            return code
    return None


def _fitting(
    session: Session, receiver: str, senders: Sequence[str], portal: str, pattern: str
) -> Iterator[tuple[Message, str]]:
    """Give the unused messages that a login of a portal may read, with their code, oldest first."""
    query = select(Message).where(Message.receiver == receiver, Message.claimed_at.is_(None), Message.text.is_not(None))
    if senders:
        query = query.where(Message.sender.in_(senders))
    for message in session.scalars(query.order_by(Message.received_at, Message.id)).all():
        if message.portal in (None, portal) and (code := extract(pattern, message.text or "")) is not None:
            yield message, code


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
    _serialise(session, receiver)
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
    for message, code in reversed(found):
        # A sign-in of ours that waits has the first right to what came since it asked.
        reserved = any(
            message.received_at >= request.requested_at and (not request.senders or message.sender in request.senders)
            for request in waiting
        )
        if reserved or not _is_fresh(message, moment, life):
            continue
        if not use:
            return Reading(code, message.received_at, "available")
        if _use(session, message, moment, None):
            return Reading(code, message.received_at, "consumed")
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

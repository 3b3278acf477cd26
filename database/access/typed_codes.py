"""One-time codes that a person types for a sign-in that waits: it goes to that sign-in, and to no other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from database.access.codes import candidates, serialise
from database.access.roles import runs_of
from database.engine import now
from database.models.audit import record
from database.models.codes import CodeRequest, CodeRequestState
from database.models.runs import Run, RunState

CONTEXTS = ("{}", "Your verification code is: {}", "code {}")  # patterns may ask for the words before a code
LONGEST = 2000  # characters; a link may be long


class CodeRefused(Exception):
    """A code was not taken. The text is one sentence without it."""


class TooLate(CodeRefused):
    """The sign-in no longer waits: it has a code, or has ended."""


@dataclass(frozen=True, slots=True)
class WaitingSignIn:
    """A sign-in that waits for its code. receiver: end of the number or address to which the portal sent it."""

    id: int  # of the code request
    login: str
    username: str
    kind: str  # code or link
    receiver: str
    since: datetime
    until: datetime
    run_id: int | None
    job_id: int | None


def waiting(session: Session, client_id: int | None = None) -> list[WaitingSignIn]:
    """Return the sign-ins that wait for a code which the portal may have sent, oldest first, each once. client_id: see `roles`."""
    query = select(CodeRequest, Run).outerjoin(Run, Run.id == CodeRequest.run_id).where(*_open(now(session)))
    if client_id is not None:
        query = query.where(runs_of(client_id))
    found: dict[tuple[str, str, int | None], WaitingSignIn] = {}
    for request, run in session.execute(query.order_by(CodeRequest.sent_at, CodeRequest.id)):
        key = (request.login, request.username, request.run_id)
        if key in found or _is_over(run):
            continue
        found[key] = WaitingSignIn(
            request.id,
            request.login,
            request.username,
            request.kind.value,
            shortened(request.receiver),
            request.sent_at or request.requested_at,
            request.deadline,
            request.run_id,
            run.job_id if run is not None else None,
        )
    return list(found.values())


def give(session: Session, request_id: int, text: str) -> None:
    """
    Give a code or link to the sign-in of a code request, which takes it within moments.

    Raises TooLate where it waits no more, CodeRefused for a text that cannot be its code; nothing is stored then.
    """
    request = session.get(CodeRequest, request_id)
    if request is None:
        raise TooLate("That sign-in no longer waits for a code.")
    serialise(session, request.receiver)
    session.refresh(request)
    run = session.get(Run, request.run_id) if request.run_id is not None else None
    if request.state is not CodeRequestState.OPEN or request.deadline <= now(session) or _is_over(run):
        raise TooLate("That sign-in no longer waits for a code: it has one, or it has ended. The code was not used.")
    if request.sent_at is None:
        raise CodeRefused("The portal was not asked for a code yet: wait until it has sent one.")
    code = read(request.pattern, text)
    if code is None:
        raise CodeRefused(f"That is no {request.kind.value} of {request.login}: it looks otherwise. It was not used.")
    same = (CodeRequest.login == request.login, CodeRequest.username == request.username)
    of_run = CodeRequest.run_id.is_(None) if request.run_id is None else CodeRequest.run_id == request.run_id
    # A credential with a phone and a mailbox has a request at each; the sign-in takes what comes first.
    for each in session.scalars(select(CodeRequest).where(*_open(now(session)), *same, of_run)):
        each.typed = code
    record(session, "code.typed", f"{request.login} {request.username}", {"run": request.run_id})


def read(pattern: str, text: str) -> str | None:
    r"""
    Return the code that was typed, None where it does not look as the pattern says.

    >>> read(r"\b(\d{6,8})\b", " 377 537 "), read(r"\b(\d{6,8})\b", "37753")
    ('377537', None)
    """
    given = text.strip()
    if not given or len(given) > LONGEST:
        return None
    for context in CONTEXTS:
        found = candidates(pattern, context.format(given))
        if len(found) == 1:
            return found[0]
    return None


def shortened(receiver: str) -> str:
    """
    Return what tells a receiver from others without naming it.

    >>> shortened("+12015550100"), shortened("codes@example.com")
    ('…0100', 'co…@example.com')
    """
    name, at, domain = receiver.partition("@")
    return f"{name[:2]}…@{domain}" if at else f"…{receiver[-4:]}"


def _open(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        CodeRequest.state == CodeRequestState.OPEN,
        CodeRequest.closed_at.is_(None),
        CodeRequest.deadline > at,
        CodeRequest.sent_at.is_not(None),
    )


def _is_over(run: Run | None) -> bool:
    return run is not None and (run.state is RunState.FINISHED or run.has_died)

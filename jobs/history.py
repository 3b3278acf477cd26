"""Runs and stored files, the newest first, in pages that begin below an id: a page costs the same however far back it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from database.models import Account, Client, FileStatus, Run, RunState, StoredFile, Workspace

FAILED = "failed"  # stands for every outcome but success
MANY = 100  # accounts from which on one query asks for all of them
READY = (FileStatus.READY, FileStatus.PROCESSING, FileStatus.PROCESSED)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which runs or files; None: not chosen by that. before: an id, below which the page begins."""

    client_id: int | None = None
    client: str | None = None  # its name
    account: str | None = None  # its number
    portal: str | None = None
    report_type: str | None = None
    outcome: str | None = None  # of runs: a code, or FAILED
    run: int | None = None  # of files
    before: int | None = None


def runs(session: Session, wanted: Filter, limit: int) -> list[Run]:
    """Return runs that have ended."""
    conditions = [Run.state == RunState.FINISHED, *_conditions(Run, wanted)]
    if wanted.outcome == FAILED:
        conditions.append(Run.outcome != "success")
    elif wanted.outcome is not None:
        conditions.append(Run.outcome == wanted.outcome)
    ids = _newest(session, Run, conditions, wanted, limit)
    return list(session.scalars(select(Run).where(Run.id.in_(ids)).order_by(Run.id.desc())))


def running(session: Session, wanted: Filter, limit: int) -> list[Run]:
    """Return the runs that have not ended."""
    # Asked by the outcome, which has an index.
    query = select(Run).where(Run.outcome.is_(None), Run.state == RunState.RUNNING, *_conditions(Run, wanted))
    accounts = _accounts(session, wanted)
    if accounts is not None:
        query = query.where(Run.account_id.in_(accounts))
    return list(session.scalars(query.order_by(Run.id.desc()).limit(limit)))


def files(session: Session, wanted: Filter, limit: int) -> list[tuple[StoredFile, str | None]]:
    """Return stored files, each with the number of its account."""
    conditions = [StoredFile.status.in_(READY), *_conditions(StoredFile, wanted)]
    if wanted.run is not None:
        conditions.append(StoredFile.run_id == wanted.run)
    ids = _newest(session, StoredFile, conditions, wanted, limit)
    query = select(StoredFile, Account.number).outerjoin(Account, Account.id == StoredFile.account_id)
    rows = session.execute(query.where(StoredFile.id.in_(ids)).order_by(StoredFile.id.desc()))
    return [(file, number) for file, number in rows]


def owner_of(session: Session, account_id: int | None) -> tuple[int, str] | None:
    """Return id and name of the client that an account belongs to; None for what belongs to no account."""
    if account_id is None:
        return None
    query = select(Client.id, Client.name).join(Workspace, Workspace.client_id == Client.id)
    row = session.execute(query.join(Account).where(Account.id == account_id)).one_or_none()
    return None if row is None else (row[0], row[1])


def clients(session: Session, only: int | None) -> Sequence[str]:
    """Return the names of the active clients. only: id of the one that is looked at."""
    query = select(Client.name).where(Client.active).order_by(Client.name)
    return session.scalars(query if only is None else query.where(Client.id == only)).all()


def _conditions(model: type[Run | StoredFile], wanted: Filter) -> list[ColumnElement[bool]]:
    """Return what a filter says of rows, their accounts apart."""
    found = [
        column == value
        for column, value in ((model.portal, wanted.portal), (model.report_type, wanted.report_type))
        if value is not None
    ]
    return found if wanted.before is None else [*found, model.id < wanted.before]


def _accounts(session: Session, wanted: Filter) -> Sequence[int] | None:
    """Return the ids of the accounts that a filter names; None: it names none."""
    if (wanted.client_id, wanted.client, wanted.account) == (None, None, None):
        return None
    query = select(Account.id).join(Workspace, Workspace.id == Account.workspace_id)
    query = query.join(Client, Client.id == Workspace.client_id)
    for column, value in (
        (Client.id, wanted.client_id),
        (Client.name, wanted.client),
        (Account.number, wanted.account),
    ):
        if value is not None:
            query = query.where(column == value)
    return session.scalars(query).all()


def _newest(
    session: Session,
    model: type[Run | StoredFile],
    conditions: Sequence[ColumnElement[bool]],
    wanted: Filter,
    limit: int,
) -> list[int]:
    """Return the ids of the newest rows, the newest first."""
    query = select(model.id).where(*conditions).order_by(model.id.desc()).limit(limit)
    accounts = _accounts(session, wanted)
    if accounts is None:
        return list(session.scalars(query))
    if len(accounts) > MANY:
        return list(session.scalars(query.where(model.account_id.in_(accounts))))
    # Each by itself, by the index of accounts: else the rows of all accounts would be looked through for those of a few.
    each = (number for account in accounts for number in session.scalars(query.where(model.account_id == account)))
    return nlargest(limit, each)

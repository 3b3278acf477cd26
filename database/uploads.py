"""Uploads to the customer's own server: which stored files are due, and the state of each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from database.dialects import postgresql, sqlite
from database.engine import now
from database.models import (
    Account,
    FileStatus,
    StoredFile,
    Upload,
    UploadState,
    Workspace,
)
from database.processes import has_ended, signature

FINAL = (UploadState.REFUSED, UploadState.CLIENT_GONE)


class NotNow(Exception):
    """A file may not be sent at present. The text is a part of a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a file belongs at the customer's server, as its interface has it."""

    path: str  # of the URL, from its root
    media_type: str  # of the form's part with the file
    fields: dict[str, str] = field(default_factory=dict)  # what the form says beside the file


# What a family's function does: return the addresses of stored files by their ids, without those that have none.
Addresses = Callable[[Session, Sequence[int]], Mapping[int, Address]]


@dataclass(frozen=True, slots=True)
class Due:
    """A stored file that the customer's server should have, with everything that its request says."""

    file_id: int
    endpoint: str  # URL
    path: str  # below the store
    store: str  # address of the store that it was written to
    sha256: str
    size: int  # bytes
    media_type: str
    key: str  # the same for every request with this content of this file: the server may know it by that
    label: str  # for people
    workspace_id: int
    client_id: int
    fields: dict[str, str] = field(default_factory=dict)  # what the form says beside the file
    state: UploadState | None = None  # None: it was never sent
    message: str | None = None

    @property
    def name(self) -> str:
        """The file's name in the store."""
        return PurePosixPath(self.path).name


def due(session: Session, base: str, addresses: Iterable[Addresses], *which: ColumnElement[bool]) -> list[Due]:
    """
    Return the stored files that the server at *base* does not have, oldest first; those that it refused are among them.

    addresses: functions of the families that send files on; a file without an address is left out. which: conditions
    on StoredFile.
    """
    found = []
    rows = session.execute(_files(base, which)).all()
    places = _places(session, addresses, [file.id for file, _ in rows])
    for file, workspace in rows:
        if (place := places.get(file.id)) is None:
            continue
        identity = f"{place.path}\n{file.spider}\n{file.target_key}\n{file.key}\n{file.sha256}"
        found.append(
            Due(
                file_id=file.id,
                endpoint=f"{base}{place.path}",
                path=file.path,
                store=file.store or "",
                sha256=file.sha256,
                size=file.size,
                media_type=place.media_type,
                key=hashlib.sha256(identity.encode()).hexdigest(),
                label=f"{file.spider} {file.target_key} {file.key}",
                workspace_id=workspace.id,
                client_id=workspace.client_id,
                fields=place.fields,
            )
        )
    return [
        file if row is None else replace(file, state=row.state, message=row.message)
        for file, row in _with_rows(session, found)
    ]


def claim(session: Session, file: Due, run_id: int | None, patience: float, again: bool = False) -> int | None:
    """
    Write down that a request with this file is about to be sent, and return the row's id.

    None: the server has it, or another process is sending it and will say what became of it. Raises NotNow.
    patience: seconds after which another machine's request without an answer counts as dead. again: also when the
    server has refused it, or asked for a longer rest.
    """
    row = _row(session, file)
    time = now(session)
    if row.state == UploadState.STORED or (row.state == UploadState.SENDING and not _is_dead(row, time, patience)):
        return None
    if row.state in FINAL and not again:
        raise NotNow("was refused before")
    if row.again_at is not None and row.again_at > time and not again:
        raise NotNow(f"the server wants to be left alone until {row.again_at:%Y-%m-%d %H:%M} UTC")
    row.state, row.tries, row.holder = UploadState.SENDING, row.tries + 1, signature()
    row.run_id, row.client_id = run_id, file.client_id
    row.began_at, row.ended_at, row.again_at, row.status, row.message = time, None, None, None, None
    return row.id


def settle(
    session: Session,
    upload_id: int,
    state: UploadState,
    status: int | None = None,
    message: str | None = None,
    rest: float | None = None,
) -> bool:
    """
    Write down what became of a request; False when another process has taken the file over meanwhile.

    status: of the answer. rest: seconds for which the server wants to be left alone.
    """
    time = now(session)
    statement = (
        update(Upload)
        .where(Upload.id == upload_id, Upload.state == UploadState.SENDING, Upload.holder == signature())
        .values(
            state=state,
            status=status,
            message=message,
            ended_at=time,
            again_at=time + timedelta(seconds=rest) if rest else None,
        )
    )
    return session.execute(statement.returning(Upload.id)).first() is not None


def give_up(session: Session, file: Due, run_id: int | None, message: str) -> None:
    """Write down that a file is not sent, because its client is gone at the server."""
    row = _row(session, file)
    if row.state == UploadState.FAILED:
        row.state, row.message, row.run_id = UploadState.CLIENT_GONE, message, run_id
        row.client_id, row.ended_at = file.client_id, now(session)


def is_gone(session: Session, base: str, client_id: int) -> bool:
    """Tell whether the server at *base* has said that it no longer knows this client, and stored nothing of it since."""
    newest = select(func.max(Upload.ended_at)).where(
        Upload.client_id == client_id, Upload.endpoint.startswith(f"{base}/", autoescape=True)
    )
    gone = session.scalar(newest.where(Upload.state == UploadState.CLIENT_GONE))
    stored = session.scalar(newest.where(Upload.state == UploadState.STORED))
    return gone is not None and (stored is None or stored < gone)


def _row(session: Session, file: Due) -> Upload:
    """Return the row of a file's upload, made if need be, and keep it for this transaction."""
    key: dict[str, Any] = {"file_id": file.file_id, "sha256": file.sha256, "endpoint": file.endpoint}
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    new = insert(Upload).values(**key, state=UploadState.FAILED, client_id=file.client_id)
    session.execute(new.on_conflict_do_nothing(index_elements=list(key)))
    return session.scalars(select(Upload).filter_by(**key).with_for_update()).one()


def _files(base: str, which: Sequence[ColumnElement[bool]]) -> Any:
    there = select(Upload.id).where(
        Upload.file_id == StoredFile.id,
        Upload.sha256 == StoredFile.sha256,
        Upload.state == UploadState.STORED,
        Upload.endpoint.startswith(f"{base}/", autoescape=True),
    )
    return (
        select(StoredFile, Workspace)
        .join(Account, Account.id == StoredFile.account_id)
        .join(Workspace, Workspace.id == Account.workspace_id)
        .where(StoredFile.status == FileStatus.READY, StoredFile.path.is_not(None), StoredFile.sha256.is_not(None))
        .where(~there.exists(), *which)
        .order_by(StoredFile.id)
    )


def _places(session: Session, addresses: Iterable[Addresses], ids: list[int]) -> dict[int, Address]:
    places: dict[int, Address] = {}
    for of_family in addresses:
        for some in _pieces(ids):
            places.update(of_family(session, some))
    return places


def _pieces(ids: list[int]) -> Iterable[list[int]]:
    """Cut a list into pieces for one statement each: SQLite takes 32766 values in one, older ones 999."""
    return (ids[start : start + 500] for start in range(0, len(ids), 500))


def _with_rows(session: Session, files: list[Due]) -> list[tuple[Due, Upload | None]]:
    rows: dict[tuple[int, str, str], Upload] = {}
    ids = [file.file_id for file in files]
    for some in _pieces(ids):
        for row in session.scalars(select(Upload).where(Upload.file_id.in_(some))):
            rows[row.file_id, row.sha256, row.endpoint] = row
    return [(file, rows.get((file.file_id, file.sha256, file.endpoint))) for file in files]


def _is_dead(row: Upload, time: datetime, patience: float) -> bool:
    return has_ended(row.holder) or row.began_at is None or row.began_at + timedelta(seconds=patience) < time

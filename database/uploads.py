"""Which stored files the customer's own server should have, and what became of each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from database.engine import now
from database.models import (
    Account,
    BillingCycleFile,
    BillingCyclePdfFile,
    DailyUsageFile,
    FileStatus,
    PoolUsage,
    StoredFile,
    Upload,
    UploadState,
    Workspace,
)
from database.processes import has_ended, signature

PDF, BYTES = "application/pdf", "application/octet-stream"
FINAL = (UploadState.REFUSED, UploadState.CLIENT_GONE)


class NotNow(Exception):
    """A file may not be sent at present. The text is a part of a sentence that says why."""


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


def due(session: Session, base: str, *which: ColumnElement[bool]) -> list[Due]:
    """
    Return the stored files that the server at *base* does not have, oldest first; those that it refused are among them.

    which: conditions on StoredFile. Files of no billing cycle have no address there and are left out.
    """
    found = []
    for row in session.execute(_files(base, which)):
        file, cycle_file, day_file, pdf_file, account, workspace = row
        path, media_type, fields = _address(session, cycle_file, day_file, pdf_file, account)
        identity = f"{path}\n{file.spider}\n{file.target_key}\n{file.name}\n{file.sha256}"
        found.append(
            Due(
                file_id=file.id,
                endpoint=f"{base}{path}",
                path=file.path,
                store=file.store or "",
                sha256=file.sha256,
                size=file.size,
                media_type=media_type,
                key=hashlib.sha256(identity.encode()).hexdigest(),
                label=f"{file.spider} {file.target_key} {file.name}",
                workspace_id=workspace.id,
                client_id=workspace.client_id,
                fields=fields,
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
    Write down what became of a request; False when somebody else has taken the file over meanwhile.

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
        select(StoredFile, BillingCycleFile, DailyUsageFile, BillingCyclePdfFile, Account, Workspace)
        .outerjoin(BillingCycleFile, BillingCycleFile.file_id == StoredFile.id)
        .outerjoin(DailyUsageFile, DailyUsageFile.file_id == StoredFile.id)
        .outerjoin(BillingCyclePdfFile, BillingCyclePdfFile.file_id == StoredFile.id)
        .join(Account, Account.id == StoredFile.account_id)
        .join(Workspace, Workspace.id == Account.workspace_id)
        .where(StoredFile.status == FileStatus.READY, StoredFile.path.is_not(None), StoredFile.sha256.is_not(None))
        .where(func.coalesce(BillingCycleFile.id, DailyUsageFile.id, BillingCyclePdfFile.id).is_not(None))
        .where(~there.exists(), *which)
        .order_by(StoredFile.id)
    )


def _address(
    session: Session,
    cycle_file: BillingCycleFile | None,
    day_file: DailyUsageFile | None,
    pdf_file: BillingCyclePdfFile | None,
    account: Account,
) -> tuple[str, str, dict[str, str]]:
    """Return path, media type of the part, and the form's other fields, as the customer's interface has them."""
    cycles = "/api/v1/accounts/billing-cycles"
    if cycle_file is not None:
        return f"{cycles}/{cycle_file.billing_cycle_id}/files/{cycle_file.id}/upload-file/", BYTES, {}
    if pdf_file is not None:
        return f"{cycles}/{pdf_file.billing_cycle_id}/upload-pdf/", PDF, {}
    assert day_file is not None  # the query brings only files of one of the three
    pool = session.execute(
        select(PoolUsage.pool_size, PoolUsage.pool_used).where(
            PoolUsage.account_id == account.id, PoolUsage.day == day_file.day
        )
    ).one_or_none()
    sizes = {"pool_size": pool[0], "pool_used": pool[1]} if pool else {}
    fields = {name: str(size) for name, size in sizes.items() if size is not None}  # unknown is not 0
    return f"{cycles}/{day_file.billing_cycle_id}/daily-usage/", BYTES, fields


def _with_rows(session: Session, files: list[Due]) -> list[tuple[Due, Upload | None]]:
    rows: dict[tuple[int, str, str], Upload] = {}
    ids = [file.file_id for file in files]
    for start in range(0, len(ids), 500):  # SQLite takes 32766 values in one statement, older ones 999
        for row in session.scalars(select(Upload).where(Upload.file_id.in_(ids[start : start + 500]))):
            rows[row.file_id, row.sha256, row.endpoint] = row
    return [(file, rows.get((file.file_id, file.sha256, file.endpoint))) for file in files]


def _is_dead(row: Upload, time: datetime, patience: float) -> bool:
    return has_ended(row.holder) or row.began_at is None or row.began_at + timedelta(seconds=patience) < time

"""The types of record that are exported: the columns of each, and what its rows can be limited by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, Table, select

from database.access.encryption import Encrypted
from database.engine import Transacting
from database.models import Run, StoredFile
from database.models.base import Base
from scrapers.core.stated import families, record_tables, resolve

PAGE = 5000  # rows held at once
DEFAULT_TYPE = "pool_usage"
FILE_COLUMNS = ("path", "store", "size", "sha256", "media_type", "source", "status", "stored_at")

_SIGN_IN = "how portals are signed in to; it has secrets"
_SET_UP = "set up by the operator, not fetched"
_WORK = "what is to be done and who does it, not what was fetched"
_NOTICE = "why a person must act: what failed, not what was fetched"
_WATCHER = "an account of the price watch; it has secrets"
# Every other table is a type of record, or in the rows of one. A table that is in neither fails a test.
NO_RECORDS = {
    "acceptances": "what operators have accepted as gone, not fetched",
    "accounts": _SET_UP,
    "alert_channels": "addresses that alerts are sent to; it has secrets",
    "alert_deliveries": "alerts that were sent, not fetched",
    "assisted_sign_ins": _SIGN_IN,
    "attempts": _SIGN_IN,
    "audit": "who changed what, and used which secret: `scrapy audit --json` writes it",
    "auth_codes": _WATCHER,
    "auth_sessions": _WATCHER,
    "billing_cycles": _SET_UP,
    "carrier_reports": "the list of reports that there can be",
    "carriers": _SET_UP,
    "clients": _SET_UP,
    "code_requests": _SIGN_IN,
    "credentials": _SIGN_IN,
    "files": "`scrapy export files` writes it",
    "fingerprint_keys": _SIGN_IN,
    "grants": "what users may do in the control room",
    "identities": _SIGN_IN,
    "leases": _WORK,
    "messages": "one-time codes on their way; they are deleted when used",
    "notes": "what a crawl that goes on remembers",
    "notice_addresses": "addresses that are told when a person must act; it has secrets",
    "notice_cases": _NOTICE,
    "notice_causes": _NOTICE,
    "notice_deliveries": "messages that were sent, not fetched",
    "otp_attempts": _WATCHER,
    "passkey_challenges": _WATCHER,
    "passkeys": "keys with which users sign in at the control room",
    "portal_breakers": _WORK,
    "portal_pace": _WORK,
    "runs": "how crawls went: `scrapy runs --json` writes it",
    "schedule_firings": _WORK,
    "schedules": _WORK,
    "scraper_configs": _SET_UP,
    "scraper_jobs": _WORK,
    "sessions": _SIGN_IN,
    "sources": _SET_UP,
    "telegram_logins": _SIGN_IN,
    "telegram_sessions": _SIGN_IN,
    "tenants": _SET_UP,
    "uploads": "what became of files that were sent on",
    "used_totp_steps": _SIGN_IN,
    "users": _WATCHER,
    "watchlist_items": "asked for by users; what was fetched for them is in price_check_runs",
    "watermarks": "how far spiders have read",
    "workers": _WORK,
    "workspaces": _SET_UP,
}


@dataclass(frozen=True, slots=True)
class Records:
    """The rows of a type. The columns of the query are named as they are exported; the first is a unique id."""

    query: Select[Any]
    # Columns of tables, or attributes of models.
    at: Any  # day or instant that `since` and `until` are compared with
    account: Any = None  # its number; None: the rows belong to no account
    client: Any = None  # its name; None: the rows belong to no client

    def __post_init__(self) -> None:
        """Refuse a column that is encrypted in the database."""
        for name, column in self.columns.items():
            if isinstance(column.type, Encrypted):
                raise ValueError(f"the column {name} is encrypted: it is never exported")

    @property
    def columns(self) -> dict[str, ColumnElement[Any]]:
        """The columns of a row, by name and in order."""
        return dict(self.query.selected_columns.items())

    @property
    def table(self) -> str:
        """Name of the table that has a row for each row of this type."""
        return str(next(iter(next(iter(self.columns.values())).base_columns)).table)

    @property
    def is_by_day(self) -> bool:
        """Whether `at` is a day, and no instant."""
        return isinstance(self.at.type, Date)

    @property
    def others(self) -> tuple[str, ...]:
        """What rows can be limited by besides time."""
        return tuple(name for name in ("account", "client") if getattr(self, name) is not None)

    def limited(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        account: str | None = None,
        client: str | None = None,
    ) -> Select[Any]:
        """
        Return the query of some of the rows. since: it belongs to them; until: it does not.

        Raises LookupError with the name of an argument that the type has not.
        """
        query = self.query
        for name, column, value in (("account", self.account, account), ("client", self.client, client)):
            if value is not None:
                if column is None:
                    raise LookupError(name)
                query = query.where(column == value)
        if since is not None:
            query = query.where(self.at >= (since.date() if self.is_by_day else since))
        if until is not None and self.is_by_day:
            # A day that has begun by then belongs to it; midnight begins none.
            has_begun = until.time() != time.min
            query = query.where(self.at <= until.date() if has_begun else self.at < until.date())
        elif until is not None:
            query = query.where(self.at < until)
        return query


@dataclass(frozen=True, slots=True)
class RecordType:
    """A type of record. `sentence` says what its rows are."""

    name: str
    sentence: str
    make: Callable[[], Records]


def record_types() -> dict[str, RecordType]:
    """Return every type by its name: those that families state, the tables that runs write to, and versions."""
    types: dict[str, RecordType] = {}
    for family in families().values():
        for name, export in family.exports.items():
            make = resolve(export.query)
            types[name] = RecordType(name, _first_line(make), make)
    types["versions"] = RecordType("versions", _first_line(_versions), _versions)
    tables = record_tables()
    models = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    for name, table in tables.items():
        if name not in types and name not in NO_RECORDS:
            types[name] = RecordType(name, _first_line(models[table]), partial(_of_table, table))
    return types


def pages(db: Transacting, query: Select[Any], size: int = PAGE) -> Iterator[list[Any]]:
    """
    Yield the rows of a query in the order of its first column, its id, some at a time.

    Each page is a short transaction of its own: a cursor would hold one as long as its reader takes, which on SQLite
    keeps every writer waiting.
    """
    by = query.selected_columns[0]
    query = query.order_by(by).limit(size)
    following = query
    while True:
        with db.transaction() as session:
            page = list(session.execute(following).all())
        if page:
            yield page
        if len(page) < size:
            return
        following = query.where(by > page[-1][0])


def stored_files(portal: str | None = None, report_type: str | None = None, *, with_account: bool = True) -> Records:
    """The stored files, by the time at which they were stored. with_account: whether there is a column with its number."""
    from database.models import Account, Client, FileStatus, Workspace

    stored = (FileStatus.READY, FileStatus.PROCESSING, FileStatus.PROCESSED)
    accounts = (Account.number.label("account"),) if with_account else ()
    query = (
        select(StoredFile.id, StoredFile.spider, StoredFile.portal, StoredFile.report_type, *accounts)
        .add_columns(StoredFile.target_key.label("target"), StoredFile.key.label("name"))
        .add_columns(*(getattr(StoredFile, name) for name in FILE_COLUMNS), StoredFile.run_id.label("run"))
        .select_from(StoredFile)
        .outerjoin(Account, Account.id == StoredFile.account_id)
        .outerjoin(Workspace, Workspace.id == Account.workspace_id)
        .outerjoin(Client, Client.id == Workspace.client_id)
        .where(StoredFile.status.in_(stored))
    )
    if portal is not None:
        query = query.where(StoredFile.portal == portal)
    if report_type is not None:
        query = query.where(StoredFile.report_type == report_type)
    return Records(query, StoredFile.stored_at, account=Account.number, client=Client.name)


def _of_table(table: Table) -> Records:
    """Rows of a table as they stand, limited by the time of the run that wrote them."""
    first = next(iter(table.primary_key.columns))
    shown = [
        column.label(name)
        for name, column in table.columns.items()
        if name not in (first.name, "run_id") and not isinstance(column.type, Encrypted)
    ]
    query = select(first, *shown, table.columns.run_id.label("run"))
    return Records(query.outerjoin(Run, Run.id == table.columns.run_id), Run.started_at)


def _versions() -> Records:
    """What rows of any table said before they were corrected."""
    from database.models import Version

    table = Version.table_name.label("table")
    shown = (Version.key, Version.number, Version.row, Version.run_id.label("run"), Version.replaced_by)
    return Records(select(Version.id, table, *shown, Version.replaced_at), Version.replaced_at)


def _first_line(stated: Any) -> str:
    return (stated.__doc__ or "").strip().partition("\n")[0]

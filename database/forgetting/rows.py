"""Counting, emptying and deleting the rows of an owner, in short transactions that may end anywhere; and whether they are in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, select, update
from sqlalchemy.orm import Session

from database.access.leases import Leases, holder
from database.access.roles import has_nothing_else
from database.access.users import revoke
from database.engine import Database, Within, now
from database.forgetting.audited import empty_schedule, empty_user
from database.forgetting.links import ledger_rows
from database.forgetting.owners import Owner
from database.forgetting.ownership import Ownership
from database.jobs.claims import RUN_LEASE
from database.models import Account, Client, Lease, Run, RunState, ScraperConfig, StoredCredential, Workspace
from database.models.jobs import Breaker, Schedule
from database.models.operators import Grant, Passkey
from database.models.prices import User
from database.models.telegram import Source
from database.processes import has_ended

BATCH = 1000  # rows of a transaction
DAY = timedelta(days=1)
HELD = timedelta(minutes=10)  # for which the sessions are kept from crawls; renewed with each step


class InUse(Exception):
    """Something works with the owner's data, or others need it. The text is one sentence with the cure."""


def check_unused(session: Session, of: Ownership) -> None:
    """Raise InUse while a run of the owner works, a lease on a session is held, or others need what would go."""
    runs = of.condition("runs")
    if runs is not None:
        for run in session.scalars(select(Run).where(runs, Run.state == RunState.RUNNING)):
            # Of a run on another machine is not known whether it has died; none takes a day.
            if not run.has_died and run.started_at > now(session) - DAY:
                raise InUse(
                    f"{run.spider} works for it (run {run.id} on {run.host}): wait for its end, then try again."
                )
    leases = of.condition("leases")
    if leases is not None:
        held = select(Lease).where(leases, Lease.holder != "", Lease.expires_at > now(session))
        for lease in session.scalars(held.order_by(Lease.name)):
            if not _is_over(session, lease, of.owner):
                what = "session" if lease.name.startswith(RUN_LEASE) else "sign-in"
                raise InUse(
                    f"The {what} {lease.name.partition(':')[2]} is in use until {lease.expires_at:%Y-%m-%d %H:%M} UTC at least: "
                    "wait for the end of what works in it (`scrapy status`), then try again."
                )
    _check_others(session, of)


def _is_over(session: Session, lease: Lease, owner: Owner) -> bool:
    """Tell whether the holder of a lease has ended: its process, or every run of its crawl."""
    crawl, _, process = lease.holder.partition(" ")
    if has_ended(process) or lease.holder == _holder(owner):
        return True
    runs = session.scalars(select(Run).where(Run.crawl == crawl)).all()
    return bool(runs) and all(run.state is RunState.FINISHED or run.has_died for run in runs)


def _check_others(session: Session, of: Ownership) -> None:
    owner = of.owner
    if owner.client_id is not None:
        others = (
            select(Account.number, Client.name, StoredCredential.portal, StoredCredential.username)
            .join(ScraperConfig, ScraperConfig.account_id == Account.id)
            .join(StoredCredential, StoredCredential.id == ScraperConfig.credential_id)
            .join(Workspace, Workspace.id == Account.workspace_id)
            .join(Client, Client.id == Workspace.client_id)
            .where(of.certain("credentials"), Client.id != owner.client_id)
        )
        if (row := session.execute(others.limit(1)).first()) is not None:
            raise InUse(
                f"Its credential {row.portal} {row.username} opens account {row.number} of client {row.name} too: "
                "give that account another one, then try again."
            )
    if owner.telegram_session is not None:
        used = select(Source.name).where(Source.session_id == owner.telegram_session, Source.user_id.is_not(None))
        own = select(of.tables["telegram_sessions"].c.user_id).where(of.certain("telegram_sessions"))
        used = used.where(Source.user_id.is_distinct_from(own.scalar_subquery()))
        if (name := session.scalar(used.limit(1))) is not None:
            raise InUse(f"The source {name} of a user works with it: delete that source first.")


def hold(session: Session, of: Ownership) -> None:
    """Keep crawls out of the owner's sessions for a while, from now on; those of a dead process are taken over."""
    leases = Leases(Within(session))
    for each in of.owner.sign_ins:
        for login in each.logins:
            leases.acquire(f"{RUN_LEASE}{login}:{each.username}", _holder(of.owner), HELD.total_seconds())
    sessions = of.values("telegram_sessions", "id")
    for name in session.scalars(sessions) if sessions is not None else ():
        leases.acquire(f"{RUN_LEASE}telegram:{name}", _holder(of.owner), HELD.total_seconds())


def let_go(session: Session, of: Ownership) -> None:
    """Let crawls into the sessions again, after a forgetting that could not be finished."""
    table = of.tables["leases"]
    held = (table.c.holder == _holder(of.owner), table.c.expires_at > now(session))
    session.execute(update(table).where(*held).values(holder="", expires_at=now(session)))


def _holder(owner: Owner) -> str:
    return holder(f"forget-{owner.kind}")


def close(session: Session, of: Ownership) -> None:
    """Let nothing new begin for a client: it is no longer active, and its waiting jobs are deleted."""
    if of.owner.client_id is not None:
        session.execute(update(Client).where(Client.id == of.owner.client_id).values(active=False))


def withdraw_viewers(session: Session, of: Ownership, change: bool = True) -> dict[str, int]:
    """
    End the sign-ins and the grants of those who see only this client; delete the users who have nothing else here.

    Return how many grants, passkeys and users go. change: False only counts.
    """
    client = of.owner.client_id
    if client is None:
        return {}
    viewers = session.scalars(select(Grant.user_id).where(Grant.client_id == client).order_by(Grant.user_id)).all()
    leaving = select(User.id, User.email).where(User.id.in_(viewers), has_nothing_else()).order_by(User.id)
    users = session.execute(leaving).all()
    passkeys = count(session, of.tables["passkeys"], Passkey.user_id.in_(viewers))  # they go with the grants
    if change:
        for user_id in viewers:
            revoke(session, user_id)
        for user in users:
            empty_user(session, user.id, user.email)
        session.execute(delete(Grant).where(Grant.user_id.in_(viewers), Grant.client_id == client))
        session.execute(delete(User).where(User.id.in_([user.id for user in users])))
    gone = {"grants": len(viewers), "passkeys": passkeys, "users": len(users)}
    return {name: number for name, number in gone.items() if number}


def counts(session: Session, of: Ownership) -> dict[str, int]:
    """Return how many rows of each table belong to the owner, without the tables that have none."""
    found = {table.name: count(session, table, of.condition(table.name)) for table in of.order()}
    return {name: number for name, number in found.items() if number}


def count(session: Session, table: Table, condition: ColumnElement[bool] | None) -> int:
    """Return how many rows of a table fulfil a condition; None: none does."""
    if condition is None:
        return 0
    return session.scalar(select(func.count()).select_from(table).where(condition)) or 0


def nameless(session: Session, of: Ownership) -> int:
    """Return how many sign-in attempts stay without a name."""
    return count(session, of.tables["attempts"], ledger_rows(of))


def erase_in(db: Database, table: Table, condition: ColumnElement[bool]) -> Iterator[int]:
    """Delete the rows of a table that fulfil a condition, a batch in a transaction; give how many went with each."""
    key = _key(table)
    while True:
        with db.transaction() as session:
            ids = session.scalars(select(key).where(condition).limit(BATCH)).all()
            if ids:
                session.execute(delete(table).where(key.in_(ids)))
        if not ids:
            return
        yield len(ids)


def _key(table: Table) -> Any:
    (key,) = table.primary_key.columns
    return key


def empty_ledger(db: Database, of: Ownership) -> int:
    """Take the name out of the owner's sign-in attempts; return out of how many."""
    condition, attempts = ledger_rows(of), of.tables["attempts"]
    if condition is None:
        return 0
    nobody = {"username": "", "secret_fingerprint": "", "run_id": None, "host": "", "pid": 0, "process": None}
    with db.transaction() as session:
        done = session.execute(update(attempts).where(condition).values(**nobody).returning(attempts.c.id))
        return len(done.all())


def leave_breakers(session: Session, of: Ownership) -> None:
    """Take the user names out of what has met a portal's trouble."""
    for each in of.owner.sign_ins:
        for row in session.scalars(select(Breaker).where(Breaker.portal == each.portal)):
            row.usernames = [name for name in row.usernames if name != each.username]


def leave_schedules(session: Session, of: Ownership, change: bool = True) -> tuple[int, int]:
    """
    Take the owner's targets out of schedules that name targets; delete a schedule that is left without any.

    Return how many were changed, and how many deleted. change: False only counts.
    """
    changed = deleted = 0
    own = _targets(session, of)
    portals = {portal for portal, _ in own}
    for row in session.scalars(select(Schedule).where(Schedule.accounts.is_not(None)).order_by(Schedule.id)):
        of_row = {portal for portal in portals for spider in row.spiders if spider.startswith(f"{portal}_")}
        stay = [name for name in row.accounts or () if not any((portal, name) in own for portal in of_row)]
        if len(stay) == len(row.accounts or ()):
            continue
        if stay:
            changed += 1
            if change:
                row.accounts = stay
        else:
            deleted += 1
            if change:
                # Past the unit of work, which would write its name into the audit.
                empty_schedule(session, row.name)
                session.execute(delete(Schedule).where(Schedule.id == row.id))
    return changed, deleted


def _targets(session: Session, of: Ownership) -> set[tuple[str, str]]:
    """Return portal and name of what schedules call the owner's: account numbers, people, tenants."""
    found = {(each.portal, each.username) for each in of.owner.sign_ins if each.portal}
    if (condition := of.condition("accounts")) is not None:
        accounts, carriers = of.tables["accounts"], of.tables["carriers"]
        of_client = select(carriers.c.portal, accounts.c.number).join(carriers, carriers.c.id == accounts.c.carrier_id)
        found |= {(row.portal, row.number) for row in session.execute(of_client.where(condition))}
    if (condition := of.condition("tenants")) is not None:
        tenants = of.tables["tenants"]
        found |= {
            (row.portal, row.name) for row in session.execute(select(tenants.c.portal, tenants.c.name).where(condition))
        }
    return found


Told = Callable[[str, int, int], None]  # what, how many are done, of how many


def erase_rows(db: Database, of: Ownership, told: Told) -> dict[str, int]:
    """
    Delete the owner's rows, those last by which others are found; return how many of each table.

    A kill may come between any two batches: what is left is found again by what is left.
    """
    with db.transaction() as session:
        leave_breakers(session, of)
        _, without_targets = leave_schedules(session, of)
        whole = counts(session, of)
    gone = {"schedules": without_targets} if without_targets else {}
    for table in _leases_late(of.order()):
        condition = of.condition(table.name)
        assert condition is not None
        if table.name == "files" and whole.get("files"):
            return gone  # stored since their bytes were deleted: they come first again
        if not {"leases", *LAST} & {table.name, *gone}:
            with db.transaction() as session:
                hold(session, of)
        for number in erase_in(db, table, condition):
            gone[table.name] = gone.get(table.name, 0) + number
            told(table.name, gone[table.name], max(whole.get(table.name, 0), gone[table.name]))
    return gone


LAST = ("credentials", "telegram_sessions", "clients", "users")  # the rows by which leases are found


def _leases_late(tables: list[Table]) -> list[Table]:
    """Return tables in their order, that of the leases as late as may be: ours are among them."""
    leases = [table for table in tables if table.name == "leases"]
    rest = [table for table in tables if table.name != "leases"]
    first = next((n for n, table in enumerate(rest) if table.name in LAST), len(rest))
    return [*rest[:first], *leases, *rest[first:]]

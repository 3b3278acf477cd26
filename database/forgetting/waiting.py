"""
Links of what needs a person: addresses that are told, causes with the cases that have met them, and periods that were accepted as they are.

`database/jobs/causes.py` makes the subjects of cases, `scrapers/core/spider.py` the identities of jobs and acceptances.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, String, Table, and_, cast, exists, func, or_, select

from database.forgetting.names import Found, by_portal, of_telegram, with_portal
from database.forgetting.owners import TELEGRAM
from database.forgetting.ownership import Link, Ownership, begins, text


def addresses(of: Ownership, table: Table) -> Found:
    """Give the owner's mail address among those that are told; those of a client are found by their foreign key."""
    if of.owner.addresses:
        yield Link(table.c.fingerprint, list(of.owner.addresses))


def causes(of: Ownership, table: Table) -> Found:
    """Give the causes under the owner's user names, and those that no case of another owner has met."""
    yield from by_portal(of, table)
    yield from of_telegram(of, table)
    of_cases = of.tables["notice_cases"]
    if mine := list(_cases(of, of_cases)):
        # Cases go first: a kill right after that leaves a cause without any, which is found by this as well.
        yield ~exists().where(of_cases.c.cause_id == table.c.id, or_(*mine).is_not(True)).correlate(table)


def cases(of: Ownership, table: Table) -> Found:
    """Give the cases of the owner's accounts, user names and targets, whatever cause they have met."""
    yield from _cases(of, table)


def _cases(of: Ownership, table: Table) -> Iterator[ColumnElement[bool]]:
    spider, subject = table.c.spider, table.c.subject
    of_account = begins(subject, text("account "))
    if (accounts := of.values("accounts", "id")) is not None:
        own = accounts.subquery()
        yield subject.in_(select(text("account ") + cast(own.c.id, String)).correlate(None))
    for each in with_portal(of):
        yield and_(spider.startswith(f"{each.portal}_", autoescape=True), subject == f"user {each.username}")
    if (sessions := of.values("telegram_sessions", "id")) is not None:
        own = sessions.subquery()
        users = select(text("user ") + own.c.id).correlate(None)
        yield and_(spider.startswith(f"{TELEGRAM}_", autoescape=True), subject.in_(users))
    # What has neither account nor user name has its target. An account stays its client's, whatever user name has fetched for it.
    if (runs := of.values("runs", "id")) is not None:
        yield and_(table.c.last_run.in_(runs), ~of_account)
    if (condition := of.condition("scraper_jobs")) is not None:
        jobs = of.tables["scraper_jobs"]
        is_spider = spider == jobs.c.portal + "_" + jobs.c.report_type
        is_target = subject == func.coalesce(func.nullif(jobs.c.label, ""), text("job ") + cast(jobs.c.id, String))
        yield exists().where(condition, is_spider, is_target).correlate(table)


def acceptances(of: Ownership, table: Table) -> Found:
    """
    Give what was accepted for the owner's accounts and targets: an identity is spider, key of the target, and what narrows it.

    Jobs go by age before what was accepted for them does: accounts, people, tenants and sources are found without them.
    """
    identity = table.c.identity
    if (condition := of.condition("scraper_jobs")) is not None:
        jobs = of.tables["scraper_jobs"]
        of_target = jobs.c.billing_cycle_id.is_(None), jobs.c.scraper_config_id.is_(None)
        yield exists().where(condition, *of_target, jobs.c.identity == identity).correlate(table)
    if (condition := of.condition("accounts")) is not None:
        accounts, carriers = of.tables["accounts"], of.tables["carriers"]
        is_portal = begins(identity, carriers.c.portal + "_")
        is_account = _holds(identity, text(" ") + accounts.c.number + "/")
        on = accounts.c.carrier_id == carriers.c.id
        yield exists().where(condition, on, is_portal, is_account).correlate(table)
    for each in with_portal(of):
        yield _is_of(identity, text(each.portal), text(each.username))
    if (condition := of.condition("tenants")) is not None:
        tenants = of.tables["tenants"]
        yield exists().where(condition, _is_of(identity, tenants.c.portal, tenants.c.name)).correlate(table)
    if (sources := of.values("sources", "id")) is not None:
        own = sources.subquery()
        yield exists().where(_is_of(identity, text(TELEGRAM), own.c.id)).correlate(table)


def _is_of(identity: ColumnElement[str], portal: ColumnElement[str], key: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that an identity is a spider of a portal, and this key: a spider's name has no space in it."""
    spider = func.replace(identity, text(" ") + key, "")
    return and_(begins(spider, portal + "_"), ~_holds(spider, text(" ")), identity == spider + " " + key)


def _holds(column: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a text holds another one, in which no character is a wildcard."""
    return func.replace(column, part, "") != column

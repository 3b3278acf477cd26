"""The links that no foreign key says: by user name, target, contract, receiver; what only one owner has of what many may use."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String, Table, and_, cast, func, or_, select
from sqlalchemy.sql import expression

from database.forgetting.names import Found, by_login, by_portal, of_telegram, sign_ins, usernames, with_portal
from database.forgetting.owners import TELEGRAM, Owner
from database.forgetting.ownership import Link, Ownership, Rule, begins, text
from database.forgetting.waiting import acceptances, addresses, cases, causes

WITHOUT_VERSIONS = {"attempts", "channel_files", "code_requests", "files", "uploads", "versions", "watermarks"}


def _own(column: str, attribute: str) -> Rule:
    """Return the rule of a table in which the owner's own row is."""

    def rule(of: Ownership, table: Table) -> Found:
        if (value := getattr(of.owner, attribute)) is not None:
            yield Link(table.c[column], [value])

    return rule


def _leases(of: Ownership, table: Table) -> Found:
    names = lease_names(of)
    if names:
        yield Link(table.c.name, names)
    if (sessions := of.values("telegram_sessions", "id")) is not None:
        own = sessions.subquery()
        yield table.c.name.in_(select(text(f"run:{TELEGRAM}:") + own.c.id).correlate(None))


def lease_names(of: Ownership) -> list[str]:
    """Return the names of the leases on the sessions of the owner's credentials, as middlewares/access/sessions.py makes them."""
    return [
        f"{what}:{login}:{each.username}"
        for each in sign_ins(of)
        for login in each.logins
        for what in ("run", "sign-in")
    ]


def _messages(of: Ownership, table: Table) -> Found:
    sign_ins(of)
    if of.owner.receivers:
        yield Link(table.c.receiver, list(of.owner.receivers))


def _runs(of: Ownership, table: Table) -> Found:
    yield from by_portal(of, table)
    yield from of_telegram(of, table)
    for name in ("channel_files", "price_check_runs"):
        if (runs := of.values(name, "run_id", alone=True)) is not None:
            yield table.c.id.in_(runs)


def _jobs(of: Ownership, table: Table) -> Found:
    yield from by_portal(of, table)
    yield from of_telegram(of, table)

    def target(name: str) -> ColumnElement[str]:
        found: ColumnElement[str] = table.c.target[name].as_string()
        return found

    for each in with_portal(of, "electricity"):
        yield and_(table.c.portal == each.portal, target("person") == each.username)
    if (tenants := of.values("tenants", "name", alone=True)) is not None:
        yield and_(table.c.portal.in_(of.values("tenants", "portal")), target("tenant").in_(tenants))
    if (sources := of.values("sources", "id")) is not None:
        yield and_(table.c.portal == TELEGRAM, target("source").in_(sources))
    if (products := of.values("watchlist_items", "product_key", alone=True)) is not None:
        yield and_(table.c.portal.in_(of.values("watchlist_items", "portal")), target("product").in_(products))


def _files(of: Ownership, table: Table) -> Found:
    for each in with_portal(of):
        of_portal = and_(table.c.portal == each.portal, table.c.account_id.is_(None))
        yield and_(of_portal, table.c.target_key == each.username)
    if (sources := of.values("sources", "id")) is not None:
        yield and_(table.c.portal == TELEGRAM, table.c.target_key.in_(sources))


def _by_target(of: Ownership, table: Table) -> Found:
    """Give the notes and watermarks of what is fetched: `target_key` is the one of `Plan`."""
    spider, key = table.c.spider, table.c.target_key
    for each in with_portal(of):
        yield and_(spider.startswith(f"{each.portal}_", autoescape=True), key == each.username)
    if (condition := of.condition("accounts")) is not None:
        accounts, carriers = of.tables["accounts"], of.tables["carriers"]
        of_account = and_(
            condition,
            accounts.c.carrier_id == carriers.c.id,
            begins(spider, carriers.c.portal + "_"),
            begins(key, accounts.c.number + "/"),
        )
        yield _exists(table, accounts, carriers, of_account)
    if (condition := of.condition("tenants")) is not None:
        tenants = of.tables["tenants"]
        of_tenant = and_(condition, begins(spider, tenants.c.portal + "_"), key == tenants.c.name)
        yield _exists(table, tenants, of_tenant)
    if (sources := of.values("sources", "id")) is not None:
        yield and_(spider.startswith(f"{TELEGRAM}_", autoescape=True), key.in_(sources))
    if (products := of.values("watchlist_items", "product_key", alone=True)) is not None:
        product = products.subquery()
        items = of.tables["watchlist_items"]
        portals = select(items.c.portal + "_prices").where(of.certain("watchlist_items")).correlate(None)
        of_product = begins(key, product.c.product_key)
        yield and_(spider.in_(portals), _exists(table, product, of_product))


def _exists(outer: Table, *parts: Any) -> ColumnElement[bool]:
    *tables, condition = parts
    asked = select(expression.literal(1)).select_from(*tables).where(condition).correlate(outer)
    return asked.exists()


def _tenants(of: Ownership, table: Table) -> Found:
    for each in with_portal(of, "fleet"):
        yield and_(table.c.portal == each.portal, table.c.username == each.username)


def _schedules(of: Ownership, table: Table) -> Found:
    if of.owner.names:
        yield Link(table.c.client, list(of.owner.names))
    if (timed := of.values("sources", "schedule_id", alone=True)) is not None:
        yield Link(table.c.id, timed)


def _versions(of: Ownership, table: Table) -> Found:
    """Give the earlier versions of the owner's rows: their `row` has the columns of the links."""
    for name, other in of.tables.items():
        if "run_id" not in other.c or name in WITHOUT_VERSIONS:
            continue
        for link in of.held(name).links:
            # As texts: PostgreSQL may cast what stands in a version of another table before it looks at the table's name.
            told = cast(table.c.row[link.column.name].as_string(), String)
            yield and_(
                table.c.table_name == name, Link(link.column, _texts(link.values), link.without_zeros).holds(told)
            )


def _texts(values: Any) -> Any:
    if isinstance(values, list):
        return [str(value) for value in values]
    found = values.subquery()
    return select(cast(found.columns[0], String)).correlate(None)


def _people(of: Ownership, table: Table) -> Found:
    if names := usernames(of, "electricity"):
        yield Link(table.c.username, names)


def _by_contract(of: Ownership, table: Table) -> Found:
    if (contracts := _of_people_alone(of, "contract", "electricity_contracts", "masa_connections")) is not None:
        yield Link(table.c.contract, contracts, without_zeros=True)


def _by_partner(of: Ownership, table: Table) -> Found:
    people = ("electricity_accounts", "electricity_contracts", "electricity_customers")
    if (partners := _of_people_alone(of, "bp", *people)) is not None:
        yield Link(table.c.bp, partners, without_zeros=True)


def _equipment(of: Ownership, table: Table) -> Found:
    if (accounts := _of_people_alone(of, "account_id", "electricity_accounts")) is not None:
        yield Link(table.c.account_id, accounts, without_zeros=True)


def _of_people_alone(of: Ownership, column: str, *names: str) -> Any:
    """Select what the owner's people have and no others: a contract may be shared between customers."""
    if not (people := usernames(of, "electricity")):
        return None
    own, others = [], []
    for name in names:
        of.held(name)  # it is asked: its rows go after those of the asking table
        table = of.tables[name]
        value = func.ltrim(table.c[column], "0")
        is_own = table.c.username.in_(people)
        own.append(select(value).where(is_own, table.c[column].is_not(None)))
        others.append(select(value).where(is_own.is_not(True), table.c[column].is_not(None)))
    all_own, all_others = expression.union(*own).subquery(), expression.union(*others).subquery()
    mine, theirs = all_own.columns[0], all_others.columns[0]
    return select(mine).where(mine.not_in(select(theirs))).correlate(None)


RULES: dict[str, Rule] = {
    "clients": _own("id", "client_id"),
    "users": _own("id", "user_id"),
    "telegram_sessions": _own("id", "telegram_session"),
    "credentials": _own("id", "credential_id"),
    **dict.fromkeys(("sessions", "identities", "used_totp_steps", "code_requests", "assisted_sign_ins"), by_login),
    "leases": _leases,
    "messages": _messages,
    "runs": _runs,
    "scraper_jobs": _jobs,
    "files": _files,
    "notes": _by_target,
    "watermarks": _by_target,
    "tenants": _tenants,
    "schedules": _schedules,
    "versions": _versions,
    "notice_addresses": addresses,
    "notice_causes": causes,
    "notice_cases": cases,
    "acceptances": acceptances,
    **dict.fromkeys(
        (
            *("electricity_accounts", "electricity_contracts", "electricity_customers", "electricity_outages"),
            *("masa_connections", "masa_profiles"),
        ),
        _people,
    ),
    **dict.fromkeys(
        (
            *("electricity_bills", "electricity_contract_checks", "electricity_counters", "electricity_devices"),
            *("electricity_invoice_readings", "electricity_invoices", "electricity_notices"),
            *("meter_periods", "meter_readings", "register_readings"),
        ),
        _by_contract,
    ),
    "electricity_discounts": _by_partner,
    "masa_equipment": _equipment,
}


def ledger_rows(of: Ownership) -> ColumnElement[bool] | None:
    """Return the condition of the owner's sign-in attempts, which lose their name; None: there can be none."""
    attempts = of.tables["attempts"]
    found = [each for each in by_login(of, attempts) if not isinstance(each, Link)]
    if (sessions := of.values("telegram_sessions", "id")) is not None:
        found.append(and_(attempts.c.login == TELEGRAM, attempts.c.username.in_(sessions)))
    return or_(*found) if found else None


def owned_by(owner: Owner) -> Ownership:
    """Return what belongs to an owner, by the rules of this module and the foreign keys of the models."""
    return Ownership(owner, RULES)

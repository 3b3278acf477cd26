"""Adding and importing accounts with their clients, workspaces, carriers and credentials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.families.cycles import DEFAULT_BILLING_DAY
from database.families.imports import BadLines, read_rows, spoilt
from database.models import (
    Account,
    Carrier,
    CarrierPortalCredential,
    Client,
    ScraperConfig,
    Workspace,
)
from database.upsert import ensure

REQUIRED_COLUMNS = ("client", "workspace", "carrier", "number")
COLUMNS = (*REQUIRED_COLUMNS, "username", "billing_day", "nickname")


class AccountError(Exception):
    """An account cannot be added as asked. The text is one sentence that names the field."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account as a person describes it."""

    client: str
    workspace: str
    carrier: str  # the portal's one word
    number: str
    username: str | None = None  # None: the credential comes from the environment or a file
    billing_day: int | None = None  # None: unchanged, or DEFAULT_BILLING_DAY for a new account
    nickname: str | None = None


def carrier_for(session: Session, portal: str, carriers: Mapping[str, str]) -> Carrier:
    """Return a carrier, made if need be; raise AccountError when it is none of *carriers* (names by word)."""
    if portal not in carriers:
        raise AccountError(f"carrier: {portal!r} is none of {', '.join(carriers)}.")
    return ensure(session, Carrier, {"portal": portal}, {"name": carriers[portal]})


def client_for(session: Session, name: str) -> Client:
    """Return a client, made if need be."""
    return ensure(session, Client, {"name": name})


def add_account(session: Session, new: NewAccount, carriers: Mapping[str, str]) -> tuple[Account, bool]:
    """
    Add an account with everything above it, or bring one that is there up to date; return it and whether it is new.

    carriers: names by word of those that there are. Raises AccountError when it belongs to another workspace, or its credential is unknown or another client's.
    """
    for field in REQUIRED_COLUMNS:
        limit = 200 if field == "number" else 100
        if not 0 < len(getattr(new, field)) <= limit:
            raise AccountError(f"{field}: it must have 1 to {limit} characters.")
    if said := _spoilt({"number": new.number, "username": new.username or ""}):
        raise AccountError(said)
    if new.billing_day is not None and not 1 <= new.billing_day <= 31:
        raise AccountError("billing_day: it must be a day of the month, 1 to 31.")
    carrier = carrier_for(session, new.carrier, carriers)
    client = client_for(session, new.client)
    workspace = ensure(session, Workspace, {"client_id": client.id, "name": new.workspace})
    of_number = select(Account).where(Account.carrier_id == carrier.id, Account.number == new.number)
    account = session.scalars(of_number).one_or_none()
    is_new = account is None
    if account is None:
        day = new.billing_day or DEFAULT_BILLING_DAY
        account = Account(number=new.number, workspace=workspace, carrier=carrier, billing_day=day)
        session.add(account)
    elif account.workspace_id != workspace.id:
        there = f"{account.workspace.client.name} / {account.workspace.name}"
        raise AccountError(f"number: {carrier.portal} {new.number} belongs to {there} already.")
    if new.billing_day is not None:
        account.billing_day = new.billing_day
    if new.nickname is not None:
        account.nickname = new.nickname
    session.flush()
    if new.username is not None:
        _link(session, account, _credential(session, carrier, client, new.username))
    return account, is_new


def _spoilt(fields: Mapping[str, str]) -> str | None:
    """Return a sentence about the first of number and user name that a spreadsheet has changed."""
    said = ((name, spoilt(fields.get(name, ""))) for name in ("number", "username"))
    return next((f"{name}: {words}." for name, words in said if words), None)


def read_accounts(lines: Iterable[str]) -> list[tuple[int, NewAccount]]:
    """
    Return the accounts of a CSV file with their line numbers; raise BadLines that names every bad line.

    The first line names the columns: client, workspace, carrier, number, and if wanted username, billing_day, nickname;
    separated by commas or semicolons.
    """
    rows, problems = read_rows(lines, COLUMNS, REQUIRED_COLUMNS)
    found: list[tuple[int, NewAccount]] = []
    seen: dict[tuple[str, str], int] = {}
    for number, row in rows:
        fields = {name: value.strip() for name, value in row.items()}
        empty = [column for column in REQUIRED_COLUMNS if not fields[column]]
        day = fields.get("billing_day", "")
        key = (fields["carrier"].lower(), fields["number"])
        if empty:
            problems.append(f"Line {number}: {empty[0]} is empty.")
        elif day and not (day.isascii() and day.isdigit() and 1 <= int(day) <= 31):
            problems.append(f"Line {number}: billing_day must be a day of the month, 1 to 31.")
        elif key in seen:
            problems.append(f"Line {number}: {key[0]} {key[1]} stands in line {seen[key]} already.")
        elif said := _spoilt(fields):
            problems.append(f"Line {number}: {said}")
        else:
            seen[key] = number
            new = NewAccount(
                client=fields["client"],
                workspace=fields["workspace"],
                carrier=fields["carrier"].lower(),
                number=fields["number"],
                username=fields.get("username") or None,
                billing_day=int(day) if day else None,
                nickname=fields.get("nickname") or None,
            )
            found.append((number, new))
    if problems:
        raise BadLines(problems)
    return found


def import_accounts(
    session: Session, accounts: list[tuple[int, NewAccount]], carriers: Mapping[str, str]
) -> tuple[int, int]:
    """
    Add numbered accounts; return how many are new and how many were there.

    carriers: as for `add_account`. Raises BadLines that names every bad line; the caller's transaction then leaves nothing behind.
    """
    problems, added = [], 0
    for number, new in accounts:
        try:
            added += add_account(session, new, carriers)[1]
        except AccountError as error:
            problems.append(f"Line {number}: {error}")
    if problems:
        raise BadLines(problems)
    return added, len(accounts) - added


def _credential(session: Session, carrier: Carrier, client: Client, username: str) -> CarrierPortalCredential:
    credential = session.scalars(
        select(CarrierPortalCredential).where(
            CarrierPortalCredential.portal == carrier.portal, CarrierPortalCredential.username == username
        )
    ).one_or_none()
    if credential is None:
        raise AccountError(
            f"username: no credential of {carrier.portal} has this user name; store it first with `scrapy credentials add {carrier.portal}`."
        )
    if credential.client_id is None:
        credential.client_id = client.id
    if credential.client_id != client.id:
        raise AccountError("username: this credential belongs to another client.")
    return credential


def _link(session: Session, account: Account, credential: CarrierPortalCredential) -> None:
    values = {"credential_id": credential.id, "carrier_id": account.carrier_id}
    config = ensure(session, ScraperConfig, {"account_id": account.id}, values)
    config.credential_id = credential.id

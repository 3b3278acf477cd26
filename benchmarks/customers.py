"""
Customers of the imitations of carriers: users with accounts, stored with the receivers of their codes.

Run as `python -m benchmarks.customers`, it stores them: see `main`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader
from sqlalchemy.orm import Session

from database.engine import database
from database.families.accounts import NewAccount, add_account
from database.jobs.queue import add
from database.models import CarrierPortalCredential
from jobs.clock import Clock
from jobs.planning import Planner, Spiders, Wanted
from sandbox import PASSWORD, Admin, mailbox, phone
from scrapers.core.stated import with_accounts
from scrapers.families.carriers.spiders import CarrierSpider

PORTALS = Settings({"SPIDER_MODULES": ["scrapers.portals"]})
STAYS = ("menu_ms",)  # how long something stays, which is no wait for it
MADE = ("pdf_seconds", "report_seconds")  # how long the portal takes to make a file


def carrier_spiders() -> dict[str, type[CarrierSpider]]:
    """Return the spiders of all carriers, by name in alphabetical order."""
    loader = SpiderLoader.from_settings(PORTALS)
    found = {name: loader.load(name) for name in sorted(loader.list())}
    return {name: spider for name, spider in found.items() if issubclass(spider, CarrierSpider)}


def store_customers(session: Session, portal: str, users: Iterable[str]) -> list[str]:
    """Store users of a carrier's imitation with all accounts that each has there; return the accounts' numbers."""
    accounts_of = import_module(f"sandbox.{portal}").accounts
    carriers, numbers = with_accounts(), list[str]()
    for user in users:
        receiver = f"{phone(user)},{mailbox(user)}"
        session.add(CarrierPortalCredential(portal=portal, username=user, password=PASSWORD, receiver=receiver))
        session.flush()
        for number in accounts_of(user):
            add_account(session, NewAccount("Example Ltd", "Main", portal, number, user, billing_day=31), carriers)
            numbers.append(number)
    return numbers


def hasten(admin: Admin, most: int = 20) -> None:
    """Let each wait of a portal, and the making of its files, take at most *most* milliseconds."""
    changes: dict[str, Any] = {}
    for name, value in admin.configuration().items():
        if name.endswith("_ms") and name not in STAYS:
            changes[name] = [min(each, most) for each in value] if isinstance(value, list) else min(value, most)
        elif name in MADE:
            changes[name] = min(value, most / 1000)
    admin.configure(**changes)


def main() -> None:
    """
    Store the users of spiders, `{spider: [user]}` on standard input, and print their accounts' numbers in the same way.

    With `jobs` as argument, make a job for each account.
    """
    clock = Clock()
    planner, spiders = Planner(Spiders(PORTALS), clock), carrier_spiders()
    accounts: dict[str, list[str]] = {}
    with database().transaction() as session:
        for name, users in json.load(sys.stdin).items():
            accounts[name] = store_customers(session, spiders[name].portal, users)
            if sys.argv[1:] == ["jobs"]:
                at = clock.now(session)
                add(session, planner.find(session, Wanted([name], accounts[name])).jobs, at, available_at=at)
    print(json.dumps(accounts))


if __name__ == "__main__":
    main()

"""`scrapy cycles`: the billing cycles of accounts."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, WrongArgument, show


class Command(Everyday, ScrapyCommand):
    """Open and list billing cycles."""

    word = "cycles"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return "open|list …"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Open or list the billing cycles of accounts"

    def long_desc(self) -> str:
        """Return the page of the command."""
        return (
            "A cycle ends on its account's billing day and is called after that day's month. "
            "A crawl opens the cycle it needs by itself; opening one here shows what it will fetch."
        )

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the two acts."""
        act = self.acts(parser)
        opened = act(
            "open", "Open billing cycles with the files that are wanted; those that are open stay as they are."
        )
        opened.add_argument("--account", default="all", metavar="NUMBER", help="account number (default: all)")
        opened.add_argument(
            "--month", metavar="YYYY-MM", help="month in which it ends (default: the newest that has ended)"
        )
        listed = act("list", "List billing cycles, the newest first.")
        listed.add_argument("--account", default="all", metavar="NUMBER", help="account number (default: all)")
        listed.add_argument("--limit", type=int, default=50, help="how many at most (default: 50)")
        listed.add_argument("--json", action="store_true", help="as JSON")

    def open(self, opts: argparse.Namespace) -> None:
        """Open the cycle of a month for one or all accounts."""
        from sqlalchemy import select

        from database.engine import database
        from database.families.cycles import cycle_for, latest_closed, parse_month
        from database.models import Account
        from database.models.audit import record
        from jobs.clock import Clock
        from scrapers.core.stated import today_at

        try:
            month = parse_month(opts.month) if opts.month else None
        except ValueError as error:
            raise WrongArgument(f"--month {opts.month}: {error}.") from None
        lines = []
        with database().transaction() as session:
            accounts = session.scalars(_of(select(Account), opts.account)).all()
            _must_exist(accounts, opts.account)
            now = Clock().now()
            today = {portal: today_at(portal, now) for portal in {account.carrier.portal for account in accounts}}
            for account in accounts:
                chosen = month or latest_closed(account.billing_day, today[account.carrier.portal])
                cycle = cycle_for(session, account, *chosen)
                record(session, "cycle.opened", f"{account.carrier.portal} {account.number} {cycle.end_date:%Y-%m}")
                lines.append(
                    (
                        account.carrier.portal,
                        account.number,
                        f"{cycle.end_date:%Y-%m}",
                        cycle.start_date,
                        cycle.end_date,
                        cycle.status.value,
                    )
                )
        show(("carrier", "number", "month", "start", "end", "status"), lines)

    def list(self, opts: argparse.Namespace) -> None:
        """List the cycles there are, with how many of their files are stored."""
        from sqlalchemy import func, select

        from database.engine import database
        from database.models import (
            Account,
            BillingCycle,
            BillingCycleFile,
            BillingCyclePdfFile,
            Carrier,
            DailyUsageFile,
            FileStatus,
        )

        done = (FileStatus.READY, FileStatus.PROCESSING, FileStatus.PROCESSED)

        def count(model: type[BillingCycleFile | BillingCyclePdfFile | DailyUsageFile], *, stored: bool) -> Any:
            query = select(func.count()).where(model.billing_cycle_id == BillingCycle.id)
            return (query.where(model.status.in_(done)) if stored else query).correlate(BillingCycle).scalar_subquery()

        query = (
            select(
                Carrier.portal,
                Account.number,
                BillingCycle.start_date,
                BillingCycle.end_date,
                BillingCycle.status,
                count(BillingCycleFile, stored=True),
                count(BillingCycleFile, stored=False),
                count(BillingCyclePdfFile, stored=True),
                count(DailyUsageFile, stored=True),
            )
            .select_from(BillingCycle)
            .join(Account)
            .join(Carrier)
            .order_by(BillingCycle.end_date.desc(), Carrier.portal, Account.number)
            .limit(opts.limit)
        )
        with database().transaction() as session:
            if opts.account != "all":
                _must_exist(session.scalars(_of(select(Account), opts.account)).all(), opts.account)
            rows = session.execute(_of(query, opts.account)).all()
        show(
            ("carrier", "number", "month", "start", "end", "status", "reports", "PDFs", "daily files"),
            (
                (portal, number, f"{end:%Y-%m}", start, end, status.value, f"{ready} of {all_}", pdfs, days)
                for portal, number, start, end, status, ready, all_, pdfs, days in rows
            ),
            empty="No billing cycle is open: `scrapy cycles open` opens the latest of every account.",
            as_json=opts.json,
        )


def _of(query: Any, number: str) -> Any:
    from database.models import Account

    return query if number == "all" else query.where(Account.number == number)


def _must_exist(accounts: Sequence[Any], number: str) -> None:
    if not accounts:
        said = (
            "there is no account yet; add one with `scrapy accounts add`"
            if number == "all"
            else "no account has this number; `scrapy accounts list` shows all"
        )
        raise WrongArgument(f"--account {number}: {said}.")

"""`scrapy accounts`: add, import and list accounts; from options or a CSV file."""

from __future__ import annotations

import argparse
from pathlib import Path

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, Refused, WrongArgument, places, read_lines, show


class Command(Everyday, ScrapyCommand):
    """Add, import and list accounts with their client, workspace and carrier."""

    word = "accounts"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return "add|import|list …"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Add, import or list the accounts that are crawled"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the three acts."""
        act = self.acts(parser)
        add = act("add", "Add one account, or bring it up to date; client, workspace and carrier are made if need be.")
        add.add_argument("--client", required=True, help="company whose account it is")
        add.add_argument("--workspace", required=True, help="part of the client that keeps its accounts apart")
        add.add_argument("--carrier", required=True, help="the carrier's one word, such as bell")
        add.add_argument("--number", required=True, help="account number, as the portal shows it")
        add.add_argument(
            "--username", help="user name of the credential that opens it (leave out: from environment or file)"
        )
        add.add_argument("--billing-day", type=int, metavar="DAY", help="last day of its billing cycle (default: 15)")
        add.add_argument("--nickname", help="what people call it")
        many = act("import", "Add the accounts of a CSV file: all of them, or none when a line is wrong.")
        many.add_argument(
            "file",
            type=Path,
            metavar="FILE.csv",
            help="its first line names the columns client, workspace, carrier, number and, if wanted, username, billing_day, nickname",
        )
        listed = act("list", "List all accounts.")
        listed.add_argument("--json", action="store_true", help="as JSON")

    def add(self, opts: argparse.Namespace) -> None:
        """Add one account."""
        from database.engine import database
        from database.families.accounts import AccountError, NewAccount, add_account
        from scrapers.core.stated import with_accounts

        new = NewAccount(
            client=opts.client.strip(),
            workspace=opts.workspace.strip(),
            carrier=opts.carrier.strip().lower(),
            number=opts.number.strip(),
            username=opts.username,
            billing_day=opts.billing_day,
            nickname=opts.nickname,
        )
        carriers = with_accounts(places(self.settings))
        try:
            with database().transaction() as session:
                _, is_new = add_account(session, new, carriers)
        except AccountError as error:
            field, _, said = str(error).partition(": ")
            raise WrongArgument(f"--{field.replace('_', '-')}: {said}") from None
        print(
            f"{'Added' if is_new else 'Brought up to date'}: {new.carrier} {new.number} ({new.client} / {new.workspace})."
        )

    def import_(self, opts: argparse.Namespace) -> None:
        """Add the accounts of a file."""
        from database.engine import database
        from database.families.accounts import import_accounts, read_accounts
        from database.families.imports import BadLines
        from scrapers.core.stated import with_accounts

        lines = read_lines(opts.file)
        carriers = with_accounts(places(self.settings))
        try:
            with database().transaction() as session:
                added, there = import_accounts(session, read_accounts(lines), carriers)
        except BadLines as error:
            raise Refused("\n".join([*error.problems, f"Nothing of {opts.file} was imported."])) from None
        print(f"Added {added}, brought up to date {there}.")

    def list(self, opts: argparse.Namespace) -> None:
        """List all accounts."""
        from sqlalchemy import select

        from database.engine import database
        from database.models import Account, Carrier, Client, ScraperConfig, StoredCredential, Workspace

        query = (
            select(
                Carrier.portal,
                Account.number,
                Account.nickname,
                Client.name,
                Workspace.name,
                Account.billing_day,
                StoredCredential.username,
            )
            .select_from(Account)
            .join(Carrier)
            .join(Workspace, Account.workspace_id == Workspace.id)
            .join(Client, Workspace.client_id == Client.id)
            .outerjoin(ScraperConfig, ScraperConfig.account_id == Account.id)
            .outerjoin(StoredCredential, StoredCredential.id == ScraperConfig.credential_id)
            .order_by(Carrier.portal, Account.number)
        )
        with database().transaction() as session:
            rows = session.execute(query).all()
        show(
            ("carrier", "number", "nickname", "client", "workspace", "billing day", "username"),
            rows,
            empty="No account yet: add one with `scrapy accounts add`.",
            as_json=opts.json,
        )

"""`scrapy forget`: erase what belongs to a client, a credential or a user: rows, stored files, evidence bundles."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from commands._progress import Lines
from commands._terminal import Everyday, WrongArgument, places, portals, print_json, show, size

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from database.forgetting.owners import Owner
    from pipelines.erasing import Report


class Command(Everyday, ScrapyCommand):
    """Show or erase the data of a client, a credential or a user."""

    word = "forget"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return "--client NAME | --credential PORTAL [--username NAME] | --user MAIL [--yes]"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Erase what belongs to a client, credential or user: rows, files, bundles (shows it only, without --yes)"

    def long_desc(self) -> str:
        """Return the page of the command."""
        return (
            "Without --yes it shows what would go, and deletes nothing. It may be stopped at any time and run again. It refuses while "
            "a run works for it or a session of it is in use. The attempt ledger keeps when and how sign-ins ended, and "
            "the audit who did what and when, without names. Exit codes: 0 done, or shown; 2 nothing was found, or not everything could be erased, with the reason. "
            "docs/keeping-and-forgetting.md says what stays where."
        )

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options that name the owner of the data, and --yes and --json."""
        whose = parser.add_mutually_exclusive_group()
        whose.add_argument(
            "--client", metavar="NAME", help="a client with its accounts, credentials, files and records"
        )
        whose.add_argument(
            "--credential",
            metavar="PORTAL",
            help="a credential with its sessions and runs, and what was fetched for it where portals have no accounts of clients; "
            "`telegram`: a session of Telegram with its sources",
        )
        whose.add_argument(
            "--user", metavar="MAIL", help="a user of the price watch, with sources and sessions of Telegram"
        )
        parser.add_argument(
            "--username", metavar="NAME", help="with --credential: which one, where the portal has several"
        )
        parser.add_argument("--yes", action="store_true", help="erase it; without this it is only shown")
        parser.add_argument("--json", action="store_true", help="the summary as JSON")

    def do(self, opts: argparse.Namespace) -> None:
        """Show or erase."""
        from database.engine import database
        from database.forgetting.kept import without_rule
        from database.forgetting.owners import NotFound
        from database.forgetting.rows import InUse
        from pipelines.erasing import Forgetting, StillWritten
        from pipelines.settings import PipelineSettings
        from scrapers.core.outcomes import StoreAway
        from scrapers.core.stated import record_tables

        if not (opts.client or opts.credential or opts.user):
            raise WrongArgument("say whose: --client NAME, --credential PORTAL, or --user MAIL.")
        if opts.username and not opts.credential:
            raise WrongArgument("--username is for --credential.")
        record_tables()  # imports the families' own tables
        db = database()
        try:
            with db.transaction() as session:
                owner = self._owner(session, opts)
        except NotFound as error:
            raise WrongArgument(str(error)) from None
        forgetting = Forgetting(db, owner, PipelineSettings.current(), Lines())
        try:
            report = forgetting.erase() if opts.yes else forgetting.survey()
        except (InUse, StillWritten) as error:
            raise WrongArgument(f"{owner.label}: {error}") from None
        except StoreAway as error:
            raise WrongArgument(f"{error} What is left of {owner.label} goes when this is run again.") from None
        self._say(owner, report, without_rule(), opts)

    def _owner(self, session: Session, opts: argparse.Namespace) -> Owner:
        from database.forgetting import owners
        from scrapers.core.stated import portals as stated

        if opts.user:
            return owners.find_user(session, opts.user)
        families = {word: portal.family for word, portal in stated(places(self.settings)).items()}
        known = {
            word: owners.Portal(families.get(word, ""), tuple(login.name for login in facts["logins"]))
            for word, facts in portals(self.settings).items()
        }
        known = {word: owners.Portal(family, ()) for word, family in families.items()} | known
        if opts.client:
            return owners.find_client(session, opts.client, known)
        return owners.find_credential(session, opts.credential, opts.username, known)

    @staticmethod
    def _say(owner: Owner, report: Report, unknown: list[str], opts: argparse.Namespace) -> None:
        """Print the summary by kind, then what stays and why."""
        kinds: list[tuple[str, int, str | None]] = [
            (f"rows: {name.replace('_', ' ')}", number, None) for name, number in sorted(report.rows.items())
        ]
        kinds = [
            ("stored files", report.files, size(report.size)),
            ("evidence bundles", report.bundles, None),
            ("logs of crawls", report.logs, None),
            ("parts of downloads", report.parts, None),
            *kinds,
        ]
        stays = list(_stays(report, unknown))
        if opts.json:
            told = {kind: number for kind, number, _ in kinds}
            print_json({"owner": owner.label, "erased": opts.yes, "bytes": report.size, "kinds": told, "stays": stays})
            return
        show(
            ("kind", "erased" if opts.yes else "would go", "size"),
            [each for each in kinds if each[1]],
            empty="Nothing is stored of it.",
        )
        for sentence in stays:
            print(sentence)
        if opts.yes:
            print(f"Nothing is left of {owner.label}.")
        else:
            print(f"Nothing was erased of {owner.label}: --yes does it.")


def _stays(report: Report, unknown: list[str]) -> list[str]:
    said = []
    if report.nameless:
        said.append(f"Kept: {report.nameless} sign-in attempts, when and how they ended, without names.")
    if report.audited:
        said.append(
            f"Kept: {report.audited} rows of the audit, who did what and when, without the names that are erased."
        )
    if report.shared:
        said.append(f"Kept: {report.shared} files that another owner has too; only the reference goes.")
    if report.schedules:
        said.append(f"Kept: {report.schedules} schedules, which name others too.")
    if report.uploaded:
        said.append(f"Not here: {report.uploaded} files that were uploaded to the customer's server.")
    if report.elsewhere:
        said.append(f"Not here: evidence bundles in the data folders of {', '.join(report.elsewhere)}.")
    said += [f"Not looked at: table {name}, of which is not known whose rows it holds." for name in unknown]
    return said

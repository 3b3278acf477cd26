"""`scrapy sync`: everything that a portal has for a tenant or an account, and one result as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from scrapers.core.jobs import Job
    from scrapers.core.stated import Target

OUTPUT = Path("sync_result.json")
COUNTS = ("files", "records")  # of a portal that states no family


class Command(ScrapyCommand):
    """Run the spiders that a portal names for a sync, and merge what they say."""

    requires_project = True
    default_settings: ClassVar[dict[str, Any]] = {}

    def syntax(self) -> str:
        """Show the arguments."""
        return "[options] <portal>"

    def short_desc(self) -> str:
        """Say what it does."""
        return "Fetch everything of a portal for a tenant or an account; the result as JSON"

    def long_desc(self) -> str:
        """Say what the result and the exit code mean."""
        return (
            "Run every spider of a portal that brings something of its own, for one target (a tenant, an account …) "
            f"or for all, and write what they counted to {OUTPUT}. `success` is true, and the exit code 0, only when "
            "everything that the portal shows is stored; else the exit codes are those of `scrapy crawl`. User name and "
            "password come from the store, <PORTAL>_USERNAME and <PORTAL>_PASSWORD, or .<portal>_credentials.json."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add ours to Scrapy's."""
        super().add_options(parser)
        parser.add_argument("-u", "--username", help="user name, together with -p; or which one of several")
        parser.add_argument("-p", "--password", help="password; - reads it from standard input, which nobody else sees")
        for target in self._targets():
            short = [f"-{target.short}"] if target.short else []
            parser.add_argument(*short, f"--{target.name}", dest=target.name, help=target.help)
        parser.add_argument("-o", "--output", type=Path, default=OUTPUT, help=f"file of the result (default: {OUTPUT})")
        parser.add_argument("--visible", action="store_true", help="show the browser, for a person to finish a sign-in")
        parser.add_argument("--again", action="store_true", help="fetch also what is stored; accept another fleet")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check everything, crawl, merge, write."""
        if len(args) != 1:
            raise UsageError("name one portal; `scrapy portals` shows them")
        from commands._terminal import WrongArgument, check_texts, places
        from commands.crawl import CannotStart, exit_code, prepare, show_progress
        from scrapers.core.stated import family_of
        from scrapers.core.whole import write_whole

        try:
            check_texts(vars(opts))
        except WrongArgument as error:
            raise UsageError(str(error), print_help=False) from None
        assert self.crawler_process is not None
        crawlers = [self.crawler_process.create_crawler(name) for name in self._spiders(args[0])]
        arguments = [self._arguments(crawler.spidercls, opts) for crawler in crawlers]
        self._credential(args[0], opts)
        try:
            if not opts.output.resolve().parent.is_dir():
                raise CannotStart(2, f"--output: there is no folder {opts.output.resolve().parent}.")
            for crawler, given in zip(crawlers, arguments, strict=True):
                prepare(crawler, given, "-u USERNAME")
        except CannotStart as problem:
            self.exitcode = problem.exit_code
            sys.stderr.write(f"{problem}\n")
            return
        show_progress()
        started = datetime.now(UTC)
        self._crawl(list(zip(crawlers, arguments, strict=True)))
        self.crawler_process.start()
        codes = [exit_code(crawler) for crawler in crawlers]
        family = family_of(args[0], places(self.settings))
        target = next((given for each in self._targets() if (given := getattr(opts, each.name))), None)
        jobs = [job for crawler in crawlers for job in jobs_of(crawler)]
        result = merged(started, jobs, target, family.counts if family else COUNTS)
        self.exitcode = max(codes, default=1) or (0 if result["success"] else 1)
        result["success"] = self.exitcode == 0
        write_whole(opts.output, json.dumps(result, indent=2, ensure_ascii=False) + "\n")
        print(f"{args[0]}: {result['outcome']}; the result is in {opts.output}")

    def _crawl(self, those: list[tuple[Crawler, dict[str, str]]]) -> None:
        """Crawl one after another: they work in the same session."""
        (crawler, given), *rest = those
        assert self.crawler_process is not None
        task: Any = self.crawler_process.crawl(crawler, **given)

        def go_on(_: object) -> None:
            if crawler.stats is None or crawler.stats.get_value("finish_reason") != "shutdown":
                self._crawl(rest)

        if rest:
            task.add_done_callback(go_on)  # runs before Scrapy looks whether anything is left to wait for

    def _spiders(self, portal: str) -> list[str]:
        assert self.crawler_process is not None
        loader = self.crawler_process.spider_loader
        found = [name for name in sorted(loader.list()) if getattr(loader.load(name), "portal", None) == portal]
        if not found:
            raise UsageError(f"there is no portal {portal}; `scrapy portals` shows them", print_help=False)
        return [name for name in found if getattr(loader.load(name), "in_sync", True)]

    @staticmethod
    def _targets() -> list[Target]:
        """Return what the families' jobs are about, as far as an option names it."""
        from scrapers.core.stated import families

        return list({family.target.name: family.target for family in families().values() if family.target}.values())

    @classmethod
    def _arguments(cls, spidercls: Any, opts: argparse.Namespace) -> dict[str, str]:
        """Return a spider's arguments; raise UsageError for an option that this portal has no use for."""
        given = {target.name: getattr(opts, target.name) for target in cls._targets()} | {"credential": opts.username}
        for name, value in given.items():
            if value is not None and name not in spidercls.Arguments.model_fields:
                raise UsageError(f"--{name}: {spidercls.portal} has no {name}s", print_help=False)
        arguments = {name: value for name, value in given.items() if value is not None}
        for name in ("visible", "again"):
            if getattr(opts, name):
                arguments[name] = "yes"
        if sys.stdin.isatty() and opts.password != "-":
            arguments["prompt"] = "yes"
        return arguments

    @staticmethod
    def _credential(portal: str, opts: argparse.Namespace) -> None:
        """Let the crawl use what was typed; the secret of an authenticator still comes from where that user's is kept."""
        if opts.password is None:
            return
        if opts.username is None:
            raise UsageError("-p: give the user name too, with -u", print_help=False)
        from database.access.credentials import Credential
        from database.engine import DatabaseAway, database
        from database.settings import SettingsError
        from scrapers.logins.credentials import find_credential, give

        password = opts.password
        if password == "-":
            password = sys.stdin.readline().rstrip("\r\n")
        else:
            sys.stderr.write("-p: every user of this machine can read a password on the command line; use -p -\n")
        if not password:
            raise UsageError("-p: the password is empty", print_help=False)
        kept = None
        with suppress(DatabaseAway, SettingsError), database().transaction() as session:  # told of before the crawl
            kept = find_credential(session, portal, portal, opts.username)
        typed = Credential(portal, opts.username, password)
        give(replace(typed, totp_secret=kept.totp_secret, receiver=kept.receiver) if kept else typed)


def jobs_of(crawler: Crawler) -> list[Job]:
    """Return the jobs of a crawl; none when it did not get that far."""
    work = getattr(crawler.spider, "work", None)
    return list(work.jobs.values()) if work is not None else []


def merged(started: datetime, jobs: Sequence[Job], target: str | None, names: Sequence[str]) -> dict[str, Any]:
    """
    Return the result of a sync over all its jobs.

    names: of what is counted, in a job's result or its counts. Counts are sums, times aware and in UTC, outcome and run those of the worst job. `success`: every job succeeded.
    """
    completed = datetime.now(UTC)
    counts = {name: sum(job.result.get(name, getattr(job.counts, name, 0)) for job in jobs) for name in names}
    worst = max(jobs, key=lambda job: 100 if job.exit_code is None else job.exit_code, default=None)
    outcome = worst.outcome.code if worst is not None and worst.outcome else "unexpected_error"
    return {
        "tenant_id": target or ", ".join(dict.fromkeys(job.label for job in jobs)) or "default",
        "started_at": started.isoformat(timespec="milliseconds"),
        "completed_at": completed.isoformat(timespec="milliseconds"),
        "duration_seconds": round((completed - started).total_seconds(), 3),
        **counts,
        "errors": [error for job in jobs for error in job.errors],
        "success": worst is not None and worst.exit_code == 0,
        "outcome": outcome,
        "run_id": worst.id if worst is not None else None,
    }

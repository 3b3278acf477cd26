"""`scrapy crawl`, with arguments that are checked before it starts, and an exit code that says how the runs ended."""

from __future__ import annotations

import argparse
import logging
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy.commands.crawl import Command as ScrapyCrawl

from commands._progress import moving_line
from commands._terminal import WrongArgument, check_texts
from database import aliases

if TYPE_CHECKING:
    from scrapers.core.jobs import Job, Plan


FEED_FAILED = 4  # the operator has to act: the place of a feed cannot be written to


class Command(ScrapyCrawl):
    """Run one spider for one or many jobs."""

    default_settings: ClassVar[dict[str, Any]] = {}

    def short_desc(self) -> str:
        """Say what it does."""
        return "Fetch: run a spider for its accounts (exit code 0 only when everything is stored)"

    def long_desc(self) -> str:
        """Say which arguments and exit codes there are."""
        return (
            "Run a spider for one or many jobs, e.g. `scrapy crawl bell_pdf_invoice -a account=123 -a cycle=2026-10`. "
            "Exit codes: 0 all stored; 2 wrong usage; 3 nobody has to act, try later; 4 the operator, 5 the owner, "
            "6 a developer has to act; 130 interrupted."
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check the arguments, crawl, and set the exit code to that of the worst run."""
        if len(args) != 1:
            self._refuse(2, "name one spider; `scrapy list` shows them.")
            return
        assert self.crawler_process is not None
        try:
            check_texts(opts.spargs)
        except WrongArgument as error:
            self._refuse(2, str(error))
            return
        try:
            crawler = self.crawler_process.create_crawler(args[0])
        except KeyError:
            self._refuse(2, f"there is no spider {args[0]}; `scrapy list` shows them.")
            return
        self.exitcode = crawl(self.crawler_process, crawler, opts.spargs)

    def _refuse(self, code: int, sentence: str) -> None:
        tell(sentence)
        self.exitcode = code


def crawl(process: Any, crawler: Any, arguments: dict[str, str]) -> int:
    """Run one crawl from its first check to its end and return the exit code."""
    try:
        plans = prepare(crawler, arguments)
    except CannotStart as problem:
        tell(str(problem))
        return problem.exit_code
    show_progress(crawler.settings.get("LOG_FILE"))
    # A feed is written by Scrapy's engine, an empty one too.
    if (
        not crawler.settings.getdict("FEEDS")
        and (done := nothing_to_do(crawler.spidercls, plans, arguments.get("claim"))) is not None
    ):
        return done
    process.crawl(crawler, **arguments)
    # Where a person is asked something, no line moves.
    with nullcontext() if {"prompt", "visible"} & set(arguments) else moving_line(crawler):
        process.start()
    if "claim" not in arguments:  # the worker that has claimed its jobs sends them
        send_alerts(crawler.spidercls)
    return exit_code(crawler)


def send_alerts(spidercls: Any) -> None:
    """Send the alerts that a crawl of prices has left due; what fails is told, and is due again for the next one."""
    from scrapers.core.stated import portals

    portal = portals().get(getattr(spidercls, "portal", ""))
    if portal is None or portal.family != "prices":
        return
    from database.engine import DatabaseAway, database
    from database.settings import SettingsError
    from jobs.alerts import Alerts
    from jobs.clock import Clock
    from jobs.events import Events

    clock = Clock()
    try:
        Alerts.as_set(database(), clock, Events(clock)).send()
    except (DatabaseAway, SettingsError) as error:
        tell(f"Alerts wait: {error}")


class CannotStart(Exception):
    """A crawl would fail before it starts. The text is one sentence; `exit_code` says who has to act."""

    def __init__(self, exit_code: int, sentence: object) -> None:
        super().__init__(str(sentence))
        self.exit_code = exit_code


def prepare(crawler: Any, arguments: dict[str, str], option: str = "-a credential=USERNAME") -> list[Plan]:
    """
    Return the jobs that a crawl will do, and hand them to its spider; empty for a spider that is none of ours.

    option: by which the command names one of several credentials. Raises CannotStart for arguments, settings or a database with which it cannot begin.
    """
    from database.access.encryption import UnreadableSecret, key_ring
    from database.engine import DatabaseAway, SchemaLacking, database
    from database.jobs.queue import NotPossible, arguments_of
    from database.settings import SettingsError
    from pipelines.settings import pipeline_settings, upload_settings
    from scrapers.core import monitor
    from scrapers.core.jobs import ArgumentError
    from scrapers.core.spider import PLANS, PortalSpider
    from scrapers.logins.credentials import SeveralCredentials

    spidercls = crawler.spidercls
    if not issubclass(spidercls, PortalSpider):
        return []
    try:
        parsed = spidercls.Arguments.parse(arguments)
        pipeline_settings()
        upload_settings()
        spidercls.check_settings()
        monitor.start()
        key_ring()
        with database().transaction() as session:
            if parsed.job:
                arguments |= arguments_of(session, parsed.job) | arguments
                parsed = spidercls.Arguments.parse(arguments)
            plans: list[Plan] = spidercls.planned(session, parsed)
    except SeveralCredentials as several:
        raise CannotStart(2, several.by(option)) from several
    except (ArgumentError, NotPossible, SettingsError, UnreadableSecret) as error:
        raise CannotStart(2, error) from error
    except SchemaLacking as error:
        from database.migrate import why_lacking

        sentence, is_ours = why_lacking(database())
        raise CannotStart(6 if is_ours else 4, sentence) from error
    except DatabaseAway as error:
        raise CannotStart(4, error) from error
    PLANS.set(crawler, plans)
    return plans


def nothing_to_do(spidercls: Any, plans: list[Plan], claim: str | None = None) -> int | None:
    """Close the runs and return the exit code if every job is done already; None: the portal must be visited."""
    import asyncio

    from pipelines.settings import upload_settings

    if not plans or not all(plan.done for plan in plans):
        return None
    # Without Scrapy's engine: its start alone takes longer than all that is left to do.
    work = spidercls.new_work()
    work.open(plans, claim)

    async def finish() -> None:
        if upload_settings() is not None:
            from pipelines.upload import send_stored

            await send_stored(work)
        for job in work.jobs.values():
            await work.finish(job, "finished")

    try:
        asyncio.run(finish())
    except KeyboardInterrupt:
        return 130  # what was not sent, and the runs, are the next one's
    return int(work.exit_code)


def exit_code(crawler: Any) -> int:
    """Return the exit code of a crawl: that of its worst run."""
    from scrapers.core.outcomes import UnexpectedError

    spider = crawler.spider
    if spider is None:
        return 1
    reason = crawler.stats.get_value("finish_reason")
    work = getattr(spider, "work", None)
    if work is None:
        return 0 if reason == "finished" else UnexpectedError.outcome.exit_code
    for job in work.jobs.values():
        if job.outcome is not None and job.outcome.exit_code and job.bundle:
            tell(f"Evidence: {job.bundle} (`scrapy runs {job.id}`)", job)
    if reason == "shutdown":
        return 130
    failed = feeds_failed(crawler)
    if failed:
        tell("A feed is missing or incomplete; what was fetched is stored (`scrapy export`).")
    return max(int(work.exit_code), FEED_FAILED if failed else 0)


def feeds_failed(crawler: Any) -> bool:
    """Tell whether a feed that was asked for is missing or incomplete."""
    if not crawler.settings.getdict("FEEDS"):
        return False
    ends = [name.split("/")[1] for name in crawler.stats.get_stats() if name.startswith("feedexport/")]
    return "failed_count" in ends or ("success_count" not in ends and crawler.settings.getbool("FEED_STORE_EMPTY"))


def tell(sentence: str, job: Job | None = None) -> None:
    """Tell a person something on standard error, in the form that log lines have. job: which it is about."""
    from scrapers.core.logs import as_line

    sys.stderr.write(f"{as_line(sentence, job)}\n")


def show_progress(log_file: str | None = None) -> None:
    """Print progress lines to standard error, apart from the log; into the log file too, where there is one, as Scrapyd's."""
    from scrapers.core.logs import formatter

    progress = logging.getLogger("latchkey.progress")
    handlers: list[logging.Handler] = [logging.StreamHandler(), *([logging.FileHandler(log_file)] if log_file else [])]
    for handler in handlers:
        handler.setFormatter(formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        progress.addHandler(handler)
    progress.setLevel(logging.INFO)
    progress.propagate = False
    aliases.tell_by(progress.info)

"""`scrapy crawl`, with arguments that are checked before it starts and exit codes that tell the truth."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import Any, ClassVar

from scrapy.commands.crawl import Command as ScrapyCrawl


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
            crawler = self.crawler_process.create_crawler(args[0])
        except KeyError:
            self._refuse(2, f"there is no spider {args[0]}; `scrapy list` shows them.")
            return
        if (problem := self._problem(crawler.spidercls, opts.spargs)) is not None:
            self._refuse(*problem)
            return
        show_progress()
        if (done := nothing_to_do(crawler.spidercls, opts.spargs)) is not None:
            self.exitcode = done
            return
        self.crawler_process.crawl(crawler, **opts.spargs)
        self.crawler_process.start()
        self.exitcode = exit_code(crawler)

    def _refuse(self, code: int, sentence: str) -> None:
        sys.stderr.write(f"{sentence}\n")
        self.exitcode = code

    @staticmethod
    def _problem(spidercls: Any, arguments: dict[str, str]) -> tuple[int, str] | None:
        """Return exit code and sentence for what would make the crawl fail before it starts."""
        from database.encryption import UnreadableSecret, key_ring
        from database.engine import DatabaseAway, database
        from database.settings import SettingsError
        from pipelines.options import pipeline_settings, upload_settings
        from scrapers.spider import PortalSpider
        from scrapers.work import ArgumentError

        if not issubclass(spidercls, PortalSpider):
            return None
        try:
            parsed = spidercls.Arguments.parse(arguments)
            pipeline_settings()
            upload_settings()
            spidercls.check_options()
            key_ring()
            with database().transaction() as session:
                spidercls.plans(session, parsed)
        except (ArgumentError, SettingsError, UnreadableSecret) as error:
            return 2, str(error)
        except DatabaseAway as error:
            return 4, str(error)
        return None


def nothing_to_do(spidercls: Any, arguments: dict[str, str]) -> int | None:
    """Close the runs of a crawl whose every job is done already and return the exit code; None: a portal must be visited."""
    import asyncio

    from database.engine import database
    from pipelines.options import upload_settings
    from scrapers.spider import PortalSpider
    from scrapers.work import Work

    if not issubclass(spidercls, PortalSpider):
        return None
    with database().transaction() as session:
        plans = spidercls.plans(session, spidercls.Arguments.parse(arguments))
    if not plans or not all(plan.done for plan in plans):
        return None
    # Without Scrapy's engine: its start alone takes longer than all that is left to do.
    work = Work(spidercls.name, spidercls.portal, spidercls.report_type)
    work.open(plans)

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
    return work.exit_code


def exit_code(crawler: Any) -> int:
    """Return the exit code that tells the truth of a crawl: that of its worst run."""
    from scrapers.outcomes import UnexpectedError

    spider = crawler.spider
    if spider is None:
        return 1
    reason = crawler.stats.get_value("finish_reason")
    work = getattr(spider, "work", None)
    if work is None:
        return 0 if reason == "finished" else UnexpectedError.outcome.exit_code
    for job in work.jobs.values():
        if job.outcome is not None and job.outcome.exit_code and job.bundle:
            sys.stderr.write(f"Evidence: {job.bundle} (`scrapy runs {job.id}`)\n")
    if reason == "shutdown":
        return 130
    return int(work.exit_code)


def show_progress() -> None:
    """Print progress lines to standard error, apart from the log."""
    progress = logging.getLogger("latchkey.progress")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    progress.addHandler(handler)
    progress.setLevel(logging.INFO)
    progress.propagate = False

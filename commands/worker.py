"""`scrapy worker`: does what is due, by schedule and by hand, until it is told to stop."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, Refused, WrongArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


class Command(Everyday, ScrapyCommand):
    """Run a worker."""

    word = "worker"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Do what is due, by schedule and by hand, until told to stop (SIGTERM)"

    def long_desc(self) -> str:
        """Return the page of the command."""
        return (
            "Turns schedules into jobs, claims what is due and crawls it, in as many slots as it is given. Any number of "
            "workers may share a database. SIGTERM lets running crawls end (LATCHKEY_WORKER_DRAIN); a second one hands "
            "them back. One line for each event; LATCHKEY_WORKER_HEALTH names a file with its state."
        )

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add its options."""
        parser.add_argument("--once", action="store_true", help="do what is due now, then end")
        parser.add_argument(
            "--slots", type=int, metavar="N", help="crawls side by side (default: LATCHKEY_WORKER_SLOTS)"
        )
        parser.add_argument("--portals", metavar="WORD,…", help="only jobs of these portals")
        parser.add_argument(
            "--engine",
            choices=("embedded", "prefect", "procrastinate", "scrapyd"),
            help="what runs the crawls (default: LATCHKEY_ENGINE)",
        )
        parser.add_argument(
            "--json-lines", action="store_true", help="each event as a line of JSON, on standard output"
        )

    def do(self, opts: argparse.Namespace) -> None:
        """Work."""
        from jobs.settings import WorkerSettings

        once = opts.once or WorkerSettings.current().worker_run_once
        work(self, opts, slots=opts.slots, portals=opts.portals, until_idle=once, json_lines=opts.json_lines)


def work(
    command: ScrapyCommand,
    opts: argparse.Namespace,
    *,
    slots: int | None,
    portals: str | None,
    until_idle: bool,
    with_schedules: bool = True,
    json_lines: bool = False,
    only: int | None = None,
) -> list[dict[str, Any]]:
    """Run a worker to its end and return what became of the jobs that it did."""
    import sys

    from commands._terminal import places
    from database import aliases
    from database.engine import database
    from database.jobs.settings import QueueSettings
    from database.migrate import create_if_empty
    from database.settings import database_settings
    from jobs.clock import Clock
    from jobs.crawls import Launcher
    from jobs.engines.scrapyd import ScrapydAway, ScrapydLauncher
    from jobs.events import Events
    from jobs.planning import Planner, Spiders
    from jobs.settings import ScrapydSettings, WorkerSettings
    from jobs.worker import Worker
    from scrapers.core import monitor, stated
    from scrapers.core.logs import is_json

    if slots is not None and slots < 1:
        raise WrongArgument("a worker needs one slot at least.")
    known = stated.portals(places(command.settings))
    words: Collection[str] | None = None
    if portals is not None:
        words = {word.strip() for word in portals.split(",") if word.strip()}
        if unknown := sorted(words - set(known)):
            raise WrongArgument(f"--portals: there is no portal {unknown[0]}; `scrapy portals` shows them.")
    QueueSettings.current()
    assert command.settings is not None
    settings, clock = command.settings, Clock()
    events = Events(clock, as_json=json_lines, as_log=is_json(), to=sys.stdout if json_lines else None)
    aliases.tell_by(lambda sentence: events.tell("alias", sentence))
    monitor.start()
    if database_settings().db_auto_create and create_if_empty(database()):
        events.tell("tables", "the database was empty: its tables are made")
    with database().transaction():
        pass  # a database that is away is told before anything is started
    launcher: Any
    engine = getattr(opts, "engine", None) or WorkerSettings.current().engine
    if only is not None:
        engine = "embedded"  # another engine has started this very process for it
    if engine == "prefect":
        _dispatch(settings, until_idle)
        return []
    if engine == "scrapyd":
        try:
            launcher = ScrapydLauncher(ScrapydSettings.current(), tuple(opts.set or ()))
        except ScrapydAway as error:
            raise Refused(str(error)) from None
    else:
        launcher = Launcher(database_settings().data_dir / "logs", opts.set or ())
    kind = Worker
    if engine == "procrastinate":
        from jobs.engines.procrastinate import ProcrastinateWorker

        kind = ProcrastinateWorker
    worker = kind(
        database(),
        clock,
        Planner(Spiders(settings), clock),
        launcher,
        events,
        slots=slots or WorkerSettings.current().worker_slots,
        portals=words,
        with_schedules=with_schedules,
        only=only,
        daily=daily_work() if with_schedules else None,
        given=opts.set or (),
    )
    worker.run(until_idle=until_idle)
    return worker.results or []


def daily_work() -> Callable[[], list[str]] | None:
    """Return what deletes what is older than it is kept, and says what it did; None where that is left to the command."""
    from database.engine import database
    from pipelines.settings import KeepSettings, PipelineSettings

    keep = KeepSettings.current()
    if not keep.keep_daily:
        return None

    def apply() -> list[str]:
        from pipelines.retention import Retention

        found = Retention(database(), keep, PipelineSettings.current()).look(apply=True)
        return [f"{each.count} {each.kind} older than {each.days} days were deleted" for each in found if each.count]

    return apply


def _dispatch(settings: Any, once: bool) -> None:
    """Tick and post what is due to Prefect, whose workers do it."""
    from database.engine import database
    from jobs.clock import Clock
    from jobs.engines.embedded import EngineAway
    from jobs.engines.prefect import PrefectEngine
    from jobs.events import Events
    from jobs.notices import Notices
    from jobs.planning import Planner, Spiders

    if not once:
        raise WrongArgument(
            "--engine prefect: start Prefect's own workers; `scrapy worker --once --engine prefect` ticks and posts."
        )
    clock = Clock()
    try:
        done = PrefectEngine(database(), clock).tick(Planner(Spiders(settings), clock))
    except EngineAway as error:
        raise Refused(str(error)) from None
    for sentence in done.sentences:
        print(sentence)
    Notices.as_set(database(), clock, Events(clock)).send()

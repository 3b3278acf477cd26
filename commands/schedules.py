"""`scrapy schedules`: when what is fetched."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, Refused, WrongArgument, print_json, show, text

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from database.models.jobs import Schedule
    from jobs.freshness import Freshness


class Command(Everyday, ScrapyCommand):
    """Add, look at, pause and import schedules."""

    word = "schedules"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return "add|list|show|next|pause|resume|remove|import …"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "When what is fetched: cron expressions with time zones, for `scrapy worker`"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the acts."""
        act = self.acts(parser)
        add = act("add", "Add a schedule, or change the one of that name.")
        add.add_argument("name", help="what it is called")
        add.add_argument("spiders", nargs="+", metavar="SPIDER", help="spiders, or words of portals or families")
        add.add_argument("--cron", required=True, metavar="EXPRESSION", help='as "30 6 * * *", or @daily, @hourly …')
        add.add_argument("--time-zone", metavar="NAME", help="of the expression (default: the portal's)")
        add.add_argument("--accounts", default="all", metavar="NUMBER,…", help="numbers, tenants or user names (default: all)")  # fmt: skip
        add.add_argument("--client", metavar="NAME", help="only accounts of this client")
        add.add_argument("-a", dest="further", action="append", default=[], metavar="NAME=VALUE", help="further arguments of the spiders")  # fmt: skip
        add.add_argument("--hours", metavar="HH:MM-HH:MM", help="in which jobs may start (default: at any hour)")
        add.add_argument(
            "--jitter", type=int, default=0, metavar="SECONDS", help="over which jobs are spread (default: 0)"
        )
        add.add_argument("--missed", choices=("once", "skip", "each"), default="once", help="what becomes of missed runs (default: once)")  # fmt: skip
        add.add_argument("--fresh-by", metavar="HH:MM", help="by when each day's jobs shall have succeeded")
        add.add_argument("--priority", type=int, default=0, metavar="N", help="higher ones come first (default: 0)")
        listed = act("list", "List the schedules: when each is due next, and how the last time went.")
        listed.add_argument("--json", action="store_true", help="as JSON")
        shown = act("show", "Tell all about one schedule, and what became of its last due times.")
        shown.add_argument("name", help="which one")
        shown.add_argument("--json", action="store_true", help="as JSON")
        following = act("next", "Show the next due times, as the worker will see them.")
        following.add_argument("name", nargs="?", help="only of this schedule")
        following.add_argument("--count", type=int, default=5, metavar="N", help="of each (default: 5)")
        following.add_argument("--json", action="store_true", help="as JSON")
        for name, does in (
            ("pause", "Make nothing due until it is resumed."),
            ("resume", "Go on with the due times from now on."),
            ("remove", "Remove a schedule; jobs that were made stay."),
        ):
            act(name, does).add_argument("name", help="which one")
        many = act("import", "Add or change the schedules of a TOML file; a second time changes nothing.")
        many.add_argument("file", type=Path, metavar="FILE.toml", help="a table [[schedule]] for each")

    def add(self, opts: argparse.Namespace) -> None:
        """Add or change one."""
        from commands.jobs.create import further_of
        from database.engine import database, now
        from database.jobs.schedules import named
        from jobs.clock import Clock
        from jobs.definitions import BadSchedule, define
        from jobs.engines.chosen import chosen_engine

        given: dict[str, Any] = {
            name: getattr(opts, name)
            for name in (
                "name",
                "spiders",
                "accounts",
                "client",
                "cron",
                "hours",
                "jitter",
                "missed",
                "fresh_by",
                "priority",
            )
        }
        given["time_zone"] = opts.time_zone or self._zone(opts.spiders)
        given["arguments"] = further_of(opts.further) or None
        try:
            made = define(given)
        except BadSchedule as error:
            field, _, said = str(error).partition(": ")
            raise WrongArgument(
                f"{'' if field in ('name', 'spiders') else '--'}{field.replace('_', '-')}: {said}"
            ) from None
        self._check_spiders(made.spiders)
        with following("Stored"):
            done = chosen_engine(database(), Clock()).upsert_schedule(made.name, made.fields())
        with database().transaction() as session:
            at = now(session)
            schedule = named(session, made.name)
            assert schedule is not None
            when = next_of(schedule, at, 1)[0]
        print(f"{done.capitalize()}: {made.name}, due next at {local(when, made.time_zone)}.")

    def import_(self, opts: argparse.Namespace) -> None:
        """Add or change those of a file: all of them, or none when one is wrong."""
        from collections import Counter

        from database.engine import database, now
        from database.jobs.schedules import put
        from jobs.clock import Clock
        from jobs.definitions import BadSchedule, read_definitions
        from jobs.engines.chosen import chosen_engine

        try:
            found = read_definitions(opts.file)
        except BadSchedule as error:
            raise Refused(str(error)) from None
        except OSError as error:
            raise WrongArgument(f"{opts.file} cannot be read: {error.strerror}.") from None
        for each in found:
            self._check_spiders(each.spiders, f"{opts.file}: schedule {each.name}: ")
        with database().transaction() as session:
            at = now(session)
            done = Counter(put(session, each.name, each.fields(), at) for each in found)
        with following("Stored"):
            chosen_engine(database(), Clock()).follow()
        print(f"Added {done['added']}, changed {done['changed']}, unchanged {done['unchanged']}.")

    def list(self, opts: argparse.Namespace) -> None:
        """List all."""
        from sqlalchemy import select

        from database.engine import database, now
        from database.models.jobs import Schedule

        with database().transaction() as session:
            at = now(session)
            rows = [told(session, each, at) for each in session.scalars(select(Schedule).order_by(Schedule.name))]
        if opts.json:
            print_json(rows)
            return
        columns = ("name", "spiders", "accounts", "cron", "time_zone", "next", "last", "jobs", "fresh")
        cells = [[each[name] for name in columns] for each in rows]
        show([name.replace("_", " ") for name in columns], cells, empty="No schedule yet: `scrapy schedules add`.")

    def show(self, opts: argparse.Namespace) -> None:
        """Tell all about one."""
        from database.engine import database, now
        from database.jobs.schedules import last

        with database().transaction() as session:
            schedule, at = self._named(session, opts.name), now(session)
            all_told = {
                **told(session, schedule, at),
                "client": schedule.client,
                "arguments": schedule.arguments,
                "hours": schedule.hours,
                "jitter": schedule.jitter,
                "missed": schedule.missed.value,
                "fresh_by": schedule.fresh_by,
                "priority": schedule.priority,
                "firings": [
                    {
                        "due": each.due_at,
                        "due_times": each.due_times,
                        "seen": each.seen_at,
                        "jobs": each.jobs,
                        "reason": each.reason,
                    }
                    for each in last(session, schedule)
                ],
            }
        if opts.json:
            print_json(all_told)
            return
        firings = all_told.pop("firings")
        width = max(map(len, all_told))
        for name, value in all_told.items():
            if value not in (None, "", [], {}):
                print(f"{name.replace('_', ' ').ljust(width)}  {text(value)}")
        show(
            tuple(firings[0]) if firings else (),
            [tuple(each.values()) for each in firings],
            empty="It was not due yet.",
        )

    def next(self, opts: argparse.Namespace) -> None:
        """Show the next due times."""
        from sqlalchemy import select

        from database.engine import database, now
        from database.models.jobs import Schedule

        with database().transaction() as session:
            at = now(session)
            query = select(Schedule).where(Schedule.paused.is_(False)).order_by(Schedule.name)
            chosen = [self._named(session, opts.name)] if opts.name else list(session.scalars(query))
            rows = [
                (due, each.name, local(due, each.time_zone), f"+ up to {each.jitter} s" if each.jitter else None)
                for each in chosen
                for due in next_of(each, at, opts.count)
            ]
        show(
            ("due (UTC)", "schedule", "there", "spread"),
            sorted(rows),
            empty="Nothing is due: there is no schedule that is not paused.",
            as_json=opts.json,
        )

    def pause(self, opts: argparse.Namespace) -> None:
        """Pause one."""
        self._ask(opts.name, "pause")
        print(f"Paused: {opts.name}.")

    def resume(self, opts: argparse.Namespace) -> None:
        """Resume one."""
        from database.engine import database, now

        self._ask(opts.name, "resume")
        with database().transaction() as session:
            schedule = self._named(session, opts.name)
            when = next_of(schedule, now(session), 1)[0]
        print(f"Resumed: {opts.name}, due next at {local(when, schedule.time_zone)}.")

    def remove(self, opts: argparse.Namespace) -> None:
        """Remove one."""
        self._ask(opts.name, "delete")
        print(f"Removed: {opts.name}.")

    @staticmethod
    def _ask(name: str, act: str) -> None:
        """Let the engine do something with a schedule."""
        from database.engine import database
        from jobs.clock import Clock
        from jobs.engines.chosen import chosen_engine
        from jobs.engines.embedded import UnknownSchedule

        try:
            with following("Done here"):
                getattr(chosen_engine(database(), Clock()), act)(name)
        except UnknownSchedule as error:
            raise WrongArgument(str(error)) from None

    @staticmethod
    def _named(session: Session, name: str) -> Schedule:
        from database.jobs.schedules import named

        schedule = named(session, name)
        if schedule is None:
            raise WrongArgument(f"There is no schedule {name}; `scrapy schedules list` shows all.")
        return schedule

    def _check_spiders(self, words: Sequence[str], where: str = "") -> None:
        """Raise WrongArgument for a word that is no spider, portal or family."""
        from jobs.planning import Spiders, UnknownSpider

        assert self.settings is not None
        try:
            Spiders(self.settings).named(words)
        except UnknownSpider as error:
            raise WrongArgument(f"{where}{error}") from None

    def _zone(self, words: Sequence[str]) -> str:
        """Return the time zone of the first portal that is meant."""
        from jobs.planning import Spiders, UnknownSpider

        assert self.settings is not None
        try:
            return Spiders(self.settings).named(words)[0].time_zone
        except UnknownSpider as error:
            raise WrongArgument(str(error)) from None


@contextmanager
def following(done: str) -> Iterator[None]:
    """Say what was done where the engine has not followed: it does so with its next tick, or the next change."""
    from jobs.engines.embedded import EngineAway

    try:
        yield
    except EngineAway as error:
        raise Refused(f"{done}; the engine follows with its next tick. {error}") from None


def next_of(schedule: Schedule, at: datetime, count: int) -> list[datetime]:
    """Return the next due times of a schedule; one that has passed, and that no worker has seen yet, is the first."""
    from itertools import islice

    from jobs.cron import due_times

    return list(islice(due_times(schedule.cron, schedule.time_zone, min(schedule.seen_until, at)), count))


def local(at: datetime, zone: str) -> str:
    """Return an instant as a clock of a time zone shows it."""
    from zoneinfo import ZoneInfo

    return f"{at.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} {zone}"


def told(session: Session, schedule: Schedule, at: datetime) -> dict[str, Any]:
    """Return the line of a schedule in the list."""
    from database.jobs.schedules import last
    from jobs.freshness import freshness

    before = next(iter(last(session, schedule, 1)), None)
    fresh = freshness(session, schedule, at)
    return {
        "name": schedule.name,
        "spiders": ", ".join(schedule.spiders),
        "accounts": ", ".join(schedule.accounts) if schedule.accounts else "all",
        "cron": schedule.cron,
        "time_zone": schedule.time_zone,
        "next": "paused" if schedule.paused else local(next_of(schedule, at, 1)[0], schedule.time_zone),
        "last": before.due_at if before else None,
        "jobs": (f"{before.jobs} ({before.reason})" if before.reason else before.jobs) if before else None,
        "fresh": None if fresh is None else _said(fresh),
    }


def _said(fresh: Freshness) -> str:
    if fresh.is_met:
        return "in time"
    return f"late since {fresh.deadline:%Y-%m-%d %H:%M} UTC: {', '.join(fresh.lacking)}"

"""`scrapy runs`: what happened, and what to do next."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, WrongArgument, places, print_json, show, size, text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from database.models import Run


SHOWN = 10  # files, missing names and warnings that a run shows; a line for one more would be as long as that one


class Command(Everyday, ScrapyCommand):
    """List runs, or tell all about one."""

    word = "runs"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return "[ID] [options]"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "List past runs, or tell what happened in one and what to do next"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the filters."""
        parser.add_argument("id", nargs="?", type=int, metavar="ID", help="the run to tell about")
        parser.add_argument("--account", metavar="NUMBER", help="only runs of this account")
        parser.add_argument("--spider", metavar="NAME", help="only runs of this spider")
        parser.add_argument("--outcome", metavar="CODE", help="only runs that ended so: success, cache_error, …")
        parser.add_argument("--limit", type=int, default=20, help="how many at most (default: 20)")
        parser.add_argument("--json", action="store_true", help="as JSON")

    def do(self, opts: argparse.Namespace) -> None:
        """Tell about one run or list the newest."""
        from sqlalchemy import select

        from database.engine import database
        from database.models import Account, Run
        from jobs.story import seconds
        from scrapers.core.outcomes import OUTCOMES

        if opts.outcome and opts.outcome not in OUTCOMES:
            raise WrongArgument(f"--outcome {opts.outcome}: there is no such outcome; they are {', '.join(OUTCOMES)}.")
        with database().transaction() as session:
            if opts.id is not None:
                run = session.get(Run, opts.id)
                if run is None:
                    raise WrongArgument(f"There is no run {opts.id}; `scrapy runs` lists the newest.")
                told = tell(session, run, places(self.settings))
                print_json(told) if opts.json else _print(told)
                return
            query = select(Run).order_by(Run.id.desc()).limit(opts.limit)
            if opts.spider:
                query = query.where(Run.spider == opts.spider)
            if opts.outcome:
                query = query.where(Run.outcome == opts.outcome)
            if opts.account:
                query = query.join(Account, Account.id == Run.account_id).where(Account.number == opts.account)
            rows = [
                (
                    run.id,
                    run.started_at,
                    seconds(run),
                    run.spider,
                    run.target,
                    run.outcome or run.state.value,
                    run.files,
                    run.records,
                    run.already,
                    run.missing,
                    run.sign_ins,
                    run.requests,
                )
                for run in session.scalars(query)
            ]
        columns = (
            "run", "started", "seconds", "spider", "target", "outcome",
            "files", "records", "already", "missing", "sign ins", "requests",
        )  # fmt: skip
        show(columns, rows, empty="No run is known that fits.", as_json=opts.json)


def tell(session: Session, run: Run, places: Sequence[str] = ()) -> dict[str, Any]:
    """Return everything that is known about a run, and what makes sense next. places: SPIDER_MODULES."""
    from jobs.story import story
    from scrapers.core.outcomes import OUTCOMES

    return {**story(session, run), "next": _next(session, run, OUTCOMES.get(run.outcome or ""), places)}


def _next(session: Session, run: Run, outcome: Any, places: Sequence[str]) -> list[str]:
    """Return the commands that make sense now."""
    from database.models import RunState

    if run.state == RunState.RUNNING:
        return ["scrapy status"]
    if run.outcome == "success":
        kind = _type_of(session, run, places)
        return ["scrapy export files", *([] if kind is None else [f"scrapy export records{kind}"])]
    steps = []
    if outcome is not None and "scrapy " in outcome.sentence:
        # The sentence names the command that cures it, between back-quotes.
        steps += [part for part in outcome.sentence.split("`")[1::2] if part.startswith("scrapy ")]
    if run.bundle:
        steps.append(f"look at {run.bundle}")
    if outcome is not None and outcome.retry.value != "never":
        account, _, period = run.target.partition(" ")
        again = f"scrapy crawl {run.spider}"
        if run.job_id:
            again += f" -a job={run.job_id}"
        elif run.account_id and account:
            again += f" -a account={account}" + (
                f" -a cycle={period}" if run.billing_cycle_id and period.count("-") == 1 else ""
            )
        steps.append(again)
    return steps


def _type_of(session: Session, run: Run, places: Sequence[str]) -> str | None:
    """Return the option with the type of record to look at, empty where it is the default; None where there is none."""
    from scrapers.core.exports import DEFAULT_TYPE, record_types
    from scrapers.core.stated import family_of, record_tables

    family = family_of(run.portal, places)
    usual = next(iter(family.exports), None) if family else None
    if usual is None:
        tables, types = record_tables(), record_types()
        of_run = (name for name, table in tables.items() if name in types and _has_row(session, table, run.id))
        usual = next(of_run, None)
    return None if usual is None else "" if usual == DEFAULT_TYPE else f" --type {usual}"


def _has_row(session: Session, table: Any, run_id: int) -> bool:
    """Tell whether a run has written rows of a table; False where the database has no such table."""
    from sqlalchemy import inspect, select

    if not inspect(session.connection()).has_table(table.name):
        return False
    return session.scalar(select(table.c.run_id).where(table.c.run_id == run_id).limit(1)) is not None


def _print(told: dict[str, Any]) -> None:
    width = max(map(len, told))
    for name, value in told.items():
        if value in (None, "", [], {}):
            continue
        label = name.replace("_", " ").ljust(width)
        if name == "counts":
            print(f"{label}  {', '.join(f'{count} {what}' for what, count in value.items())}")
        elif isinstance(value, list):
            lines = value
            if name == "files":
                lines = [f"{file['path'] or file['name']}  {size(file['size'])}  {file['status']}" for file in value]
            if len(lines) > SHOWN + 1 and name != "next":
                lines = [*lines[:SHOWN], f"and {len(lines) - SHOWN} more of {len(lines)} (--json shows all)"]
            for line in lines:
                print(f"{label}  {line}")
                label = " " * width
        else:
            print(f"{label}  {text(value)}")

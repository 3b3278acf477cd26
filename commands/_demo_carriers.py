"""The carriers of `scrapy demo`: one account of each, their jobs side by side on a worker, a line that moves, and a table."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from database.engine import Database
    from jobs.warm import WarmParent

CLIENT, WORKSPACE = "Northwind Traders", "Head office"
SLOTS = 4  # crawls side by side
BILLING_DAY = "31"
COLUMNS = ("carrier", "account", "signed in as", "sign-ins", "files", "records", "seconds", "outcome")
SHOWN = 40  # characters of a step


@dataclass(frozen=True, slots=True)
class Customer:
    """An invented user of an imitation, with one account."""

    portal: str
    name: str  # the carrier's
    username: str
    account: str
    receivers: str
    password: str


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a carrier's account in this run. seconds: of its crawls together, which run beside others'."""

    portal: str
    carrier: str
    account: str
    signed_in: str
    sign_ins: int
    files: int
    records: int
    requests: int
    downloads: int
    seconds: float
    outcome: str  # the first that is no success


def carriers() -> dict[str, str]:
    """Return name by word of the carriers that have spiders and an imitation."""
    from scrapers.core.stated import families, portals

    with_accounts = {family.word for family in families().values() if family.has_accounts}
    stated = {portal.word: portal.name for portal in portals().values() if portal.family in with_accounts}
    return {word: name for word, name in sorted(stated.items()) if find_spec(f"sandbox.{word}") is not None}


def customers() -> Iterator[Customer]:
    """Yield a user of each carrier. Their codes go to telephones and mailboxes of their own."""
    from importlib import import_module

    import sandbox

    for word, name in carriers().items():
        username = f"ok+demo@{word}.example"
        receivers = f"{sandbox.phone(username)},{sandbox.mailbox(username)}"
        account = import_module(f"sandbox.{word}").accounts(username)[0]
        yield Customer(word, name, username, account, receivers, sandbox.PASSWORD)


def play_carriers(folder: Path, environment: Mapping[str, str], codes: Mapping[str, str]) -> list[Played]:
    """Start the imitations, add an account of each, and do all of their jobs; return a row for each carrier."""
    import sandbox
    from database.engine import Database
    from jobs.warm import WarmParent

    played = list(customers())
    words = [each.portal for each in played]
    with (
        sandbox.running(folder / "sandbox", words, **codes) as running,
        tempfile.TemporaryDirectory(prefix="latchkey-demo-") as place,
    ):
        for each in played:
            print(f"  sandbox  {running.urls[each.portal]}  ({each.name})", flush=True)
        here = {**environment, **running.environment}
        warm = WarmParent.start(Path(place) / "warm", here)
        db = Database(f"sqlite:///{folder / 'latchkey.db'}")
        try:
            print(f"Adding {CLIENT} with an account of each", flush=True)
            for each in played:
                add(warm, here, each)
            made = json.loads(scrapy(warm, here, "jobs", "create", *words, "--json"))["jobs"]
            print(f"{len(made)} jobs, {SLOTS} side by side", flush=True)
            after = newest_run(db)
            work(warm, here, db, after, len(made))
            return [row_of(db, each, after) for each in played]
        finally:
            db.engine.dispose()
            warm.close()


def add(warm: WarmParent, environment: Mapping[str, str], customer: Customer) -> None:
    """Add a user and its account, by the ordinary commands."""
    by_user = ("--client", CLIENT, "--username", customer.username)
    credential = ("credentials", "add", customer.portal, *by_user, "--receiver", customer.receivers, "--stdin")
    scrapy(warm, environment, *credential, given=f"{customer.password}\n\n")
    account = ("--workspace", WORKSPACE, "--carrier", customer.portal, "--number", customer.account)
    scrapy(warm, environment, "accounts", "add", *by_user, *account, "--billing-day", BILLING_DAY)


def scrapy(warm: WarmParent, environment: Mapping[str, str], *arguments: str, given: str | None = None) -> str:
    """Run a command of ours to its end and return what it said; raise CalledProcessError when it fails."""
    done = warm.run(arguments, env=environment, input=given, capture_output=True)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, " ".join(arguments[:2]), done.stdout, done.stderr)
    return done.stdout or ""


def work(warm: WarmParent, environment: Mapping[str, str], db: Database, after: int, jobs: int) -> None:
    """Run a worker until nothing is due, and tell of each job that has ended; raise CalledProcessError when it fails."""
    command = ("worker", "--once", "--slots", str(SLOTS), "--json-lines")
    log = Path(environment["LATCHKEY_DATA_DIR"]) / "worker.log"
    with log.open("w") as kept, moving_line(db, after, jobs) as tell:
        process = warm.popen(command, env=environment, stdout=subprocess.PIPE, stderr=kept)
        try:
            assert process.stdout is not None
            for line in process.stdout:
                event = json.loads(line)
                if event["event"] == "done":
                    tell(event["sentence"])
            code = process.wait()
        finally:
            if process.poll() is None:  # what went wrong here does not leave the worker behind
                process.terminate()
                process.wait()
    if code:
        raise subprocess.CalledProcessError(code, "worker --once", None, log.read_text())


@contextmanager
def moving_line(db: Database, after: int, jobs: int) -> Iterator[Any]:
    """Yield a function that prints a line. In a terminal that can, a line below says how far it is, until the end of the block."""
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner

    console, began = Console(highlight=False), time.monotonic()
    if not sys.stdout.isatty() or console.is_dumb_terminal:
        yield lambda text: print(text, flush=True)
        return
    spinner = Spinner("dots")

    def line() -> Spinner:
        spinner.update(text=f"{time.monotonic() - began:3.0f} s  {so_far(db, after, jobs)}")
        return spinner

    with Live(get_renderable=line, console=console, refresh_per_second=4, transient=True):
        yield lambda text: console.print(text, markup=False)


def so_far(db: Database, after: int, jobs: int) -> str:
    """Return how many jobs have ended, and at which step each of the others is."""
    runs = runs_after(db, after)
    steps = [f"{run.spider}: {(run.step or 'begins')[:SHOWN]}" for run in runs if run.finished_at is None]
    ended = sum(run.finished_at is not None for run in runs)
    return "  ".join([f"{ended} of {jobs} jobs", *steps])


def newest_run(db: Database) -> int:
    """Return the number of the newest run; 0 before the first."""
    from sqlalchemy import func, select

    from database.models import Run

    with db.transaction() as session:
        return session.scalar(select(func.max(Run.id))) or 0


def runs_after(db: Database, after: int, portal: str = "") -> Sequence[Any]:
    """Return the runs after a number, of a portal or of all."""
    from sqlalchemy import select

    from database.models import Run

    query = select(Run).where(Run.id > after).order_by(Run.id)
    with db.transaction() as session:
        runs = session.scalars(query.where(Run.portal == portal) if portal else query).all()
        session.expunge_all()
        return runs


def row_of(db: Database, customer: Customer, after: int) -> Played:
    """Return what came of a carrier's account; nothing where everything was stored before."""
    runs = runs_after(db, after, customer.portal)
    outcomes = [run.outcome or "unexpected_error" for run in runs]
    names = ("sign_ins", "files", "records", "requests", "downloads")
    signed_in = sorted({run.username for run in runs if run.username})
    spans = [(run.finished_at - run.started_at).total_seconds() for run in runs if run.finished_at is not None]
    return Played(
        portal=customer.portal,
        carrier=customer.name,
        account=customer.account,
        signed_in=", ".join(signed_in),
        seconds=round(sum(spans), 1),
        outcome=next((each for each in outcomes if each != "success"), "success" if runs else "stored already"),
        **{name: sum(getattr(run, name) for run in runs) for name in names},
    )


def show_carriers(console: Any, played: Sequence[Played], seconds: float) -> None:
    """Print who was signed in, what came, and how long it took."""
    from rich.table import Table

    table = Table(title=f"What {len(played)} carriers brought in {seconds:.0f} s")
    for name in COLUMNS:
        table.add_column(name, justify="right" if name in ("sign-ins", "files", "records", "seconds") else "left")
    for each in played:
        figures = (each.sign_ins, each.files, each.records, each.seconds)
        table.add_row(each.carrier, each.account, each.signed_in, *map(str, figures), each.outcome)
    console.print(table)

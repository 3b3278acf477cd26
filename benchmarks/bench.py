"""What every benchmark works with: a plain portal, our crawls of it, and the bare client's."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.processes import ROOT, Cost, measure
from sandbox import PASSWORD, Admin, running

ROUNDS = 3
SPIDERS = "tests.portals.plain"  # the plain portal is for tests only, so its spiders are not in `scrapy list`
# A real portal has a module for each report type, so that a crawl imports one: these name the spiders' modules here.
MODULES = {
    "plain_big": "documents",
    "plain_browser_files": "in_browser",
    "plain_files": "documents",
    "plain_held": "in_browser",
    "plain_usage": "usage",
}
MAKE_TABLES = f"import sys; from {SPIDERS}.models import create; create(sys.argv[1])"
# By the checkout's own code, and without its names: those of another one may differ.
STORE = f"""
import sys
from database.engine import Database
from database.models import Base

kind = next(each.class_ for each in Base.registry.mappers if each.local_table.name == "credentials" and not each.inherits)
db = Database(sys.argv[1])
with db.transaction() as session:
    session.add_all(kind(portal="plain", username=name, password={PASSWORD!r}) for name in sys.stdin.read().split())
db.engine.dispose()
"""
# `scrapy …`, and on the last line of its output the number of transactions that it began in SQLite.
COUNTED = """
import atexit, sys
from sqlite3 import dbapi2  # what SQLAlchemy connects through
begun, connect = [], dbapi2.connect
def count(statement):
    if statement.lstrip()[:5].upper() == "BEGIN":
        begun.append(statement)
def connected(*given, **options):
    connection = connect(*given, **options)
    connection.set_trace_callback(count)
    return connection
dbapi2.connect = connected
atexit.register(lambda: print(len(begun)))
from scrapy.cmdline import execute
execute(["scrapy", *sys.argv[1:]])
"""
GIVEN = 100  # users that are stored at once: a process each time
OWN = ("IEC_", "LATCHKEY_", "PLAIN_", "TELEGRAM_")  # not inherited: they would change what is measured


@dataclass(frozen=True, slots=True)
class Checkout:
    """A tree of our code, and the interpreter that has what its lock file names."""

    root: Path = ROOT
    python: str = sys.executable


@dataclass(frozen=True, slots=True)
class Visit:
    """What one crawl took, and what the portal saw of it."""

    cost: Cost
    requests: int
    sign_ins: int
    downloads: int
    bytes: int
    window: float  # seconds from the portal's first request to its last answer
    in_flight: int
    connections: int


class Bench:
    """A portal, a checkout and a data folder for it; `ours` and `bare` do the same work in turns."""

    def __init__(
        self, folder: Path, admin: Admin, environment: dict[str, str], rounds: int, checkout: Checkout | None = None
    ) -> None:
        self.folder = folder
        self.admin = admin
        self.rounds = rounds
        self.checkout = checkout or Checkout()
        self.url = environment["PLAIN_URL"]
        self._bare = environment
        # Compiled once, as an installation is: else each start would compile our own files anew.
        cache = "" if _writable(self.checkout.root) else str(folder / "compiled")
        self.environment = {
            **environment,
            "PYTHONPATH": str(self.checkout.root),
            "PYTHONPYCACHEPREFIX": cache,
            "LATCHKEY_DATA_DIR": str(folder / "data"),
            "LATCHKEY_DATABASE_URL": f"sqlite:///{folder / 'data' / 'latchkey.db'}",
        }
        self._given = 0
        self._waiting: list[str] = []
        (folder / "data").mkdir(parents=True)
        self._prepare(MAKE_TABLES)

    def people(self, number: int) -> list[str]:
        """Return *number* users that were not used before, stored as credentials."""
        if len(self._waiting) < number:
            more = max(number, GIVEN)
            self._waiting += self.store([f"ok+bench-{n}@example.com" for n in range(self._given, self._given + more)])
            self._given += more
        names, self._waiting = self._waiting[:number], self._waiting[number:]
        return names

    def store(self, names: list[str]) -> list[str]:
        """Store users as credentials and return their names."""
        self._prepare(STORE, "\n".join(names))
        return names

    def _prepare(self, code: str, given: str = "") -> None:
        command = [self.checkout.python, "-c", code, self.environment["LATCHKEY_DATABASE_URL"]]
        root, environment = self.checkout.root, self.environment
        subprocess.run(command, cwd=root, env=environment, input=given, text=True, check=True, timeout=60)

    def ours(
        self, spider: str, people: Sequence[str], *options: str, look: Callable[[int], None] | None = None
    ) -> Visit:
        """Crawl with a spider of the plain portal; *look* is called with the process's id while it runs."""
        return self._visit([self.checkout.python, "-m", "scrapy", *self._crawl(spider, people, *options)], look)

    def transactions(self, spider: str, people: Sequence[str], *options: str) -> int:
        """Crawl, and return how many transactions that took in SQLite; counting them takes time of its own."""
        command = [self.checkout.python, "-c", COUNTED, *self._crawl(spider, people, *options)]
        return int(self._visit(command).cost.output.split()[-1])

    @staticmethod
    def _crawl(spider: str, people: Sequence[str], *options: str) -> tuple[str, ...]:
        places = f"SPIDER_MODULES={SPIDERS}.{MODULES[spider]}"
        return ("crawl", spider, "-s", places, "-a", f"credential={','.join(people)}", *options)

    def bare(self, work: str, people: Sequence[str], program: str = "floor", **options: Any) -> Visit:
        """Do the same with the bare client: see benchmarks/floor.py, or the module that *program* names."""
        folder = self.folder / program
        folder.mkdir(exist_ok=True)
        told = {"work": work, "url": self.url, "people": list(people), "folder": str(folder), **options}
        return self._visit([sys.executable, "-m", f"benchmarks.{program}", json.dumps(told)], ours=False)

    def command(self, *arguments: str) -> Cost:
        """Run `scrapy …` without a portal."""
        return self.measure([self.checkout.python, "-m", "scrapy", *arguments])

    def python(self, code: str) -> Cost:
        """Run a line of Python."""
        return self.measure([self.checkout.python, "-c", code])

    def measure(self, command: Sequence[str], look: Callable[[int], None] | None = None) -> Cost:
        """Run a command in the checkout."""
        return measure(command, self.environment, look, self.checkout.root)

    def alternate(self, *works: Callable[[], Any]) -> list[list[Any]]:
        """Do the works in turns, `rounds` times; return what each gave, work by work."""
        found: list[list[Any]] = [[] for _ in works]
        for turn in range(self.rounds):
            # Each time another one begins, so that none always has the machine as the one before left it.
            for place in range(len(works)):
                number = (turn + place) % len(works)
                found[number].append(works[number]())
        return found

    def ask(self, query: str, *values: Any) -> list[Any]:
        """Return rows of our database."""
        with closing(sqlite3.connect(self.folder / "data" / "latchkey.db")) as connection:
            return connection.execute(query, values).fetchall()

    def _visit(self, command: list[str], look: Callable[[int], None] | None = None, ours: bool = True) -> Visit:
        self.admin.forget_maxima()
        before = self.admin.counters()
        marker = max((entry["number"] for entry in self.admin.journal()), default=0)
        cost = self.measure(command, look) if ours else measure(command, self._bare)
        after, journal = self.admin.counters(), self.admin.journal(marker)
        began = min((entry["time"] - entry["seconds"] for entry in journal), default=0.0)
        ended = max((entry["time"] for entry in journal), default=0.0)
        grown = {name: after[name] - before[name] for name in ("requests", "sign_ins", "downloads", "bytes")}
        return Visit(
            cost, **grown, window=ended - began, in_flight=after["in_flight_max"], connections=after["connections_max"]
        )


@contextmanager
def prepared(rounds: int = ROUNDS) -> Iterator[Bench]:
    """Give a bench with an empty database and a portal that has just been started."""
    with several(rounds, Checkout()) as (bench,):
        yield bench


@contextmanager
def several(rounds: int, *checkouts: Checkout) -> Iterator[list[Bench]]:
    """Give a bench for each checkout, each with an empty database, all with one portal that has just been started."""
    from cryptography.fernet import Fernet

    with TemporaryDirectory(prefix="latchkey-bench-") as name:
        folder = Path(name)
        clean = {key: value for key, value in os.environ.items() if not key.startswith(OWN)}
        clean.pop("PYTHONDONTWRITEBYTECODE", None)
        clean |= {
            "PYTHONPATH": str(ROOT),
            "PYTHONPYCACHEPREFIX": "" if _writable(ROOT) else str(folder / "compiled"),
            "LATCHKEY_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "BARE_PASSWORD": PASSWORD,
        }
        with running(folder / "portal", ("plain",)) as sandbox:
            environment = {**clean, **sandbox.environment}
            yield [
                Bench(folder / str(number), sandbox.admin["plain"], environment, rounds, checkout)
                for number, checkout in enumerate(checkouts)
            ]


def _writable(root: Path) -> bool:
    return os.access(root / "scrapers", os.W_OK) and "PYTHONDONTWRITEBYTECODE" not in os.environ


def middle(values: Sequence[float]) -> float:
    """Return the median."""
    return float(median(values))

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
MAKE_TABLES = f"import sys; from {SPIDERS}.models import create; create(sys.argv[1])"
OWN = ("IEC_", "LATCHKEY_", "PLAIN_")  # not inherited: they would change what is measured


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
    """A portal of our own and a data folder of our own; `ours` and `bare` do the same work in turns."""

    def __init__(self, folder: Path, admin: Admin, environment: dict[str, str], rounds: int) -> None:
        self.folder = folder
        self.admin = admin
        self.rounds = rounds
        self.url = environment["PLAIN_URL"]
        self.environment = environment
        self._given = 0

    def people(self, number: int) -> list[str]:
        """Return *number* users that were not used before, stored as credentials."""
        names = [f"ok+bench-{n}@example.com" for n in range(self._given, self._given + number)]
        self._given += number
        return self.store(names)

    def store(self, names: list[str]) -> list[str]:
        """Store users as credentials and return their names."""
        from database.engine import Database
        from database.models import StoredCredential

        db = Database(self.environment["LATCHKEY_DATABASE_URL"])
        with db.transaction() as session:
            session.add_all(StoredCredential(portal="plain", username=name, password=PASSWORD) for name in names)
        db.engine.dispose()
        return names

    def ours(
        self, spider: str, people: Sequence[str], *options: str, look: Callable[[int], None] | None = None
    ) -> Visit:
        """Crawl with a spider of the plain portal; *look* is called with the process's id while it runs."""
        crawl = ("crawl", spider, "-s", f"SPIDER_MODULES={SPIDERS}", "-a", f"credential={','.join(people)}", *options)
        return self._visit([sys.executable, "-m", "scrapy", *crawl], look)

    def bare(self, work: str, people: Sequence[str], program: str = "floor", **options: Any) -> Visit:
        """Do the same with the bare client: see benchmarks/floor.py, or the module that *program* names."""
        told = {"work": work, "url": self.url, "people": list(people), "folder": str(self.folder / "bare"), **options}
        return self._visit([sys.executable, "-m", f"benchmarks.{program}", json.dumps(told)])

    def command(self, *arguments: str) -> Cost:
        """Run `scrapy …` without a portal."""
        return measure([sys.executable, "-m", "scrapy", *arguments], self.environment)

    def python(self, code: str) -> Cost:
        """Run a line of Python."""
        return measure([sys.executable, "-c", code], self.environment)

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

    def _visit(self, command: list[str], look: Callable[[int], None] | None = None) -> Visit:
        before = self.admin.counters()
        marker = max((entry["number"] for entry in self.admin.journal()), default=0)
        cost = measure(command, self.environment, look)
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
    from cryptography.fernet import Fernet

    with TemporaryDirectory(prefix="latchkey-bench-") as name:
        folder = Path(name)
        (folder / "bare").mkdir()
        clean = {key: value for key, value in os.environ.items() if not key.startswith(OWN)}
        # Compiled once, as an installation is: else each start would compile our own files anew.
        clean.pop("PYTHONDONTWRITEBYTECODE", None)
        clean |= {
            "PYTHONPATH": str(ROOT),
            "PYTHONPYCACHEPREFIX": "" if _writable() else str(folder / "compiled"),
            "LATCHKEY_DATA_DIR": str(folder / "data"),
            "LATCHKEY_DATABASE_URL": f"sqlite:///{folder / 'data' / 'latchkey.db'}",
            "LATCHKEY_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "BARE_PASSWORD": PASSWORD,
        }
        os.environ["LATCHKEY_ENCRYPTION_KEYS"] = clean["LATCHKEY_ENCRYPTION_KEYS"]  # `people` writes with it
        (folder / "data").mkdir()
        tables = [sys.executable, "-c", MAKE_TABLES, clean["LATCHKEY_DATABASE_URL"]]
        subprocess.run(tables, cwd=ROOT, env=clean, check=True, timeout=60)
        try:
            with running(folder / "portal", ("plain",)) as sandbox:
                yield Bench(folder, sandbox.admin["plain"], {**clean, **sandbox.environment}, rounds)
        finally:
            del os.environ["LATCHKEY_ENCRYPTION_KEYS"]


def _writable() -> bool:
    return os.access(ROOT / "scrapers", os.W_OK) and "PYTHONDONTWRITEBYTECODE" not in os.environ


def middle(values: Sequence[float]) -> float:
    """Return the median."""
    return float(median(values))

"""Prices: 300 checks of watched products at an ordinary shop, 50 ms an answer, 16 at once, to a row each in SQLite."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, middle
from benchmarks.figures import Figure, count, ratio
from benchmarks.processes import Cost, measure
from sandbox import Admin, running

CHECKS = 300
LATENCY = 50  # ms
AT_ONCE = 16
# In the place of one request a second, which is what a shop gets from us otherwise.
AS_FAST = ("DOWNLOAD_DELAY=0", f"CONCURRENT_REQUESTS_PER_DOMAIN={AT_ONCE}", f"REQUESTS_IN_FLIGHT={AT_ONCE}")
STORED = """SELECT product_url, price_amount, price_currency FROM price_check_runs
    JOIN watchlist_items ON watchlist_items.id = watchlist_item_id WHERE status = 'success'"""


@dataclass(frozen=True, slots=True)
class Visit:
    """What a run took; window: seconds from the shop's first request to its last answer; wrong: prices that are not right."""

    cost: Cost
    window: float
    requests: int
    in_flight: int
    wrong: int


class Watch:
    """300 addresses at the shop, watched by a user, and what each run of either client stores."""

    def __init__(self, bench: Bench, folder: Path, admin: Admin, environment: dict[str, str]) -> None:
        self.bench, self.folder, self.admin = bench, folder, admin
        self.environment = {**bench.environment, **environment, "LATCHKEY_PRICES_PRIVATE_ADDRESSES": "true"}
        truths = {
            path: truth for path, truth in admin.ask("products").items() if truth["price"] and "history" not in path
        }
        paths = sorted(truths)
        self.truths: dict[str, tuple[Decimal, str]] = {}
        for number in range(CHECKS):
            path = paths[number % len(paths)]
            truth = truths[path]
            url = f"{environment['SHOP_URL']}{path}?number={number}"
            self.truths[url] = (Decimal(truth["price"]), truth["currency"])
        self._prepare()

    def _prepare(self) -> None:
        """Make a database in which a user watches every address."""
        from database.engine import Database
        from database.migrate import upgrade
        from database.models.prices import User, WatchlistItem
        from scrapers.families.prices.addresses import identity

        (self.folder / "prepared").mkdir()
        db = Database(f"sqlite:///{self.folder / 'prepared' / 'latchkey.db'}")
        upgrade(db)
        with db.transaction() as session:
            session.add(user := User(email="bench@example.com"))
            session.flush()
            known: dict[str, Any] = {"user_id": user.id, "portal": "shop", "threshold": Decimal(1)}
            session.add_all(WatchlistItem(product_url=url, product_key=identity(url), **known) for url in self.truths)
        db.engine.dispose()

    def ours(self) -> Visit:
        """Crawl for everything that is watched, with a database that has no check yet."""
        data = self.folder / "data"
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(self.folder / "prepared", data)
        options = [word for setting in AS_FAST for word in ("-s", setting)]
        cost, journal = self._run([sys.executable, "-m", "scrapy", "crawl", "shop_prices", *options], data)
        with closing(sqlite3.connect(data / "latchkey.db")) as database:
            return self._visit(cost, journal, database.execute(STORED).fetchall())

    def bare(self) -> Visit:
        """Do the same with the bare client and the same readers."""
        told = {"urls": list(self.truths), "folder": str(self.folder), "at_once": AT_ONCE}
        cost, journal = self._run([sys.executable, "-m", "benchmarks.prices_floor", json.dumps(told)], self.folder)
        with closing(sqlite3.connect(self.folder / "bare.db")) as database:
            return self._visit(cost, journal, database.execute("SELECT url, price, currency FROM checks").fetchall())

    def _run(self, command: list[str], data: Path) -> tuple[Cost, list[dict[str, Any]]]:
        marker = max((entry["number"] for entry in self.admin.journal()), default=0)
        environment = {
            **self.environment,
            "LATCHKEY_DATA_DIR": str(data),
            "LATCHKEY_DATABASE_URL": f"sqlite:///{data / 'latchkey.db'}",
        }
        cost = measure(command, environment)
        return cost, self.admin.journal(marker)

    def _visit(self, cost: Cost, journal: list[dict[str, Any]], rows: list[tuple[str, Any, str]]) -> Visit:
        right = sum(self.truths.get(url) == (Decimal(str(price)), currency) for url, price, currency in rows)
        spans = [(entry["time"] - entry["seconds"], entry["time"]) for entry in journal]
        most = max(sum(begun <= at < ended for begun, ended in spans) for at, _ in spans)
        window = max(ended for _, ended in spans) - min(begun for begun, _ in spans)
        return Visit(cost, window, len(journal), most, len(self.truths) - right + len(rows) - right)


@contextmanager
def watch(bench: Bench) -> Iterator[Watch]:
    """Serve an imitation of a shop, at which everything is watched."""
    folder = bench.folder / "prices"
    folder.mkdir()
    with running(folder / "shop", ("shop",)) as sandbox:
        yield Watch(bench, folder, sandbox.admin["shop"], sandbox.environment)


def run(bench: Bench) -> list[Figure]:
    """Check all prices in turns."""
    with watch(bench) as prices:
        prices.admin.configure(latency_ms=LATENCY)
        prices.bare()  # the first time compiles
        ours, bare = bench.alternate(prices.ours, prices.bare)
    return [
        count("prices", "prices not stored right", 0, max(visit.wrong for visit in ours)),
        count("prices", "requests", CHECKS, max(visit.requests for visit in ours), max(each.requests for each in bare)),
        count("prices", "in flight", AT_ONCE, max(visit.in_flight for visit in ours)),
        compared("window", 1.3, "s", [visit.window for visit in ours], [visit.window for visit in bare]),
        compared(
            "whole process", None, "s", [each.cost.seconds for each in ours], [each.cost.seconds for each in bare]
        ),
        compared("CPU", None, "CPU s", [visit.cost.cpu for visit in ours], [visit.cost.cpu for visit in bare]),
    ]


def compared(name: str, target: float | None, unit: str, ours: list[float], bare: list[float]) -> Figure:
    """Return the ratio of the medians."""
    return ratio("prices", name, target, middle(ours), middle(bare), unit)

"""Load: people at the pages, workers that crawl, and codes that come in, all at once on one machine; what is late, and what fails."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.bench import MAKE_TABLES, SPIDERS, STORE, Bench
from benchmarks.carriers import webhook
from benchmarks.figures import Figure, count
from benchmarks.processes import ROOT, ProcessFailed, run_python
from sandbox.client import wait

PEOPLE, THINK = 50, 5.0  # people, and seconds from one page of a person to the next
WORKERS, JOBS = 4, 400  # processes with a crawl each; more jobs than they can do in the time
RATE = 20.0  # codes a second
SECONDS = 30.0
ACCOUNTS = 20  # with three years of runs, files and records each
LATE = 1000.0  # ms within which a sign-in is to have its code
TOKEN = "gateway-token-of-benchmarks"
SPIDER = "plain_files"
MODULES = ("-s", f"SPIDER_MODULES={SPIDERS}")
SETTINGS = {
    "LATCHKEY_PORTAL_CRAWLS": str(WORKERS),
    "LATCHKEY_WEBHOOK_RATE": "60000 per minute",  # all come from one address here, as they never do
    "LATCHKEY_WEBHOOK_SENDER_RATE": "6000 per minute",
    "LATCHKEY_WEBHOOK_TOKEN": TOKEN,
    "LATCHKEY_WORKER_DRAIN": "20",
    "LATCHKEY_WORKER_POLL": "0.5",
}
PREPARING = 900.0  # seconds in which the database is filled, or everybody acts
STARTING, ENDING = 120.0, 120.0  # seconds that workers may take on a machine with much else to do
GOOD = "SELECT count(*) FROM scraper_jobs WHERE portal = 'plain' AND status = 'success'"
BAD = "SELECT count(*) FROM scraper_jobs WHERE portal = 'plain' AND (status = 'error' OR outcome NOT IN ('success'))"
AT_WORK = "SELECT count(*) FROM workers WHERE state = 'working'"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done at once."""

    people: int = PEOPLE
    workers: int = WORKERS
    jobs: int = JOBS
    rate: float = RATE
    seconds: float = SECONDS
    accounts: int = ACCOUNTS


def run(bench: Bench, size: Size | None = None, servers: Sequence[str] = ()) -> list[Figure]:
    """Play all of it once with waitress, and once with two processes of gunicorn where that is installed."""
    size = size or Size()
    names = servers or ("waitress", *(["gunicorn"] if find_spec("gunicorn") else []))
    return [figure for name in names for figure in _played(bench, name, size)]


def _played(bench: Bench, server: str, size: Size) -> Iterator[Figure]:
    folder = bench.folder / f"load-{server}"
    folder.mkdir()
    (folder / "data").mkdir()
    database = f"sqlite:///{folder / 'data' / 'latchkey.db'}"
    environment = {**bench.environment, **SETTINGS, "LATCHKEY_SERVER": server}
    environment |= {"LATCHKEY_DATA_DIR": str(folder / "data"), "LATCHKEY_DATABASE_URL": database}
    names = "\n".join(f"ok+load-{number}@example.com" for number in range(size.jobs))
    run_python(environment, "-c", MAKE_TABLES, database)
    run_python(environment, "-c", STORE, database, given=names, longest=PREPARING)
    tokens = _told(environment, "fill", {"accounts": size.accounts, "people": size.people})
    run_python(environment, "-m", "scrapy", "jobs", "create", SPIDER, *MODULES, longest=PREPARING)
    with webhook(folder, environment) as url, _workers(folder, environment, size.workers):
        told = {
            "url": url,
            "tokens": tokens,
            "think": THINK,
            "rate": size.rate,
            "seconds": size.seconds,
            "token": TOKEN,
        }
        seen = _told(environment, "act", told)
        crawled, failed = _ask(folder, GOOD), _ask(folder, BAD)
    for error in sorted(set(seen["errors"])):
        print(f"load, {server}: {error} ({seen['errors'].count(error)} times)", file=sys.stderr)
    what = f"{server}: {size.people} people, {size.workers} workers, {size.rate:g} codes a second"
    yield count("load", f"{what}: errors", 0, len(seen["errors"]) + failed)
    yield count("load", f"{server}: codes that never came", 0, int(size.rate * size.seconds) - len(seen["codes"]))
    yield _figure(f"{server}: the latest code", LATE, 1000 * max(seen["codes"]))
    for name in ("codes", "deliveries", "pages"):
        yield _figure(f"{server}: {name}, p50", None, _percentile(seen[name], 50))
        yield _figure(f"{server}: {name}, p99", None, _percentile(seen[name], 99))
    yield _figure(f"{server}: pages opened", None, len(seen["pages"]), "")
    yield _figure(f"{server}: crawls done meanwhile", None, crawled, "")


def _percentile(seconds: Sequence[float], which: int) -> float:
    """Return a percentile in ms."""
    return 1000 * (quantiles(seconds, n=100, method="inclusive")[which - 1] if len(seconds) > 1 else seconds[0])


def _figure(name: str, target: float | None, value: float, unit: str = "ms") -> Figure:
    return Figure("load", name, value, target, value, None, unit)


def _told(environment: Mapping[str, str], act: str, told: dict[str, Any]) -> Any:
    """Let `benchmarks.people` do something with the settings of the service; return what it printed."""
    return json.loads(
        run_python(environment, "-m", "benchmarks.people", act, given=json.dumps(told), longest=PREPARING)
    )


def _ask(folder: Path, query: str) -> int:
    with closing(sqlite3.connect(folder / "data" / "latchkey.db", timeout=30)) as connection:
        return int(connection.execute(query).fetchone()[0])


@contextmanager
def _workers(folder: Path, environment: Mapping[str, str], number: int) -> Iterator[None]:
    """Run workers with a slot each, once all have begun to crawl; end them with what they have begun."""
    command = [sys.executable, "-m", "scrapy", "worker", "--slots", "1", *MODULES]
    started: list[subprocess.Popen[bytes]] = []
    try:
        with (folder / "workers.log").open("w") as said:
            for _ in range(number):
                started.append(subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdout=said, stderr=said))
        for _ in range(int(STARTING / 0.1)):
            if _ask(folder, AT_WORK) == number and _ask(folder, GOOD) >= number:
                break
            wait(0.1)
        else:
            raise ProcessFailed(f"the workers did not begin: {(folder / 'workers.log').read_text()[-1000:]}")
        yield
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            with suppress(subprocess.TimeoutExpired):
                process.wait(ENDING)
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()

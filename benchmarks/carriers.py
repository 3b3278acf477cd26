"""Carriers: every spider for an account, 4 crawls side by side, at imitations that answer at once; memory of 20 accounts beside 5."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.bench import Bench, middle
from benchmarks.browsers import MemoryWatch
from benchmarks.customers import carrier_spiders, hasten
from benchmarks.figures import Figure, count
from benchmarks.processes import ROOT, Cost, ProcessFailed, measure, run_python
from sandbox import Running, running
from sandbox.client import wait

SLOTS = 4
SECONDS = 120  # in which all are to be done on two cores
LONGEST = 900  # seconds that a worker may take on a machine with much else to do
FEW, MANY = 5, 20
ONE_SPIDER = "telus_pdf_invoice"  # its accounts are the many: it opens two of its portal's origins in a browser
MORE_MEMORY = 50  # MB
TOKEN = "gateway-token-of-benchmarks"
GOOD = "SELECT count(*) FROM runs WHERE outcome = 'success' AND files > 0"
SETTINGS = {
    "BELL_SELF_SERVE_CODE_SENDERS": "*",  # the senders of text messages are not known
    # Long, so that a machine with much else to do is measured as slow, and not as a portal that has changed.
    "LATCHKEY_PAGE_WAIT": "90",
    "LATCHKEY_PORTAL_CRAWLS": str(SLOTS),
    "LATCHKEY_WEBHOOK_TOKEN": TOKEN,
    "LATCHKEY_WORKER_POLL": "0.5",
}


@dataclass(frozen=True, slots=True)
class Work:
    """
    What a command took.

    memory: MB, the most that it had with all that it started. sandbox: CPU seconds of the imitations meanwhile. missing:
    accounts without a run that succeeded and stored a file.
    """

    cost: Cost
    memory: float
    sandbox: float
    missing: int
    sign_ins: int


class Carriers:
    """Imitations of carriers, and work done at them for users that were not used before."""

    def __init__(self, bench: Bench, sandbox: Running, environment: Mapping[str, str]) -> None:
        self.bench, self.sandbox, self.environment = bench, sandbox, dict(environment)
        self._given = 0

    def worker(self, spiders: Sequence[str]) -> Work:
        """Let a worker do a job of each spider, each for a user of its own."""
        users = {spider: self._users(1) for spider in spiders}
        self._store(users, "jobs")
        return self._work(len(users), "worker", "--once", "--slots", str(SLOTS))

    def crawl(self, spider: str, number: int) -> Work:
        """Crawl for several users in one process; its browser serves SLOTS of them side by side."""
        accounts = self._store({spider: self._users(number)})[spider]
        pages = {"LATCHKEY_BROWSER_PAGES": str(SLOTS)}
        return self._work(number, "crawl", spider, "-a", f"account={','.join(accounts)}", **pages)

    def _users(self, number: int) -> list[str]:
        self._given += number
        return [f"ok+bench-{each}@example.com" for each in range(self._given - number, self._given)]

    def _store(self, users: Mapping[str, Sequence[str]], *words: str) -> dict[str, list[str]]:
        """Store users of spiders, and return the numbers of their accounts."""
        told = run_python(self.environment, "-m", "benchmarks.customers", *words, given=json.dumps(users))
        accounts: dict[str, list[str]] = json.loads(told)
        return accounts

    def _work(self, wanted: int, *words: str, **settings: str) -> Work:
        """Run `scrapy …`, after which there are to be so many good runs more."""
        watch, imitations = MemoryWatch(), psutil.Process(self.sandbox.pid)
        good, sign_ins, before = self.bench.ask(GOOD)[0][0], self._sign_ins(), imitations.cpu_times()
        environment = {**self.environment, **settings}
        cost = measure([sys.executable, "-m", "scrapy", *words], environment, watch.look, longest=LONGEST)
        after = imitations.cpu_times()
        return Work(
            cost,
            watch.memory,
            sandbox=after.user + after.system - before.user - before.system,
            missing=wanted - self.bench.ask(GOOD)[0][0] + good,
            sign_ins=self._sign_ins() - sign_ins,
        )

    def _sign_ins(self) -> int:
        return sum(admin.counters()["sign_ins"] for admin in self.sandbox.admin.values())


@contextmanager
def webhook(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Serve the webhook to which codes come, and give its address."""
    ready, log = folder / "webhook.json", folder / "webhook.log"
    command = [sys.executable, "-m", "scrapy", "serve", "--port", "0", "--ready-file", str(ready)]
    with log.open("w") as said:
        process = subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdout=said, stderr=said)
    try:
        while not ready.exists():
            if process.poll() is not None:
                raise ProcessFailed(f"serve ended with {process.returncode}: {log.read_text()[-500:]}")
            wait(0.05)
        yield json.loads(ready.read_text())["url"]
    finally:
        process.terminate()
        process.wait()


@contextmanager
def carriers(bench: Bench, portals: Sequence[str]) -> Iterator[Carriers]:
    """Serve imitations with the shortest waits that they can have, and the webhook for their codes."""
    folder = bench.folder / "carriers"
    folder.mkdir()
    others = tuple(f"{portal.upper()}_" for portal in portals)  # settings and credentials of those who measure
    kept = {name: value for name, value in bench.environment.items() if not name.startswith(others)}
    with running(folder / "sandbox", portals, sms_token=TOKEN) as sandbox:
        environment = {**kept, **sandbox.environment, **SETTINGS}
        with webhook(folder, environment) as url:
            for admin in sandbox.admin.values():
                hasten(admin)
                admin.configure(sms_url=f"{url}/sms", mail_url=f"{url}/mail")
            yield Carriers(bench, sandbox, environment)


def run(
    bench: Bench, spiders: Sequence[str] = (), one: str = ONE_SPIDER, few: int = FEW, many: int = MANY
) -> list[Figure]:
    """Do a job of each spider, of all that there are without any; then few and many accounts of one spider."""
    known = carrier_spiders()
    names = list(spiders) or list(known)
    with carriers(bench, sorted({known[name].portal for name in (*names, one)})) as imitations:
        jobs, of_few, of_many = bench.alternate(
            lambda: imitations.worker(names),
            lambda: imitations.crawl(one, few),
            lambda: imitations.crawl(one, many),
        )
    what, of_one = f"{len(names)} spiders, an account each", f"{many} accounts of {one}"
    least, most = (middle([work.memory for work in works]) for works in (of_few, of_many))
    return [
        count("carriers", f"{what}: not stored", 0, max(work.missing for work in jobs)),
        count("carriers", f"{what}: sign-ins", len(names), max(work.sign_ins for work in jobs)),
        figure(what, SECONDS, [work.cost.seconds for work in jobs], "s"),
        figure(f"{what}: CPU", None, [work.cost.cpu for work in jobs], "CPU s"),
        figure(f"{what}: CPU of the imitations", None, [work.sandbox for work in jobs], "CPU s"),
        figure(f"{what}: memory", None, [work.memory for work in jobs], "MB"),
        count("carriers", f"{of_one}: not stored", 0, max(work.missing for work in of_many)),
        count("carriers", f"{of_one}: sign-ins", many, max(work.sign_ins for work in of_many)),
        figure(of_one, None, [work.cost.seconds for work in of_many], "s"),
        figure(f"{of_one}: memory", None, [work.memory for work in of_many], "MB"),
        count("carriers", f"{of_one}: memory beyond {few} accounts", MORE_MEMORY, most - least, unit="MB"),
    ]


def figure(name: str, target: float | None, values: Sequence[float], unit: str) -> Figure:
    """Return the median, which is held against the target itself."""
    return Figure("carriers", name, middle(values), target, middle(values), None, unit)

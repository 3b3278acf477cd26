"""Readings: a year of quarters of an hour, a request a day, both clock changes in it, to versioned rows in SQLite."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.bench import Bench, middle
from benchmarks.figures import Figure, count, ratio
from benchmarks.processes import Cost, measure
from sandbox import Admin, running
from sandbox.iec import id_number

LABEL, CODE = "home", "314159"
LATENCY = 50  # ms
AT_ONCE = 3  # requests in flight, as our spider states it for the company; the bare client keeps to it too


@dataclass(frozen=True, slots=True)
class Visit:
    """What a run took; window: seconds from the company's first request to its last answer; requests: all that it saw."""

    cost: Cost
    window: float
    requests: int


class Household:
    """A person at the company who is signed in, and what each run of either client stores."""

    def __init__(self, bench: Bench, folder: Path, admin: Admin, environment: dict[str, str]) -> None:
        self.bench, self.folder, self.admin = bench, folder, admin
        self.environment = {**bench.environment, **environment}
        self.person = id_number("ok")
        self.year = datetime.now(UTC).year - 1
        self.stored: list[tuple[int, int, int]] = []
        # The encryption key and the company's addresses: what is prepared is prepared in this process.
        ours = ("IEC_", "LATCHKEY_ENCRYPTION_KEYS")
        with patch.dict(os.environ, {name: value for name, value in self.environment.items() if name.startswith(ours)}):
            self._prepare()

    def ours(self) -> Visit:
        """Crawl into an empty database."""
        data = self.folder / "data"
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(self.folder / "prepared", data)
        given = ("-a", f"from={self.year}-01-01", "-a", f"to={self.year}-12-31", "-a", f"contract={self.contract}")
        visit = self._visit([sys.executable, "-m", "scrapy", "crawl", "iec_meter_readings", *given], data)
        with closing(sqlite3.connect(data / "latchkey.db")) as database:
            rows = database.execute("SELECT count(*), count(DISTINCT starts_at), count(kwh) FROM meter_readings")
            self.stored.append(rows.fetchone())
        return visit

    def bare(self) -> Visit:
        """Do the same with the bare client."""
        told = {
            "url": self.environment["IEC_API_URL"],
            "contract": self.contract,
            "meter": self.meter,
            "code": self.code,
            "first": f"{self.year}-01-01",
            "last": f"{self.year}-12-31",
            "invoice": datetime.now(UTC).date().isoformat(),
            "at_once": AT_ONCE,
            "folder": str(self.folder),
        }
        return self._visit([sys.executable, "-m", "benchmarks.readings_floor", json.dumps(told)], self.folder)

    def _visit(self, command: list[str], data: Path) -> Visit:
        before = self.admin.counters()["requests"]
        marker = max((entry["number"] for entry in self.admin.journal()), default=0)
        environment = {
            **self.environment,
            "LATCHKEY_DATA_DIR": str(data),
            "LATCHKEY_DATABASE_URL": f"sqlite:///{data / 'latchkey.db'}",
            "BARE_TOKEN": self.token,
        }
        cost = measure(command, environment)
        journal = self.admin.journal(marker)
        began = min(entry["time"] - entry["seconds"] for entry in journal)
        return Visit(cost, journal[-1]["time"] - began, self.admin.counters()["requests"] - before)

    def _prepare(self) -> None:
        """Make a database with a credential and a live session, signed in by the login's own conversation."""
        from database.access.credentials import Credential
        from database.access.sessions import Sessions
        from database.engine import Database
        from database.migrate import upgrade
        from database.models import StoredCredential

        (self.folder / "prepared").mkdir()
        db = Database(f"sqlite:///{self.folder / 'prepared' / 'latchkey.db'}")
        upgrade(db)
        with db.transaction() as session:
            session.add(StoredCredential(kind="portal", portal="iec", username=LABEL, password=self.person))
        self.admin.user(self.person, next_codes=[CODE])
        tokens = converse(Credential("iec", LABEL, self.person))
        Sessions(db).save("iec", LABEL, tokens.state(), "", tokens.subject)
        db.engine.dispose()
        self.token = tokens.id
        [device] = self._ask(f"Device/{self._smart_contract()}")
        self.meter, self.code = device["deviceNumber"], device["deviceCode"]

    def _smart_contract(self) -> str:
        partner = self._ask("customer")["bpNumber"]
        contracts = self._ask(f"customer/contract/{partner}")["data"]["contracts"]
        smart = next(each for each in contracts if each["smartMeter"] and each["status"] == 1)
        self.contract = str(smart["contractId"]).lstrip("0")
        return self.contract

    def _ask(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "x-iec-idt": "1", "x-iec-webview": "1"}
        with urllib.request.urlopen(
            urllib.request.Request(f"{self.environment['IEC_API_URL']}/api/{path}", headers=headers), timeout=20
        ) as answer:
            return json.load(answer)


def converse(credential: Any) -> Any:
    """Hold a sign-in's conversation over urllib, with the code that the sandbox was told to send."""
    from scrapy.http import HtmlResponse, TextResponse

    from scrapers.logins.conversation import Choose, Step
    from scrapers.portals.iec.login import IecLogin

    conversation = IecLogin().converse(credential)
    answer: Any = None
    try:
        while True:
            act = conversation.send(answer)
            if isinstance(act, Step):
                asked = act.request
                headers = {name.decode(): values[0].decode() for name, values in asked.headers.items()}
                sent = urllib.request.Request(asked.url, asked.body or None, headers, method=asked.method)
                with urllib.request.urlopen(sent, timeout=20) as got:
                    kind = HtmlResponse if "html" in got.headers.get("Content-Type", "") else TextResponse
                    answer = kind(asked.url, status=got.status, body=got.read(), encoding="utf-8", request=asked)
            else:
                answer = "sms" if isinstance(act, Choose) else CODE
    except StopIteration as end:
        return end.value


@contextmanager
def household(bench: Bench) -> Iterator[Household]:
    """Serve an imitation of the company, and give a person who is signed in there."""
    folder = bench.folder / "readings"
    folder.mkdir()
    with running(folder / "company", ("iec",)) as sandbox:
        yield Household(bench, folder, sandbox.admin["iec"], sandbox.environment)


def run(bench: Bench) -> list[Figure]:
    """Bring a year home in turns: as soon as the portal can answer, and with 50 ms an answer."""
    with household(bench) as home:
        home.bare()  # from now on the imitation knows its figures
        at_once = bench.alternate(home.ours, home.bare)
        home.admin.configure(latency_ms=LATENCY)
        later = bench.alternate(home.ours, home.bare)
        days = 366 if home.year % 4 == 0 else 365
        expected = days * 96
        wrong = sum(row != (expected, expected, expected) for row in home.stored)
        most = max(visit.requests for visit in (*at_once[0], *later[0]))
        ours, bare = ([visit.cost.cpu for visit in visits] for visits in at_once)
        return [
            count("readings", "years not stored right", 0, wrong),
            count("readings", "requests beyond one a day", 10, most - days),
            *figures(f"{LATENCY} ms an answer", 2.5, *later),
            *figures("answered at once", None, *at_once),
            ratio("readings", "CPU", None, middle(ours), middle(bare), "CPU s"),
        ]


def figures(name: str, target: float | None, ours: list[Visit], bare: list[Visit]) -> list[Figure]:
    """Return window and whole process of both clients."""
    windows = [middle([visit.window for visit in visits]) for visits in (ours, bare)]
    wholes = [middle([visit.cost.seconds for visit in visits]) for visits in (ours, bare)]
    return [
        ratio("readings", f"{name}: window", target, windows[0], windows[1]),
        ratio("readings", f"{name}: whole process", target, wholes[0], wholes[1]),
    ]

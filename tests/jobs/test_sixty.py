"""60 jobs of several portals, or of all carriers, 4 side by side on 2 workers, each of which is killed once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations

import psutil
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.customers import carrier_spiders, hasten, store_customers
from database.engine import Database
from database.families.fleet import tenant_named
from database.models import Account, Lease, LedgerEntry, Run, ScraperJob, StoredCredential, StoredFile
from sandbox import PASSWORD, phone, running
from sandbox.iec import id_number
from tests.project import ROOT, TEST_KEY, clean_environment, wait_for
from tests.turns import one_database

JOBS = 60
TOKEN = "gateway-token-for-tests"
MAKE_TABLES = "import sys; from tests.portals.plain.models import create; create(sys.argv[1])"
MODULES = ("-s", "SPIDER_MODULES=scrapers.portals,tests.portals.plain")
CARRIERS_THERE = sorted({spider.portal for spider in carrier_spiders().values()})
SETTINGS = {
    "BELL_SELF_SERVE_CODE_SENDERS": "*",
    "LATCHKEY_LEASE_SECONDS": "20",
    "LATCHKEY_PORTAL_CRAWLS": "3",
    "LATCHKEY_WORKER_POLL": "0.5",
}


def portals_of_all_kinds(session) -> list[tuple[str, ...]]:
    """12 accounts of Bell, 14 tenants of TruckTech+, 10 households, and 12 users of the plain portal with two jobs each."""
    store_customers(session, "bell", [f"ok+{number}@example.com" for number in range(12)])
    for number in range(14):
        user = f"ok+{number}@example.com"
        session.add(StoredCredential(portal="trucktech", username=user, password=PASSWORD, kind="portal"))
        tenant_named(session, "trucktech", user).username = user
    for number in range(10):
        identity = id_number("ok", 700 + number)
        session.add(StoredCredential(kind="portal", portal="iec", username=f"home{number}", password=identity, receiver=phone(identity)))  # fmt: skip
    for number in range(12):
        user = f"ok+{number}@example.com"
        session.add(StoredCredential(kind="portal", portal="plain", username=user, password=PASSWORD))
    return [("bell_pdf_invoice", "trucktech_vehicles", "iec_account", "plain_alone", "plain_documents")]


def carriers(session) -> list[tuple[str, ...]]:
    """60 accounts, spread over all carriers, most of users with three; of two such users one account is asked for daily usage."""
    jobs: list[tuple[str, ...]] = []
    for place, portal in enumerate(CARRIERS_THERE):
        number = JOBS // len(CARRIERS_THERE) + (place < JOBS % len(CARRIERS_THERE))
        # Bell asks these users for codes by text message; others send theirs by mail, or ask for none.
        scenario = "sms" if portal == "bell" else "ok"
        several = [f"{scenario}+multi-3+{each}@example.com" for each in range(number // 3 - 1)]
        single = [f"{scenario}+{each}@example.com" for each in range(number - 3 * len(several))]
        accounts = store_customers(session, portal, [*several, *single])
        usage = (accounts[0], accounts[3])
        jobs.append((f"{portal}_daily_usage", "--account", ",".join(usage)))
        jobs.append((f"{portal}_pdf_invoice", "--account", ",".join(sorted({*accounts} - {*usage}))))
    return jobs


@dataclass(frozen=True)
class Mix:
    """
    60 jobs of several portals.

    store: stores accounts and credentials, and returns the arguments with which `scrapy jobs create` makes their jobs.
    shared: portals at whose credentials several crawls may work at once.
    """

    portals: Sequence[str]
    store: Callable[[Session], list[tuple[str, ...]]]
    shared: Sequence[str] = ()


MIXES = {
    "portals": Mix(("bell", "iec", "plain", "trucktech"), portals_of_all_kinds, shared=("iec",)),
    "carriers": Mix(CARRIERS_THERE, carriers),
}


def kill_all(process) -> None:
    """Kill a worker, its warm parent and their children at once, as a machine that loses its power."""
    victims = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for victim in victims:
        with suppress(psutil.NoSuchProcess):
            victim.kill()


@one_database
@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.timeout(2400)
@pytest.mark.parametrize(
    "mix",
    [
        pytest.param(mix, id=name, marks=pytest.mark.figures if name == "carriers" else ())
        for name, mix in MIXES.items()
    ],
)
def test_sixty_jobs_on_two_workers_that_are_killed(project, tmp_path, database_url, encryption_key, mix):
    environment = {**clean_environment(), "LATCHKEY_ENCRYPTION_KEYS": TEST_KEY, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", MAKE_TABLES, database_url], cwd=ROOT, env=environment, check=True)
    with running(tmp_path / "sandbox", mix.portals, sms_token=TOKEN) as sandbox:
        here = project(tmp_path, LATCHKEY_DATABASE_URL=database_url, **sandbox.environment, **SETTINGS)
        ready = tmp_path / "webhook.json"
        here.start("serve", "--port", "0", "--ready-file", str(ready), env={"LATCHKEY_WEBHOOK_TOKEN": TOKEN})
        url = wait_for(lambda: ready.exists() and json.loads(ready.read_text()), 60)["url"]
        for admin in sandbox.admin.values():
            hasten(admin)
            admin.configure(sms_url=f"{url}/sms", mail_url=f"{url}/mail")
        db = Database(database_url)
        with db.transaction() as session:
            wanted = mix.store(session)
        made = [here.scrapy("jobs", "create", *words, "--json", *MODULES, timeout=120) for words in wanted]
        assert sum(len(json.loads(done.stdout)["jobs"]) for done in made) == JOBS, made

        def count(status: str) -> int:
            with db.transaction() as session:
                return session.scalar(select(func.count()).where(ScraperJob.status == status)) or 0

        def worker():
            # Into a file: a pipe that nobody reads would stop it.
            out = (tmp_path / f"worker-{len(here.started)}.log").open("w")
            return here.start("worker", "--slots", "2", *MODULES, stdout=out, stderr=out)

        first, second = worker(), worker()
        wait_for(lambda: count("success") >= JOBS // 3, 900)
        first.kill()
        third = worker()
        wait_for(lambda: count("success") >= JOBS * 2 // 3, 900)
        kill_all(second)
        fourth = worker()
        wait_for(lambda: count("success") + count("error") == JOBS, 900)
        for process in (third, fourth):
            process.send_signal(signal.SIGTERM)
        assert [process.wait(120) for process in (third, fourth)] == [0, 0]

        with db.transaction() as session:
            jobs = {job.id: job for job in session.scalars(select(ScraperJob))}
            runs = session.scalars(select(Run).order_by(Run.id)).all()
            files = Counter(session.scalars(select(StoredFile.account_id).where(StoredFile.account_id.is_not(None))))
            accounts = session.scalars(select(Account.id)).all()
            assert not session.scalars(
                select(Lease.name).where(Lease.holder != "", Lease.name.startswith("run:"))
            ).all()
            refused = session.scalar(select(func.count()).where(LedgerEntry.result == "bad_credentials"))
        db.engine.dispose()
    assert Counter(job.status.value for job in jobs.values()) == {"success": JOBS}
    assert Counter(run.job_id for run in runs if run.outcome == "success") == dict.fromkeys(jobs, 1)
    assert files == dict.fromkeys(accounts, 1)
    # As often claimed as begun or given back, and no try was used up for it.
    claims = {number: (job.log or "").count("Claimed, the") for number, job in jobs.items()}
    assert claims == {number: job.attempt for number, job in jobs.items()}
    assert {job.retry_count for job in jobs.values()} == {0}
    assert sum(claims.values()) > JOBS
    assert refused == 0
    for one, other in combinations(runs, 2):
        # Runs of one crawl share its session.
        if (one.portal, one.username) == (other.portal, other.username) and one.crawl != other.crawl:
            apart = one.finished_at <= other.started_at or other.finished_at <= one.started_at
            assert apart or one.portal in mix.shared or not one.username, (one, other)

"""60 accounts of all portals as jobs, 4 side by side on 2 workers, each of which is killed once; on both databases."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from itertools import pairwise

import psutil
import pytest
from sqlalchemy import func, select

from database.engine import Database
from database.families.accounts import NewAccount, add_account
from database.families.fleet import tenant_named
from database.models import CarrierPortalCredential, Lease, LedgerEntry, Run, ScraperJob, StoredCredential
from sandbox import PASSWORD, phone, running
from sandbox.bell import accounts as bell_accounts
from sandbox.iec import id_number
from tests.project import CARRIERS, ROOT, TEST_KEY, clean_environment, wait_for
from tests.turns import one_database

TOKEN = "gateway-token-for-tests"
MAKE_TABLES = "import sys; from tests.portals.plain.models import create; create(sys.argv[1])"
MODULES = ("-s", "SPIDER_MODULES=scrapers.portals,tests.portals.plain")
SPIDERS = ("bell_pdf_invoice", "trucktech_vehicles", "iec_account", "plain_alone", "plain_documents")
SETTINGS = {
    "BELL_SELF_SERVE_CODE_SENDERS": "*",
    "LATCHKEY_LEASE_SECONDS": "20",
    "LATCHKEY_PORTAL_CRAWLS": "3",
    "LATCHKEY_WORKER_POLL": "0.5",
}


def store_accounts(session) -> None:
    """12 accounts of Bell, 14 tenants of TruckTech+, 10 households, and 12 users of the plain portal with two jobs each."""
    for number in range(12):
        user = f"ok+{number}@example.com"
        session.add(CarrierPortalCredential(portal="bell", username=user, password=PASSWORD, receiver=phone(user)))
        session.flush()
        account = bell_accounts(user)[0]
        add_account(session, NewAccount("Example Ltd", "Main", "bell", account, user, billing_day=31), CARRIERS)
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
def test_sixty_jobs_on_two_workers_that_are_killed(project, tmp_path, database_url, encryption_key):
    environment = {**clean_environment(), "LATCHKEY_ENCRYPTION_KEYS": TEST_KEY, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", MAKE_TABLES, database_url], cwd=ROOT, env=environment, check=True)
    with running(tmp_path / "sandbox", ("bell", "iec", "plain", "trucktech"), sms_token=TOKEN) as sandbox:
        here = project(tmp_path, LATCHKEY_DATABASE_URL=database_url, **sandbox.environment, **SETTINGS)
        sandbox.admin["bell"].configure(load_ms=20, render_ms=[5, 20])
        ready = tmp_path / "webhook.json"
        here.start("serve", "--port", "0", "--ready-file", str(ready), env={"LATCHKEY_WEBHOOK_TOKEN": TOKEN})
        url = wait_for(lambda: ready.exists() and json.loads(ready.read_text()), 60)["url"]
        for admin in sandbox.admin.values():
            admin.configure(sms_url=f"{url}/sms")
        db = Database(database_url)
        with db.transaction() as session:
            store_accounts(session)
        made = here.scrapy("jobs", "create", *SPIDERS, "--json", *MODULES, timeout=120)
        assert len(json.loads(made.stdout)["jobs"]) == 60, made.stderr

        def count(status: str) -> int:
            with db.transaction() as session:
                return session.scalar(select(func.count()).where(ScraperJob.status == status)) or 0

        def worker():
            # Into a file: a pipe that nobody reads would stop it.
            out = (tmp_path / f"worker-{len(here.started)}.log").open("w")
            return here.start("worker", "--slots", "2", *MODULES, stdout=out, stderr=out)

        first, second = worker(), worker()
        wait_for(lambda: count("success") >= 20, 900)
        first.kill()
        third = worker()
        wait_for(lambda: count("success") >= 40, 900)
        kill_all(second)
        fourth = worker()
        wait_for(lambda: count("success") + count("error") == 60, 900)
        for process in (third, fourth):
            process.send_signal(signal.SIGTERM)
        assert [process.wait(120) for process in (third, fourth)] == [0, 0]

        with db.transaction() as session:
            jobs = {job.id: job for job in session.scalars(select(ScraperJob))}
            runs = session.scalars(select(Run).order_by(Run.id)).all()
            assert not session.scalars(
                select(Lease.name).where(Lease.holder != "", Lease.name.startswith("run:"))
            ).all()
            refused = session.scalar(select(func.count()).where(LedgerEntry.result == "bad_credentials"))
        db.engine.dispose()
    assert Counter(job.status.value for job in jobs.values()) == {"success": 60}
    assert Counter(run.job_id for run in runs if run.outcome == "success") == dict.fromkeys(jobs, 1)
    # As often claimed as begun or given back, and no try was used up for it.
    claims = {number: (job.log or "").count("Claimed, the") for number, job in jobs.items()}
    assert claims == {number: job.attempt for number, job in jobs.items()}
    assert {job.retry_count for job in jobs.values()} == {0}
    assert sum(claims.values()) > 60
    assert refused == 0
    spans = sorted((run.portal, run.username or "", run.started_at, run.finished_at, run.crawl) for run in runs)
    for one, other in pairwise(spans):
        # Runs of one crawl share its session.
        assert one[:2] != other[:2] or one[0] == "iec" or one[4] == other[4] or one[3] <= other[2], (one, other)

"""Three machines that share PostgreSQL and a bucket alone: one is lost, and the database goes away for a while."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from sqlalchemy import func, select

from database.engine import Database
from database.models import Run, RunState, ScraperJob, StoredCredential, StoredFile
from sandbox import PASSWORD, running
from tests.project import ROOT, TEST_KEY, clean_environment, wait_for
from tests.s3 import object_server

MAKE_TABLES = "import sys; from tests.portals.plain.models import create; create(sys.argv[1])"
PLAIN = ("-s", "SPIDER_MODULES=tests.portals.plain")
JOBS, DOCUMENTS = 90, 2


def on_machine(name: str) -> list[str]:
    """Return the words before a command that runs under a host name of its own; none where that cannot be had."""
    words = ["unshare", "--uts", "sh", "-c", f'hostname {name} && exec "$@"', "sh"]
    can = shutil.which("unshare") and subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0
    return words if can else []


def lose(process: subprocess.Popen[Any]) -> None:
    """End a machine: everything on it at the same moment."""
    for one in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    process.wait()


@pytest.mark.matrix
@pytest.mark.timeout(2400)
def test_three_machines(project, tmp_path, postgresql_url, encryption_key):
    environment = {**clean_environment(), "LATCHKEY_ENCRYPTION_KEYS": TEST_KEY, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", MAKE_TABLES, postgresql_url], cwd=ROOT, env=environment, check=True)
    with running(tmp_path / "sandbox", ("plain",)) as sandbox, object_server() as bucket:
        sandbox.admin["plain"].configure(documents=DOCUMENTS, file_bytes=20_000)
        shared = {
            "LATCHKEY_DATABASE_URL": postgresql_url,
            "LATCHKEY_LEASE_SECONDS": "20",
            "LATCHKEY_PORTAL_CRAWLS": "5",
            "LATCHKEY_REPORT_PAUSE": "0.1",
            **sandbox.environment,
            **bucket.settings(),
        }
        machines = [project(Path(tmp_path / name), **shared) for name in ("one", "two", "three")]
        db = Database(postgresql_url)
        with db.transaction() as session:
            session.add_all(
                StoredCredential(kind="portal", portal="plain", username=f"ok+{n}@example.com", password=PASSWORD)
                for n in range(JOBS)
            )
        made = machines[0].scrapy("jobs", "create", "plain_files", *PLAIN, timeout=200)
        assert made.returncode == 0, made.stderr

        def done() -> int:
            with db.transaction() as session:
                return session.scalar(select(func.count()).where(ScraperJob.status == "success")) or 0

        workers = []
        for number, machine in enumerate(machines):
            machine.data.mkdir(parents=True, exist_ok=True)
            out = (machine.data.parent / "worker.log").open("w")
            command = [sys.executable, "-m", "scrapy", "worker", "--slots", "2", *PLAIN]
            workers.append(
                subprocess.Popen(
                    [*on_machine(f"machine{number}"), *command], cwd=ROOT, env=machine.env(), stdout=out, stderr=out
                )
            )
        try:
            wait_for(lambda: done() >= 25, 900)
            lose(workers[0])
            wait_for(lambda: done() >= 50, 900)
            name = postgresql_url.rsplit("/", 1)[1].partition("?")[0]
            server = postgresql_url.replace("postgresql+psycopg://", "postgresql://").replace(f"/{name}", "/postgres")
            with psycopg.connect(server, autocommit=True) as admin:
                admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
                admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
                ends = admin.execute("SELECT now() + interval '10 seconds'").fetchone()
                assert ends is not None
                wait_for(lambda: admin.execute("SELECT now() > %s", ends).fetchone() == (True,), 60)
                admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
            wait_for(lambda: done() == JOBS, 900)
            for worker in workers[1:]:
                worker.send_signal(signal.SIGTERM)
            assert [worker.wait(120) for worker in workers[1:]] == [0, 0]
        finally:
            for worker in workers:
                if worker.poll() is None:
                    lose(worker)
        with db.transaction() as session:
            jobs = session.scalars(select(ScraperJob)).all()
            runs = session.scalars(select(Run)).all()
            files = session.scalars(select(StoredFile.path)).all()
        db.engine.dispose()
        stored = bucket.objects()
    assert Counter(job.status.value for job in jobs) == {"success": JOBS}
    # A store that is busy may be slower than a crawl's wait for it; nothing else uses up a try.
    slow = Counter(run.job_id for run in runs if run.outcome == "store_away")
    assert {job.id: job.retry_count for job in jobs} == {job.id: slow[job.id] for job in jobs}
    assert Counter(run.job_id for run in runs if run.outcome == "success") == {job.id: 1 for job in jobs}
    # What died on the lost machine was closed by another one.
    assert not [run for run in runs if run.state == RunState.RUNNING]
    assert len(files) == len(set(files)) == len(stored)
    assert set(files) == set(stored)

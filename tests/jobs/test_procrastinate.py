"""Procrastinate on a real PostgreSQL: the same jobs, done by its tasks; cancelled, and begun anew after a killed worker."""

from __future__ import annotations

import signal
import socket
import subprocess
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, select

from database.engine import Database
from database.migrate import check
from database.models import Run, ScraperJob
from sandbox import running
from tests.jobs import same_jobs
from tests.project import wait_for

pytestmark = [pytest.mark.timeout(600)]


def test_needs_postgresql(project, tmp_path):
    here = project(tmp_path)
    here.scrapy("db", "upgrade")
    said = here.scrapy("worker", "--once", "--engine", "procrastinate")
    assert (said.returncode, "needs PostgreSQL" in said.stderr) == (1, True)


@pytest.mark.matrix
def test_jobs_cancel_and_a_killed_worker(project, tmp_path, postgresql_url):
    with running(tmp_path / "sandbox", ("iec",)) as sandbox:
        here = project(
            tmp_path,
            LATCHKEY_DATABASE_URL=postgresql_url,
            LATCHKEY_ENGINE="procrastinate",
            LATCHKEY_LEASE_SECONDS="15",
            LATCHKEY_WORKER_POLL="0.5",
            **sandbox.environment,
        )
        assert here.scrapy("db", "upgrade").returncode == 0
        db = Database(postgresql_url)

        def jobs() -> list[ScraperJob]:
            with db.transaction() as session:
                return list(session.scalars(select(ScraperJob).order_by(ScraperJob.id)))

        def worker(**environment: str) -> Any:
            return here.start("worker", "--json-lines", env=environment, stderr=subprocess.STDOUT)

        here.scrapy("jobs", "create", "iec_tariffs")
        out, _ = here.start("worker", "--once", "--json-lines", stderr=subprocess.STDOUT).communicate(timeout=120)
        (first,) = jobs()
        assert first.status == "success", out
        # Its tables are its own; ours are as our models say.
        check(db)
        url = make_url(postgresql_url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url) as connection:
            schemas = connection.execute(
                "SELECT schemaname FROM pg_tables WHERE tablename = 'procrastinate_jobs'"
            ).fetchall()
        assert schemas == [("procrastinate",)]

        with socket.socket() as silent:  # a portal that never answers
            silent.bind(("127.0.0.1", 0))
            silent.listen(50)
            away = f"http://127.0.0.1:{silent.getsockname()[1]}"
            here.scrapy("jobs", "create", "iec_tariffs", "-a", "again=yes")
            killed = worker(IEC_API_URL=away)
            wait_for(lambda: jobs()[-1].status == "running", 90)
            killed.kill()
            wait_for(lambda: jobs()[-1].status == "pending", 60)
            # Another one does it, once the first one's heartbeat has been missing for long enough.
            second = worker()
            wait_for(lambda: jobs()[-1].status == "success", 200)
            assert (jobs()[-1].attempt, jobs()[-1].retry_count) == (2, 0)
            here.scrapy("jobs", "create", "iec_tariffs", "-a", "again=yes")
            second.send_signal(signal.SIGTERM)
            assert second.wait(60) == 0
            third = worker(IEC_API_URL=away)
            wait_for(lambda: jobs()[-1].status == "running", 90)
            assert here.scrapy("jobs", "cancel", str(jobs()[-1].id)).returncode == 0
            with db.transaction() as session:
                last = session.scalars(select(Run).order_by(Run.id.desc()).limit(1)).one()

            def has_ended() -> bool:
                with db.transaction() as session:
                    run = session.get(Run, last.id)
                    return run is not None and run.finished_at is not None

            wait_for(has_ended, 60)
            third.send_signal(signal.SIGTERM)
            assert third.wait(90) == 0
        assert jobs()[-1].status == "cancelled"
        db.engine.dispose()


@pytest.mark.matrix
def test_the_same_jobs_bring_the_same_rows_and_files(project, tmp_path, postgresql_url, encryption_key):
    expected = same_jobs.by_the_embedded_worker(project, tmp_path / "embedded")
    with same_jobs.portals_for(tmp_path / "sandbox") as sandbox:
        here = project(
            tmp_path, LATCHKEY_DATABASE_URL=postgresql_url, LATCHKEY_ENGINE="procrastinate", **sandbox.environment
        )
        assert here.scrapy("db", "upgrade").returncode == 0
        same_jobs.store_customers(here, sandbox, tmp_path)
        same_jobs.create(here)
        worked = here.scrapy("worker", "--once", "--slots", "2", timeout=500)
        assert worked.returncode == 0, worked.stderr
        assert same_jobs.stored(here) == expected

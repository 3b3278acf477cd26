"""A real Prefect 3 in an environment of its own, on PostgreSQL: schedules are deployments, jobs are flow runs."""

from __future__ import annotations

import socket
import subprocess
from typing import Any

import pytest
from sqlalchemy import select

from database.engine import Database
from database.models import Run, ScraperJob
from sandbox import running
from tests.jobs.prefect_server import environment, kill, start, until_up
from tests.postgresql import full_postgresql
from tests.project import free_port, wait_for

pytestmark = [pytest.mark.prefect, pytest.mark.matrix, pytest.mark.timeout(1500)]


def test_schedules_are_deployments_and_jobs_are_flow_runs(project, tmp_path, postgresql_url):
    port = free_port()
    with running(tmp_path / "sandbox", ("iec",)) as sandbox, full_postgresql() as theirs:
        here = project(
            tmp_path,
            LATCHKEY_DATABASE_URL=postgresql_url,
            LATCHKEY_PREFECT_URL=f"http://127.0.0.1:{port}/api",
            LATCHKEY_ENGINE="prefect",
            LATCHKEY_LEASE_SECONDS="20",
            **sandbox.environment,
        )
        own = {**here.env(), **environment(tmp_path, port, theirs)}
        started: list[subprocess.Popen[Any]] = []

        def start_(*arguments: str, **more: str) -> subprocess.Popen[Any]:
            started.append(start(tmp_path, arguments, {**own, **more}))
            return started[-1]

        def worker(name: str, **more: str) -> subprocess.Popen[Any]:
            return start_("worker", "start", "-p", "latchkey", "-n", name, "--type", "process", **more)

        def create() -> None:
            assert here.scrapy("jobs", "create", "iec_tariffs", "-a", "again=yes").returncode == 0
            assert here.scrapy("worker", "--once", timeout=120).returncode == 0

        db = Database(postgresql_url)

        def jobs() -> list[ScraperJob]:
            with db.transaction() as session:
                return list(session.scalars(select(ScraperJob).order_by(ScraperJob.id)))

        try:
            start_("server", "start")
            api = until_up(port)
            assert here.scrapy("db", "upgrade").returncode == 0
            added = here.scrapy("schedules", "add", "tariffs", "iec_tariffs", "--cron", "* * * * *", timeout=120)
            assert added.returncode == 0, added.stderr
            assert here.scrapy("schedules", "pause", "tariffs").returncode == 0
            assert (api.deployment("tariffs") or {})["paused"]
            assert here.scrapy("schedules", "resume", "tariffs").returncode == 0
            # The schedule: its flow ticks, its job is another flow's, in Prefect's worker.
            one = worker("one")
            wait_for(lambda: jobs() and jobs()[0].status == "success", 400, every=1)
            assert here.scrapy("schedules", "pause", "tariffs").returncode == 0
            # By hand.
            create()
            wait_for(lambda: jobs()[-1].status == "success", 300, every=1)
            completed = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
            wait_for(lambda: api.ask("/flow_runs/count", completed) >= 3, 60, every=1)  # the schedule's, and both jobs'
            assert here.scrapy("schedules", "remove", "tariffs").returncode == 0
            assert api.deployment("tariffs") is None
            kill(one)

            with socket.socket() as silent:  # a portal that never answers
                silent.bind(("127.0.0.1", 0))
                silent.listen(50)
                away = f"http://127.0.0.1:{silent.getsockname()[1]}"
                # A machine that dies with worker and crawl: another one does the job, once its heartbeat has been missing.
                two = worker("two", IEC_API_URL=away)
                create()
                wait_for(lambda: jobs()[-1].status == "running", 300, every=1)
                kill(two)
                three = worker("three")
                wait_for(lambda: jobs()[-1].status == "success", 600, every=1)
                assert (jobs()[-1].attempt, jobs()[-1].retry_count) == (2, 0)
                kill(three)
                # Cancelled: the crawl ends.
                worker("four", IEC_API_URL=away)
                create()
                wait_for(lambda: jobs()[-1].status == "running", 300, every=1)
                assert here.scrapy("jobs", "cancel", str(jobs()[-1].id)).returncode == 0
                wait_for(lambda: ended(db, jobs()[-1].id), 200, every=1)
            assert jobs()[-1].status == "cancelled"
        finally:
            for process in started:
                kill(process)
            db.engine.dispose()


def ended(db: Database, job: int) -> bool:
    """Return whether the last run of a job has ended."""
    with db.transaction() as session:
        run = session.scalars(select(Run).where(Run.job_id == job).order_by(Run.id.desc()).limit(1)).one()
        return run.finished_at is not None

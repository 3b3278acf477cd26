"""A real Prefect 3 in an environment of its own, on PostgreSQL: schedules are deployments, jobs are flow runs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import suppress
from typing import Any

import psutil
import pytest
from sqlalchemy import make_url, select

from database.engine import Database
from database.models import Run, ScraperJob
from jobs.engines.prefect_api import Prefect
from jobs.settings import PrefectSettings
from sandbox import running
from tests.postgresql import full_postgresql
from tests.project import free_port, wait_for

# The program of an environment that has `prefect==3.8.8`, `fastapi<0.151` and `sqlalchemy<2.1`; see docs/engines.md.
PROGRAM = os.environ.get("TEST_PREFECT", "")
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
        url = make_url(theirs).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)
        environment = {
            **here.env(),
            "PYTHONPATH": "",
            "PREFECT_HOME": str(tmp_path / "prefect"),
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_SERVER_API_HOST": "127.0.0.1",
            "PREFECT_SERVER_API_PORT": str(port),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": url,
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "DO_NOT_TRACK": "1",
            "LATCHKEY_PREFECT_PYTHON": sys.executable,
        }
        started: list[subprocess.Popen[Any]] = []

        def start(*arguments: str, **more: str) -> subprocess.Popen[Any]:
            out = (tmp_path / f"prefect-{len(started)}.log").open("w")
            env = {**environment, **more}
            started.append(
                subprocess.Popen(
                    [PROGRAM, *arguments], env=env, cwd=tmp_path, stdout=out, stderr=out, start_new_session=True
                )
            )
            return started[-1]

        def worker(name: str, **more: str) -> subprocess.Popen[Any]:
            return start("worker", "start", "-p", "latchkey", "-n", name, "--type", "process", **more)

        def create() -> None:
            assert here.scrapy("jobs", "create", "iec_tariffs", "-a", "again=yes").returncode == 0
            assert here.scrapy("worker", "--once", timeout=120).returncode == 0

        db = Database(postgresql_url)

        def jobs() -> list[ScraperJob]:
            with db.transaction() as session:
                return list(session.scalars(select(ScraperJob).order_by(ScraperJob.id)))

        try:
            start("server", "start")
            api = Prefect(PrefectSettings(prefect_url=f"http://127.0.0.1:{port}/api"))

            def is_up() -> bool:
                try:
                    return api.ask("/health") is True
                except OSError:
                    return False

            wait_for(is_up, 200, every=1)
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


def kill(process: subprocess.Popen[Any]) -> None:
    """Kill a process and whatever it has started, as a power failure does."""
    if process.poll() is None:
        for each in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                each.kill()
    process.wait()


def ended(db: Database, job: int) -> bool:
    """Return whether the last run of a job has ended."""
    with db.transaction() as session:
        run = session.scalars(select(Run).where(Run.job_id == job).order_by(Run.id.desc()).limit(1)).one()
        return run.finished_at is not None

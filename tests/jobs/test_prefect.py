"""A real Prefect 3 in an environment of its own, on PostgreSQL: schedules are deployments, jobs are flow runs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import make_url, select

from database.engine import Database
from database.models import ScraperJob
from jobs.engines.prefect import Prefect
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

        def start(*arguments: str) -> subprocess.Popen[Any]:
            out = (tmp_path / f"prefect-{len(started)}.log").open("w")
            started.append(
                subprocess.Popen(
                    [PROGRAM, *arguments], env=environment, cwd=tmp_path, stdout=out, stderr=out, start_new_session=True
                )
            )
            return started[-1]

        def worker(name: str) -> subprocess.Popen[Any]:
            return start("worker", "start", "-p", "latchkey", "-n", name, "--type", "process")

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
            worker("one")
            wait_for(lambda: jobs() and jobs()[0].status == "success", 400, every=1)
            assert here.scrapy("schedules", "pause", "tariffs").returncode == 0
            # By hand.
            here.scrapy("jobs", "create", "iec_tariffs", "-a", "again=yes")
            assert here.scrapy("worker", "--once", timeout=120).returncode == 0
            wait_for(lambda: jobs()[-1].status == "success", 300, every=1)
            status = api.ask("/flow_runs/count", {"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}})
            assert status >= 3
            assert here.scrapy("schedules", "remove", "tariffs").returncode == 0
            assert api.deployment("tariffs") is None
        finally:
            for process in started:
                if process.poll() is None:
                    os.killpg(process.pid, 9)
                process.wait()
            db.engine.dispose()

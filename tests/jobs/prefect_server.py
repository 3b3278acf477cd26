"""A Prefect server of the environment that TEST_PREFECT names, on a PostgreSQL of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import make_url

from jobs.engines.prefect_api import Prefect
from jobs.settings import PrefectSettings
from tests.project import wait_for

# The program of an environment that has `prefect==3.8.8`, `fastapi<0.151` and `sqlalchemy<2.1`; see docs/engines.md.
PROGRAM = os.environ.get("TEST_PREFECT", "")
STARTS_WITHIN = 200.0  # seconds


def environment(folder: Path, port: int, database: str) -> dict[str, str]:
    """Return what its programs need to know. database: the URL of its PostgreSQL."""
    url = make_url(database).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)
    return {
        "PYTHONPATH": "",
        "PREFECT_HOME": str(folder / "prefect"),
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


def start(folder: Path, arguments: tuple[str, ...], env: Mapping[str, str]) -> subprocess.Popen[Any]:
    """Start one of its programs, whose output goes into a file of the folder."""
    number = len(list(folder.glob("prefect-*.log")))
    with (folder / f"prefect-{number}.log").open("w") as out:
        return subprocess.Popen(
            [PROGRAM, *arguments], env=dict(env), cwd=folder, stdout=out, stderr=out, start_new_session=True
        )


def until_up(port: int) -> Prefect:
    """Wait until the server answers, and return its API."""
    api = Prefect(PrefectSettings(prefect_url=f"http://127.0.0.1:{port}/api"))

    def is_up() -> bool:
        try:
            return api.ask("/health") is True
        except OSError:
            return False

    wait_for(is_up, STARTS_WITHIN, every=1)
    return api


def kill(process: subprocess.Popen[Any]) -> None:
    """Kill a process and whatever it has started, as a power failure does."""
    if process.poll() is None:
        for each in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                each.kill()
    process.wait()

"""Running Latchkey as its user does: as processes, in a data folder of their own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jobs.warm import AnyProcess, WarmParent
from scrapers.core.stated import portals, with_accounts

ROOT = Path(__file__).resolve().parents[1]

# A key for tests only. It protects nothing.
TEST_KEY = "dGVzdHMtb25seS1ub3QtYS1zZWNyZXQta2V5LTEyMzQ="

# What a developer's shell may hold and a test must not see: our settings, those of others, and every portal's.
PORTAL_PREFIXES = (
    *(
        "LATCHKEY_",
        "AUTH_",
        "AWS_",
        "BROWSER_TYPE",
        "CORS_ALLOWED_",
        "DATABASE_URL",
        "DB_AUTO_CREATE",
        "EIQ_",
        "EMAIL_",
    ),
    *("ENCRYPTION_KEY", "HEADLESS", "NAS_", "S3_BUCKET", "SMTP_", "TWILIO_", "WORKER_"),
    *(f"{word.upper()}_" for word in {**portals(("tests.portals",)), **with_accounts()}),
)

# Names of the carriers that accounts can be added for, by word.
CARRIERS = with_accounts()


def wait_for(condition: Callable[[], Any], seconds: float = 60.0, every: float = 0.02) -> Any:
    """Poll *condition* until it gives something true, and return that; raise TimeoutError after *seconds*."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not true within {seconds} seconds: {getattr(condition, '__qualname__', condition)}")
        pause.wait(every)
    return value


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def clean_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment without the settings and credentials of whoever runs the tests."""
    given = os.environ if environment is None else environment
    return {name: value for name, value in given.items() if not name.startswith(PORTAL_PREFIXES)}


# Not in a copy of the project. What is compiled comes along: it counts by the time of its source, which is copied too.
LEFT_BEHIND = (".git", ".venv", ".tools", ".latchkey", ".*_cache", ".coverage*", "build", "dist", "*.egg-info")


def copy_project(to: Path) -> Path:
    """Copy this checkout, without what is made in it, to a folder that does not exist; return the folder."""
    return Path(shutil.copytree(ROOT, to, ignore=shutil.ignore_patterns(*LEFT_BEHIND)))


# What the interpreter reads when it starts: the same for each command, so that one parent serves all of them.
INTERPRETER = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


class Project:
    """
    This checkout with a data folder of its own; every command is a real process.

    warm: the parent of `scrapy …`, unless a call says `fresh=True`: for the command line itself, memory, terminals.
    """

    def __init__(self, folder: Path, warm: WarmParent | None = None, **environment: str) -> None:
        self.warm = warm
        self.data = folder / "data"
        self.environment = {
            "LATCHKEY_DATA_DIR": str(self.data),
            "LATCHKEY_ENCRYPTION_KEYS": TEST_KEY,
            **INTERPRETER,
            "TERM": "dumb",
            **environment,
        }
        self.started: list[AnyProcess] = []

    def env(self, env: Mapping[str, str | None] | None = None) -> dict[str, str]:
        """Return the environment of a command: ours, then *env*, whose None takes a variable away."""
        merged = {**clean_environment(), **self.environment, **(env or {})}
        return {name: value for name, value in merged.items() if value is not None}

    def run(
        self,
        *command: str,
        env: Mapping[str, str | None] | None = None,
        input: str | None = None,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of any kind in the project and give back what it said."""
        # Without input it gets none at all: a prompt must fail, not wait for whoever runs the tests.
        source: dict[str, Any] = {"stdin": subprocess.DEVNULL} if input is None else {"input": input}
        return subprocess.run(
            command, cwd=ROOT, env=self.env(env), capture_output=True, text=True, timeout=timeout, check=False, **source
        )

    def scrapy(
        self,
        *arguments: str,
        env: Mapping[str, str | None] | None = None,
        input: str | None = None,
        timeout: float = 60,
        fresh: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run `scrapy …` to its end."""
        if self.warm is None or fresh:
            return self.run(sys.executable, "-m", "scrapy", *arguments, env=env, input=input, timeout=timeout)
        source: dict[str, Any] = {"stdin": subprocess.DEVNULL} if input is None else {"input": input}
        return self.warm.run(arguments, cwd=ROOT, env=self.env(env), capture_output=True, timeout=timeout, **source)

    def start(
        self, *arguments: str, env: Mapping[str, str | None] | None = None, fresh: bool = False, **options: Any
    ) -> AnyProcess:
        """Start `scrapy …` and give back the process; whatever still runs is ended with the test."""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options}
        process: AnyProcess
        if self.warm is None or fresh:
            process = subprocess.Popen(
                [sys.executable, "-m", "scrapy", *arguments], cwd=ROOT, env=self.env(env), text=True, **options
            )
        else:
            process = self.warm.popen(arguments, cwd=ROOT, env=self.env(env), **options)
        self.started.append(process)
        return process

    def close(self) -> None:
        """End what was started: politely, then for certain."""
        for process in self.started:
            if process.poll() is None:
                process.terminate()
        for process in self.started:
            try:
                process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
            except ValueError:
                pass  # the test has read its pipes to the end and closed them

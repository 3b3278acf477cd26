"""Several real processes on one database, let go at the same moment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.project import ROOT, TEST_KEY, clean_environment

START = """
import sys
from database.engine import database
db, number = database(), int(sys.argv[1])
"""
GO = """
print("ready", flush=True)
sys.stdin.readline()
"""


@contextmanager
def crowd(url: str, count: int, before: str, after: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Start *count* processes that run *before*, wait until all are ready, then let all run *after*; `db`, `number` are given."""
    environment = {
        **clean_environment(),
        "LATCHKEY_DATABASE_URL": url,
        "LATCHKEY_ENCRYPTION_KEYS": TEST_KEY,
        "PYTHONPATH": str(ROOT),
    }
    program = START + before + GO + after
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(number)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        yield processes
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
            process.communicate()


def said(processes: list[subprocess.Popen[str]]) -> list[str]:
    """Wait for all to end well and return what each said."""
    answers = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return answers

"""
The flows that run on Prefect's workers, in Prefect's own environment: they start ours, and import nothing of it.

LATCHKEY_PREFECT_PYTHON is the interpreter that has Latchkey's packages.
"""

from __future__ import annotations

import os
import subprocess
from importlib import import_module
from pathlib import Path

# By name: Prefect is installed where this runs, and nowhere else.
prefect = import_module("prefect")
ROOT = Path(__file__).resolve().parents[2]
MOST_RUNS = 3  # of one flow run, which an automation repeats after a crash


@prefect.flow(name="latchkey-crawl", log_prints=True)
def crawl(job: int) -> None:
    """Do a job, and the due jobs of its spider and credential; nothing when they are done or not due by now."""
    runs = import_module("prefect.runtime").flow_run.run_count
    if runs > MOST_RUNS:
        raise RuntimeError(f"It has crashed {MOST_RUNS} times.")
    _scrapy("jobs", "run", "--job", str(job))


@prefect.flow(name="latchkey-due", log_prints=True)
def due() -> None:
    """Make what is due by its schedule, and post it."""
    _scrapy("worker", "--once", "--engine", "prefect")


def _scrapy(*arguments: str) -> None:
    command = [os.environ["LATCHKEY_PREFECT_PYTHON"], "-m", "scrapy", *arguments]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        code = process.wait()
    except BaseException:  # a cancelled flow: passed on, or the crawl would go on alone
        process.terminate()
        process.wait(60)
        raise
    if code:
        raise RuntimeError(f"scrapy {' '.join(arguments)} ended with {code}.")

"""What a process took: seconds, CPU seconds, and the most memory it ever had."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 120  # seconds that a process may take
LOOK_EVERY = 0.005  # seconds between two looks at a process's memory


@dataclass(frozen=True, slots=True)
class Cost:
    """seconds: from start to end. cpu: seconds of user and system time. memory: MB, the highest resident set."""

    seconds: float
    cpu: float
    memory: float
    output: str


class ProcessFailed(Exception):
    """A measured process did not succeed, so there is nothing to compare. The text is the end of what it said."""


def run_python(environment: Mapping[str, str], *words: str, given: str = "", longest: float = LONGEST) -> str:
    """
    Run this Python to its end and return what it printed; raise ProcessFailed. Not measured.

    given: its standard input. longest: seconds after which it is killed, and TimeoutExpired raised.
    """
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=dict(environment),
        input=given,
        capture_output=True,
        text=True,
        timeout=longest,
        check=False,
    )
    if done.returncode:
        raise ProcessFailed(f"{' '.join(words)[:200]}: {done.stderr[-2000:]}")
    return done.stdout


def measure(
    command: Sequence[str],
    environment: Mapping[str, str],
    look: Callable[[int], None] | None = None,
    folder: Path = ROOT,
    longest: float = LONGEST,
) -> Cost:
    """
    Run a command to its end; raise ProcessFailed when its exit code is not 0 or it takes longer than *longest* seconds.

    look: called with the process's id again and again while it runs.
    """
    pause = threading.Event()
    memory = 0
    with tempfile.TemporaryFile("w+") as output:
        began = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        status = Path(f"/proc/{process.pid}/status")
        # Not from wait4: its maximum includes the memory that the parent had when it forked.
        while True:
            memory = max(memory, high_water(status))
            pid, code, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(code)
                break
            if look is not None:
                look(process.pid)
            if time.monotonic() - began > longest:
                process.kill()
            pause.wait(LOOK_EVERY)
        seconds = time.monotonic() - began
        output.seek(0)
        said = output.read()
    if process.returncode:
        raise ProcessFailed(f"{' '.join(command[1:4])} ended with {process.returncode}: {said[-500:]}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, memory / 1024, said)


def high_water(status: Path) -> int:
    """Return the highest resident set, in KB, that a process's status file in /proc tells; 0 once it has ended."""
    try:
        text = status.read_text()
    except OSError:
        return 0
    line = next((line for line in text.splitlines() if line.startswith("VmHWM")), "")
    return int(line.split()[1]) if line else 0

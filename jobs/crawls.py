"""
The crawls of a worker: children of the warm parent, each with a claim, an output file, and limits on life and memory.

A crawl that breaks a limit is ended by its process group, and its jobs have used up a try.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from database.jobs.claims import Claim
from jobs.clock import Clock
from jobs.warm import AnyProcess, WarmFailed, WarmParent, WarmProcess
from scrapers.core.logs import sentence_of

KEPT = 50  # outputs of crawls that failed
SHOWN = 2000  # bytes at the end of an output in which the last line is looked for
LEAVING = 20.0  # seconds that a crawl gets after SIGTERM before its group is killed
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass
class Crawl:
    """A crawl that runs."""

    claim: Claim
    process: AnyProcess
    output: IO[bytes]
    path: Path
    began: float  # by the clock's `elapsed`
    told_to_end: float | None = None
    why: str = ""  # it was told to end

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def memory(self) -> int | None:
        """Resident bytes of itself and its browser; None where the system does not say."""
        return memory_of(self.process.pid)

    def poll(self) -> int | None:
        """Return its exit code, None while it runs."""
        try:
            return self.process.poll()
        except WarmFailed:
            return -signal.SIGKILL

    @property
    def wakes(self) -> bool:
        """Whether its end can be waited for; where nothing is forked, it must be asked."""
        return isinstance(self.process, WarmProcess)

    def fileno(self) -> int:
        """Return a descriptor that can be read from once it has ended, if it `wakes`."""
        assert isinstance(self.process, WarmProcess)
        return self.process.fileno()

    def last_line(self) -> str:
        """Return what the last line of its output says."""
        with self.path.open("rb") as file:
            return last_line_of(file)

    def end(self, elapsed: float, why: str) -> None:
        """Ask it to end: SIGTERM; a second call after `LEAVING` seconds kills its whole group."""
        if self.told_to_end is None:
            self.told_to_end, self.why = elapsed, why
            self.process.terminate()
        elif elapsed - self.told_to_end > LEAVING:
            self.kill()

    def kill(self) -> None:
        """Kill it and what it has started."""
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Launcher:
    """
    Starts crawls from a warm parent, which begins with the first crawl, or when it is told to, and ends with the launcher.

    logs: folder of outputs; settings: `NAME=VALUE` for each crawl, as `-s` gives them.
    """

    def __init__(self, logs: Path, settings: Sequence[str] = ()) -> None:
        self.logs = logs
        self.settings = [part for each in settings for part in ("-s", each)]
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._parent: WarmParent | None = None
        self._has_given_up = False

    def warm(self) -> WarmParent:
        """Return the parent, started if need be; its imports go on meanwhile."""
        if self._parent is None:
            self._folder = tempfile.TemporaryDirectory(prefix="latchkey-worker-")
            self._parent = WarmParent.start(Path(self._folder.name))
            self.logs.mkdir(parents=True, exist_ok=True)
        return self._parent

    def start(self, claim: Claim, clock: Clock) -> Crawl:
        """Start the crawl of a claim; the first one waits for the parent's imports. Raises OSError, WarmFailed."""
        parent, path = self.warm(), self.logs / f"{claim.id}.log"
        if self._has_given_up:  # a signal may have come while the parent was made
            parent.give_up()
        output = path.open("wb")
        jobs = ",".join(map(str, claim.jobs))
        command = ["crawl", claim.spider, "-a", f"job={jobs}", "-a", f"claim={claim.id}", *self._given(claim.arguments)]
        try:
            process = parent.popen([*command, *self.settings], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        except BaseException:
            output.close()
            path.unlink()
            raise
        return Crawl(claim, process, output, path, clock.elapsed())

    def give_up(self) -> None:
        """Start no crawl that would have to wait for the parent's imports; may be called from a handler of signals."""
        self._has_given_up = True
        if self._parent is not None:
            self._parent.give_up()

    def forget(self, crawl: Crawl, *, keep: bool) -> None:
        """Close a crawl that has ended; keep its output if it failed, and those of the last ones before it."""
        crawl.output.close()
        if not keep:
            crawl.path.unlink(missing_ok=True)
            return
        newest = sorted(self.logs.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in newest[KEPT:]:
            old.unlink(missing_ok=True)

    def close(self) -> None:
        """End the parent and what still runs of it."""
        if self._parent is not None and self._folder is not None:
            self._parent.close()
            self._folder.cleanup()

    @staticmethod
    def _given(arguments: Mapping[str, str]) -> list[str]:
        return [part for name, value in arguments.items() for part in ("-a", f"{name}={value}")]


def last_line_of(output: IO[bytes]) -> str:
    """Return what the last line of a process's output says; empty when it has said nothing."""
    output.seek(max(output.seek(0, os.SEEK_END) - SHOWN, 0))
    lines = output.read().decode(errors="replace").splitlines()
    return next((sentence_of(line.strip()) for line in reversed(lines) if line.strip()), "")


def memory_of(session: int) -> int | None:
    """
    Return the resident bytes of the processes of a session that are its own, pages shared with the warm parent left out.

    None where the system does not say.
    """
    total, found = 0, False
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) != session:
                continue
            resident, shared = map(int, (folder / "statm").read_text().split()[1:3])
        except (OSError, ValueError, IndexError):  # it has ended a moment ago
            continue
        found = True
        total += (resident - shared) * PAGE
    return total if found else None

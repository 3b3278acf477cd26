"""Signatures of processes, and whether a process still runs, so that what a killed one held is taken over at once."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path


def signature() -> str:
    """Return a text that names this process among those of all machines, past ones included; good in a file's name."""
    return _signature(os.getpid())


@cache
def _signature(pid: int) -> str:
    return f"{_machine()}+{pid}+{_began(pid)}"


def has_ended(name: str) -> bool:
    """
    Tell whether the process of a signature has ended; False for another machine's, of which nothing is known.

    No process survives the start of its machine, so one of an earlier start has ended. A machine is known by its host name
    and machine id: hosts that share a database need different names where their containers have no machine id.
    """
    machine, _, process = name.partition("+")
    pid, _, began = process.partition("+")
    if not pid.isdecimal():
        return False
    if machine != _machine():
        theirs, ours = _Machine.read(machine), _Machine.read(_machine())
        return theirs is not None and ours is not None and theirs.is_earlier_start_of(ours)
    # Another start time means that the number was reused by another process.
    return is_gone(int(pid)) or _began(int(pid)) != began


def has_died(process: str | None, host: str, pid: int | None) -> bool:
    """
    Tell whether the process that a row names has ended; False for another machine's, of which nothing is known.

    process: its signature. host and pid count only without one, in rows of earlier versions.
    """
    if process:
        return has_ended(process)
    return host == socket.gethostname() and (pid is None or is_gone(pid))


def is_gone(pid: int) -> bool:
    """Tell whether no process of this machine has this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    # Killed, but its parent has not asked yet: signal 0 still reaches it.
    return _status(pid)[:1] == ["Z"]


@dataclass(frozen=True, slots=True)
class _Machine:
    """The parts of the first part of a signature."""

    host: str
    installation: str  # "" in signatures of earlier versions, and where the machine has no id
    boot: str
    namespace: str

    @classmethod
    def read(cls, text: str) -> _Machine | None:
        """Return the parts of a text; None for one without a boot, of a system without /proc."""
        found = re.fullmatch(r"(.+?)(?:\.([0-9a-f]{6}))?\.([0-9a-f]{8})\.([0-9]+)", text)
        return None if found is None else cls(found[1], found[2] or "", found[3], found[4])

    def is_earlier_start_of(self, other: _Machine) -> bool:
        same = self.host == other.host and (self.installation == other.installation or not self.installation)
        return same and self.boot != other.boot


@cache
def _machine() -> str:
    """Return what two processes have in common that see each other: containers may share a host's name."""
    host = socket.gethostname()[:64]
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
        namespace = os.stat("/proc/self/ns/pid").st_ino
    except OSError:  # a system without /proc
        return host
    return ".".join(filter(None, (host, _installation(), boot, str(namespace))))


def _installation() -> str:
    """Return 6 hex digits of the machine's id, which stays the same when it starts anew; "" where it has none."""
    try:
        # Hashed: the id itself is not meant to leave the machine.
        given = Path("/etc/machine-id").read_text().strip()
    except OSError:
        return ""
    return hashlib.blake2b(given.encode(), digest_size=3).hexdigest() if given else ""


def _began(pid: int) -> str:
    """Return when a process began, in ticks since the start of the system; "" where /proc does not say."""
    return next(iter(_status(pid)[19:20]), "")


def _status(pid: int) -> list[str]:
    """Return the fields of a process's status line from its state on; none where there is no such line."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []

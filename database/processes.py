"""Signatures of processes, and whether a process still runs, so that what a killed one held is taken over at once."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path


def signature() -> str:
    """Return a text that names this process among those of all machines, past ones included; good in a file's name."""
    return f"{_machine()}+{os.getpid()}+{_began(os.getpid())}"


def has_ended(name: str) -> bool:
    """Tell whether the process of a signature has ended; False for another machine's, of which nothing is known."""
    machine, _, process = name.partition("+")
    pid, _, began = process.partition("+")
    if machine != _machine() or not pid.isdecimal():
        return False
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


@cache
def _machine() -> str:
    """Return what two processes have in common that see each other: containers may share a host's name."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
        return f"{socket.gethostname()[:64]}.{boot}.{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:  # a system without /proc
        return socket.gethostname()[:64]


def _began(pid: int) -> str:
    """Return when a process began, in ticks since the start of the system; "" where /proc does not say."""
    return next(iter(_status(pid)[19:20]), "")


def _status(pid: int) -> list[str]:
    """Return the fields of a process's status line from its state on; none where there is no such line."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []

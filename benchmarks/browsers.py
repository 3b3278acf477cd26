"""The browsers below a process, and the most memory that they had, or all that is below it."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from pathlib import Path

LOOK_EVERY = 0.1  # seconds: a look at a browser's memory makes it wait a little
LOOK_AT_ALL = 0.5  # seconds between two looks at the memory of several crawls
PROGRAMS = ("chromium", "chrome", "headless_shell", "headless-shell")


class BrowserWatch:
    """Looks at the processes below one: `browsers` are the ids of all that were seen, `memory` is their PSS in MB."""

    def __init__(self) -> None:
        self.browsers: set[int] = set()
        self.memory = 0.0
        self._next = 0.0

    def look(self, pid: int) -> None:
        """Look at what runs below a process now, unless that was done a moment ago."""
        if time.monotonic() < self._next:
            return
        children = families()
        programs = {child: command for child in below(pid, children) if is_browser(command := command_of(child))}
        theirs = {member for program in programs for member in below(program, children)}
        # A browser starts processes of its own kind, which say of what type they are; some outlive it by a moment.
        self.browsers |= {child for child in programs.keys() - theirs if "--type=" not in programs[child]}
        self.memory = max(self.memory, sum(map(proportional, programs.keys() | theirs)) / 1024)
        self._next = time.monotonic() + LOOK_EVERY


class MemoryWatch:
    """Looks at a process with all below it: `memory` is the most PSS that they had at once, in MB."""

    def __init__(self) -> None:
        self.memory = 0.0
        self._next = 0.0

    def look(self, pid: int) -> None:
        """Look at the memory now, unless that was done a moment ago."""
        if time.monotonic() >= self._next:
            self.memory = max(self.memory, sum(map(proportional, [pid, *below(pid, families())])) / 1024)
            self._next = time.monotonic() + LOOK_AT_ALL


def families() -> dict[int, list[int]]:
    """Return the ids of all processes' children."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                # After the name, which may hold anything but ends with the last bracket.
                parent = int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it has just ended
            children[parent].append(int(entry))
    return children


def below(pid: int, children: dict[int, list[int]]) -> list[int]:
    """Return the ids of a process's children, their children, and so on."""
    found, todo = [], [pid]
    while todo:
        mine = children.get(todo.pop(), [])
        found += mine
        todo += mine
    return found


def command_of(pid: int) -> str:
    """Return a process's command line, with a NUL or a blank between its words; "" when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def is_browser(command: str) -> bool:
    """Tell whether a command line is that of a browser, or of a process that a browser has started of its own kind."""
    return Path(command.partition("\0")[0].partition(" ")[0]).name.startswith(PROGRAMS)


def proportional(pid: int) -> int:
    """Return a process's memory in KB, of what it shares with others only its part; 0 when it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return int(text.split("\nPss:")[1].split()[0]) if "\nPss:" in text else 0

"""The browsers below a process: which there were, and the most memory that they had."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from pathlib import Path

LOOK_EVERY = 0.1  # seconds: a look at a browser's memory makes it wait a little
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
        programs = {child for child in below(pid, children) if is_browser(child)}
        theirs = {member for program in programs for member in below(program, children)}
        # A browser's own processes are called like it: the one that no other of them has started is the browser.
        self.browsers |= programs - theirs
        self.memory = max(self.memory, sum(map(proportional, programs | theirs)) / 1024)
        self._next = time.monotonic() + LOOK_EVERY


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


def is_browser(pid: int) -> bool:
    """Tell whether a process is a browser, or one that a browser has started of its own kind."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return False
    return Path(command.partition("\0")[0].partition(" ")[0]).name.startswith(PROGRAMS)


def proportional(pid: int) -> int:
    """Return a process's memory in KB, of what it shares with others only its part; 0 when it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return int(text.split("\nPss:")[1].split()[0]) if "\nPss:" in text else 0

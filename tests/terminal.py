"""A terminal, as a person types at it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from collections.abc import Mapping

import psutil

from tests.project import ROOT

READY = "ready> "


class Terminal:
    """A shell at a terminal of its own, as a person types at it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.terminal, inside = pty.openpty()
        self.shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-i"],
            cwd=ROOT,
            env={**environment, "PS1": READY, "BASH_SILENCE_DEPRECATION_WARNING": "1"},
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)
        self.shown = ""

    def type(self, line: str) -> None:
        self.shown = ""
        os.write(self.terminal, f"{line}\n".encode())

    def sees(self, *words: str) -> str | None:
        while select.select([self.terminal], [], [], 0)[0]:
            try:
                self.shown += os.read(self.terminal, 65536).decode(errors="replace")
            except OSError:
                break
        return next((word for word in words if word in self.shown), None)

    def close(self) -> None:
        running = [p for p in psutil.Process().children(recursive=True) if os.getsid(p.pid) == self.shell.pid]
        for process in running:
            process.terminate()  # what runs in front ends cleanly; an interactive shell does not listen
        _, left = psutil.wait_procs([p for p in running if p.pid != self.shell.pid], 20)
        for process in left:
            process.kill()
        self.shell.kill()
        self.shell.wait(60)
        os.close(self.terminal)

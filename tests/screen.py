"""A virtual screen for the tests, as a child of the test: Xvfb, with a person's keys and clicks played by xdotool."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

NEEDED = "Xvfb, xdotool and Chromium with a window (Debian: xvfb, xdotool, chromium)"
SIZE = "2200x1500x24"  # a window with a page of 1920x1080 fits


@cache
def program() -> str | None:
    """Return the program of the screen; None where something of what is needed is not there."""
    return shutil.which("Xvfb") if shutil.which("xdotool") and shutil.which("chromium") else None


@dataclass
class Screen:
    """A screen without a window manager."""

    display: str  # for DISPLAY

    def play(self, *words: str, timeout: float = 60) -> str:
        """Do what xdotool does for these words, and return what it says."""
        environment = {**os.environ, "DISPLAY": self.display}
        done = subprocess.run(
            ["xdotool", *words], env=environment, capture_output=True, text=True, timeout=timeout, check=True
        )
        return done.stdout.strip()


@contextmanager
def a_screen() -> Iterator[Screen]:
    """Give a screen of its own."""
    reading, writing = os.pipe()
    command = [str(program()), "-displayfd", str(writing), "-screen", "0", SIZE, "-nolisten", "tcp"]
    process = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as number:
            yield Screen(f":{number.readline().strip()}")
    finally:
        process.terminate()
        process.wait(30)

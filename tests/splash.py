"""A real Splash for the tests, as a child of the test: on loopback, with a port and a log of its own, which holds no secrets."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.project import ROOT, free_port, wait_for

NEEDED = (
    "a Splash 3.5 in an environment of its own (./run test-all installs it on Debian 12), whose Python is TEST_SPLASH"
)
# What would hold cookies, passwords and pages, as docs/prices.md says.
UNLOGGED = "lua_source,password,cookies,headers,body"


@cache
def program() -> str | None:
    """Return the Python that has Splash; None where there is none."""
    found = os.environ.get("TEST_SPLASH")
    return found if found and Path(found).exists() else None


@dataclass
class SplashServer:
    """The server; its log is `folder / "log"`."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        """Return its log."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def rendered(self) -> int:
        """Return how many pages it was asked for."""
        return self.said.count('"path": "/execute"')

    def start(self) -> None:
        runtime = self.folder / "runtime"
        runtime.mkdir(mode=0o700, parents=True)
        command = [str(program()), str(ROOT / ".ci" / "start_splash.py"), "--ip", "127.0.0.1", "--port", str(self.port)]
        command += ["--disable-xvfb", "--browser-engines=webkit", f"--dont-log-args={UNLOGGED}"]
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "QT_QPA_PLATFORM": "offscreen",
            "QTWEBENGINE_DISABLE_SANDBOX": "1",
            "XDG_RUNTIME_DIR": str(runtime),
        }
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        wait_for(self.answers, seconds=60)

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.said
        try:
            with urllib.request.urlopen(f"{self.url}/_ping", timeout=5) as answer:
                return bool(json.load(answer)["status"] == "ok")
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=30)


@contextmanager
def splash_server(folder: Path) -> Iterator[SplashServer]:
    """Give a Splash in a folder of its own."""
    server = SplashServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()

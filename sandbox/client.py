"""How other programs start a sandbox and talk to its admin pages. Synchronous, standard library only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

START_SECONDS = 60
STOP_SECONDS = 10
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback never goes through a proxy


class SandboxError(Exception):
    """The sandbox did not start. The text is what it said."""


class AdminError(Exception):
    """An admin page refused. The text is its sentence."""


class Admin:
    """The admin pages of one portal."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def counters(self) -> dict[str, Any]:
        """Return everything counted: see sandbox/README.md."""
        return self._ask("counters")

    def configuration(self) -> dict[str, Any]:
        """Return the configuration in force."""
        return self._ask("configuration")

    def configure(self, **changes: Any) -> dict[str, Any]:
        """Merge changes into the configuration and return all of it."""
        return self._ask("configure", changes)

    def reset(self) -> None:
        """Forget everything but the configuration."""
        self._ask("reset", {})

    def forget_maxima(self) -> None:
        """Begin the maxima of requests in flight and connections again."""
        self._ask("maxima", {})

    def clock(self, offset: float) -> None:
        """Set by how many seconds the portal's clock is ahead."""
        self._ask("clock", {"offset": offset})

    def perturb(
        self, seed: int | None, only: Sequence[str] = (), visitors: Sequence[tuple[int, Sequence[str]]] = ()
    ) -> dict[str, Any]:
        """
        Change what is free by a seed (None: nothing), all of it or `only` these dimensions; return what is on.

        visitors: seeds and dimensions for visits whose user is not known yet, one after the other.
        """
        looks = [{"seed": number, "only": list(names)} for number, names in visitors]
        return self._ask("perturb", {"seed": seed, "only": list(only), "visitors": looks})

    def user(self, name: str, **changes: Any) -> None:
        """Change a user: password, session_requests, failed, locked, totp_secret, next_codes."""
        self._ask(f"users/{quote(name, safe='')}", changes)

    def sign_out(self, name: str) -> int:
        """End every session of a user; return how many there were."""
        return int(self._ask(f"users/{quote(name, safe='')}/sign-out", {})["sessions"])

    def send_former_code(self, name: str, by: str = "") -> bool:
        """Send the user a message ("mail": a mail) that is older than whatever is asked for next; return whether it was taken."""
        return bool(self._ask(f"users/{quote(name, safe='')}/send-former-code", {"by": by})["taken"])

    def journal(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the last requests with a number above `since`."""
        entries: list[dict[str, Any]] = self._ask(f"journal?since={since}")["requests"]
        return entries

    def messages(self) -> list[dict[str, Any]]:
        """Return the messages sent (number, sender, receiver, time, taken), without their text."""
        messages: list[dict[str, Any]] = self._ask("messages")["messages"]
        return messages

    def secrets(self) -> dict[str, list[str]]:
        """Return the passwords, codes, cookies and tokens of this portal process, to be looked for elsewhere."""
        return self._ask("secrets")

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call an admin page that a portal has beside the frame's: POST with a body, else GET."""
        return self._ask(path, body)

    def _ask(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", data, {"Content-Type": "application/json"})
        try:
            with _opener.open(request, timeout=90) as answer:
                said: dict[str, Any] = json.load(answer)
                return said
        except urllib.error.HTTPError as error:
            raise AdminError(json.loads(error.read() or b"{}").get("error", f"status {error.code}")) from None


class Running:
    """A sandbox process of ours: `urls` and `admin` by portal, `environment` for crawls of it."""

    def __init__(self, folder: Path, portals: Sequence[str], sms_url: str, sms_token: str, mail_url: str = "") -> None:
        self.folder = folder
        self._portals, self._sms_url, self._mail_url, self._sms_token = portals, sms_url, mail_url, sms_token
        self.urls: dict[str, str] = {}
        self.origins: dict[str, dict[str, str]] = {}
        self.admin: dict[str, Admin] = {}
        self.environment: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id; raises SandboxError when it does not run."""
        if self._process is None:
            raise SandboxError("The sandbox is not running: call start().")
        return self._process.pid

    def start(self) -> None:
        """Start the process and wait until every portal listens."""
        self.folder.mkdir(parents=True, exist_ok=True)
        ready, log = self.folder / "ready.json", self.folder / "sandbox.log"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "sandbox", "--state", str(self.folder)]
        command += ["--portals", ",".join(self._portals)] if self._portals else []
        command += ["--sms-url", self._sms_url] if self._sms_url else []
        command += ["--mail-url", self._mail_url] if self._mail_url else []
        root = str(Path(__file__).resolve().parents[1])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
        environment = {**os.environ, "PYTHONPATH": path, "SANDBOX_SMS_TOKEN": self._sms_token}
        with log.open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        deadline = time.monotonic() + START_SECONDS
        while not ready.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace").strip().splitlines()
                self.kill()
                raise SandboxError(said[-1] if said else f"The sandbox was not ready within {START_SECONDS} s.")
            wait(0.02)
        told = json.loads(ready.read_text())
        self.environment = told["environment"]
        self.urls = {word: portal["url"] for word, portal in told["portals"].items()}
        self.origins = {word: portal["urls"] for word, portal in told["portals"].items()}
        self.admin = {word: Admin(url) for word, url in self.urls.items()}

    def stop(self) -> int:
        """End the process cleanly; return its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End the process as `kill -9` does; return its exit code."""
        return self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            code = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._process = None
        return code

    def configure(self, **configuration: Any) -> None:
        """Configure portals: `plain={…}` one of them, any other name all portals that know it."""
        for word, admin in self.admin.items():
            known = admin.configuration()
            changes = {name: value for name, value in configuration.items() if name in known}
            changes.update(configuration.get(word, {}))
            if changes:
                admin.configure(**changes)
        lost = [
            name
            for name in configuration
            if name not in self.admin and not any(name in admin.configuration() for admin in self.admin.values())
        ]
        if lost:
            raise AdminError(f"No portal has anything to configure named {', '.join(lost)}.")


def environment_of(folder: Path) -> dict[str, str] | None:
    """Return the variables that point at the sandbox of a state folder; None when none answers."""
    try:
        told = json.loads((folder / "ready.json").read_text())
        for portal in told["portals"].values():
            Admin(portal["url"]).configuration()
    except (OSError, ValueError, AdminError):  # no file, or one that a killed process left behind
        return None
    environment: dict[str, str] = told["environment"]
    return environment


def wait(seconds: float) -> None:
    """Let a moment pass between two looks at a condition."""
    import threading

    threading.Event().wait(seconds)


@contextmanager
def running(
    folder: Path | str,
    portals: Sequence[str] = (),
    sms_url: str = "",
    sms_token: str = "",
    mail_url: str = "",
    **configuration: Any,
) -> Iterator[Running]:
    """
    Serve portals in a process of its own for as long as the block lasts.

    folder: state folder. portals: words, all without any. sms_url, mail_url, sms_token: where text messages and mails are
    posted, and the token that both carry. configuration: see Running.configure. Raises SandboxError with what the process
    said.
    """
    sandbox = Running(Path(folder), portals, sms_url, sms_token, mail_url)
    sandbox.start()
    try:
        if configuration:
            sandbox.configure(**configuration)
        yield sandbox
    finally:
        sandbox.stop()

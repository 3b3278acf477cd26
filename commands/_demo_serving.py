"""What every play of `scrapy demo` needs: its settings, the service on loopback, commands of ours."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path

START_SECONDS = 60


def prepare(folder: Path) -> dict[str, str]:
    """Make the demo's data folder, key and tokens; return the environment of everything that runs in it."""
    from cryptography.fernet import Fernet

    from database.access.encryption import write_private
    from database.settings import RoomSettings
    from scrapers.core.stated import portals
    from scrapers.settings import ROOMS

    names = ("LATCHKEY_ENCRYPTION_KEYS", "LATCHKEY_WEBHOOK_TOKEN", "LATCHKEY_CODE_READER_TOKEN")
    secrets_file = folder / "secrets.json"
    if not secrets_file.exists():
        made = (Fernet.generate_key().decode(), secrets.token_urlsafe(32), secrets.token_urlsafe(32))
        write_private(secrets_file, json.dumps(dict(zip(names, made, strict=True))))
    ours = ("LATCHKEY_", *(f"{word.upper()}_" for word in portals()))
    for room in ROOMS:
        import_module(room)
    # The names from before among them, such as that of a database which is not the demo's.
    known: set[str] = set().union(*(room.variables() for room in RoomSettings.rooms))
    plain = {name: text for name, text in os.environ.items() if not name.startswith(ours) and name.upper() not in known}
    kept: dict[str, str] = json.loads(secrets_file.read_text())
    return {**plain, **kept, "LATCHKEY_DATA_DIR": str(folder), "BELL_HEADER_WAIT": "10"}


@contextmanager
def webhook(folder: Path, environment: Mapping[str, str], log: Path | None = None) -> Iterator[dict[str, str]]:
    """
    Prepare the database and run the webhook until the end of the block; yield where a sandbox sends its codes.

    log: file for what the webhook says, where a line that moves is on the screen.
    """
    say("Starting the webhook and the sandbox on loopback")
    with serving(folder, environment, log) as (hook, _):
        say(f"  webhook  {hook}")
        yield {
            "sms_url": f"{hook}/sms",
            "mail_url": f"{hook}/mail",
            "sms_token": environment["LATCHKEY_WEBHOOK_TOKEN"],
        }


@contextmanager
def serving(
    folder: Path, environment: Mapping[str, str], log: Path | None, port: int = 0
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Prepare the database and run `scrapy serve` until the end of the block; yield its address and its process."""
    say("Preparing the database")
    latchkey(environment, "db", "upgrade")
    ready = folder / "webhook.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "scrapy", "serve", "--port", str(port), "--ready-file", str(ready)]
    with ExitStack() as stack:
        said = stack.enter_context(log.open("w")) if log is not None else None
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
    try:
        yield json.loads(await_file(ready, process))["url"], process
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def latchkey(environment: Mapping[str, str], *arguments: str, given: str | None = None) -> str:
    """Run a command of ours to its end and return what it said; raise CalledProcessError when it fails."""
    command = [sys.executable, "-m", "scrapy", *arguments]
    done = subprocess.run(command, env=environment, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, " ".join(arguments[:2]), done.stdout, done.stderr)
    return done.stdout


def await_file(path: Path, process: subprocess.Popen[bytes]) -> str:
    """Return what a process writes to *path* once it is ready."""
    import threading

    deadline = time.monotonic() + START_SECONDS
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise TimeoutError("the webhook did not start")
        threading.Event().wait(0.05)
    return path.read_text()


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, flush=True)

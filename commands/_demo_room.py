"""`scrapy demo --room`: the control room on what the demo has stored, and a link by which an operator signs in."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from commands._demo_serving import latchkey, prepare, say, serving

PORT = 8000  # where it is free
PAGES = {"missing": "what is stored, by account and month", "runs": "what was done", "files": "what came"}


def show_room(folder: Path) -> bool:
    """Serve until SIGTERM or Ctrl-C; return False where there is nothing to show, or the service ends by itself."""
    if not (folder / "latchkey.db").exists():
        sys.stderr.write("There is nothing to show yet: `make demo` comes first.\n")
        return False
    environment = prepare(folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the service ends with us
    with serving(folder, environment, folder / "webhook.log", PORT if _is_free(PORT) else 0) as (url, process):
        here = {**environment, "LATCHKEY_WEBHOOK_PORT": str(urlsplit(url).port)}
        say(latchkey(here, "users", "add", "--operator").strip())
        say("Then:")
        for page, what in PAGES.items():
            say(f"  {url}/room/{page}  ({what})")
        say("Ctrl-C ends it.")
        try:
            return process.wait() == 0
        except KeyboardInterrupt:
            return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

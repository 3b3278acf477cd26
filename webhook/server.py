"""Running the service, by waitress in one process or by gunicorn in several, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import waitress

from database.access.codes import CodeChannel
from database.access.encryption import key_ring
from database.engine import Database
from scrapers.core.whole import write_whole
from webhook.app import IN_MEMORY, LARGEST_MAIL, create_app
from webhook.background import Background, purge
from webhook.documentation import Documented
from webhook.listening import explained, several_addresses
from webhook.settings import WebhookSettings, url_of


def serve(
    settings: WebhookSettings,
    db: Database,
    channels: Mapping[str, CodeChannel],
    portals: Sequence[str],
    ready_file: Path | None = None,
    listening: Callable[[str], None] = lambda url: None,
    erase: Callable[[str, str], bool] | None = None,
    opens: Callable[[str, str], BinaryIO] | None = None,
) -> None:
    """
    Serve until SIGTERM or Ctrl-C; call it from the main thread. gunicorn ends it by SystemExit.

    ready_file: gets `{"url": …, "pid": …}` once we listen, and is removed at the end. listening: told the URL then.
    erase, opens: delete and open a file of a store, both by their addresses.
    Raises SettingsError, DatabaseAway or CannotListen before it listens.
    """
    ours = os.getpid()

    def make_app(counts: str = IN_MEMORY) -> Documented:
        app = create_app(settings, db, channels, portals, erase=erase, opens=opens, counts=counts)
        key_ring()
        purge(db, settings.code_life)
        return app

    def ready(url: str) -> None:
        if ready_file is not None:
            write_whole(ready_file, json.dumps({"url": url, "pid": ours}))
        listening(url)

    settings.check_server()
    try:
        if settings.server == "gunicorn":
            from webhook.several import serve_by_gunicorn

            serve_by_gunicorn(settings, db, make_app, ready)
        else:
            _serve_by_waitress(settings, db, make_app(), ready)
    finally:
        if ready_file is not None and os.getpid() == ours:  # not in a process of gunicorn's
            ready_file.unlink(missing_ok=True)


def _serve_by_waitress(settings: WebhookSettings, db: Database, app: Documented, ready: Callable[[str], None]) -> None:
    """Serve in this process."""
    server = _listen(app, settings)
    background = Background(db, settings.code_life)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    background.start()
    try:
        ready(url_of(server.effective_host, server.effective_port))
        server.run()  # returns at SystemExit, after the requests under way
    finally:
        server.close()
        background.stop()


def _listen(app: Any, settings: WebhookSettings) -> Any:
    with explained(settings):
        server = waitress.create_server(
            app,
            host=settings.webhook_host,
            port=settings.webhook_port,
            threads=settings.server_threads,
            max_request_body_size=2 * LARGEST_MAIL,  # the application refuses less than that, as JSON
            ident=None,
        )
    if not hasattr(server, "effective_port"):
        server.close()
        raise several_addresses(settings)
    return server

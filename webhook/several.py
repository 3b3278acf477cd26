"""Serving by gunicorn: several processes on one machine. What they count is counted together (`webhook.counts`)."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from database.engine import Database
from webhook.background import Background
from webhook.counts import in_folder
from webhook.listening import bound
from webhook.settings import WebhookSettings, url_of

PROCESSES = 2  # where the settings name no number
SILENT_SECONDS = 120  # without a heartbeat of a process, after which it is killed; requests may take longer
ENDING_SECONDS = 30  # that requests under way have at the end
LONGEST_LINE = 8190  # bytes of a request's first line, the most that gunicorn knows
NO_PROXY = ""  # Werkzeug reads the headers of the proxies that `webhook_proxies` counts


def serve_by_gunicorn(
    settings: WebhookSettings, db: Database, make_app: Callable[[str], Flask], ready: Callable[[str], None]
) -> None:
    """
    Serve until SIGTERM or Ctrl-C, after which it raises SystemExit; also in each process that ends.

    make_app: makes the application for counters at an address. ready: told our URL once we listen. Raises CannotListen before
    that, and what *make_app* raises.
    """
    ours = os.getpid()
    # Not a TemporaryDirectory: each process would delete it at its end.
    folder = Path(tempfile.mkdtemp(prefix="latchkey-serve-"))
    try:
        app = make_app(in_folder(folder))
        with bound(settings) as listener:
            _Service(app, _options(settings, db, folder, listener.detach(), ready)).run()
    finally:
        if os.getpid() == ours:
            shutil.rmtree(folder, ignore_errors=True)


def _options(
    settings: WebhookSettings, db: Database, folder: Path, listener: int, ready: Callable[[str], None]
) -> dict[str, Any]:
    """Return gunicorn's settings, those that it would take from the environment among them."""
    background = Background(db, settings.code_life, folder)

    def when_ready(arbiter: Any) -> None:
        db.engine.dispose()  # no connection is inherited by a process
        ready(url_of(*arbiter.LISTENERS[0].sock.getsockname()[:2]))

    def begin(worker: Any) -> None:
        background.start()

    def end(arbiter: Any, worker: Any) -> None:
        background.stop()

    return {
        "bind": f"fd://{listener}",
        "workers": settings.server_processes or PROCESSES,
        "worker_class": "gthread",
        "threads": settings.server_threads,
        "timeout": SILENT_SECONDS,
        "graceful_timeout": ENDING_SECONDS,
        "limit_request_line": LONGEST_LINE,
        "forwarded_allow_ips": NO_PROXY,
        "secure_scheme_headers": {},
        "control_socket_disable": True,
        "preload_app": True,
        "logger_class": _Logger,
        "loglevel": "warning",
        "when_ready": when_ready,
        "post_worker_init": begin,
        "worker_exit": end,
    }


class _Service(BaseApplication):
    """Our application, with settings that are given here alone."""

    def __init__(self, app: Flask, options: dict[str, Any]) -> None:
        self._app, self._options = app, options
        super().__init__()

    def load_config(self) -> None:
        """Take the options."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Return the application, which was made before the processes are."""
        return self._app


class _Logger(Logger):
    """Hands what gunicorn says to the log of the service, which has its own form and masks secrets; no log of requests."""

    def setup(self, cfg: Any) -> None:
        """Take no handlers of gunicorn's."""
        self.cfg = cfg
        self.loglevel = self.LOG_LEVELS[cfg.loglevel]
        self.error_log.setLevel(self.loglevel)
        self.error_log.propagate = True

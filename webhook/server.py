"""Running the webhook: one process, a few threads, ended by SIGTERM or Ctrl-C."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import waitress
from sqlalchemy.exc import SQLAlchemyError

from database.access.codes import CodeChannel, purge_expired
from database.access.encryption import key_ring
from database.access.users import purge_sign_ins
from database.engine import Database, DatabaseAway
from database.families.telegram.logins import sweep
from jobs.clock import Clock
from jobs.engines.chosen import chosen_engine
from jobs.engines.embedded import Engine, EngineAway
from scrapers.core.whole import write_whole
from webhook.app import LARGEST_MAIL, create_app
from webhook.settings import WebhookSettings

logger = logging.getLogger(__name__)
THREADS = 8  # every request is a short transaction
PURGE_EVERY = 10.0  # seconds; an expired text stays at most that much longer
FOLLOW_EVERY = 10.0  # seconds between two looks whether the engine has to be told of schedules again


class CannotListen(Exception):
    """The address cannot be listened on. The text is one sentence that names the setting and the cure."""


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
    Serve until SIGTERM or Ctrl-C; call it from the main thread.

    ready_file: gets `{"url": …, "pid": …}` once we listen, and is removed at the end. listening: told the URL then.
    erase, opens: delete and open a file of a store, both by their addresses.
    Raises SettingsError, DatabaseAway or CannotListen before it listens.
    """
    app = create_app(settings, db, channels, portals, erase=erase, opens=opens)
    key_ring()
    purge(db, settings.code_life)
    server = _listen(app, settings)
    stop = threading.Event()
    purger = threading.Thread(target=_purge_until, args=(stop, db, settings.code_life), name="purge expired codes")
    engine = chosen_engine(db, Clock())
    follower = threading.Thread(target=_follow_until, args=(stop, engine), name="make the engine follow")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    purger.start()
    if engine.mirrors:
        follower.start()
    try:
        url = f"http://{_in_url(server.effective_host)}:{server.effective_port}"
        if ready_file is not None:
            write_whole(ready_file, json.dumps({"url": url, "pid": os.getpid()}))
        listening(url)
        server.run()  # returns at SystemExit, after the requests under way
    finally:
        stop.set()
        server.close()
        purger.join()
        if engine.mirrors:
            follower.join()
        if ready_file is not None:
            ready_file.unlink(missing_ok=True)


def purge(db: Database, life: float) -> None:
    """Delete the texts of messages older than *life* seconds, and what has ended of users' sign-ins and logins."""
    with db.transaction() as session:
        gone = purge_expired(session, life)
        ended = purge_sign_ins(session) + sweep(session)
    if gone:
        logger.info("Deleted %d expired messages", gone)
    if ended:
        logger.info("Deleted %d codes, sign-ins and counters that have ended", ended)


def _listen(app: Any, settings: WebhookSettings) -> Any:
    where = f"{settings.webhook_host}:{settings.webhook_port}"
    try:
        server = waitress.create_server(
            app,
            host=settings.webhook_host,
            port=settings.webhook_port,
            threads=THREADS,
            max_request_body_size=2 * LARGEST_MAIL,  # the application refuses less than that, as JSON
            ident=None,
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotListen(
                f"Something else listens on {where}: end it, or set LATCHKEY_WEBHOOK_PORT (or --port) to another port."
            ) from None
        raise CannotListen(
            f"Cannot listen on {where} ({error.strerror}): check LATCHKEY_WEBHOOK_HOST and LATCHKEY_WEBHOOK_PORT."
        ) from None
    except ValueError:  # what waitress says of a host that does not resolve
        raise CannotListen(f"{settings.webhook_host} is not an address here: check LATCHKEY_WEBHOOK_HOST.") from None
    if not hasattr(server, "effective_port"):
        server.close()
        raise CannotListen(f"{where} is several addresses: set LATCHKEY_WEBHOOK_HOST to one, such as 127.0.0.1 or ::1.")
    return server


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _purge_until(stop: threading.Event, db: Database, life: float) -> None:
    while not stop.wait(min(PURGE_EVERY, life)):
        try:
            purge(db, life)
        except (DatabaseAway, SQLAlchemyError) as error:  # the next round may go better
            logger.warning("Expired messages were not deleted: %s", error)


def _follow_until(stop: threading.Event, engine: Engine) -> None:
    """Let what starts the crawls follow the schedules, where it was away when they changed."""
    while not stop.wait(FOLLOW_EVERY):
        try:
            if catch_up(engine):
                logger.info("The engine follows the schedules again")
        except (DatabaseAway, EngineAway, SQLAlchemyError) as error:
            logger.warning("The engine does not follow the schedules yet: %s", error)


def catch_up(engine: Engine) -> bool:
    """Let an engine follow that has not yet; return whether there was something to do. Raises EngineAway."""
    with engine.db.transaction() as session:
        behind = engine.behind(session)
    if behind is not None:
        engine.follow()
    return behind is not None

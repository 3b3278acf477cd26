"""`scrapy serve`: run the webhook, through which one-time codes come in."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import BinaryIO, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

ROUTES = (
    "POST /sms, GET /code, POST /code/consume, GET /status, GET /health, also under a carrier (/bell/sms); "
    "users under /auth and /me, Telegram under /sessions, /sources and /flows, for people at /, operators at /room and /api/v1; /docs"
)


class Command(ScrapyCommand):
    """Listen until stopped."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, bool]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        """Return what follows `scrapy serve`."""
        return "[--host ADDRESS] [--port PORT] [--ready-file PATH]"

    def short_desc(self) -> str:
        """Return the line of `scrapy --help`."""
        return "Run the webhook: gateways deliver one-time codes to it"

    def long_desc(self) -> str:
        """Return the text of `scrapy serve --help`."""
        return (
            "Listens for one-time codes until SIGTERM or Ctrl-C. Gateways show LATCHKEY_WEBHOOK_TOKEN (Authorization: "
            "Bearer, or X-Token) or sign as Twilio does (LATCHKEY_TWILIO_AUTH_TOKEN, LATCHKEY_WEBHOOK_PUBLIC_URL); "
            "whoever reads codes shows LATCHKEY_CODE_READER_TOKEN. The sign-ins of crawls take their codes from the "
            "database and need no token. LATCHKEY_SERVER=gunicorn serves in LATCHKEY_SERVER_PROCESSES processes."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add where to listen and whom to tell."""
        super().add_options(parser)
        parser.add_argument("--host", help="address to listen on (default: LATCHKEY_WEBHOOK_HOST, else 127.0.0.1)")
        parser.add_argument(
            "--port", type=int, help="port; 0 takes a free one (default: LATCHKEY_WEBHOOK_PORT, else 8000)"
        )
        parser.add_argument("--ready-file", type=Path, metavar="PATH", help='gets {"url", "pid"} once it listens')

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Serve."""
        if args:
            raise UsageError("`scrapy serve` takes options only", print_help=False)
        if opts.port is not None and not 0 <= opts.port <= 65535:
            raise UsageError("--port must be between 0 and 65535", print_help=False)

        from database.settings import SettingsError, database_settings
        from webhook.settings import webhook_settings

        try:
            settings = webhook_settings()
            settings.check_tokens()
            settings.check_server()
        except SettingsError as error:  # before what takes long to import
            print(error, file=sys.stderr)
            self.exitcode = 1
            return

        import logging

        from commands._terminal import places
        from database import aliases
        from database.engine import DatabaseAway, database
        from database.migrate import create_if_empty
        from scrapers.core import monitor
        from scrapers.core.logs import as_line, formatter
        from scrapers.core.redaction import install
        from scrapers.core.stated import with_accounts
        from scrapers.logins.base import code_channels
        from webhook.listening import CannotListen
        from webhook.server import serve

        install()
        handler = logging.StreamHandler()
        handler.setFormatter(formatter("%(asctime)s %(levelname)s %(message)s"))
        logging.basicConfig(handlers=[handler], level=logging.WARNING)
        logger = logging.getLogger("webhook")
        logger.setLevel(logging.INFO)
        aliases.tell_by(logger.info)
        where = places(self.settings)

        def erase(store: str, path: str) -> bool:
            from pipelines.settings import PipelineSettings
            from pipelines.stores import store_of

            return store_of(PipelineSettings.current(), store).remove(path)

        def opens(store: str, path: str) -> BinaryIO:
            from pipelines.settings import PipelineSettings
            from pipelines.stores import store_of

            return store_of(PipelineSettings.current(), store).open(path)

        try:
            monitor.start()
            if database_settings().db_auto_create and create_if_empty(database()):
                logger.info("The database was empty: its tables are made")
            given = {"webhook_host": opts.host, "webhook_port": opts.port}
            settings = settings.model_copy(update={name: value for name, value in given.items() if value is not None})
            serve(
                settings,
                database(),
                code_channels(where),
                tuple(with_accounts(where)),
                opts.ready_file,
                lambda url: print(f"Listening on {url}: {ROUTES}", flush=True),
                erase,
                opens,
            )
        except (SettingsError, DatabaseAway, CannotListen) as error:
            print(as_line(str(error)), file=sys.stderr)
            self.exitcode = 1

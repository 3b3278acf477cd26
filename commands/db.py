"""`scrapy db upgrade|check`: make or move the schema, or say whether it is the one we need."""

from __future__ import annotations

import argparse
import sys
from typing import ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError


class Command(ScrapyCommand):
    """Make or check the tables."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, bool]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        """Return what follows `scrapy db`."""
        return "upgrade|check"

    def short_desc(self) -> str:
        """Return the line of `scrapy --help`."""
        return "Make or move the tables of the database (upgrade), or check that they are the ones we need (check)"

    def long_desc(self) -> str:
        """Return the text of `scrapy db --help`."""
        return (
            "upgrade: bring the tables of the database that LATCHKEY_DATABASE_URL names to the newest revision; "
            "several at once wait for each other, and nothing happens when there is nothing to do. "
            "check: end with 0 when the tables are at the newest revision and are what the code needs, with 1 and one sentence otherwise."
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Upgrade or check."""
        if args not in (["upgrade"], ["check"]):
            raise UsageError("say what to do: `scrapy db upgrade` or `scrapy db check`", print_help=False)

        from database.engine import DatabaseAway, database
        from database.migrate import SchemaDiffers, check, upgrade
        from database.settings import SettingsError

        try:
            db = database()
            where = db.engine.url.render_as_string(hide_password=True)
            if args == ["upgrade"]:
                upgrade(db)
                print(f"The database {where} is at the newest revision.")
            else:
                check(db)
                print(f"The database {where} is at the newest revision and is what the code needs.")
        except (SettingsError, DatabaseAway, SchemaDiffers) as error:
            print(error, file=sys.stderr)
            self.exitcode = 1

"""`scrapy test-login`: sign in to a portal, verify the identity of the session, and keep it."""

from __future__ import annotations

import argparse
import sys
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError


class Command(ScrapyCommand):
    """Try a portal's sign-in."""

    requires_project = True
    default_settings: ClassVar[dict[str, Any]] = {}

    def syntax(self) -> str:
        """Show the arguments."""
        return "[options] <portal>"

    def short_desc(self) -> str:
        """Say what it does."""
        return "Try a sign-in; --visible lets a person finish it by hand"

    def long_desc(self) -> str:
        """Say what becomes of the session."""
        return (
            "Sign in to a portal and keep the session for the crawls to come. A live session is looked at and kept; "
            "--fresh signs in anew. One attempt, written to the ledger like any other. With --visible the browser has a "
            "window, and a person may answer a captcha or a code within LATCHKEY_PERSON_WAIT seconds."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add ours to Scrapy's."""
        super().add_options(parser)
        parser.add_argument("--username", help="which credential, where the portal has several")
        parser.add_argument("--login", help="which login, where the portal has several (scrapy portals)")
        parser.add_argument("--fresh", action="store_true", help="forget a live session first")
        parser.add_argument("--visible", action="store_true", help="show the browser, for a person to finish")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Sign in through the same chain as every crawl."""
        if len(args) != 1:
            raise UsageError("name one portal; `scrapy portals` shows them")
        from commands._terminal import WrongArgument, check_texts, places
        from database.access.encryption import key_ring
        from database.access.ledger import Ledger, Refusal
        from database.access.sessions import Sessions
        from database.engine import DatabaseAway, database
        from database.settings import SettingsError
        from scrapers.core.jobs import ArgumentError
        from scrapers.logins.base import Login, code_channels
        from scrapers.logins.credentials import SeveralCredentials
        from scrapers.logins.trial import sign_in_spider

        try:
            check_texts(vars(opts))
        except WrongArgument as error:
            raise UsageError(str(error), print_help=False) from None
        code_channels(places(self.settings))  # imports every portal
        logins = {name: login for name, login in Login.registry.items() if login.portal == args[0]}
        if not logins:
            raise UsageError(f"there is no portal {args[0]}; `scrapy portals` shows them", print_help=False)
        if opts.login and opts.login not in logins:
            raise UsageError(f"--login: {args[0]} has {', '.join(logins)}", print_help=False)
        spider = sign_in_spider(logins[opts.login] if opts.login else next(iter(logins.values())))
        arguments = {"prompt": "yes" if sys.stdin.isatty() else "no", "visible": "yes" if opts.visible else "no"}
        if opts.username:
            arguments["credential"] = opts.username
        try:
            key_ring()
            with database().transaction() as session:
                plans = spider.plans(session, spider.Arguments.parse(arguments))
            if opts.fresh:
                credential, login = plans[0].credential, spider.logins[0].name
                assert credential is not None  # plans() has refused to go on without one
                Ledger(database()).check(login, credential.username, credential.secret)
                Sessions(database()).destroy(login, credential.username)
        except SeveralCredentials as several:
            sys.stderr.write(f"{several.by('--username USERNAME')}\n")
            self.exitcode = 2
            return
        except (ArgumentError, SettingsError, DatabaseAway, Refusal) as error:
            sys.stderr.write(f"{error}\n")
            self.exitcode = 4 if isinstance(error, DatabaseAway) else 2
            return
        from commands.crawl import exit_code, show_progress

        show_progress()
        assert self.crawler_process is not None
        crawler = self.crawler_process.create_crawler(spider)
        self.crawler_process.crawl(crawler, **arguments)
        self.crawler_process.start()
        self.exitcode = exit_code(crawler)
        if crawler.spider is not None and self.exitcode == 0:
            print(f"{spider.logins[0].name}: signed in")

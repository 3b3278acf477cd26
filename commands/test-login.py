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
            "window, and a person may answer a captcha or a code within LATCHKEY_PERSON_WAIT seconds. From the control room an "
            "operator does that without a window: the worker starts this command then."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add ours to Scrapy's."""
        super().add_options(parser)
        parser.add_argument("--username", help="which credential, where the portal has several")
        parser.add_argument("--login", help="which login, where the portal has several (scrapy portals)")
        parser.add_argument("--fresh", action="store_true", help="forget a live session first")
        parser.add_argument("--visible", action="store_true", help="show the browser, for a person to finish")
        parser.add_argument(
            "--assisted",
            type=int,
            default=0,
            metavar="NUMBER",
            help="set by a worker: the request of an operator who finishes it in the control room",
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Sign in through the same chain as every crawl."""
        if len(args) != 1:
            raise UsageError("name one portal; `scrapy portals` shows them")
        from commands._sessions import login_of, refuse_operator, requested, try_session
        from commands._terminal import Refused, WrongArgument, check_texts, places
        from database.access.encryption import UnreadableSecret
        from database.engine import DatabaseAway
        from database.settings import SettingsError

        try:
            check_texts(vars(opts))
            name, username = opts.login, opts.username
            if opts.assisted:
                name, username = requested(opts.assisted, args[0])
            login = login_of(places(self.settings), args[0], name)
        except WrongArgument as error:
            raise UsageError(str(error), print_help=False) from None
        try:
            how = {"fresh": opts.fresh, "visible": opts.visible, "assisted": opts.assisted}
            self.exitcode, _ = try_session(self.crawler_process, login, username, **how)
        except (DatabaseAway, Refused, SettingsError, UnreadableSecret) as error:
            if opts.assisted and not isinstance(error, DatabaseAway):
                refuse_operator(opts.assisted, str(error))
            sys.stderr.write(f"{error}\n")
            self.exitcode = 4 if isinstance(error, DatabaseAway) else 2
            return
        if self.exitcode == 0:
            print(f"{login.name}: signed in")

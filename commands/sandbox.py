"""`scrapy sandbox`: serve the imitation portals, or say where those that run can be found."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scrapy.commands import ScrapyCommand


class Command(ScrapyCommand):
    """Serve the imitation portals."""

    requires_project = True
    requires_crawler_process = False
    default_settings = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        """Return what follows `scrapy sandbox`."""
        return "[--state DIR] [--portals plain,bell] [--sms-url URL] [--mail-url URL] [--perturb SEED] [--environment]"

    def short_desc(self) -> str:
        """Return the line of `scrapy --help`."""
        return "Serve imitation portals on loopback, for trying things out without an account"

    def long_desc(self) -> str:
        """Return the text of `scrapy sandbox --help`."""
        return (
            "Serve imitation portals until interrupted; addresses and state are kept in the state folder. The user "
            "name picks what happens (ok, sms, wrong-password, ...), the password is open-sesame: see sandbox/README.md. "
            'In another shell, `eval "$(scrapy sandbox --environment)"` points our spiders at them.'
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add our options."""
        super().add_options(parser)
        parser.add_argument(
            "--state",
            metavar="DIR",
            default=None,
            help="folder for addresses and state (default: sandbox in the data folder)",
        )
        parser.add_argument("--portals", default="", help="which ones, separated by commas (default: all)")
        parser.add_argument(
            "--sms-url", default="", help="where text messages are posted; the token they carry is SANDBOX_SMS_TOKEN"
        )
        parser.add_argument("--mail-url", default="", help="where mails with codes are posted, with the same token")
        parser.add_argument(
            "--perturb",
            default="",
            metavar="SEED",
            help="change what no fact sheet knows: a seed (7), a seed and dimensions (7-order.words), or off",
        )
        parser.add_argument(
            "--environment", action="store_true", help="print the addresses of the sandbox that runs, as export lines"
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Serve, or print the environment."""
        from scrapy.exceptions import UsageError

        if args:
            raise UsageError(f"`scrapy sandbox` takes options only, not {args[0]!r}.", print_help=False)
        from database.settings import SettingsError, database_settings

        try:
            folder = Path(opts.state) if opts.state else database_settings().data_dir / "sandbox"
        except SettingsError as error:
            self._fail(str(error))
            return
        if opts.environment:
            self._print_environment(folder)
            return
        from sandbox.serving import run

        words = [word for word in opts.portals.split(",") if word]
        sentence = run(folder, words, opts.sms_url, opts.mail_url, opts.perturb)
        if sentence:
            self._fail(sentence)

    def _print_environment(self, folder: Path) -> None:
        import shlex

        from sandbox.client import environment_of

        environment = environment_of(folder)
        if environment is None:
            self._fail(f"No sandbox runs with the state folder {folder}: start one with `scrapy sandbox`.")
            return
        for name, value in environment.items():
            print(f"export {name}={shlex.quote(value)}")

    def _fail(self, sentence: str) -> None:
        print(sentence, file=sys.stderr)
        self.exitcode = 1

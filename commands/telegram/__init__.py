"""`scrapy telegram`: sessions of accounts and the channels that they see, at the terminal. Each act has a module of its own."""

from __future__ import annotations

import argparse
from importlib import import_module

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday

# Act: what it does. Its module has `options(parser)` and `run(opts) -> exit code`.
ACTS = {
    "login": "Sign in to Telegram at this terminal, and store the session or print it.",
    "sessions": "List the sessions and their state; test or delete them.",
    "channels": "List the channels that a session's account sees.",
}


class Command(Everyday, ScrapyCommand):
    """Sign in to Telegram, and look at sessions and channels."""

    word = "telegram"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return f"{'|'.join(ACTS)} …"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Telegram: sign in, sessions and their state, channels"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Let each act add its own."""
        act = self.acts(parser)
        for name, does in ACTS.items():
            import_module(f"commands.telegram.{name}").options(act(name, does))

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run the act as `do`: acts are no methods here."""
        opts.chosen, opts.act = opts.act, None
        super().run(args, opts)

    def do(self, opts: argparse.Namespace) -> None:
        """Run the act that was chosen."""
        self.exitcode = import_module(f"commands.telegram.{opts.chosen}").run(opts)

"""`scrapy telegram`: sessions of accounts, the channels that they see, and sources. Each act has a module of its own."""

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
    "sources": "List, add, change, pause, resume and remove sources.",
    "run": "Read sources now.",
    "runs": "List the runs of a source, and what they have kept.",
    "files": "List the files of a source, and what has become of them.",
}


class Command(Everyday, ScrapyCommand):
    """Sign in to Telegram, and look at sessions, channels, sources and files."""

    word = "telegram"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return f"{'|'.join(ACTS)} …"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Telegram: sign in, sessions, channels, sources and their files"

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

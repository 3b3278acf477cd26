"""`scrapy prices`: what users watch, and what was found, at the terminal. Each act has a module of its own."""

from __future__ import annotations

import argparse
from importlib import import_module

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday

# Act: what it does. Its module has `options(parser)` and `run(opts) -> exit code`.
ACTS = {
    "add": "Watch a product, or change how it is watched.",
    "watch": "Watch the products of a file; a line that is wrong is named and does not stop the rest.",
    "check": "Check an address once, without watching it: what was read, and from which source.",
    "list": "List what is watched, and how it stood at its last check.",
    "history": "List the checks of a watched product, the newest first.",
    "export": "Write all checks as CSV or JSON.",
}


class Command(Everyday, ScrapyCommand):
    """Watch prices, and look at what was found."""

    word = "prices"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return f"{'|'.join(ACTS)} …"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Price watch: what is watched and for whom, checks and their history, a check now"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Let each act add its own."""
        act = self.acts(parser)
        for name, does in ACTS.items():
            import_module(f"commands.prices.{name}").options(act(name, does))

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run the act as `do`: acts are no methods here."""
        opts.chosen, opts.act = opts.act, None
        super().run(args, opts)

    def do(self, opts: argparse.Namespace) -> None:
        """Run the act that was chosen."""
        opts.project = self.settings  # with which an act crawls
        self.exitcode = import_module(f"commands.prices.{opts.chosen}").run(opts)

"""`scrapy notify`: who is told that a person must act, and the digest. Each act has a module of its own."""

from __future__ import annotations

import argparse
from importlib import import_module

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday

# Act: what it does. Its module has `options(parser)` and `run(opts) -> exit code`.
ACTS = {
    "add": "Add an address that is told, or change what it is told.",
    "list": "List the addresses, and what became of their last message.",
    "remove": "Remove an address, with the messages that wait for it.",
    "causes": "List why a person must act: what is open, since when, and what it concerns.",
    "test": "Send a test message to each address now, and say what happened.",
    "digest": "Send the digest now, or print it.",
    "send": "Do once what a worker does at each tick: look at the runs that have ended, and send what is due.",
}


class Command(Everyday, ScrapyCommand):
    """Tell people that they must act."""

    word = "notify"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return f"{'|'.join(ACTS)} …"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Tell people that they must act: addresses by actor and client, causes, a digest"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Let each act add its own."""
        act = self.acts(parser)
        for name, does in ACTS.items():
            import_module(f"commands.notify.{name}").options(act(name, does))

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run the act as `do`: acts are no methods here."""
        opts.chosen, opts.act = opts.act, None
        super().run(args, opts)

    def do(self, opts: argparse.Namespace) -> None:
        """Run the act that was chosen."""
        self.exitcode = import_module(f"commands.notify.{opts.chosen}").run(opts)

"""`scrapy jobs`: what is to be fetched. Each act has a module of its own."""

from __future__ import annotations

import argparse
from importlib import import_module

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday

# Act: what it does. Its module has `options(parser)` and `run(command, opts) -> exit code`.
ACTS = {
    "create": "Make the jobs that are missing: of open billing cycles, accounts, tenants, contracts.",
    "list": "List jobs: why each waits, and when it comes.",
    "show": "Tell all about one job: its log, its runs, why it waits, when it comes.",
    "run": "Do all jobs that are due, then end.",
    "cancel": "Cancel jobs; the crawl of a running one ends.",
    "retry": "Make jobs due at once, with all their tries.",
    "simulate": "Play schedules, outages and kills through a simulated time, and prove that no due time is lost.",
}


class Command(Everyday, ScrapyCommand):
    """Make, look at and do jobs."""

    word = "jobs"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return f"{'|'.join(ACTS)} …"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Jobs in the queue: make, list, do, cancel, try again"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Let each act add its own."""
        act = self.acts(parser)
        for name, does in ACTS.items():
            import_module(f"commands.jobs.{name}").options(act(name, does))

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run the act as `do`: acts are no methods here."""
        opts.chosen, opts.act = opts.act, None
        super().run(args, opts)

    def do(self, opts: argparse.Namespace) -> None:
        """Run the act that was chosen."""
        self.exitcode = import_module(f"commands.jobs.{opts.chosen}").run(self, opts)

"""`scrapy iec`: what a customer of the electric company asks for at the terminal. Each act has a module of its own."""

from __future__ import annotations

import argparse
from importlib import import_module

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday

# Act: its module, which has `options(parser)` and `run(opts) -> exit code`; what it does.
ACTS = {
    "readings": ("readings", "Show stored readings of meters by hour, day or month, with a chart."),
    "appliance": ("appliance", "Tell what an appliance takes and costs, by the company's list."),
    "send-report": ("send_report", "Let the company mail the consumption report of a contract."),
    "invite": ("invite", "Make the link by which somebody else gets to see a contract."),
    "remove-shared": ("remove_shared", "Take a contract away from somebody with whom it is shared."),
    "tokens": ("tokens", "Write the tokens of a session to a file, or read them from one."),
}


class Command(Everyday, ScrapyCommand):
    """Ask, look at and share what the electric company keeps."""

    word = "iec"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return f"{'|'.join(ACTS)} …"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Israel Electric Company: readings, appliances, reports, shared contracts, tokens"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Let each act add its own."""
        act = self.acts(parser)
        for name, (module, does) in ACTS.items():
            import_module(f"commands.iec.{module}").options(act(name, does))

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run the act as `do`: acts are no methods here."""
        opts.chosen, opts.act = opts.act, None
        super().run(args, opts)

    def do(self, opts: argparse.Namespace) -> None:
        """Run the act that was chosen."""
        self.exitcode = import_module(f"commands.iec.{ACTS[opts.chosen][0]}").run(opts)

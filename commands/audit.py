"""`scrapy audit`: every change and every use of a secret."""

from __future__ import annotations

import argparse
import json

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, WrongArgument, show

MOST = 10_000  # rows


class Command(Everyday, ScrapyCommand):
    """List the audit."""

    word = "audit"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return "[--who WHO] [--what ACTION] [--subject TEXT]"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "List every change and every use of a secret: who, what, when, from where"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the filters."""
        parser.add_argument("--who", help="mail address of a user, or user of the operating system")
        parser.add_argument(
            "--what", metavar="ACTION", help="such as credential.used; credential stands for all that begin so"
        )
        parser.add_argument("--subject", metavar="TEXT", help="text in what it was done to, such as a user name")
        parser.add_argument("--limit", type=int, default=50, help="how many at most, the newest first (default: 50)")
        parser.add_argument("--json", action="store_true", help="as JSON")

    def do(self, opts: argparse.Namespace) -> None:
        """List the newest rows."""
        from database.access.audit import entries
        from database.engine import database

        if not 1 <= opts.limit <= MOST:
            raise WrongArgument(f"--limit: it must be between 1 and {MOST}.")
        with database().transaction() as session:
            rows = entries(session, actor=opts.who, action=opts.what, subject=opts.subject, limit=opts.limit)
            lines = [
                (row.at, row.actor, row.via, row.address, row.action, row.subject, _said(row.detail, opts))
                for row in rows
            ]
        show(
            ("when", "who", "by", "from", "what", "to what", "detail"),
            lines,
            empty="Nothing was written down that fits.",
            as_json=opts.json,
        )


def _said(detail: dict[str, object] | None, opts: argparse.Namespace) -> object:
    if opts.json or detail is None:
        return detail
    return json.dumps(detail, ensure_ascii=False, sort_keys=True)

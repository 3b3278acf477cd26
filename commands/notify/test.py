"""`scrapy notify test`: one message to each address, now."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from database.models.notices import NoticeAddress

SUBJECT = "[Latchkey] Test message"


def options(parser: argparse.ArgumentParser) -> None:
    """Add the filter."""
    parser.add_argument("--client", metavar="NAME", help="only the addresses of this client")


def run(opts: argparse.Namespace) -> int:
    """Send them, and print for each what has happened."""
    from commands.notify._addresses import recipients, send_each
    from database.engine import database
    from jobs.settings import NoticeSettings

    NoticeSettings.current()  # what is wrong in it is said before anything is sent
    with database().transaction() as session:
        rows = recipients(session, opts.client)
    return send_each(rows, _message)


def _message(row: NoticeAddress, client: str | None) -> tuple[str, str]:
    whom = f" of {client}" if client else ""
    digest = "It gets the digest." if row.digest else "It gets no digest."
    return SUBJECT, f"This address is told what concerns {', '.join(row.actors)}{whom}. {digest}\n"

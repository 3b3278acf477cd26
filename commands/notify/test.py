"""`scrapy notify test`: one message to each address, now."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from commands._terminal import Refused, WrongArgument

if TYPE_CHECKING:
    from collections.abc import Callable

    from database.models.notices import NoticeAddress

SUBJECT = "[Latchkey] Test message"


def options(parser: argparse.ArgumentParser) -> None:
    """Add the filter."""
    parser.add_argument("--client", metavar="NAME", help="only the addresses of this client")


def run(opts: argparse.Namespace) -> int:
    """Send them, and print for each what has happened."""
    from database.engine import database
    from jobs.settings import NoticeSettings

    NoticeSettings.current()  # what is wrong in it is said before anything is sent

    def message(row: NoticeAddress, client: str | None) -> tuple[str, str]:
        whom = f" of {client}" if client else ""
        digest = "It gets the digest." if row.digest else "It gets no digest."
        return SUBJECT, f"This address is told what concerns {', '.join(row.actors)}{whom}. {digest}\n"

    with database().transaction() as session:
        rows = recipients(session, opts.client)
    return send_each(rows, message)


def recipients(session: object, client: str | None, *, digest: bool = False) -> list[tuple[NoticeAddress, str | None]]:
    """Return the addresses, with the names of their clients; raise WrongArgument, or Refused when there are none."""
    from sqlalchemy.orm import Session

    from database.jobs.recipients import NoSuchClient, client_named, listed

    assert isinstance(session, Session)
    try:
        rows = listed(session, client_id=client_named(session, client), digest=digest)
    except NoSuchClient as error:
        raise WrongArgument(f"--client: {error}") from None
    if not rows:
        raise Refused("There is no such address: add one with `scrapy notify add ADDRESS`.")
    return rows


def send_each(
    rows: list[tuple[NoticeAddress, str | None]], message: Callable[[NoticeAddress, str | None], tuple[str, str]]
) -> int:
    """Send each address its message, print what has happened, and return 1 where one was not taken."""
    from jobs.channels import NotTaken
    from jobs.mail import MailNotSent
    from jobs.notices import deliver, shown
    from jobs.settings import MailSettings

    code = 0
    for row, client in rows:
        named = f"{row.id}  {shown(row.service, row.address)}{f'  {client}' if client else ''}"
        try:
            deliver(MailSettings.current(), row.service, row.address, *message(row, client))
        except (MailNotSent, NotTaken) as error:
            code = 1
            print(f"{named}: not sent: {error}")
        else:
            print(f"{named}: sent")
    return code

"""What the acts share: which client and addresses are meant, and messages that are sent at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commands._terminal import Refused, WrongArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from database.models.notices import NoticeAddress


def client_id(session: Session, name: str | None) -> int | None:
    """Return the id of the client of `--client`; None without a name. Raises WrongArgument."""
    from database.jobs.recipients import NoSuchClient, client_named

    try:
        return client_named(session, name)
    except NoSuchClient as error:
        raise WrongArgument(f"--client: {error}") from None


def recipients(session: Session, client: str | None, *, digest: bool = False) -> list[tuple[NoticeAddress, str | None]]:
    """Return the addresses, with the names of their clients; raise WrongArgument, or Refused when there are none."""
    from database.jobs.recipients import listed

    rows = listed(session, client_id=client_id(session, client), digest=digest)
    if not rows:
        raise Refused("There is no such address: add one with `scrapy notify add ADDRESS`.")
    return rows


def send_each(
    rows: Sequence[tuple[NoticeAddress, str | None]],
    message: Callable[[NoticeAddress, str | None], tuple[str, str]],
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

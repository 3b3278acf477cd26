"""`scrapy notify digest`: what is missing, who must act, what is new; now."""

from __future__ import annotations

import argparse
import re
from datetime import timedelta


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument("--client", metavar="NAME", help="of this client alone, to its own addresses")
    parser.add_argument("--since", type=_days, metavar="DAYS", help="as 1d or 7d (default: as LATCHKEY_NOTIFY_DIGEST)")
    parser.add_argument("--print", action="store_true", help="print it, and send nothing")


def run(opts: argparse.Namespace) -> int:
    """Print or send it; the next one that is due is sent all the same."""
    from commands.notify._addresses import client_id, recipients, send_each
    from database.engine import database, now
    from database.jobs.causes import collect
    from database.models import Client
    from jobs.digest import digest
    from jobs.notices import PERIODS
    from jobs.settings import NoticeSettings

    settings = NoticeSettings.current()
    since = opts.since or PERIODS.get(settings.notify_digest, PERIODS["daily"])
    with database().transaction() as session:
        at = now(session)
        if opts.print:
            wanted = {opts.client: client_id(session, opts.client)}
        else:
            rows = recipients(session, opts.client, digest=True)
            wanted = {name: row.client_id for row, name in rows}
        collect(session, at)  # no worker may have looked at what has just ended
        made = {
            name: digest(
                session,
                at - since,
                at,
                settings.notify_time_zone,
                None if number is None else session.get_one(Client, number),
            )
            for name, number in wanted.items()
        }
    if opts.print:
        print(f"{made[opts.client].subject}\n\n{made[opts.client].text}", end="")
        return 0
    return send_each(rows, lambda _, client: (made[client].subject, made[client].text))


def _days(given: str) -> timedelta:
    """Return the time of `7d` (argparse type)."""
    if (match := re.fullmatch(r"([1-9]\d{0,2})d", given)) is None:
        raise argparse.ArgumentTypeError(f"{given!r} is no number of days like 1d or 7d")
    return timedelta(days=int(match[1]))

"""`scrapy telegram channels`: the channels that a session's account sees."""

from __future__ import annotations

import argparse

COLUMNS = ("id", "title", "username", "type", "private", "members", "saving", "description")


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument(
        "session", nargs="?", metavar="SESSION", help="id or name of the session (default: the only one)"
    )
    parser.add_argument(
        "--no-details", action="store_true", help="without members and descriptions, for which each channel is asked"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(opts: argparse.Namespace) -> int:
    """Print them; raise Refused, WrongArgument."""
    import sys

    from commands._terminal import Refused, show
    from commands.telegram.choosing import WHO, refusals, session_named
    from database.engine import database
    from database.families.telegram.sessions import note_wait
    from scrapers.portals.telegram.dialogs import channels_of
    from scrapers.portals.telegram.using import use

    with database().transaction() as session:
        row = session_named(session, opts.session)
        session_id, is_bot = row.id, row.is_bot
    if is_bot:
        raise Refused("This session is a bot's: Telegram lets bots list no channels.")
    with refusals():
        found = use(database(), session_id, lambda client: channels_of(client, details=not opts.no_details), who=WHO)
    show(
        COLUMNS,
        [
            (
                *(each.id, each.title, each.username, each.kind, each.is_private, each.participants_count),
                *("forbidden" if each.noforwards else "closed" if each.is_closed else "allowed", each.description),
            )
            for each in found.found
        ],
        empty="The account sees no channel.",
        as_json=opts.json,
    )
    if found.waits_until is not None:
        with database().transaction() as session:
            note_wait(session, session_id, found.waits_until)
        print(
            f"Telegram wants a pause until {found.waits_until:%Y-%m-%d %H:%M:%S} UTC: some members and descriptions are missing.",
            file=sys.stderr,
        )
    return 0

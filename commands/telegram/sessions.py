"""`scrapy telegram sessions`: the sessions of all owners and their state; tests and deletes them."""

from __future__ import annotations

import argparse

COLUMNS = ("id", "name", "account", "owner", "state", "waits until", "sources", "checked", "message")


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument("session", nargs="?", metavar="SESSION", help="only this one: its id, or its name")
    parser.add_argument("--test", action="store_true", help="ask Telegram first whether they work")
    parser.add_argument("--remove", action="store_true", help="delete the one that is named, if no source uses it")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(opts: argparse.Namespace) -> int:
    """List them, after they were tested; the exit code is 1 where one of those does not work."""
    from commands._terminal import WrongArgument, show
    from commands.telegram.choosing import session_named, shown_number
    from database.engine import database, now
    from database.families.telegram.sessions import every, sources_with
    from database.models.prices import User

    if opts.remove:
        if opts.session is None or opts.test:
            raise WrongArgument("--remove: name one session, and nothing else.")
        return _remove(opts.session)
    with database().transaction() as session:
        ids = (
            [session_named(session, opts.session).id]
            if opts.session is not None
            else [row.id for row in every(session)]
        )
    works = [_test(session_id) for session_id in ids] if opts.test else []
    with database().transaction() as session:
        rows = []
        for row in every(session):
            if row.id in ids:
                owner = session.get_one(User, row.user_id).email if row.user_id is not None else "installation"
                waits = row.waits_until if row.waits_until is not None and row.waits_until > now(session) else None
                account = "bot" if row.is_bot else shown_number(row.phone_number)
                known = (sources_with(session, row.id), row.last_checked_at, row.message)
                rows.append((row.id, row.name, account, owner, str(row.state), waits, *known))
    show(COLUMNS, rows, empty="There is no session: `scrapy telegram login` makes one.", as_json=opts.json)
    return 0 if all(works) else 1


def _test(session_id: str) -> bool:
    """Ask Telegram about a session, and say on standard error what keeps it from working or from being asked."""
    import sys

    from commands.telegram.choosing import WHO
    from database.engine import database
    from scrapers.core.outcomes import FloodWait
    from scrapers.portals.telegram.using import InUse, NoSession, check

    try:
        failure = check(database(), session_id, who=WHO)
    except (FloodWait, InUse) as error:
        print(f"{session_id}: {error}", file=sys.stderr)
        return True
    except NoSession:
        return True
    if failure is not None:
        print(f"{session_id}: {failure}", file=sys.stderr)
    return failure is None


def _remove(reference: str) -> int:
    from commands._terminal import Refused
    from commands.telegram.choosing import session_named
    from database.engine import database
    from database.families.telegram.sessions import SessionRefused, delete

    try:
        with database().transaction() as session:
            row = session_named(session, reference)
            name, session_id = row.name, row.id
            delete(session, row)
    except SessionRefused as error:
        raise Refused(str(error)) from None
    print(f"Removed: {name} ({session_id}). Its account can end it among its devices, too.")
    return 0

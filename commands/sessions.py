"""`scrapy sessions`: who is signed in where, and how that was proved; look at a session, renew it, end it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, places, show

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

RUNS = 5  # that have used a session


class Command(Everyday, ScrapyCommand):
    """List, test, refresh and end sessions at portals."""

    word = "sessions"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return "list|test|refresh|sign-out …"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Who is signed in where, since when, proved how; test, refresh or end a session"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the acts."""
        act = self.acts(parser)
        listed = act("list", "List the sessions: since when, until when, proved by what, used by which runs.")
        listed.add_argument("--json", action="store_true", help="as JSON")
        for name, does in (
            ("test", "Look whether a stored session still lives. It never signs in."),
            ("refresh", "Sign in anew, in one attempt that the ledger allows."),
        ):
            one = act(name, does)
            one.add_argument("portal", help="portal of the session")
            one.add_argument("--login", help="which login, where the portal has several")
            one.add_argument("--username", help="which credential, where the portal has several")
        out = act(
            "sign-out", "End the sessions of a portal: here, and with --at-portal there too where its login knows how."
        )
        out.add_argument("portal", help="whose sessions")
        out.add_argument("--username", help="only of this credential (default: all)")
        out.add_argument("--at-portal", action="store_true", help="sign out at the portal, too")

    def list(self, opts: argparse.Namespace) -> None:
        """List them."""
        from database.engine import database, now

        with database().transaction() as session:
            rows = sessions(session, now(session))
        columns = ("login", "username", "state", "since", "expires", "proved by", "device", "works for", "runs")
        show(columns, [tuple(row.values()) for row in rows], empty="No one is signed in anywhere.", as_json=opts.json)

    def test(self, opts: argparse.Namespace) -> None:
        """Look at one."""
        self._try(opts, look=True)

    def refresh(self, opts: argparse.Namespace) -> None:
        """Sign in anew."""
        self._try(opts, fresh=True)

    def sign_out(self, opts: argparse.Namespace) -> None:
        """End those of a portal."""
        from scrapy.crawler import CrawlerProcess

        from commands._sessions import alive, leave, login_of
        from database.access.sessions import Sessions
        from database.engine import database
        from scrapers.logins.base import Login

        login_of(places(self.settings), opts.portal, None)
        found = alive(opts.portal, opts.username)
        left = 0
        if opts.at_portal:
            known = [(Login.registry[login], username) for login, username in found]
            left = leave(CrawlerProcess(self.settings), [each for each in known if each[0].can_leave()])
        for login, username in found:
            Sessions(database()).destroy(login, username)
        print(f"Signed out: {opts.portal}, {len(found)} sessions, {left} of them at the portal.")

    def _try(self, opts: argparse.Namespace, **how: bool) -> None:
        from scrapy.crawler import CrawlerProcess

        from commands._sessions import login_of, try_session

        login = login_of(places(self.settings), opts.portal, opts.login)
        self.exitcode, username = try_session(CrawlerProcess(self.settings), login, opts.username, **how)
        print(f"{login.name} {username}: {'signed in' if self.exitcode == 0 else 'not signed in'}")


def sessions(session: Session, time: datetime) -> list[dict[str, Any]]:
    """Return what is known of each session; nothing is decrypted for it."""
    from sqlalchemy import or_, select

    from database.models import Lease, Run, StoredSession

    columns = (
        *(StoredSession.login, StoredSession.username, StoredSession.created_at, StoredSession.expires_at),
        StoredSession.state.is_not(None).label("alive"),
        StoredSession.device.is_not(None).label("device"),
    )
    found = []
    for row in session.execute(select(*columns).order_by(StoredSession.login, StoredSession.username)):
        words = row.login.split("_")
        portals = ["_".join(words[:end]) for end in range(1, len(words) + 1)]
        runs = session.scalars(
            select(Run)
            .where(Run.portal.in_(portals), Run.username == row.username)
            .where(or_(Run.finished_at.is_(None), Run.finished_at >= row.created_at))
            .order_by(Run.id.desc())
            .limit(RUNS)
        ).all()
        of_session = Lease.name == f"run:{row.login}:{row.username}", Lease.holder != "", Lease.expires_at > time
        is_over = row.expires_at is not None and row.expires_at <= time
        found.append(
            {
                "login": row.login,
                "username": row.username,
                "state": "signed in" if row.alive and not is_over else "ended",
                "since": row.created_at,
                "expires": row.expires_at,
                "proved_by": next((run.proved_by for run in runs if run.proved_by), None),
                "device": row.device,
                "works_for": session.scalar(select(Lease.holder).where(*of_session)),
                "runs": ", ".join(str(run.id) for run in runs) or None,
            }
        )
    return found

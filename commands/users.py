"""`scrapy users`: who may enter the control room, in which role; sign-in links."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, Refused, WrongArgument, show

if TYPE_CHECKING:
    from database.models.operators import Role

NO_MAIL = "operator@localhost"  # an operator without a mail address signs in by links alone
ROLES = {"operator": "operator", "viewer": "viewer", "client": "client_viewer"}  # option: role


class Command(Everyday, ScrapyCommand):
    """Add, list and remove the users of the control room."""

    word = "users"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return "add|link|list|remove …"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Add, list or remove the users of the control room; print sign-in links"

    def long_desc(self) -> str:
        """Return the page of the command."""
        return (
            "Operators see and change everything in the control room (`scrapy serve`, then /room); viewers see everything; "
            "viewers of one client see what belongs to it. A link signs a user in once, within ten minutes of its making; "
            "after that a code is sent by mail at each sign-in, or the user adds a passkey on the page `Sign-in`, or a new "
            "link is made. Taking the role away deletes the passkeys."
        )

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the acts."""
        act = self.acts(parser)
        add = act("add", "Give a user a role, and print a sign-in link. A changed role ends the user's sign-ins.")
        add.add_argument(
            "email", nargs="?", help=f"mail address to which codes are sent (default: {NO_MAIL}, who has links alone)"
        )
        role = add.add_mutually_exclusive_group(required=True)
        role.add_argument("--operator", action="store_true", help="may see and change everything")
        role.add_argument("--viewer", action="store_true", help="may see everything")
        role.add_argument("--client", metavar="NAME", help="may see what belongs to this client, and nothing else")
        link = act("link", "Print a new sign-in link of a user; one that was printed before is void.")
        link.add_argument("email", nargs="?", default=NO_MAIL, help=f"mail address (default: {NO_MAIL})")
        listed = act("list", "List the users who have a role.")
        listed.add_argument("--json", action="store_true", help="as JSON")
        removed = act("remove", "Take the role of a user away, end the sign-ins and delete the passkeys.")
        removed.add_argument("email", help="mail address")

    def add(self, opts: argparse.Namespace) -> None:
        """Give a role."""
        from sqlalchemy import select

        from database.access.roles import grant, make_link
        from database.engine import database
        from database.models import Client
        from database.models.operators import Role

        email = _email(opts.email) if opts.email else NO_MAIL
        if email == NO_MAIL and not opts.operator:
            raise WrongArgument("email: a viewer needs a mail address.")
        role = next(Role(ROLES[name]) for name in ROLES if getattr(opts, name))
        with database().transaction() as session:
            client = None
            if role is Role.CLIENT_VIEWER:
                client = session.scalars(select(Client).where(Client.name == opts.client.strip())).one_or_none()
                if client is None:
                    raise WrongArgument(
                        f"--client: there is no client {opts.client!r}; `scrapy accounts list` shows them."
                    )
            user = grant(session, email, role, client)
            token = make_link(session, user)
        print(f"{email} is {_said(role, client.name if client else None)}.")
        _show_link(token)

    def link(self, opts: argparse.Namespace) -> None:
        """Print a new link."""
        from database.access.roles import make_link
        from database.access.users import has_role, user_of
        from database.engine import database

        email = _email(opts.email) if opts.email != NO_MAIL else NO_MAIL
        with database().transaction() as session:
            user = user_of(session, email)
            if user is None or not has_role(session, user):
                raise Refused(f"{email} has no role: give one with `scrapy users add`.")
            token = make_link(session, user)
        _show_link(token)

    def list(self, opts: argparse.Namespace) -> None:
        """List the users who have a role."""
        from database.access.roles import members
        from database.access.users import sessions_of
        from database.engine import database

        with database().transaction() as session:
            rows = [
                (
                    member.user.email,
                    member.role.value,
                    member.client,
                    max((each.last_used_at for each in sessions_of(session, member.user.id)), default=None),
                )
                for member in members(session)
            ]
        show(
            ("email", "role", "client", "signed in, used last"),
            rows,
            empty="No one may enter the control room: `scrapy users add EMAIL --operator` lets somebody in.",
            as_json=opts.json,
        )

    def remove(self, opts: argparse.Namespace) -> None:
        """Take a role away."""
        from database.access.roles import withdraw
        from database.engine import database

        email = _email(opts.email) if opts.email != NO_MAIL else NO_MAIL
        with database().transaction() as session:
            if not withdraw(session, email):
                raise Refused(f"{email} has no role; `scrapy users list` shows all.")
        print(f"Removed: {email}. The sign-ins have ended, and the passkeys are deleted.")


def _email(given: str) -> str:
    """
    Return a mail address as it is stored; raise WrongArgument for anything else.

    >>> _email(" Ana@Example.com ")
    'ana@example.com'
    """
    from pydantic import TypeAdapter, ValidationError

    from database.families.watching import Email

    try:
        found: str = TypeAdapter(Email).validate_python(given.strip())
    except ValidationError:
        raise WrongArgument(f"email: {given!r} is no mail address.") from None
    return found


def _said(role: Role, client: str | None) -> str:
    return f"a viewer of {client}" if client else f"{'an' if role == 'operator' else 'a'} {role.value}"


def _show_link(token: str) -> None:
    from webhook.settings import webhook_settings

    # Behind the #, where browsers keep it to themselves: no proxy writes it into its log.
    address = f"{webhook_settings().address}/room/link#{token}"
    print(f"Sign in, once, within 10 minutes, while `scrapy serve` runs:\n{address}")

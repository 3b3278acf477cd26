"""`scrapy credentials`: user names and secrets of portals, stored encrypted. A secret comes from a prompt or standard input."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, Refused, WrongArgument, places, portals, read_lines, show, text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from database.families.credentials import NewCredential
    from database.models import StoredCredential


class Command(Everyday, ScrapyCommand):
    """Add, import, list, sign out, remove and unblock credentials."""

    word = "credentials"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return "add|import|list|sign-out|remove|unblock …"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Add, import, list, remove or unblock the credentials of portals"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the acts."""
        act = self.acts(parser)
        add = act("add", "Store a credential, or change the one with the same user name. Asks for its secrets.")
        add.add_argument("portal", help="the portal's one word, or one of its logins, as `scrapy portals` shows them")
        add.add_argument("--username", help="asked for when it is left out")
        add.add_argument("--client", help="company whose credential it is (carriers only)")
        add.add_argument(
            "--receiver",
            metavar="+1555…,codes@…",
            help="where its one-time codes are sent: a phone number, a mail address, or both separated by a comma",
        )
        add.add_argument("--nickname", help="what people call it")
        add.add_argument("--no-totp", action="store_true", help="forget the authenticator secret that is stored")
        add.add_argument(
            "--stdin",
            action="store_true",
            help="read the secrets from standard input: the password on the first line, an authenticator (TOTP) secret on the second, if there is one",
        )
        many = act("import", "Store the credentials of a CSV file: all of them, or none when a line is wrong.")
        many.add_argument(
            "file",
            type=Path,
            metavar="FILE.csv",
            help="its first line names the columns portal, username, password and, if wanted, totp_secret, receiver, client, nickname; only its owner may read it (chmod 600)",
        )
        listed = act("list", "List credentials, without their secrets, and how their last sign-in went.")
        listed.add_argument("--json", action="store_true", help="as JSON")
        for name, does in (
            ("sign-out", "End the sessions of a credential, at the portal too where its login knows how."),
            ("remove", "Remove a credential, its sessions, and its links to accounts."),
            ("unblock", "Let a blocked or resting credential try again."),
        ):
            other = act(name, does)
            other.add_argument("portal", help="the portal's one word")
            other.add_argument("--username", help="which one, where the portal has several")

    def add(self, opts: argparse.Namespace) -> None:
        """Store a credential."""
        from sqlalchemy import select

        from database.access.encryption import key_ring
        from database.engine import database
        from database.families.credentials import NewCredential
        from database.models import StoredCredential

        house = House(self.settings)
        house.check(opts.portal, opts.client)
        receiver = check_receiver(opts.receiver or "")
        key_ring()  # before the prompt: without a key the secret could not be stored
        with database().transaction() as session:
            session.scalar(select(StoredCredential.id).limit(1))
        username, password, totp_secret = _ask(opts, house.secret_name(opts.portal))
        told = receiver if receiver is not None or opts.receiver is None else ""
        new = NewCredential(
            opts.portal, username, password, totp_secret, told, (opts.client or "").strip() or None, opts.nickname
        )
        house.check_secret(new)
        with database().transaction() as session:
            is_new = house.store(session, new, forget_totp=opts.no_totp)
        portal = portal_of(house.known, opts.portal)
        tries = portal if portal == opts.portal else f"{portal} --login {opts.portal}"
        print(f"{'Stored' if is_new else 'Changed'}: {opts.portal} {username}. `scrapy test-login {tries}` tries it.")

    def import_(self, opts: argparse.Namespace) -> None:
        """Store the credentials of a file: all of them, or none."""
        from database.access.encryption import key_ring
        from database.engine import database
        from database.families.credentials import is_private, read_credentials
        from database.families.imports import BadLines

        try:
            if not is_private(opts.file):
                raise Refused(
                    f"{opts.file} can be read by others, and it holds passwords: run `chmod 600 {opts.file}`, and change "
                    "them if others may have read it."
                )
        except OSError as error:
            raise WrongArgument(f"{opts.file} cannot be read: {error.strerror}.") from None
        lines, house = read_lines(opts.file), House(self.settings)
        key_ring()
        problems, added = [], 0
        try:
            found = read_credentials(lines)
            with database().transaction() as session:
                for number, new in found:
                    try:
                        added += house.store(session, house.checked(new))
                    except WrongArgument as error:
                        problems.append(f"Line {number}: {error}")
                if problems:
                    raise BadLines(problems)
        except BadLines as error:
            raise Refused("\n".join([*error.problems, f"Nothing of {opts.file} was imported."])) from None
        print(
            f"Stored {added}, changed {len(found) - added}. {opts.file} still holds the secrets: delete it once they are tried."
        )

    def list(self, opts: argparse.Namespace) -> None:
        """List what is known of every credential."""
        rows = list(overview(self.settings))
        show(
            ("portal", "username", "client", "kept in", "authenticator", "receiver", "login", "last sign-in", "state"),
            rows,
            empty="No credential is known: store one with `scrapy credentials add`.",
            as_json=opts.json,
        )

    def sign_out(self, opts: argparse.Namespace) -> None:
        """End the sessions of a credential: at the portal where its login knows how, and here in any case."""
        from scrapy.crawler import CrawlerProcess
        from sqlalchemy import select

        from commands._sessions import leave
        from database.access.sessions import Sessions
        from database.engine import database
        from database.models import StoredSession

        with database().transaction() as session:
            row = _stored(session, opts)
            of_row = select(StoredSession.login).where(StoredSession.username == row.username)
            alive = of_row.where(StoredSession.login.in_(self._logins(opts.portal)), StoredSession.state.is_not(None))
            logins = session.scalars(alive).all()
            username = row.username
        known = [login for login in served(portals(self.settings), opts.portal) if login.name in logins]
        leaving = [(login, username) for login in known if login.can_leave()]
        at_portal = leave(CrawlerProcess(self.settings), leaving) if leaving else 0
        for login in logins:
            Sessions(database()).destroy(login, username)  # what could not be left at the portal
        print(f"Signed out: {opts.portal} {username}, {len(logins)} sessions, {at_portal} of them at the portal.")

    def remove(self, opts: argparse.Namespace) -> None:
        """Remove a credential with what hangs on it."""
        from sqlalchemy import delete
        from sqlalchemy.exc import IntegrityError

        from database.engine import database
        from database.models import ScraperConfig, StoredSession

        logins = self._logins(opts.portal)
        try:
            with database().transaction() as session:
                row = _stored(session, opts)
                links = session.execute(
                    delete(ScraperConfig).where(ScraperConfig.credential_id == row.id).returning(ScraperConfig.id)
                ).all()
                sessions = session.execute(
                    delete(StoredSession)
                    .where(StoredSession.username == row.username, StoredSession.login.in_(logins))
                    .returning(StoredSession.id)
                ).all()
                username = row.username
                session.delete(row)
        except IntegrityError:
            raise Refused(f"{opts.portal} {opts.username or ''} cannot be removed: jobs still refer to it.") from None
        print(f"Removed: {opts.portal} {username}, {len(links)} links to accounts, {len(sessions)} sessions.")

    def unblock(self, opts: argparse.Namespace) -> None:
        """Lift the blocks and rests of a credential."""
        from database.access.ledger import Ledger
        from database.engine import database

        username = opts.username
        if username is None:
            with database().transaction() as session:
                username = _stored(session, opts).username
        if not Ledger(database()).unblock(self._logins(opts.portal), username):
            raise Refused(f"{opts.portal} {username} has never tried to sign in: there is nothing to unblock.")
        print(
            f"Unblocked: {opts.portal} {username}. The next run tries it again; a wrong password is one more refusal."
        )

    def _logins(self, word: str) -> Sequence[str]:
        """Return the names of the logins of a portal, or the login that has the name; a portal without any counts as one."""
        return [login.name for login in served(portals(self.settings), word)] or [word]


class House:
    """The portals there are, and how a credential of one of them is checked and stored."""

    def __init__(self, settings: Any) -> None:
        from scrapers.core.stated import with_accounts

        self.known = portals(settings)
        self.carriers = with_accounts(places(settings))

    def check(self, word: str, client: str | None) -> None:
        """Raise WrongArgument for a portal that there is not, or a client where there are none."""
        portal = portal_of(self.known, word)
        if portal not in self.carriers and portal not in self.known:
            raise WrongArgument(f"portal: there is no portal {word!r}; `scrapy portals` shows all.")
        if client and portal not in self.carriers:
            raise WrongArgument(f"--client: only a carrier's credential belongs to a client, and {word} is none.")

    def login(self, word: str) -> Any:
        """Return the first login that a credential serves, or None."""
        return next(iter(served(self.known, word)), None)

    def secret_name(self, word: str) -> str:
        """Return what the portal's users call the secret."""
        login = self.login(word)
        return login.secret_name if login else "password"

    def check_secret(self, new: NewCredential) -> None:
        """Raise WrongArgument for a secret that the portal would certainly refuse."""
        from database.access.credentials import Credential as Typed
        from scrapers.core.outcomes import CredentialMalformed

        if (login := self.login(new.portal)) is None:
            return
        try:
            login().check(Typed(new.portal, new.username, new.password, new.totp_secret))
        except CredentialMalformed as malformed:
            raise WrongArgument(malformed.detail) from None

    def checked(self, new: NewCredential) -> NewCredential:
        """Return a credential of a file as it is stored; raise WrongArgument for the first thing that is wrong."""
        from dataclasses import replace

        self.check(new.portal, new.client)
        if len(new.username) > 300:
            raise WrongArgument("The user name must have 1 to 300 characters.")
        new = replace(
            new,
            totp_secret=check_totp(new.totp_secret) if new.totp_secret else None,
            receiver=check_receiver(new.receiver) if new.receiver else None,
        )
        self.check_secret(new)
        return new

    def store(self, session: Session, new: NewCredential, *, forget_totp: bool = False) -> bool:
        """Store a credential, or change the one with the same user name; return whether it is new."""
        from sqlalchemy import select

        from database.families.accounts import carrier_for, client_for
        from database.models import CarrierPortalCredential, StoredCredential

        portal = portal_of(self.known, new.portal)
        of_name = select(StoredCredential).where(
            StoredCredential.portal == new.portal, StoredCredential.username == new.username
        )
        row = session.scalars(of_name.options(*_unread())).one_or_none()
        is_new = row is None
        if row is None:
            kind = CarrierPortalCredential if portal in self.carriers else StoredCredential
            row = kind(portal=new.portal, username=new.username, password=new.password)
            session.add(row)
        row.password = new.password
        if new.totp_secret or forget_totp:
            row.totp_secret = new.totp_secret
        if new.receiver is not None:
            row.receiver = new.receiver or None
        if new.nickname is not None:
            row.nickname = new.nickname
        if isinstance(row, CarrierPortalCredential):
            row.carrier_id = carrier_for(session, portal, self.carriers).id
            if new.client:
                row.client_id = client_for(session, new.client).id
        return is_new


def overview(settings: Any) -> list[tuple[Any, ...]]:
    """Return a row for every credential and login: who, where it is kept, second factors, last sign-in, state."""
    from sqlalchemy import select
    from sqlalchemy.orm import with_polymorphic

    from database.access.ledger import UNBLOCKED, Ledger, Refusal
    from database.engine import database
    from database.models import CarrierPortalCredential, Client, StoredCredential
    from scrapers.logins.credentials import find_credential, has_its_own

    known = portals(settings)
    every = with_polymorphic(StoredCredential, [CarrierPortalCredential])
    found: list[tuple[str, str | None, str | None, str, Any]] = []  # portal, login, client, kept in, credential
    with database().transaction() as session:
        query = select(every, Client.name).outerjoin(Client, Client.id == every.CarrierPortalCredential.client_id)
        rows = session.execute(query.order_by(every.portal, every.username)).all()
        for row, client in rows:
            logins = served(known, row.portal)
            for login in logins:
                if row.portal == login.name or not has_its_own(session, login.name, row):
                    credential = find_credential(session, login.portal, login.name, row.username)
                    found.append((row.portal, login.name, client, "database", credential))
            if not logins:
                found.append((row.portal, None, client, "database", row))
        with_rows = {row.portal for row, _ in rows}
        for portal, facts in known.items():
            # A stored credential comes first; only without one are environment and file looked at.
            for login in () if portal in with_rows else facts["logins"]:
                if login.name not in with_rows and (credential := find_credential(session, portal, login.name)):
                    found.append((portal, login.name, None, "environment or file", credential))
    ledger = Ledger(database())
    lines = []
    for portal, login_name, owner, kept, credential in found:
        state: str | None = None
        last = None
        if login_name:
            attempts = ledger.last(login_name, credential.username, limit=5)
            last = next((attempt for attempt in attempts if attempt.result != UNBLOCKED), None)
            try:
                ledger.check(login_name, credential.username, credential.secret)
                state = "ready"
            except Refusal as refusal:
                state = refusal.kind.replace("_", " ") + (f" until {text(refusal.until)} UTC" if refusal.until else "")
        said = f"{(last.result or 'no answer').replace('_', ' ')} {text(last.started_at)}" if last else None
        lines.append(
            (
                portal,
                credential.username,
                owner,
                kept,
                bool(credential.totp_secret),
                credential.receiver,
                login_name,
                said,
                state,
            )
        )
    return lines


def portal_of(known: dict[str, dict[str, Any]], word: str) -> str:
    """Return the portal that a word means, which may be the name of one of its logins; else the word itself."""
    return next((portal for portal in known if any(login.name == word for login in known[portal]["logins"])), word)


def served(known: dict[str, dict[str, Any]], word: str) -> list[Any]:
    """Return the logins that a credential serves: all of a portal's, or the one that it is stored for."""
    logins: list[Any] = known.get(portal_of(known, word), {}).get("logins", [])
    return logins if word in known else [login for login in logins if login.name == word]


def check_receiver(given: str) -> str | None:
    """
    Return receivers as they are stored, None for none; raise WrongArgument for what no code can be sent to.

    >>> check_receiver("(201) 555-0100, Codes@Example.com")
    '+12015550100, codes@example.com'
    """
    from database.access.addresses import receivers

    try:
        found = receivers(given)
    except ValueError as error:
        raise WrongArgument(f"--receiver: {error}") from None
    return ", ".join(found.values()) or None


def check_totp(secret: str) -> str:
    """
    Return a TOTP secret as it is stored, see `TotpSecret`; raise WrongArgument for anything else.

    >>> check_totp("jbsw y3dp ehpk 3pxp")
    'JBSWY3DPEHPK3PXP'
    """
    from database.access.totp import TotpSecret

    try:
        return TotpSecret.parse(secret).stored
    except ValueError as error:
        raise WrongArgument(f"The authenticator secret: {error}") from None


def _ask(opts: argparse.Namespace, secret: str) -> tuple[str, str, str | None]:
    """
    Return user name, password and TOTP secret from options and prompt, or options and standard input.

    secret: what the portal's password is called; where it is something else, the user name is a label of the owner's own.
    """
    username = (opts.username or "").strip()
    if opts.stdin:
        if not username:
            raise WrongArgument("--username is needed with --stdin.")
        lines = [line.rstrip("\r\n") for line in sys.stdin.readlines()]
        password, totp = [*lines, "", ""][:2]
        if any(lines[2:]):
            raise WrongArgument("Standard input has more than two lines: password, then the authenticator secret.")
    else:
        if not sys.stdin.isatty():
            raise WrongArgument(
                "There is no terminal to ask for the password: pass --stdin and write it to standard input."
            )
        from getpass import getpass

        is_password = secret == "password"
        username = username or input("User name: " if is_password else "A name of your own for it: ").strip()
        password = getpass(f"{secret[0].upper()}{secret[1:]}: ")
        totp = getpass("Authenticator (TOTP) secret, empty if there is none: ") if is_password else ""
    if not username or len(username) > 300:
        raise WrongArgument("The user name must have 1 to 300 characters.")
    if not password:
        raise WrongArgument(f"The {secret} is empty.")
    return username, password, check_totp(totp) if totp.strip() else None


def _stored(session: Session, opts: argparse.Namespace) -> StoredCredential:
    from sqlalchemy import select

    from database.models import StoredCredential

    query = select(StoredCredential).where(StoredCredential.portal == opts.portal)
    if opts.username:
        query = query.where(StoredCredential.username == opts.username)
    rows = session.scalars(query.options(*_unread())).all()
    if len(rows) > 1:
        raise WrongArgument(f"{opts.portal} has {len(rows)} credentials: say which one with --username.")
    if not rows:
        raise WrongArgument(f"{opts.portal} has no such credential stored; `scrapy credentials list` shows all.")
    return rows[0]


def _unread() -> tuple[Any, ...]:
    """Leave the secrets where they are: one that no key reads can still be stored anew, or removed."""
    from sqlalchemy.orm import defer

    from database.models import StoredCredential

    return defer(StoredCredential.password), defer(StoredCredential.totp_secret)

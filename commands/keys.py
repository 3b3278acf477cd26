"""`scrapy keys`: list, add, rotate and retire encryption keys, while crawls run."""

from __future__ import annotations

import argparse
import builtins
from collections.abc import Mapping
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, Refused, portals, print_json, show

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from database.access.rotation import Census

SHOWN = 20  # unreadable rows that are named; --json names all


class Command(Everyday, ScrapyCommand):
    """List keys, add one, re-encrypt, and take old ones away."""

    word = "keys"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return "list|add|rotate|retire|forget"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Change the encryption key while crawls run: add, rotate, retire; list what is under which key"

    def long_desc(self) -> str:
        """Return the page of the command."""
        return (
            "With a key file: `scrapy keys add`, `scrapy keys rotate`, `scrapy keys retire`; whatever runs follows the file. "
            "With LATCHKEY_ENCRYPTION_KEYS, or a key file on each of several machines, processes know only the keys that they began "
            "with: put the new key at the end everywhere and let what runs end or restart it; then put it first everywhere, and let "
            "what runs end again; then `scrapy keys rotate`, and take the old key out when it says so."
        )

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the acts."""
        act = self.acts(parser)
        listed = act(
            "list", "Show the keys, by name, and how many values are under each; name the rows that none of them reads."
        )
        listed.add_argument("--json", action="store_true", help="as JSON")
        act("add", "Put a new key before the others in the key file: from now on it encrypts.")
        act(
            "rotate",
            "Bring everything that is encrypted under the newest key; may be stopped and run again at any time.",
        )
        act("retire", "Take the old keys out of the key file, once nothing is under them.")
        act(
            "forget",
            "Forget what no key reads, when the key it is under is lost for good; credentials are stored anew by hand.",
        )

    def list(self, opts: argparse.Namespace) -> None:
        """Show keys and columns."""
        from database.access.encryption import key_ring
        from database.access.rotation import count
        from database.engine import database

        census, names = count(database()), key_ring().names
        rows: builtins.list[tuple[str, str, str | None, int]] = [
            (name, "encrypts and decrypts" if number == 0 else "decrypts", column, counts[number])
            for number, name in enumerate(names)
            for column, counts in census.counts.items()
            if counts[number]
        ]
        rows += [(name, "encrypts and decrypts", None, 0) for name in names[:1] if not census.under(0)]
        rows += [(name, "may go", None, 0) for number, name in enumerate(names) if number and not census.under(number)]
        if opts.json:
            columns = ("key", "use", "column", "values")
            print_json(
                {"keys": [dict(zip(columns, row, strict=True)) for row in rows], "unreadable": census.unreadable}
            )
            return
        show(("key", "use", "column", "values"), rows)
        self._name_unreadable(census)

    def add(self, opts: argparse.Namespace) -> None:
        """Put a new key first."""
        from cryptography.fernet import Fernet

        from database.access.encryption import KEYS, key_ring, read_keys, replace_keys
        from database.settings import database_settings

        settings = database_settings()
        if settings.encryption_keys:
            raise Refused(
                f"The keys are in {KEYS}, where only you can change them: put what `scrapy generate-key` prints at its end "
                "first (`scrapy keys --help` has the order)."
            )
        keys = read_keys(settings.key_file)
        if not keys:
            raise Refused(
                f"{settings.key_file} holds no key yet: make the first one with `scrapy generate-key --save`."
            )
        key_ring()  # a file that holds anything else is refused before it is written
        try:
            replace_keys(settings.key_file, (Fernet.generate_key().decode(), *keys))
        except OSError as error:
            raise Refused(f"{settings.key_file} cannot be written ({error.strerror}): check its rights.") from None
        _note("key.added")
        print(
            f"A new key is the first of {len(keys) + 1} in {settings.key_file}; keep a copy of the file in a safe place. "
            "Next: `scrapy keys rotate`."
        )

    def rotate(self, opts: argparse.Namespace) -> None:
        """Re-encrypt, and say what may go."""
        from database.access.encryption import KEYS, key_ring
        from database.access.rotation import renew_fingerprints, rotate
        from database.engine import database
        from database.settings import database_settings

        db, in_environment = database(), bool(database_settings().encryption_keys)
        portal_of_login = {
            login.name: portal for portal, facts in portals(self.settings).items() for login in facts["logins"]
        }
        with db.transaction() as session:
            renewed = renew_fingerprints(session, _known_secrets(session, portal_of_login))
            running = _running(session) if in_environment else 0
        brought, census = rotate(db, lambda column, count: print(f"{column}: {count}"))
        _note("key.rotated", values=brought)
        print(
            f"{brought} values were brought under the newest key, {key_ring().names[0]}, and {census.under(0)} are under it."
        )
        if renewed:
            print(f"{renewed} fingerprints of sign-in attempts hold without an old key now.")
        self._name_unreadable(census)
        if census.older:
            self.fail(
                f"{census.older} values are still under older keys, because something writes with one: run it again."
            )
        elif len(key_ring().names) == 1:
            print("There is one key: no other one has to go.")
        elif running:
            print(
                f"{running} runs may still write with the keys that they began with: when they have ended, run it again."
            )
        else:
            where = f"take them out of {KEYS}" if in_environment else "`scrapy keys retire` takes them away"
            print(f"Nothing is under the older keys: {where}.")

    def retire(self, opts: argparse.Namespace) -> None:
        """Take the old keys away."""
        from database.access.encryption import KEYS
        from database.access.rotation import KeysInUse, retire
        from database.engine import database
        from database.settings import database_settings

        settings = database_settings()
        if settings.encryption_keys:
            raise Refused(
                f"The keys are in {KEYS}, where only you can change them: `scrapy keys list` shows which may go."
            )
        try:
            gone, census = retire(database(), settings.key_file)
        except KeysInUse as error:
            raise Refused(str(error)) from None
        except OSError as error:
            raise Refused(f"{settings.key_file} cannot be written ({error.strerror}): check its rights.") from None
        if gone:
            _note("key.retired", keys=gone)
        print(
            f"{gone} old keys were taken out of {settings.key_file}."
            if gone
            else "There is one key: no other one has to go."
        )
        self._name_unreadable(census)

    def forget(self, opts: argparse.Namespace) -> None:
        """Delete the values that no key reads."""
        from database.access.rotation import count, forget_unreadable
        from database.engine import database

        gone = forget_unreadable(database())
        if gone:
            _note("key.forgot", values=sum(gone.values()))
        for column, number in gone.items():
            print(f"{column}: {number} forgotten")
        if "fingerprint_keys.value" in gone:
            print("What was blocked after a refused password is blocked no more: look at `scrapy credentials list`.")
        if "notice_addresses.address" in gone:
            print("These addresses are told nothing any more: add them again with `scrapy notify add ADDRESS`.")
        census = count(database())
        if not census.unreadable:
            print("Every value can be read.")
        self._name_unreadable(census)

    def _name_unreadable(self, census: Census) -> None:
        """Say which rows no key reads; never what is in them."""
        if not census.unreadable:
            return
        for where in census.unreadable[:SHOWN]:
            print(f"unreadable: {where}")
        if len(census.unreadable) > SHOWN:
            print(f"unreadable: {len(census.unreadable) - SHOWN} more (scrapy keys list --json)")
        self.fail(
            f"{len(census.unreadable)} values are under a key that is not there: put it behind the others, or store those secrets anew."
        )


def _known_secrets(session: Session, portal_of_login: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return login, user name and secret of each user who has tried to sign in and has a credential here."""
    from sqlalchemy import select

    from database.access.encryption import UnreadableSecret
    from database.models import LedgerEntry
    from scrapers.logins.credentials import find_credential

    found = []
    for login, username in session.execute(select(LedgerEntry.login, LedgerEntry.username).distinct()).all():
        try:
            credential = find_credential(session, portal_of_login.get(login, login), login, username)
        except UnreadableSecret:  # which is said when all is counted
            continue
        if credential is not None:
            found.append((login, username, credential.secret))
    return found


def _note(action: str, **detail: int) -> None:
    """Write down what was done to the keys."""
    from database.engine import database
    from database.models.audit import record

    with database().transaction() as session:
        record(session, action, "encryption keys", detail)


def _running(session: Session) -> int:
    from sqlalchemy import select

    from database.models import Run, RunState

    return sum(not run.has_died for run in session.scalars(select(Run).where(Run.state == RunState.RUNNING)))

"""`scrapy telegram login`: phone number, code and password at a terminal make a session."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from database.families.telegram.sessions import ProvedSession
    from scrapers.portals.telegram.settings import TelegramSettings

WARNING = (
    "Whoever has this text is signed in to the account: keep it like a password, and give it to no second program."
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument("--name", help="what the session is called (default: by the end of its phone number)")
    parser.add_argument(
        "--print",
        action="store_true",
        help="print the session as a string (Telethon's StringSession), and store nothing",
    )


def run(opts: argparse.Namespace) -> int:
    """Ask, sign in, and store or print the session; raise Refused, WrongArgument."""
    import sys

    from commands._terminal import Refused, WrongArgument
    from database.access.encryption import key_ring
    from database.engine import database
    from database.families.telegram import sessions
    from scrapers.portals.telegram.settings import TelegramSettings

    settings = TelegramSettings.current()
    name = (opts.name or "").strip()
    if len(name) > sessions.LONGEST_NAME or not name.isprintable():
        raise WrongArgument(f"--name: it is one line of at most {sessions.LONGEST_NAME} characters.")
    if not sys.stdin.isatty():
        raise Refused(
            "Signing in needs a terminal: nothing of it can be an argument. `docs/telegram.md` has other ways."
        )
    key_ring()  # before the prompt: without a key the session could not be stored
    proved = _sign_in(settings, is_stored=not opts.print)
    if opts.print:
        print(WARNING, file=sys.stderr)
        print(proved.session_string)
        return 0
    try:
        with database().transaction() as session:
            row, is_new = sessions.store(session, proved, name or sessions.default_name(proved.phone_number), None)
            print(
                f"{'Stored' if is_new else 'Renewed'}: {row.name} ({row.id}). `scrapy telegram channels` shows its channels."
            )
    except sessions.SessionRefused as error:
        raise Refused(str(error)) from None
    return 0


def _sign_in(settings: TelegramSettings, *, is_stored: bool) -> ProvedSession:
    """Ask for what a sign-in takes, and return the session. is_stored: it will be, and a number has one at most."""
    from getpass import getpass

    from commands._terminal import Refused, WrongArgument
    from commands.telegram.choosing import refusals
    from scrapers.portals.telegram.client import SessionKey
    from scrapers.portals.telegram.signing import (
        AppRefused,
        CodeExpired,
        NumberRefused,
        PasswordNeeded,
        WrongCode,
        WrongPassword,
        give_code,
        send_code,
    )
    from scrapers.portals.telegram.using import ask

    number, api_id, api_hash = _ask_who(settings)
    _check_number(number, settings, is_stored=is_stored)
    try:
        with refusals():
            sent = ask(send_code(api_id, api_hash, number, settings), settings)
    except (NumberRefused, AppRefused) as error:
        raise WrongArgument(str(error)) from None
    key, code_hash = SessionKey(api_id, api_hash, sent.session_string), sent.phone_code_hash
    code, password, taken = "", "", False
    for _ in range(settings.login_guesses + 1):  # one more, as asking for the password is no wrong answer
        if taken:
            password = getpass("Password of the account: ")
        else:
            code = "".join(getpass("Code that Telegram has sent: ").split()).replace("-", "")
        try:
            with refusals():
                return ask(give_code(key, number, None if taken else code_hash, code, password, settings), settings)
        except WrongCode as error:
            print(error)
        except (PasswordNeeded, WrongPassword) as error:
            if taken:
                print(error)
            key, taken = SessionKey(api_id, api_hash, error.session_string), True
        except (CodeExpired, NumberRefused) as error:
            raise Refused(str(error)) from None
    raise Refused("That was wrong too often: begin anew with another code.")


def _ask_who(settings: TelegramSettings) -> tuple[str, int, str]:
    """Return phone number, API id and API hash; the latter two from the settings where they are set."""
    from getpass import getpass

    from commands._terminal import WrongArgument
    from database.families.telegram.sessions import phone_number
    from database.families.watching import HIGHEST_ID

    try:
        number = phone_number(input("Phone number, as +12015550100: "))
    except ValueError as error:
        raise WrongArgument(f"{error}.") from None
    api_id = settings.api_id
    if api_id is None:
        given = input("API id (my.telegram.org): ").strip()
        if not (given.isascii() and given.isdecimal() and 0 < int(given[:20]) <= HIGHEST_ID):
            raise WrongArgument("That is no API id: it is a number.")
        api_id = int(given)
    api_hash = settings.api_hash.get_secret_value() or getpass("API hash: ").strip()
    if not api_hash:
        raise WrongArgument("The API hash is missing.")
    return number, api_id, api_hash


def _check_number(number: str, settings: TelegramSettings, *, is_stored: bool) -> None:
    """Raise Refused for a number that has a session which works, or that had too many codes of late."""
    from datetime import timedelta

    from commands._terminal import Refused
    from database.access.guesses import Limits
    from database.access.users import count_sending
    from database.engine import database
    from database.families.telegram import sessions

    limits = Limits(resend=timedelta(seconds=settings.code_seconds), sendings=settings.codes_per_hour)
    with database().transaction() as session:
        if is_stored and sessions.works_for(session, number, None):
            raise Refused("This phone number has a session already (`scrapy telegram sessions`).")
        wait = count_sending(session, "telegram", number, limits)
    if wait is not None:
        raise Refused(f"Codes for this phone number rest for {int(wait.total_seconds()) + 1} seconds.")

"""Signing in to Telegram: a code is sent and given, a session is proved, the file of one is read."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from dataclasses import dataclass, field

from telethon import errors, types
from telethon.crypto import AuthKey
from telethon.sessions import StringSession

from database.families.telegram.sessions import ProvedSession
from scrapers.portals.telegram.client import (
    MalformedSession,
    SessionKey,
    SessionValues,
    account_of,
    connected,
    named_failures,
)
from scrapers.portals.telegram.settings import TelegramSettings

FILE_MAGIC = b"SQLite format 3\x00"
STEPS = 100_000  # of SQLite's machine; the one statement that reads a session takes some dozens


@dataclass(frozen=True, slots=True)
class SentCode:
    """A code is on its way; it is given with the same key and this hash."""

    session_string: str = field(repr=False)
    phone_code_hash: str = field(repr=False)


class NumberRefused(Exception):
    """Telegram sends no code to this phone number. The text is one sentence."""


class AppRefused(Exception):
    """Telegram does not know this API id and hash. The text is one sentence."""


class WrongCode(Exception):
    """The code is wrong; another one may be given."""


class CodeExpired(Exception):
    """The code can be given no more: a new one has to be sent."""


class PasswordNeeded(Exception):
    """The code was right, and the account has a password too. session_string: with which it is given."""

    def __init__(self, session_string: str) -> None:
        super().__init__("The account has a password: give it too.")
        self.session_string = session_string


class WrongPassword(Exception):
    """The code was right, and the password is wrong; another one may be given. session_string: as for PasswordNeeded."""

    def __init__(self, session_string: str) -> None:
        super().__init__("The password is wrong.")
        self.session_string = session_string


NO_ACCOUNT = "Telegram has no account of this phone number: sign up in one of its own apps first."
APP = "Telegram does not know this API id with this API hash (my.telegram.org has them)."


async def send_code(api_id: int, api_hash: str, phone_number: str, settings: TelegramSettings) -> SentCode:
    """Let Telegram send a code; raise NumberRefused, AppRefused or a Failure."""
    with named_failures():
        async with connected(SessionKey(api_id, api_hash), settings=settings) as client:
            try:
                sent = await client.send_code_request(phone_number)
            except errors.PhoneNumberInvalidError:
                raise NumberRefused("Telegram knows no such phone number.") from None
            except errors.PhoneNumberBannedError:
                raise NumberRefused("Telegram has banned this phone number.") from None
            except (errors.ApiIdInvalidError, errors.ApiIdPublishedFloodError, errors.ConnectionApiIdInvalidError):
                raise AppRefused(APP) from None
            return SentCode(client.session.save(), sent.phone_code_hash)


async def give_code(
    key: SessionValues,
    phone_number: str,
    phone_code_hash: str | None,
    code: str,
    password: str | None,
    settings: TelegramSettings,
) -> ProvedSession:
    """
    Sign in with a code that was sent, and with the password where the account has one.

    phone_code_hash: None where the code was taken before, and only the password is missing. Raises WrongCode, CodeExpired,
    PasswordNeeded, WrongPassword, NumberRefused or a Failure.
    """
    with named_failures():
        async with connected(key, settings=settings) as client:
            try:
                needs_password = phone_code_hash is None
                if phone_code_hash is not None:
                    await client.sign_in(phone_number, code, phone_code_hash=phone_code_hash)
            except (errors.PhoneCodeInvalidError, errors.PhoneCodeEmptyError):
                raise WrongCode("The code is wrong.") from None
            except (errors.PhoneCodeExpiredError, errors.PhoneCodeHashEmptyError):
                raise CodeExpired("The code has expired: ask for a new one.") from None
            except errors.PhoneNumberUnoccupiedError:
                raise NumberRefused(NO_ACCOUNT) from None
            except errors.SessionPasswordNeededError:
                needs_password = True
            if needs_password:
                if not password:
                    raise PasswordNeeded(client.session.save())
                try:
                    await client.sign_in(password=password)
                except errors.PasswordHashInvalidError:
                    raise WrongPassword(client.session.save()) from None
            return _proved(key, client.session, await account_of(client))


async def prove(key: SessionValues, settings: TelegramSettings) -> ProvedSession:
    """Ask Telegram for the account of a session; raise MalformedSession or a Failure."""
    with named_failures():
        async with connected(key, settings=settings) as client:
            return _proved(key, client.session, await account_of(client))


def read_file(content: bytes) -> str:
    """
    Return the session string of a `.session` file of Telethon; raise MalformedSession.

    It is read in memory: nothing of it is written to a disk. Any user may send one, so it is taken for no more than a table of
    values, and reading it has an end.
    """
    if not content.startswith(FILE_MAGIC):
        raise MalformedSession("This is no session file of Telethon.")
    try:
        with closing(sqlite3.connect(":memory:")) as file:
            file.deserialize(content)
            file.execute("PRAGMA trusted_schema = OFF")
            file.set_progress_handler(lambda: 1, STEPS)
            kind = file.execute("SELECT type FROM sqlite_master WHERE name = 'sessions'").fetchone()
            rows = file.execute("SELECT dc_id, server_address, port, auth_key FROM sessions LIMIT 2").fetchall()
    except (sqlite3.Error, UnicodeDecodeError):
        raise MalformedSession("This is no session file of Telethon, or it is damaged.") from None
    if kind != ("table",) or len(rows) != 1:
        raise MalformedSession("This session file does not hold one session.")
    data_centre, address, port, auth_key = rows[0]
    if not isinstance(auth_key, bytes) or len(auth_key) != 256:
        raise MalformedSession("This session file has no key: its login was never finished.")
    session = StringSession()
    try:
        session.set_dc(int(data_centre), str(address), int(port))
        session.auth_key = AuthKey(auth_key)
        return str(session.save())
    except (ValueError, TypeError, struct.error):
        raise MalformedSession("This session file names no server.") from None


def _proved(key: SessionValues, session: StringSession, account: types.User) -> ProvedSession:
    return ProvedSession(
        api_id=key.api_id,
        api_hash=key.api_hash,
        session_string=session.save(),
        auth_key=session.auth_key.key,
        account_id=account.id,
        phone_number=f"+{account.phone.removeprefix('+')}" if account.phone else None,
        is_bot=bool(account.bot),
    )

"""Connections to Telegram: a Telethon client of a stored session, and the outcome that each of its errors is."""

from __future__ import annotations

import asyncio
import binascii
import errno
import ipaddress
import logging
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from telethon import TelegramClient, errors, functions, types
from telethon.crypto import rsa
from telethon.sessions import StringSession

from database.models.base import utc_now
from database.models.telegram import TelegramState
from database.settings import SettingsError
from scrapers.core.outcomes import (
    AccountBanned,
    ChannelClosed,
    ChannelUnknown,
    CredentialMalformed,
    Failure,
    FloodWait,
    PortalDown,
    PortalRefused,
    RateLimited,
    SessionExpired,
    SessionRevoked,
    UnexpectedAnswer,
)
from scrapers.portals.telegram.settings import TelegramSettings

HOME = 2  # data centre at which a login begins; Telegram itself names the account's own
NETWORK_ERRORS = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL, errno.ETIMEDOUT}
)

# Telethon logs what it cannot read, byte by byte, and requests with it. What matters of that arrives here as errors.
_log = logging.getLogger("telethon")
_log.addHandler(logging.NullHandler())
_log.setLevel(logging.CRITICAL + 1)
_log.propagate = False


class MalformedSession(ValueError):
    """A session string that cannot be used. The text is one sentence without any part of it."""


class SessionValues(Protocol):
    """What a connection needs of a row of `telegram_sessions` or `telegram_logins`."""

    @property
    def api_id(self) -> int:
        """Id of the app."""

    @property
    def api_hash(self) -> str:
        """Its secret."""

    @property
    def session_string(self) -> str:
        """Telethon's StringSession; empty: a key is agreed."""


@dataclass(frozen=True, slots=True)
class SessionKey:
    """The values of a session, without its row; no repr shows a secret."""

    api_id: int
    api_hash: str = field(repr=False)
    session_string: str = field(default="", repr=False)

    @classmethod
    def of(cls, row: SessionValues) -> SessionKey:
        """Return the values of a row."""
        return cls(row.api_id, row.api_hash, row.session_string)


# Why the account of a session cannot be used any more, by the error that says so.
FAILURES: dict[type[Exception], type[Failure]] = {
    errors.AuthKeyUnregisteredError: SessionExpired,
    errors.AuthKeyInvalidError: SessionExpired,
    errors.AuthKeyNotFound: SessionExpired,
    errors.SessionExpiredError: SessionExpired,
    errors.SessionPasswordNeededError: SessionExpired,  # a login that was never finished
    errors.ActiveUserRequiredError: SessionExpired,
    errors.SessionRevokedError: SessionRevoked,
    errors.AuthKeyDuplicatedError: SessionRevoked,
    errors.UserDeactivatedError: AccountBanned,
    errors.UserDeactivatedBanError: AccountBanned,
    errors.PhoneNumberBannedError: AccountBanned,
    errors.ChannelPrivateError: ChannelClosed,
    errors.ChannelInvalidError: ChannelClosed,
    errors.ChatForbiddenError: ChannelClosed,
    errors.UserBannedInChannelError: ChannelClosed,
    errors.UsernameNotOccupiedError: ChannelUnknown,
    errors.UsernameInvalidError: ChannelUnknown,
    errors.InviteHashEmptyError: ChannelUnknown,
    errors.InviteHashExpiredError: ChannelUnknown,
    errors.InviteHashInvalidError: ChannelUnknown,
    errors.PhoneNumberFloodError: RateLimited,
    errors.PhonePasswordFloodError: RateLimited,
    errors.PeerFloodError: RateLimited,
    errors.ServerError: PortalDown,
    errors.TimedOutError: PortalDown,
    errors.InvalidDCError: PortalDown,  # Telethon follows these itself; it did not arrive
    errors.InvalidBufferError: PortalDown,  # an error of the transport
    errors.RPCError: PortalRefused,
    errors.SecurityError: UnexpectedAnswer,
    errors.TypeNotFoundError: UnexpectedAnswer,
    errors.InvalidChecksumError: UnexpectedAnswer,
    errors.BadMessageError: UnexpectedAnswer,
    ConnectionError: PortalDown,
    TimeoutError: PortalDown,
    asyncio.IncompleteReadError: PortalDown,
    socket.gaierror: PortalDown,
}
DETAILS: dict[type[Exception], str] = {
    errors.AuthKeyDuplicatedError: "Two addresses used its key at once, which ends a key for ever.",
    errors.SessionPasswordNeededError: "Its password was never given.",
}
STATES: dict[type[Failure], TelegramState] = {
    SessionExpired: TelegramState.EXPIRED,
    SessionRevoked: TelegramState.REVOKED,
    AccountBanned: TelegramState.BANNED,
}


def failure_of(error: BaseException, now: datetime | None = None) -> Failure | None:
    """
    Return the named failure that an error of Telethon or of the network is; None for any other error, such as a bug's.

    A wait that Telegram asks for has its end in `until`. Details are names of errors, never what was sent or received.
    """
    if isinstance(error, Failure):
        return error
    if isinstance(error, MalformedSession):  # of a stored one: the server's setting was changed
        return CredentialMalformed(str(error))
    seconds = getattr(error, "seconds", None)
    if isinstance(error, errors.RPCError) and isinstance(seconds, int):
        until = (now or utc_now()) + timedelta(seconds=max(seconds, 1))
        return FloodWait(f"It ends at {until:%Y-%m-%d %H:%M:%S} UTC.", until=until)
    if type(error) is OSError and error.errno in NETWORK_ERRORS:
        return PortalDown("The network does not reach it.")
    for kind in type(error).__mro__:
        if kind in FAILURES:
            return FAILURES[kind](DETAILS.get(kind, f"({type(error).__name__.removesuffix('Error')})"))
    return None


def state_of(failure: Failure) -> TelegramState | None:
    """Return the state that a failure leaves a session in; None where it says nothing about the session."""
    return STATES.get(type(failure))


@contextmanager
def named_failures() -> Iterator[None]:
    """Raise errors of Telethon and of the network as the failures that they are; others pass as they are."""
    try:
        yield
    except Exception as error:
        failure = failure_of(error)
        if failure is None or failure is error:
            raise
        raise failure from error


def read_string(text: str, settings: TelegramSettings) -> StringSession:
    """
    Return the session of a string, at the server of the settings where they name one.

    An empty one has no key yet. Raises MalformedSession, also for a string of a user's that leads into a private network.
    """
    try:
        session = StringSession(text.strip())
    except (ValueError, struct.error, binascii.Error, IndexError):
        raise MalformedSession("This is no session string of Telethon.") from None
    if text.strip() and session.auth_key is None:
        raise MalformedSession("This session string has no key: its login was never begun.")
    if settings.place is not None:
        session.set_dc(session.dc_id or HOME, *settings.place)
    elif session.server_address and not ipaddress.ip_address(session.server_address).is_global:
        raise MalformedSession("This session string names a server in a private network.")
    return session


def make_client(key: SessionValues, settings: TelegramSettings) -> TelegramClient:
    """Return a client that is not connected: it sleeps through no flood wait, and asks for no updates."""
    pem = settings.read_key()
    if pem is not None:
        try:
            rsa.add_key(pem, old=False)
        except ValueError:
            raise SettingsError("TELEGRAM_SERVER_KEY: the file holds no public RSA key (PKCS#1, PEM).") from None
    session = read_string(key.session_string, settings)
    return TelegramClient(
        session,
        key.api_id,
        key.api_hash,
        # Telethon leaves the server that a session names where this does not agree with it.
        use_ipv6=":" in (session.server_address or ""),
        timeout=settings.connect_wait,
        connection_retries=2,
        request_retries=2,
        flood_sleep_threshold=0,
        raise_last_call_error=True,
        receive_updates=False,
    )


@asynccontextmanager
async def connected(key: SessionValues, *, settings: TelegramSettings) -> AsyncIterator[TelegramClient]:
    """
    Connect as a session, and disconnect in the end. Errors are raised as Telethon has them: `named_failures` names them.

    The caller holds the session's lease: a key that two addresses use at once is ended by Telegram. That the session
    is signed in shows at the first request; `account_of` is one. There is no limit on the time that a request takes but the
    caller's.
    """
    client = make_client(key, settings)
    try:
        await client.connect()
        yield client
    finally:
        async with asyncio.timeout(5):
            await client.disconnect()
        ended = client.disconnected
        if ended.done() and not ended.cancelled():
            ended.exception()  # it was raised at a request already; asyncio would log it once more


async def account_of(client: TelegramClient) -> types.User:
    """Return the account that is signed in. Unlike `get_me` it raises the error that says why there is none."""
    (user,) = await client(functions.users.GetUsersRequest([types.InputUserSelf()]))
    if not isinstance(user, types.User):
        raise SessionExpired("The account is gone.")
    return user

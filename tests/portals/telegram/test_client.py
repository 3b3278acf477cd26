"""Which outcome each error of Telethon is, what a session string may name, and what a connection leaves behind."""

from __future__ import annotations

import errno
import logging
from datetime import UTC, datetime, timedelta

import pytest
from telethon import errors, functions
from telethon.crypto import AuthKey
from telethon.sessions import StringSession

from database.models.telegram import TelegramState
from database.settings import SettingsError
from scrapers.core.outcomes import Failure, PortalDown, Retry, Then
from scrapers.portals.telegram.client import (
    MalformedSession,
    SessionKey,
    failure_of,
    make_client,
    named_failures,
    read_string,
    state_of,
)
from scrapers.portals.telegram.settings import TelegramSettings

REQUEST = functions.help.GetConfigRequest()
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def rpc(name):
    return getattr(errors, f"{name}Error")(request=REQUEST)


@pytest.mark.parametrize(
    ("error", "code", "state"),
    [
        (rpc("AuthKeyUnregistered"), "session_expired", TelegramState.EXPIRED),
        (rpc("SessionExpired"), "session_expired", TelegramState.EXPIRED),
        (errors.AuthKeyNotFound(), "session_expired", TelegramState.EXPIRED),
        (rpc("SessionPasswordNeeded"), "session_expired", TelegramState.EXPIRED),
        (rpc("SessionRevoked"), "session_revoked", TelegramState.REVOKED),
        (rpc("AuthKeyDuplicated"), "session_revoked", TelegramState.REVOKED),
        (rpc("UserDeactivated"), "account_banned", TelegramState.BANNED),
        (rpc("UserDeactivatedBan"), "account_banned", TelegramState.BANNED),
        (rpc("ChannelPrivate"), "channel_closed", None),
        (rpc("ChannelInvalid"), "channel_closed", None),
        (rpc("UsernameNotOccupied"), "channel_unknown", None),
        (rpc("InviteHashExpired"), "channel_unknown", None),
        (rpc("PeerFlood"), "rate_limited", None),
        (rpc("RpcCallFail"), "portal_down", None),
        (errors.ServerError(REQUEST, "Timeout", 503), "portal_down", None),
        (errors.TimedOutError(REQUEST, "Timeout", 503), "portal_down", None),
        (rpc("ChatIdInvalid"), "portal_refused", None),
        (errors.RPCError(REQUEST, "SOMETHING_NEW", 400), "portal_refused", None),
        (errors.SecurityError("x"), "unexpected_answer", None),
        (ConnectionError("Connection to Telegram failed 2 time(s)"), "portal_down", None),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "portal_down", None),
        (OSError(errno.ENETUNREACH, "x"), "portal_down", None),
        (TimeoutError(), "portal_down", None),
    ],
)
def test_an_error_is_a_named_outcome(error, code, state):
    failure = failure_of(error)
    assert failure.outcome.code == code
    assert state_of(failure) == state
    assert failure_of(failure) is failure


@pytest.mark.parametrize("kind", ["FloodWait", "FloodPremiumWait", "SlowModeWait", "FloodTestPhoneWait"])
def test_a_wait_has_its_end(kind):
    failure = failure_of(getattr(errors, f"{kind}Error")(request=REQUEST, capture=7200), NOW)
    assert failure.until == NOW + timedelta(hours=2)
    assert "It ends at 2026-11-30 14:00:00 UTC." in str(failure)
    assert (failure.outcome.code, failure.outcome.retry, failure.outcome.then) == ("flood_wait", Retry.SOON, Then.RESTS)


@pytest.mark.parametrize("error", [KeyError("x"), OSError(errno.ENOSPC, "full"), FileNotFoundError("x"), TypeError()])
def test_what_is_none_of_telegrams_is_raised_as_it_is(error):
    assert failure_of(error) is None
    with pytest.raises(type(error)) as raised, named_failures():
        raise error
    assert raised.value is error


def test_named_failures_keep_their_cause():
    with pytest.raises(PortalDown) as raised, named_failures():
        raise ConnectionResetError("gone")
    assert isinstance(raised.value, Failure)
    assert isinstance(raised.value.__cause__, ConnectionResetError)


def string(address, port=443, centre=2):
    session = StringSession()
    session.set_dc(centre, address, port)
    session.auth_key = AuthKey(bytes(range(256)))
    return session.save()


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "0.0.0.0", "::1", "fd00::1"]
)
def test_a_string_that_leads_into_a_private_network_is_refused(address):
    text = string(address)
    with pytest.raises(MalformedSession) as raised:
        read_string(text, TelegramSettings())
    assert text not in str(raised.value)
    there = read_string(text, TelegramSettings(server="127.0.0.9:20815"))
    assert (there.server_address, there.port, there.dc_id) == ("127.0.0.9", 20815, 2)


@pytest.mark.parametrize("address", ["149.154.167.51", "2001:67c:4e8:f002::a"])
def test_a_string_keeps_the_server_that_it_names(address):
    settings = TelegramSettings()
    session = read_string(f" {string(address, 5222, 4)}\n", settings)
    assert (session.server_address, session.port, session.dc_id) == (address, 5222, 4)
    client = make_client(SessionKey(1, "x", string(address, 5222, 4)), settings)
    assert client.session.server_address == address
    assert client.flood_sleep_threshold == 0


def test_a_new_login_begins_at_the_server_of_the_settings():
    assert read_string("", TelegramSettings()).server_address is None
    session = read_string("", TelegramSettings(server="[2001:db8::1]:443"))
    assert (session.server_address, session.port, session.dc_id) == ("2001:db8::1", 443, 2)


@pytest.mark.parametrize("text", ["127.0.0.9", "127.0.0.9:0", "127.0.0.9:x", "telegram.example:443", "::1:"])
def test_a_server_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="it must look like"):
        TelegramSettings(server=text)


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN PUBLIC KEY-----", b"-----BEGIN RSA PUBLIC KEY-----\nx"])
def test_a_key_file_without_a_key_is_told(tmp_path, content):
    path = tmp_path / "key.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match="TELEGRAM_SERVER_KEY"):
        make_client(SessionKey(1, "x"), TelegramSettings(server="127.0.0.9:1", server_key=path))


def test_what_telethon_logs_does_not_come_through(caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("telethon.network.mtprotosender").critical("remaining data %r", b"secret")
    assert caplog.records == []
    assert "secret" not in repr(SessionKey(1, "secret", "secret"))

"""Codes, passwords, bots, sessions: who is let in, and what it is called when somebody is not."""

from __future__ import annotations

import pytest
from telethon import errors, functions
from telethon.network import ConnectionTcpAbridged, ConnectionTcpFull, ConnectionTcpIntermediate

from sandbox import NEW_PASSWORD, PASSWORD
from sandbox.telegram import bot_token, phone_number
from tests.project import wait_for
from tests.sandbox.telegram.client import play, string_of

TRANSPORTS = (ConnectionTcpFull, ConnectionTcpAbridged, ConnectionTcpIntermediate)


def test_a_code_signs_in_over_each_transport(server, number):
    async def scene():
        phones = [number() for _ in TRANSPORTS]
        for phone, transport in zip(phones, TRANSPORTS, strict=True):
            async with server.client(connection=transport) as client:
                assert not await client.is_user_authorized()
                await client.send_code_request(phone)
                with pytest.raises(errors.PhoneCodeInvalidError):
                    await client.sign_in(phone, "00000" if server.code(phone) != "00000" else "00001")
                me = await client.sign_in(phone, server.code(phone))
                assert (f"+{me.phone}", me.is_self) == (phone, True)
        return phones

    phones = play(scene())
    counters = server.admin.counters()
    assert (counters["sign_ins"], counters["code_requests"], counters["codes_used"]) == (3, 3, 3)
    assert (counters["codes_refused"], counters["auth_keys_made"]) == (3, 3)
    assert counters["bad_salts"] >= 3, "a client knows no salt at first"
    users = {each["user"] for each in server.admin.journal() if each["path"] == "updates.getState"}
    assert users == {"", *(phone.removeprefix("+") for phone in phones)}


def test_a_code_is_good_once_with_its_hash_and_five_minutes(server, number):
    async def scene():
        phone, other = number(), number()
        async with server.client() as client, server.client() as second:
            sent = await client.send_code_request(phone)
            code = server.code(phone)
            with pytest.raises(errors.PhoneCodeExpiredError):
                await second.sign_in(phone, code, phone_code_hash="0" * 18)
            await client.sign_in(phone, code)
            with pytest.raises(errors.PhoneCodeExpiredError):
                await second.sign_in(phone, code, phone_code_hash=sent.phone_code_hash)
            await second.send_code_request(other)
            server.admin.clock(301)
            with pytest.raises(errors.PhoneCodeExpiredError):
                await second.sign_in(other, server.code(other))

    play(scene())


@pytest.mark.parametrize(
    ("scenario", "error"),
    [
        ("banned", errors.PhoneNumberBannedError),
        ("code-flood", errors.FloodWaitError),
        ("code-refused", errors.PhoneCodeInvalidError),
        ("code-expired", errors.PhoneCodeExpiredError),
        ("unoccupied", errors.PhoneNumberUnoccupiedError),
    ],
)
def test_a_number_says_what_happens(server, number, scenario, error):
    async def scene():
        async with server.client() as client:
            with pytest.raises(error):
                await server.sign_in(client, number(scenario))
            assert not await client.is_user_authorized()

    play(scene())
    assert server.admin.counters()["sign_ins"] == 0


def test_a_number_of_nobody_is_refused(server):
    async def scene():
        async with server.client() as client:
            for phone in ("+15550100001", "+9996699", "+99966990001"):
                with pytest.raises(errors.PhoneNumberInvalidError):
                    await client.send_code_request(phone)

    play(scene())
    with pytest.raises(ValueError):
        phone_number("no-such-scenario")


def test_codes_for_a_number_are_limited_by_the_day(server, number):
    async def ask(phone: str) -> None:
        async with server.client() as client:
            await client.send_code_request(phone)

    phone = number()
    server.admin.configure(codes_per_day=2)
    play(ask(phone))
    play(ask(phone))
    with pytest.raises(errors.FloodWaitError) as raised:
        play(ask(phone))
    assert raised.value.seconds == 86_400
    server.admin.clock(86_401)
    play(ask(phone))


def test_codes_are_sent_as_text_messages(server, number, phones):
    server.admin.configure(sms_url=phones.url)
    phone, silent = number(), number("code-never")
    server.admin.user(phone, next_codes=["11111"])

    async def scene():
        async with server.client() as client:
            await client.send_code_request(silent)
            await client.send_code_request(phone)

    play(scene())
    wait_for(lambda: phone in {message["receiver"] for message in server.admin.messages() if message["taken"]})
    assert silent not in {message["receiver"] for message in server.admin.messages()}
    assert server.code(phone) == "11111"
    assert {"11111", server.code(silent)} <= set(server.admin.secrets()["codes"])


def test_a_password_is_proved_and_never_sent(server, number):
    async def scene():
        for scenario, right, wrong in (
            ("password", PASSWORD, "open-sesamo"),
            ("wrong-password", NEW_PASSWORD, PASSWORD),
        ):
            phone = number(scenario)
            async with server.client() as client:
                with pytest.raises(errors.SessionPasswordNeededError):
                    await server.sign_in(client, phone)
                assert not await client.is_user_authorized()
                with pytest.raises(errors.PasswordHashInvalidError):
                    await client.sign_in(password=wrong)
                assert (await client.sign_in(password=right)).phone == phone.removeprefix("+")
                assert (await client(functions.account.GetPasswordRequest())).has_password

    play(scene())
    counters = server.admin.counters()
    assert (counters["refused"], counters["sign_ins"]) == (2, 2)
    assert set(counters["submissions"].values()) == {2}


def test_a_session_is_a_key_and_ends_by_signing_out(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            string = string_of(client)
        async with server.client(string) as client:
            assert await client.is_user_authorized()
            assert await client.log_out()
        async with server.client(string) as client:
            assert not await client.is_user_authorized()
            with pytest.raises(errors.AuthKeyUnregisteredError):
                await client.get_dialogs()

    play(scene())


def test_sessions_are_ended_by_hand(server, number):
    async def scene():
        for error, kind in (
            ("", errors.AuthKeyUnregisteredError),
            ("USER_DEACTIVATED_BAN", errors.UserDeactivatedBanError),
            ("SESSION_EXPIRED", errors.SessionExpiredError),
            ("SESSION_REVOKED", errors.SessionRevokedError),
        ):
            phone = number()
            async with server.signed_in(phone) as client:
                await client.get_dialogs()
                ended = (
                    server.admin.ask(f"users/{phone}/end", {"error": error})["sessions"]
                    if error
                    else server.admin.sign_out(phone)
                )
                assert ended == 1
                with pytest.raises(kind):
                    await client.get_dialogs()

    play(scene())
    assert server.admin.counters()["sessions_died"] == 4


@pytest.mark.parametrize(
    ("scenario", "error", "again"),
    [
        ("revoked-midway", errors.AuthKeyUnregisteredError, True),
        ("expired-midway", errors.SessionExpiredError, True),
        ("banned-midway", errors.UserDeactivatedBanError, False),
    ],
)
def test_a_session_ends_midway(server, number, scenario, error, again):
    phone = number(scenario)

    async def scene():
        async with server.signed_in(phone) as client:
            for _ in range(5):
                await client.get_entity("@sandbox_reports")
            with pytest.raises(error):
                await client.get_entity("@sandbox_reports")
            with pytest.raises(error):
                await client.get_dialogs()
        async with server.client() as client:
            if again:
                await server.sign_in(client, phone)
                for _ in range(7):
                    await client.get_entity("@sandbox_reports")
            else:
                with pytest.raises(errors.PhoneNumberBannedError):
                    await client.send_code_request(phone)

    play(scene())


def test_a_key_used_from_two_addresses_is_dead(server, number):
    async def scene():
        async with server.signed_in(number(), local_addr="127.0.0.1") as client:
            string = string_of(client)
            async with server.client(string, local_addr="127.0.0.1") as second:
                assert await second.is_user_authorized()  # the same address
            with pytest.raises(errors.AuthKeyDuplicatedError):
                async with server.client(string, local_addr="127.0.0.55"):
                    pass
            with pytest.raises(errors.AuthKeyDuplicatedError):
                await client.get_dialogs()
        with pytest.raises(errors.AuthKeyDuplicatedError):
            async with server.client(string):
                pass

    play(scene())
    counters = server.admin.counters()
    assert counters["auth_keys_duplicated"] == 1
    assert counters["same_key_connections_max"] >= 2


def test_one_connection_per_key_can_be_wanted(server, number):
    server.admin.configure(one_connection_per_key=True)

    async def scene():
        async with server.signed_in(number()) as client:
            with pytest.raises(errors.AuthKeyDuplicatedError):
                async with server.client(string_of(client)):
                    pass

    play(scene())


def test_a_key_that_is_not_known_is_refused(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            string = string_of(client)
        server.admin.reset()
        async with server.client(string):
            pass

    with pytest.raises(errors.AuthKeyNotFound):
        play(scene())


def test_a_bot_signs_in_and_may_do_less(server):
    async def scene():
        async with server.client() as client:
            with pytest.raises(errors.AccessTokenInvalidError):
                await client.sign_in(bot_token=f"{bot_token(3)}x")
            me = await client.sign_in(bot_token=bot_token(3))
            assert (me.bot, me.phone) == (True, None)
            reports = await client.get_entity("@sandbox_reports")
            assert (await client.get_messages(reports, ids=3)).file.name == "reports-00003.xlsx"
            with pytest.raises(errors.BotMethodInvalidError):
                await client.get_dialogs()
            with pytest.raises(errors.BotMethodInvalidError):
                await client.get_messages(reports, limit=3)

    play(scene())
    assert not [
        each for each in server.admin.journal() if each["path"] == "messages.getHistory" and each["status"] == 200
    ]

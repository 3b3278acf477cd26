"""Waits, broken connections, wrong clocks and salts, errors by order, and what outlives a kill."""

from __future__ import annotations

import asyncio
import json
import struct
from pathlib import Path

import pytest
from telethon import errors, functions, types
from telethon.network import MTProtoSender

from sandbox import AdminError, running
from sandbox.telegram import phone_number
from tests.project import wait_for
from tests.sandbox.telegram.client import Server, play, string_of


async def history(client):
    return await client.get_messages("sandbox_reports", limit=1)


@pytest.mark.parametrize(("scenario", "seconds"), [("flood-short", 5), ("flood-long", 7_200)])
def test_a_flood_wait_lasts_until_its_end(server, number, scenario, seconds):
    async def scene():
        phone = number(scenario)
        async with server.signed_in(phone) as client:
            with pytest.raises(errors.FloodWaitError) as raised:
                await history(client)
            assert raised.value.seconds == seconds
            string = string_of(client)
        async with server.client(string) as client:  # another client, which does not remember the wait
            with pytest.raises(errors.FloodWaitError) as raised:
                await history(client)
            assert seconds - 3 <= raised.value.seconds <= seconds
        server.admin.clock(seconds + 1)
        async with server.client(string) as client:
            assert await history(client)

    play(scene())
    counters = server.admin.counters()
    assert (counters["flood_waits"], counters["asked_while_waiting"]) == (1, 1)


def test_a_wait_for_files_and_waits_by_order(server, number):
    phone = number()
    server.admin.configure(floods=[{"method": "contacts.resolveUsername", "seconds": 30, "times": 1, "number": phone}])

    async def scene():
        async with server.signed_in(phone) as client, server.signed_in(number("flood-files")) as other:
            with pytest.raises(errors.FloodWaitError):
                await client.get_entity("@sandbox_reports")
            message = (await other.get_messages("sandbox_reports", ids=[3]))[0]
            with pytest.raises(errors.FloodWaitError):
                await other.download_media(message, file=bytes)

    play(scene())
    assert server.admin.counters()["errors"] == {
        "AUTH_KEY_UNREGISTERED": server.admin.counters()["errors"]["AUTH_KEY_UNREGISTERED"],
        "FLOOD_WAIT_30": 1,
        "FLOOD_WAIT_5": 1,
    }


def test_errors_come_by_method_and_ordinal(server, number):
    async def scene():
        async with server.signed_in(number(), request_retries=0) as client:
            server.admin.configure(
                errors=[
                    {"path": "/messages.getHistory", "ordinals": [1], "fault": "429", "retry_after": 7},
                    {"path": "/messages.getDialogs", "ordinals": [1], "fault": "hang"},
                    {"path": "/channels.getMessages", "ordinals": [1, 2], "fault": "drop"},
                    {"path": "/channels.getFullChannel", "ordinals": [1], "fault": "cut"},
                ]
            )
            reports = await client.get_entity("@sandbox_reports")
            with pytest.raises(errors.FloodWaitError) as raised:
                await history(client)
            assert raised.value.seconds == 7
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.get_dialogs(), 0.3)
            assert await client.get_messages(reports, ids=3)  # Telethon connects again, twice
            assert await client(functions.channels.GetFullChannelRequest(reports))

    play(scene())
    faults = [each for each in server.admin.journal() if each["error"] in ("hang", "cut")]
    assert [each["path"] for each in faults] == [
        "messages.getDialogs",
        "channels.getMessages",
        "channels.getMessages",
        "channels.getFullChannel",
    ]


def test_a_method_that_is_not_imitated_is_refused_and_counted(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            with pytest.raises(errors.InputMethodInvalidError):
                await client(functions.messages.GetAllStickersRequest(0))

    play(scene())
    assert server.admin.counters()["unknown_methods"] == 1


def test_clients_connect_again_after_all_were_disconnected(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            assert server.admin.ask("disconnect", {})["connections"] >= 1
            assert await history(client)

    play(scene())


def test_salts_change_with_the_clock_and_the_former_one_stays_good(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            before = server.admin.counters()["bad_salts"]
            server.admin.clock(3_600)
            assert await history(client)
            assert server.admin.counters()["bad_salts"] == before
            server.admin.clock(3 * 3_600)
            assert await history(client)
            assert server.admin.counters()["bad_salts"] > before

    play(scene())


def test_a_client_whose_clock_is_wrong_is_put_right(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            string = string_of(client)
        for skew in (-3_600, 7_200):
            server.admin.configure(skew_seconds=skew)
            async with server.client(string) as client:
                assert await history(client)

    play(scene())
    assert server.admin.counters()["bad_times"] >= 2


def test_many_requests_go_in_one_message(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            reports = await client.get_entity("@sandbox_reports")
            asked = [functions.channels.GetMessagesRequest(reports, [types.InputMessageID(n)]) for n in (1, 2, 3)]
            answers = await client(asked)
            assert [each.messages[0].id for each in answers] == [1, 2, 3]
            answers = await client(asked, ordered=True)
            assert [each.messages[0].id for each in answers] == [1, 2, 3]
            found = await client.get_messages(reports, ids=list(range(1, 101)))  # long enough to be compressed
            assert [each.id for each in found if each] == [number for number in range(1, 61) if number % 10 != 4]

    play(scene())


def test_clients_without_updates_are_served_too(server, number):
    async def scene():
        async with server.signed_in(number(), receive_updates=False) as client:
            assert await history(client)

    play(scene())


def test_service_messages_are_answered(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            sender: MTProtoSender = client._sender
            pong = await sender.send(functions.PingRequest(7))
            assert pong.ping_id == 7
            salts = await sender.send(functions.GetFutureSaltsRequest(1))
            assert len(salts.salts) == 1
            assert (await client(functions.help.GetNearestDcRequest())).this_dc == 2

    play(scene())


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n" + bytes(64),
        b"\xef\x01abcd",
        b"\xee\xee\xee\xee" + struct.pack("<I", 2**31),
        b"\xee\xee\xee\xee" + struct.pack("<I", 40) + struct.pack("<q", 77) + bytes(32),
        b"\xee\xee\xee\xee" + struct.pack("<I", 28) + bytes(20) + struct.pack("<II", 0xBE7E8EF1, 0),
        b"\xee\xee\xee\xee" + struct.pack("<I", 24) + bytes(20) + b"\x01\x02\x03\x04",
    ],
    ids=["http", "short", "long", "unknown-key", "torn-request", "unknown-request"],
)
def test_nonsense_ends_the_connection_and_nothing_else(server, number, sent):
    async def scene():
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(sent)
        writer.write_eof()
        await reader.read()
        writer.close()
        async with server.client() as client:
            assert not await client.is_user_authorized()

    play(scene())


def test_the_journal_and_the_secrets_are_told_apart(server, number):
    phone = number("password")

    async def scene():
        async with server.client() as client:
            with pytest.raises(errors.SessionPasswordNeededError):
                await server.sign_in(client, phone)
            await client.sign_in(password="open-sesame")
            await history(client)
            return client.session.auth_key.key.hex()

    key = play(scene())
    secrets, written = server.admin.secrets(), json.dumps(server.admin.journal())
    assert key in secrets["auth_keys"]
    assert server.code(phone) in secrets["codes"]
    assert key not in written
    assert f'"{server.code(phone)}"' not in written
    entry = next(each for each in server.admin.journal() if each["path"] == "messages.getHistory")
    assert (entry["user"], entry["about"]["channel"], entry["status"]) == (phone.removeprefix("+"), "reports", 200)


def test_wrong_orders_are_named(server):
    with pytest.raises(AdminError, match="There is no channel nothing: choose from reports"):
        server.change("nothing", title="x")
    with pytest.raises(AdminError, match="nothing named colour"):
        server.change("reports", colour="red")
    with pytest.raises(AdminError, match="title must be str"):
        server.change("reports", title=5)
    with pytest.raises(AdminError, match="kind of a message is one of"):
        server.change("reports", post=[{"kind": "poll"}])
    with pytest.raises(AdminError, match="nothing to configure named cut"):
        server.admin.configure(cut=1)


def test_sessions_and_keys_outlive_a_kill(tmp_path):
    with running(tmp_path, ("telegram",)) as sandbox:
        phone = phone_number("ok", 7)

        def server() -> Server:
            told = sandbox.environment
            return Server(told["TELEGRAM_SERVER"], Path(told["TELEGRAM_SERVER_KEY"]), sandbox.admin["telegram"])

        async def sign_in() -> str:
            async with server().signed_in(phone) as client:
                return string_of(client)

        async def look(string: str) -> tuple[bool, int]:
            async with server().client(string) as client:
                return await client.is_user_authorized(), len(await client.get_messages("sandbox_reports", limit=None))

        string, before = play(sign_in()), sandbox.environment
        server().change("reports", post=[{"count": 2}])
        wait_for(lambda: sandbox.admin["telegram"].counters()["sign_ins"] == 1)
        sandbox.kill()
        sandbox.start()
        assert sandbox.environment == before
        assert play(look(string)) == (True, 56)
        assert set(before) == {"TELEGRAM_ADMIN_URL", "TELEGRAM_SERVER", "TELEGRAM_SERVER_KEY"}
        assert (tmp_path / "telegram-private.pem").stat().st_mode & 0o077 == 0

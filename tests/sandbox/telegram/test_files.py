"""Files: whole and in parts, with right digests; references that expire, and connections that break within."""

from __future__ import annotations

import asyncio
import hashlib

import pytest
from telethon import errors, functions, types

from sandbox.telegram import CHANNELS, sha256_of
from sandbox.telegram.documents import ARCHIVES, part
from tests.sandbox.telegram.client import play

MEGABYTE = 2**20


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def message_of(client, word: str, number: int):
    channel = types.PeerChannel(CHANNELS[word].id)
    try:
        client.session.get_input_entity(channel)
    except ValueError:
        await client.get_dialogs()  # from then on the client knows every access hash
    return await client.get_messages(channel, ids=number)


def location(document, reference: bytes | None = None):
    given = document.file_reference if reference is None else reference
    return types.InputDocumentFileLocation(document.id, document.access_hash, given, "")


def test_files_come_whole_with_the_right_digest(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            for word in ("unnamed", "archives", "albums"):
                rows = server.files(word)
                for message in list(rows)[:10]:
                    found = await message_of(client, word, message)
                    data = await client.download_media(found, file=bytes)
                    assert (len(data), digest(data)) == (rows[message]["size"], rows[message]["sha256"])
                    assert found.file.size == len(data)
                    assert (found.file.name or "") == rows[message]["name"]

    play(scene())
    assert [each["name"] for each in server.files("archives").values()] == list(ARCHIVES.values())


def test_files_without_a_name_say_what_they_are(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            found = [await message_of(client, "unnamed", number) for number in range(1, 11)]
            assert [each.file.name for each in found if each.id not in (9,)] == [None] * 9
            assert found[3].voice
            assert found[0].sticker
            assert found[1].video
            assert found[8].file.name == "../.. /a\\b:c?\n.pdf"

    play(scene())


def test_a_part_of_a_large_file_comes_from_any_offset(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            document = (await message_of(client, "large", 1)).document
            assert document.size == 2_254_857_830
            for offset in (0, 4096 * 77, 2**31, document.size // 4096 * 4096):
                ask = functions.upload.GetFileRequest(location(document), offset, 512 * 1024)
                file = CHANNELS["large"].plan(CHANNELS["large"], 1).file
                assert (await client(ask)).bytes == part(file, offset, 512 * 1024)
            slides = await message_of(client, "large", 2)
            whole = await client.download_media(slides, file=bytes)
            rest = [bytes(each) async for each in client.iter_download(slides.document, offset=4096 * 301)]
            assert b"".join(rest) == whole[4096 * 301 :]
            assert digest(whole) == sha256_of(CHANNELS["large"].plan(CHANNELS["large"], 2).file)
            assert await client.download_media(await message_of(client, "large", 3), file=bytes) == b""

    play(scene())
    counters = server.admin.counters()
    assert counters["bytes"] == sum(counters["file_bytes"].values())


def test_parts_keep_to_the_rules(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            document = (await message_of(client, "large", 2)).document

            async def ask(offset: int, limit: int) -> int:
                return len((await client(functions.upload.GetFileRequest(location(document), offset, limit))).bytes)

            assert await ask(4096, 4096) == 4096
            assert await ask(0, MEGABYTE) == MEGABYTE
            assert await ask(MEGABYTE * 2, MEGABYTE) == 1
            assert await ask(MEGABYTE * 3, 4096) == 0
            with pytest.raises(errors.OffsetInvalidError):
                await ask(1024, 4096)
            for limit in (0, 1024, 4096 * 3, 2 * MEGABYTE):
                with pytest.raises(errors.LimitInvalidError):
                    await ask(0, limit)
            assert await ask(MEGABYTE - 4096, 8192) == 8192
            server.admin.configure(strict_parts=True)
            with pytest.raises(errors.LimitInvalidError):
                await ask(MEGABYTE - 4096, 8192)

    play(scene())


def test_the_same_document_is_sent_three_times(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            sent, forwarded, foreign = [await message_of(client, "twice", number) for number in (1, 2, 3)]
            assert sent.document.id == forwarded.document.id
            assert forwarded.forward
            original = await message_of(client, "reports", 3)
            assert foreign.document.id == original.document.id
            assert foreign.fwd_from.channel_post == 3
            data = [await client.download_media(each, file=bytes) for each in (sent, forwarded)]
            assert data[0] == data[1]

    play(scene())


def test_a_reference_expires_after_two_hours_or_by_order(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            message = await message_of(client, "reports", 3)

            async def get(reference: bytes | None = None):
                ask = functions.upload.GetFileRequest(location(message.document, reference), 0, 4096)
                return (await client(ask)).bytes

            assert await get()
            for wrong, error in ((b"", errors.FileReferenceEmptyError), (b"x" * 23, errors.FileReferenceInvalidError)):
                with pytest.raises(error):
                    await get(wrong)
            server.admin.clock(7_300)
            with pytest.raises(errors.FileReferenceExpiredError):
                await get()
            fresh = (await message_of(client, "reports", 3)).document.file_reference
            assert await get(fresh)
            server.admin.ask("expire-references", {})
            with pytest.raises(errors.FileReferenceExpiredError):
                await get(fresh)
            # Telethon fetches the message again by itself.
            whole = await client.download_media(message, file=bytes)
            assert digest(whole) == server.files("reports")[3]["sha256"]

    play(scene())
    assert server.admin.counters()["references_expired"] == 3


def test_references_of_lists_may_have_expired_at_once(server, number):
    async def scene():
        async with server.signed_in(number("reference-expired")) as client:
            channel = await client.get_entity("@sandbox_protected")
            listed = (await client.get_messages(channel, limit=1))[0]
            with pytest.raises(errors.FileReferenceExpiredError):
                await client(functions.upload.GetFileRequest(location(listed.document), 0, 4096))
            fetched = await client.get_messages(channel, ids=listed.id)
            assert await client.download_media(fetched, file=bytes)

    play(scene())


def test_a_connection_breaks_within_each_file_and_the_rest_is_asked_for(server, number):
    server.admin.configure(cuts=3)

    async def scene():
        async with server.signed_in(number("cut")) as client:
            message = await message_of(client, "large", 2)
            data = await client.download_media(message, file=bytes)  # Telethon connects again by itself
            assert digest(data) == server.files("large")[2]["sha256"]
        cut = number("cut")
        async with server.signed_in(cut, auto_reconnect=False) as client:
            message = await message_of(client, "large", 2)
            got = bytearray()

            async def fetch(offset: int) -> None:
                async for each in client.iter_download(message.document, offset=offset, request_size=65_536):
                    got.extend(each)

            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await fetch(0)
            assert 0 < len(got) < message.file.size // 3
            await client.connect()
            server.admin.configure(cuts=0)
            await fetch(len(got))
            assert digest(got) == server.files("large")[2]["sha256"]
            return message.document.id

    document = play(scene())
    counters = server.admin.counters()
    assert counters["cuts"] == 4
    again = counters["file_bytes"][str(document)] - 2 * 2_097_153
    assert 0 < again <= 3 * 524_288 + 65_536, "what was cut is asked for again, and no more"


def test_files_of_another_data_centre_want_an_imported_authorization(server, number):
    server.admin.configure(file_dc=4)

    async def scene():
        async with server.signed_in(number()) as client:
            message = await message_of(client, "reports", 3)
            assert message.document.dc_id == 4
            with pytest.raises(errors.FileMigrateError):
                await client(functions.upload.GetFileRequest(location(message.document), 0, 4096))
            assert digest(await client.download_media(message, file=bytes)) == server.files("reports")[3]["sha256"]

    play(scene())
    assert {"auth.exportAuthorization", "auth.importAuthorization"} <= set(server.methods())


def test_a_session_may_name_another_data_centre(server, number):
    async def scene():
        async with server.signed_in(number(), centre=1) as client:
            message = await message_of(client, "reports", 3)
            assert await client.download_media(message, file=bytes)

    play(scene())

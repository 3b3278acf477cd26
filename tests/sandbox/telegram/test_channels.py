"""Dialogs, channels and messages as Telethon reads them."""

from __future__ import annotations

import pytest
from telethon import errors, functions, types

from sandbox.telegram import CHANNELS
from tests.sandbox.telegram.client import play


async def by_title(client) -> dict:
    return {each.title: each.entity async for each in client.iter_dialogs() if each.is_channel}


def test_dialogs_come_in_pages_with_the_pinned_one_first(server, number):
    async def scene():
        async with server.signed_in(number("many-dialogs")) as client:
            return [each async for each in client.iter_dialogs()]

    dialogs = play(scene())
    ids = [each.id for each in dialogs]
    assert len(ids) == len(set(ids)) == 243
    assert dialogs[0].pinned
    assert dialogs[0].title == "Weekly Reports"
    dates = [each.date for each in dialogs[1:] if each.date]
    assert dates == sorted(dates, reverse=True)
    channels = [each.entity for each in dialogs if each.is_channel]
    assert all(each.access_hash and each.participants_count is None for each in channels)
    assert server.admin.counters()["paths"]["messages.getDialogs"] == 3


def test_an_account_may_have_no_channel(server, number):
    async def scene():
        async with server.signed_in(number("no-channels")) as client:
            return [(each.title, each.is_channel) async for each in client.iter_dialogs()]

    assert sorted(play(scene())) == [("Friend", False), ("Small Group", False)]


def test_a_user_name_is_resolved_and_the_channel_says_more(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            reports = await client.get_entity("https://t.me/sandbox_reports")
            full = (await client(functions.channels.GetFullChannelRequest(reports))).full_chat
            assert (full.about, full.participants_count) == ("Reports, every week.", 8_400)
            assert not reports.left
            unjoined = await client.get_entity("@Sandbox_Open")
            assert unjoined.left
            assert len(await client.get_messages(unjoined, limit=None)) == 12
            with pytest.raises(ValueError):
                await client.get_entity("@sandbox_nobody")
            group = await client.get_entity("@sandbox_albums")
            assert (group.megagroup, reports.broadcast) == (True, True)

    play(scene())


def test_an_access_hash_belongs_to_an_account(server, number):
    async def scene():
        async with server.signed_in(number()) as client, server.signed_in(number()) as other:
            archive = (await by_title(client))["Archive of Years"]
            theirs = (await by_title(other))["Archive of Years"]
            assert (archive.id, archive.access_hash != theirs.access_hash) == (theirs.id, True)
            for wrong in (0, theirs.access_hash):
                with pytest.raises(errors.ChannelInvalidError):
                    await client(functions.channels.GetChannelsRequest([types.InputChannel(archive.id, wrong)]))

    play(scene())


def test_an_invite_link_leads_to_a_private_channel(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            check = functions.messages.CheckChatInviteRequest("SandboxInvite0001")
            invite = await client(check)
            assert (invite.title, invite.participants_count) == ("By Invitation", 120)
            await client(functions.messages.ImportChatInviteRequest("SandboxInvite0001"))
            channel = (await client(check)).chat
            assert len(await client.get_messages(channel, limit=None)) == 6
            assert "By Invitation" in await by_title(client)
            with pytest.raises(errors.UserAlreadyParticipantError):
                await client(functions.messages.ImportChatInviteRequest("SandboxInvite0001"))
            with pytest.raises(errors.InviteHashExpiredError):
                await client(functions.messages.CheckChatInviteRequest("SandboxInvite0002"))

    play(scene())


def test_history_by_id_forwards_backwards_and_in_between(server, number):
    async def ids(client, channel, **how):
        return [each.id async for each in client.iter_messages(channel, **how)]

    async def scene():
        async with server.signed_in(number()) as client:
            reports = await client.get_entity("@sandbox_reports")
            there = [each for each in range(1, 61) if each % 10 != 4]
            assert await ids(client, reports) == there[::-1]
            assert await ids(client, reports, reverse=True) == there
            assert await ids(client, reports, reverse=True, min_id=20) == [each for each in there if each > 20]
            assert await ids(client, reports, min_id=20, max_id=30) == [each for each in there[::-1] if 20 < each < 30]
            assert await ids(client, reports, offset_id=10, limit=3) == [9, 8, 7]
            assert await ids(client, reports, offset_id=10, limit=3, reverse=True) == [11, 12, 13]
            at = (await client.get_messages(reports, ids=31)).date
            assert await ids(client, reports, offset_date=at, limit=2) == [30, 29]
            assert await ids(client, reports, offset_date=at, limit=2, reverse=True) == [31, 32]
            found = await client.get_messages(reports, ids=[3, 4, 1, 999])
            assert [each and each.id for each in found] == [3, None, 1, None]
            assert found[2].action

    play(scene())


def test_searches_by_kind_text_and_sender(server, number):
    async def count(client, channel, **how):
        return len([each async for each in client.iter_messages(channel, **how)])

    async def scene():
        async with server.signed_in(number()) as client:
            channels = await by_title(client)
            reports, albums = channels["Weekly Reports"], channels["Albums"]
            assert await count(client, reports, filter=types.InputMessagesFilterDocument) == 18
            assert await count(client, reports, filter=types.InputMessagesFilterPhotos) == 0
            assert await count(client, reports, search="Report 3 of") == 1
            assert await count(client, reports, search="reports-00003") == 1
            assert await count(client, albums, filter=types.InputMessagesFilterPhotos()) == 16
            ada = (await client.get_messages(albums, ids=1)).sender
            assert ada.first_name == "Ada"
            assert await count(client, albums, from_user=ada) == 15

    play(scene())


def test_an_album_is_several_messages_of_one_group(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            return [each async for each in client.iter_messages("sandbox_albums", reverse=True)]

    messages = play(scene())
    groups: dict[int | None, list] = {}
    for each in messages:
        groups.setdefault(each.grouped_id, []).append(each)
    texts = groups.pop(None)
    assert (len(texts), len(groups)) == (8, 8)
    for place, album in enumerate(groups.values()):
        assert [each.id for each in album] == list(range(album[0].id, album[0].id + 4))
        assert [bool(each.photo) for each in album] == [place % 2 == 1] * 4
        assert [each.text for each in album] == [f"Album {place + 1}", "", "", ""]


def test_a_forum_has_topics(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            forum = (await by_title(client))["Forum"]
            assert forum.forum
            ask = functions.messages.GetForumTopicsRequest(forum, None, 0, 0, 100)
            topics = {each.title: each.id for each in (await client(ask)).topics}
            assert topics == {"General": 1, "Invoices": 2, "Manuals": 3}
            messages = [each async for each in client.iter_messages(forum, reply_to=topics["Invoices"])]
            assert messages
            assert all(each.reply_to.forum_topic and each.reply_to.reply_to_msg_id == 2 for each in messages)
            some = await client(functions.messages.GetForumTopicsByIDRequest(forum, [3]))
            assert [each.title for each in some.topics] == ["Manuals"]
            reports = await client.get_entity("@sandbox_reports")
            with pytest.raises(errors.ChannelForumMissingError):
                await client(functions.messages.GetForumTopicsRequest(reports, None, 0, 0, 100))

    play(scene())


def test_saving_may_be_forbidden(server, number):
    async def forbids(scenario: str) -> dict[str, bool]:
        async with server.signed_in(number(scenario)) as client:
            return {title: bool(each.noforwards) for title, each in (await by_title(client)).items()}

    said = play(forbids("ok"))
    assert [title for title, protected in said.items() if protected] == ["No Copies"]
    assert all(play(forbids("noforwards")).values())


def test_30_000_messages_come_page_by_page(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            archive = (await by_title(client))["Archive of Years"]
            newest = await client.get_messages(archive, limit=300)
            assert newest.total == 30_000
            assert [each.id for each in newest][:3] == [31_999, 31_998, 31_997]
            oldest = [each async for each in client.iter_messages(archive, reverse=True, limit=300)]
            assert [each.id for each in oldest[:16]] == [*range(1, 16), 17]
            files = [each for each in oldest if each.file]
            assert [each.id for each in files[:3]] == [5, 6, 7]
            documents = await client.get_messages(archive, filter=types.InputMessagesFilterDocument, limit=0)
            photos = await client.get_messages(archive, filter=types.InputMessagesFilterPhotos, limit=0)
            assert (documents.total, photos.total) == (1_600, 800)

    play(scene())
    history = [each for each in server.admin.journal() if each["path"] == "messages.getHistory"]
    assert len(history) == 6
    assert {each["about"]["channel"] for each in history} == {"archive"}


def test_a_channel_changes_by_order(server, number):
    async def scene():
        async with server.signed_in(number()) as client:
            reports = await client.get_entity("@sandbox_reports")
            server.change(
                "reports", post=[{"count": 40}, {"kind": "album", "count": 2}, {"kind": "text", "text": "New"}]
            )
            new = [each async for each in client.iter_messages(reports, min_id=60, reverse=True)]
            assert [each.id for each in new] == list(range(61, 104))
            assert all(each.file for each in new[:42])
            assert (new[-1].text, new[-2].grouped_id == new[-3].grouped_id) == ("New", True)
            server.change(
                "reports", delete=[61, 3], edit={"62": "Another caption"}, title="Monthly", username="monthly_1"
            )
            found = await client.get_messages(reports, ids=[61, 3, 62])
            assert [each and each.text for each in found] == [None, None, "Another caption"]
            assert found[2].edit_date
            assert (await client.get_messages(reports, limit=0)).total == 54 + 43 - 2
            assert (await client(functions.channels.GetChannelsRequest([reports]))).chats[0].title == "Monthly"
            assert (await client.get_entity("@monthly_1")).id == reports.id
            server.change("reports", private=True)
            with pytest.raises(errors.ChannelPrivateError):
                await client.get_messages(reports, limit=1)
            with pytest.raises(errors.UsernameNotOccupiedError):
                await client(functions.contacts.ResolveUsernameRequest("monthly_1"))

    play(scene())
    told = server.channels()["reports"]
    assert (told["messages"], told["newest"], told["private"]) == (54 + 43 - 2, 103, True)


def test_an_account_may_be_shut_out_of_all(server, number):
    async def scene():
        async with server.signed_in(number("kicked")) as client:
            chats = [each.entity async for each in client.iter_dialogs()]
            assert [each.title for each in chats if isinstance(each, types.Channel)] == []
            forbidden = next(each for each in chats if isinstance(each, types.ChannelForbidden))
            with pytest.raises(errors.ChannelPrivateError):
                await client.get_messages(types.InputPeerChannel(forbidden.id, forbidden.access_hash), limit=1)

    play(scene())


def test_messages_are_the_same_in_each_process(server, number):
    rows = server.files("archive", digests="none")
    assert len(rows) == 2_400
    channel = CHANNELS["archive"]
    for message in (5, 6, 7, 31_967):
        file = channel.plan(channel, message).file
        assert (rows[message]["file"], rows[message]["size"]) == (file.id, file.size)

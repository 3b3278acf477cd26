"""Which channels an account sees: its dialogs, user names, invite links, what a channel is."""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from sandbox.telegram import entities
from sandbox.telegram.calls import Call, Refusal, answers
from sandbox.telegram.channels import FILLERS, Channel
from sandbox.telegram.history import PAGE, channel_of, seconds

PINNED = "reports"  # the one dialog that stands above the newer ones


@answers(functions.messages.GetDialogsRequest, content=True, bots=False)
def dialogs(call: Call) -> Any:
    """Return a page of dialogs: the pinned one first, then newest first."""
    request, state = call.request, call.state
    call.about["limit"] = request.limit
    rows = sorted(everything(call), key=lambda row: (not row["pinned"], -row["date"], row["id"]))
    count = len(rows)
    if request.exclude_pinned:
        rows = [row for row in rows if not row["pinned"]]
    offset = place_of(request.offset_peer)
    if offset in [row["id"] for row in rows]:
        rows = rows[[row["id"] for row in rows].index(offset) + 1 :]
    elif seconds(request.offset_date):
        rows = [row for row in rows if row["date"] < seconds(request.offset_date)]
    page = rows[: max(1, min(request.limit, PAGE))]
    parts = (
        [row["dialog"] for row in page],
        [row["message"] for row in page if row["message"] is not None],
        [row["chat"] for row in page if row["chat"] is not None],
        [entities.user(call.me, entities.FRIEND), entities.me(call.me)],
    )
    state.counters.add("dialog_pages")
    return types.messages.Dialogs(*parts) if len(page) == count else types.messages.DialogsSlice(count, *parts)


def everything(call: Call) -> list[dict[str, Any]]:
    """Return a row for each dialog of the account."""
    state, account = call.state, call.me
    group = entities.small_group(state)
    rows = [
        other(call, types.PeerUser(entities.FRIEND), entities.FRIEND, None),
        other(call, types.PeerChat(entities.GROUP), entities.GROUP, group),
    ]
    channels = [each for each in state.world.all() if state.is_member(account, each)]
    if account.says("many-dialogs"):
        channels += FILLERS.values()
    for channel in channels:
        post = state.world.post(channel, state.world.top(channel))
        rows.append(
            {
                "id": channel.id,
                "date": post.date if post else 0,
                "pinned": channel.word == PINNED,
                "dialog": dialog(types.PeerChannel(channel.id), post.id if post else 0, channel.word == PINNED, pts=1),
                "message": entities.message(state, channel, post, entities.LISTED) if post else None,
                "chat": entities.channel(state, account, channel, joined=True),
            }
        )
    return rows


def other(call: Call, peer: Any, number: int, chat: Any) -> dict[str, Any]:
    """Return the row of a dialog that is no channel."""
    date = call.state.now() - number % 1_000
    message = types.Message(1, peer, entities.moment(date), "Hello", from_id=types.PeerUser(entities.FRIEND))
    return {
        "id": number,
        "date": date,
        "pinned": False,
        "dialog": dialog(peer, 1, False),
        "message": message,
        "chat": chat,
    }


def dialog(peer: Any, top: int, pinned: bool, pts: int | None = None) -> Any:
    """Return a dialog of which everything was read."""
    return types.Dialog(
        peer=peer,
        top_message=top,
        read_inbox_max_id=top,
        read_outbox_max_id=0,
        unread_count=0,
        unread_mentions_count=0,
        unread_reactions_count=0,
        unread_poll_votes_count=0,
        notify_settings=entities.settings(),
        pinned=pinned or None,
        pts=pts,
    )


def place_of(peer: Any) -> int:
    """Return the id in a peer; 0 for none."""
    return next((getattr(peer, name) for name in ("channel_id", "chat_id", "user_id") if hasattr(peer, name)), 0)


@answers(functions.contacts.ResolveUsernameRequest, content=True)
def resolve(call: Call) -> Any:
    """Return the channel of a user name, member or not."""
    state, account = call.state, call.me
    channel = state.world.by_username(call.request.username.removeprefix("@"))
    if channel is None or entities.forbidden(state, account, channel):
        raise Refusal(400, "USERNAME_NOT_OCCUPIED")
    chat = entities.channel(state, account, channel, joined=state.is_member(account, channel))
    return types.contacts.ResolvedPeer(types.PeerChannel(channel.id), [chat], [])


@answers(functions.channels.GetChannelsRequest, content=True)
def channels(call: Call) -> Any:
    """Return channels by their ids and access hashes."""
    state, account = call.state, call.me
    found = [channel_of(call, each) for each in call.request.id]
    chats = [entities.channel(state, account, each, joined=state.is_member(account, each)) for each in found]
    return types.messages.Chats(chats)


@answers(functions.channels.GetFullChannelRequest, content=True)
def full_channel(call: Call) -> Any:
    """Return a channel with description and number of members."""
    state, account = call.state, call.me
    channel = channel_of(call, call.request.channel)
    top = state.world.top(channel)
    full = types.ChannelFull(
        id=channel.id,
        about=channel.about,
        participants_count=channel.members,
        read_inbox_max_id=top,
        read_outbox_max_id=0,
        unread_count=0,
        chat_photo=types.PhotoEmpty(0),
        notify_settings=entities.settings(),
        bot_info=[],
        pts=1,
    )
    chat = entities.channel(state, account, channel, joined=state.is_member(account, channel))
    return types.messages.ChatFull(full, [chat], [])


@answers(functions.messages.CheckChatInviteRequest, content=True, bots=False)
def check_invite(call: Call) -> Any:
    """Say what an invite link leads to."""
    state, account, channel = call.state, call.me, invited(call)
    if state.is_member(account, channel):
        return types.ChatInviteAlready(entities.channel(state, account, channel, joined=True))
    return types.ChatInvite(
        title=channel.title,
        photo=types.PhotoEmpty(0),
        participants_count=channel.members,
        color=0,
        channel=True,
        broadcast=channel.kind == "broadcast" or None,
        megagroup=channel.kind != "broadcast" or None,
        about=channel.about or None,
    )


@answers(functions.messages.ImportChatInviteRequest, content=True, bots=False)
def accept_invite(call: Call) -> Any:
    """Make the account a member by an invite link."""
    channel = invited(call)
    if call.state.is_member(call.me, channel):
        raise Refusal(400, "USER_ALREADY_PARTICIPANT")
    return joined(call, channel)


@answers(functions.channels.JoinChannelRequest, content=True, bots=False)
def join(call: Call) -> Any:
    """Make the account a member of a public channel."""
    return joined(call, channel_of(call, call.request.channel))


def joined(call: Call, channel: Channel) -> Any:
    """Note the new member, and answer with the updates that this brings."""
    call.state.join(call.me, channel)
    chat = entities.channel(call.state, call.me, channel, joined=True)
    updates = types.Updates([], [], [chat], entities.moment(call.state.protocol_now()), 0)
    return types.messages.ChatInviteJoinResultOk(updates)


def invited(call: Call) -> Channel:
    """Return the channel of an invite link."""
    wanted = call.request.hash
    found = next((each for each in call.state.world.all() if each.invite and each.invite == wanted), None)
    if found is None or entities.forbidden(call.state, call.me, found):
        raise Refusal(400, "INVITE_HASH_EXPIRED")
    call.about["channel"] = found.word
    return found

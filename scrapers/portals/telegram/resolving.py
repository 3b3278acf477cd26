"""From how a channel is named to what Telegram says of it, as the account of a session sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from telethon import TelegramClient, errors, functions, types

from scrapers.core.outcomes import ChannelClosed, ChannelUnknown
from scrapers.portals.telegram.addresses import Address, Kind
from scrapers.portals.telegram.dialogs import username_of


@dataclass(frozen=True, slots=True)
class Resolved:
    """A channel. access_hash: good for this account alone. is_protected: its owner forbids to save what is in it."""

    id: int
    access_hash: int | None
    title: str
    username: str | None  # without "@"; None: it is private
    is_protected: bool


async def resolve(client: TelegramClient, address: Address, *, join: bool = False) -> Resolved:
    """
    Return the channel of an address; join one by its invitation where *join* says so.

    Raises ChannelUnknown, ChannelClosed (the account is no member), and Telethon's errors.
    """
    if address.kind is Kind.USERNAME:
        return _of_entity(await _by_username(client, address.value))
    if address.kind is Kind.INVITE:
        return _of_entity(await _by_invite(client, address.value, join=join))
    return _of_entity(await _by_id(client, int(address.value)))


async def _by_username(client: TelegramClient, name: str) -> Any:
    found = await client(functions.contacts.ResolveUsernameRequest(name))
    if not isinstance(found.peer, types.PeerChannel):
        raise ChannelUnknown(f"@{name} is a person or a bot, and no channel.")
    for chat in found.chats:
        if chat.id == found.peer.channel_id:
            return chat
    raise ChannelUnknown(f"There is no channel @{name}.")


async def _by_invite(client: TelegramClient, found: str, *, join: bool) -> Any:
    invite = await client(functions.messages.CheckChatInviteRequest(found))
    if isinstance(invite, types.ChatInviteAlready):
        return invite.chat
    if isinstance(invite, types.ChatInvite) and not invite.channel:
        raise ChannelUnknown("The invitation is to a small group, and not to a channel.")
    if not join:
        raise ChannelClosed("The account is no member: join it there, or let the source join.")
    try:
        await client(functions.messages.ImportChatInviteRequest(found))
    except errors.InviteRequestSentError:
        raise ChannelClosed("The account has asked to join: whoever owns the channel has to let it in.") from None
    except errors.UserAlreadyParticipantError:
        pass
    # What joining answers differs from layer to layer.
    invite = await client(functions.messages.CheckChatInviteRequest(found))
    if not isinstance(invite, types.ChatInviteAlready):
        raise ChannelClosed("The account could not join it.")
    return invite.chat


async def _by_id(client: TelegramClient, number: int) -> Any:
    """Look for a channel among the dialogs: an id alone, without the access hash, is not enough for an account."""
    async for dialog in client.iter_dialogs():
        entity = dialog.entity
        if getattr(entity, "id", None) == number and isinstance(entity, types.Channel | types.ChannelForbidden):
            return entity
    raise ChannelUnknown(f"The account is in no channel of id {number}: give its @name or a link.")


def _of_entity(entity: Any) -> Resolved:
    if isinstance(entity, types.ChannelForbidden):
        raise ChannelClosed("The channel is closed to the account.")
    if not isinstance(entity, types.Channel):
        raise ChannelUnknown("It is a small group or a person: a source is a channel or a supergroup.")
    return Resolved(entity.id, entity.access_hash, entity.title, username_of(entity), bool(entity.noforwards))

"""The channels that an account sees: its dialogs, and of each channel how many members it has and what it is about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from telethon import TelegramClient, errors, functions, types

from database.models.base import utc_now
from scrapers.core.outcomes import FloodWait
from scrapers.portals.telegram.client import failure_of


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel or supergroup. None: unknown."""

    id: int  # bare, positive
    title: str
    username: str | None  # without "@"; None: it is private
    participants_count: int | None
    is_broadcast: bool
    is_megagroup: bool
    access_hash: int | None = field(repr=False)  # as this account sees it
    description: str | None = None
    is_forum: bool = False
    noforwards: bool = False  # its owner forbids saving
    is_closed: bool = False  # the account is a member no more

    @property
    def is_private(self) -> bool:
        """Whether it has no user name."""
        return self.username is None

    @property
    def kind(self) -> str:
        """What it is, for people."""
        return "forum" if self.is_forum else "group" if self.is_megagroup else "channel"


@dataclass(slots=True)
class Channels:
    """
    The channels of an account, in the order of its dialogs.

    detailed_until: a flood wait's end, before which nothing more is asked; descriptions are missing from there on.
    """

    found: list[Channel] = field(default_factory=list)
    waits_until: datetime | None = None


async def channels_of(client: TelegramClient, *, details: bool = True) -> Channels:
    """
    Return all channels of an account: groups that are no supergroups, and persons, are none.

    details: ask for each one's members and description, a request each. A flood wait at one of them ends the details, and
    its end is in the answer; one before that is raised.
    """
    result = Channels()
    async for dialog in client.iter_dialogs(ignore_migrated=True):
        if isinstance(dialog.entity, types.Channel | types.ChannelForbidden):
            result.found.append(_channel(dialog.entity))
    for place, channel in enumerate(result.found):
        if details and not channel.is_closed and result.waits_until is None:
            try:
                result.found[place] = await _with_details(client, channel)
            except (errors.FloodError, errors.RPCError) as error:
                failure = failure_of(error, utc_now())
                if isinstance(failure, FloodWait):
                    result.waits_until = failure.until
                elif not isinstance(error, errors.BadRequestError | errors.ForbiddenError):
                    raise  # what is said of one channel is no reason to tell nothing of the others
    return result


async def _with_details(client: TelegramClient, channel: Channel) -> Channel:
    where = types.InputChannel(channel.id, channel.access_hash or 0)
    full = (await client(functions.channels.GetFullChannelRequest(where))).full_chat
    return replace(channel, participants_count=full.participants_count, description=full.about or None)


def _channel(entity: types.Channel | types.ChannelForbidden) -> Channel:
    if isinstance(entity, types.ChannelForbidden):
        return Channel(
            id=entity.id,
            title=entity.title,
            username=None,
            participants_count=None,
            is_broadcast=bool(entity.broadcast),
            is_megagroup=bool(entity.megagroup),
            access_hash=entity.access_hash,
            is_closed=True,
        )
    return Channel(
        id=entity.id,
        title=entity.title,
        username=username_of(entity),
        participants_count=entity.participants_count,
        is_broadcast=bool(entity.broadcast),
        is_megagroup=bool(entity.megagroup),
        access_hash=entity.access_hash,
        is_forum=bool(entity.forum),
        noforwards=bool(entity.noforwards),
        is_closed=bool(entity.left),
    )


def username_of(entity: types.Channel) -> str | None:
    """Return the user name of a channel, also where it has several; None for a private one."""
    if entity.username:
        return str(entity.username)
    return next((str(each.username) for each in entity.usernames or [] if each.active), None)

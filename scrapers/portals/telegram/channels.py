"""A channel as a session sees it: what it is called now, its history from the oldest on, and messages by their ids."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from telethon import functions, types

from database.models.base import utc_now
from scrapers.core.outcomes import ChannelClosed, PortalRefused, SavingForbidden
from scrapers.families.messaging.filters import begin_of
from scrapers.portals.telegram.asking import Telegram
from scrapers.portals.telegram.attachments import usernames, whole_albums

PAGE = 100  # messages of one answer; Telegram gives no more


@dataclass(frozen=True, slots=True)
class Page:
    """Messages of the history, the oldest first, service messages left out."""

    messages: Sequence[Any]
    after: int  # all ids of the page are above it …
    to: int  # … and up to this one everything is in it
    names: dict[int, str] = field(default_factory=dict)  # user names of senders by id


@dataclass(frozen=True, slots=True)
class OpenChannel:
    """A channel that can be read."""

    telegram: Telegram
    peer: types.InputChannel
    title: str
    username: str | None
    is_forum: bool

    @classmethod
    async def open(
        cls, telegram: Telegram, channel_id: int, access_hash: int | None, username: str | None
    ) -> OpenChannel:
        """
        Look at a channel by its id, whatever it is called now; raise ChannelClosed or SavingForbidden where it cannot be read.

        The user name serves only where the access hash is not known.
        """
        if access_hash is None:
            access_hash = await _resolved(telegram, channel_id, username)
        peer = types.InputChannel(channel_id, access_hash)
        answer = await telegram.ask(functions.channels.GetChannelsRequest([peer]))
        found = next((chat for chat in answer.chats if chat.id == channel_id), None)
        if not isinstance(found, types.Channel):
            raise ChannelClosed("The account of the session may not read it.")
        if found.noforwards:
            raise SavingForbidden
        known = [found.username, *(each.username for each in found.usernames or () if each.active)]
        name = next((each for each in known if each), None)
        return cls(telegram, peer, found.title, name, bool(found.forum))

    async def before(self, day: date) -> int:
        """Return the id of the newest message before a day; 0 where there is none."""
        # Telegram's dates end in 2038; nothing is newer than now.
        answer = await self._history(offset_date=min(begin_of(day), utc_now()), limit=1)
        ids: list[int] = [each.id for each in answer.messages]
        return max(ids, default=0)

    async def pages(self, after: int) -> AsyncIterator[Page]:
        """Yield the history above an id, the oldest first. Ids tell what is next, never places: gaps are normal."""
        while True:
            answer = await self._history(offset_id=after + 1, add_offset=-PAGE, limit=PAGE)
            new = sorted(
                (each for each in answer.messages if each.id > after and not isinstance(each, types.MessageEmpty)),
                key=lambda message: message.id,
            )
            if not new:
                return
            now = whole_albums(new)
            to = now[-1].id
            own = [each for each in now if isinstance(each, types.Message)]
            yield Page(own, after, to, usernames((*answer.users, *answer.chats)))
            after = to

    async def messages(self, ids: Iterable[int]) -> dict[int, Any]:
        """Return messages by their ids, with new file references; deleted ones are left out."""
        wanted = [types.InputMessageID(each) for each in ids]
        answer = await self.telegram.ask(functions.channels.GetMessagesRequest(self.peer, wanted))
        return {each.id: each for each in answer.messages if isinstance(each, types.Message)}

    async def _history(self, *, limit: int, offset_id: int = 0, offset_date: Any = None, add_offset: int = 0) -> Any:
        peer = types.InputPeerChannel(self.peer.channel_id, self.peer.access_hash)
        return await self.telegram.ask(
            functions.messages.GetHistoryRequest(peer, offset_id, offset_date, add_offset, limit, 0, 0, 0)
        )


async def _resolved(telegram: Telegram, channel_id: int, username: str | None) -> int:
    """Return the access hash of a channel by its user name."""
    if username is None:
        raise PortalRefused("The channel's access hash is not known: verify the source anew.")
    answer = await telegram.ask(functions.contacts.ResolveUsernameRequest(username))
    found = next((chat for chat in answer.chats if chat.id == channel_id), None)
    if not isinstance(found, types.Channel) or found.access_hash is None:
        raise ChannelClosed("Its user name belongs to another one now, or to none.")
    return int(found.access_hash)

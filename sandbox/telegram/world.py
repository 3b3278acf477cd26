"""The channels as they are now: what was posted, edited, deleted and renamed by the admin pages, over the plan of each."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sandbox.state import State
from sandbox.telegram.channels import BY_ID, CHANNELS, FIRST_CHANNEL, PHOTO, Channel, Post, planned
from sandbox.telegram.documents import File

CHANGES = {"title": str, "username": str, "about": str, "private": bool, "protected": bool, "members": int}
POSTED = ("text", "document", "photo", "album")


class World:
    """Every channel with its messages; `now` is the portal's clock, by which new messages are dated."""

    def __init__(self, state: State) -> None:
        self._table = state.table("channels")

    def find(self, channel_id: int) -> Channel | None:
        """Return a channel as it is now, by its id; None where there is none."""
        channel = BY_ID.get(channel_id)
        return self.changed(channel) if channel else None

    def by_username(self, username: str) -> Channel | None:
        """Return the public channel of a user name."""
        wanted = username.lower()
        return next((each for each in self.all() if each.username.lower() == wanted and wanted), None)

    def all(self) -> list[Channel]:
        """Return all channels but the fillers."""
        return [self.changed(each) for each in CHANNELS.values()]

    def changed(self, channel: Channel) -> Channel:
        """Return a channel with what was changed of it."""
        row = self._table.get(channel.word, {})
        facts = {name: row[name] for name in ("title", "username", "about", "protected", "members") if name in row}
        return replace(channel, **facts) if facts else channel

    def is_private(self, channel: Channel) -> bool:
        """Whether nobody is let in any more."""
        return bool(self._table.get(channel.word, {}).get("private"))

    # Messages

    def ids(self, channel: Channel) -> Sequence[int]:
        """Return the ids of all messages, oldest first."""
        row = self._table.get(channel.word)
        first = planned(CHANNELS.get(channel.word, channel))
        if row is None:
            return first
        gone, added = set(row.get("deleted", ())), [channel.last + 1 + n for n in range(len(row.get("added", ())))]
        return [number for number in (*first, *added) if number not in gone]

    def post(self, channel: Channel, message: int) -> Post | None:
        """Return a message; None where there never was one, or where it was deleted."""
        row = self._table.get(channel.word, {})
        if message in row.get("deleted", ()) or message < 1:
            return None
        if message > channel.last:
            place, added = message - channel.last - 1, row.get("added", ())
            post = _added(channel, message, added[place]) if place < len(added) else None
        else:
            post = channel.plan(CHANNELS.get(channel.word, channel), message)
        edit = row.get("edited", {}).get(str(message))
        return replace(post, **edit) if post and edit else post

    def top(self, channel: Channel) -> int:
        """Return the id of the newest message; 0 where there is none."""
        ids = self.ids(channel)
        return ids[-1] if ids else 0

    def file(self, number: int) -> File | None:
        """Return the file with a document's or a photo's id, wherever it was first sent."""
        channel = self.find(FIRST_CHANNEL + number % PHOTO // 2**32)
        message = number % 2**32
        if channel is None or not 0 < message <= 2**31:
            return None
        # A deleted message's file stays for whoever has its reference; it is made from the plan alone.
        row = self._table.get(channel.word, {})
        place, added = message - channel.last - 1, row.get("added", ())
        if place < 0:
            post = channel.plan(CHANNELS.get(channel.word, channel), message)
        else:
            post = _added(channel, message, added[place]) if place < len(added) else None
        return post.file if post and post.file and post.file.id == number else None

    def slice(self, ids: Sequence[int], offset_id: int, add_offset: int, limit: int) -> list[int]:
        """
        Return a page of ids, newest first.

        The page begins at the newest message older than `offset_id` (0: at the newest of all), moved towards older ones
        by `add_offset`, which may be negative.
        """
        older = bisect.bisect_left(ids, offset_id) if offset_id else len(ids)
        newest_first = len(ids) - older + add_offset
        if newest_first < 0:
            limit += newest_first
            newest_first = 0
        high = len(ids) - newest_first
        return list(reversed(ids[max(high - max(limit, 0), 0) : max(high, 0)]))

    # What the admin pages do

    def change(self, channel: Channel, now: float, orders: Mapping[str, Any]) -> str:
        """Change a channel; return what is wrong as one sentence, and change nothing then."""
        for name, value in orders.items():
            if name in CHANGES and not isinstance(value, CHANGES[name]):
                return f"{name} must be {CHANGES[name].__name__}."
            if name not in (*CHANGES, "post", "delete", "edit"):
                return f"A channel has nothing named {name}."
        row = dict(self._table.get(channel.word, {}))
        row |= {name: value for name, value in orders.items() if name in CHANGES}
        added = list(row.get("added", ()))
        for order in orders.get("post", ()):
            if order.get("kind", "document") not in POSTED:
                return f"The kind of a message is one of {', '.join(POSTED)}."
            added += _posts(order, int(now), len(added))
        deleted = [*row.get("deleted", ()), *orders.get("delete", ())]
        edited = row.get("edited", {}) | {
            str(message): {"text": text, "edited": int(now)} for message, text in orders.get("edit", {}).items()
        }
        self._table[channel.word] = row | {"added": added, "deleted": deleted, "edited": edited}
        return ""


def _posts(order: Mapping[str, Any], now: int, before: int) -> list[dict[str, Any]]:
    """Return the rows of new messages: `{"kind": "document", "count": 40, "name": …, "size": …, "text": …}`."""
    count, kind = int(order.get("count", 1)), order.get("kind", "document")
    row = {"kind": "document" if kind == "album" else kind, "date": now}
    row |= {name: order[name] for name in ("name", "size", "text") if name in order}
    return [row | ({"album": before + 1} if kind == "album" else {}) for _ in range(count)]


def _added(channel: Channel, message: int, row: Mapping[str, Any]) -> Post:
    """Return a message that an admin page has posted."""
    if row["kind"] == "text":
        post = channel.text(message, row.get("text", ""))
    else:
        post = channel.photo(message) if row["kind"] == "photo" else channel.document(message)
        assert post.file is not None
        named = {name: row[name] for name in ("name", "size") if name in row}
        post = replace(post, file=replace(post.file, **named), text=row.get("text", ""))
    group = channel.number * 2**32 + 2**31 + row["album"] if "album" in row else 0
    return replace(post, date=row["date"], group=group)

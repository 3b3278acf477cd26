"""
Clients of older layers: what Telethon's newest classes read and write, in the numbers that an older client knows.

Telethon 1.40 speaks layer 201 or 214 (two builds of it are in the index), 1.45 layer 229. Most of what changed between them is fields that are never set here: then
only the number in front of the object is another one. Only the types and methods of this server are listed.
"""

from __future__ import annotations

import copy
import struct
from typing import Any

from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.tl import TLObject, functions, types
from telethon.tl.alltlobjects import LAYER

# Type: (last layer of Telethon's releases that has this number, number), oldest first.
FORMER: dict[str, tuple[tuple[int, int], ...]] = {
    "Channel": ((201, 0x7482147E), (216, 0xFE685355), (227, 0x1C32B11C)),
    "ChannelFull": ((201, 0x52D6806B), (224, 0xE4E0B29D)),
    "Dialog": ((216, 0xD58A08C6),),
    "ForumTopic": ((214, 0x71701DA9), (216, 0xCDFF0ECA)),
    "Message": ((201, 0xEABCDD4D), (216, 0x9815CEC8), (224, 0x3AE56482)),
    "MessageMediaPhoto": ((216, 0x695150D7),),
    "MessageReplyHeader": ((201, 0xAFBC09DB), (216, 0x6917560B)),
    "MessageService": ((201, 0xD3D28540),),
    "User": ((216, 0x020B1422), (227, 0x31774388)),
}
# Methods: an older number, and the class that reads what follows it.
FORMER_METHODS: dict[int, type[Any]] = {
    0x0DE560D1: functions.messages.GetForumTopicsRequest,  # of channels then, with an InputChannel
    0x24B524C5: functions.channels.JoinChannelRequest,
    0x6C50051C: functions.messages.ImportChatInviteRequest,
}
WRAPPERS = (functions.InvokeWithoutUpdatesRequest.CONSTRUCTOR_ID,)  # nothing but a number before the request
JOINED_BY_UPDATES = 224  # the last layer in which joining is answered with the updates themselves


def newest(body: bytes) -> bytes:
    """Return a request as Telethon's newest classes read it."""
    at = 0
    number = int.from_bytes(body[:4], "little")
    while number in WRAPPERS:
        at += 4
        number = int.from_bytes(body[at : at + 4], "little")
    kind = FORMER_METHODS.get(number)
    if kind is None:
        return body
    return body[:at] + struct.pack("<I", kind.CONSTRUCTOR_ID) + body[at + 4 :]


def read(body: bytes) -> Any:
    """Return the object that a client has sent; None for one that is not known here, or not whole."""
    try:
        with BinaryReader(newest(body)) as reader:
            return reader.tgread_object()
    except (TypeNotFoundError, BufferError, struct.error):
        return None


class _Written(TLObject):
    """An object that is already bytes, to stand inside another one."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def _bytes(self) -> bytes:
        return self._data


def written(told: Any, layer: int) -> bytes:
    """Return the bytes of a result, in the numbers that a client of this layer knows."""
    if isinstance(told, bool):
        return struct.pack("<I", 0x997275B5 if told else 0xBC799737)
    if isinstance(told, list):
        return struct.pack("<Ii", 0x1CB5C415, len(told)) + b"".join(written(each, layer) for each in told)
    if isinstance(told, types.messages.ChatInviteJoinResultOk) and layer <= JOINED_BY_UPDATES:
        told = told.updates
    return bytes(told if layer >= LAYER else _for_layer(told, layer))


def _for_layer(told: Any, layer: int) -> Any:
    """Return an object with all that is in it as a client of an older layer reads it."""
    if isinstance(told, list):
        return [_for_layer(each, layer) for each in told]
    if not isinstance(told, TLObject):
        return told
    changed = copy.copy(told)
    for name, value in vars(told).items():
        if not name.startswith("_") and isinstance(value, list | TLObject):
            setattr(changed, name, _for_layer(value, layer))
    for last, number in FORMER.get(type(told).__name__, ()):
        if layer <= last:
            return _Written(_renumbered(changed, number))
    return changed


def _renumbered(told: Any, number: int) -> bytes:
    """Return an object's bytes under an older number, without the fields that the number does not have."""
    if isinstance(told, types.Dialog):
        body = _dialog(told)
    elif isinstance(told, types.ForumTopic):
        body = _topic(told, with_peer=number != 0x71701DA9)
    else:
        body = bytes(told)[4:]
    return struct.pack("<I", number) + body


def _dialog(told: Any) -> bytes:
    """A dialog without the number of unread poll votes."""
    flags = (4 if told.pinned else 0) | (1 if told.pts is not None else 0)
    numbers = (told.top_message, told.read_inbox_max_id, told.read_outbox_max_id, told.unread_count)
    return b"".join(
        (
            struct.pack("<I", flags),
            told.peer._bytes(),
            struct.pack("<6i", *numbers, told.unread_mentions_count, told.unread_reactions_count),
            told.notify_settings._bytes(),
            b"" if told.pts is None else struct.pack("<i", told.pts),
        )
    )


def _topic(told: Any, *, with_peer: bool) -> bytes:
    """A forum's topic without the number of unread poll votes, and in the oldest form without its forum."""
    numbers = (told.icon_color, told.top_message, told.read_inbox_max_id, told.read_outbox_max_id, told.unread_count)
    return b"".join(
        (
            struct.pack("<Iii", 8 if told.pinned else 0, told.id, int(told.date.timestamp())),
            told.peer._bytes() if with_peer else b"",
            TLObject.serialize_bytes(told.title),
            struct.pack("<7i", *numbers, told.unread_mentions_count, told.unread_reactions_count),
            told.from_id._bytes(),
            told.notify_settings._bytes(),
        )
    )

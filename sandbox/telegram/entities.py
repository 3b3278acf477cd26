"""Users, channels, messages and files as Telethon's objects."""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime
from typing import Any

from telethon.tl import types

from sandbox.telegram.channels import BEGAN, SENDERS, Channel, Post
from sandbox.telegram.documents import File
from sandbox.telegram.people import Account
from sandbox.telegram.state import TelegramState

FRIEND = 6_000_000_009  # a person with whom every account has a dialog
GROUP = 4_000_001  # a small group in which every account is
LISTED, BY_ID = 0, 1  # how a message was asked for
REFERENCE = struct.Struct(">QIHB")


def moment(seconds: float) -> datetime:
    """Return a time as Telethon wants it."""
    return datetime.fromtimestamp(int(seconds), UTC)


def access_hash(account: Account, entity: int) -> int:
    """Return what an account must say beside the id of an entity; another account has another one."""
    drawn = hashlib.sha256(f"entity {account.id} {entity}".encode()).digest()
    return int.from_bytes(drawn[:8], "big", signed=True)


def me(account: Account) -> Any:
    """Return the account's own user."""
    return types.User(
        id=account.id,
        is_self=True,
        bot=account.is_bot or None,
        bot_info_version=1 if account.is_bot else None,
        access_hash=access_hash(account, account.id),
        first_name="Sandbox",
        last_name=account.user.scenario,
        username=f"sandbox_{account.number}_bot" if account.is_bot else None,
        phone=None if account.is_bot else account.number,
    )


def user(account: Account, number: int) -> Any:
    """Return another user."""
    name = SENDERS.get(number, "Friend")
    return types.User(id=number, access_hash=access_hash(account, number), first_name=name)


def small_group(state: TelegramState) -> Any:
    """Return the small group."""
    return types.Chat(GROUP, "Small Group", types.ChatPhotoEmpty(), 3, moment(state.now() - 86_400), 1)


def channel(state: TelegramState, account: Account, facts: Channel, *, joined: bool) -> Any:
    """Return a channel as lists have it: without description, and without the number of members."""
    if forbidden(state, account, facts):
        return types.ChannelForbidden(
            id=facts.id,
            access_hash=access_hash(account, facts.id),
            title=facts.title,
            broadcast=facts.kind == "broadcast" or None,
            megagroup=facts.kind != "broadcast" or None,
        )
    return types.Channel(
        id=facts.id,
        title=facts.title,
        photo=types.ChatPhotoEmpty(),
        date=moment(facts.date(0)),
        left=None if joined else True,
        broadcast=facts.kind == "broadcast" or None,
        megagroup=facts.kind != "broadcast" or None,
        forum=facts.kind == "forum" or None,
        noforwards=is_protected(account, facts) or None,
        access_hash=access_hash(account, facts.id),
        username=facts.username or None,
    )


def forbidden(state: TelegramState, account: Account, facts: Channel) -> bool:
    """Whether an account may not look into a channel that it knows."""
    return account.says("kicked") or state.world.is_private(facts)


def is_protected(account: Account, facts: Channel) -> bool:
    """Whether the owner forbids saving."""
    return facts.protected or account.says("noforwards")


def settings() -> Any:
    """Return what an account has set about notices: nothing."""
    return types.PeerNotifySettings()


def message(state: TelegramState, facts: Channel, post: Post, asked: int) -> Any:
    """Return a message; asked: LISTED or BY_ID, which file references remember."""
    peer = types.PeerChannel(facts.id)
    common = {"id": post.id, "peer_id": peer, "date": moment(post.date), "post": facts.kind == "broadcast" or None}
    sender = types.PeerUser(post.sender) if post.sender else None
    if post.kind == "service":
        if post.id in dict(facts.topics):
            begun = types.MessageActionTopicCreate(dict(facts.topics)[post.id], 0x6FB9F0)
            return types.MessageService(action=begun, from_id=types.PeerUser(next(iter(SENDERS))), **common)
        return types.MessageService(action=types.MessageActionChannelCreate(facts.title), **common)
    forwarded = None
    if post.origin[0]:
        source = types.PeerChannel(facts.id - facts.number + post.origin[0])
        forwarded = types.MessageFwdHeader(moment(post.date), from_id=source, channel_post=post.origin[1])
    topic = None
    if post.topic > 1:  # messages of the general topic say nothing of it
        topic = types.MessageReplyHeader(forum_topic=True, reply_to_msg_id=post.topic)
    return types.Message(
        message=post.text,
        from_id=sender,
        fwd_from=forwarded,
        reply_to=topic,
        media=media(state, post.file, asked) if post.file else None,
        views=100 + post.id if facts.kind == "broadcast" else None,
        forwards=0 if facts.kind == "broadcast" else None,
        grouped_id=post.group or None,
        edit_date=moment(post.edited) if post.edited else None,
        **common,
    )


def media(state: TelegramState, file: File, asked: int) -> Any:
    """Return the media of a message with a file."""
    reference, date = new_reference(state, file, asked), moment(BEGAN)
    place = {"access_hash": file.access_hash, "file_reference": reference, "date": date}
    centre = int(state.configuration["file_dc"])
    if file.kind == "photo":
        sizes = [types.PhotoSize("m", 320, 240, file.size // 4), types.PhotoSize("y", 1280, 960, file.size)]
        return types.MessageMediaPhoto(photo=types.Photo(id=file.id, sizes=sizes, dc_id=centre, **place))
    attributes: list[Any] = []
    if file.name:
        attributes.append(types.DocumentAttributeFilename(file.name))
    if file.kind == "voice":
        attributes.append(types.DocumentAttributeAudio(duration=7, voice=True))
    elif file.kind == "sticker":
        attributes.append(types.DocumentAttributeSticker("", types.InputStickerSetEmpty()))
        attributes.append(types.DocumentAttributeImageSize(512, 512))
    elif file.kind == "video":
        attributes.append(types.DocumentAttributeVideo(12.0, 640, 480))
    document = types.Document(
        id=file.id, mime_type=file.mime, size=file.size, dc_id=centre, attributes=attributes, **place
    )
    return types.MessageMediaDocument(document=document)


def new_reference(state: TelegramState, file: File, asked: int) -> bytes:
    """Return a file reference: for which file it is, when and how it was given, and a digest against invented ones."""
    told = REFERENCE.pack(file.id, int(state.now()), state.reference_generation % 2**16, asked)
    return told + _seal(told)


def _seal(told: bytes) -> bytes:
    return hashlib.sha256(b"reference " + told).digest()[:8]


def judged(state: TelegramState, account: Account, file: File, reference: bytes) -> str:
    """Return the error with which a file reference is refused; "" where it is good."""
    if not reference:
        return "FILE_REFERENCE_EMPTY"
    told, seal = reference[: REFERENCE.size], reference[REFERENCE.size :]
    if len(told) != REFERENCE.size or seal != _seal(told):
        return "FILE_REFERENCE_INVALID"
    number, given, generation, asked = REFERENCE.unpack(told)
    if number != file.id:
        return "FILE_REFERENCE_INVALID"
    old = state.now() - given > state.configuration["reference_seconds"]
    if old or generation != state.reference_generation % 2**16:
        return "FILE_REFERENCE_EXPIRED"
    return "FILE_REFERENCE_EXPIRED" if account.says("reference-expired") and asked == LISTED else ""

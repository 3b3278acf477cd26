"""What a message of Telegram holds: its file, its sender and topic, and the rows that these are stored as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from telethon import types, utils

from database.models.messaging import FileState, MediaKind
from scrapers.families.messaging.filters import Seen

GENERAL = 1  # topic of a forum for messages without one
LONGEST = {"name": 300, "media_type": 200, "extension": 20}  # characters that the columns take


@dataclass(frozen=True, slots=True)
class Attachment:
    """The file of a message, and where its bytes are."""

    document_id: int
    seen: Seen
    location: Any  # with the file reference of the message that it was read from
    data_centre: int
    protected: bool  # the message forbids saving it


def attachment_of(message: Any) -> Attachment | None:
    """Return the file of a message; None for one without, also where it only links to a page with a picture."""
    media = getattr(message, "media", None)
    if isinstance(media, types.MessageMediaDocument) and isinstance(media.document, types.Document):
        document = media.document
        name, kind = _name_and_kind(document.attributes)
        location = types.InputDocumentFileLocation(document.id, document.access_hash, document.file_reference, "")
        seen = Seen(kind, name, document.mime_type or None, document.size, message.date)
        return Attachment(document.id, seen, location, document.dc_id, bool(message.noforwards))
    if isinstance(media, types.MessageMediaPhoto) and isinstance(media.photo, types.Photo):
        photo = media.photo
        largest = max(
            (size for each in photo.sizes if (size := _size_of(each)) is not None),
            key=lambda size: size[1],
            default=None,
        )
        if largest is None:
            return None
        location = types.InputPhotoFileLocation(photo.id, photo.access_hash, photo.file_reference, largest[0])
        seen = Seen(MediaKind.PHOTO, None, "image/jpeg", largest[1], message.date)
        return Attachment(photo.id, seen, location, photo.dc_id, bool(message.noforwards))
    return None


def _size_of(size: Any) -> tuple[str, int] | None:
    """Return the word and the bytes of a photo's size; None for those that are only previews."""
    if isinstance(size, types.PhotoSizeProgressive):
        return size.type, max(size.sizes)
    return (size.type, size.size) if isinstance(size, types.PhotoSize) else None


def _name_and_kind(attributes: Iterable[Any]) -> tuple[str | None, MediaKind]:
    name, kinds = None, set()
    for each in attributes:
        if isinstance(each, types.DocumentAttributeFilename):
            name = each.file_name or None
        elif isinstance(each, types.DocumentAttributeAudio):
            kinds.add(MediaKind.VOICE if each.voice else MediaKind.AUDIO)
        elif isinstance(each, types.DocumentAttributeVideo):
            kinds.add(MediaKind.VIDEO)
        elif isinstance(each, types.DocumentAttributeSticker):
            kinds.add(MediaKind.STICKER)
        elif isinstance(each, types.DocumentAttributeAnimated):
            kinds.add(MediaKind.ANIMATION)
    # An animation is a video, too, and a sticker may be one.
    for kind in (MediaKind.STICKER, MediaKind.ANIMATION, MediaKind.VOICE, MediaKind.VIDEO, MediaKind.AUDIO):
        if kind in kinds:
            return name, kind
    return name, MediaKind.DOCUMENT


def sender_of(message: Any) -> int | None:
    """Return the id of a message's sender; None for the channel itself."""
    return utils.get_peer_id(message.from_id) if message.from_id is not None else None


def topic_of(message: Any, is_forum: bool) -> int | None:
    """Return the topic of a message; None where the channel is no forum."""
    if not is_forum:
        return None
    reply = message.reply_to
    if isinstance(reply, types.MessageReplyHeader) and reply.forum_topic:
        return reply.reply_to_top_id or reply.reply_to_msg_id or GENERAL
    return GENERAL


def usernames(people: Iterable[Any]) -> dict[int, str]:
    """Return the user names of those who are named in an answer, by id."""
    return {utils.get_peer_id(each): each.username for each in people if getattr(each, "username", None)}


def captions(messages: Iterable[Any]) -> dict[int, str]:
    """Return the text of each message; of one in an album that of the album, of which usually one message has it."""
    albums: dict[int, list[str]] = {}
    for message in messages:
        if message.grouped_id is not None and message.message:
            albums.setdefault(message.grouped_id, []).append(message.message)
    return {
        message.id: message.message if message.grouped_id is None else "\n".join(albums.get(message.grouped_id, ()))
        for message in messages
    }


def whole_albums(messages: Sequence[Any]) -> Sequence[Any]:
    """
    Return the messages, oldest first, up to an album that may go on in the next page.

    All of them where there is nothing before that: an album has at most ten.
    """
    last = getattr(messages[-1], "grouped_id", None) if messages else None
    if last is None or isinstance(messages[-1], types.MessageService):
        return messages
    first = next(place for place, message in enumerate(messages) if getattr(message, "grouped_id", None) == last)
    return messages[:first] or messages


def seen_in(message: Any, attachment: Attachment, caption: str, is_forum: bool, names: Mapping[int, str]) -> Seen:
    """Return the file of a message with what the message says of it."""
    sender = sender_of(message)
    return replace(
        attachment.seen,
        caption=caption,
        sender_id=sender,
        sender_name=names.get(sender) if sender is not None else None,
        topic_id=topic_of(message, is_forum),
        album_id=message.grouped_id,
    )


def message_row(source: str, message: Any, is_forum: bool, keeps_text: bool) -> dict[str, Any]:
    """Return the row of a message; without the column of its text where that is not kept, so that a kept one stays."""
    row = {
        "source_id": source,
        "message_id": message.id,
        "sent_at": message.date,
        # What readers add to a message (reactions, views) sets a date that is hidden.
        "edited_at": None if message.edit_hide else message.edit_date,
        "deleted_at": None,
        "sender_id": sender_of(message),
        "album_id": message.grouped_id,
        "topic_id": topic_of(message, is_forum),
        "is_forward": message.fwd_from is not None,
    }
    return {**row, "text": message.message or None} if keeps_text else row


def file_row(source: str, message_id: int, attachment: Attachment, **state: Any) -> dict[str, Any]:
    """Return the row of a message's file."""
    seen = attachment.seen
    name = seen.name and seen.name[: LONGEST["name"]]
    return {
        "source_id": source,
        "message_id": message_id,
        "document_id": attachment.document_id,
        "member": "",
        "kind": seen.kind,
        "name": name,
        "extension": seen.extension[: LONGEST["extension"]],
        "media_type": seen.media_type and seen.media_type[: LONGEST["media_type"]],
        "size": seen.size,
        "sent_at": seen.sent_at,
        "sha256": None,
        "state": FileState.WANTED,
        "reason": None,
        "message": None,
        "attempts": 0,
        "next_try_at": None,
        "stored_at": None,
        "file_id": None,
        **state,
    }

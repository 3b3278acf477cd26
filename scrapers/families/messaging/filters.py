"""Which files of a channel are wanted: a source's filters, and the decision on one file."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from fnmatch import translate
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from database.models.messaging import MediaKind

UNITS = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "tb": 1000**4,
    "kib": 1 << 10,
    "mib": 1 << 20,
    "gib": 1 << 30,
    "tib": 1 << 40,
}
WHOLE = re.compile(r"\.(tar\.(?:gz|bz2|xz|zst))$", re.I)  # extensions of two parts
PLAIN = re.compile(r"\.([a-z0-9]{1,15})$", re.I)
TYPE = re.compile(r"[a-z0-9]{1,15}(\.[a-z0-9]{1,15})?")
LARGEST = 2**63 - 1
ARCHIVES = frozenset({"zip", "tar", "tgz", "tar.gz", "tbz2", "tar.bz2", "txz", "tar.xz"})
# Where mimetypes knows none, or one that nobody uses.
EXTENSIONS = {
    "audio/ogg": "ogg",
    "video/mp4": "mp4",
    "image/webp": "webp",
    "image/jpeg": "jpg",
    "application/x-tgsticker": "tgs",
    "application/octet-stream": "",
}


class Reason(StrEnum):
    """Why a file is not fetched."""

    TYPE = "type"
    KIND = "kind"
    SIZE = "size"
    DATE = "date"
    NAME = "name"
    CAPTION = "caption"
    SENDER = "sender"
    TOPIC = "topic"
    ALBUM = "album"
    # Not by a filter:
    EMPTY = "empty"  # it has no byte
    PROTECTED = "protected"  # the channel or the message forbids saving
    GONE = "gone"  # its message was deleted, or holds another file now


def _type(value: Any) -> str:
    text = str(value).strip().lower().removeprefix("*").removeprefix(".")
    if not TYPE.fullmatch(text):
        raise ValueError("a file type is an extension, such as pdf or tar.gz")
    return text


def _size(value: Any) -> int:
    """
    Read a size: a number of bytes, or a text with a unit.

    >>> _size("2.5 MB"), _size("1 KiB"), _size(7)
    (2500000, 1024, 7)
    """
    found = re.fullmatch(r"(\d{1,18}(?:\.\d{1,6})?)\s*([a-z]*)", str(value).strip().lower())
    if isinstance(value, bool) or found is None or found[2] not in UNITS:
        raise ValueError("a size is a number of bytes, or one with a unit: 10 MB, 1 GiB")
    size = int(Decimal(found[1]) * UNITS[found[2]])
    if size > LARGEST:
        raise ValueError("the size is too large")
    return size


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str | int) and not isinstance(value, bool) else value


def _sender(value: Any) -> str:
    """
    Read a sender: an id, or a user name with or without "@".

    >>> _sender("@Ana"), _sender(-100123)
    ('ana', '-100123')
    """
    text = str(value).strip().lower().removeprefix("@")
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,19}|[a-z][a-z0-9_]{2,63}", text):
        raise ValueError("a sender is an id, or a user name")
    return text


Type = Annotated[str, BeforeValidator(_type)]
Size = Annotated[int, BeforeValidator(_size)]
Sender = Annotated[str, BeforeValidator(_sender)]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Types = Annotated[tuple[Type, ...], BeforeValidator(_several), Field(max_length=100)]
Senders = Annotated[tuple[Sender, ...], BeforeValidator(_several), Field(max_length=100)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_several), Field(max_length=50)]
Kinds = Annotated[tuple[MediaKind, ...], BeforeValidator(_several), Field(max_length=10)]
Topic = Annotated[int, Field(ge=1, le=2**31 - 1)]
Topics = Annotated[tuple[Topic, ...], BeforeValidator(_several), Field(max_length=100)]


class Filters(BaseModel):
    """
    The filters of a source, beside its file types. Empty ones let everything through; of several values one is enough.

    Days are of UTC. Texts are compared without regard to case. `name` takes * and ?; `caption` is part of a text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    types_not: Types = ()
    kinds: Kinds = ()
    min_size: Size | None = None
    max_size: Size | None = None
    since: date | None = None
    until: date | None = None  # that day included
    name: Texts = ()
    name_not: Texts = ()
    caption: Texts = ()
    caption_not: Texts = ()
    senders: Senders = ()
    senders_not: Senders = ()
    topics: Topics = ()
    albums: Literal["all", "only", "none"] = "all"

    @model_validator(mode="after")
    def in_order(self) -> Filters:
        """Refuse limits between which there is nothing."""
        if self.min_size is not None and self.max_size is not None and self.min_size > self.max_size:
            raise ValueError("min_size is above max_size")
        if self.since is not None and self.until is not None and self.since > self.until:
            raise ValueError("since is after until")
        return self


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as its message shows it."""

    kind: MediaKind
    name: str | None
    media_type: str | None
    size: int  # bytes
    sent_at: datetime
    caption: str = ""  # of its message, or of the album that this belongs to
    sender_id: int | None = None
    sender_name: str | None = None  # user name
    topic_id: int | None = None
    album_id: int | None = None

    @property
    def extension(self) -> str:
        """The extension, in lower case and without its dot; of the name, else by the media type."""
        return extension_of(self.name, self.media_type, self.kind)


def extension_of(name: str | None, media_type: str | None, kind: MediaKind) -> str:
    """
    Return a file's extension without its dot; empty where neither name nor type tell one.

    >>> extension_of("a.TAR.GZ", None, MediaKind.DOCUMENT), extension_of(None, None, MediaKind.PHOTO)
    ('tar.gz', 'jpg')
    """
    for pattern in (WHOLE, PLAIN):
        if name and (found := pattern.search(name)):
            return found[1].lower()
    if kind == MediaKind.PHOTO:
        return "jpg"
    media_type = (media_type or "").partition(";")[0].strip().lower()
    if media_type in EXTENSIONS:
        return EXTENSIONS[media_type]
    return (mimetypes.guess_extension(media_type) or "").removeprefix(".") if media_type else ""


def refusal(file: Seen, types: tuple[str, ...] | list[str], filters: Filters) -> Reason | None:
    """Return why a file is not wanted; None for one that is. types: of the source; empty: all."""
    extension = file.extension
    if not is_type(extension, types, filters):
        return Reason.TYPE
    if filters.kinds and file.kind not in filters.kinds:
        return Reason.KIND
    if not (filters.min_size or 0) <= file.size <= (LARGEST if filters.max_size is None else filters.max_size):
        return Reason.SIZE
    if not _in_time(file.sent_at, filters):
        return Reason.DATE
    name = (file.name or "").casefold()
    if filters.name and not any(_pattern(text).match(name) for text in filters.name):
        return Reason.NAME
    if any(_pattern(text).match(name) for text in filters.name_not):
        return Reason.NAME
    caption = file.caption.casefold()
    if filters.caption and not any(text.casefold() in caption for text in filters.caption):
        return Reason.CAPTION
    if any(text.casefold() in caption for text in filters.caption_not):
        return Reason.CAPTION
    senders = {str(file.sender_id)} | ({file.sender_name.lower()} if file.sender_name else set())
    if (filters.senders and not senders & set(filters.senders)) or senders & set(filters.senders_not):
        return Reason.SENDER
    if filters.topics and file.topic_id not in filters.topics:
        return Reason.TOPIC
    if filters.albums != "all" and (filters.albums == "only") != (file.album_id is not None):
        return Reason.ALBUM
    return None


def is_type(extension: str, types: tuple[str, ...] | list[str], filters: Filters) -> bool:
    """Return whether a file of an extension is wanted by its type. `gz` stands for `tar.gz`, too."""
    own = {extension, extension.rpartition(".")[2]}
    white = {_type(each) for each in types}
    return (not white or bool(own & white)) and not own & set(filters.types_not)


def _in_time(at: datetime, filters: Filters) -> bool:
    if filters.since is not None and at < begin_of(filters.since):
        return False
    return filters.until is None or at < begin_of(filters.until) + timedelta(days=1)


def begin_of(day: date) -> datetime:
    """Return the first moment of a day, in UTC."""
    return datetime.combine(day, time(), UTC)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(translate(text.casefold()))

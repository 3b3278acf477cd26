"""What channels there are and what stands in them: each message follows from its id, so that 30,000 need no room."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from sandbox.telegram.documents import ARCHIVES, File, archive

FIRST_CHANNEL = 1_500_000_000
BEGAN = 1_735_689_600  # 2025-01-01 UTC: when the first message of each channel was sent
EXTENSIONS = {
    "pdf": "application/pdf",
    "csv": "text/csv",
    "txt": "text/plain",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
    "json": "application/json",
    "epub": "application/epub+zip",
}
SENDERS = {6_000_000_001: "Ada", 6_000_000_002: "Blaise", 6_000_000_003: "Carl"}  # of messages in groups
LARGE = 2_254_857_830  # bytes, more than a signed number of 32 bits holds
PHOTO = 2**52  # added to the id of a photo, beside documents of the same message


@dataclass(frozen=True, slots=True)
class Post:
    """
    A message.

    kind: `text`, `file` or `service`. group: of an album, or 0. sender: a user of SENDERS, or 0 for the channel itself.
    topic: the id of a forum topic, or 0. origin: channel and message that it is forwarded from. edited: when, or 0.
    """

    id: int
    date: int
    kind: str
    text: str = ""
    file: File | None = None
    group: int = 0
    sender: int = 0
    topic: int = 0
    origin: tuple[int, int] = (0, 0)
    edited: int = 0


@dataclass(frozen=True, slots=True)
class Channel:
    """
    A channel as it is at first; see `World` for what has changed since.

    word: its name in the admin pages. kind: `broadcast`, `group` or `forum`. plan: gives the message of an id up to
    `last`, None where there is none. joined: whether accounts are members. invite: what follows `+` in the invite link.
    """

    number: int
    word: str
    title: str
    plan: Callable[[Channel, int], Post | None]
    last: int
    username: str = ""
    kind: str = "broadcast"
    about: str = ""
    members: int = 120
    joined: bool = True
    protected: bool = False
    invite: str = ""
    topics: tuple[tuple[int, str], ...] = ()
    spacing: int = 3600  # seconds between two messages

    @property
    def id(self) -> int:
        """The id, positive and without a mark."""
        return FIRST_CHANNEL + self.number

    def date(self, message: int) -> int:
        """When a message was sent."""
        return BEGAN + self.number * 60 + message * self.spacing

    def text(self, message: int, text: str = "", sender: int = 0, topic: int = 0) -> Post:
        """Return a message without a file."""
        return Post(message, self.date(message), "text", text or f"Note {message}", sender=sender, topic=topic)

    def service(self, message: int) -> Post:
        """Return a service message."""
        return Post(message, self.date(message), "service")

    def file(self, message: int, name: str, mime: str, size: int, kind: str = "document", content: str = "") -> Post:
        """Return a message with a file."""
        number = self.number * 2**32 + message + (PHOTO if kind == "photo" else 0)
        file = File(number, name, mime, size, kind, content)
        return Post(message, self.date(message), "file", file=file)

    def document(self, message: int, low: int = 1_000, high: int = 17_000) -> Post:
        """Return a message with a document whose name, type and size follow from the message's id."""
        extension = list(EXTENSIONS)[message % len(EXTENSIONS)]
        name = f"{self.word}-{message:05d}.{extension}"
        return self.file(message, name, EXTENSIONS[extension], spread(self.number, message, low, high))

    def photo(self, message: int) -> Post:
        """Return a message with a photo, which has no name."""
        return self.file(message, "", "image/jpeg", spread(self.number, message, 3_000, 9_000), "photo")


def spread(channel: int, message: int, low: int, high: int) -> int:
    """Return a number between two others that follows from a message."""
    drawn = hashlib.sha256(f"{channel} {message}".encode()).digest()
    return low + int.from_bytes(drawn[:4], "big") % (high - low)


def reports(channel: Channel, message: int) -> Post | None:
    """Texts and documents in turn; every tenth message is gone."""
    if message == 1:
        return channel.service(1)
    if message % 10 == 4:
        return None
    if message % 3 == 0:
        return replace(channel.document(message), text=f"Report {message} of the week")
    return channel.text(message)


def archive_of_years(channel: Channel, message: int) -> Post | None:
    """Of 32,000 ids 30,000 messages, 2,400 of them with a file: 1,600 documents and 800 photos, half of all in albums of two."""
    if message % 16 == 0:
        return None
    place = message % 40
    if place == 5:
        return channel.document(message)
    if place == 6:
        return replace(channel.document(message), group=channel.number * 2**32 + message)
    if place == 7:
        return replace(channel.photo(message), group=channel.number * 2**32 + message - 1)
    return channel.service(message) if message % 1000 == 1 else channel.text(message)


def albums(channel: Channel, message: int) -> Post | None:
    """Four files of one album, then a text, eight times over: photos in the odd albums, documents in the even ones."""
    album, place = divmod(message - 1, 5)
    sender = list(SENDERS)[album % 3]
    if place == 4:
        return channel.text(message, sender=sender)
    post = channel.photo(message) if album % 2 else channel.document(message)
    caption = f"Album {album + 1}" if place == 0 else ""  # the caption of an album stands at its first message
    return replace(post, text=caption, group=channel.number * 2**32 + album + 1, sender=sender)


def forum(channel: Channel, message: int) -> Post | None:
    """Messages of three topics in turn, the general one among them; a topic has the id of the message that began it."""
    if message in dict(channel.topics):
        return channel.service(message)
    topic, sender = channel.topics[message % len(channel.topics)][0], list(SENDERS)[message % 3]
    if message % 2 == 0:
        return replace(channel.document(message), sender=sender, topic=topic)
    return channel.text(message, sender=sender, topic=topic)


def unnamed(channel: Channel, message: int) -> Post | None:
    """Files without a name: voice, sticker, video and document; one with a name that is no good file name."""
    kinds = (("voice", "audio/ogg"), ("sticker", "image/webp"), ("video", "video/mp4"), ("document", "application/pdf"))
    if message == 9:
        return channel.file(9, "../.. /a\\b:c?\n.pdf", "application/pdf", 2_000)
    if message > 9:
        return channel.file(message, "", "", 1_500)  # neither a name nor a type
    kind, mime = kinds[message % len(kinds)]
    return channel.file(message, "", mime, spread(channel.number, message, 1_000, 5_000), kind)


def twice(channel: Channel, message: int) -> Post | None:
    """The same document three times: sent, forwarded here, and forwarded from the reports."""
    first = channel.file(1, "minutes.pdf", "application/pdf", 12_345)
    if message == 1:
        return first
    if message == 2:
        return replace(first, id=2, date=channel.date(2), origin=(channel.number, 1))
    source = reports(CHANNELS["reports"], 3)
    assert source is not None
    return replace(source, id=3, date=channel.date(3), text="", origin=(CHANNELS["reports"].number, 3))


def large(channel: Channel, message: int) -> Post | None:
    """A file of 2.1 GB, one of 2 MB and one of no byte."""
    if message == 1:
        return channel.file(1, "recording.mkv", "video/x-matroska", LARGE)
    return channel.file(
        message, *(("slides.pdf", "application/pdf", 2_097_153) if message == 2 else ("empty.txt", "", 0))
    )


def speed(channel: Channel, message: int) -> Post | None:
    """500 files of 200 KB."""
    return channel.file(message, f"part-{message:03d}.bin", "application/octet-stream", 204_800)


def archives(channel: Channel, message: int) -> Post | None:
    """Real archives, good ones and bad ones."""
    word = list(ARCHIVES)[message - 1]
    mime = "application/gzip" if word == "tar" else "application/zip"
    return channel.file(message, ARCHIVES[word], mime, len(archive(word)), content=word)


def few(channel: Channel, message: int) -> Post | None:
    """Some documents."""
    return channel.document(message)


def one_text(channel: Channel, message: int) -> Post | None:
    """A single text."""
    return channel.text(message)


TOPICS = ((1, "General"), (2, "Invoices"), (3, "Manuals"))
# The place in this list is part of a channel's id: new ones go to its end.
CHANNELS: dict[str, Channel] = {
    each.word: each
    for each in (
        Channel(
            1, "reports", "Weekly Reports", reports, 60, "sandbox_reports", about="Reports, every week.", members=8_400
        ),
        Channel(
            2, "archive", "Archive of Years", archive_of_years, 32_000, about="Everything since 2025.", spacing=600
        ),
        Channel(3, "albums", "Albums", albums, 40, "sandbox_albums", "group", "Pictures and papers."),
        Channel(4, "forum", "Forum", forum, 40, kind="forum", about="By topic.", topics=TOPICS),
        Channel(5, "unnamed", "Without Names", unnamed, 10),
        Channel(6, "twice", "The Same Again", twice, 3),
        Channel(7, "large", "Recordings", large, 3),
        Channel(8, "protected", "No Copies", few, 5, "sandbox_protected", protected=True),
        Channel(9, "archives", "Packed", archives, len(ARCHIVES)),
        Channel(10, "speed", "Many Parts", speed, 500),
        Channel(11, "open", "Open to All", few, 12, "sandbox_open", about="Anybody may read.", joined=False),
        Channel(12, "invited", "By Invitation", few, 6, joined=False, invite="SandboxInvite0001"),
        Channel(13, "empty", "Nothing Yet", one_text, 0),
    )
}
FILLERS = {  # of the scenario `many-dialogs`
    f"filler-{number}": Channel(number, f"filler-{number}", f"Filler {number}", one_text, 1)
    for number in range(1_001, 1_231)
}
BY_ID = {each.id: each for each in (*CHANNELS.values(), *FILLERS.values())}


@cache
def planned(channel: Channel) -> tuple[int, ...]:
    """Return the ids of a channel's first messages, oldest first."""
    return tuple(number for number in range(1, channel.last + 1) if channel.plan(channel, number) is not None)

"""How sessions, sources, runs and files are put into words for people. Pure functions."""

from __future__ import annotations

from typing import Any

from database.models.messaging import FileState
from database.models.telegram import AccessLevel, TargetStore, TelegramState
from scrapers.families.messaging.filters import Filters, Reason

SESSION_STATES = {
    TelegramState.ACTIVE: ("good", "Works"),
    TelegramState.INACTIVE: ("quiet", "Switched off"),
    TelegramState.EXPIRED: ("bad", "Expired: sign in again"),
    TelegramState.REVOKED: ("bad", "Ended: sign in again"),
    TelegramState.BANNED: ("bad", "Account banned"),
}
SOURCE_STATES = {
    "never": ("quiet", "Not read yet"),
    "waiting": ("plain", "Waits to be read"),
    "running": ("plain", "Being read"),
    "completed": ("good", "Last run succeeded"),
    "failed": ("bad", "Last run failed"),
}
RUN_STATES = {"running": "Runs", "completed": "Succeeded", "failed": "Failed", "cancelled": "Cancelled"}
FILE_STATES = {
    FileState.WANTED: "is fetched next",
    FileState.STORED: "stored",
    FileState.SKIPPED: "not wanted",
    FileState.FAILED: "failed",
}
REASONS = {
    Reason.PROTECTED: "saving is forbidden",
    Reason.GONE: "its message was deleted",
    Reason.EMPTY: "it is empty",
}
TARGETS = {
    TargetStore.LOCAL.value: "Folder of this server (LOCAL)",
    TargetStore.NAS.value: "Network share (NAS)",
    TargetStore.S3.value: "Bucket (S3)",
}
ACCESS = {
    AccessLevel.PRIVATE.value: "As a member, with one of my sessions",
    AccessLevel.PUBLIC.value: "By its user name: anybody can read it",
}
ALBUMS = {"all": "With and without albums", "only": "Files of albums alone", "none": "No file of an album"}
# The filters of a source in the form, and what stands beside them.
FILTER_FIELDS = {
    "types_not": ("Other types than", "Extensions, with commas between them."),
    "kinds": ("Kinds", "Some of document, photo, video, audio, voice, animation, sticker."),
    "min_size": ("At least", "Bytes, or with a unit: 10 MB."),
    "max_size": ("At most", "Bytes, or with a unit: 1 GiB."),
    "since": ("From the day", "Such as 2026-11-01, in UTC."),
    "until": ("Up to the day", "That day included."),
    "name": ("Name", "Patterns with * and ?, with commas between them."),
    "name_not": ("Not by the name", "The same."),
    "caption": ("Text has", "Of the message; one of these is enough."),
    "caption_not": ("Text has not", "None of these."),
    "senders": ("Senders", "Ids or @names."),
    "senders_not": ("Not of the senders", "The same."),
    "topics": ("Topics", "Numbers of a forum's topics."),
}
SINGLE = ("min_size", "max_size", "since", "until", "albums")
UNITS = ("B", "KB", "MB", "GB", "TB")


def session_state(session: Any) -> tuple[str, str]:
    """Return how a session stands: a word for its colour, and words to read."""
    if session.is_active is TelegramState.ACTIVE and session.waits_until is not None:
        return "quiet", "Telegram wants a pause"
    return SESSION_STATES[session.is_active]


def source_state(source: Any) -> tuple[str, str]:
    """Return how a source stands: a word for its colour, and words to read."""
    if source.is_active == "inactive" and source.status not in ("waiting", "running"):
        return "quiet", "Paused"
    return SOURCE_STATES[source.status]


def run_state(status: str) -> str:
    """Return the words for how a run stands."""
    return RUN_STATES[status]


def file_state(file: Any) -> str:
    """Return the words for what has become of a file."""
    words = FILE_STATES[file.state]
    if file.reason is None:
        return words
    return f"{words}: {REASONS.get(file.reason, file.reason)}"


def kind_of_channel(channel: Any) -> str:
    """Return what a channel is."""
    what = "forum" if channel.is_forum else "group" if channel.is_megagroup else "channel"
    return f"{'private' if channel.is_private else 'public'} {what}"


def channel_of(source: Any) -> str:
    """Return how a source's channel is called in Telegram."""
    return f"@{source.username}" if source.username else f"id {source.channel_id}"


def size(count: int) -> str:
    """
    Return a number of bytes as people read it.

    >>> size(999), size(1_250_000), size(2_254_857_830)
    ('999 B', '1.2 MB', '2.3 GB')
    """
    amount, unit = float(count), 0
    while amount >= 1000 and unit < len(UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.1f} {UNITS[unit]}" if unit else f"{count} B"


def typed_filters(filters: dict[str, Any]) -> dict[str, str]:
    """Return stored filters as one would type them, by the names of the form's fields."""
    known = Filters(**filters).model_dump(mode="json", exclude_defaults=True)
    found = {}
    for name, value in known.items():
        found[f"filter_{name}"] = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return found


FILTERS = {
    "session_state": session_state,
    "source_state": source_state,
    "run_state": run_state,
    "file_state": file_state,
    "kind_of_channel": kind_of_channel,
    "channel_of": channel_of,
    "size": size,
}

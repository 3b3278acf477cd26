"""Where a file is put: the folder of its source below the target, and the path template in it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import PurePosixPath
from string import Formatter

DEFAULT = "{channel}/{year}-{month}/{message}_{name}"
FIELDS = {
    "source": "name of the source",
    "channel": "title of the channel",
    "channel_id": "id of the channel",
    "date": "day of the message, YYYY-MM-DD, in UTC",
    "year": "its year",
    "month": "its month, 01 to 12",
    "day": "its day, 01 to 31",
    "time": "time of the message, HHMMSS, in UTC",
    "message": "id of the message",
    "document": "id of the document",
    "kind": "document, photo, video, audio, voice, animation or sticker",
    "type": "extension without dot, `other` for none",
    "topic": "id of the forum's topic, `none` without one",
    "album": "id of the album, `none` without one",
    "name": "name of the file, with its extension",
    "stem": "name of the file, without its extension",
}
TELLING = {
    "message",
    "document",
    "name",
    "stem",
}  # of which a template names one, else a file has only its hash for a name


def check_template(value: str) -> str:
    """
    Return a template as it is kept; raise ValueError, with one sentence, for one that cannot be used.

    >>> check_template("{channel}/{name}")
    '{channel}/{name}'
    """
    text = value.strip().strip("/")
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        raise ValueError("a brace of the template is not closed") from None
    used = {field for _, field, _, _ in parts if field is not None}
    if unknown := used - set(FIELDS):
        raise ValueError(
            f"the template has no field {sorted(unknown)[0] or 'without a name'}; it knows {', '.join(FIELDS)}"
        )
    if any(form or change for _, _, form, change in parts):
        raise ValueError("the fields of a template take neither formats nor conversions")
    if not used & TELLING:
        raise ValueError(f"the template must use one of {', '.join(sorted(TELLING))}")
    if len(text) > 500 or not text.isprintable():
        raise ValueError("the template must be one line of at most 500 characters")
    return text


def fields_of(
    *,
    source: str,
    channel: str,
    channel_id: int,
    message_id: int,
    document_id: int,
    sent_at: datetime,
    kind: str,
    name: str | None,
    extension: str,
    topic_id: int | None = None,
    album_id: int | None = None,
) -> dict[str, str]:
    """Return the values of a template's fields for one file. A file without a name is called by its kind and id."""
    at = sent_at.astimezone(UTC)
    called = name or f"{kind}_{document_id}" + (f".{extension}" if extension else "")
    stem = called.removesuffix(f".{extension}") if called.lower().endswith(f".{extension}") else called
    return {
        "source": source,
        "channel": channel,
        "channel_id": str(channel_id),
        "date": f"{at:%Y-%m-%d}",
        "year": f"{at:%Y}",
        "month": f"{at:%m}",
        "day": f"{at:%d}",
        "time": f"{at:%H%M%S}",
        "message": str(message_id),
        "document": str(document_id),
        "kind": kind,
        "type": extension or "other",
        "topic": str(topic_id) if topic_id is not None else "none",
        "album": str(album_id) if album_id is not None else "none",
        "name": called,
        "stem": called[: len(stem)] or called,
    }


def of_member(template: str, member: str) -> str:
    """
    Return the template for a member of an archive: in a folder beside the archive, by the member's own path.

    >>> of_member("{channel}/{name}", "a/{b}.txt")
    '{channel}/{name}_extracted/a/{{b}}.txt'
    """
    return f"{template}_extracted/{literal(member)}"


def below(prefix: str, template: str) -> str:
    """Return a template whose files go into the folder *prefix*, whatever braces that has."""
    return f"{literal(prefix.strip('/'))}/{template}" if prefix.strip("/") else template


def literal(text: str) -> str:
    """Return a path as a part of a template that means itself; folders that lead upwards are dropped."""
    parts = [part for part in PurePosixPath(text.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    return re.sub(r"([{}])", r"\1\1", "/".join(parts))


def check_folder(value: str) -> str:
    """
    Return a target path as it is kept, below the target's own folder; raise ValueError, with one sentence, where it cannot be used.

    >>> check_folder("/nas/tech/")
    'nas/tech'
    """
    text = value.strip().replace("\\", "/")
    if not text.isprintable() or len(text) > 200 or ":" in text:
        raise ValueError("a target path is a folder below the target's own, of at most 200 characters")
    if ".." in text.split("/"):
        raise ValueError("a target path may not lead upwards")
    return "/".join(part for part in text.split("/") if part not in ("", "."))


def folder_of(target_path: str | None, name: str) -> str:
    """Return the folder of a source below its target: the one that it names, else `source_<name>`."""
    return check_folder(target_path or "") or f"source_{name.replace('/', '_')}"

"""ZIPs from portals: checked before they are read, unpacked into their own folder."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from scrapers.core.outcomes import BadFile
from scrapers.core.spool import CHUNK, ZIP, PartFile, PartWriter

LARGEST_UNPACKED = 2 << 30  # bytes that a ZIP may unpack to
LARGEST_RATIO = 200  # unpacked to packed size, above which a ZIP is a bomb


def check_zip(path: Path, every_byte: bool = True) -> None:
    """Raise BadFile for a ZIP that is broken (looked for in *every_byte*), leaves its folder, holds links, or is a bomb."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            for member in members:
                parts = PurePosixPath(member.filename.replace("\\", "/"))
                if parts.is_absolute() or ".." in parts.parts or re.match(r"[A-Za-z]:", member.filename):
                    raise BadFile("A member of the ZIP would leave its folder.")
                if stat.S_ISLNK(member.external_attr >> 16):
                    raise BadFile("A member of the ZIP is a link.")
            unpacked, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
            if unpacked > LARGEST_UNPACKED or unpacked > LARGEST_RATIO * max(packed, 10_000):
                raise BadFile("The ZIP unpacks to far more than it should.")
            if every_byte and archive.testzip() is not None:
                raise BadFile("A member of the ZIP is broken.")
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        RuntimeError,
    ):  # RuntimeError: encrypted, or an unknown compression
        raise BadFile("The ZIP is broken, encrypted or was cut short.") from None


def is_archive(part: PartFile) -> bool:
    """Return whether a part file is a ZIP, other than a workbook (which is a ZIP, too)."""
    if part.media_type != ZIP:
        return False
    try:
        with zipfile.ZipFile(part.path) as opened:
            return "[Content_Types].xml" not in opened.namelist()
    except zipfile.BadZipFile:
        raise BadFile("The ZIP is broken, encrypted or was cut short.") from None


def unpack(archive: PartFile) -> list[PartFile]:
    """
    Unpack a ZIP's files into part files beside it, folders flattened, and delete the ZIP.

    Hidden members are left out; a repeated name gets a number. Raises BadFile for a broken or unsafe ZIP.
    """
    check_zip(archive.path)
    parts: list[PartFile] = []
    names: set[str] = set()
    with zipfile.ZipFile(archive.path) as opened:
        for member in opened.infolist():
            name = PurePosixPath(member.filename).name
            if member.is_dir() or name.startswith("."):
                continue
            writer = PartWriter(archive.path.parent)
            with opened.open(member) as source:
                while chunk := source.read(CHUNK):
                    writer.write(chunk)
            parts.append(writer.finish(free_name(name, names)))
    archive.path.unlink()
    return parts


def free_name(name: str, taken: set[str]) -> str:
    """
    Return *name*, with a number if it is in *taken*, and add it to *taken*.

    >>> taken = set()
    >>> free_name("a.pdf", taken), free_name("a.pdf", taken)
    ('a.pdf', 'a_1.pdf')
    """
    path, number, free = PurePosixPath(name), 0, name
    while free in taken:
        number += 1
        free = f"{path.stem}_{number}{path.suffix}"
    taken.add(free)
    return free

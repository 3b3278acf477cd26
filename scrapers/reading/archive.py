"""ZIPs from portals: checked before they are read, unpacked into their own folder."""

from __future__ import annotations

import errno
import lzma
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from scrapers.core.outcomes import BadFile
from scrapers.core.spool import CHUNK, PDF, ZIP, PartFile, PartWriter

LARGEST_UNPACKED = 2 << 30  # bytes that a ZIP may unpack to
LARGEST_RATIO = 200  # unpacked to packed size, above which a ZIP is a bomb
# What zipfile raises for a damaged file: RuntimeError for encryption and unknown compressions, ValueError for names
# that are not UTF-8 and for places before the file's beginning.
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError, struct.error)
# What file managers, office programs and senders add to a folder, and what only describes it.
JUNK = re.compile(
    r"\..*|~\$.*|(?:eh)?thumbs\.db|desktop\.ini|icon\r?|.*\.(?:url|lnk|webloc|tmp)"
    r"|(?:read[ _-]?me|lisez[ _-]?moi)(?:\.(?:txt|md|rtf|html?|1st|nfo))?",
    re.I,
)
JUNK_FOLDER = re.compile(r"__macosx|\$recycle\.bin|system volume information", re.I)


def check_zip(path: Path, every_byte: bool = True) -> None:
    """
    Raise BadFile for a ZIP that is broken (looked for in *every_byte*), leaves its folder, holds links, or is a bomb.

    So is one with names of members that are not UTF-8: which they are is not certain.
    """
    with opened_zip(path) as archive:
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


@contextmanager
def opened_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a ZIP; raise BadFile for what its damages raise, here and in the caller's block."""
    try:
        # Names without a mark of their encoding are ASCII or, from many programs, UTF-8.
        with zipfile.ZipFile(path, metadata_encoding="utf-8") as archive:
            yield archive
    except UnicodeDecodeError:
        raise BadFile("The names in the ZIP are not UTF-8.") from None
    except DAMAGED:
        raise BadFile("The ZIP is broken, encrypted or was cut short.") from None
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # of bzip2, and of a place before the file's beginning
            raise
        raise BadFile("The ZIP is broken, encrypted or was cut short.") from None


def is_archive(part: PartFile) -> bool:
    """Return whether a part file is a ZIP, other than a workbook (which is a ZIP, too)."""
    if part.media_type != ZIP:
        return False
    with opened_zip(part.path) as opened:
        return "[Content_Types].xml" not in opened.namelist()


def is_junk(member: str) -> bool:
    """
    Return whether a member of a ZIP is no document: hidden, added by a file manager, or a text about the others.

    >>> is_junk("2026/Thumbs.db"), is_junk("__MACOSX/._bill.pdf"), is_junk("README.TXT"), is_junk("2026/bill.pdf")
    (True, True, True, False)
    """
    *folders, name = PurePosixPath(member.replace("\\", "/")).parts or ("",)
    return any(JUNK_FOLDER.fullmatch(folder) for folder in folders) or JUNK.fullmatch(name) is not None


def unpack(archive: PartFile, left_out: list[str] | None = None) -> list[PartFile]:
    """
    Unpack a ZIP's files into part files beside it, folders flattened, and delete the ZIP.

    A repeated name gets a number. Junk (see `is_junk`) is not unpacked: its names are added to *left_out*. Raises BadFile
    for a broken or unsafe ZIP.
    """
    check_zip(archive.path)
    parts: list[PartFile] = []
    names: set[str] = set()
    with opened_zip(archive.path) as opened:
        for member in opened.infolist():
            if member.is_dir():
                continue
            if is_junk(member.filename):
                if left_out is not None:
                    left_out.append(member.filename)
                continue
            writer = PartWriter(archive.path.parent)
            try:
                with opened.open(member) as source:
                    while chunk := source.read(CHUNK):
                        writer.write(chunk)
            except BaseException:
                writer.discard()
                raise
            name = PurePosixPath(member.filename.replace("\\", "/")).name
            parts.append(writer.finish(free_name(name, names)))
    archive.path.unlink()
    return parts


def unpack_pdfs(archive: PartFile, left_out: list[str] | None = None) -> list[PartFile]:
    """
    Unpack a ZIP's PDFs like `unpack`; other files are left out too. Raises BadFile for a ZIP without a PDF.

    A file that only its name calls a PDF is returned: it is one that cannot be read.
    """
    pdfs = []
    for part in unpack(archive, left_out):
        if part.media_type == PDF or part.name.lower().endswith(".pdf"):
            pdfs.append(part)
            continue
        part.path.unlink()
        if left_out is not None:
            left_out.append(part.name)
    if not pdfs:
        raise BadFile("The ZIP holds no PDF.")
    return pdfs


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

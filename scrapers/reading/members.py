"""Members of archives with their paths: ZIP and tar, also those within one another, unpacked with limits."""

from __future__ import annotations

import lzma
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from scrapers.core.outcomes import BadFile
from scrapers.core.spool import CHUNK, ZIP, PartFile, PartWriter
from scrapers.reading.archive import LARGEST_RATIO, LARGEST_UNPACKED, check_zip, is_archive, is_junk, opened_zip

DEEPEST = 5  # archives within archives
MOST = 10_000  # members
TARS = re.compile(r"tar|tgz|tbz2|txz|tar\.(?:gz|bz2|xz)")
NESTED = re.compile(r"\.(zip|tar|tgz|tbz2|txz|tar\.(?:gz|bz2|xz))$", re.I)
TAR_DAMAGED = (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, ValueError)


def members_of(path: Path, extension: str, folder: Path) -> list[tuple[str, PartFile]]:
    """
    Unpack an archive into part files in *folder*; return each with its path in the archive. The archive stays.

    Members of an archive within it have that one's path with `_extracted` before their own; one that cannot be unpacked stays as it is.
    Raises BadFile for an archive that is broken, leaves its folder, holds links, or unpacks to too much; nothing is left then.
    """
    unpacking = _Unpacking(folder)
    try:
        unpacking.open(path, extension, "", 1)
    except BaseException:
        unpacking.discard(0)
        raise
    return unpacking.found


class _Unpacking:
    """The members of one archive, and those in its archives, with one limit for all of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.found: list[tuple[str, PartFile]] = []
        self._bytes = 0

    def open(self, path: Path, extension: str, before: str, depth: int) -> None:
        """Unpack one archive; *before* is put before the paths of its members."""
        members = self._tar(path) if TARS.fullmatch(extension) else self._zip(path)
        for name, part in members:
            whole = f"{before}{name}"
            self.found.append((whole, part))
            inner = NESTED.search(name)
            if inner is None or depth >= DEEPEST:
                continue
            begun = len(self.found)
            try:
                if inner[1].lower() != "zip" or _is_zip(part):
                    self.open(part.path, inner[1].lower(), f"{whole}_extracted/", depth + 1)
            except BadFile:
                self.discard(begun)

    def discard(self, begin: int) -> None:
        """Delete what was unpacked from a place on."""
        for _, part in self.found[begin:]:
            part.path.unlink(missing_ok=True)
        del self.found[begin:]

    def _zip(self, path: Path) -> Iterator[tuple[str, PartFile]]:
        check_zip(path)
        with opened_zip(path) as archive:
            for member in archive.infolist():
                if member.is_dir() or is_junk(member.filename):
                    continue
                with archive.open(member) as source:
                    yield _clean(member.filename), self._part(source, member.filename)

    def _tar(self, path: Path) -> Iterator[tuple[str, PartFile]]:
        packed, before = path.stat().st_size, self._bytes
        try:
            with tarfile.open(path) as archive:
                for member in archive:
                    parts = PurePosixPath(member.name.replace("\\", "/"))
                    if parts.is_absolute() or ".." in parts.parts:
                        raise BadFile("A member of the archive would leave its folder.")
                    if member.issym() or member.islnk():
                        raise BadFile("A member of the archive is a link.")
                    if not member.isfile() or is_junk(member.name):
                        continue
                    source = archive.extractfile(member)
                    assert source is not None  # of a file
                    with source:
                        yield _clean(member.name), self._part(source, member.name)
                    if self._bytes - before > LARGEST_RATIO * max(packed, 10_000):
                        raise BadFile("The archive unpacks to far more than it should.")
        except TAR_DAMAGED:
            raise BadFile("The archive is broken or was cut short.") from None
        except OSError as error:
            if error.errno is not None:
                raise
            raise BadFile("The archive is broken or was cut short.") from None  # bzip2 and gzip say so

    def _part(self, source: IO[bytes], name: str) -> PartFile:
        if len(self.found) >= MOST:
            raise BadFile(f"The archive holds more than {MOST} files.")
        writer = PartWriter(self.folder)
        try:
            while chunk := source.read(CHUNK):
                self._bytes += len(chunk)
                if self._bytes > LARGEST_UNPACKED:
                    raise BadFile("The archive unpacks to far more than it should.")
                writer.write(chunk)
            return writer.finish(PurePosixPath(name.replace("\\", "/")).name, b"")
        except BaseException:
            writer.discard()
            raise


def _clean(name: str) -> str:
    return "/".join(part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", ".", ".."))


def _is_zip(part: PartFile) -> bool:
    return part.media_type == ZIP and is_archive(part)

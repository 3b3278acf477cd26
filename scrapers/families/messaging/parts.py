"""Part files that outlive their process: a large download goes on at the byte where it stopped."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path
from typing import BinaryIO

from database.processes import signature
from database.settings import database_settings
from scrapers.core.spool import CHUNK, SNIFFED, PartFile, base_name, sniff

STEP = 1 << 19  # bytes: parts begin at whole steps, so that none crosses a megabyte, as Telegram asks
# A file of so many bytes is on the disk before it is given on: the store, which takes it away from here, need not wait for that, and
# a kill in that moment would cost it all.
BIG = 8 << 20
FOLDER = "kept"  # in the spool; its name has no "@", so it is not swept with the spool of a process that has ended
LEFT_AFTER = 30 * 86_400  # seconds after which a part that nobody has gone on with is deleted


def folder_of(source: str) -> Path:
    """Return the folder for the parts of a source, of this start of this machine: after a power failure a part may have holes."""
    machine = signature().partition("+")[0]
    return database_settings().data_dir / "spool" / FOLDER / machine / source


def sweep(source: str, wanted: set[int]) -> None:
    """Delete the parts of a source's documents that are not wanted any more, and old ones of all sources and machines."""
    for path in folder_of(source).glob("*.part"):
        if path.stem.isdecimal() and int(path.stem) not in wanted:
            path.unlink(missing_ok=True)
    for folder in (database_settings().data_dir / "spool" / FOLDER).glob("*/*"):
        newest = max((path.stat().st_mtime for path in (folder, *folder.glob("*.part"))), default=0.0)
        if newest < time.time() - LEFT_AFTER:
            shutil.rmtree(folder, ignore_errors=True)  # another process may sweep it, too


class KeptPart:
    """
    The part file of one document. Only one process may work on it: the one that holds its session's lease.

    It blocks: call it from a worker thread.
    """

    def __init__(self, folder: Path, document: int, size: int) -> None:
        self.path = folder / f"{document}.part"
        self.size = size
        self.offset = 0  # bytes that are there
        self._file: BinaryIO | None = None
        self._hash = hashlib.sha256()
        self._head = b""

    def open(self) -> int:
        """Open or make the file and hash what it holds, cut to a whole step; return how many bytes that are."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = open(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
        found = self._file.seek(0, os.SEEK_END)
        kept = found if found == self.size else min(found, self.size) // STEP * STEP
        self._file.truncate(kept)
        self._file.seek(0)
        while self.offset < kept and (piece := self._file.read(min(CHUNK, kept - self.offset))):
            self._count(piece)
        return self.offset

    def write(self, piece: bytes) -> None:
        """Append a piece."""
        assert self._file is not None
        rest = memoryview(piece)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._count(piece)

    def finish(self, name: str) -> PartFile:
        """Close the file and return its PartFile."""
        if self._file is not None and self.size >= BIG:
            os.fsync(self._file)
        self.close()
        return PartFile(self.path, base_name(name) or "_", sniff(self._head), self._hash.hexdigest(), self.offset)

    def discard(self) -> None:
        """Close and delete the file."""
        self.close()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file; it stays, to be gone on with."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _count(self, piece: bytes) -> None:
        if len(self._head) < SNIFFED:
            self._head += piece[: SNIFFED - len(self._head)]
        self._hash.update(piece)
        self.offset += len(piece)

"""Where files are kept: a folder (a NAS mount is one), an SMB share, or S3; a whole file becomes visible there, or none."""

from __future__ import annotations

import hashlib
import logging
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Protocol

from database.processes import has_ended, signature
from pipelines.stores.names import beside
from scrapers.core.outcomes import StoreAway, StoreFull
from scrapers.core.spool import CHUNK

if TYPE_CHECKING:
    from scrapers.core.spool import PartFile

INCOMING = ".incoming"  # folder in the store for unfinished files


class Store(Protocol):
    """Where files are kept. Paths are relative to it, with slashes. Raises StoreAway when the store cannot be used."""

    address: str  # without secrets; the column `store` of a file's row

    def place(self, part: PartFile, path: str) -> str:
        """Bring a part file to *path* and return where it is; the same content stays, other content is put beside it."""

    def open(self, path: str) -> BinaryIO:
        """Open a stored file for reading; raise FileNotFoundError when it is not there."""

    def size(self, path: str) -> int | None:
        """Return how many bytes a stored file has; None when it is not there."""

    def exists(self, path: str) -> bool:
        """Tell whether a file is there."""

    def remove(self, path: str) -> bool:
        """Delete a stored file; False where it was not there."""

    def tidy(self, folder: str) -> None:
        """Delete a folder below the store, and those above it, as far as they are empty; other than S3's have them."""

    def free(self) -> int | None:
        """Return how many bytes can still be stored; None where that is unknown."""

    def is_used(self) -> bool:
        """Tell whether files were stored here before; True where that is no sign of anything."""

    def check(self) -> None:
        """Raise StoreAway, with one sentence, unless files can be stored."""

    def sweep(self) -> None:
        """Delete the unfinished files that killed processes left."""


class AnyStore(ABC):
    """Base of the stores: chooses the path of a file, and turns errors of a library into StoreAway."""

    failures: tuple[type[Exception], ...] = (OSError,)  # that say that the store is away

    def __init__(self, address: str, keep_free: int) -> None:
        self.address = address
        self.keep_free = keep_free

    def place(self, part: PartFile, path: str) -> str:
        """
        Bring a part file to *path* below the store and return where it is.

        The same content at the same place stays as it is. Other content keeps the older file: the new one gets its hash
        into its name.
        """
        moving = ""
        with self._named_failures():
            try:
                for place in (path, beside(path, part.sha256[:8]), beside(path, part.sha256[:16])):
                    found = self._size(place)
                    if found is None:
                        if not moving:
                            moving = moving_name()
                            self._check_space(part.size)
                            self._bring(part, moving)
                        with suppress(FileExistsError):  # another process was faster
                            self._show(moving, place, part)
                            return place
                        found = self._size(place)
                    if found == part.size and self._digest(place) == part.sha256:
                        return place
            finally:
                if moving:
                    self._drop(moving)
        raise StoreAway(f"{self.address} holds other files at {path} and beside it: move them away.")

    def open(self, path: str) -> BinaryIO:
        """Open a stored file for reading; raise FileNotFoundError when it is not there."""
        if self.size(path) is None:
            raise FileNotFoundError(f"{self.address} has no {path}")
        with self._named_failures():
            return self._open(path)

    def size(self, path: str) -> int | None:
        """Return how many bytes a stored file has; None when it is not there."""
        with self._named_failures():
            return self._size(path)

    def exists(self, path: str) -> bool:
        """Tell whether a file is there."""
        return self.size(path) is not None

    def remove(self, path: str) -> bool:
        """Delete a stored file; False where it was not there."""
        with self._named_failures():
            there = self._size(path) is not None
            if there:
                self._delete(path)
            return there

    def tidy(self, folder: str) -> None:
        """Delete a folder below the store, and those above it, as far as they are empty."""
        with self._named_failures():
            for each in (PurePosixPath(folder), *PurePosixPath(folder).parents):
                if each == PurePosixPath(".") or not self._drop_folder(str(each)):
                    return

    def free(self) -> int | None:
        """Return how many bytes can still be stored; None where that is unknown."""
        with self._named_failures():
            return self._free()

    def is_used(self) -> bool:
        """Tell whether files were stored here before; True where that is no sign of anything."""
        return True

    def check(self) -> None:
        """Raise StoreAway, with one sentence, unless files can be stored."""
        with self._named_failures():
            self._try()
            self._check_space(0)

    def sweep(self) -> None:
        """Delete the unfinished files that killed processes left."""
        with self._named_failures():
            self._sweep()

    @contextmanager
    def _named_failures(self) -> Iterator[None]:
        try:
            yield
        except self.failures as error:
            raise StoreAway(self._explain(error)) from error

    def _check_space(self, size: int) -> None:
        free = self._free()
        if free is not None and free < size + self.keep_free:
            raise StoreFull(
                f"{self.address} has {free} bytes left, and LATCHKEY_FILES_FREE keeps {self.keep_free} of them free."
            )

    def _moved(self) -> None:  # noqa: B027 - most stores need not listen
        """Do nothing; called whenever a piece of a file was read or written."""

    def _digest(self, path: str) -> str:
        value = hashlib.sha256()
        with self._open(path) as file:
            while chunk := file.read(CHUNK):
                value.update(chunk)
                self._moved()
        return value.hexdigest()

    @abstractmethod
    def _bring(self, part: PartFile, moving: str) -> None:
        """Copy a part file to an unfinished file that readers of the store do not see."""

    @abstractmethod
    def _show(self, moving: str, path: str, part: PartFile) -> None:
        """Move the unfinished file to *path*, atomically; raise FileExistsError where there is a file already."""

    @abstractmethod
    def _drop(self, moving: str) -> None:
        """Delete the unfinished file, if it is there."""

    @abstractmethod
    def _open(self, path: str) -> BinaryIO: ...

    @abstractmethod
    def _size(self, path: str) -> int | None: ...

    @abstractmethod
    def _delete(self, path: str) -> None:
        """Delete a stored file that is there."""

    def _drop_folder(self, folder: str) -> bool:
        """Delete a folder that is empty; False where it is not, or where there are no folders."""
        return False

    @abstractmethod
    def _free(self) -> int | None: ...

    @abstractmethod
    def _try(self) -> None:
        """Write a small file and delete it again."""

    @abstractmethod
    def _sweep(self) -> None: ...

    @abstractmethod
    def _explain(self, error: Exception) -> str:
        """Return one sentence that says what is wrong, with its cure."""


def quieten(*loggers: str) -> None:
    """Silence the debug logs of libraries, which hold file contents and request signatures."""
    for name in loggers:
        logging.getLogger(name).setLevel(logging.WARNING)


def moving_name() -> str:
    """Return a new name for an unfinished file; it holds the signature of this process."""
    return f"{uuid.uuid4().hex}@{signature()}"


def is_left(name: str) -> bool:
    """Tell whether an unfinished file was left by a process that has ended, by its name."""
    return has_ended(name.partition("@")[2])

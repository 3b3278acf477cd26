"""A store in a folder of this machine, or one that is mounted here."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from scrapers.core.spool import PartFile

from pipelines.stores.base import INCOMING, AnyStore, is_left, moving_name


class FolderStore(AnyStore):
    """A folder of this machine, or one that is mounted here."""

    def __init__(self, folder: Path, keep_free: int) -> None:
        super().__init__(str(folder), keep_free)
        self.folder = folder

    def _bring(self, part: PartFile, moving: str) -> None:
        place = os.path.join(self.folder, INCOMING, moving)
        try:
            os.rename(part.path, place)
        except OSError:  # the folder is not there yet, or the spool is on another file system than the store
            os.makedirs(os.path.dirname(place), exist_ok=True)
            try:
                os.rename(part.path, place)
            except OSError:
                shutil.copyfile(part.path, place)
        file = os.open(place, os.O_RDWR)
        try:
            os.fsync(file)
            os.chmod(file, 0o640)
        finally:
            os.close(file)

    def _show(self, moving: str, path: str, part: PartFile) -> None:
        place, target = os.path.join(self.folder, INCOMING, moving), os.path.join(self.folder, path)
        try:
            os.link(place, target)  # unlike a rename it never takes the place of another file
        except FileExistsError:
            raise
        except OSError:  # the folder is not there yet, or it is on a file system without links
            os.makedirs(os.path.dirname(target), exist_ok=True)
            try:
                os.link(place, target)
            except FileExistsError:
                raise
            except OSError:
                os.rename(place, target)

    def _drop(self, moving: str) -> None:
        (self.folder / INCOMING / moving).unlink(missing_ok=True)

    def _open(self, path: str) -> BinaryIO:
        return (self.folder / path).open("rb")

    def _size(self, path: str) -> int | None:
        try:
            return (self.folder / path).stat().st_size
        except FileNotFoundError:
            return None

    def _delete(self, path: str) -> None:
        (self.folder / path).unlink(missing_ok=True)

    def _drop_folder(self, folder: str) -> bool:
        try:
            (self.folder / folder).rmdir()
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            return False
        return True

    def is_used(self) -> bool:
        """Tell whether files were stored here before: an empty folder may be that of a NAS which is not mounted."""
        return (self.folder / INCOMING).exists()

    def _free(self) -> int | None:
        try:
            return shutil.disk_usage(self.folder).free
        except FileNotFoundError:
            self.folder.mkdir(parents=True, exist_ok=True)
            return shutil.disk_usage(self.folder).free

    def _try(self) -> None:
        probe = self.folder / INCOMING / moving_name()
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"latchkey")
        probe.unlink()

    def _sweep(self) -> None:
        for path in (self.folder / INCOMING).glob("*@*"):
            if is_left(path.name):
                path.unlink(missing_ok=True)

    def _explain(self, error: Exception) -> str:
        told = getattr(error, "strerror", None) or type(error).__name__
        return (
            f"{self.address} cannot be written to ({told}): mend its rights, or set LATCHKEY_FILES to another folder."
        )

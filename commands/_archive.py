"""A backup as a folder: the database, the files of stores that are folders, and a list of both with their hashes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

MANIFEST = "manifest.json"
FORM = 1  # of the manifest
BLOCK = 1 << 20  # bytes
STORES = "files"  # folder with one folder for each store, by its number


class Damaged(Exception):
    """A backup is not complete, or not what it was. The text is one sentence that names the file."""


@dataclass(frozen=True)
class Kept:
    """A file of a backup."""

    path: str  # below the backup
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup holds."""

    made_at: str  # ISO 8601, UTC
    version: str  # of Latchkey
    dialect: str
    rows: dict[str, int]  # by table
    database: Kept
    stores: list[str]  # addresses of the folders, in the order of their numbers
    files: list[Kept]

    def write(self, folder: Path) -> None:
        """Write it; a backup without it is not complete."""
        path = folder / MANIFEST
        text = json.dumps({"form": FORM, **asdict(self)}, indent=1)
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read the manifest of a backup. Raises Damaged."""
        try:
            found: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            if (form := found.pop("form")) != FORM:
                raise Damaged(f"{folder / MANIFEST} has the form {form}, which another version of Latchkey writes.")
            found["database"] = Kept(**found["database"])
            found["files"] = [Kept(**each) for each in found["files"]]
            return cls(**found)
        except OSError as error:
            raise Damaged(f"{folder} is no complete backup: {MANIFEST} cannot be read ({error.strerror}).") from None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise Damaged(f"{folder / MANIFEST} is not what `scrapy backup` writes.") from None

    def check(self, folder: Path) -> None:
        """Compare every file with its hash. Raises Damaged for the first that differs."""
        for kept in (self.database, *self.files):
            try:
                same = keep(folder, kept.path) == kept
            except OSError as error:
                raise Damaged(f"{folder / kept.path} cannot be read: {error.strerror}.") from None
            if not same:
                raise Damaged(f"{folder / kept.path} is not what was written: use another backup.")


def keep(folder: Path, path: str) -> Kept:
    """Return path, size and hash of a file below a backup."""
    digest, size = hashlib.sha256(), 0
    with (folder / path).open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            size += len(block)
    return Kept(path, size, digest.hexdigest())


def copy_store(store: Path, number: int, folder: Path) -> Iterator[Kept]:
    """Copy the files of a store, apart from those that are still being brought, and yield what was copied."""
    for place, folders, names in os.walk(store):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in sorted(names):
            path = Path(STORES, str(number), Path(place, name).relative_to(store))
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copy2(Path(place, name), folder / path)
            except FileNotFoundError:
                continue  # deleted a moment ago
            yield keep(folder, str(path))


def targets(manifest: Manifest, places: list[Path]) -> Iterator[tuple[Kept, Path]]:
    """Yield each file of the stores with the place to which it goes. places: by the number of its store."""
    for kept in manifest.files:
        parts = PurePosixPath(kept.path).parts
        number = int(parts[1]) if len(parts) > 2 and parts[0] == STORES and parts[1].isdecimal() else len(places)
        if number >= len(places) or ".." in parts:
            raise Damaged(f"{kept.path} leads out of its store.")
        yield kept, places[number].joinpath(*parts[2:])

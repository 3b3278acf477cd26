"""Files that are seen only when they are whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a text as a file that is seen only when it is whole; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as half:
        half.write_text(text, encoding="utf-8")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """
    Give a path to write to; the file takes the place of *path* at the end of the block, and is deleted if that raises.

    A device or a pipe is given as it is: nothing can take its place.
    """
    place = path.resolve()  # a link goes on to show where it did
    if place.exists() and not place.is_file():
        yield place
        return
    half = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        yield half
        with half.open("rb") as file:
            os.fsync(file.fileno())
        half.replace(place)
    finally:
        half.unlink(missing_ok=True)

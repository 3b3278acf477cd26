"""Writes files that other processes read at any time."""

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a file so that its reader sees all of it or what was there before; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    half.write_text(text, encoding="utf-8")
    half.replace(path)

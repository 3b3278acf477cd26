"""Stored files and rows, compared with the portal's: counted from our database and from the files themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.figures import Figure, count
from sandbox import files
from sandbox.plain import data

STORED = "SELECT name, sha256, path, store FROM files WHERE status = 'ready' AND target_key = ?"


def stored(bench: Bench, person: str, documents: int, size: int) -> tuple[int, int]:
    """Return how many of a user's documents are stored right, and how many rows and files are wrong."""
    account, right, wrong = data.accounts(person)[0], 0, 0
    expected = {}
    for number in range(1, documents + 1):
        document = data.document(account, number)
        body = files.pdf(f"{document.title} of account {account}", size)
        expected[document.id] = hashlib.sha256(body).hexdigest()
    for name, sha256, path, store in bench.ask(STORED, person):
        content = hashlib.sha256((Path(store) / path).read_bytes()).hexdigest()
        if expected.get(name) == sha256 == content:
            right += 1
        else:
            wrong += 1
    return right, wrong


def figures(
    benchmark: str, bench: Bench, people: Sequence[str], documents: int, size: int, line: str = ""
) -> list[Figure]:
    """Return the counts that must hold: nothing is missing, nothing is wrong. line: what their names begin with."""
    found = [stored(bench, person, documents, size) for person in people]
    missing = len(people) * documents - sum(right for right, _ in found)
    before = f"{line}: " if line else ""
    return [
        count(benchmark, f"{before}files not stored right", 0, missing),
        count(benchmark, f"{before}wrong ones stored", 0, sum(wrong for _, wrong in found)),
    ]

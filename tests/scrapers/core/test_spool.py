"""Part files: hashed on the way, typed by their bytes; what dead processes left is swept."""

from __future__ import annotations

import hashlib
import stat
import subprocess
import sys

import pytest

from scrapers.core.spool import (
    CSV,
    HTML,
    JSON,
    PDF,
    TEXT,
    UNKNOWN,
    XLSX,
    ZIP,
    PartWriter,
    describe,
    matches,
    sniff,
    spool_name,
    sweep,
)
from tests.project import ROOT


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"%PDF-1.7\n", PDF),
        (b"\xef\xbb\xbf  \n%PDF-1.4", PDF),
        (b"PK\x03\x04....[Content_Types].xml", XLSX),
        (b"PK\x03\x04....invoice.pdf", ZIP),
        (b"<!DOCTYPE html><title>Sign in</title>", HTML),
        (b"\n<HTML>", HTML),
        (b'<?xml version="1.0"?><usage/>', TEXT),
        (b'{"error": 1}', JSON),
        (b"day,line\n2026-10-01,1", TEXT),
        ("jour;données".encode() + b"\xc3", TEXT),  # the sample ends within a character
        (b"\xff\xfe\x00d\x00a", UNKNOWN),
        (b"abc\xff\xffdef ghi", UNKNOWN),
        (b"", UNKNOWN),
    ],
)
def test_the_type_is_told_by_the_bytes(head, media_type):
    assert sniff(head) == media_type


def test_declared_types_are_matched_as_far_as_bytes_can_tell():
    assert matches(TEXT, (CSV,))
    assert matches(ZIP, (XLSX,))
    assert not matches(HTML, (PDF, CSV, XLSX))
    assert not matches(PDF, (XLSX,))


def test_a_part_file_is_private_hashed_and_named_without_folders(tmp_path):
    writer = PartWriter(tmp_path / "spool")
    for piece in (b"%P", b"DF-1", b".7"):
        writer.write(piece)
    part = writer.finish("../../etc/x.pdf")
    assert (part.name, part.size, part.media_type) == ("x.pdf", 8, PDF)
    assert part.sha256 == hashlib.sha256(b"%PDF-1.7").hexdigest()
    assert stat.S_IMODE(part.path.stat().st_mode) == 0o600
    assert describe(part.path, "x.pdf") == part


def test_a_discarded_one_is_gone(tmp_path):
    writer = PartWriter(tmp_path)
    writer.write(b"x")
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def ended() -> str:
    """The signature of a process of this machine that has ended."""
    program = "from database.processes import signature; print(signature())"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_only_what_dead_processes_of_this_machine_left_is_swept(tmp_path):
    gone = ended()
    machine, _, process = gone.partition("+")
    dead, alive, other = tmp_path / f"a@{gone}", tmp_path / spool_name("0123-4567-89"), tmp_path / "not-a-process"
    # A container that shares this folder, and this machine's name, but not its processes: the number means another one there.
    container = tmp_path / f"b@{machine}0+{process}"
    for folder in (dead, alive, other, container):
        (folder / "browser").mkdir(parents=True)
        (folder / "browser" / "x.part").write_bytes(b"x")
    (dead / "browser" / "link").symlink_to(alive)
    assert sweep(tmp_path) == 1
    assert {path.name for path in tmp_path.iterdir()} == {alive.name, other.name, container.name}
    assert (alive / "browser" / "x.part").exists()
    assert alive.name.startswith("0123-456@")

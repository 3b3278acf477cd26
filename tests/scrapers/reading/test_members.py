"""Archives with the paths of their members; none leaves its folder, none unpacks to too much."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from scrapers.core.outcomes import BadFile
from scrapers.reading.members import DEEPEST, members_of


def zipped(members: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def tarred(members: dict[str, bytes], form: str = "gz", link: str = "") -> bytes:
    data = io.BytesIO()
    mode: Any = f"w:{form}"
    with tarfile.open(fileobj=data, mode=mode) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        if link:
            member = tarfile.TarInfo("link")
            member.type, member.linkname = tarfile.SYMTYPE, link
            archive.addfile(member)
    return data.getvalue()


def unpacked(tmp_path: Path, data: bytes, extension: str) -> dict[str, bytes]:
    path, spool = tmp_path / "archive", tmp_path / "spool"
    path.write_bytes(data)
    spool.mkdir(exist_ok=True)
    try:
        return {name: part.path.read_bytes() for name, part in members_of(path, extension, spool)}
    except BadFile:
        assert list(spool.iterdir()) == []
        raise


MEMBERS = {"a.txt": b"one", "b/a.txt": b"two", "b/.hidden": b"left out", "empty.txt": b""}
SEEN = {"a.txt": b"one", "b/a.txt": b"two", "empty.txt": b""}


@pytest.mark.parametrize(
    ("data", "extension"),
    [
        (zipped(MEMBERS), "zip"),
        (tarred(MEMBERS, ""), "tar"),
        (tarred(MEMBERS), "tar.gz"),
        (tarred(MEMBERS), "tgz"),
        (tarred(MEMBERS, "bz2"), "tar.bz2"),
        (tarred(MEMBERS, "xz"), "txz"),
    ],
)
def test_members_have_their_paths(tmp_path, data, extension):
    assert unpacked(tmp_path, data, extension) == SEEN


def test_archives_in_archives(tmp_path):
    inner = tarred({"c.txt": b"three"})
    found = unpacked(tmp_path, zipped({"x/in.tar.gz": inner, "broken.zip": b"PK\x03\x04 no"}), "zip")
    assert found == {"x/in.tar.gz": inner, "x/in.tar.gz_extracted/c.txt": b"three", "broken.zip": b"PK\x03\x04 no"}
    deep = b"the end"
    for _ in range(DEEPEST + 3):
        deep = zipped({"in.zip": deep})
    assert len(unpacked(tmp_path, deep, "zip")) == DEEPEST


@pytest.mark.parametrize(
    ("data", "extension"),
    [
        (zipped({"../a.txt": b"1"}), "zip"),
        (zipped({"a.txt": b"1" * 100})[:60], "zip"),
        (zipped({"zeros": bytes(20_000_000)}), "zip"),
        (tarred({"../a.txt": b"1"}), "tar.gz"),
        (tarred({"/a.txt": b"1"}), "tar.gz"),
        (tarred({"a.txt": b"1"}, link="/etc/passwd"), "tar.gz"),
        (tarred({"zeros": bytes(20_000_000)}), "tar.gz"),
        (tarred({"a.txt": bytes(range(256)) * 500})[:300], "tar.gz"),
        (tarred({"a.txt": bytes(range(256)) * 500}, "bz2")[:100], "tar.bz2"),
        (b"no archive", "tar"),
        (b"no archive", "tar.xz"),
    ],
    ids="zip-up zip-cut zip-bomb tar-up tar-root tar-link tar-bomb tar-cut bz2-cut no-tar no-xz".split(),  # data hold the time
)
def test_what_is_unsafe_or_broken_is_refused_and_leaves_nothing(tmp_path, data, extension):
    with pytest.raises(BadFile):
        unpacked(tmp_path, data, extension)

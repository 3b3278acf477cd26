"""ZIPs: what may be unpacked, and what is refused before a byte of it is written."""

from __future__ import annotations

import zipfile

import pytest

from scrapers.core.outcomes import BadFile
from scrapers.core.spool import describe
from scrapers.reading.archive import check_zip, unpack


def pack(path, members, **options):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content, **options)
    return path


def link(name):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info


def test_files_are_unpacked_flat_and_named_apart(tmp_path):
    members = [("a/x.pdf", b"%PDF-1"), ("b/x.pdf", b"%PDF-2"), ("b/", b""), ("__MACOSX/.x.pdf", b"no"), ("y.csv", b"d")]
    path = pack(tmp_path / "f.part", members)

    parts = unpack(describe(path, "f.zip"))

    assert [(part.name, part.path.read_bytes()) for part in parts] == [
        ("x.pdf", b"%PDF-1"),
        ("x_1.pdf", b"%PDF-2"),
        ("y.csv", b"d"),
    ]
    assert not path.exists()
    assert {part.path.parent for part in parts} == {tmp_path}


@pytest.mark.parametrize(
    "member",
    ["../up.pdf", "a/../../up.pdf", "/tmp/up.pdf", "..\\up.pdf", "C:\\up.pdf", "C:up.pdf", link("link.pdf")],
    ids=str,
)
def test_a_member_that_would_leave_its_folder_is_refused(tmp_path, member):
    path = pack(tmp_path / "f.part", [("good.pdf", b"%PDF"), (member, b"/etc/passwd")])

    with pytest.raises(BadFile):
        unpack(describe(path, "f.zip"))

    assert list(tmp_path.iterdir()) == [path]


def test_a_bomb_is_refused(tmp_path):
    path = pack(tmp_path / "f.part", [("zeros", bytes(20_000_000))])
    with pytest.raises(BadFile, match="far more"):
        check_zip(path)


@pytest.mark.parametrize("damage", ["cut", "stream", "checksum", "encrypted"])
def test_a_broken_one_is_refused(tmp_path, damage):
    path = pack(tmp_path / "f.part", [("a.pdf", b"%PDF" + bytes(range(256)) * 40)])
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "stream":
        data[40:60] = b"\xff" * 20
    elif damage == "checksum":
        place = data.rindex(b"PK\x01\x02") + 16
        data[place] ^= 1
        data[14] ^= 1
    else:
        data[6] |= 1
        data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(BadFile):
        check_zip(path)

"""ZIPs: what may be unpacked, and what is refused before a byte of it is written."""

from __future__ import annotations

import random
import zipfile

import pytest

from scrapers.core.outcomes import BadFile
from scrapers.core.spool import describe
from scrapers.reading.archive import check_zip, is_archive, unpack, unpack_pdfs


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


COMPRESSIONS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("compression", COMPRESSIONS, ids=["stored", "deflate", "bzip2", "lzma"])
def test_d1_a_damaged_one_is_refused_and_nothing_else(tmp_path, compression):
    """Whatever byte is damaged: either nothing that counts, or BadFile, and nothing is left of it."""
    content = b"%PDF" + random.Random(0).randbytes(700) + b"." * 700
    path = tmp_path / "f.part"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("a.pdf", content)
        archive.writestr("b\N{LATIN SMALL LETTER E WITH ACUTE}.csv", b"a;b\n" * 50)
    whole, draw, refused = path.read_bytes(), random.Random(1), 0
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(draw.choice((1, 1, 3))):
            data[draw.randrange(len(data))] = draw.randrange(256)
        if draw.random() < 0.2:
            data = data[: draw.randrange(len(data))]
        path.write_bytes(data)
        try:
            parts = unpack(describe(path, "f.zip"))
        except BadFile:
            refused += 1
            parts = []
        for part in parts:
            part.path.unlink()
        assert [left for left in tmp_path.iterdir() if left != path] == []
    assert refused > 30


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED])
def test_d1_broken_compression_is_a_bad_file(tmp_path, compression):
    path = tmp_path / "f.part"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("a.pdf", b"%PDF" + bytes(range(256)) * 40)
    data = bytearray(path.read_bytes())
    data[35:60] = b"\xff" * 25
    path.write_bytes(data)
    with pytest.raises(BadFile):
        unpack(describe(path, "f.zip"))


@pytest.mark.parametrize("is_marked", [True, False], ids=["marked as UTF-8", "not marked"])
def test_d1_names_that_are_not_utf_8_are_a_bad_file(tmp_path, is_marked):
    path = pack(tmp_path / "f.part", [("\N{LATIN SMALL LETTER E WITH ACUTE}.pdf", b"%PDF")])
    data = path.read_bytes().replace("\N{LATIN SMALL LETTER E WITH ACUTE}".encode(), b"\xe9\x2e")
    if not is_marked:
        data = bytearray(data)
        data[7] = data[data.rindex(b"PK\x01\x02") + 9] = 0
    path.write_bytes(data)
    for read in (is_archive, unpack):
        with pytest.raises(BadFile, match="not UTF-8"):
            read(describe(path, "f.zip"))


def test_d1_a_name_that_is_utf_8_without_saying_so_is_read(tmp_path):
    path = pack(tmp_path / "f.part", [("donn\N{LATIN SMALL LETTER E WITH ACUTE}es.pdf", b"%PDF")])
    data = bytearray(path.read_bytes())
    data[7] = data[data.rindex(b"PK\x01\x02") + 9] = 0
    path.write_bytes(data)
    assert [part.name for part in unpack(describe(path, "f.zip"))] == ["donn\N{LATIN SMALL LETTER E WITH ACUTE}es.pdf"]


JUNK = [
    "Thumbs.db",
    "2026/desktop.ini",
    "readme.txt",
    "READ_ME.md",
    "Lisez-moi.txt",
    "__MACOSX/._invoice.pdf",
    "__MACOSX/a.pdf",
    ".DS_Store",
    "~$invoice.xlsx",
    "portal.url",
]


def test_d1_junk_is_listed_and_never_a_document(tmp_path):
    members = [*((name, b"junk") for name in JUNK), ("2026\\invoice_2026.pdf", b"%PDF-1"), ("copy.pdf", b"%PDF-2")]
    listed: list[str] = []
    parts = unpack(describe(pack(tmp_path / "f.part", members), "f.zip"), listed)
    assert {part.name for part in parts} == {"invoice_2026.pdf", "copy.pdf"}
    assert sorted(listed) == sorted(JUNK)


def test_d1_the_invoices_of_a_zip_are_its_pdfs(tmp_path):
    members = [("a.db", b"\x00\x01"), ("readme.txt", b"Hello"), ("invoice.pdf", b"%PDF-1"), ("broken.pdf", b"Sorry")]
    listed: list[str] = []
    parts = unpack_pdfs(describe(pack(tmp_path / "f.part", members), "f.zip"), listed)
    assert [part.name for part in parts] == [
        "invoice.pdf",
        "broken.pdf",
    ]  # the latter is refused when it is to be stored
    assert sorted(listed) == ["a.db", "readme.txt"]
    assert {path.name for path in tmp_path.iterdir()} == {part.path.name for part in parts}
    with pytest.raises(BadFile, match="no PDF"):
        unpack_pdfs(describe(pack(tmp_path / "g.part", members[:2]), "g.zip"))

"""Files that portals hand out: made from a seed text, so that the same document has the same bytes in every process."""

from __future__ import annotations

import hashlib
import io
import stat
import zipfile
from collections.abc import Iterator, Mapping
from functools import lru_cache

PIECE = 262_144
SMALLEST_PDF = 1_000  # bytes


def pdf(title: str, size: int) -> bytes:
    """Return a valid one-page PDF of exactly `size` bytes (1000 at least) that shows a title of plain ASCII."""
    return b"".join(pdf_pieces(title, size))


def pdf_pieces(title: str, size: int) -> Iterator[bytes]:
    """Yield the bytes of `pdf` in pieces of 256 KB at most, for files that no memory should hold."""
    size = max(size, SMALLEST_PDF)
    text = title.encode("ascii", "replace").replace(b"\\", b"").replace(b"(", b"[").replace(b")", b"]")[:80]
    show = b"BT /F1 18 Tf 40 780 Td (" + text + b") Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(show), show),
    ]
    head, starts = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, content in enumerate(objects, 1):
        starts.append(len(head))
        head += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    starts.append(len(head))
    # The fifth object is padding. Its length has ten digits always, so the whole has the size that was asked for.
    opening, closing = b"5 0 obj\n<< /Length %010d >>\nstream\n", b"\nendstream\nendobj\n"
    padding = size - len(head) - len(opening % 0) - len(closing) - len(_trailer(starts, 0))
    table = len(head) + len(opening % 0) + padding + len(closing)
    yield head + opening % padding
    yield from _padding(title, padding)
    yield closing + _trailer(starts, table)


def _trailer(starts: list[int], table: int) -> bytes:
    rows = b"".join(b"%010d 00000 n \n" % start for start in starts)
    return (
        b"xref\n0 6\n0000000000 65535 f \n"
        + rows
        + b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n"
        + str(table).zfill(10).encode()
        + b"\n%%EOF\n"
    )


def _padding(seed: str, size: int) -> Iterator[bytes]:
    piece = hashlib.sha512(seed.encode()).hexdigest().encode() * (min(size, PIECE) // 128 + 1)
    while size > 0:
        yield piece[: min(size, PIECE)]
        size -= PIECE


def pack(members: Mapping[str, bytes]) -> bytes:
    """Return a ZIP with these members, with a fixed date so that the bytes are always the same."""
    return _pack([(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content) for name, content in members.items()])


def unsafe_zip() -> bytes:
    """Return a ZIP with members that point outside the folder it is unpacked in: upwards, absolute, and by a link."""
    date = (2026, 1, 1, 0, 0, 0)
    link = zipfile.ZipInfo("link", date)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    link.create_system = 3  # Unix, else the mode above means nothing
    return _pack(
        [
            (zipfile.ZipInfo("invoice.pdf", date), pdf("A harmless one", SMALLEST_PDF)),
            (zipfile.ZipInfo("../../escaped.txt", date), b"upwards"),
            (zipfile.ZipInfo("/tmp/escaped.txt", date), b"absolute"),
            (link, b"/etc/passwd"),
        ]
    )


def _pack(members: list[tuple[zipfile.ZipInfo, bytes]]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members:
            archive.writestr(member, content, zipfile.ZIP_DEFLATED)
    return whole.getvalue()


@lru_cache(maxsize=4)
def usage_csv(seed: str, rows: int) -> bytes:
    """Return a CSV of usage: day, line, service, bytes, amount, currency; no two rows have the same first three."""
    lines = ["day,line,service,bytes,amount,currency"]
    start = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "big")
    for number in range(rows):
        mixed = (start + number * 2_654_435_761) % 2**32
        day, line = number // 300 % 28 + 1, number % 100
        service = ("data", "voice", "text")[number // 100 % 3]
        month = f"{2018 + number // 100_800:04d}-{number // 8_400 % 12 + 1:02d}"
        cents = mixed % 5_000
        lines.append(f"{month}-{day:02d},+1555010{line:04d},{service},{mixed},{cents // 100}.{cents % 100:02d},CAD")
    return ("\n".join(lines) + "\n").encode()

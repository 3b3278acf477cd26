"""D1: PDFs as servers send them. Whole ones are kept, with whatever stands around them; cut ones are refused."""

from __future__ import annotations

import io
import zlib
from concurrent.futures import ThreadPoolExecutor

import pypdf
import pytest

from pipelines.files import check
from sandbox.files import pdf_pieces
from scrapers.core.outcomes import BadFile
from scrapers.core.spool import PDF, PDF_WITHIN, describe, sniff


def written(writer: pypdf.PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def classic(pages: int = 1) -> bytes:
    """A PDF whose table of objects is plain text."""
    writer = pypdf.PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    return written(writer)


def revised(first: bytes) -> bytes:
    """The same with a second revision behind it."""
    writer = pypdf.PdfWriter(io.BytesIO(first), incremental=True)
    writer.add_blank_page(300, 300)
    writer.add_metadata({"/Title": "Second " * 500})
    return written(writer)


def encrypted(algorithm: str) -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    writer.encrypt("invented", algorithm=algorithm)
    return written(writer)


def packed() -> bytes:
    """A PDF whose objects and table are in compressed streams: without its table nothing of it is found."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    ]
    starts = [sum(len(each) + 1 for each in objects[:number]) for number in range(3)]
    index = b" ".join(b"%d %d" % pair for pair in enumerate(starts, 1)) + b" "
    content = zlib.compress(index + b" ".join(objects))
    out = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"
    first = len(out)
    out += b"4 0 obj\n<< /Type /ObjStm /N 3 /First %d /Filter /FlateDecode /Length %d >>\nstream\n" % (
        len(index),
        len(content),
    )
    out += content + b"\nendstream\nendobj\n"
    table = len(out)
    rows = b"\x00\x00\x00\xff" + b"".join(b"\x02\x00\x04" + bytes([number]) for number in range(3))
    rows += b"".join(b"\x01" + place.to_bytes(2, "big") + b"\x00" for place in (first, table))
    rows = zlib.compress(rows)
    out += b"5 0 obj\n<< /Type /XRef /Size 6 /W [1 2 1] /Root 1 0 R /Filter /FlateDecode /Length %d >>\nstream\n" % len(
        rows
    )
    return out + rows + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % table


KINDS = {
    "classic": classic(),
    "revised": revised(classic()),
    "packed": packed(),
    "encrypted (RC4)": encrypted("RC4-128"),
    "encrypted (AES)": encrypted("AES-256"),
    "from the sandbox": b"".join(pdf_pieces("Invoice", 5000)),
}
BEFORE = [
    b"\n",
    b"\xef\xbb\xbf\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n",
    b"--part\r\nContent-Disposition: form-data\r\n\r\n",
    b"{",
    b"<html><body></body></html>\n",
    bytes(range(256)) * 3,
    b"X" * 1000,
    b"X" * (PDF_WITHIN - 5),
    b"X" * (PDF_WITHIN - 1),
]
BEHIND = [
    b"\x00" * 3000,
    b"\x00" * 300_000,
    b" \r\n" * 40_000,
    b"\n\x1a",
    b"<!-- served in 0.2 s -->\n" * 300,
    b"x" * 5000,
    b"\xff" * 5000,
]


@pytest.fixture
def part(tmp_path):
    """Give a function that makes a part file of bytes."""

    def make(content, name="x.pdf"):
        path = tmp_path / "x.part"
        path.write_bytes(content)
        return describe(path, name)

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_d1_a_whole_pdf_is_kept_with_bytes_before_and_padding_behind(part, kind):
    for before in (b"", *BEFORE):
        for behind in (b"", *BEHIND):
            made = part(before + KINDS[kind] + behind)
            assert made.media_type == PDF, before[:9]
            check(made, (PDF,))


def test_d1_a_header_behind_the_first_1024_bytes_makes_no_pdf():
    assert sniff(b"X" * PDF_WITHIN + classic()) != PDF
    assert sniff(b"X" * (PDF_WITHIN - 1) + classic()) == PDF


@pytest.mark.parametrize(
    "content",
    [
        b"<html><p>We speak of %PDF-1.7 files</p>",
        b'{"content": "%PDF-1.4\\n1 0 obj"}',
        b"name;kind\nbill;%PDF-1.4 or later\n",
    ],
)
def test_d1_a_text_about_pdfs_is_none(content):
    assert sniff(content) != PDF


@pytest.mark.parametrize("kind", ["classic", "packed", "encrypted (AES)"])
def test_d1_a_pdf_that_is_cut_anywhere_is_refused(part, kind):
    content = KINDS[kind]
    for end in (*range(5, len(content) - 20, 5), *range(len(content) - 20, len(content) - 1)):
        made = part(content[:end])
        with pytest.raises(BadFile):
            check(made, (PDF,))


@pytest.mark.parametrize("padding", [b"", b"\x00" * 4096], ids=["", "padded"])
@pytest.mark.parametrize("kind", ["classic", "packed"])
def test_d1_a_pdf_that_is_cut_in_its_second_revision_is_refused(part, kind, padding):
    first, whole = KINDS[kind], revised(KINDS[kind])
    assert whole.startswith(first)
    ends = [*range(len(first) + 1, len(first) + 80), *range(len(first) + 80, len(whole) - 1, 41), len(whole) - 3]
    for end in ends:
        made = part(whole[:end] + padding)
        with pytest.raises(BadFile):
            check(made, (PDF,))
    check(part(whole + padding), (PDF,))
    check(part(first + padding), (PDF,))


def test_d1_a_linearized_pdf_has_the_length_that_it_states(part):
    """Its first part ends with an end mark, too."""
    head, body = classic().split(b"\n", 1)

    def stating(length):
        return head + b"\n9 0 obj\n<< /Linearized 1 /L %010d /N 1 >>\nendobj\n" % length + body

    size = len(stating(0))
    check(part(stating(size)), (PDF,))
    check(part(b"X" * 100 + stating(size) + b"\n" * 3000), (PDF,))
    with pytest.raises(BadFile, match="cut short"):
        check(part(stating(size + 1000)), (PDF,))


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.4\n%%EOF\n",
        b"%PDF-1.4\n1 0 obj\n<< >>\nendobj\ntrailer << >>\n%%EOF\n",
        classic(0),
        classic().replace(b"/Pages", b"/Pagan"),
        b"%PDF-1.7\n" + b"\x00" * 9000,
        b"%PDF-1.7\n" + b"\xa5" * 9000 + b"\n%%EOF",
    ],
)
def test_d1_what_pdfium_cannot_open_is_refused(part, content):
    with pytest.raises(BadFile):
        check(part(content), (PDF,))


def test_d1_many_pdfs_are_checked_side_by_side(tmp_path):
    """PDFium takes one thread at a time."""
    parts = []
    for number, content in enumerate([*KINDS.values(), b"%PDF-1.4\n%%EOF\n"] * 10):
        path = tmp_path / f"{number}.part"
        path.write_bytes(content)
        parts.append(describe(path, "x.pdf"))

    def is_good(made):
        try:
            check(made, (PDF,))
        except BadFile:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(is_good, parts))
    assert found == [*[True] * len(KINDS), False] * 10

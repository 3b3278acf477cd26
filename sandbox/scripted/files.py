"""Files the portal gives out: PDF, and a ZIP that must not be unpacked. Their bytes depend only on what they say."""

import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sandbox.workbooks import EPOCH

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV_TYPE = "text/csv"
PDF_TYPE = "application/pdf"
ZIP_TYPE = "application/zip"
Placed = tuple[str, int, int, int]  # text, points from the left and from the foot, size


@dataclass(frozen=True)
class File:
    """
    A file that can be had: its kind, name, media type and, when asked for, its bytes.

    kind: `usage`, `invoice`, `report`, or the slug of a monthly report.
    """

    kind: str
    name: str
    media_type: str
    content: Callable[[], bytes]


def unsafe_archive(name: str, content: bytes) -> bytes:
    """A ZIP with one harmless member and three that would leave the folder: climbing, absolute, and a link."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(zipfile.ZipInfo(name, EPOCH), content)
        file.writestr(zipfile.ZipInfo("../../escaped.pdf", EPOCH), content)
        file.writestr(zipfile.ZipInfo("/tmp/escaped.pdf", EPOCH), content)
        link = zipfile.ZipInfo("link.pdf", EPOCH)
        link.create_system = 3  # Unix, so that the mode below means a symbolic link
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/hostname")
    return out.getvalue()


def document(title: str, lines: Sequence[str], padding: int = 0) -> bytes:
    """A one-page PDF that shows the title and the lines; padding adds that many bytes of comment."""
    return sheet([(title, 56, 780, 16), *((line, 56, 750 - 15 * i, 10) for i, line in enumerate(lines))], padding)


def sheet(texts: Iterable[Placed], padding: int = 0) -> bytes:
    """A one-page PDF of texts, each in its place; padding adds that many bytes of comment."""
    shown = [f"BT /F1 {size} Tf {x} {y} Td ({_escaped(text)}) Tj ET" for text, x, y, size in texts]
    stream = "\n".join(shown).encode("cp1252")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    line = b"%" + b"." * 78 + b"\n"
    out += line * (padding // len(line))
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")

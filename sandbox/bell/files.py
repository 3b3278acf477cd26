"""Files the portal gives out: XLSX, PDF and ZIP whose bytes depend only on what they say."""

import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF_TYPE = "application/pdf"
ZIP_TYPE = "application/zip"

# The earliest time a ZIP can carry: a clock here would change the bytes from run to run.
_EPOCH = (1980, 1, 1, 0, 0, 0)

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DAY_ZERO = date(1899, 12, 30)  # workbooks count their days from here
_STYLES = (  # the second cell format is the one for dates
    f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/>'
    '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'
)

Cell = str | int | Decimal | date | None


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


def archive(members: Iterable[tuple[str, bytes]]) -> bytes:
    """A ZIP of the members, in their order, without a time stamp of today."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            file.writestr(info, content)
    return out.getvalue()


def unsafe_archive(name: str, content: bytes) -> bytes:
    """A ZIP with one honest member and three that would leave the folder: climbing, absolute, and a link."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(zipfile.ZipInfo(name, _EPOCH), content)
        file.writestr(zipfile.ZipInfo("../../escaped.pdf", _EPOCH), content)
        file.writestr(zipfile.ZipInfo("/tmp/escaped.pdf", _EPOCH), content)
        link = zipfile.ZipInfo("link.pdf", _EPOCH)
        link.create_system = 3  # Unix, so that the mode below means a symbolic link
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/hostname")
    return out.getvalue()


def workbook(title: str, rows: Sequence[Sequence[Cell]]) -> bytes:
    """A one-sheet XLSX: text cells are inline strings, int and Decimal are numbers, dates are dates, None is an empty cell."""
    body = "".join(
        f'<row r="{number}">' + "".join(_cell(index, number, value) for index, value in enumerate(row)) + "</row>"
        for number, row in enumerate(rows, 1)
    )
    dated = any(isinstance(value, date) for row in rows for value in row)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEET}.worksheet+xml"/>'
        + (f'<Override PartName="/xl/styles.xml" ContentType="{_SHEET}.styles+xml"/>' if dated else "")
        + "</Types>",
        "_rels/.rels": _relations(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><sheets>'
        f'<sheet name="{escape(title)}" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(
            ("worksheet", "worksheets/sheet1.xml"), *([("styles", "styles.xml")] if dated else [])
        ),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData></worksheet>',
    } | ({"xl/styles.xml": _STYLES} if dated else {})
    return archive((name, (_XML + content).encode()) for name, content in parts.items())


def document(title: str, lines: Sequence[str], padding: int = 0) -> bytes:
    """A one-page PDF that shows the title and the lines; padding adds that many bytes of comment."""
    text = [f"BT /F1 16 Tf 56 780 Td ({_escaped(title)}) Tj ET"]
    text += [f"BT /F1 10 Tf 56 {750 - 15 * i} Td ({_escaped(line)}) Tj ET" for i, line in enumerate(lines)]
    stream = "\n".join(text).encode("latin-1")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
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


def _cell(index: int, row: int, value: Cell) -> str:
    place = f"{chr(ord('A') + index)}{row}"
    if value is None:
        return ""
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    if isinstance(value, date):
        return f'<c r="{place}" s="1"><v>{(value - _DAY_ZERO).days}</v></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def _relations(*related: tuple[str, str]) -> str:
    each = "".join(
        f'<Relationship Id="rId{number}" Type="{_DOCUMENT}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(related, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")

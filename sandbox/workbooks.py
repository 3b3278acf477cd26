"""XLSX and ZIP files with bytes that depend only on their content: they hold no time of their making."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP can carry

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


def archive(members: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a ZIP of the members, in their order, without a time stamp of today."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            file.writestr(info, content)
    return out.getvalue()


def workbook(title: str, rows: Sequence[Sequence[Cell]]) -> bytes:
    """Return a one-sheet XLSX: text cells are inline strings, int and Decimal are numbers, dates are dates, None is an empty cell."""
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

"""Workbooks that are written here, read back."""

from __future__ import annotations

import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from scrapers.core.spool import XLSX
from scrapers.reading.archive import check_zip
from scrapers.reading.new_workbooks import LONGEST, NewCell, write_workbook

TEXTS = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=20)
CELLS = st.one_of(
    st.none(),
    TEXTS,
    st.integers(-(10**14), 10**14),
    st.decimals(-(10**9), 10**9, places=2),
    st.dates(date(1901, 1, 1), date(2098, 12, 31)),
)


def written(lines: list[list[NewCell]]) -> list[list[object]]:
    with tempfile.TemporaryDirectory() as folder:
        part = write_workbook(Path(folder), "made.xlsx", lines)
        assert (part.media_type, part.name) == (XLSX, "made.xlsx")
        check_zip(part.path)
        with CalamineWorkbook.from_path(part.path) as book:
            return [list(line) for line in book.get_sheet_by_index(0).iter_rows()]


@given(cells=st.lists(CELLS, min_size=1, max_size=6))
def test_cells_are_read_as_they_were_written(cells):
    (line,) = written([["first", *cells]])
    said = [*line[1:], *[""] * (len(cells) - len(line) + 1)]
    assert said == ["" if cell is None else cell if isinstance(cell, (str, date)) else float(cell) for cell in cells]


@pytest.mark.parametrize("text", ["=1+1", "http://example.com", "0012", "1e5", " a ", "TRUE", "@x", "2026-10-31"])
def test_texts_stay_texts(text):
    assert written([[text]]) == [[text]]


@pytest.mark.parametrize("cell", [10**15, Decimal("0.12345678901234567"), "x" * (LONGEST + 1)])
def test_what_a_cell_cannot_hold_exactly_is_refused(cell, tmp_path):
    with pytest.raises(ValueError, match="cell"):
        write_workbook(tmp_path, "made.xlsx", [[cell]])


def test_equal_lines_make_equal_files(tmp_path):
    lines = [["Ann Birch", 5, date(2028, 2, 29), None]]
    assert len({write_workbook(tmp_path, "made.xlsx", lines).sha256 for _ in range(3)}) == 1

"""Reading the CSV files that people make: every bad line is named by its number, and nothing of its values is lost."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Sequence

Row = tuple[int, dict[str, str]]  # line number, and values by column


class BadLines(Exception):
    """Lines of a file are wrong. `problems` has one sentence for each, with its line number."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def read_rows(lines: Iterable[str], columns: Sequence[str], required: Sequence[str]) -> tuple[list[Row], list[str]]:
    """
    Return the rows of a CSV file as they stand, and a sentence for each line that is none; raise BadLines for its heading.

    lines: split at line breaks only: U+2028 and U+000B are characters of a field. The first one names the columns, which are
    separated by commas or semicolons.
    """
    text = list(lines)
    header = text[0].lstrip("\ufeff") if text else ""
    reader = csv.DictReader(
        [header, *text[1:]], delimiter=";" if header.count(";") > header.count(",") else ",", strict=True
    )
    rows: list[Row] = []
    problems: list[str] = []
    last = 0
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        last = reader.line_num
        reader.fieldnames = names
        _check_heading(names, columns, required)
        for row in reader:
            last = reader.line_num
            if None in row or None in row.values():
                problems.append(f"Line {reader.line_num}: it has not as many fields as line 1 has columns.")
            elif any(value.strip() for value in row.values()):
                rows.append((reader.line_num, row))
    except csv.Error as error:
        # The reader counts a line that it has not understood only when it has read to its end.
        problems.append(f"Line {last + 1}: {error}.")
    return rows, problems


def _check_heading(names: Sequence[str], columns: Sequence[str], required: Sequence[str]) -> None:
    missing = [column for column in required if column not in names]
    unknown = [name for name in names if name not in columns]
    if missing or unknown or len(set(names)) != len(names):
        said = (
            f"the column {missing[0]} is missing"
            if missing
            else f"{unknown[0]!r} is no column"
            if unknown
            else "a column comes twice"
        )
        raise BadLines([f"Line 1: {said}; the columns are {', '.join(columns)}."])


def spoilt(value: str) -> str | None:
    """
    Return what a spreadsheet or a copy has done to a number or user name, in words; None for one that is as it was typed.

    >>> spoilt("5.33123E+08"), spoilt("533122907")
    ('it is in scientific notation, so digits are lost: format the column as text', None)
    """
    if re.fullmatch(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+", value):
        return "it is in scientific notation, so digits are lost: format the column as text"
    if value.startswith(("=", "'")):
        return "it is a formula or begins with a quotation mark, as spreadsheets write it: write the characters alone"
    if re.fullmatch(r"\d+[.,]0+", value):
        return "it is a decimal number: format the column as text"
    # Separators of lines and paragraphs, controls, and marks without a shape.
    hidden = next((c for c in value if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")), None)
    return f"it holds a character that is not seen (U+{ord(hidden):04X})" if hidden else None

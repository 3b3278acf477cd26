"""What the commands share: tables, CSV and JSON."""

from __future__ import annotations

import csv
import doctest
import io
import json
from argparse import ArgumentTypeError
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from commands import _terminal, credentials
from commands._terminal import instant, show, write_rows


def test_doctests():
    assert doctest.testmod(_terminal).failed == 0
    assert doctest.testmod(credentials).failed == 0


@pytest.mark.parametrize("given", ["9999-12-31T23:59-05:00", "0001-01-01T00:00+14:00", "10000-01-01", "tomorrow"])
def test_a6_an_instant_that_is_none_is_said(given):
    with pytest.raises(ArgumentTypeError, match="is not a date like 2026-10-31"):
        instant(given)


def test_a_table_in_a_pipe_is_aligned_text(capsys):
    show(("name", "count"), [("a", 1), ("longer", None), ("[red]x", True)])
    assert capsys.readouterr().out == "name    count\na       1\nlonger  -\n[red]x  yes\n"


def test_a_table_on_a_terminal_shows_markup_as_it_is(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    show(("name",), [("[red]x[/red]",)])
    assert "[red]x[/red]" in capsys.readouterr().out


def test_csv_and_json_keep_what_a_value_is():
    row = (None, Decimal("1.10"), date(2026, 10, 1), datetime(2026, 10, 1, tzinfo=UTC), 'a "b"\nc', 2**60)
    names = tuple("abcdef")
    file = io.StringIO()
    assert write_rows(file, names, [row, row], "csv") == 2
    first, *_ = list(csv.reader(io.StringIO(file.getvalue())))[1:]
    assert first == ["", "1.10", "2026-10-01", "2026-10-01T00:00:00+00:00", 'a "b"\nc', str(2**60)]
    file = io.StringIO()
    write_rows(file, names, [row], "json")
    assert json.loads(file.getvalue()) == [
        {"a": None, "b": "1.10", "c": "2026-10-01", "d": "2026-10-01T00:00:00+00:00", "e": 'a "b"\nc', "f": 2**60}
    ]


def test_text_that_a_spreadsheet_would_run_is_disarmed():
    file = io.StringIO()
    write_rows(file, ("a", "b"), [("=HYPERLINK(1)", -5)], "csv")
    assert list(csv.reader(io.StringIO(file.getvalue())))[1] == ["'=HYPERLINK(1)", "-5"]

"""Workbooks as rows: real files, read as the spiders read them."""

from __future__ import annotations

from datetime import date, datetime
from io import BytesIO

import pytest
import xlsxwriter

from sandbox.bell.data import usage_workbook
from sandbox.bell.monthly import REPORTS as IMITATED
from sandbox.bell.monthly import monthly_workbook
from sandbox.invented import Month
from scrapers.core.outcomes import BadFile, NotListed, PortalChanged, WrongAccount
from scrapers.core.spool import describe
from scrapers.families.carriers.items import report_lines, usage_lines
from scrapers.portals.bell.columns import LOCALE, REPORTS, USAGE
from scrapers.reading.values.numbers import money
from scrapers.reading.values.texts import account_number, text
from scrapers.reading.workbooks import Column, Sheet, check

OCTOBER = Month(2026, 10)
STORED = BytesIO()  # these rows are in memory
SIMPLE = (Column("account_number", "account", account_number, required=True), Column("paid", "paid", money))


@pytest.fixture
def part(tmp_path):
    """Give a function that makes a part file of bytes."""

    def make(content: bytes, name: str = "file.xlsx"):
        path = tmp_path / f"{name}.part"
        path.write_bytes(content)
        return describe(path, name)

    return make


@pytest.fixture
def sheet(tmp_path):
    """Give a function that writes sheets of cells with the library that others write them with."""

    def make(*sheets, columns=SIMPLE):
        path = tmp_path / "sheet.xlsx"
        with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as book:
            for rows in sheets:
                page = book.add_worksheet()
                for number, row in enumerate(rows):
                    page.write_row(number, 0, row)
        return Sheet.of(describe(path, "sheet.xlsx"), columns, LOCALE)

    return make


@pytest.mark.parametrize("slug", REPORTS)
def test_every_column_of_a_report_is_known_and_typed(part, slug):
    sheet = Sheet.of(part(monthly_workbook(slug, ["512345678"], OCTOBER, 40)), REPORTS[slug], LOCALE)
    check(sheet, "512345678", "2026-10")
    rows = list(report_lines(1, sheet, 2, 3).rows(STORED))
    assert len(rows) == 40
    assert {(row["account_number"], row["period"], row["extra"]) for row in rows} == {("512345678", "2026-10", None)}
    assert rows[7]["phone_number"] == "5550100007"
    assert len(rows[0]["data"]) == len(IMITATED[slug].columns) - 3  # account, month and phone have columns of their own
    assert rows[0]["currency"] == ("CAD" if "(CAD)" in str(IMITATED[slug].columns) else None)
    assert rows == list(report_lines(1, sheet, 2, 3).rows(STORED))  # gone through once more, they are the same


def test_amounts_are_exact_and_sizes_are_bytes(part):
    charges = Sheet.of(
        part(monthly_workbook("invoice_charge_report", ["512345678"], OCTOBER, 9)),
        REPORTS["invoice_charge_report"],
        LOCALE,
    )
    first = next(iter(report_lines(1, charges, 2, 3).rows(STORED)))["data"]
    assert first["amount"].count(".") == 1
    assert len(first["amount"].partition(".")[2]) == 2
    assert date.fromisoformat(first["charge_date"]).month == 10
    assert first["invoice_number"].isdecimal()
    assert isinstance(first["quantity"], int)
    usage = Sheet.of(part(usage_workbook("512345678", date(2026, 10, 3), "All usage")), USAGE, LOCALE)
    rows = list(usage_lines(1, usage, 2, date(2026, 10, 3)).rows(STORED))
    assert len(rows) == 25
    assert all(isinstance(row["used"], int) for row in rows)
    assert rows[0]["extra"] == {"As of": "2026-10-03"}
    assert {row["usage_type"] for row in rows} == {"All usage"}


def test_the_header_is_found_below_titles_and_on_another_sheet(sheet):
    found = sheet(
        [["Nothing here"]], [["A title"], [], ["Paid", "", "Account"], [2.5, "", 512345678], [1, "x", 512345678]]
    )
    assert list(found.rows("account_number")) == [
        ({"paid": "2.50", "account_number": "512345678"}, None),
        ({"paid": "1.00", "account_number": "512345678"}, None),
    ]


def test_what_is_not_known_or_not_understood_is_kept_as_it_stands(sheet):
    day = datetime(2026, 10, 3)  # noqa: DTZ001 - a workbook's days have no time zone
    rows = [["Account", "Paid", "Colour", "When", "Big"], [5, "soon", "red", day, 4.0], [5, 1, "", "", ""]]
    assert list(sheet(rows).rows("account_number")) == [
        ({"account_number": "5", "paid": None}, {"Paid": "soon", "Colour": "red", "When": "2026-10-03", "Big": 4}),
        ({"account_number": "5", "paid": "1.00"}, None),
    ]


def test_totals_and_empty_lines_are_no_rows(sheet):
    rows = [["Account", "Paid"], [5, 1], ["", ""], ["Total", 1], ["", 1]]
    assert len(list(sheet(rows).rows("account_number"))) == 1


def test_a_column_that_is_missing_is_named(sheet):
    with pytest.raises(PortalChanged, match="no column for account_number") as changed:
        sheet([["Konto", "Paid"], [5, 1]])
    assert changed.value.selector == "account"


def test_rows_of_another_account_or_month_are_refused(part):
    of_two = Sheet.of(
        part(monthly_workbook("cost_overview", ["512345678", "512345679"], OCTOBER, 4)),
        REPORTS["cost_overview"],
        LOCALE,
    )
    with pytest.raises(WrongAccount, match="1 other"):
        check(of_two, "512345678", "2026-10")
    of_one = Sheet.of(
        part(monthly_workbook("cost_overview", ["512345678"], OCTOBER, 4)), REPORTS["cost_overview"], LOCALE
    )
    with pytest.raises(PortalChanged, match="2026-10, not of 2026-09"):
        check(of_one, "512345678", "2026-09")


@pytest.mark.parametrize(
    ("accounts", "beside", "outcome"),
    [
        ([5, 6, 5], ("6",), [1, 3]),
        ([5, 6, 7], ("6", "7"), [1]),
        ([5, 5], ("6",), [1, 2]),
        (["0-5", "06", "05"], ("0-6", "08"), [1, 3]),
        ([6, 7], ("6", "7"), NotListed),
        ([5, 6, 7], ("6",), WrongAccount),
        ([5, 6], (), WrongAccount),
    ],
)
def test_rows_of_the_user_s_other_accounts_are_passed_over(sheet, accounts, beside, outcome):
    own = "05" if isinstance(accounts[0], str) else "5"
    found = sheet([["Account", "Paid", "Place"], *([each, 1, place] for place, each in enumerate(accounts, 1))])
    if not isinstance(outcome, list):
        with pytest.raises(outcome):
            check(found, own, beside=beside)
        return
    check(found, own, beside=beside)
    read = list(found.rows(key="account_number"))
    assert [int((rest or {})["Place"]) for _, rest in read] == outcome
    assert {values["account_number"] for values, _ in read} == {own}


def test_a_month_that_cannot_be_read_is_another_month(sheet):
    odd = sheet(
        [["Account", "Invoice month"], [5, "Smarch"]],
        columns=(*SIMPLE, *REPORTS["cost_overview"][1:2]),
    )
    with pytest.raises(PortalChanged, match="Smarch"):
        check(odd, "5", "2026-10")


def test_a_csv_is_a_sheet_too(part):
    lines = '\ufeffSome title;;\nAccount;Paid;Note\n5;"1,150.00";ab\n'.encode()
    found = Sheet.of(part(lines, "file.csv"), SIMPLE, LOCALE)
    assert list(found.rows("account_number")) == [({"account_number": "5", "paid": "1150.00"}, {"Note": "ab"})]


@pytest.mark.parametrize(
    "content",
    [b"", b"<!doctype html><html></html>", b"%PDF-1.7 x", monthly_workbook("cost_overview", ["5"], OCTOBER, 40)[:2000]],
)
def test_what_is_no_workbook_is_a_bad_file(part, content):
    with pytest.raises((BadFile, PortalChanged)):
        Sheet.of(part(content), SIMPLE, LOCALE)


def test_texts_that_say_nothing_are_unknown():
    assert [text(cell, LOCALE) for cell in ("", "n/a", "—", " x ")] == [None, None, None, "x"]

"""Workbooks and CSVs as portals send them: every row right, nothing lost, and what is not certain refused by name."""

from __future__ import annotations

import csv
import io
import random
from datetime import datetime

import pytest
import xlsxwriter

from pipelines.files import check as check_file
from scrapers.core.outcomes import BadFile, PortalChanged, WrongAccount
from scrapers.core.spool import CSV, TEXT, UNKNOWN, XLSX, describe, sniff
from scrapers.reading.values.days import day, month
from scrapers.reading.values.locale import Locale
from scrapers.reading.values.numbers import integer, money
from scrapers.reading.values.sizes import gigabytes
from scrapers.reading.values.texts import account_number, phone_number, text
from scrapers.reading.workbooks import Column, Sheet, check, read_sheet, title_of

EN = Locale("en_CA", "America/Toronto", day_first=False)
FR = Locale("fr_CA", "America/Toronto", day_first=True)
ACCOUNT = "033122906"
COLUMNS = (
    Column("account_number", "account( number)?|compte", account_number, required=True, repeats=True),
    Column("period", "month|mois", month, repeats=True),
    Column("phone_number", "phone|téléphone", phone_number),
    Column("user_name", "user|nom", text),
    Column("used", r"used \(gb\)|utilisé \(go\)", gigabytes),
    Column("minutes", "minutes", integer),
    Column("charged_on", "charged on|facturé le", day),
    Column("amount", r"amount( \(cad\))?|montant", money, required=True),
)
HEAD = ["Account number", "Month", "Phone", "User", "Used (GB)", "Minutes", "Charged on", "Amount (CAD)"]
TETE = ["Compte", "Mois", "Téléphone", "Nom", "Utilisé (Go)", "Minutes", "Facturé le", "Montant"]
DAY = datetime(2026, 10, 3)  # noqa: DTZ001 - a workbook's days have no time zone
ROW = [33122906, "Oct 2026", "+15550100199", "Ann", 1.5, 12, DAY, 4.5]


@pytest.fixture
def book(tmp_path):
    """Give a function that writes a workbook: sheets of rows; a cell may be a pair of a number and its format."""

    def make(*sheets, hidden=(), very_hidden=(), spans=(), name="book.xlsx"):
        path = tmp_path / name
        with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as written:
            for number, rows in enumerate(sheets):
                page = written.add_worksheet()
                for at, row in enumerate(rows):
                    for place, cell in enumerate(row):
                        if isinstance(cell, tuple):
                            page.write_number(at, place, cell[0], written.add_format({"num_format": cell[1]}))
                        elif isinstance(cell, str):
                            page.write_string(at, place, cell)
                        elif cell is not None:
                            page.write(at, place, cell)
                for span in spans:
                    page.merge_range(*span)
                if number in hidden:
                    page.hide()
                if number in very_hidden:
                    page.very_hidden()
            # A workbook must show one sheet.
            shown = next(n for n in range(len(sheets)) if n not in (*hidden, *very_hidden))
            written.worksheets()[shown].activate()
            written.worksheets()[shown].set_first_sheet()
        return describe(path, name)

    return make


@pytest.fixture
def table(tmp_path):
    """Give a function that makes a part file of a CSV's bytes."""

    def make(content: bytes, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content)
        return describe(path, name)

    return make


def rows(part, columns=COLUMNS, locale=EN, account=ACCOUNT, month="2026-10"):
    sheet = Sheet.of(part, columns, locale)
    check(sheet, account, month)
    return list(sheet.rows("account_number"))


# --- A1 through a report ----------------------------------------------------------------------------------------------


def test_a1_an_amount_in_another_notation_is_kept_aside_as_text(book):
    (row,) = rows(book([HEAD, [*ROW[:4], "1,5 GB", "1 204", DAY, "1 234,50 $"]]))
    assert (row[0]["used"], row[0]["minutes"], row[0]["amount"]) == (None, 1204, None)
    assert row[1] == {"Used (GB)": "1,5 GB", "Amount (CAD)": "1 234,50 $"}


def test_a1_a_french_report_is_read_as_french(book):
    cells = [ACCOUNT, "octobre 2026", "+15550100199", "Zoé", "1,5 Go", "1\u202f204", "3 oct. 2026", "1 234,50 $"]
    (row,) = rows(book([TETE, cells]), locale=FR)
    assert row == (
        {
            "account_number": ACCOUNT,
            "period": "2026-10",
            "phone_number": "5550100199",
            "user_name": "Zoé",
            "used": 1610612736,
            "minutes": 1204,
            "charged_on": "2026-10-03",
            "amount": "1234.50",
        },
        None,
    )


# --- A2: odd cells ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "cell", "aside"),
    [
        (5, 0.5, 0.5),
        (5, (1.5, "[h]:mm:ss"), "1 day, 12:00:00"),
        (5, (0.000347222, "h:mm:ss"), "00:00:30"),
        (5, True, True),
        (5, DAY, "2026-10-03"),
        (4, True, True),
        (4, (1.5, "h:mm"), "1900-01-01T12:00:00"),
        (6, 46296, 46296),
        (6, True, True),
        (6, "03/10/26", "03/10/26"),
        (7, (45.5, "yyyy-mm-dd"), "1900-02-14T12:00:00"),
        (7, (-3, "yyyy-mm-dd"), "00:00:00"),
        (7, True, True),
        (7, "soon", "soon"),
        (2, DAY, "2026-10-03"),
        (2, 5550100199.5, 5550100199.5),
        (2, True, True),
    ],
)
def test_a2_the_row_is_stored_and_the_odd_cell_kept_aside(book, place, cell, aside):
    (found,) = rows(book([HEAD, [*ROW[:place], cell, *ROW[place + 1 :]]]))
    name = COLUMNS[place].name
    assert found[0][name] is None
    assert set(found[1]) == {HEAD[place]}
    if not isinstance(aside, str) or not aside.startswith(("00:", "1 day", "1900")):  # the library's own text of a time
        assert found[1][HEAD[place]] == aside
    (usual,) = rows(book([HEAD, ROW], name="usual.xlsx"))
    assert {key: value for key, value in found[0].items() if key != name} == {
        key: value for key, value in usual[0].items() if key != name
    }


@pytest.mark.parametrize(
    ("cell", "amount"), [("USD 4.50", None), ("4.50 US$", None), ("CAD 4.50", "4.50"), ("$4.50", "4.50")]
)
def test_a2_an_amount_in_another_currency_than_the_headings_is_kept_aside(book, cell, amount):
    (found,) = rows(book([HEAD, [*ROW[:7], cell]]))
    assert found[0]["amount"] == amount
    assert found[1] == (None if amount else {"Amount (CAD)": cell})


@pytest.mark.parametrize("cell", ["2026-10-03 00:00:00", "2026-10-03T00:00:00.000", "2026-10-03 00:00"])
def test_a2_a_day_may_be_written_as_its_midnight(table, cell):
    content = written(names=["Ann"]).replace(b"2026-10-03", cell.encode())
    assert rows(table(content))[0] == rows(table(written(names=["Ann"])))[0]
    for other in (b"2026-10-03 00:00:01", b"2026-10-03T00:00:00Z", b"2026-10-03 12:00"):
        ((row, rest),) = rows(table(written(names=["Ann"]).replace(b"2026-10-03", other)))
        assert (row["charged_on"], rest) == (None, {"Charged on": other.decode()})


def test_a2_a_month_as_a_number_is_the_month(book):
    assert rows(book([HEAD, [ROW[0], 202610, *ROW[2:]]]))[0][0]["period"] == "2026-10"


@pytest.mark.parametrize("cell", [True, DAY, (0.5, "h:mm"), "5.33123E+08", 33122906.5])
def test_a2_an_account_that_cannot_be_read_is_refused_by_name(book, cell):
    with pytest.raises(PortalChanged) as refused:
        rows(book([HEAD, ROW, [cell, *ROW[1:]]]))
    assert refused.value.selector == "account_number"


@pytest.mark.parametrize("cell", [True, 46296, (0.5, "h:mm"), "Smarch"])
def test_a2_a_month_that_cannot_be_read_is_refused_by_name(book, cell):
    with pytest.raises(PortalChanged) as refused:
        rows(book([HEAD, [ROW[0], cell, *ROW[2:]]]))
    assert refused.value.selector == "period"


# --- A3: trailing rows ------------------------------------------------------------------------------------------------

REMARKS = [
    "Total",
    "Total for 1 line",
    "Total (2 lines)",
    "Grand total 2026",
    "Subtotal 033122906",
    "Sub-total: 033122906",
    "033122906 Total",
    "Account total 033122906",
    "Total pour 1 ligne",
    "Total général 2026",
    "Sous-total 033122906",
    "Totaux 2026",
    "Somme 2026",
    "Note 1: rates of 2026",
    "Notes",
    "Remarque : 2 lignes",
    "Page 1 of 3",
    "Page 1 de 3",
    "- 1 -",
    "1 of 3",
    "1 / 3",
    "1",
    "© 2026 Example Ltd",
    "Copyright 2026 Example",
    "(c) 2026 Example",
    "Tous droits réservés 2026",
    "Generated 2026-11-03 10:00",
    "Report generated on 2026-11-03",
    "Généré le 2026-11-03",
    "Imprimé le 3 novembre 2026",
    "2 rows",
    "2 lignes",
    "End of report 17",
    "* Prices of 2026 apply",
    "Account number",
]


ONLY_ALONE = ("1", "- 1 -", "* Prices of 2026 apply")  # beside amounts they may be a row, and are refused


@pytest.mark.parametrize("remark", REMARKS)
def test_a3_a_remark_below_or_between_the_rows_is_none(book, table, remark):
    alone, with_sum = [remark, *[None] * 7], [remark, *[None] * 3, 3.0, 24, None, 9.0]
    extra = [alone] if remark in ONLY_ALONE else [alone, with_sum]
    found = rows(book([HEAD, ROW, *extra, ROW, *extra]))
    assert [row["account_number"] for row, _ in found] == [ACCOUNT] * 2
    lines = [HEAD, [ACCOUNT, "Oct 2026", "5550100199", "Ann", "1.5", "12", "2026-10-03", "4.50"], *extra]
    content = "\n".join(";".join("" if cell is None else str(cell) for cell in line) for line in lines)
    assert len(rows(table(content.encode()))) == 1


@pytest.mark.parametrize("label", ["Total", "Subtotal", "Sous-total", "Total général :", "Grand Total"])
def test_a3_a_total_labelled_in_another_column_is_none(book, label):
    total = [ROW[0], ROW[1], label, None, 3.0, 24, None, 9.0]
    assert len(rows(book([HEAD, ROW, total, ROW, total]))) == 2
    first = [[HEAD[3], *HEAD[:3], *HEAD[4:]], *([row[3], *row[:3], *row[4:]] for row in (ROW, ROW))]
    assert len(rows(book([*first, [label, ROW[0], ROW[1], *total[3:]]], name="first.xlsx"))) == 2


def test_a3_rows_that_only_look_like_remarks_are_rows(book):
    odd = [[*ROW[:3], name, *ROW[4:]] for name in ("Total Recall", "Paige Note", "Somme", "2 rows", "Copyright dept")]
    assert [row["user_name"] for row, _ in rows(book([HEAD, *odd]))] == [row[3] for row in odd]


def test_a3_a_line_that_may_be_a_row_is_refused_and_not_dropped(book):
    with pytest.raises(PortalChanged) as refused:
        rows(book([HEAD, ROW, ["Line 7 B", *ROW[1:]]]))
    assert refused.value.selector == "account_number"


@pytest.mark.parametrize("cell", ["033122906 / 033122907", "533122906 of 533122907", "033122906 lines"])
def test_a3_a_cell_of_account_numbers_is_no_page_number(book, cell):
    with pytest.raises(PortalChanged) as refused:
        rows(book([HEAD, ROW, [cell, *ROW[1:]]]))
    assert refused.value.selector == "account_number"


def test_a3_a_row_without_its_account_is_refused_and_a_sum_is_left_out(book, table):
    of_a_line, of_all = [None, *ROW[1:]], [None, None, None, None, 3.0, 24, None, 9.0]
    assert len(rows(book([HEAD, ROW, of_all]))) == 1
    assert len(rows(book([HEAD, ROW, [None, "Oct 2026", "Total", None, 3.0, 24, None, 9.0]], name="label.xlsx"))) == 1
    with pytest.raises(PortalChanged) as refused:
        rows(book([HEAD, ROW, of_a_line], name="line.xlsx"))
    assert refused.value.selector == "account_number"
    sheet, warning = read_sheet(
        table(f"{','.join(HEAD)}\n,Oct 2026,5550100199,Ann,1,2,,4.50\n".encode()), COLUMNS, EN, ACCOUNT
    )
    assert sheet is None
    assert "account_number" in warning


# --- A4: sheets, headings, accounts -----------------------------------------------------------------------------------


def test_a4_hidden_sheets_are_passed_over(book):
    other = [HEAD, [999999999, *ROW[1:]]]
    assert len(rows(book(other, other, [HEAD, ROW], hidden=(0,), very_hidden=(1,)))) == 1
    with pytest.raises(PortalChanged, match="no column for account_number, amount"):
        rows(book([HEAD, ROW], ["x"], hidden=(0,), name="only.xlsx"))


@pytest.mark.parametrize(
    "headings",
    [
        ["\ufeffAccount number", *HEAD[1:7], "Amount\u200b (CAD)"],
        ["Account\nnumber", *HEAD[1:7], " Amount \r\n (CAD) "],
        ["ACCOUNT\u00a0NUMBER", *HEAD[1:7], "amount\u00ad (cad)"],
    ],
)
def test_a4_headings_with_marks_and_line_breaks_are_known(book, table, headings):
    assert rows(book([headings, ROW]))[0][1] is None
    quoted = ",".join(f'"{heading}"' for heading in headings)
    content = f"{quoted}\n{ACCOUNT},Oct 2026,5550100199,Ann,1.5,12,2026-10-03,4.50\n"
    assert rows(table(content.encode()))[0][0]["amount"] == "4.50"


def test_a4_a_heading_may_span_others(book):
    upper = ["Account", "Month", "Phone", "User", None, "Minutes", "Charged on", "Amount"]
    lower = [None, None, None, None, "(GB)", None, None, "(CAD)"]
    spans = ((0, 4, 0, 5, "Used"),)
    part = book([upper, lower, [*ROW[:5], 12, DAY, 4.5]], spans=spans)
    sheet = Sheet.of(part, [*COLUMNS[:-1], Column("amount", r"amount \(cad\)", money, required=True)], EN)
    ((row, _rest),) = sheet.rows("account_number")
    assert (row["amount"], row["used"], sheet.currency) == ("4.50", 1610612736, "CAD")


def test_a4_the_same_heading_twice_keeps_both(book):
    part = book([[*HEAD, "Amount (CAD)", "Note", "Note", "Note"], [*ROW, 7, "a", "b", "c"]])
    assert rows(part)[0][0]["amount"] == "4.50"
    assert rows(part)[0][1] == {"Amount (CAD) (2)": 7, "Note": "a", "Note (2)": "b", "Note (3)": "c"}


def test_a4_a_cell_merged_over_rows_counts_in_each(book):
    spans = ((2, 0, 4, 0, 33122906), (2, 1, 3, 1, "Oct 2026"))
    lines = [[], HEAD, ROW, [None, None, *ROW[2:]], [None, *ROW[1:]], [*ROW[:7], 9.5]]
    found = rows(book(lines, spans=spans))
    assert [(row["account_number"], row["period"], row["amount"]) for row, _ in found] == [
        *[(ACCOUNT, "2026-10", "4.50")] * 3,
        (ACCOUNT, "2026-10", "9.50"),
    ]


@pytest.mark.parametrize("cell", [33122906, "033122906", "033-122-906", "Account #033 122 906", '="033122906"'])
def test_a4_an_account_is_the_same_by_its_known_length(book, cell):
    assert [row["account_number"] for row, _ in rows(book([HEAD, [cell, *ROW[1:]]]))] == [ACCOUNT]


@pytest.mark.parametrize("cell", [33122907, 3312290, 133122906, "33122906", 330000000, "0033122906"])
def test_a4_another_number_is_another_account(book, cell):
    with pytest.raises(WrongAccount):
        rows(book([HEAD, ROW, [cell, *ROW[1:]]]))


# --- A5: CSV ----------------------------------------------------------------------------------------------------------

NAMES = ["Zoé Côté", "Ann", "Çelik, Ö", 'The "Boss"', "Two\nlines"]


def written(delimiter=",", head=HEAD, amount="4.50", names=NAMES, encoding="utf-8", newline="\n", before=""):
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=newline)
    writer.writerow(head)
    for name in names:
        writer.writerow([ACCOUNT, "Oct 2026", "5550100199", name, "1", "12", "2026-10-03", amount])
    return (before + file.getvalue()).encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", list(",;\t|"))
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a5_a_csv_is_read_in_every_encoding_and_with_every_delimiter(table, encoding, delimiter, newline):
    part = table(written(delimiter, encoding=encoding, newline=newline))
    check_file(part, (XLSX, CSV))
    assert [row["user_name"] for row, _ in rows(part)] == NAMES


@pytest.mark.parametrize("before", [0, 1, 40, 4090, 4096, 5000, 70_000])
def test_a5_windows_1252_is_known_wherever_the_first_accent_stands(table, before):
    names = ["x" * 30] * (before // 60) + ["Zoé", "Noël"]
    part = table(written(names=names, encoding="cp1252"))
    assert part.media_type == TEXT
    assert [row["user_name"] for row, _ in rows(part)] == names


def test_a5_decimal_commas_between_semicolons_are_read_by_the_locale(table):
    content = written(";", head=TETE, amount="1 234,50", encoding="cp1252").replace(b"Oct 2026", b"octobre 2026")
    assert {row["amount"] for row, _ in rows(table(content), locale=FR)} == {"1234.50"}


def test_a5_a_stated_delimiter_counts(table):
    assert len(rows(table(written(";", before="sep=;\r\n")))) == len(NAMES)
    assert len(
        rows(table(written(";", before="a, title, with, many, commas,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n")))
    ) == len(NAMES)


@pytest.mark.parametrize(
    "content",
    [
        written(names=["Ann"])
        + b'033122906,Oct 2026,5550100199,"Bob,1,12,2026-10-03,4.50\n033122906,Oct 2026,,,,,,1\n',
        written(names=["Ann"]).replace(b"Ann", b'"Ann" B'),
        written(names=["x" * 200_000]),
        written(names=["Zoé"]) + written(names=["Zoé"], encoding="cp1252"),
        written(names=["Zoé"], encoding="cp1252") + b"\x81\x8d",
        written(encoding="utf-16")[:-1],
        b"",
        b"\x00\x01\x02\x03" * 50,
    ],
    ids=[
        "open quote",
        "text behind a quote",
        "endless cell",
        "two encodings",
        "no encoding",
        "cut",
        "empty",
        "no text",
    ],
)
def test_a5_what_cannot_be_read_is_a_bad_file(table, content):
    with pytest.raises(BadFile):
        rows(table(content))


def test_a5_a_line_with_more_cells_than_headings_is_refused_by_name(table):
    content = written(names=["Ann"], amount="4.50").replace(b",4.50", b",4,50")
    with pytest.raises(PortalChanged, match="Line 2 of the file has more cells") as refused:
        rows(table(content))
    assert refused.value.selector == "Amount (CAD)"


def test_a5_bytes_of_something_else_are_no_text():
    noise = random.Random(1)
    for _ in range(300):
        assert sniff(b"\x9c" + noise.randbytes(300)) == UNKNOWN
    assert sniff("\N{HEBREW LETTER ALEF};1,5\r\n".encode("utf-16")) == TEXT


def test_a5_the_type_of_a_usage_file_decides_and_its_name_follows(book, table):
    parts = book([HEAD, ROW]), table(written()), table(written(encoding="utf-16")), table(written(encoding="cp1252"))
    assert [part.extension for part in parts] == [".xlsx", ".csv", ".csv", ".csv"]
    for part in parts[1:]:
        check_file(part, (XLSX, CSV))


def test_a5_a_file_whose_rows_are_not_understood_is_kept_with_a_warning_that_names_the_column(book):
    kept = book([["Account", "Paid", "Month"], [33122906, 4.5, "Oct 2026"]])
    sheet, warning = read_sheet(kept, COLUMNS, EN, ACCOUNT, "2026-10")
    assert sheet is None
    assert "no column for amount" in warning
    sheet, warning = read_sheet(book([HEAD, [ROW[0], "Smarch", *ROW[2:]]]), COLUMNS, EN, ACCOUNT, "2026-10")
    assert sheet is None
    assert "period" in warning
    sheet, warning = read_sheet(book([HEAD, ROW]), COLUMNS, EN, ACCOUNT, "2026-10")
    assert sheet is not None
    assert warning == ""


def test_a5_a_good_csv_whose_rows_are_not_understood_is_no_bad_file(table):
    """Read by another of its signs, its quotes stand in the middle of cells."""
    content = f'Account;Paid;Month\n{ACCOUNT};1;Oct 2026\n"A, B";2;x\n'
    sheet, warning = read_sheet(table(content.encode()), COLUMNS, EN, ACCOUNT)
    assert sheet is None
    assert "no column for amount" in warning


def test_a5_a_file_of_another_account_or_month_is_not_kept(book, table):
    with pytest.raises(WrongAccount):
        read_sheet(book([HEAD, [5, *ROW[1:]]]), COLUMNS, EN, ACCOUNT)
    with pytest.raises(PortalChanged):
        read_sheet(
            book([HEAD, [ROW[0], "Sep 2026", *ROW[2:]], [ROW[0], "Smarch", *ROW[2:]]]), COLUMNS, EN, ACCOUNT, "2026-10"
        )
    with pytest.raises(BadFile):
        read_sheet(table(b"\x00\x01\x02\x03" * 50), COLUMNS, EN, ACCOUNT)


# --- All together -----------------------------------------------------------------------------------------------------

ODD_CELLS = {  # by place: cells that are kept aside
    4: (True, "1,5 GB", (0.5, "h:mm")),
    5: (0.5, (1.5, "[h]:mm:ss"), False),
    6: (46296, "31/31/2026", True),
    7: ((45.5, "yyyy-mm-dd"), "1.234,50", True),
}


def generated(seed):
    """Return rows of cells with odd forms drawn by the seed, and what must be read of them: amount and odd columns."""
    draw = random.Random(seed)
    is_csv = seed % 3 == 0
    lines, expected = [], []
    for _ in range(draw.randint(1, 30)):
        row, odd = list(ROW), set()
        row[7] = draw.randint(-10_000, 1_000_000) / 100
        row[3] = draw.choice(["Zoé", "Ann", "Total Recall", "n/a"])
        row[0] = draw.choice([33122906, ACCOUNT, "033 122 906"])
        if draw.random() < 0.3:
            place = draw.choice(list(ODD_CELLS))
            row[place] = draw.choice(
                [each for each in ODD_CELLS[place] if not (is_csv and not isinstance(each, str))] or ["odd"]
            )
            odd.add(HEAD[place])
        amount = None if HEAD[7] in odd else f"{row[7]:.2f}"
        if amount is not None and draw.random() < 0.5:
            row[7] = draw.choice(["${:,.2f}", "{:,.2f}", "{:.2f} $", "CAD {:,.2f}"]).format(abs(row[7]))
            row[7] = (
                row[7] if not amount.startswith("-") else draw.choice(["-{}", "\u2212{}", "({})", "{}-"]).format(row[7])
            )
        lines.append(row)
        expected.append((amount, odd))
        if draw.random() < 0.2:
            lines.append(
                [draw.choice([each for each in REMARKS if each not in ONLY_ALONE]), *[None] * 3, 1.0, 2, None, 9.0]
            )
    head = [
        draw.choice(["", "\ufeff", "\u200b"]) + draw.choice([name, name.replace(" ", "\n"), name.upper()])
        for name in HEAD
    ]
    if draw.random() < 0.5:  # the same heading twice, of columns that are not ours
        head += ["Note", "Note"]
        for number, line in enumerate(line for line in lines if len(line) == len(ROW) and line[7] != 9.0):
            line += [f"n{number}", f"m{number}"]
        expected = [(amount, odd | {"Note", "Note (2)"}) for amount, odd in expected]
    titles = [["Report of October 2026"], [], ["Prepared for", "Example Ltd"]][: draw.randint(0, 3)]
    if draw.random() < 0.5:
        titles.append(["Line", None, None, None, "Usage", "Usage"])  # spans headings
    tail = [[draw.choice(REMARKS)] for _ in range(draw.randint(0, 4))]
    return [*titles, head, *lines, *tail], expected, is_csv, draw


def write(book, table, lines, is_csv, draw, seed):
    """Return the part file of rows of cells: a CSV in a drawn notation, or a workbook with a sheet that nobody sees."""
    if is_csv:
        file = io.StringIO(newline="")
        writer = csv.writer(file, delimiter=draw.choice(",;\t"), lineterminator=draw.choice(["\n", "\r\n"]))
        for line in lines:
            writer.writerow(
                ["" if cell is None else f"{cell:%Y-%m-%d}" if isinstance(cell, datetime) else cell for cell in line]
            )
        text_of = file.getvalue()
        if (encoding := draw.choice(["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])) == "cp1252":
            text_of = text_of.translate(dict.fromkeys(map(ord, "\ufeff\u200b"))).replace("\u2212", "-")
        return table(text_of.encode(encoding), name=f"{seed}.csv")
    other = [HEAD, [999999999, *ROW[1:]]]
    above = next((number for number, line in enumerate(lines) if line[:1] == ["Line"]), None)
    spans = () if above is None or seed % 2 else ((above, 4, above, 5, "Usage"),)
    sheets, hidden = ((other, lines), {"hidden": (0,)}) if seed % 2 else ((lines, other), {"very_hidden": (1,)})
    return book(*sheets, **hidden, spans=spans, name=f"{seed}.xlsx")


@pytest.mark.parametrize("seed", range(60))
def test_a_generated_file_loses_no_row_and_gets_none_wrong(book, table, seed):
    lines, expected, is_csv, draw = generated(seed)
    part = write(book, table, lines, is_csv, draw, seed)
    check_file(part, (XLSX, CSV))
    found = rows(part)
    assert len(found) == len(expected)
    for (row, rest), (amount, odd) in zip(found, expected, strict=True):
        assert row["account_number"] == ACCOUNT
        assert row["amount"] == amount
        assert {name.upper() for name in rest or {}} == {name.upper() for name in odd}
        for place, name in enumerate(HEAD):
            value = row[COLUMNS[place].name]
            assert (value is None) == (name in odd) or place == 3


def spoiled(lines, is_csv, draw):
    """Spoil generated rows in a drawn way; return what the refusal names."""
    first = next(number for number, line in enumerate(lines) if "user" in {title_of(cell).lower() for cell in line}) + 1
    line = lines[first]
    kind = draw.choice(["account", "other account", "month", "heading", *(["more cells"] if is_csv else [])])
    if kind == "account":
        line[0] = draw.choice(["5.33123E+08", "Line 7 B", "2026-10-03"])
        return "account_number"
    if kind == "other account":
        line[0] = draw.choice([33122907, 133122906, "0033122906"])
        return WrongAccount
    if kind == "month":
        line[1] = draw.choice(["Smarch", "2026", "13/2026"])
        return "period"
    if kind == "heading":
        lines[first - 1][7] = "Paid"
        return "amount"
    line += [None] * (len(lines[first - 1]) - len(line)) + ["more"]
    return title_of(lines[first - 1][-1])


@pytest.mark.parametrize("seed", range(60, 120))
def test_a_generated_file_that_is_spoiled_is_refused_by_the_fields_name(book, table, seed):
    lines, _expected, is_csv, draw = generated(seed)
    named = spoiled(lines, is_csv, draw)
    part = write(book, table, lines, is_csv, draw, seed)
    if named is WrongAccount:
        with pytest.raises(WrongAccount):
            read_sheet(part, COLUMNS, EN, ACCOUNT, "2026-10")
        return
    sheet, warning = read_sheet(part, COLUMNS, EN, ACCOUNT, "2026-10")  # the file is kept
    assert sheet is None
    assert named in warning


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_a_generated_csv_with_an_open_quote_is_a_bad_file(table, seed):
    lines, _expected, _is_csv, draw = generated(seed)
    part = write(None, table, lines, True, draw, seed)
    encoding = "utf-16-le" if b"\x00" in part.path.read_bytes() else "ascii"
    half = '\n"open'.encode(encoding)
    with pytest.raises(BadFile):
        rows(table(part.path.read_bytes() + half, name="open.csv"))

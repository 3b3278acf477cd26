"""What Rogers's extracts, lists and tables say: grammars, on texts that are made here."""

from __future__ import annotations

import calendar
import csv
import io
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrapers.core.locators import bare
from scrapers.core.outcomes import BadFile, PortalChanged, WrongAccount
from scrapers.core.periods import names_month
from scrapers.core.spool import CSV, TEXT, XLSX, PartFile, describe
from scrapers.families.carriers.items import UsageLine
from scrapers.portals.rogers.columns import LOCALE, REPORTS
from scrapers.portals.rogers.extracts import DELIMITERS, Field, Header, merge, rows_of
from scrapers.portals.rogers.reports import cycle_of, month_of
from scrapers.portals.rogers.requests import LABELS, Request, entries_of
from scrapers.portals.rogers.usage_table import line_of, telephones
from scrapers.reading.workbooks import read_sheet

OURS, OTHER = "123456782", "123456790"
OCTOBER = {(2026, 10)}
DAYS = st.dates(date(2001, 1, 1), date(2098, 12, 31))
# What no splitting into lines divides, and no blanks around it, which say nothing.
WORDS = (
    st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=30).map(str.strip).filter(bool)
)
# New Year, leap days and their neighbours, the ends of months.
EDGES = [
    date(year, month, day)
    for year in (2026, 2027, 2028, 2029)
    for month, day in ((1, 1), (1, 31), (2, 1), (2, 28), (3, 1), (4, 30), (12, 1), (12, 31))
] + [date(2028, 2, 29)]


# Headers of extracts

FIELDS = st.lists(
    st.builds(Field, WORDS, st.integers(0, 999_999), st.sampled_from(["CHAR", "VARCHAR2", "NUMBER", "DATE", ""])),
    min_size=1,
    max_size=8,
)


def header_text(period: str, fields: list[Field], end: str = "\n") -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([field.name, field.width, field.kind] for field in fields)
    return f"{period}\n\n{written.getvalue()}".replace("\n", end)


@given(period=WORDS, fields=FIELDS, end=st.sampled_from(["\n", "\r\n"]), behind=st.sampled_from(["", "\n", "\n \n"]))
def test_a_header_is_read_as_it_was_written(period, fields, end, behind):
    read = Header.of(header_text(period, fields, end) + behind)
    assert (read.period, read.fields) == (period, tuple(fields))


@given(text=st.text(max_size=200))
def test_any_other_text_is_no_header(text):
    """Nothing but ValueError, and what is read has a period, and names and widths of all columns."""
    try:
        read = Header.of(text)
    except ValueError:
        return
    assert read.period
    assert all(field.name and field.width >= 0 for field in read.fields)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "October 2026",
        "October 2026\n\n",
        "October 2026\nAccount,9,CHAR\n",
        "October 2026\n\nAccount,9\n",
        "October 2026\n\nAccount,nine,CHAR\n",
        "\n\nAccount,9,CHAR\n",
        "October 2026\n\nAccount,9,CHAR\n\nPhone,10,CHAR\n",
        "123456782,4165550100\n\n123456782,4165550101\n",
    ],
)
def test_what_lacks_a_part_of_a_header_is_none(text):
    with pytest.raises(ValueError, match="is no"):
        Header.of(text)


@pytest.mark.parametrize("day", EDGES)
@pytest.mark.parametrize("form", ["{0:%B %Y}", "Period: {0:%b %Y}", "{0:%m/%d/%Y}", "As of {0:%Y-%m-%d}", "{0:%Y-%m}"])
def test_a_period_names_its_month(form, day):
    assert Header(form.format(day), ()).months == {(day.year, day.month)}


def test_a_period_from_day_to_day_names_both_months():
    assert Header("12/24/2027 - 01/23/2028", ()).months == {(2027, 12), (2028, 1)}
    assert Header("all", ()).months == set()


# Values by their declared type


@given(day=DAYS)
@pytest.mark.parametrize("form", ["%m/%d/%Y", "%Y-%m-%d", "%Y%m%d"])
def test_a_day_is_a_day_in_each_notation(form, day):
    assert Field("Ends", 10, "DATE").cell(f"{day:{form}}") == day
    assert Field("Ends", 10, "CHAR").cell(f"{day:{form}}") == f"{day:{form}}"


@pytest.mark.parametrize("said", ["02/29/2027", "13/01/2026", "20261301", "2026-00-10", "never", "00/00/0000"])
def test_what_is_no_day_stays_a_text(said):
    assert Field("Ends", 10, "DATE").cell(said) == said


@given(number=st.decimals(-999_999_999, 999_999_999, places=2))
def test_a_number_is_exact(number):
    assert Field("Fee", 12, "NUMBER(12,2)").cell(f"{number:f}") == number


@pytest.mark.parametrize("said", ["0012", "1,204", "12.3456", "1234567890123", "1e5", "$3", "", "12 "])
@pytest.mark.parametrize("kind", ["NUMBER", "numeric", "INTEGER", "Decimal"])
def test_what_may_be_an_identifier_or_something_else_stays_a_text(kind, said):
    value = Field("x", 12, kind).cell(said)
    assert value == (Decimal(12) if said == "12 " else said)


# Data files

CELLS = st.text(st.characters(categories=("L", "N", "P", "S"), exclude_characters="\x00"), max_size=12)


@given(
    rows=st.integers(2, 6).flatmap(
        lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6)
    ),
    delimiter=st.sampled_from(DELIMITERS),
)
def test_a_data_file_is_read_as_it_was_written(rows, delimiter):
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
    assert rows_of(written.getvalue(), len(rows[0])) == rows


@pytest.mark.parametrize("text", ["a,b\nc\n", "a\n", 'a,"b\n', "a,b,c\n"])
def test_lines_of_another_width_are_not_read(text):
    assert rows_of(text, 2) is None


# Extracts as a whole

COLUMNS = [
    Field("Account number", 9, "CHAR"),
    Field("Phone number", 10, "CHAR"),
    Field("User name", 30, "CHAR"),
    Field("Eligible date", 10, "DATE"),
    Field("Fee, early", 9, "NUMBER"),
]
LINES = [
    ["012345678", "4165550100", "Ann Birch", "02/29/2028", "20.00"],
    ["012345678", "4165550101", "Bo Cedar", "12/31/2027", "0"],
]


def extract(folder: Path, **files: str | bytes) -> PartFile:
    """Return a ZIP as it comes from the portal. files: by name, with _ for the dot."""
    path = folder / "extract.part"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return describe(path, "extract.zip")


def data(lines: list[list[str]], delimiter: str = ",") -> str:
    return "\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines) + "\n"


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("names", [("header_txt", "data_csv"), ("a_csv", "b_txt")], ids=["by type", "the other way"])
def test_header_and_data_become_typed_rows(tmp_path, names, delimiter):
    archive = extract(
        tmp_path, **dict(zip(names, (header_text("October 2026", COLUMNS), data(LINES, delimiter)), strict=True))
    )
    part, notes = merge(archive, OCTOBER)
    assert (part.media_type, notes) == (XLSX, [])
    sheet, warning = read_sheet(part, REPORTS["bcr"], LOCALE, "012345678")
    assert warning == ""
    assert sheet is not None
    assert list(sheet.rows(key="account_number")) == [
        (
            {"account_number": "012345678", "phone_number": phone, "user_name": name, "eligible_on": day},
            {"Fee, early": fee},
        )
        for phone, name, day, fee in (
            ("4165550100", "Ann Birch", "2028-02-29", 20),
            ("4165550101", "Bo Cedar", "2027-12-31", 0),
        )
    ]


def test_equal_extracts_make_equal_files(tmp_path):
    files = {"header_txt": header_text("October 2026", COLUMNS), "data_csv": data(LINES)}
    hashes = set()
    for name in ("one", "two"):
        (folder := tmp_path / name).mkdir()
        hashes.add(merge(extract(folder, **files), OCTOBER)[0].sha256)
    assert len(hashes) == 1


def test_rows_of_another_account_are_refused(tmp_path):
    archive = extract(tmp_path, header_txt=header_text("October 2026", COLUMNS), data_csv=data(LINES))
    with pytest.raises(WrongAccount):
        read_sheet(merge(archive, OCTOBER)[0], REPORTS["bcr"], LOCALE, "012345679")


def test_a_period_that_is_not_the_cycle_s_is_noted(tmp_path):
    archive = extract(tmp_path, header_txt=header_text("November 2026", COLUMNS), data_csv=data(LINES))
    assert merge(archive, OCTOBER)[1] == ["The extract is of November 2026."]


@pytest.mark.parametrize(
    ("files", "note"),
    [
        ({"data_csv": data(LINES)}, "it has 0 headers"),
        (
            {"h_txt": header_text("October 2026", COLUMNS[:-1]), "data_csv": data(LINES)},
            "its columns are others than the header's",
        ),
        (
            {"h_txt": header_text("Oct", COLUMNS), "i_txt": header_text("Nov", COLUMNS), "data_csv": data(LINES)},
            "it has 2 headers",
        ),
    ],
)
def test_an_extract_that_is_not_understood_is_kept_as_it_came(tmp_path, files, note):
    part, notes = merge(extract(tmp_path, **files), OCTOBER)
    assert part.media_type in (CSV, TEXT)
    assert part.path.read_text() == data(LINES)
    assert notes == [f"The extract was stored as it came: {note}."]


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"h_txt": header_text("October 2026", COLUMNS)},
        {"a_csv": data(LINES), "b_csv": data(LINES)},
        {"a_csv": b"\x00\x01\x02\x03"},
    ],
    ids=["empty", "header alone", "two data files", "no text"],
)
def test_what_is_no_extract_is_a_bad_file(tmp_path, files):
    with pytest.raises(BadFile):
        merge(extract(tmp_path, **files), OCTOBER)


def test_a_text_in_place_of_a_zip_is_a_bad_file(tmp_path):
    (path := tmp_path / "x.part").write_text("a,b\n")
    with pytest.raises(BadFile):
        merge(describe(path, "x.zip"), OCTOBER)


# Bill cycles


def cycles(billing_day: int, last: date, count: int = 24) -> list[str]:
    """Return the values of the portal's list: the billing day of each month, newest first."""
    values, year, month = [], last.year, last.month
    for _ in range(count):
        values.append(f"{date(year, month, min(billing_day, calendar.monthrange(year, month)[1])):%m/%d/%Y}")
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return values


@given(end=DAYS, billing_day=st.integers(1, 31), later=st.integers(0, 12))
def test_the_bill_cycle_of_the_month_in_which_the_cycle_ends_is_taken(end, billing_day, later):
    offered = cycles(billing_day, end + timedelta(days=31 * later))
    taken = cycle_of(offered, end)
    assert taken is not None
    assert (taken[:2], taken[6:]) == (f"{end:%m}", f"{end:%Y}")
    assert taken in offered


@pytest.mark.parametrize("end", EDGES)
@pytest.mark.parametrize("billing_day", [1, 28, 29, 30, 31])
def test_no_other_month_is_taken_at_the_edges(end, billing_day):
    offered = cycles(billing_day, end + timedelta(days=62), 6)
    wanted = [value for value in offered if (value[:2], value[6:]) == (f"{end:%m}", f"{end:%Y}")]
    assert cycle_of(offered, end) == wanted[0]
    offered.remove(wanted[0])
    assert cycle_of(offered, end) is None


def test_of_two_bill_cycles_in_a_month_that_of_the_last_day_is_meant():
    two = ["10/05/2026", "10/31/2026", "09/30/2026"]
    assert cycle_of(two, date(2026, 10, 31)) == "10/31/2026"
    with pytest.raises(PortalChanged):
        cycle_of(two, date(2026, 10, 20))


@given(day=DAYS)
def test_a_bill_cycle_date_is_read_month_first(day):
    assert month_of(f"{day:%m/%d/%Y}") == f"{day:%Y-%m}"


@given(day=DAYS)
def test_a_bill_date_names_its_month(day):
    """Values of the list of bill dates."""
    assert names_month(f"{day:%d-%b-%Y}", day) == 2
    assert names_month(f"{day:%d-%b-%Y}", day.replace(day=1) - timedelta(days=1)) == 0


# Requests

NAME = "Hardware Upgrade Eligibility Report"


@given(
    order=st.permutations(range(4)),
    blank=st.sampled_from([" ", "\n", "\t", "\n\n  "]),
    status=st.sampled_from(["Completed", "Pending"]),
    expires=DAYS,
)
def test_an_entry_is_read_by_its_labels(order, blank, status, expires):
    values = (NAME, "1-2345-6782", status, f"{expires:%m/%d/%Y}")
    text = blank.join(f"{LABELS[place]}:{blank}{values[place]}" for place in order)
    assert Request.of(text, "/x") == Request(NAME, "1-2345-6782", status, expires, "/x")


@given(text=st.text(max_size=80))
def test_any_text_is_an_entry_that_says_less(text):
    assert bare(Request.of(text, "").name) in bare(text)


TODAY = date(2026, 11, 20)


def request(
    account: str = OURS, status: str = "Completed", days: int = 7, name: str = NAME, link: str = "/x?id=1"
) -> Request:
    return Request(name, account, status, TODAY + timedelta(days=days), link)


def own(*requests: Request) -> list[tuple[bool, float | None, bool]]:
    return [(each.is_ready, each.age, each.failed) for each in entries_of(requests, NAME, OURS, TODAY)]


@pytest.mark.parametrize("account", [OURS, "1-2345-6782", "Account 123 456 782"])
@pytest.mark.parametrize("name", [NAME, f"{NAME.upper()} (CSV)"])
def test_an_entry_of_the_account_is_found(account, name):
    assert own(request(account, name=name)) == [(True, 0, False)]


@pytest.mark.parametrize(
    "foreign",
    [request(OTHER), request(f"{OURS}0"), request(""), request(name="Hardware Report"), request(days=-1)],
    ids=["another", "a longer number", "none", "another report", "expired"],
)
def test_no_other_entry_is_taken(foreign):
    assert own(foreign) == []


@pytest.mark.parametrize(
    ("status", "link", "is_ready", "failed"),
    [
        ("Completed", "/x", True, False),
        ("Completed", "", False, False),
        ("Pending", "/x", False, False),
        ("Failed", "", False, True),
        ("", "", False, False),
    ],
)
def test_only_what_is_completed_is_ready(status, link, is_ready, failed):
    assert own(request(status=status, link=link)) == [(is_ready, 0, failed)]


def test_what_expires_today_is_there_still():
    assert own(request(days=0)) == [(True, 0, False)]


def test_what_expires_earlier_is_older():
    ages = [age for _, age, _ in own(request(days=1), request(days=6), request(days=7))]
    assert ages == [5 * 24 * 3600, 0, 0]


# Usage of lines


@given(number=st.from_regex(r"[2-9]\d{9}", fullmatch=True), form=st.sampled_from(["{}", "1{}", "+1 {}", "x"]))
def test_a_line_s_number_is_compared_by_its_digits(number, form):
    written = f"({number[:3]}) {number[3:6]}-{number[6:]}" if form == "x" else form.format(number)
    line = line_of(["", "Ann Birch", written], f"spanUsage_{number}", "0 MB")
    assert line == UsageLine("Ann Birch", number, 0, "0 MB")


@pytest.mark.parametrize(
    ("said", "used"),
    [
        ("1.5 GB", 1610612736),
        ("512\u00a0MB", 536870912),
        ("1.5 GB\nof 20 GB", 1610612736),
        ("1,024 KB", 1048576),
        ("1.5", None),
        ("1,5 GB", None),
        ("\u2014", None),
        ("Unlimited", None),
        ("", None),
    ],
)
def test_what_is_no_amount_of_data_is_unknown(said, used):
    line = line_of(["Ann Birch", "4165550100"], "spanUsage_4165550100", said)
    assert line is not None
    assert (line.used, line.said) == (used, " ".join(said.split()))


@pytest.mark.parametrize(
    ("cells", "figure"),
    [
        (["Ann Birch", "4165550101"], "spanUsage_4165550100"),
        (["Ann Birch", "4165550100"], ""),
        (["Shared pool", ""], "spanUsage_pooled"),
        ([], "spanUsage_4165550100"),
    ],
    ids=["the number of another line", "no figure", "the pool", "no cell"],
)
def test_a_row_of_no_line_is_left_out(cells, figure):
    assert line_of(cells, figure, "1 GB") is None


@pytest.mark.parametrize("name", ["", "-", "x" * 301])
def test_a_line_may_have_no_name(name):
    line = line_of([name, "4165550100"], "spanUsage_4165550100", "1 GB")
    assert line is not None
    assert line.name is None


@given(text=st.text(max_size=60))
def test_numbers_of_telephones_have_ten_digits(text):
    assert all(len(number) == 10 for number in telephones([text]))

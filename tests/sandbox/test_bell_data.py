"""What the Bell imitation's files and figures follow from."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import zipfile
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree

import pypdf
import pytest

from sandbox.bell import accounts
from sandbox.bell.data import invoice_pdf, pools, report_workbook, usage_workbook
from sandbox.invented import Month, published_months
from sandbox.scripted.files import unsafe_archive
from tests.project import ROOT

OCTOBER = Month(2026, 10)
MADE = """
import hashlib
from datetime import date
from sandbox.bell.data import invoice_pdf, report_workbook, usage_workbook
from sandbox.invented import Month
month = Month(2026, 10)
files = invoice_pdf("500000001", month), usage_workbook("500000001", date(2026, 11, 20), "All usage")
print(hashlib.sha256(b"".join((*files, report_workbook("Cost Overview", ["500000001"], month, month)))).hexdigest())
"""


def cells(workbook: bytes) -> list[list[str]]:
    sheet = ElementTree.fromstring(zipfile.ZipFile(io.BytesIO(workbook)).read("xl/worksheets/sheet1.xml"))
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    return [["".join(cell.itertext()) for cell in row] for row in sheet.iter(f"{space}row")]


def test_another_process_makes_the_same_bytes():
    printed = subprocess.run(
        [sys.executable, "-c", MADE], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    files = invoice_pdf("500000001", OCTOBER), usage_workbook("500000001", date(2026, 11, 20), "All usage")
    report = report_workbook("Cost Overview", ["500000001"], OCTOBER, OCTOBER)
    assert printed.strip() == hashlib.sha256(b"".join((*files, report))).hexdigest()


@pytest.mark.parametrize(("username", "count"), [("ok", 1), ("multi", 3), ("ok+multi-12", 12), ("sms+multi", 3)])
def test_a_user_name_says_how_many_accounts(username, count):
    found = accounts(username)
    assert len(set(found)) == len(found) == count
    assert all(len(account) == 9 and account.isdecimal() for account in found)
    assert set(found).isdisjoint(accounts(f"{username}+else"))


@pytest.mark.parametrize(
    ("today", "newest"), [(date(2026, 11, 1), "October 2026"), (date(2026, 10, 31), "September 2026")]
)
def test_a_month_is_published_when_its_cycle_has_ended(today, newest):
    months = published_months(today)
    assert months[0].name == newest
    assert len(months) == 18
    assert all(month.last_day < today for month in months)
    assert published_months(date(2026, 1, 9))[0] == Month(2025, 12)


def test_pools_stay_within_what_is_included():
    for day in range(1, 29):
        for pool in pools("500000001", date(2026, 10, day), 3):
            assert Decimal(0) <= pool.used <= pool.included


def test_an_invoice_can_be_read():
    text = pypdf.PdfReader(io.BytesIO(invoice_pdf("500000001", OCTOBER))).pages[0].extract_text()
    assert "Billing account number: 500000001" in text
    assert "2026-10-01 to 2026-10-31" in text


def test_a_report_has_every_account_and_month():
    rows = cells(report_workbook("Usage Overview", ["500000001", "500000002"], Month(2026, 8), OCTOBER))
    assert len(rows) == 1 + 2 * 3 * 10
    assert {row[1] for row in rows[1:]} == {"Aug 2026", "Sep 2026", "Oct 2026"}
    assert {row[2] for row in rows[1:]} == {"500000001", "500000002"}


def test_the_unsafe_archive_is_unsafe_in_three_ways():
    members = zipfile.ZipFile(io.BytesIO(unsafe_archive("invoice.pdf", b"%PDF-"))).infolist()
    assert [member.filename for member in members] == [
        "invoice.pdf",
        "../../escaped.pdf",
        "/tmp/escaped.pdf",
        "link.pdf",
    ]
    assert (members[3].external_attr >> 16) & 0o170000 == 0o120000

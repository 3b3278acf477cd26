"""Which account a page says is open, and which ones a file names."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import xlsxwriter

from scrapers.core.outcomes import NotListed, PortalChanged, WrongAccount
from scrapers.core.spool import describe
from scrapers.families.carriers.accounts import accounts_named, check_file, confirm_account, may_be, numbers_like

OURS = "533122906"


def confirm(text: str, *, is_chosen: bool = True, has_rested: bool = False) -> list[str]:
    """Return the warnings of a page with this text."""
    warnings: list[str] = []

    async def read(_selectors: Any) -> str:
        return text

    async def is_at_rest(_within: float) -> bool:
        assert not has_rested  # nothing is to be waited for
        return True

    page: Any = SimpleNamespace(
        text=read, is_at_rest=is_at_rest, trail=SimpleNamespace(step=""), job=SimpleNamespace(warn=warnings.append)
    )
    asyncio.run(confirm_account(page, OURS, is_chosen=is_chosen, has_rested=has_rested))
    return warnings


@pytest.mark.parametrize(
    "text",
    [
        "Billing account number: 533122906",
        "Account 533-122 906",
        "Usage of 533122906",
        "Billing account 533122906, parent account 533122901",
    ],
)
def test_a_page_that_names_the_account_is_right(text):
    assert confirm(text) == []


@pytest.mark.parametrize(
    "text",
    ["Billing account number: 533122907", "Compte 533122907", "Billing account 533122907, parent account 533122906"],
)
def test_a_page_that_names_another_account_is_wrong(text):
    with pytest.raises(WrongAccount):
        confirm(text)


def test_a_page_that_is_at_rest_is_read_once():
    assert confirm("Account 533-122 906", has_rested=True) == []
    assert len(confirm("Usage", is_chosen=False, has_rested=True)) == 1
    with pytest.raises(WrongAccount):
        confirm("Compte 533122907", has_rested=True)


def test_a_page_that_names_none_is_no_proof():
    assert confirm("Usage") == []  # the account was chosen by its number
    assert confirm("Usage", is_chosen=False) != []


def csv_of(path: Path, text: str, account: str = OURS) -> str:
    path.write_text(text)
    return check_file(describe(path, "export.csv"), account)


def workbook_of(path: Path, *lines: list[Any]) -> str:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for number, line in enumerate(lines):
            sheet.write_row(number, 0, line)
    return check_file(describe(path, "export.xlsx"), OURS)


@pytest.mark.parametrize(
    "text",
    [
        "Extract,533122906\nWhere,How much\nOttawa,3\n",
        "Kunde,Betrag\n533-122-907,3\n533-122-906,4\n",
        "Report of account 533122906\n",
    ],
)
def test_a_file_of_unknown_columns_that_names_the_account_is_right(tmp_path, text):
    assert csv_of(tmp_path / "p", text) == ""


@pytest.mark.parametrize("text", ["Extract,533122907\nWhere\nOttawa\n", "Kunde,Betrag\n533-122-907,3\n"])
def test_a_file_of_unknown_columns_that_names_only_others_is_refused(tmp_path, text):
    with pytest.raises(WrongAccount):
        csv_of(tmp_path / "p", text)


def test_numbers_of_a_workbook_are_account_numbers_too(tmp_path):
    assert workbook_of(tmp_path / "p", ["Report"], ["Account"], [533122906]) == ""
    with pytest.raises(WrongAccount):
        workbook_of(tmp_path / "q", ["Report"], ["Account"], [533122907])


def test_leading_zeros_that_a_workbook_loses_are_no_other_account(tmp_path):
    path = tmp_path / "p"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet().write_row(0, 0, ["Account", 33122906])
    assert check_file(describe(path, "export.xlsx"), "033122906") == ""


def test_telephone_numbers_are_no_accounts_and_a_file_without_any_is_no_proof(tmp_path):
    assert "names no account" in csv_of(tmp_path / "p", "Phone,MB\n4165550100,3\n", "5331229061")
    assert "names no account" in csv_of(tmp_path / "p", "Where,MB\nOttawa,3\n")
    with pytest.raises(WrongAccount):
        csv_of(tmp_path / "p", "Phone,Billing account\n4165550100,5331229062\n", "5331229061")


def test_a_file_that_is_no_table_is_not_looked_into(tmp_path):
    (tmp_path / "p").write_bytes(b"%PDF-1.4 533122907")
    assert check_file(describe(tmp_path / "p", "x.pdf"), OURS) == ""


@pytest.mark.parametrize(
    ("text", "users", "failure"),
    [
        ("Account,Sum\n533122907,3\n533122908,4\n", (), NotListed),  # of several accounts
        ("Account,Sum\n533122907,3\n", ("533122907",), NotListed),  # of one that is known to be the user's
        ("Account,Sum\n533122907,3\n", (), WrongAccount),
        ("Account,Sum\n533122907,3\n533122908,4\n", None, WrongAccount),  # it is to hold one account
    ],
)
def test_a_report_of_all_accounts_may_lack_one(tmp_path, text, users, failure):
    (tmp_path / "p").write_text(text)
    with pytest.raises(failure):
        check_file(describe(tmp_path / "p", "export.csv"), OURS, users=users)


OCTOBER = {(2026, 10)}


@pytest.mark.parametrize(
    "month", ["Invoice month,Oct 2026", "Billing period: Sep 15 - Oct 14 2026", "Contract end,Mar 2028", ""]
)
def test_a_file_of_the_month_or_of_none_is_right(tmp_path, month):
    (tmp_path / "p").write_text(f"Account,{OURS}\n{month}\nWhere,Sum\nOttawa,3\n")
    assert check_file(describe(tmp_path / "p", "export.csv"), OURS, OCTOBER) == ""


@pytest.mark.parametrize(
    "month", ["Invoice month,Sep 2026", "Bill period: Sep 2026", "Sum,Invoice month\n3,2026-09-30"]
)
def test_a_file_of_another_month_is_refused(tmp_path, month):
    (tmp_path / "p").write_text(f"Account,{OURS}\n{month}\n")
    with pytest.raises(PortalChanged):
        check_file(describe(tmp_path / "p", "export.csv"), OURS, OCTOBER)


def test_amounts_are_no_account_numbers(tmp_path):
    assert "names no account" in workbook_of(tmp_path / "p", ["Where", "Sum"], ["Ottawa", 3], ["Halifax", 12.5])


@pytest.mark.parametrize(
    ("numbers", "failure"),
    [
        ((533122906, 533122907), None),
        ((533122907,), NotListed),
        ((533122906, 533122908), WrongAccount),
        ((533122907, 533122908), WrongAccount),
    ],
)
def test_a_file_may_hold_known_accounts_of_the_same_user(tmp_path, numbers, failure):
    (tmp_path / "p").write_text("Account number,MB\n" + "".join(f"{number},3\n" for number in numbers))
    file = describe(tmp_path / "p", "export.csv")
    if failure is None:
        assert check_file(file, OURS, known=("533-122-907",)) == ""
    else:
        with pytest.raises(failure):
            check_file(file, OURS, known=("533-122-907",))


def test_an_account_may_be_stored_with_its_hyphens(tmp_path):
    (tmp_path / "p").write_text("Account number,MB\n24200000100001,3\n")
    file = describe(tmp_path / "p", "export.csv")
    assert check_file(file, "242000001-00001") == ""
    with pytest.raises(WrongAccount):
        check_file(file, "242000001-00002")
    assert numbers_like("242000001-00001", "242000001-00002 of 4165550100") == {"24200000100002"}
    assert accounts_named("Account number: 242000001 00002", "242000001-00001") == {"24200000100002"}
    assert may_be("242000001-00001", "*****0001") == 1


def test_a_file_of_one_account_has_no_other_in_its_column(tmp_path):
    with pytest.raises(WrongAccount):
        csv_of(tmp_path / "p", "Account number,MB\n533122906,3\n533122907,4\n")
    assert csv_of(tmp_path / "q", "Account number,Parent account\n533122906,533122901\n") == ""

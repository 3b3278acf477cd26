"""Situations in which a file or a record of another account, customer or month could be stored: none ever is."""

from __future__ import annotations

import io
import re
import zipfile
from calendar import month_abbr, month_name
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sandbox import mailbox, phone
from sandbox.att.pages import PEOPLE as ATT
from sandbox.bell.data import pools
from sandbox.bell.people import PEOPLE as BELL
from sandbox.invented import Month, number
from sandbox.rogers.pages import PEOPLE as ROGERS
from sandbox.scripted.people import People
from sandbox.telus.pages import PEOPLE as TELUS
from sandbox.tmobile.pages import PEOPLE as TMOBILE
from sandbox.verizon.pages import PEOPLE as VERIZON
from tests.crawl.test_identity import plant
from tests.portals.perturbed import ROWS, Ended, Perturbed, Row, give_carrier
from tests.portals.reports import STORED, store_reports

pytestmark = pytest.mark.browser
PEOPLE = {"att": ATT, "bell": BELL, "rogers": ROGERS, "telus": TELUS, "tmobile": TMOBILE, "verizon": VERIZON}
BY_MAIL = ("att", "rogers", "tmobile", "verizon")  # portals whose codes come by mail


def first(people: People, user: str) -> str:
    """Return the first account of a user."""
    return people.accounts(user)[0]


def lowest(people: People, user: str) -> str:
    """Return the account of a user that a crawl comes to first."""
    return min(people.accounts(user))


def second_lowest(people: People, user: str) -> str:
    """Return the account of a user that a crawl comes to next."""
    return sorted(people.accounts(user))[1]


def colleagues(people: People, user: str) -> str:
    """Return an account that another user of the same company has."""
    return people.accounts(f"colleague+{user}")[0]


@dataclass(frozen=True)
class Case:
    """
    A situation: a spider, its user's scenario with tags, and how the run must end.

    files: how many are stored, all of them the account's. account: which one is asked for. namesakes: the user also has accounts
    whose numbers look like it. left_over: the stored session is another user's. named: the files name their account.
    """

    spider: str
    situation: str
    scenario: str
    outcome: str
    files: int = 0
    account: Callable[[People, str], str] = first
    namesakes: bool = False
    left_over: bool = False
    named: bool = True

    @property
    def name(self) -> str:
        return f"{self.situation} ({self.scenario})"

    @property
    def user(self) -> str:
        return f"{self.scenario}@{self.spider.replace('_', '-')}.example"

    @property
    def portal(self) -> str:
        return self.spider.partition("_")[0]

    @property
    def number(self) -> str:
        return self.account(PEOPLE[self.portal], self.user)


USAGE, INVOICE, EREPORTS, MONTHLY = "bell_daily_usage", "bell_pdf_invoice", "bell_ereports", "bell_monthly_reports"
TELUS_USAGE, TELUS_INVOICE, TELUS_MONTHLY = "telus_daily_usage", "telus_pdf_invoice", "telus_monthly_reports"
ATT_USAGE, ATT_INVOICE, ATT_MONTHLY = "att_daily_usage", "att_pdf_invoice", "att_monthly_reports"
ROGERS_USAGE, ROGERS_INVOICE, ROGERS_MONTHLY = "rogers_daily_usage", "rogers_pdf_invoice", "rogers_monthly_reports"
TMOBILE_USAGE, TMOBILE_INVOICE, TMOBILE_MONTHLY = (
    "tmobile_daily_usage",
    "tmobile_pdf_invoice",
    "tmobile_monthly_reports",
)
VERIZON_USAGE, VERIZON_INVOICE, VERIZON_MONTHLY = (
    "verizon_daily_usage",
    "verizon_pdf_invoice",
    "verizon_monthly_reports",
)

# What is asked for, what the portal does, and how the run ends.
CASES = (
    Case(USAGE, "another account is opened than the chosen one", "wrong-account+multi", "wrong_account"),
    Case(USAGE, "the account was removed meanwhile", "account-missing+multi", "wrong_account"),
    Case(USAGE, "the user does not see a colleague's account", "ok+second", "wrong_account", account=colleagues),
    Case(USAGE, "the numbers of other accounts look like its own", "ok+alike", "success", 1, namesakes=True),
    Case(USAGE, "the file has rows of two accounts", "mixed-file", "wrong_account"),
    Case(USAGE, "the file names no account", "unnamed-file+multi", "success", 1, named=False),
    Case(USAGE, "the stored session is another user's", "ok+victim", "identity_mismatch", left_over=True),
    Case(USAGE, "another user signs in as the account is chosen", "session-replaced+multi", "portal_changed"),
    Case(USAGE, "or before it is read back", "session-replaced+replaced-4+multi", "wrong_account"),
    Case(USAGE, "or before the file is made", "session-replaced+replaced-5+multi", "wrong_account"),
    Case(USAGE, "the first of two downloads", "cached-file+multi", "success", 1, account=lowest),
    Case(
        USAGE,
        "the second one brings the file of the first",
        "cached-file+multi",
        "wrong_account",
        account=second_lowest,
    ),
    Case(INVOICE, "the page shows one account, the invoice another", "ok+invoice-other-account", "wrong_account"),
    Case(INVOICE, "the page shows one month, the invoice another", "ok+invoice-other-month", "portal_changed"),
    Case(INVOICE, "a ZIP with another account's invoice", "zip+foreign-member", "wrong_account"),
    Case(INVOICE, "another account is opened than the chosen one", "wrong-account+multi", "wrong_account"),
    Case(INVOICE, "a search finds accounts that look alike", "global-search", "success", 1, namesakes=True),
    Case(INVOICE, "name and accounts of another customer", "other-customer", "identity_mismatch"),
    Case(EREPORTS, "reports are about another account", "wrong-account", "wrong_account"),
    Case(EREPORTS, "former reports of another month", "former-reports", "success", 3),
    Case(MONTHLY, "workbooks are about another account", "wrong-account-file+no-code", "wrong_account"),
    Case(MONTHLY, "workbooks are about another month", "wrong-month+no-code", "portal_changed"),
    Case(MONTHLY, "notifications of other accounts and months", "stale-notifications+no-code", "success", 4),
    Case(TELUS_USAGE, "TELUS IQ has another user's session", "stale-iq", "identity_mismatch"),
    Case(
        TELUS_USAGE, "the queue has reports of the same name for other accounts", "former-reports+multi", "success", 1
    ),
    Case(TELUS_USAGE, "the list of accounts falls back", "filter-fails+multi", "wrong_account"),
    Case(TELUS_USAGE, "the file is about another account", "wrong-account-file", "wrong_account"),
    Case(TELUS_USAGE, "the user does not see a colleague's account", "ok+second", "wrong_account", account=colleagues),
    Case(TELUS_USAGE, "each visit of the overview opens another account", "default-switched+multi", "success", 1),
    Case(TELUS_INVOICE, "the first bill of the list is another account's", "row-other-first", "success", 1),
    Case(TELUS_INVOICE, "the first document is another month's", "document-other-first", "success", 1),
    Case(TELUS_INVOICE, "the bill is another account's", "wrong-account-file", "wrong_account"),
    Case(TELUS_INVOICE, "the bill is another month's", "wrong-month", "portal_changed"),
    Case(TELUS_INVOICE, "the rows of the list move before the click", "rows-move", "wrong_account"),
    Case(TELUS_INVOICE, "the dialog of the bill before stays open", "dialog-stays+multi", "wrong_account"),
    Case(TELUS_INVOICE, "the month is not taken", "month-filter-fails", "portal_changed"),
    Case(TELUS_INVOICE, "the stored session is another user's", "ok+victim", "identity_mismatch", left_over=True),
    Case(TELUS_MONTHLY, "a member of the bundle is another account's", "foreign-member", "wrong_account", 1),
    Case(TELUS_MONTHLY, "each export resets the filters", "filter-resets+multi", "success", 4),
    Case(TELUS_MONTHLY, "the files have rows of two accounts", "mixed-file", "wrong_account"),
    Case(TELUS_MONTHLY, "the numbers of other accounts look like its own", "ok+alike", "success", 4, namesakes=True),
    Case(TELUS_MONTHLY, "the files are another month's", "wrong-month", "portal_changed"),
    Case(ATT_USAGE, "the file is about another account", "wrong-account-file+no-code", "wrong_account"),
    Case(ATT_USAGE, "the account is not taken", "filter-fails+multi+no-code", "wrong_account"),
    Case(ATT_USAGE, "the stored session is another user's", "ok+victim+no-code", "identity_mismatch", left_over=True),
    Case(ATT_INVOICE, "a search lists another account first", "first-item-other+multi+no-code", "success", 1),
    Case(
        ATT_INVOICE, "a search lists an account first that begins alike", "namesake-first+multi+no-code", "success", 1
    ),
    Case(ATT_INVOICE, "the rows of the list move before the click", "rows-move+no-code", "wrong_account"),
    Case(ATT_INVOICE, "the dialog of the bill before stays open", "dialog-stays+multi+no-code", "wrong_account"),
    Case(ATT_INVOICE, "the first of two downloads", "cached-file+multi+no-code", "success", 1, account=lowest),
    Case(
        ATT_INVOICE,
        "the second one brings the file of the first",
        "cached-file+multi+no-code",
        "wrong_account",
        account=second_lowest,
    ),
    Case(ATT_MONTHLY, "each export resets the filters", "filter-resets+multi+no-code", "success", 5),
    Case(ATT_MONTHLY, "the export's dialog resets the filters", "export-resets+multi+no-code", "wrong_account"),
    Case(
        ATT_MONTHLY,
        "another tab puts the session into another account",
        "account-switched+multi+no-code",
        "wrong_account",
    ),
    Case(ATT_MONTHLY, "the files name no account", "unnamed-file+no-code", "success", 5, named=False),
    Case(ATT_MONTHLY, "the files have rows of two accounts", "mixed-file+no-code", "wrong_account"),
    Case(ATT_MONTHLY, "the account is read back late", "read-back-late+multi+no-code", "success", 5),
    Case(ROGERS_USAGE, "another account is opened than the chosen one", "wrong-account+multi+no-code", "wrong_account"),
    Case(ROGERS_USAGE, "the list holds another account", "filter-fails+multi+no-code", "wrong_account"),
    Case(
        ROGERS_USAGE,
        "the account is another one as users are listed",
        "account-switched+multi+no-code",
        "wrong_account",
    ),
    Case(
        ROGERS_USAGE,
        "the numbers of other accounts look like its own",
        "ok+alike+no-code",
        "success",
        1,
        namesakes=True,
        named=False,
    ),
    Case(
        ROGERS_USAGE, "a colleague's account is not offered", "ok+second+no-code", "wrong_account", account=colleagues
    ),
    Case(
        ROGERS_USAGE, "the stored session is another user's", "ok+victim+no-code", "identity_mismatch", left_over=True
    ),
    Case(ROGERS_INVOICE, "the list begins with another account", "row-other-first+multi+no-code", "success", 1),
    Case(ROGERS_INVOICE, "its number has a further digit", "namesake-first+multi+no-code", "success", 1),
    Case(ROGERS_INVOICE, "the rows of the list move before the click", "rows-move+no-code", "wrong_account"),
    Case(ROGERS_INVOICE, "the viewer shows the bill before", "dialog-stays+multi+no-code", "wrong_account"),
    Case(ROGERS_INVOICE, "the bill is another account's", "wrong-account-file+no-code", "wrong_account"),
    Case(ROGERS_INVOICE, "the bill is another month's", "wrong-month+no-code", "portal_changed"),
    Case(ROGERS_INVOICE, "the bill date is not taken", "month-filter-fails+no-code", "portal_changed"),
    Case(ROGERS_INVOICE, "another user signs in meanwhile", "session-replaced+multi+no-code", "wrong_account"),
    Case(ROGERS_INVOICE, "the first of two downloads", "cached-file+multi+no-code", "success", 1, account=lowest),
    Case(
        ROGERS_INVOICE,
        "the second one brings the file of the first",
        "cached-file+multi+no-code",
        "wrong_account",
        account=second_lowest,
    ),
    Case(ROGERS_MONTHLY, "each export resets account and cycle", "filter-resets+multi+no-code", "success", 5),
    Case(ROGERS_MONTHLY, "the export's dialog resets them", "export-resets+multi+no-code", "wrong_account"),
    Case(ROGERS_MONTHLY, "the account is another one in the report", "account-switched+multi+no-code", "wrong_account"),
    Case(ROGERS_MONTHLY, "the files have rows of two accounts", "mixed-file+no-code", "wrong_account"),
    Case(ROGERS_MONTHLY, "the files name no account", "unnamed-file+no-code", "success", 5, named=False),
    Case(ROGERS_MONTHLY, "the bill cycle is not taken", "month-filter-fails+no-code", "portal_changed", 1),
    Case(ROGERS_MONTHLY, "the extract is another account's", "foreign-extract+no-code", "wrong_account", 4),
    Case(ROGERS_MONTHLY, "former extracts of other accounts and reports", "former-reports+no-code", "success", 5),
    Case(TMOBILE_USAGE, "another account is opened than the chosen one", "wrong-account+multi", "wrong_account"),
    Case(TMOBILE_USAGE, "the search changes nothing", "filter-fails+multi+no-code", "success", 1),
    Case(TMOBILE_USAGE, "the file is about another account", "wrong-account-file+no-code", "wrong_account"),
    Case(TMOBILE_USAGE, "the file has rows of two accounts", "mixed-file+no-code", "wrong_account"),
    Case(
        TMOBILE_USAGE, "a colleague's account is not offered", "ok+second+no-code", "wrong_account", account=colleagues
    ),
    Case(
        TMOBILE_USAGE, "the stored session is another user's", "ok+victim+no-code", "identity_mismatch", left_over=True
    ),
    Case(TMOBILE_INVOICE, "the list begins with another account", "row-other-first+multi+no-code", "success", 1),
    Case(TMOBILE_INVOICE, "its number has a further digit", "namesake-first+multi+no-code", "success", 1),
    Case(
        TMOBILE_INVOICE,
        "the numbers of other accounts look like its own",
        "ok+alike+no-code",
        "success",
        1,
        namesakes=True,
    ),
    Case(TMOBILE_INVOICE, "the rows of the list move before the click", "rows-move+no-code", "wrong_account"),
    Case(TMOBILE_INVOICE, "the bill is another account's", "wrong-account-file+no-code", "wrong_account"),
    Case(TMOBILE_INVOICE, "the bill is another month's", "wrong-month+no-code", "portal_changed"),
    Case(TMOBILE_INVOICE, "the period is not taken", "month-filter-fails+no-code", "portal_changed"),
    Case(
        TMOBILE_INVOICE,
        "the label of the wanted month is that of the year before",
        "two-years+not-published+no-code",
        "not_yet_published",
    ),
    Case(TMOBILE_INVOICE, "another user signs in meanwhile", "session-replaced+multi+no-code", "wrong_account"),
    Case(TMOBILE_INVOICE, "the first of two downloads", "cached-file+multi+no-code", "success", 1, account=lowest),
    Case(
        TMOBILE_INVOICE,
        "the second one brings the file of the first",
        "cached-file+multi+no-code",
        "wrong_account",
        account=second_lowest,
    ),
    Case(TMOBILE_MONTHLY, "each run empties the filters", "ok+emptied+multi+no-code", "success", 5),
    Case(
        TMOBILE_MONTHLY,
        "reports are made as if the filters were empty",
        "filter-ignored+multi+no-code",
        "report_not_ready",
    ),
    Case(TMOBILE_MONTHLY, "reports of other accounts, months and days", "former-reports+multi+no-code", "success", 5),
    Case(TMOBILE_MONTHLY, "the tree has a namesake first", "namesake-first+multi+no-code", "success", 5),
    Case(TMOBILE_MONTHLY, "another account is chosen", "wrong-account+multi+no-code", "wrong_account"),
    Case(TMOBILE_MONTHLY, "the account is read back late", "read-back-late+multi+no-code", "success", 5),
    Case(TMOBILE_MONTHLY, "the account is not taken", "filter-fails+multi+no-code", "portal_changed"),
    Case(TMOBILE_MONTHLY, "the billing period is not taken", "month-filter-fails+no-code", "portal_changed", 2),
    Case(TMOBILE_MONTHLY, "the files are another account's", "wrong-account-file+no-code", "wrong_account"),
    Case(TMOBILE_MONTHLY, "the files are another month's", "wrong-month+no-code", "portal_changed", 2),
    Case(TMOBILE_MONTHLY, "the files have rows of two accounts", "mixed-file+no-code", "wrong_account"),
    Case(TMOBILE_MONTHLY, "the files name no account", "unnamed-file+no-code", "success", 5, named=False),
    Case(VERIZON_USAGE, "another tab applies another account", "account-switched+multi+no-code", "wrong_account"),
    Case(VERIZON_USAGE, "the file has rows of two accounts", "mixed-file+no-code", "wrong_account"),
    Case(VERIZON_USAGE, "the account is not taken", "filter-fails+multi+no-code", "wrong_account"),
    Case(VERIZON_USAGE, "the filters cannot be applied", "apply-stays+multi+no-code", "wrong_account"),
    Case(VERIZON_USAGE, "the file is about another account", "wrong-account-file+no-code", "wrong_account"),
    Case(
        VERIZON_USAGE,
        "the numbers of other accounts look like its own",
        "ok+alike+no-code",
        "success",
        1,
        namesakes=True,
    ),
    Case(
        VERIZON_USAGE, "a colleague's account is not offered", "ok+second+no-code", "wrong_account", account=colleagues
    ),
    Case(
        VERIZON_USAGE, "the stored session is another user's", "ok+victim+no-code", "identity_mismatch", left_over=True
    ),
    Case(VERIZON_INVOICE, "another account is opened", "wrong-account+multi+no-code", "wrong_account"),
    Case(VERIZON_INVOICE, "the tab resets after the account was chosen", "tab-resets-late+multi+no-code", "success", 1),
    Case(VERIZON_INVOICE, "the cards of the list move before the click", "rows-move+no-code", "portal_changed"),
    Case(VERIZON_INVOICE, "the bill is another account's", "wrong-account-file+no-code", "wrong_account"),
    Case(VERIZON_INVOICE, "the bill is another month's", "wrong-month+no-code", "portal_changed"),
    Case(VERIZON_INVOICE, "the list begins with another account", "first-item-other+multi+no-code", "success", 1),
    Case(VERIZON_INVOICE, "its number has a further digit", "namesake-first+multi+no-code", "success", 1),
    Case(VERIZON_INVOICE, "the first of two downloads", "cached-file+multi+no-code", "success", 1, account=lowest),
    Case(
        VERIZON_INVOICE,
        "the second one brings the file of the first",
        "cached-file+multi+no-code",
        "wrong_account",
        account=second_lowest,
    ),
    Case(
        VERIZON_MONTHLY, "a member of the raw data is another account's", "foreign-member+no-code", "wrong_account", 1
    ),
    Case(VERIZON_MONTHLY, "the files have rows of two accounts", "mixed-file+no-code", "wrong_account"),
    Case(VERIZON_MONTHLY, "the files name no account", "unnamed-file+no-code", "success", 6, named=False),
    Case(VERIZON_MONTHLY, "the files are another month's", "wrong-month+no-code", "portal_changed", 1),
    Case(VERIZON_MONTHLY, "months and days are not taken", "month-filter-fails+no-code", "portal_changed", 1),
)
SPIDERS = tuple(dict.fromkeys(case.spider for case in CASES))
# Made of the present state, whatever month the session is in: no month is asked for.
UNDATED = {
    (ATT_MONTHLY, "upgrade_and_inventory"),
    (ATT_USAGE, "usage"),
    (ROGERS_MONTHLY, "bcr"),
    (ROGERS_USAGE, "usage"),
    (TMOBILE_MONTHLY, "inventory_report"),
    (TMOBILE_MONTHLY, "equipment_installment"),
    (VERIZON_MONTHLY, "suspended_wireless_numbers"),
    (VERIZON_USAGE, "usage"),
}

MONTHS = {name: place for names in (month_name, month_abbr) for place, name in enumerate(names) if name}
IN_WORDS = re.compile(rf"\b({'|'.join(MONTHS)}) (20\d\d)\b")
PERIODS = (
    re.compile(rf"\b({'|'.join(MONTHS)}) \d+, (20\d\d) to ({'|'.join(MONTHS)}) \d+, (20\d\d)"),
    re.compile(r"\b(20\d\d)-(\d\d)-\d\d to (20\d\d)-(\d\d)-\d\d\b"),
)


def texts(content: bytes) -> Iterator[str]:
    """Give the text of a file, and that of the members of a ZIP or workbook."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        yield content.decode("cp1252", errors="replace")
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            yield name
            yield from texts(archive.read(name))


def months(text: str) -> set[str]:
    """Return the billing months (YYYY-MM) that a text names, in words or as the ends of a period."""
    named = {f"{year}-{MONTHS[month]:02}" for month, year in IN_WORDS.findall(text)}
    for month, year, last_month, last_year in PERIODS[0].findall(text):
        named |= {f"{year}-{MONTHS[month]:02}", f"{last_year}-{MONTHS[last_month]:02}"}
    for year, month, last_year, last_month in PERIODS[1].findall(text):
        named |= {f"{year}-{month}", f"{last_year}-{last_month}"}
    return named


BYTES_ALONE = ("rogers_daily_usage",)  # spiders that make their workbooks: what is a number there is an amount of bytes
A_NUMBER = re.compile(r'<c r="[A-Z]+\d+"><v>[^<]*</v></c>')  # a cell that is neither a text nor a day
FIGURE = re.compile(r'(?<=":) \d+(?=[,}])')  # of a row's data: an amount of bytes may have as many digits
DRAWN = ("crawl", "process", "sha256")  # columns of letters and digits, in which any number may be


def accounts(portal: str, text: str, further: Collection[str]) -> set[str]:
    """Return the account numbers in a text: all that the portal may have given out, and further ones."""
    people = PEOPLE[portal]
    length = len(str(people.lowest))
    return {
        found
        for found in re.findall(r"\d+", text)
        if found in further or (len(found) == length and 0 <= int(found) - people.lowest < people.below)
    }


class Stored:
    """What is stored of some accounts at one portal, in database and store."""

    def __init__(self, crawls: Perturbed, portal: str, numbers: Iterable[str]) -> None:
        self.crawls, self.portal, self.numbers = crawls, portal, tuple(numbers)
        self.marks = ", ".join("?" * len(self.numbers))
        self.further = {each for own in crawls.admin.configuration()["accounts"].values() for each in own}

    def foreign(self) -> list[str]:
        """Return what is of another account or month, or of no run at all."""
        return [*self._foreign_files(), *self._foreign_rows(), *self._foreign_pools(), *self._without_row()]

    def unnamed(self) -> set[str]:
        """Return the accounts with files that do not name them."""
        return {account for account, _, text in self._files() if account not in accounts(self.portal, text, [account])}

    def _files(self) -> Iterator[tuple[str, Any, str]]:
        for row in self._rows("SELECT files.* FROM files JOIN accounts ON accounts.id = files.account_id"):
            account, text = row["target_key"].partition("/")[0], ""
            if row["path"]:
                text = "\n".join(texts((self.crawls.project.data / "files" / row["path"]).read_bytes()))
                text = A_NUMBER.sub("", text) if row["spider"] in BYTES_ALONE else text
            yield account, row, text

    def _rows(self, query: str) -> list[Any]:
        return self.crawls.rows(f"{query} WHERE accounts.number IN ({self.marks})", *self.numbers)

    def _foreign_files(self) -> Iterator[str]:
        for account, row, text in self._files():
            where, month = f"{row['spider']} {row['name']} of {account}", row["target_key"].partition("/")[2][:7]
            if others := accounts(self.portal, text, self.further) - {account}:
                yield f"{where}: names {sorted(others)}"
            if (row["spider"], row["name"]) not in UNDATED and (others := months(text) - {month}):
                yield f"{where}: is of {sorted(others)}, not of {month}"

    def _foreign_rows(self) -> Iterator[str]:
        """Look at every table with rows of billing cycles."""
        for (table,) in self.crawls.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
            columns = [row["name"] for row in self.crawls.rows(f"PRAGMA table_info({table})")]
            if "billing_cycle_id" not in columns:
                continue
            for row in self._rows(
                f"SELECT {table}.*, accounts.number AS own, billing_cycles.end_date AS ends FROM {table}"
                " JOIN billing_cycles ON billing_cycles.id = billing_cycle_id"
                " JOIN accounts ON accounts.id = billing_cycles.account_id"
            ):
                told = (row[name] for name in columns if name not in DRAWN and isinstance(row[name], str))
                said = FIGURE.sub("", " ".join(told))
                if others := accounts(self.portal, said, self.further) - {row["own"]}:
                    yield f"{table} of {row['own']}: names {sorted(others)}"
                dated = [
                    row[name] for name in ("period", "period_start", "period_end") if name in columns and row[name]
                ]
                if others := {day[:7] for day in dated} - {row["ends"][:7]}:
                    yield f"{table} of {row['own']}: is of {sorted(others)}, not of {row['ends']}"

    def _foreign_pools(self) -> Iterator[str]:
        for row in self._rows("SELECT pool_usage.*, number FROM pool_usage JOIN accounts ON accounts.id = account_id"):
            if self.portal == "tmobile":  # it shows what was used, in the month in which the present cycle ends
                wanted, told = pool_used(row["number"], date.fromisoformat(row["day"])), row["pool_used"]
            else:
                wanted, told = pool_size(self.portal, row["number"]), row["pool_size"]
            if told != wanted:
                yield f"pool of {row['number']}: {told} bytes, not {wanted}"

    def _without_row(self) -> Iterator[str]:
        known = {row["path"] for row in self.crawls.rows("SELECT path FROM files")}
        store = self.crawls.project.data / "files"
        for path in store.rglob("*"):
            if path.is_file() and str(path.relative_to(store)) not in known:
                yield f"{path.relative_to(store)}: is in the store, and no row says so"


def pool_size(portal: str, account: str) -> int:
    """Return the bytes of an account's pool."""
    if portal == "bell":
        gigabytes = sum((pool.included for pool in pools(account, date(2026, 1, 1), 2)), Decimal(0))
    elif portal == "rogers":
        gigabytes = Decimal(200 + number("pool", account, below=1_800))
    else:
        gigabytes = Decimal(500 + number("allowance", account, below=1_500))
    return int(gigabytes * 1024**3)


def pool_used(account: str, day: date) -> int:
    """Return the bytes that an account of T-Mobile has used in the month of a day, on the last of which its cycle ends."""
    return round(Decimal(number("pool", account, Month(day.year, day.month).short, below=200_000)) / 100 * 1024**3)


def look_alikes(account: str) -> list[str]:
    """Return an account's number among others that begin with it, end with it, or differ from it in one digit."""
    first_differs = str((int(account[0]) + 1) % 10) + account[1:]
    last_differs = account[:-1] + str((int(account[-1]) + 1) % 10)
    return [f"{account}0", f"7{account}", first_differs, account, last_differs]


def give(crawls: Perturbed, case: Case) -> str:
    """Store the user of a case with the account that is asked for; return its number."""
    receiver = mailbox(case.user) if case.portal in BY_MAIL or case.spider == MONTHLY else phone(case.user)
    if not case.files and case.outcome != "success":
        store_reports(crawls.db, case.spider, [case.number], STORED.get(case.spider, ()))
    if case.namesakes:
        known = crawls.admin.configuration()["accounts"]
        crawls.admin.configure(accounts=known | {case.user: look_alikes(case.number)})
    return give_carrier(crawls, case.portal, case.user, case.number, receiver)


def crawl(crawls: Perturbed, row: Row, cases: Sequence[Case]) -> dict[str, Ended]:
    """Crawl for all cases of a spider in one crawl with one browser; return how the run of each ended."""
    of = {case.name: case for case in cases}
    return crawls.crawl(replace(row, give=lambda crawls, name: give(crawls, of[name])), of)


def leave_sessions(crawls: Perturbed, cases: Sequence[Case]) -> list[str]:
    """Put another user's session in the place of those that are said to be left over; return that user's accounts."""
    numbers = []
    for case in cases:
        if case.left_over:
            former = replace(case, situation="a former user", scenario=f"{case.scenario}+former", outcome="success")
            (ended,) = crawl(crawls, ROWS[case.spider], [former]).values()
            assert ended.outcome == "success", ended
            numbers.append(former.number)
            give(crawls, case)
            plant(crawls, case.user, former.user)
    return numbers


def check(crawls: Perturbed, spider: str, cases: Sequence[Case]) -> None:
    """Crawl for cases of a spider; compare outcomes and what is stored."""
    left = leave_sessions(crawls, cases)
    numbers = [*left, *(case.number for case in cases)]
    ended = crawl(crawls, ROWS[spider], cases)
    stored = Stored(crawls, cases[0].portal, numbers)
    assert stored.foreign() == []
    wrong = [
        f"{case.name}: {ended[case.name]}, not {case.outcome} and {case.files} files"
        for case in cases
        if (ended[case.name].outcome, ended[case.name].files) != (case.outcome, case.files)
    ]
    assert "\n".join([f"{len(wrong)} are wrong", *wrong]) == "0 are wrong"
    assert {name for name, each in ended.items() if each.records and not each.files} == set()
    nameless = set(left) if spider in BYTES_ALONE else set()
    assert stored.unnamed() == {case.number for case in cases if not case.named} | nameless


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "spider", [each if each == INVOICE else pytest.param(each, marks=pytest.mark.matrix) for each in SPIDERS]
)
def test_nothing_of_another_account_customer_or_month_is_stored(crawls_of, spider):
    cases = [case for case in CASES if case.spider == spider]
    check(crawls_of(cases[0].portal), spider, cases)


CARELESS = {
    "bell_careless_invoice": Case(
        "bell_careless_invoice", "an invoice of another account", "ok+invoice-other-account", "success", 1
    ),
    "att_careless_reports": Case(
        "att_careless_reports", "reports of another account", "wrong-account-file+no-code", "success", 5
    ),
}


@pytest.mark.matrix
@pytest.mark.parametrize("case", CARELESS.values(), ids=CARELESS)
def test_a_spider_that_compares_nothing_is_found_out(crawls_of, case):
    """The files of another account that it stores are found, and so are their records."""
    crawls, likeness = crawls_of(case.portal), INVOICE if case.portal == "bell" else ATT_MONTHLY
    row = replace(ROWS[likeness], spider=case.spider, spider_modules="tests.portals.careless")

    (ended,) = crawl(crawls, row, [case]).values()

    assert (ended.outcome, ended.files) == (case.outcome, case.files), ended
    found = Stored(crawls, case.portal, [case.number]).foreign()
    assert sum(text.startswith(case.spider) for text in found) >= case.files, found
    assert any(text.startswith(("invoices", "report_rows")) for text in found), found

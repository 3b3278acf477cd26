"""My reports: what the portal has made or is making, of all accounts and months and of everybody."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from scrapers.core.locators import same, saying_only
from scrapers.core.outcomes import PortalChanged, PortalDown
from scrapers.core.page import PortalPage, guess
from scrapers.core.periods import months_in
from scrapers.families.carriers.accounts import names_account, numbers_like
from scrapers.families.carriers.ordered import Entry
from scrapers.portals.tmobile.columns import LOCALE
from scrapers.portals.tmobile.dialogs import RELOAD, SAVES, WINDOW, reload_reports
from scrapers.portals.tmobile.templates import open_tab

TAB = ("says=My reports",)
OPEN = (guess("[role=tab][aria-selected=true] >> says=My reports"),)
ROW = "mat-expansion-panel.history-content"
MORE, DOWNLOAD = "says=more_vert", ("says=Download",)
SAVE = (  # in the dialog that Download opens
    guess(f"{WINDOW} >> says=Download"),
    SAVES,
)
RELOADS = 3
READ = """rows => rows.map(row => [".report-name", ".report-det", ".run-date", ".report-status"].map(
  part => row.querySelector(part)?.textContent ?? null))"""
RUN_DATE = re.compile(r"([^\W\d]{3,9})\.? (\d{1,2}), (\d{4})(?!\d)")
READY = re.compile(r"(?<!not )\bcompleted\b", re.I)
FAILED = re.compile(r"fail|error|cancel|reject|expired", re.I)


@dataclass(frozen=True, slots=True)
class Made:
    """
    A row of the list, with the texts that it shows.

    account: what the detail says beside a month. month: None where it names none. run: None where the date is not understood.
    """

    name: str
    detail: str
    ran: str
    status: str
    account: str
    month: tuple[int, int] | None
    run: date | None

    @classmethod
    def of(cls, name: str, detail: str, run: str, status: str) -> Made:
        """
        Read a row. detail: `Mon YYYY | account`, or the account alone.

        >>> made = Made.of("Usage Detail Report", "Oct 2026 | 123456782", "Nov\u00a020,\u00a02026", " Completed ")
        >>> made.account, made.month, made.run
        ('123456782', (2026, 10), datetime.date(2026, 11, 20))
        """
        name, detail, run, status = (" ".join(text.split()) for text in (name, detail, run, status))
        before, bar, after = detail.partition("|")
        months = months_in(before) if bar else []
        is_month = len(months) == 1
        account = after.strip() if is_month else detail
        return cls(name, detail, run, status, account, months[0] if is_month else None, run_date(run))

    def is_about(self, name: str, account: str, month: tuple[int, int] | None, today: date) -> bool:
        """Return whether it is a report of an account, made today; and of a month where that is given, else of none."""
        is_own = names_account(account, self.account) == 1 and numbers_like(account, self.account) == {account}
        return is_own and same(self.name, name) and self.month == month and self.run == today


def run_date(text: str) -> date | None:
    """
    Return the day of `Mon D, YYYY`, whatever blanks are between; None where there is none, or several are.

    >>> run_date("Run on Feb\u00a029,\u202f2028 at 9:05 AM"), run_date("Feb 29, 2027"), run_date("today")
    (datetime.date(2028, 2, 29), None, None)
    """
    found = RUN_DATE.findall(" ".join(text.split()))
    if len(found) != 1:
        return None
    name, number, year = found[0]
    try:
        return date(int(year), LOCALE.month_number(name) or 0, int(number))
    except ValueError:
        return None


async def read_history(page: PortalPage) -> list[Made]:
    """
    Open the list, unless it shows a row, and read it.

    Raises PortalChanged for a row that lacks a part, PortalDown where the portal's error comes RELOADS times in its place.
    """
    if not await page.shown((ROW, *OPEN)):
        await open_tab(page, TAB)
    for _ in range(RELOADS):
        if await page.arrives((ROW, *RELOAD)) not in RELOAD:
            break
        await reload_reports(page)
        await open_tab(page, TAB)
    else:
        raise PortalDown("The portal says again that something went wrong.", step=page.trail.step)
    rows: list[list[str | None]] = await page.scope.locator(ROW).filter(visible=True).evaluate_all(READ)
    made = []
    for name, detail, run, status in rows:
        if name is None or detail is None or status is None:
            raise PortalChanged("A row of the list lacks a part.", step=page.trail.step, selector=ROW)
        made.append(Made.of(name, detail, run or "", status))  # what is being made may have no date yet
    return made


def entries_of(
    rows: Iterable[Made], name: str, account: str, month: tuple[int, int] | None, today: date
) -> Iterator[Entry]:
    """Yield the entries that are of a report, an account and a month (None: of none), and were made today."""
    ready: Counter[str] = Counter()
    for each in [row for row in rows if row.is_about(name, account, month, today)]:
        failed = FAILED.search(each.status) is not None
        is_ready = not failed and READY.search(each.status) is not None
        selector = f"{_row(each)}:has(.report-status:text-matches('completed', 'i'))"
        yield Entry(f"{selector} >> visible=true >> nth={ready[selector]}", is_ready, failed=failed)
        ready[selector] += is_ready


def _row(made: Made) -> str:
    """Return the selector of rows that say the same as one, but for the status."""
    parts = {".report-name": made.name, ".report-det": made.detail, ".run-date": made.ran}
    return ROW + "".join(f":has({part}{saying_only(text)})" for part, text in parts.items())

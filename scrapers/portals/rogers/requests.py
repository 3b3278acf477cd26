"""The list of what was asked for, in which Bizonline keeps extracts until they expire."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from scrapers.core.locators import containing, same
from scrapers.core.page import PortalPage
from scrapers.families.carriers.accounts import names_account
from scrapers.families.carriers.ordered import Entry
from scrapers.portals.rogers.columns import LOCALE
from scrapers.portals.rogers.dialogs import close_dialog
from scrapers.portals.rogers.reports import REPORTS
from scrapers.reading.values.days import day

TAB = ("#myRequests-tab",)
LIST = "ol.fav_items"
ENTRIES = f"{LIST} li:has-text('Report name')"
READ_ENTRIES = """items => items.map(item => [
  item.innerText, item.querySelector("a[href*=downloadExtractFile]")?.getAttribute("href") ?? ""])"""
LABELS = ("Report name", "Show for", "Status", "Expiry Date")
LABEL = re.compile(rf"\b({'|'.join(LABELS)})\s*:", re.I)
DATE = re.compile(r"(?<!\d)\d\d/\d\d/\d{4}(?!\d)")
COMPLETED, FAILED = re.compile(r"\bcompleted\b", re.I), re.compile(r"fail|error|cancel|reject", re.I)
LISTED = 3.0  # seconds in which the list shows its first entry
DAY = 24 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class Request:
    """An entry of the list. expires: None where it does not say; link: "" while there is nothing to download."""

    name: str
    account: str
    status: str
    expires: date | None
    link: str

    @classmethod
    def of(cls, text: str, link: str) -> Request:
        r"""
        Read an entry by its labels, in any order; what it does not say is empty.

        >>> Request.of("Report name: Upgrades\nShow for: 1-23\nExpiry Date: 02/29/2028\nStatus: Completed Download", "/x")
        Request(name='Upgrades', account='1-23', status='Completed Download', expires=datetime.date(2028, 2, 29), link='/x')
        """
        _, *parts = LABEL.split(" ".join(text.split()))
        said = dict(zip(parts[::2], parts[1::2], strict=True))
        name, account, status, expires = (
            next((said[each].strip() for each in said if same(each, label)), "") for label in LABELS
        )
        return cls(name, account, status, _day(expires), link)

    def is_about(self, report: str, account: str) -> bool:
        """Return whether it is of a report and an account."""
        return containing(report).search(self.name) is not None and names_account(account, self.account) == 1


async def read_requests(page: PortalPage) -> list[Request]:
    """Open the list, unless it shows an entry, and read it."""
    if not await page.shown((ENTRIES,)):
        await close_dialog(page, within=0)
        if not await page.shown(TAB):
            await page.click(REPORTS)
        await page.click(TAB)
        await page.shown((ENTRIES,), within=LISTED)  # an empty list is drawn anew again and again, and never rests
    return [Request.of(*each) for each in await page.scope.locator(ENTRIES).evaluate_all(READ_ENTRIES)]


def _day(text: str) -> date | None:
    found = DATE.search(text)
    try:
        said = day(found[0], LOCALE) if found else None
    except ValueError:
        return None
    return date.fromisoformat(said) if said else None


def entries_of(requests: Iterable[Request], report: str, account: str, today: date) -> Iterator[Entry]:
    """
    Yield the entries that are of a report and an account and have not expired.

    The list does not say when something was asked for. Of two entries the one that expires on an earlier day is the older
    one, by one day less than lies between.
    """
    own = [each for each in requests if each.is_about(report, account) and (each.expires or today) >= today]
    last = max((each.expires for each in own if each.expires), default=today)
    for each in own:
        is_ready = each.link != "" and COMPLETED.search(each.status) is not None
        age = max(0, (last - (each.expires or last)).days - 1) * DAY
        failed = not is_ready and FAILED.search(each.status) is not None
        yield Entry(f"{LIST} a[href={json.dumps(each.link)}]", is_ready, age, failed)

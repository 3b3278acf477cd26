"""The notifications of the Enterprise Centre: the reports that it has made or is making, to be downloaded and dismissed."""

import json
import re

from scrapers.core.locators import containing
from scrapers.core.page import PortalPage
from scrapers.core.periods import DAYS, months_in
from scrapers.families.carriers.accounts import numbers_like
from scrapers.families.carriers.ordered import Entry
from scrapers.reading.values.ages import least_age

BELL = ("li.kt-notification-content [aria-label=Notification]", "[aria-label=Notification]")
LIST = "#m_quick_sidebar_notification-wrap"
ENTRIES = "li.kt-notifi-li"
OPENED = (ENTRIES, f"{LIST} li", LIST)
DOWNLOAD, CLOSE = "em.line-download", "em.line-close"  # of an entry
FAILED = (
    r"fail|error|could not|cannot|échou|erreur"  # of a report that is not there; in words not known it is waited for
)

READ_ENTRIES = """entries => entries.map(entry => [
  [...entry.querySelectorAll("b")].map(name => name.textContent.trim())[1] ?? entry.innerText,
  entry.innerText,
  entry.querySelector(".kt-notifi-time")?.textContent.trim() ?? "",
  entry.querySelector("em.line-download") !== null,
])"""


async def read_notifications(page: PortalPage, report: str) -> list[Entry]:
    """Return the entries that name a report, and neither another account nor another month than the job's. Opens the list."""
    if not await page.shown(OPENED):
        await page.click(BELL)
        await page.arrives(OPENED)  # an empty list may have no size
    target, name = page.job.target, report.removesuffix(" Report")
    # By its name, too: entries of other reports come on top between a look and a click.
    like = f"{ENTRIES}:has-text({json.dumps(name)})"
    found = []
    for place, (named, text, age, is_ready) in enumerate(await page.raw.locator(like).evaluate_all(READ_ENTRIES)):
        accounts, months = numbers_like(target.account, text), months_in(DAYS.sub("", text))
        is_other = accounts - {target.account} or set(months) - {(target.end.year, target.end.month)}
        if containing(name).search(named) and not is_other:
            failed = not is_ready and re.search(FAILED, text, re.I) is not None
            is_stated = bool(accounts and months)
            found.append(Entry(f"{like} >> nth={place}", is_ready, least_age(age), failed, is_stated))
    return found


async def read_anew(page: PortalPage) -> None:
    """Close the list, so that it is read anew when it is opened."""
    await page.click(BELL)
    if await page.shown(OPENED):  # it does not close the list
        await page.reload()

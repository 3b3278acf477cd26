"""The usage of an account's lines in Manage Data Notifications, of which there is no file: its table is read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from scrapers.core.outcomes import Incomplete, PortalChanged
from scrapers.core.page import PortalPage, run_script, until
from scrapers.core.paging import each_page
from scrapers.families.carriers.accounts import confirm_account, not_listed, of_account, saying
from scrapers.families.carriers.items import UsageLine
from scrapers.portals.rogers.columns import LOCALE
from scrapers.reading.values.sizes import data_size
from scrapers.reading.values.texts import known

SEARCH = ("#searchField",)
SUGGESTION = "div.ac_results li"
ACCOUNTS, OPEN = "#dunsAccountsListTableId", "[onclick*=getDunsCtns]"
TRACKING, GROUP = ("#BanUsageTab",), ("#getCTNsPGId",)
SELECT_PAGE, VIEW = ("xpath=//*[@id='dunsSelectPage']/span", "#dunsSelectPage"), ("#selectedCtnsId",)
FOLLOWING, LAST = ("#mypagination a.next",), ("#mypagination span.next",)
KEY_PAUSE = 0.1  # seconds between two keys in the field of accounts, which makes suggestions meanwhile
FILLED = 15.0  # seconds in which the figures come into a table that is there already
TELEPHONE = re.compile(r"(?<!\d)(?:1[ .-]?)?\(?(\d{3})\)?[ .-]?(\d{3})[ .-]?(\d{4})(?!\d)")
LOADING = re.compile(r"[\s.\u2026]*|.*\b(loading|please wait)\b.*", re.I)
LONGEST_NAME = 300  # characters
# Of each account that can be opened, the text of its row, or else what its link calls.
READ_ACCOUNTS = 'links => links.map(link => link.closest("tr")?.innerText ?? link.getAttribute("onclick"))'
# Of each row of lines, the texts of its cells, and id and text of its figure.
READ_ROWS = """() => [...document.querySelectorAll("tr.odd, tr.even")]
  .filter(row => row.checkVisibility() && !row.closest(".extract-table-body"))
  .map(row => {
    const used = row.querySelector("[id^=spanUsage_]");
    return [[...row.cells].map(cell => cell.contains(used) ? "" : cell.innerText.trim()), used?.id ?? "", used?.innerText.trim() ?? ""];
  })"""
# Of the list of lines, of which no fact says how it is drawn, the text of each entry.
READ_LISTED = """() => [...document.querySelectorAll("tr, li, [role=row], [role=listitem]")]
  .filter(entry => entry.checkVisibility()).map(entry => entry.innerText)"""
FIGURES = ("tr.odd [id^=spanUsage_]", "tr.even [id^=spanUsage_]")
Row = tuple[list[str], str, str]  # texts of the cells, id and text of the figure


async def choose_account(page: PortalPage) -> None:
    """Open the usage of the job's account; raise WrongAccount where it is not offered, or another one is open."""
    account = page.job.target.account
    page.begin("choose the account")
    await page.type(SEARCH, account, pause=KEY_PAUSE)
    own = f"{SUGGESTION}:has(.rowName{saying(account)}, .rowName {saying(account)}) a.buttongray"
    if await page.arrives((own,)) is None:
        raise not_listed(page.trail.step)
    await page.click((own,))
    links = f"{ACCOUNTS} {OPEN}"
    await page.find((links,))
    await page.is_at_rest(FILLED)  # the table of an account chosen before may be shown still
    offered = await page.scope.locator(links).evaluate_all(READ_ACCOUNTS)
    fitting = of_account(list(enumerate(offered)), account)
    if len(fitting) != 1:
        raise PortalChanged(f"The account is listed {len(fitting)} times.", step=page.trail.step, selector=links)
    await page.click((f"{links} >> nth={fitting[0][0]}",))
    await page.click(TRACKING)
    await page.find(GROUP)
    page.begin("read the account back")
    await confirm_account(page, account, is_chosen=True)


async def read_usage(page: PortalPage) -> list[UsageLine]:
    """
    Select the lines of all pages of the shared group, and return what the table of their usage shows.

    Raises PortalChanged where it shows none, Incomplete where it shows none of a page that was selected, and WrongAccount where
    it is of another account. The job gets a warning for other lines that it does not show.
    """
    page.begin("list the lines")
    await page.click(GROUP)
    await page.find(SELECT_PAGE)
    pages: list[set[str]] = []

    async def numbers() -> tuple[str, ...]:
        return tuple(dict.fromkeys(telephones(await run_script(page.raw, READ_LISTED))))

    async def shown() -> tuple[object, ...]:  # of a page; no fact says how its lines are drawn
        return *await numbers(), await page.scope.locator("#mypagination").all_inner_texts()

    async def is_answered() -> bool:  # a page that is left before may not be selected
        return not page.trail.is_busy(page.trail.acted)

    async for _ in each_page(page, shown, FOLLOWING, LAST):
        pages.append(set(await numbers()))
        await page.click(SELECT_PAGE)
        await until(is_answered, FILLED)
    page.begin("read the usage")
    await page.click(VIEW)
    listed = set().union(*pages)
    found = await _read_pages(page, listed)
    if not found:
        raise PortalChanged("The table shows the usage of no line.", step=page.trail.step)
    if without := _pages_without(pages, {line.number for line in found}):
        raise Incomplete(f"The table shows no line of {without} pages that were selected.", step=page.trail.step)
    if missing := listed - {line.number for line in found}:
        page.job.warn(
            f"The table shows {len(found)} lines; {len(missing)} of the {len(listed)} that are listed are not there."
        )
    if unclear := sum(line.used is None for line in found):
        page.job.warn(f"The usage of {unclear} of {len(found)} lines is not understood, and unknown.")
    page.begin("read the account of the table back")
    await confirm_account(page, page.job.target.account, is_chosen=True)
    return found


def _pages_without(pages: Sequence[set[str]], shown: Collection[str]) -> int:
    """
    Return how many pages of listed numbers have none that is shown; numbers that several pages have do not count.

    >>> _pages_without([{"1", "0"}, {"2", "3", "0"}, {"0"}], {"0", "3"})
    1
    """
    times = Counter(number for numbers in pages for number in numbers)
    own = [{number for number in numbers if times[number] == 1} for numbers in pages]
    return sum(bool(numbers) and numbers.isdisjoint(shown) for numbers in own)


async def _rows(page: PortalPage) -> list[Row]:
    return [(cells, figure, said) for cells, figure, said in await run_script(page.raw, READ_ROWS)]


async def _read_pages(page: PortalPage, listed: set[str]) -> list[UsageLine]:
    """Read the table of usage, and its further pages until all listed lines are there or none comes any more."""
    found: dict[str, UsageLine] = {}
    while True:
        before = len(found)
        for row in await _filled(page):
            if (line := line_of(*row)) is not None:
                found.setdefault(line.number, line)
        is_whole = bool(listed) and listed <= set(found)
        if is_whole or len(found) == before or not await page.shown(FOLLOWING):
            return list(found.values())
        await page.click(FOLLOWING)


async def _filled(page: PortalPage) -> list[Row]:
    """Return the rows of the table of usage once their figures are there, or the time for that is over."""
    rows: list[Row] = []

    async def are_filled() -> bool:
        rows[:] = await _rows(page)
        return not any(figure and LOADING.fullmatch(said) for _, figure, said in rows)

    await page.arrives(FIGURES)
    await page.is_at_rest(FILLED)
    await until(are_filled, FILLED)
    return rows


def telephones(cells: Sequence[str]) -> list[str]:
    """
    Return the digits of the telephone numbers in some texts, without the country's.

    >>> telephones(["Ann Birch", "1 (416) 555-0100", "4165550101", "22345678901"])
    ['4165550100', '4165550101']
    """
    return ["".join(found) for cell in cells for found in TELEPHONE.findall(cell)]


def line_of(cells: Sequence[str], figure: str, said: str) -> UsageLine | None:
    """
    Return what a row says of a line; None for a row that is of none.

    cells: texts of its cells. figure: id of the element with the used data, which ends with the line's digits. said: its text.
    The name is in the last filled cell before the number. What is not an amount of data with its unit is unknown.

    >>> line_of(["", "Ann Birch", "416-555-0100", ""], "spanUsage_4165550100", "1.5 GB")
    UsageLine(name='Ann Birch', number='4165550100', used=1610612736, said='1.5 GB')
    >>> line_of(["Pool", "", ""], "spanUsage_pooled", "9 GB")
    """
    number = telephones([figure.rpartition("_")[2]])
    place = next((at for at, cell in enumerate(cells) if number and telephones([cell]) == number), None)
    if place is None:
        return None
    name = known(next((cell for cell in reversed(cells[:place]) if cell), ""))
    said = " ".join(said.split())
    try:
        used = data_size(said, LOCALE)
    except ValueError:
        used = None
    return UsageLine(name if 0 < len(name) <= LONGEST_NAME else None, number[0], used, said)

"""Templates of reports: their tabs and filters, which the portal resets after each run, and the menus that run them."""

from __future__ import annotations

from datetime import date
from functools import partial

from scrapers.core.locators import same
from scrapers.core.outcomes import PortalChanged
from scrapers.core.page import PortalPage, Selectors, until
from scrapers.core.panels import choose_in_panel, said_by
from scrapers.core.periods import month_missing, names_month
from scrapers.portals.tmobile.dialogs import DIALOG, RELOAD, close_dialogs, reload_reports, with_reload
from scrapers.portals.tmobile.hierarchy import HIERARCHY, choose_account, other_hierarchy, shows_account

REPORTING = ("#mat-expansion-panel-header-3:has-text('Reporting')", "says=Reporting", "#mat-expansion-panel-header-3")
BILLING_TAB, OTHER_TAB = ("says=Billing templates",), ("says=Other templates",)
BILLING_GROUP, OTHER_GROUP = ("says=Billing & Statements",), ("says=Equipment templates",)
PERIOD = (
    "#mat-select-0:not([name=hierarchyLevel])",
    "mat-select[placeholder='Select billing period']",
    "mat-select:has-text('Select billing period')",
    "mat-select:not([name=hierarchyLevel])",
)
MORE = ":text-is('more_vert'):visible"
RUN = ("says=Run as is",)
TRIES = 3  # a choice may reset another one
FILLED = 15.0  # seconds in which the filters are filled
GROUP_OPENS = 3.0  # seconds in which an accordion shows its templates
CONFIRMED = 60.0  # seconds in which the portal says that it has begun to make a report
# Of each menu that is shown, the lines of its row: of the largest element in its panel that holds no other menu.
ROWS = """menus => menus.map(menu => {
  let row = menu;
  const others = node => menus.some(other => other !== menu && node.contains(other));
  while (row.parentElement && row.parentElement !== document.body && !others(row.parentElement)
    && !row.matches("mat-expansion-panel, mat-accordion, table, main")) row = row.parentElement;
  return row.innerText.split(/[\\n\\t]+/).map(line => line.replace(/\\bmore_vert\\b/g, "").trim()).filter(line => line);
})"""


async def open_tab(page: PortalPage, tab: Selectors) -> None:
    """Open a tab of the reports, from any page; again where the portal's error or a dialog comes in between."""
    await with_reload(page, partial(_to_tab, page, tab))


async def _to_tab(page: PortalPage, tab: Selectors) -> None:
    await reload_reports(page)
    await close_dialogs(page)
    if not await page.shown(tab):
        await page.click(REPORTING)
        if await page.arrives((*tab, *RELOAD)) in RELOAD:
            await reload_reports(page)
    await page.click(tab)
    await page.is_at_rest(FILLED)
    await reload_reports(page)


async def choose_period(page: PortalPage, end: date, today: date) -> None:
    """Choose the billing period of a month and read it back; raises NotYetPublished or NoLongerAvailable where it is not offered."""

    def which(offered: list[str]) -> int:
        fits = [place for place, text in enumerate(offered) if names_month(text, end) == 2]
        if not fits:
            raise month_missing(end, offered, today)
        if len(fits) > 1:
            raise PortalChanged(f"{end:%B %Y} is offered {len(fits)} times.")
        return fits[0]

    page.begin("choose the billing period")
    await choose_in_panel(page, PERIOD, which)


async def set_filters(page: PortalPage, end: date | None, today: date) -> None:
    """
    Choose the job's account, and a billing month where the tab has periods (end), until both are shown together.

    Raises PortalChanged where one choice resets the other.
    """
    control, label = HIERARCHY if end is not None else await other_hierarchy(page), ""
    for _ in range(TRIES):
        if end is not None and not await shows_period(page, end):
            await choose_period(page, end, today)
        if not await shows_account(page, control, label):
            label = await choose_account(page, control)
        if (end is None or await shows_period(page, end)) and await shows_account(page, control, label):
            return
    raise PortalChanged("Period and account do not stay together.", step=page.trail.step)


async def shows_period(page: PortalPage, end: date) -> bool:
    """Return whether the filter shows a month and no other one."""
    return names_month(await said_by(page, PERIOD), end) == 2


async def open_menu(page: PortalPage, group: Selectors, template: str) -> None:
    """Open the menu of a template, in its group of the accordion."""
    page.begin(f"open the menu of {template}")

    async def place() -> int | None:
        rows: list[list[str]] = await page.scope.locator(MORE).evaluate_all(ROWS)
        # The whole name: others begin with it, and would be made in the place of one that is missing.
        places = [at for at, lines in enumerate(rows) if any(same(template, line) for line in lines)]
        if len(places) > 1:
            raise PortalChanged(f"{template} is listed {len(places)} times.", step=page.trail.step)
        return places[0] if places else None

    async def is_there() -> bool:
        return await place() is not None

    for _ in range(2):  # one that is open and whose templates come late is closed by the first click
        if not await is_there():
            await page.click(group)
            await until(is_there, GROUP_OPENS)
    if (at := await place()) is None:
        raise PortalChanged(f"{template} is not listed.", step=page.trail.step, selector=MORE)
    await page.click((f"{MORE} >> nth={at}",))
    await page.find(RUN)


async def was_confirmed(page: PortalPage) -> bool:
    """Wait until the portal confirms that it makes a report, and close what says so; return whether it came, and was no error."""

    async def is_told() -> bool:
        return await page.shown((*RELOAD, *DIALOG)) is not None

    page.begin("wait for the confirmation")
    if not await until(is_told, CONFIRMED):
        return False
    is_error = await reload_reports(page)
    await close_dialogs(page)
    return not is_error

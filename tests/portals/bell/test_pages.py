"""Bell's spiders on pages of a few lines that are drawn as the fact sheet allows, and not as the sandbox draws them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from scrapers.core.outcomes import PortalChanged, WrongAccount
from scrapers.core.page import PortalPage
from scrapers.families.carriers.ordered import Entry, listed
from scrapers.families.carriers.spiders import CarrierTarget
from scrapers.portals.bell import self_serve, workbooks
from scrapers.portals.bell.enterprise_login import REFUSED
from scrapers.portals.bell.ereports import BellEreports
from scrapers.portals.bell.monthly_reports import BellMonthlyReports
from tests.pages import make_haste

pytestmark = pytest.mark.browser
OURS, OTHER = "533122906", "533122907"
TODAY = date(2026, 11, 20)
TARGET = CarrierTarget(account_id=1, account=OURS, billing_cycle_id=2, start=date(2026, 10, 1), end=date(2026, 10, 31))
COST, USAGE, *_ = BellMonthlyReports.reports


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """These pages do all at once."""
    make_haste(monkeypatch)
    monkeypatch.setattr("scrapers.portals.bell.workbooks.KEPT", 0.5)


# Notifications


def entries(run: Any, *notes: str) -> list[Entry]:
    """Return what is read of a list of notifications about the cost overview."""
    items = "".join(f'<li class="kt-notifi-li">{note}</li>' for note in notes)
    body = f'<div id="m_quick_sidebar_notification-wrap"><div><div><ul>{items}</ul></div></div></div>'
    found: list[Entry] = run(body, lambda page: BellMonthlyReports().entries(page, COST), target=TARGET)
    return found


def note(name: str, beside: str = "", age: str = "a minute ago", icon: str = "line-download") -> str:
    said = f'<span class="ng-star-inserted"><b>Export</b> of <b>{name}</b>{beside}</span>'
    return f'{said}<div class="kt-notifi-time">{age}</div><em class="{icon}">v</em><em class="line-close">x</em>'


def test_a_notification_that_names_neither_account_nor_month_may_be_ours(run):
    (entry,) = entries(run, note("Cost Overview Report"), note("Usage Overview Report"))
    assert (entry.is_ready, entry.age, entry.is_stated) == (True, 45, False)


@pytest.mark.parametrize("name", ["COST\u00a0OVERVIEW REPORT", "Cost Overview Report v2.xlsx", "Cost Overview"])
def test_a_notification_names_its_report_in_any_spelling(run, name):
    assert len(entries(run, note(name))) == 1


@pytest.mark.parametrize(
    ("beside", "is_stated"),
    [
        (f" for {OURS}, Oct 2026", True),
        (f" for {OURS[:3]} {OURS[3:6]} {OURS[6:]}, October 2026", True),
        (f" of account {OURS}", False),
        (" ordered on Nov 20, 2026", False),
        (" ordered on 2026-11-20, request 12345678", False),
    ],
)
def test_what_a_notification_says_beside_its_name_may_be_anything(run, beside, is_stated):
    (entry,) = entries(run, note("Cost Overview Report", beside))
    assert entry.is_stated == is_stated


@pytest.mark.parametrize("beside", [f" for {OTHER}, Oct 2026", f" for {OURS}, Sep 2026", f" of account {OTHER}"])
def test_a_notification_that_names_another_account_or_month_is_another_s(run, beside):
    assert entries(run, note("Cost Overview Report", beside)) == []


def test_a_report_without_its_icon_is_waited_for_unless_it_is_said_to_have_failed(run):
    making, failed = entries(
        run,
        note("Cost Overview Report", " is being made", icon="x"),
        note("Cost Overview Report", " has failed", icon="x"),
    )
    assert (making.is_ready, making.failed) == (False, False)
    assert (failed.is_ready, failed.failed) == (False, True)


def test_an_empty_list_is_no_unknown_page(run):
    bell = '<ul><li class="kt-notification-content"><span aria-label="Notification">B</span></li></ul>'
    body = f'{bell}<div id="m_quick_sidebar_notification-wrap"><div><div><ul></ul></div></div></div>'
    assert run(body, lambda page: BellMonthlyReports().entries(page, COST), target=TARGET) == []


# Workbooks

MONTHS = "<ul>{}</ul>".format(
    "".join(
        f'<li onclick="shown.textContent=this.textContent"><span class="singleselect-dropdown-item">{month}</span></li>'
        for month in ("Sep 2026", "Oct 2026 (final)")
    )
)
PANEL = """<div id="wb-sheet-container"><div><div><div></div><div>{}</div></div></div></div>"""
MONTH = f'<div><span class="filter-title-ellipsis">INVOICE MONTH (1)</span><div class="c-btn" id=shown>Sep 2026</div>{MONTHS}</div>'
ACCOUNT = '<div><span class="filter-title-ellipsis">Account number(s)</span><p>{}</p></div>'
APPLY = "<button id=filter_apply_btn onclick=\"document.body.dataset.applied='yes'\">Apply</button>"


def test_a_workbook_that_cannot_apply_by_itself_is_applied(run):
    async def act(page: PortalPage) -> Any:
        await workbooks.choose_month(page, TODAY)
        return await page.raw.evaluate("[shown.textContent, document.body.dataset.applied]")

    body = PANEL.format(MONTH + ACCOUNT.format("All") + APPLY)
    assert run(body, act, target=TARGET) == ["Oct 2026 (final)", "yes"]


@pytest.mark.parametrize("shown", [OURS, "533 122 906", f"Account {OURS}"])
def test_an_account_that_its_section_shows_is_not_chosen_again(run, shown):
    body = PANEL.format(MONTH + ACCOUNT.format(shown)) + f"<p>{OTHER}</p>"
    run(body, workbooks.choose_account, target=TARGET)  # without a menu


def menu(shown: str, after: str) -> str:
    """Return a workbook whose section shows one text, and another one after the choice of the account."""
    ticks = "".join(f"<div><span class=filter-item-label>{number}</span></div>" for number in ("533 122 906", OTHER))
    column = f"""<table><tr><th class="x Accountnumber"><span class="menu-toggle-btn"
      onclick="document.querySelector('table-column-menu').hidden=false">:</span></th></tr></table>
    <table-column-menu hidden><label><input type=checkbox checked> Select all</label><input placeholder="Search...">{ticks}
    <button onclick="document.querySelector('p').textContent='{after}'">OK</button></table-column-menu>"""
    return PANEL.format(MONTH + ACCOUNT.format(shown)) + column


def test_a_table_of_several_accounts_is_not_exported(run):
    """Where the section says nothing, the column of the table does."""
    rows = "".join(f"<tr><td>{number}</td></tr>" for number in (OURS, OTHER))
    with pytest.raises(WrongAccount):
        run(
            menu("All", "All").replace("</tr></table>", f"</tr>{rows}</table>"), workbooks.choose_account, target=TARGET
        )


@pytest.mark.parametrize("after", [OURS, "1 of 2", "533-122-906"])
def test_an_account_is_chosen_where_the_page_says_so_or_says_nothing(run, after):
    run(menu("All", after), workbooks.choose_account, target=TARGET)


def test_another_account_than_the_chosen_one_is_refused(run):
    with pytest.raises(WrongAccount):
        run(menu("All", OTHER), workbooks.choose_account, target=TARGET)


@pytest.mark.parametrize(
    "card",
    [
        '<div class="ws-grid__item"><div class="ws-grid__item__description">COST OVERVIEW REPORT v2</div></div>',
        '<div class="ws-grid__item" aria-label="Workbook: cost overview report">x</div>',
    ],
)
def test_a_card_is_opened_by_what_it_contains(run, card):
    opened = f"ondblclick=\"document.getElementById('book').hidden=false\"{card.replace('<div', ' ', 1)}"
    body = f"""<app-aside-left><ul><li>a<li>b<li>c</ul></app-aside-left><p-treenode>Mine</p-treenode>
    <p-treenode>Shared with me</p-treenode><div id=ws-grid__appfolder_0>Folder</div><div {opened}
    <div id=book hidden>{PANEL.format(MONTH)}</div>"""
    run(body, lambda page: workbooks.open_workbook(page, COST.name), target=TARGET)


# Self Serve


def table(*rows: str) -> str:
    return f"<section id=dataContainer><table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table></section>"


BOX = "<td data-selection><span class='input-checkbox-representation' onclick=\"document.body.dataset.took='{}'\">o</span></td>"


@pytest.mark.parametrize("cell", ["<td>{}</td>", "<td><b>BAN {}</b></td>", "<td data-table-col=banId>{}</td>"])
def test_a_row_is_found_by_its_account(run, cell):
    rows = [
        BOX.format("parent") + cell.format(OTHER) + f"<td>Parent account {OURS}</td>",
        BOX.format("ours") + cell.format(OURS),
    ]
    body = (
        table(*rows)
        + f"<button onclick='done.hidden=false; dataContainer.hidden=true'>Continue</button><p id=done hidden>Account {OURS}</p>"
    )

    async def act(page: PortalPage) -> Any:
        await self_serve.choose_account(page, OURS, ("#done",))
        return await page.raw.evaluate("document.body.dataset.took")

    assert run(body, act, target=TARGET) == "ours"


def found_by_search(label: str, after: str) -> str:
    return f"""<account-selection-global-search><input><button onclick='found.hidden=false'>Go</button>
    <p id=found hidden><label><input type=radio>{label}</label></p>
    <button onclick='done.hidden=false'>Continue</button></account-selection-global-search><p id=done hidden>{after}</p>"""


@pytest.mark.parametrize("label", [OURS, "533 122 906 Head office", "\u2022\u2022\u2022\u2022\u2022 2906", "*****906"])
def test_what_the_search_finds_may_be_masked(run, label):
    body = found_by_search(label, f"Account {OURS}")
    run(body, lambda page: self_serve.choose_account(page, OURS, ("#done",)), target=TARGET)


@pytest.mark.parametrize(
    ("after", "failure"), [("Complete invoice", PortalChanged), (f"Account {OTHER}", WrongAccount)]
)
def test_an_account_that_is_masked_is_proved_by_the_next_page(run, after, failure):
    body = found_by_search("***** 2906", after)
    with pytest.raises(failure):
        run(body, lambda page: self_serve.choose_account(page, OURS, ("#done",)), target=TARGET)


# E-reports


def statuses(run: Any, *rows: str) -> list[tuple[bool, bool, bool]]:
    """Return for each row about the cost overview whether it is ready, stated and named."""
    form = "<table><tr><td>Report<td><select><option>Cost Overview</select></table>"
    body = form + "<table>{}</table>".format("".join(f"<tr>{row}</tr>" for row in rows))

    async def act(page: PortalPage) -> list[tuple[bool, bool, bool]]:
        found = await listed(page, "body", BellEreports.reports[0], BellEreports.reports, TARGET.months)
        return [(entry.is_ready, entry.is_stated, entry.is_named) for entry in found]

    read: list[tuple[bool, bool, bool]] = run(body, act)
    return read


@pytest.mark.parametrize("name", ["1. COST\u00a0OVERVIEW (Excel)", "Cost  Overview \u2013 Oct 2026"])
def test_a_row_of_the_status_table_names_its_report_among_other_words(run, name):
    assert statuses(run, f"<td><a href=#>{name}</a><td>Done", "<td>Usage Overview<td>Done") == [(True, False, True)]


def test_rows_that_name_no_report_are_told_by_their_order(run):
    assert statuses(run, "<td>Request 2<td>", "<td><a href=#>Request 1</a><td>") == [
        (False, False, False),
        (True, False, False),
    ]


def test_the_reports_tab_may_take_longer_than_a_page(run, monkeypatch):
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "1")
    slow = "<a href=# onclick=\"setTimeout(() => window.open('about:blank'), 2000)\">Enhanced Mobility Reports</a>"

    async def act(page: PortalPage) -> str:
        async with page.new_tab(("says=Enhanced Mobility Reports",), within=30) as tab:
            return tab.raw.url

    assert run(slow, act) == "about:blank"


@pytest.mark.parametrize(
    ("said", "is_refused"),
    [
        ("<p>The user name or password is incorrect. Please try again.</p>", True),
        ("<em>Invalid credentials</em>", True),
        ("<p>Something went wrong. Reset your password later.</p>", False),
        ("<p>Invalid request</p>", False),
        ("", False),
    ],
)
def test_a_refused_password_is_seen_where_no_alert_says_so(run, said, is_refused):
    form = "<form><label>Password <input id=Password type=password></label></form>"

    async def act(page: PortalPage) -> Any:
        return await page.shown(REFUSED)

    assert bool(run(form + f"<div>{said}</div>", act)) == is_refused

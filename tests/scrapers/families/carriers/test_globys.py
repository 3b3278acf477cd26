"""The shared billing product on pages of a few lines, drawn as the fact sheet allows: what is chosen is read back, or refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from scrapers.core.outcomes import NoLongerAvailable, NotListed, NotYetPublished, PortalChanged, WrongAccount
from scrapers.core.page import PortalPage
from scrapers.families.carriers import globys
from scrapers.families.carriers.globys import Globys
from scrapers.families.carriers.spiders import CarrierTarget
from tests.pages import make_haste

pytestmark = pytest.mark.browser
OURS, OTHER, NAMESAKE = "287301234567", "287301234568", "2873012345671"
TODAY = date(2026, 11, 20)
TARGET = CarrierTarget(account_id=1, account=OURS, billing_cycle_id=2, start=date(2026, 10, 1), end=date(2026, 10, 31))


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """These pages do all at once."""
    make_haste(monkeypatch)
    monkeypatch.setattr(globys, "KEPT", 0.5)
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "4")


def product(run: Any, body: str, act: str, *arguments: Any) -> Any:
    """Run a method of the product on a page, and return what its script has kept in `done`."""

    async def call(page: PortalPage) -> Any:
        await getattr(Globys(page, TODAY), act)(*arguments)
        return await page.raw.evaluate("window.done ?? null")

    return run(body, call, target=TARGET)


# The scope of accounts


def scope(shown: str, *listed: str, after: str = "") -> str:
    """Return a page whose scope says *shown*, lists accounts, and says *after* (or what was clicked) after OK."""
    items = "".join(f"<li onclick=\"picked='{each}'\"><span>{each} Example Ltd</span></li>" for each in listed)
    return f"""<script>var picked = "", done = []</script>
    <button id=LevelDataDropdownButton onclick="levels.hidden=false">{shown}</button>
    <ul id=levels hidden><li id=LevelDataDropdownList_multipleaccounts onclick="scopeExpandedAccountMenu.hidden=false">Accounts</li></ul>
    <div id=scopeExpandedAccountMenu hidden><div><div><div></div><div><input onkeyup="done.push(this.value)"></div></div></div>
    <div></div><div><ul>{items}</ul></div>
    <div><button onclick="LevelDataDropdownButton.textContent='{after}'||picked; scopeExpandedAccountMenu.hidden=true">OK</button></div></div>"""


@pytest.mark.parametrize("shown", [OURS, "2873-0123-4567", f"Account: {OURS} Example Ltd"])
def test_an_account_that_the_scope_shows_is_not_chosen_again(run, shown):
    assert product(run, f"<button id=LevelDataDropdownButton>{shown}</button>", "choose_account") is None


@pytest.mark.parametrize("listed", [(OTHER, OURS), (NAMESAKE, OURS), (OURS,)])
def test_the_account_is_chosen_by_its_number_wherever_it_stands(run, listed):
    assert product(run, scope(OTHER, *listed), "choose_account")[-1] == OURS


@pytest.mark.parametrize("listed", [(OTHER,), (NAMESAKE, OTHER)])
def test_an_account_that_is_not_listed_is_a_wrong_account(run, listed):
    with pytest.raises(WrongAccount, match="does not list"):
        product(run, scope("All accounts", *listed), "choose_account")


@pytest.mark.parametrize("after", [OTHER, "All accounts", "2 accounts", f"{OURS}, {OTHER}"])
def test_a_filter_that_shows_anything_else_is_a_wrong_account(run, after):
    with pytest.raises(WrongAccount, match="another account"):
        product(run, scope(OTHER, OURS, OTHER, after=after), "choose_account")


def test_a_filter_that_forgets_the_account_is_noticed_where_a_report_is_opened(run):
    body = scope(OTHER, OURS) + accordion("Bill summary", "All charges")
    with pytest.raises(WrongAccount, match="another account"):
        product(run, body, "view", "Bill summary", ("All charges",))


# Months


def period(*options: tuple[str, str], shown: str = "Choose", keeps: bool = True) -> str:
    """Return a page with the filter of months."""
    offered = "".join(f"<option value={value}>{text}" for value, text in options)
    kept = "CIDPendingDataDropdownButton.textContent=bmtype_data.selectedOptions[0].label" if keeps else ""
    return f"""<button id=CIDPendingDataDropdownButton onclick="box.hidden=false">{shown}</button>
    <div id=box hidden><select id=bmtype_data>{offered}</select>
    <button id=btnApply onclick="window.done=bmtype_data.value; {kept}">Apply</button></div>"""


SEPTEMBER, OCTOBER = ("c20260901", "September 2026 bills"), ("c20261001", "October 2026 bills")


def test_a_month_is_chosen_by_the_beginning_of_its_value(run):
    body = period(("b20261020", "October 2026 usage"), SEPTEMBER, OCTOBER)
    assert product(run, body, "choose_month", "c") == "c20261001"
    assert product(run, body, "choose_month", "b") == "b20261020"


@pytest.mark.parametrize(
    ("options", "failure"),
    [
        ((SEPTEMBER,), NotYetPublished),
        ((("c20261101", "November 2026 bills"),), NoLongerAvailable),
        ((("b20261020", "October 2026"), SEPTEMBER), NotYetPublished),
    ],
)
def test_a_month_that_is_not_offered_has_its_own_outcome(run, options, failure):
    with pytest.raises(failure):
        product(run, period(*options), "choose_month", "c")


@pytest.mark.parametrize("shown", ["September 2026 bills", "Choose", "October 2026 and September 2026"])
def test_a_month_that_is_not_kept_is_no_report(run, shown):
    with pytest.raises(PortalChanged, match="another month"):
        product(run, period(SEPTEMBER, OCTOBER, shown=shown, keeps=False), "choose_month", "c")


# Reports


def accordion(section: str, *names: str, is_open: bool = True, before: str = "") -> str:
    """Return a section of reports, of which each writes down its name."""
    buttons = "".join(
        f'<button name=ViewReport onclick="window.done=this.innerText; go.hidden=false"><span>{name}</span></button>'
        for name in names
    )
    return f"""<div id=accordion>{before}<div class=panel-reports>
    <h4 class=panel-title onclick="document.getElementById('body').hidden=false"><span>{section}</span></h4>
    <div id=body {"" if is_open else "hidden"}>{buttons}</div></div></div><p id=go hidden><button id=export>Export</button></p>"""


SHOWN = f"<button id=LevelDataDropdownButton>{OURS}</button>"
BOTH = ("All wireless charges and usage (GB usage)", "All wireless charges and usage")


@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize(
    ("offered", "opened"),
    [
        (BOTH, BOTH[0]),
        (BOTH[::-1], BOTH[0]),
        (BOTH[1:], BOTH[1]),
        ((f"{BOTH[1]} by user", "ALL WIRELESS\u00a0CHARGES AND USAGE"), "ALL WIRELESS CHARGES AND USAGE"),
    ],
)
def test_of_several_names_the_first_that_exists_is_opened(run, is_open, offered, opened):
    body = SHOWN + accordion("Wireless number summary", *offered, is_open=is_open)
    said = product(run, body, "view", "Wireless number summary", BOTH)
    assert " ".join(said.split()) == opened


def test_a_report_of_the_same_name_in_another_section_is_not_opened(run):
    before = """<div class=panel-reports><h4 class=panel-title><span>Usage</span></h4>
    <button name=ViewReport onclick="window.done='wrong'">All charges</button></div>"""
    body = SHOWN + accordion("Bill summary", "All charges", is_open=False, before=before)
    assert product(run, body, "view", "Bill summary", ("All charges",)) == "All charges"


def test_a_name_that_only_contains_the_report_is_another_report(run):
    with pytest.raises(NotListed):
        product(run, SHOWN + accordion("Bill summary", "All charges by user"), "view", "Bill summary", ("All charges",))


# Bills


def bills(*rows: str, dialog: str = OURS, said: str = "") -> str:
    """Return a list of bills with a dialog of documents. said: what it says in place of rows."""
    lines = "".join(
        f"<tr><td>{row}</td><td><button class=doc onclick=\"window.done='{number}'; bdfModal.hidden=false\">Open</button></td></tr>"
        for number, row in enumerate(rows)
    )
    return f"""<table id=DataTable><tr><th>Account</th></tr>{lines}<tr><td>{said}</td></tr></table>
    <div id=bdfModal hidden><p>{dialog}</p><a id=kind href="data:application/pdf,x" download=bill.pdf>Standard bill</a></div>"""


def opened(run: Any, body: str, shown: str = "#kind") -> Any:
    async def act(page: PortalPage) -> Any:
        page.raw.set_default_timeout(3000)
        fetched = await Globys(page, TODAY).bill("button.doc", (shown,))
        return fetched.part.name, await page.raw.evaluate("done"), fetched.listed

    return run(body, act, target=TARGET)


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ((f"{OTHER} Oct 2026", f"{OURS} Oct 2026"), "1"),
        ((f"{OURS} September 2026", f"{OURS} October 2026"), "1"),
        (("one bill that says nothing",), "0"),
    ],
)
def test_the_bill_is_that_of_account_and_month_whatever_comes_first(run, rows, place):
    assert opened(run, bills(*rows))[:2] == ("bill.pdf", place)


@pytest.mark.parametrize(
    ("rows", "failure"),
    [
        ((f"{OTHER} Oct 2026",), WrongAccount),
        ((f"{OURS} Sep 2026",), NotYetPublished),
        ((f"{OURS} Nov 2026",), NoLongerAvailable),
        ((f"{OURS} Oct 2026", f"{OURS} Oct 2026, corrected"), PortalChanged),
        ((), PortalChanged),
    ],
)
def test_a_list_without_the_bill_brings_none(run, rows, failure):
    with pytest.raises(failure):
        opened(run, bills(*rows))


def test_a_list_that_says_that_it_is_empty_is_believed(run):
    with pytest.raises(NotYetPublished):
        opened(run, bills(said="No data available in table"))


@pytest.mark.parametrize("shown", ["#kind", f"#bdfModal:has-text('{OURS}') #kind"])
def test_documents_of_another_account_are_not_downloaded(run, shown):
    with pytest.raises(WrongAccount, match="documents"):
        opened(run, bills(f"{OURS} Oct 2026", dialog=f"Account {OTHER}"), shown)


HEADED = ("Account", "Invoice No.", "Bill date", "Due date", "Total due", "")


@pytest.mark.parametrize(
    ("heads", "listed"),
    [
        (HEADED, {"number": "T 77", "issued": "2026-11-01", "total": "$15.20"}),
        ((*HEADED[:3], "Amount", "Total", ""), {"number": "T 77", "issued": "2026-11-01"}),
        (("Account", "No.", "Period", "Status", "Balance forward", ""), {}),
        (HEADED[:3], {}),
    ],
)
def test_what_the_list_shows_of_a_bill_is_returned_by_its_headings(run, heads, listed):
    row = f"{OURS}</td><td>T 77</td><td>2026-11-01</td><td>2026-11-22</td><td>$15.20"
    body = bills(f"{OTHER} Oct 2026", row).replace(
        "<tr><th>Account</th></tr>", f"<thead><tr>{''.join(f'<th>{each}</th>' for each in heads)}</tr></thead>"
    )
    assert opened(run, body)[1:] == ("1", listed)

"""Telus's spiders on pages of a few lines that are drawn as the fact sheet allows, and not as the sandbox draws them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from scrapers.core.outcomes import NoLongerAvailable, NotYetPublished, PortalChanged, WrongAccount
from scrapers.core.page import PortalPage
from scrapers.families.carriers.ordered import Entry
from scrapers.families.carriers.spiders import CarrierTarget
from scrapers.portals.telus import iq, my_telus
from scrapers.portals.telus.iq import Iq
from scrapers.portals.telus.login import MyTelus
from scrapers.portals.telus.monthly_reports import TelusMonthlyReports
from tests.pages import make_haste

pytestmark = pytest.mark.browser
OURS, OTHER = "38319713", "38319714"
TARGET = CarrierTarget(account_id=1, account=OURS, billing_cycle_id=2, start=date(2026, 10, 1), end=date(2026, 10, 31))
DONE = ("#done",)


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """These pages do all at once."""
    make_haste(monkeypatch)
    monkeypatch.setattr(iq, "KEPT", 0.6)
    monkeypatch.setattr(TelusMonthlyReports, "today", classmethod(lambda cls: date(2026, 11, 20)))


# The overview


@pytest.mark.parametrize(
    ("body", "opens"),
    [
        ("<div data-testid=generic-card-dropdown-button>Bill Options</div>", []),
        ("<h1>Usage</h1>", ["about:blank"]),
    ],
    ids=["shown", "another page is drawn at its address"],
)
def test_the_overview_is_opened_unless_it_is_shown(run, monkeypatch, body, opens):
    opened: list[str] = []

    async def note(_self: PortalPage, url: str) -> None:
        opened.append(url)

    monkeypatch.setattr(MyTelus, "address", classmethod(lambda cls: "about:blank"))
    monkeypatch.setattr(PortalPage, "open", note)
    run(body, my_telus.go_home)
    assert opened == opens


# The account


def cards(*numbers: str) -> str:
    """Return the page that asks for the account; a click on a card opens it."""
    opened = "document.body.innerHTML = '<main id=done>Account #' + this.dataset.number + '</main>'"
    each = '<div data-testid="account-card-north-star" data-number={0} onclick="{1}">Account {0}</div>'
    return "<h1>Find your account</h1>" + "".join(each.format(number, opened) for number in numbers)


def opened(number: str, change: str = "") -> str:
    """Return the page of an account. change: a link in it."""
    return f"<main id=done><span>Account #{number}</span>{change}</main>"


def choose(run: Any, body: str) -> list[str]:
    """Choose the account on a page; return the warnings."""

    async def act(page: PortalPage) -> list[str]:
        await my_telus.choose_account(page, DONE)
        return list(page.job.warnings)

    warnings: list[str] = run(body, act, target=TARGET)
    return warnings


def change_to(*numbers: str) -> str:
    """Return the link that leads to the page that asks for the account."""
    asked = cards(*numbers).replace('"', "&quot;").replace("'", "\\'")
    return f"<a href=# onclick=\"document.body.innerHTML = '{asked}'\">Change</a>"


def test_the_account_s_card_is_chosen(run):
    assert choose(run, cards(OTHER, OURS)) == []


def test_the_account_that_is_open_is_kept(run):
    assert choose(run, opened(OURS, "<a href=#>Change</a>")) == []


def test_a_user_of_one_account_is_shown_none(run):
    assert choose(run, "<main id=done>Bills</main>") == ["The page does not say which account is open."]


def test_another_open_account_is_changed(run):
    assert choose(run, opened(OTHER, change_to(OTHER, OURS))) == []


@pytest.mark.parametrize(
    "body",
    [cards(OTHER), opened(OTHER), cards(OURS).replace("this.dataset.number", f"'{OTHER}'"), cards(f"{OURS}0")],
    ids=["not listed", "another, and no other is offered", "another is opened", "a longer number"],
)
def test_no_other_account_is_used(run, body):
    with pytest.raises(WrongAccount):
        choose(run, body)


# The month of a bill

YEARS = """<a data-testid=generic-card-dropdown-button onclick="menu.hidden=false">Bill Options</a>
  <ul id=menu hidden><li><a href="/my-telus/text-bill?intcmp=x" onclick="list.hidden=false;return false">Download</a></ul>
  <div id=list hidden><h2>2026</h2>{}<h2>2025</h2>{}</div>"""
MONTHS = ("October", "September")


def bundle(run: Any, newer: tuple[str, ...], older: tuple[str, ...]) -> Any:
    """Download the bundle from a list of months by year; return the month on which was clicked."""
    link = '<div role=link data-month="{1} {0}" onclick="document.title=this.dataset.month">Bill of {0}</div>'
    body = YEARS.format(
        *("".join(link.format(month, year) for month in months) for year, months in ((2026, newer), (2025, older)))
    )

    async def act(page: PortalPage) -> str:
        clicked: list[str] = []

        async def download(_self: PortalPage, selectors: tuple[str, ...]) -> Any:
            await page.click(selectors)
            clicked.append(await page.raw.title())

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(PortalPage, "download", download)
            await TelusMonthlyReports().bundle(page)
        return clicked[0]

    return run(body, act, target=TARGET)


def test_the_month_of_the_right_year_is_taken(run):
    assert bundle(run, MONTHS, MONTHS) == "2026 October"


@pytest.mark.parametrize(
    ("newer", "older", "failure"),
    [
        (("September",), MONTHS, NotYetPublished),
        (("December", "November"), (), NoLongerAvailable),
        (("October", "October"), (), PortalChanged),
    ],
)
def test_no_other_month_is_taken(run, newer, older, failure):
    with pytest.raises(failure):
        bundle(run, newer, older)


# TELUS IQ

NAME = "Daily Usage Report 11-20-2026 0a1b2c"
LINK = "<a class=download-anchor href=#>Download</a>"


def queue(*rows: tuple[str, str, str]) -> str:
    """Return the queue. rows: name, status and account of each."""
    cells = "".join(
        f"<tr><td></td><td>{'</td><td>'.join(row)}</td><td>Nov 20, 2026 17:37 CST</td></tr>" for row in rows
    )
    return f"<table id=dynamicTable><tr><th></th><th>Name</th></tr>{cells}</table>"


def entry(run: Any, body: str) -> Entry | None:
    found: Entry | None = run(body, lambda page: Iq(page, date(2026, 11, 20)).entry(NAME), target=TARGET)
    return found


@pytest.mark.parametrize("account", [OURS, "383-197-13", "Multiple"])
def test_a_report_is_found_by_its_name(run, account):
    found = entry(run, queue(("Daily Usage Report 11-20-2026", LINK, OURS), (NAME, LINK, account)))
    assert found is not None
    assert (found.is_ready, found.failed) == (True, False)
    assert run(queue((NAME, LINK, account)), lambda page: page.shown((found.selector,)), target=TARGET)


@pytest.mark.parametrize(
    ("status", "is_ready", "failed"),
    [("In Queue", False, False), ("<a class=download-anchor>In Queue</a>", False, False), ("Failed", False, True)],
)
def test_a_report_that_is_not_made_yet_is_none(run, status, is_ready, failed):
    found = entry(run, queue((NAME, status, OURS)))
    assert found is not None
    assert (found.is_ready, found.failed) == (is_ready, failed)


@pytest.mark.parametrize("rows", [(), (("Daily Usage Report 11-20-2026", LINK, OURS),), ((f"{NAME}d", LINK, OURS),)])
def test_another_order_s_report_is_not_ours(run, rows):
    assert entry(run, queue(*rows)) is None


def test_a_report_that_was_made_for_another_account_is_refused(run):
    with pytest.raises(WrongAccount):
        entry(run, queue((NAME, LINK, OTHER)))


BANS = "<select id=select-a-ban><option value=''>Choose</option><option value={}>First</option><option value={}>Second</option></select>"


@pytest.mark.parametrize("values", [(OTHER, OURS), (OURS, OTHER), (f"0{OURS}", OURS), (f"x-{OURS}", OURS)])
def test_an_account_is_chosen_by_its_value(run, values):
    async def act(page: PortalPage) -> Any:
        await Iq(page, date(2026, 11, 20)).choose_account()
        return await page.raw.evaluate("document.querySelector('select').value")

    assert run(BANS.format(*values), act, target=TARGET) == OURS


@pytest.mark.parametrize(
    "body",
    [
        BANS.format(OTHER, f"{OURS}1"),
        BANS.format(OURS, OTHER) + "<script>onchange = event => event.target.selectedIndex = 2</script>",
    ],
    ids=["not listed", "does not stay"],
)
def test_an_account_that_is_not_chosen_is_refused(run, body):
    with pytest.raises(WrongAccount):
        run(body, lambda page: Iq(page, date(2026, 11, 20)).choose_account(), target=TARGET)


@pytest.mark.parametrize(
    ("body", "warnings"),
    [
        (BANS.format(OURS, OTHER).replace("<option value=''>Choose</option>", ""), []),
        (f"<main>BAN {OURS}</main>", []),
        ("<main>Heavy data users</main>", ["The page does not say which account is open."]),
    ],
    ids=["chosen", "named", "neither"],
)
def test_an_account_that_is_not_read_back_is_told(run, body, warnings):
    async def act(page: PortalPage) -> Any:
        await Iq(page, date(2026, 11, 20)).confirm()
        return page.job.warnings

    assert run(body, act, target=TARGET) == warnings


@pytest.mark.parametrize("body", [BANS.format(OTHER, OURS), f"<main>BAN {OTHER}</main>"], ids=["not chosen", "named"])
def test_another_account_that_is_read_back_is_refused(run, body):
    with pytest.raises(WrongAccount):
        run(body, lambda page: Iq(page, date(2026, 11, 20)).confirm(), target=TARGET)

"""Verizon's spiders on pages of a few lines that are drawn as the fact sheet allows, and not as the sandbox draws them."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from scrapers.core.outcomes import (
    DownloadTimedOut,
    NoLongerAvailable,
    NotYetPublished,
    PortalChanged,
    WrongAccount,
)
from scrapers.core.page import PortalPage
from scrapers.families.carriers.spiders import CarrierTarget
from scrapers.portals.verizon import bills as recent_bills
from scrapers.portals.verizon import filters, menus
from scrapers.portals.verizon.daily_usage import VerizonDailyUsage
from scrapers.portals.verizon.menus import open_entry
from scrapers.portals.verizon.monthly_reports import VerizonMonthlyReports
from scrapers.portals.verizon.pdf_invoice import VerizonPdfInvoice
from tests.pages import make_haste, patch

pytestmark = pytest.mark.browser
OURS, WRITTEN, OTHER = "24200000100001", "242000001-00001", "242000001-00002"
TODAY = date(2026, 11, 20)
TARGET = CarrierTarget(account_id=1, account=OURS, billing_cycle_id=2, start=date(2026, 10, 1), end=date(2026, 10, 31))
REPORTS = {each.slug: each for each in VerizonMonthlyReports.reports}
DEVICES, ACTIVATIONS, SUSPENDED = (
    REPORTS[slug] for slug in ("device_report", "activation_and_deactivation", "suspended_wireless_numbers")
)


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """These pages do all at once."""
    make_haste(monkeypatch)
    patch(monkeypatch, "SWALLOWED", 1.5)
    patch(monkeypatch, "SETTLED", 0.3)
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "6")
    for module, name, seconds in (
        (filters, "KEPT", 0.5),
        (filters, "STARTS", 3.0),
        (filters, "CLOSES", 0.5),
        (menus, "CLOSES", 0.5),
        (menus, "OPENS", 6.0),
        (menus, "UNFOLDS", 0.2),
        (recent_bills, "KEPT", 0.5),
    ):
        monkeypatch.setattr(module, name, seconds)
    for spider in (VerizonMonthlyReports, VerizonDailyUsage, VerizonPdfInvoice):
        monkeypatch.setattr(spider, "today", classmethod(lambda cls: TODAY))


# The header, and what stands in front of it

SCRIPT = """<script>
const at = id => document.getElementById(id), show = (id, html) => at(id).innerHTML = html;
const save = (name, text) => { const a = document.createElement('a'); a.download = name; a.href = URL.createObjectURL(new Blob([text])); a.click(); };
</script>"""


def header(reports: str, billing: str, labels: bool = True, event: str = "click") -> str:
    """Return the header. reports: what Reports Home and Raw Data Download draw, billing: what View bill details does. event: opens a menu."""
    entries = {
        3: ("Billing", [("Overview", ""), ("View bill details", billing)]),
        4: ("Reports", [("Reports Home", reports), ("Schedule", ""), ("Help", ""), ("Raw Data Download", reports)]),
    }
    items = ""
    for place in range(1, 6):
        name, under = entries.get(place, (f"Menu {place}", [("Reports help", "")]))
        links = "".join(
            f"<li><a href=# onclick='{does};return false'>{text if labels else f'Entry {number}'}</a></li>"
            for number, (text, does) in enumerate(under)
        )
        opens = f"on{event}=\"this.parentNode.querySelector('div').hidden = false\""
        items += f"<li><a href=# {opens}>{name if labels else f'Part {place}'}</a><div hidden><div><div><div><ul>{links}</ul></div></div></div></div></li>"
    inner = f"<nav><ul>{items}</ul></nav>"
    return (
        "<div id=gNavHeader><div><div><div><div></div><div><header><div><div><div></div>"
        f"<div>{inner}</div></div></div></header></div></div></div></div></div><main id=main></main>{SCRIPT}"
    )


DRAWN = "show(`main`, `<p id=drawn>Drawn</p>`)"
HUB = """<div id=hub><h1>Welcome</h1><button onclick="hub.remove(); rest.hidden = false">visit the My Business home page</button></div>
<div id=rest hidden>{}</div>"""
PROMOTION = """<div style="position:fixed;inset:0;z-index:9;background:#0008" id=promo onclick="event.stopPropagation()"><div>News {}</div></div>{}"""
ICON = '<span role=button tabindex=0 aria-label="close icon" {}>x</span>'
CLOSES = "onclick=\"document.getElementById('promo').remove()\""
ESCAPES = "<script>addEventListener('keydown', event => event.key === 'Escape' && document.getElementById('promo')?.remove())</script>"
LANDING = "<div id=on-landing style='position:fixed;inset:0;z-index:9'><button aria-label='No thanks' onclick=\"at('on-landing').remove()\">-</button></div>"


@pytest.mark.parametrize(
    "body",
    [
        header(DRAWN, ""),
        header(DRAWN, "", event="mouseover"),
        header(DRAWN, "", labels=False),
        HUB.format(header(DRAWN, "")),
        header(DRAWN, "") + PROMOTION.format(ICON.format(CLOSES), ""),
        header(DRAWN, "") + PROMOTION.format(ICON.format(""), ESCAPES),
        header(DRAWN, "") + LANDING,
        HUB.format(header(DRAWN, "") + LANDING + PROMOTION.format(ICON.format(CLOSES), "")),
    ],
    ids=["click", "pointer", "by place", "hub", "promotion", "promotion that Escape closes", "landing", "all of them"],
)
def test_an_entry_is_opened_whatever_stands_in_front_of_it(run, body):
    async def act(page: PortalPage) -> Any:
        await open_entry(page, menus.REPORTS, menus.RAW_DATA, ("#drawn",))
        return await page.text(("#drawn",))

    assert run(body, act, target=TARGET) == "Drawn"


# The raw data

SELECT = "<select id=month>{}</select>"
COMBOBOX = """<div role=combobox tabindex=0 aria-expanded=false id=month onclick="at('list').hidden = !at('list').hidden">Select a month</div>
<ul role=listbox id=list hidden>{}</ul>"""
BUTTON = """<button id=month onclick="at('list').hidden = !at('list').hidden">Select a month</button><ul id=list hidden>{}</ul>"""


def drop_down(kind: str, months: tuple[str, ...]) -> str:
    """Return a drop-down of months: a real one, or one that is drawn with or without roles."""
    if kind == SELECT:
        return SELECT.format("".join(f"<option>{month}</option>" for month in ("Select a month", *months)))
    role = "role=option" if kind == COMBOBOX else ""
    takes = "at('month').textContent = this.textContent; at('list').hidden = true"
    return kind.format("".join(f'<li {role} onclick="{takes}">{month}</li>' for month in months))


BY_ICON = "<span role=button aria-label='close icon' onclick='{}'>x</span>"


def raw_data(kind: str, *months: str, closer: str = BY_ICON) -> str:
    """Return the header, whose entry opens the modal, and stays open. The file says which month was chosen."""
    control = closer.format("at(`modal`).remove()")
    month = "(at('month').value || at('month').textContent)"
    modal = f"""<div style="position:fixed;inset:0;background:#fff" class="Modal is-active" id=modal>{control}<h2>Raw Data Download</h2>{drop_down(kind, months)}
      <button onclick="save('raw.zip', {month})">Download</button></div>"""
    return header("draw()", "") + f"<script>const draw = () => show('main', {json.dumps(modal)})</script>"


def bring_raw_data(run: Any, body: str) -> str:
    async def act(page: PortalPage) -> Any:
        part = await VerizonMonthlyReports().raw_data(page)
        assert await page.shown(("#modal",)) is None
        await open_entry(page, menus.REPORTS, menus.RAW_DATA, ("#modal",))
        return part.path.read_text()

    found: str = run(body, act, target=TARGET)
    return found


@pytest.mark.parametrize("kind", [SELECT, COMBOBOX, BUTTON], ids=["select", "combobox", "button"])
def test_the_zip_of_the_month_is_downloaded(run, kind):
    assert bring_raw_data(run, raw_data(kind, "Nov 2026", "Oct 2026", "Oct 2025")) == "Oct 2026"


@pytest.mark.parametrize(
    "closer",
    [
        "<button aria-label=Close onclick='{}'>&times;</button>",
        "<i title='Close this window' onclick='{}'>x</i>",
        "<button onclick='{}'>Cancel</button>",
        "<img src=x onerror=\"window.addEventListener('keydown', event => event.key === 'Escape' && {})\">",
    ],
    ids=["named", "titled", "cancel", "Escape alone"],
)
def test_the_modal_is_closed_by_its_control(run, closer):
    """It lies over the menus, whose entries are shown below it."""
    assert bring_raw_data(run, raw_data(SELECT, "Oct 2026", closer=closer)) == "Oct 2026"


def test_a_modal_that_was_left_open_is_in_no_report_s_way(run):
    """As it is where the raw data could not be fetched."""
    body = raw_data(SELECT, "Sep 2026", closer="<button aria-label=Close onclick='{}'>&times;</button>")

    async def act(page: PortalPage) -> Any:
        with pytest.raises(NotYetPublished):
            await VerizonMonthlyReports().raw_data(page)
        await open_entry(page, menus.REPORTS, menus.REPORTS_HOME, ("#modal",))
        return await page.text(("#modal h2",))

    assert run(body, act, target=TARGET) == "Raw Data Download"


@pytest.mark.parametrize(
    ("months", "failure"),
    [
        (("Sep 2026", "Aug 2026"), NotYetPublished),
        (("Dec 2026", "Nov 2026"), NoLongerAvailable),
        (("Oct 2026", "Oct 2026"), PortalChanged),
        ((), PortalChanged),
    ],
    ids=["not yet", "no longer", "twice", "none"],
)
def test_no_other_month_is_downloaded(run, months, failure):
    with pytest.raises(failure):
        bring_raw_data(run, raw_data(SELECT, *months))


def test_a_month_that_does_not_stay_is_no_choice(run):
    body = raw_data(SELECT, "Nov 2026", "Oct 2026").replace(
        "<select id=month", "<select onchange='this.selectedIndex=1' id=month"
    )
    with pytest.raises(PortalChanged, match="did not stay"):
        bring_raw_data(run, body)


# Reports and their filters


def labelled(kind: str, id_: str, label: str, options: tuple[str, ...], does: str = "") -> str:
    """Return a drop-down with its label. kind: of which elements; does: what happens once something is chosen."""
    texts = [f"Select {id_}", *options]
    if kind in ("select", "app"):
        made = f"<select id={id_} onchange='{does}'>{''.join(f'<option>{each}</option>' for each in texts)}</select>"
        name = f"<label>{label}</label>" if kind == "app" else f"<label for={id_}>{label}</label>"
        return f"<app-dropdown>{name}<div>{made}</div></app-dropdown>" if kind == "app" else f"<p>{name}{made}</p>"
    roles = (
        ("role=combobox tabindex=0 aria-haspopup=listbox", "role=listbox", "role=option")
        if kind == "combobox"
        else ("",) * 3
    )
    tag = "div" if kind == "combobox" else "button"
    items = "".join(
        f"<li {roles[2]} onclick=\"at('{id_}').textContent = this.textContent; this.parentNode.hidden = true; {does}\">{each}</li>"
        for each in options
    )
    return f"""<div><span>{label}</span><div><{tag} {roles[0]} id={id_} onclick="this.nextElementSibling.hidden = !this.nextElementSibling.hidden">
      Select {id_}</{tag}><ul {roles[1]} hidden>{items}</ul></div></div>"""


NOTICE = """<app-form-modal><div style='position:fixed;inset:0;background:#fffa;z-index:5'><p>Monthly reports are not available yet
for this cycle.</p><button onclick='{}'>I understand</button></div></app-form-modal>"""
GOES = "this.closest(`app-form-modal`).remove()"


def report(
    tab: str,
    name: str,
    kind: str = "select",
    accounts: tuple[str, ...] = (OTHER, f"{WRITTEN} Head office"),
    dates: str = "",
    apply: str = "",
    notices: int = 0,
    stays: bool = False,
    chosen: str = "",
    download: str = "",
    applied: str = "",
) -> str:
    """
    Return the header with a report behind Reports Home.

    apply: class of the button. notices: how often the notice comes: at first, and again once an account was chosen. stays: it
    cannot be closed. chosen: what happens once an account was chosen, applied: once the filters were. download: in place of the file.
    """
    opened = json.dumps(NOTICE.format("" if stays else GOES)).replace("</", "<\\/")
    does = f"notice(); {chosen}"
    view = labelled(kind, "by", "View by", ("Wireless number", "Account number"))
    number = labelled(kind, "number", "Select number", accounts, does)
    brings = download or "save(`report.csv`, said())"
    body = f"""{view}{number}{dates}<button id=apply-changes class="btn {apply}" onclick="applies()">Apply</button>
      <div><span onclick="{brings}">Download full report</span></div>"""
    items = f"""<ul><li data-track=Device onclick="show('list', '')">Device</li><li data-track="{tab}" onclick="list_()">{tab}</li></ul><div id=list></div>"""
    return (
        header("home()", "")
        + f"""<div id=place></div><script>let notices = {notices}, applied = 'not applied';
      const value = id => at(id) ? at(id).value || at(id).textContent.trim() : '';
      const said = () => ['by', 'number', 'monthRangeFrom', 'monthRangeTo', 'dateFrom', 'dateTo'].map(value).concat(applied).join('|');
      const applies = () => {{ applied = 'applied'; {applied} }};
      const notice = () => {{ if (notices-- > 0) setTimeout(() => show('place', {opened}), 200) }};
      const home = () => show('main', {json.dumps(items).replace("</", "<" + chr(92) + "/")});
      const list_ = () => setTimeout(() => show('list', `<div data-track="Other reports: More">More</div>
        <div data-track="{name}" onclick="open_()">{name}</div>`), 200);
      const open_ = () => {{ setTimeout(() => show('main', {json.dumps(body).replace("</", "<" + chr(92) + "/")}), 300); notice() }};</script>"""
    )


MONTHS = "".join(
    f"<select id={each}><option>Choose</option>{{0}}</select>" for each in ("monthRangeFrom", "monthRangeTo")
)
DAYS = "<label>From <input id=dateFrom></label><label>To <input id=dateTo></label>"


def months(*offered: str) -> str:
    """Return the two fields of a report by months."""
    return MONTHS.format("".join(f"<option>{each}</option>" for each in offered))


def bring(run: Any, slug: str, **facts: Any) -> list[str]:
    """Bring a report; return what it was made of: by, account, months or days, whether the filters were applied."""
    names = {
        DEVICES: "Offer recovery & early termination fees",
        ACTIVATIONS: "Activation & deactivation",
        SUSPENDED: "Suspended wireless number",
    }
    asked = REPORTS[slug]
    body = report("Others", f"Other reports: {names[asked]}".replace("&", "&amp;"), **facts)

    async def act(page: PortalPage) -> Any:
        part = await VerizonMonthlyReports().other_report(page, asked)
        return [each for each in part.path.read_text().split("|") if each]

    found: list[str] = run(body, act, target=TARGET)
    return found


CHOSEN = ["Account number", f"{WRITTEN} Head office"]


@pytest.mark.parametrize(
    ("kind", "notices"),
    [("select", 0), ("app", 2), ("combobox", 1), ("button", 2)],
    ids=["real", "in a component", "drawn", "plain"],
)
def test_a_report_is_of_the_account_whatever_its_filters_are_made_of(run, kind, notices):
    """The notice comes at first, and once more after the account was chosen."""
    assert bring(run, "suspended_wireless_numbers", kind=kind, notices=notices) == [*CHOSEN, "applied"]


def test_nothing_is_applied_where_the_portal_has_nothing_to_apply(run):
    assert bring(run, "suspended_wireless_numbers", apply="disabled") == [*CHOSEN, "not applied"]


def test_the_days_are_the_cycle_s(run):
    assert bring(run, "activation_and_deactivation", dates=DAYS) == [*CHOSEN, "10/01/2026", "10/31/2026", "applied"]


@pytest.mark.parametrize("offered", [("Oct 2026", "Sep 2026"), ("Sep 2026", "Oct 2026", "Nov 2026")])
def test_the_newest_month_is_in_both_fields(run, offered):
    newest = "Nov 2026" if "Nov 2026" in offered else "Oct 2026"
    assert bring(run, "device_report", dates=months(*offered)) == [*CHOSEN, newest, newest, "applied"]


@pytest.mark.parametrize(
    ("offered", "failure"),
    [(("Dec 2026",), NoLongerAvailable), (("Sep 2026",), NotYetPublished), ((), PortalChanged)],
)
def test_another_month_is_none(run, offered, failure):
    with pytest.raises(failure):
        bring(run, "device_report", dates=months(*offered))


def test_a_file_of_another_month_is_none(run):
    file = f"save(`report.csv`, `Account,Billing month\\n{WRITTEN},Sep 2026`)"
    with pytest.raises(PortalChanged, match="another month"):
        bring(run, "device_report", dates=months("Sep 2026", "Oct 2026"), download=file)


def test_what_one_choice_has_undone_is_chosen_once_more(run):
    resets = """onblur="if (!window.before) { window.before = 1; at('number').selectedIndex = 1 }" """
    found = bring(
        run, "activation_and_deactivation", dates=DAYS.replace("<input id=dateTo", f"<input {resets} id=dateTo")
    )
    assert found == [*CHOSEN, "10/01/2026", "10/31/2026", "applied"]


def test_dates_that_are_lost_once_they_are_applied_are_no_choice(run):
    with pytest.raises(PortalChanged, match="other dates"):
        bring(run, "activation_and_deactivation", dates=DAYS, applied="at('dateTo').value = '11/30/2026'")


ANOTHER = "setTimeout(() => at('number').selectedIndex = 1, {})"


@pytest.mark.parametrize(
    ("facts", "failure"),
    [
        ({"accounts": (OTHER,)}, WrongAccount),
        ({"accounts": (OTHER, f"{WRITTEN}9", f"9{WRITTEN}")}, WrongAccount),
        ({"accounts": (f"{WRITTEN} Main", f"{WRITTEN} Head office")}, PortalChanged),
        ({"applied": ANOTHER.format(200)}, WrongAccount),
        ({"chosen": "at(`by`).selectedIndex = 1"}, (PortalChanged, WrongAccount)),
    ],
    ids=["not listed", "longer ones", "listed twice", "another once applied", "another way to look at it"],
)
def test_no_other_account_s_report_is_brought(run, facts, failure):
    with pytest.raises(failure):
        bring(run, "suspended_wireless_numbers", **facts)


def test_a_notice_that_stays_means_that_nothing_is_published(run):
    with pytest.raises(NotYetPublished):
        bring(run, "suspended_wireless_numbers", notices=1, stays=True)


def test_a_notice_in_the_place_of_a_file_means_it_too(run):
    with pytest.raises(NotYetPublished):
        bring(run, "suspended_wireless_numbers", notices=0, download="notices = 1; notice()")


def test_a_page_that_says_so_in_the_place_of_a_file_means_it_too(run):
    said = "at(`main`).innerHTML = `<p>Monthly reports are not available yet for this cycle.</p>`"
    with pytest.raises(NotYetPublished):
        bring(run, "suspended_wireless_numbers", applied=said)


def test_after_a_notice_in_its_place_the_file_is_asked_for_once_more(run):
    once = "window.asked ? save(`report.csv`, said()) : (window.asked = 1, notices = 1, notice())"
    assert bring(run, "suspended_wireless_numbers", download=once) == [*CHOSEN, "applied"]


def test_a_download_that_does_not_start_is_named(run):
    with pytest.raises(DownloadTimedOut):
        bring(run, "suspended_wireless_numbers", download="null")


def test_daily_usage_is_of_the_account(run):
    body = report("Usage", "Usage reports: Account unbilled usage")

    async def act(page: PortalPage) -> Any:
        usage = await VerizonDailyUsage().fetch(page)
        return usage.part.path.read_text(), usage.pool_size, usage.pool_used

    assert run(body, act, target=TARGET) == ("|".join([*CHOSEN, "", "", "", "", "applied"]), None, None)


def test_daily_usage_of_another_account_is_refused(run):
    with pytest.raises(WrongAccount):
        run(
            report("Usage", "Usage reports: Account unbilled usage", applied=ANOTHER.format(200)),
            VerizonDailyUsage().fetch,
            target=TARGET,
        )


# Bills


def bills(
    *cards: tuple[str, str],
    kind: str = "app",
    accounts: tuple[str, ...] = (OTHER, WRITTEN),
    resets: bool = True,
    first: int = 1,
    falls_back: bool = False,
) -> str:
    """
    Return the header with the bills. cards: month and text of each.

    resets: another account puts the tabs back. first: place of the option that is chosen at first. falls_back: so does the tab.
    """
    made = "".join(
        f"<div class=invoice-card><span class=fs-20>{month}</span><p>{text}</p><button onclick=\"save('bill.pdf', ['{month}', account_()].join(' '))\">"
        "<span class='Icon Icon--download'>&darr;</span></button></div>"
        for month, text in cards
    )
    changed = "tabs(); " if resets else ""
    account = labelled(kind, "account", "Account number", accounts, changed)
    back = "at('account').selectedIndex = 1;" if falls_back else ""
    body = f"""{account}<div role=tablist><button role=tab onclick="setTimeout(() => {{ show('cards', made); {back} }}, 200)">Recent bills</button>
      <button role=tab onclick="tabs()">Archive</button></div><div id=cards><p>Archived bills</p></div>"""
    menu = """<div id=billing-view-bills-s><div><ul><li><a href=#>Current bill</a></li><li><a href=#>Charges</a></li><li><a href=#>Usage</a></li>
      <li><a href=# onclick="previous();return false">Previous bills</a></li></ul></div></div>"""
    return (
        header("", "details()")
        + f"""<script>const made = {json.dumps(made).replace("</", "<" + chr(92) + "/")};
      const account_ = () => at('account').value || at('account').textContent.trim();
      const tabs = () => show('cards', '<p>Archived bills</p>');
      const details = () => show('main', {json.dumps(menu).replace("</", "<" + chr(92) + "/")});
      const previous = () => setTimeout(() => {{ show('main', {json.dumps(body).replace("</", "<" + chr(92) + "/")});
        if (at('account').options) at('account').selectedIndex = {first}; }}, 300);</script>"""
    )


CARDS = (("Nov 2026", "Total $1.00"), ("Oct 2026", "Total $2.00, due Nov 15, 2026"), ("Oct 2025", "Total $3.00"))


def bill(run: Any, body: str) -> str:
    async def act(page: PortalPage) -> Any:
        return (await VerizonPdfInvoice().fetch(page)).path.read_text()

    found: str = run(body, act, target=TARGET)
    return found


@pytest.mark.parametrize(
    ("kind", "resets"),
    [("app", True), ("app", False), ("combobox", True), ("button", True)],
    ids=["the tab resets", "the tab stays", "drawn", "plain"],
)
def test_the_bill_of_the_account_and_month_is_fetched(run, kind, resets):
    assert bill(run, bills(*CARDS, kind=kind, resets=resets)) == f"Oct 2026 {WRITTEN}"


def test_an_account_that_is_chosen_already_is_left_as_it_is(run):
    assert bill(run, bills(*CARDS, first=2)) == f"Oct 2026 {WRITTEN}"


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (bills(("Sep 2026", ""), ("Aug 2026", "")), NotYetPublished),
        (bills(("Dec 2026", ""), ("Nov 2026", "")), NoLongerAvailable),
        (bills(("Oct 2026", ""), ("Oct 2026", "")), PortalChanged),
        (bills(), PortalChanged),
        (bills(("", "Oct 2026")), PortalChanged),
        (bills(*CARDS, accounts=(OTHER, f"{WRITTEN}7"), first=1), WrongAccount),
        (bills(*CARDS, falls_back=True), WrongAccount),
        (bills(("Oct 2026", f"Account number {OTHER}")), WrongAccount),
    ],
    ids=["not yet", "no longer", "two bills", "none", "no month", "not listed", "falls back", "another's bill"],
)
def test_no_other_bill_is_fetched(run, body, failure):
    with pytest.raises(failure):
        bill(run, body)

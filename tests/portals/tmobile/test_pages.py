"""T-Mobile's spiders on pages of a few lines that are drawn as the fact sheet allows, and not as the sandbox draws them."""

from __future__ import annotations

import json
from datetime import date
from html import escape
from typing import Any

import pytest

from database.access.credentials import Credential
from scrapers.core import panels
from scrapers.core.outcomes import (
    BadCredentials,
    Blocked,
    Failure,
    MfaFailed,
    NoLongerAvailable,
    NotYetPublished,
    PortalChanged,
    PortalDown,
    WrongAccount,
)
from scrapers.core.page import PortalPage
from scrapers.families.carriers.spiders import CarrierTarget
from scrapers.logins.base import Attempt
from scrapers.portals.tmobile import billing, daily_usage, dialogs, hierarchy, templates
from scrapers.portals.tmobile.daily_usage import TmobileDailyUsage
from scrapers.portals.tmobile.login import TmobileLogin
from scrapers.portals.tmobile.monthly_reports import TmobileMonthlyReports
from scrapers.portals.tmobile.pdf_invoice import TmobilePdfInvoice
from tests.pages import make_haste

pytestmark = pytest.mark.browser
OURS, OTHER = "123456782", "123456790"
TODAY = date(2026, 11, 20)
TARGET = CarrierTarget(account_id=1, account=OURS, billing_cycle_id=2, start=date(2026, 10, 1), end=date(2026, 10, 31))
CHARGES, USAGE_DETAIL, STATEMENT, INVENTORY, INSTALLMENT = TmobileMonthlyReports.reports


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """These pages do all at once."""
    make_haste(monkeypatch)
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "5")
    for module, name, seconds in (
        (panels, "OPENS", 0.5),
        (panels, "KEPT", 1.0),
        (hierarchy, "KEPT", 1.0),
        (dialogs, "CLOSES", 0.5),
        (dialogs, "RELOADED", 1.0),
        (templates, "CONFIRMED", 1.5),
        (templates, "GROUP_OPENS", 1.0),
        (daily_usage, "TOLD", 1.0),
        (billing, "LISTED", 2.0),
    ):
        monkeypatch.setattr(module, name, seconds)
    for spider in (TmobileMonthlyReports, TmobilePdfInvoice, TmobileDailyUsage):
        monkeypatch.setattr(spider, "today", classmethod(lambda cls: TODAY))


# The sign-in

HOST = "https://tfb.t-mobile.com"
FORM = """<main id=step><input id=emailOrPhoneNumberTextBox><button id=lp1-next-btn onclick="named()">Next</button></main><script>
const said = what => {{ const told = new XMLHttpRequest(); told.open('GET', '/said/' + what, false); told.send() }};  // before it goes on
const show = html => step.innerHTML = html;
const named = () => {{ const name = emailOrPhoneNumberTextBox.value; if (!name) return; said('user ' + name);
  setTimeout(() => show('<input id=passwordTextBox type=password><button id=lp2-login-btn onclick="proved()">Log in</button>'), 200) }};
const proved = () => {{ said('password'); setTimeout(() => show({after_password}), 200) }};
const entered = () => {{ said('code ' + code.value + (code.dataset.keys >= 8 ? ' by keys' : '')); {after_code} }};
</script>"""
ASKS = """`<div id=main><div><form onsubmit="return false"><div><div><div></div><div><div></div><div><input id=code data-keys=0
  onkeyup="this.dataset.keys++"><button onclick="entered()">Confirm</button></div></div></div></div></form></div></div>`"""
HOME = """<globalnav-root><globalnav-nav><mat-sidenav-container><mat-sidenav><div><mat-nav-list><mat-panel-title>
  <mat-list-item>Dashboard</mat-list-item></mat-panel-title></mat-nav-list></div></mat-sidenav></mat-sidenav-container></globalnav-nav></globalnav-root>"""
# A frame that is there at once or comes late, filled later still; its button takes it away, or loads the page anew.
LIGHTBOX = """<script>if (!{chosen}) setTimeout(() => {{ document.body.insertAdjacentHTML('beforeend',
  '<iframe id=lightbox_pop style="position:fixed;inset:0;width:100%;height:100%;background:#fff"></iframe>');
  setTimeout(() => lightbox_pop.srcdoc = {inside}, {filled}) }}, {attached}); function taken() {{
  const told = new XMLHttpRequest(); told.open('GET', '/said/en', false); told.send(); {taken} }}</script>"""
INSIDE = json.dumps('<button id=fr>Fran\u00e7ais</button><button id=en onclick="parent.taken()">English</button>')


class Codes:
    """A second factor that receives codes by mail."""

    def can_answer(self, kind: str) -> bool:
        return kind == "mail"

    async def expect(self, kind: str = "") -> None:
        """Nothing has to be reserved."""

    async def may_send(self) -> None:
        """Nothing has to be written down."""

    def sent(self) -> None:
        """Nothing has to be counted."""

    async def code(self, kind: str = "", *, again: bool = False) -> str:
        return "01234567"


def sign_in(run: Any, lightbox: str = "", **facts: str) -> tuple[list[str], list[str], Any]:
    """Sign in; return the screens, what the pages were given, and the failure or None. facts: of FORM."""
    made = {"after_password": ASKS, "after_code": "location='/apps/tfb_billing/dashboard'", **facts}
    said: list[str] = []
    pages = {"/": FORM.format(**made) + lightbox, "/apps/tfb_billing/dashboard": HOME}

    async def act(page: PortalPage) -> Any:
        async def answer(route: Any) -> None:
            path = route.request.url.removeprefix(HOST)
            if path.startswith("/said/"):
                said.append(path.removeprefix("/said/").replace("%20", " "))
            body = f"<!doctype html><body>{pages.get(path, '')}"
            status = 403 if path == "/refused" else 200
            await route.fulfill(status=status, content_type="text/html", body=body)

        await page.raw.route("**/*", answer)
        page.interruptions = TmobileLogin.interruptions
        await page.prepare()
        attempt = Attempt(Credential("tmobile", "ann@example.com", "sesame"), Codes())
        try:
            await TmobileLogin().sign_in(page, attempt)
        finally:
            screens[:] = attempt.screens

    screens: list[str] = []
    failure = None
    try:
        run("", act)
    except Failure as failed:
        failure = failed
    return screens, said, failure


SCREENS = ["user name", "password", "code", "signed in"]
GIVEN = ["user ann@example.com", "password", "code 01234567 by keys"]


def test_the_sign_in_goes_through_all_screens(run):
    assert sign_in(run) == (SCREENS, GIVEN, None)


REMOVED = "lightbox_pop.remove()"
RELOADS = "sessionStorage.chosen = 1; setTimeout(() => location.reload(), 100)"


@pytest.mark.parametrize("taken", [REMOVED, RELOADS], ids=["goes away", "loads the page anew"])
@pytest.mark.parametrize("filled", [0, 900], ids=["at once", "late"])
def test_the_language_is_chosen_in_a_frame_before_anything_is_typed(run, filled, taken):
    box = LIGHTBOX.format(chosen="sessionStorage.chosen", inside=INSIDE, filled=filled, attached=0, taken=taken)
    screens, said, failure = sign_in(run, box)
    assert (said, failure) == (["en", *GIVEN], None)
    assert screens == ["language", *SCREENS]


@pytest.mark.parametrize(("attached", "taken"), [(50, RELOADS), (50, REMOVED), (300, REMOVED), (600, REMOVED)])
def test_a_frame_that_comes_later_than_the_form_is_no_obstacle(run, attached, taken):
    box = LIGHTBOX.format(chosen="sessionStorage.chosen", inside=INSIDE, filled=300, attached=attached, taken=taken)
    screens, said, failure = sign_in(run, box)
    assert failure is None
    assert (screens[-1], said.count("en"), said.count("password"), said[-1]) == ("signed in", 1, 1, GIVEN[-1])


def test_a_frame_that_stays_empty_and_hides_nothing_is_passed_over(run):
    box = LIGHTBOX.format(chosen="false", inside="'<p>News</p>'", filled=0, attached=0, taken="").replace(
        "inset:0;width:100%;height:100%", "bottom:0;width:90px;height:40px"
    )
    assert sign_in(run, box) == (SCREENS, GIVEN, None)


@pytest.mark.parametrize(
    ("facts", "failure", "given"),
    [
        ({"after_password": "'<p role=alert>Incorrect password</p>'"}, BadCredentials, 2),
        ({"after_password": "'<h1>Something else</h1>'"}, PortalChanged, 2),
        ({"after_password": "(location='/refused', '')"}, Blocked, 2),
        ({"after_code": ""}, MfaFailed, 3),
        ({"after_code": "show('<p role=alert>Invalid code</p>')"}, MfaFailed, 3),
    ],
    ids=["refused", "unknown", "403", "the code stays", "the code is refused"],
)
def test_the_password_is_typed_once_whatever_comes(run, monkeypatch, facts, failure, given):
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "2")
    _, said, failed = sign_in(run, **facts)
    assert (type(failed), said) == (failure, GIVEN[:given])


# Reports: filters that are reset, a tree of accounts, menus, a dialog

SELECT = """<script>
const at = (html, where = document.body) => { where.insertAdjacentHTML('beforeend', html); return where.lastElementChild };
const shut = () => document.querySelectorAll('.overlay').forEach(each => each.remove());
addEventListener('keydown', event => { if (event.key === 'Escape') shut() });
const overlay = html => at(`<div class=overlay style="position:fixed;inset:0" onclick="if (event.target === this) shut()"><div
  style="background:#fff;position:absolute;top:80px">${html}</div></div>`);
const drop = (select, options) => { if (!options.length) return;
  const panel = overlay('<div role=listbox>' + options.map(each => `<mat-option>${each}</mat-option>`).join('') + '</div>');
  panel.querySelectorAll('mat-option').forEach((each, place) => each.onclick = () => { select.textContent = each.textContent; shut(); chosen(select, place) }) };
</script><style>mat-select, mat-option, mat-tree-node, mat-panel-title, mat-expansion-panel, mat-list-item { display: block }
  mat-select { width: 300px; border: 1px solid } [hidden] { display: none !important }</style>"""
MONTHS = ["November 2026", "October 2026", "September 2026", "October 2025"]
# Nodes of the tree: level and text; deeper ones are drawn once what is above them is open.
NODES = [
    (0, "Acme Ltd 987654321"),
    (1, "East"),
    (2, f"Branch {OTHER}"),
    (2, f"Head office ({OURS})"),
    (1, "West"),
    (2, f"Depot {OURS}0"),
]
PAGE = """{select}<mat-nav-list><mat-list-item id=mat-expansion-panel-header-3 onclick="reports.hidden=false">Reporting</mat-list-item></mat-nav-list>
<div id=reports hidden><div><a role=tab onclick="tab(0)">Billing templates</a><a role=tab onclick="tab(1)">Other templates</a>
<a role=tab onclick="tab(2)">My reports</a></div><div id=place></div></div><script>
const nodes = {nodes}, months = {months}, log = []; let ready = Date.now() + {late};
const group = (name, names) => `<mat-expansion-panel><div onclick="this.nextElementSibling.hidden = false">${{name}}</div><div hidden>${{names.map(each =>
  `<div><span>${{each}}</span> <button onclick="menu('${{each}}')"><mat-icon>more_vert</mat-icon></button></div>`).join('')}}</div></mat-expansion-panel>`;
const tab = number => place.innerHTML = [
  `<mat-select id=mat-select-0 onclick="drop(this, Date.now() < ready ? [] : months)">Select billing period</mat-select>
   <mat-select name=hierarchyLevel onclick="tree(this)">All accounts</mat-select>` + group('Billing &amp; Statements',
   ['Usage Detail', 'Usage Summary', 'Charges and Usage Summary', 'Statement Detail']),
  `<mat-select onclick="tree(this)">All accounts</mat-select>` + group('Equipment templates', ['Equipment Inventory', 'Equipment Installment']), ''][number];
const tree = select => {{ const open = new Set(); const panel = overlay('<mat-tree></mat-tree>'); const draw = () => setTimeout(() => {{
  let html = '', hidden = 9; nodes.forEach(([level, text], place) => {{ if (level > hidden) return; hidden = 9;
    const parent = nodes[place + 1]?.[0] > level; if (parent && !open.has(place)) hidden = level;
    html += `<mat-tree-node style="padding-left:${{level * 20}}px" data-place=${{place}}><button ${{parent ? '' : 'disabled'}} aria-label="toggle"><mat-icon>${{
      open.has(place) ? 'expand_more' : 'chevron_right'}}</mat-icon></button><span>${{text}}</span></mat-tree-node>` }});
  const root = panel.querySelector('mat-tree'); root.innerHTML = html;
  root.querySelectorAll('mat-tree-node').forEach(node => {{ const place = Number(node.dataset.place);
    node.querySelector('button').onclick = () => {{ open.has(place) ? open.delete(place) : open.add(place); draw() }};
    node.querySelector('span').onclick = () => {{ select.textContent = nodes[place][1]; shut(); chosen(select) }} }}) }}, 50); draw() }};
const chosen = (select) => {{ {chosen} }};
const menu = name => {{ overlay('<div role=menu><button role=menuitem>Edit</button><button role=menuitem>Run as is</button></div>');
  document.querySelectorAll('[role=menuitem]')[1].onclick = () => {{ shut();
    log.push([name, ...[...document.querySelectorAll('mat-select')].map(each => each.textContent)]); tab(name.startsWith('Equipment') ? 1 : 0); {answer} }} }};
const dialog = html => setTimeout(() => at(`<mat-dialog-container role=dialog style="position:fixed;inset:50px;background:#eee">${{html}}</mat-dialog-container>`), 200);
</script>"""
TAKEN = """dialog('<h2>Report requested</h2><button onclick="this.parentNode.remove()">Close</button>')"""
FAILS = """if (!window.failed) { window.failed = true; dialog('<h2>Something went wrong</h2><button onclick="this.parentNode.remove(); tab(0)">Reload reports</button>') }"""


def reports_page(nodes: Any = None, months: Any = None, late: int = 0, chosen: str = "", answer: str = TAKEN) -> str:
    """Return the pages of reports. late: milliseconds in which the list of periods is empty. chosen: what a choice causes."""
    facts = {"nodes": json.dumps(NODES if nodes is None else nodes), "months": json.dumps(months or MONTHS)}
    return PAGE.format(select=SELECT, late=late, chosen=chosen, answer=answer, **facts)


def order(run: Any, body: str, *reports: Any) -> tuple[list[Any], list[bool], Any]:
    """Order reports; return what was run with which filters, whether each was taken, and the page's warnings."""
    taken: list[bool] = []

    async def act(page: PortalPage) -> Any:
        spider = TmobileMonthlyReports()
        async with spider.area(page) as area:
            for report in reports:
                click = await spider.order(area, report)
                await area.click(click)
                taken.append(await spider.was_taken(area, report, 0, click))
        assert await page.shown(("[role=dialog]", ".overlay")) is None
        return await page.raw.evaluate("log"), page.job.warnings

    log, warnings = run(body, act, target=TARGET)
    return log, taken, warnings


OWN = f"Head office ({OURS})"


def test_filters_that_are_reset_after_each_run_are_set_for_each(run):
    log, taken, warnings = order(run, reports_page(), *TmobileMonthlyReports.reports)
    billing_names = ("Charges and Usage Summary", "Usage Detail", "Statement Detail")
    assert log == [
        *([name, "October 2026", OWN] for name in billing_names),
        *([name, OWN] for name in ("Equipment Inventory", "Equipment Installment")),
    ]
    assert (taken, warnings) == ([True] * 5, [])


def test_a_list_of_periods_that_is_empty_at_first_is_opened_anew(run):
    log, *_ = order(run, reports_page(late=2500), USAGE_DETAIL)
    assert log == [["Usage Detail", "October 2026", OWN]]


def test_a_period_that_the_account_resets_is_chosen_again(run):
    resets = "if (select.getAttribute('name') && !window.done) { window.done = true; document.getElementById('mat-select-0').textContent = 'November 2026' }"
    log, *_ = order(run, reports_page(chosen=resets), STATEMENT)
    assert log == [["Statement Detail", "October 2026", OWN]]


@pytest.mark.parametrize(
    ("chosen", "failure"),
    [
        ("if (select.id) select.textContent = 'September 2026'", PortalChanged),
        ("if (!select.id) select.textContent = 'Select'", PortalChanged),
        (f"if (!select.id) select.textContent = 'Branch {OTHER}'", WrongAccount),
        (
            "[...document.querySelectorAll('mat-select')].find(each => each !== select).textContent = 'All'",
            PortalChanged,
        ),
    ],
    ids=["another period", "no account", "another account", "one resets the other"],
)
def test_filters_that_do_not_stay_are_refused(run, chosen, failure):
    with pytest.raises(failure):
        order(run, reports_page(chosen=chosen), USAGE_DETAIL)


@pytest.mark.parametrize(
    ("months", "failure"),
    [
        (["September 2026", "August 2026"], NotYetPublished),
        (["December 2026", "November 2026"], NoLongerAvailable),
        (["October 2025"], NotYetPublished),
        (["Loading..."], PortalChanged),
        (["October 2026", "October 2026"], PortalChanged),
    ],
)
def test_a_period_that_is_not_offered_is_no_other_one(run, months, failure):
    with pytest.raises(failure):
        order(run, reports_page(months=months), USAGE_DETAIL)


@pytest.mark.parametrize(
    ("nodes", "failure"),
    [
        ([(0, f"Branch {OTHER}")], WrongAccount),
        ([(0, f"Branch {OURS}0"), (1, f"Line 9{OURS}")], WrongAccount),
        ([(0, "Acme"), (1, OURS), (1, f"Closed {OURS}")], PortalChanged),
        ([*((level, f"Level {level}") for level in range(6)), (6, OURS)], WrongAccount),
        ([], PortalChanged),
    ],
    ids=["another", "longer ones", "twice", "too deep", "empty"],
)
def test_an_account_that_the_tree_does_not_hold_once_is_refused(run, nodes, failure):
    with pytest.raises(failure):
        order(run, reports_page(nodes=nodes), USAGE_DETAIL)


@pytest.mark.parametrize(
    "nodes",
    [[(0, "1-2345-6782")], [*((level, f"Level {level}") for level in range(5)), (5, f"Account {OURS}")]],
    ids=["at once", "five levels down"],
)
def test_an_account_is_found_on_any_of_five_levels(run, nodes):
    log, *_ = order(run, reports_page(nodes=nodes), INVENTORY)
    assert log == [["Equipment Inventory", nodes[-1][1]]]


def test_the_hierarchy_is_the_drop_down_with_a_tree_where_several_stand_beside_the_templates(run):
    tab = '`<mat-select onclick="tree(this)">All accounts</mat-select>`'
    several = tab.replace("`<", "`<mat-select onclick=\"drop(this, ['USD'])\">USD</mat-select><", 1).replace(
        "All accounts", "All"
    )
    body = reports_page().replace(tab, several)
    assert body != reports_page()

    log, *_ = order(run, body, INVENTORY)

    assert log == [["Equipment Inventory", "USD", OWN]]


def test_an_order_that_meets_an_error_is_not_taken_and_the_reports_are_loaded_once(run):
    log, taken, warnings = order(run, reports_page(answer=FAILS), USAGE_DETAIL)
    assert (len(log), taken, len(warnings)) == (1, [False], 1)


def test_an_error_that_stays_is_named(run):
    stays = "dialog('<h2>Something went wrong</h2><button>Reload reports</button>')"
    with pytest.raises(PortalDown):
        order(run, reports_page(answer=stays), USAGE_DETAIL)


def test_an_error_that_comes_before_the_order_costs_no_order(run):
    log, taken, _ = order(run, reports_page(chosen=f"if (select.id) {{ {FAILS} }}"), USAGE_DETAIL)
    assert (log, taken) == ([["Usage Detail", "October 2026", OWN]], [True])


@pytest.mark.parametrize(
    "answer",
    [
        "dialog('<button><mat-icon>close</mat-icon></button>'.replace('<button', '<button onclick=\"this.parentNode.remove()\"'))",
        "dialog('<p>Requested</p>'); addEventListener('keydown', event => event.key === 'Escape' && document.querySelector('[role=dialog]')?.remove())",
    ],
    ids=["an icon", "the Escape key"],
)
def test_a_confirmation_is_closed(run, answer):
    assert order(run, reports_page(answer=answer), USAGE_DETAIL)[1] == [True]


def test_an_order_without_a_confirmation_is_not_taken(run):
    assert order(run, reports_page(answer=""), USAGE_DETAIL)[1] == [False]


# My reports


def made(*rows: tuple[str, str, str, str]) -> str:
    """Return the list of reports, behind its tab. rows: name, detail, date, status."""
    entries = "".join(
        f"""<mat-expansion-panel class="history-content x"><span class=report-name>{name}</span><p class=report-det><span>{detail}</span></p>
        <span class=run-date>{ran}</span><b class=report-status>{status}</b>
        <button onclick="menu({number})"><mat-icon>more_vert</mat-icon></button></mat-expansion-panel>"""
        for number, (name, detail, ran, status) in enumerate(rows)
    )
    save = """const save = number => { const a = document.createElement('a'); a.download = number + '.csv';
      a.href = window.URL.createObjectURL(new Blob([`Account,Used\\n${number},1`])); a.click(); shut(); document.querySelector('[role=dialog]')?.remove() };
      const menu = number => { overlay('<div role=menu><button role=menuitem>Delete</button><button role=menuitem>Download</button></div>');
      document.querySelectorAll('[role=menuitem]')[1].onclick = () => { shut();
        at(`<div role=dialog style="position:fixed;inset:50px;background:#eee"><button onclick="save(${number})">Download</button><button>Cancel</button></div>`) } };"""
    return f"""{SELECT}<script>{save}</script><mat-list-item onclick="tabs.hidden=false">Reporting</mat-list-item><div id=tabs hidden>
      <a role=tab>Billing templates</a><a role=tab onclick="setTimeout(() => list.hidden=false, 300)">My reports</a></div><div id=list hidden>{entries}</div>"""


RAN = "Nov&nbsp;20,&nbsp;2026"
MINE = ("Usage Detail Report", f"Oct 2026 | {OURS}", RAN, "Completed")


def test_the_report_of_name_account_month_and_day_is_collected(run):
    rows = [
        ("Usage Detail Report", f"Sep 2026 | {OURS}", RAN, "Completed"),
        ("Usage Detail Report", f"Oct 2026 | {OTHER}", RAN, "Completed"),
        ("Usage Detail Report", f"Oct 2026 | {OURS}", "Nov&nbsp;19,&nbsp;2026", "Completed"),
        ("Charges and Usage Summary", f"Oct 2026 | {OURS}", RAN, "Completed"),
        (*MINE[:3], "Pending"),
        MINE,
    ]

    async def act(page: PortalPage) -> Any:
        spider = TmobileMonthlyReports()
        entries = await spider.entries(page, USAGE_DETAIL)
        part = await spider.collect(page, next(entry for entry in entries if entry.is_ready))
        return [entry.is_ready for entry in entries], part.name, await page.shown(("[role=dialog]",))

    assert run(made(*rows), act, target=TARGET) == ([False, True], "5.csv", None)


def test_an_equipment_report_is_collected_without_a_month(run):
    name = "Equipment Installment and Payment Report"

    async def act(page: PortalPage) -> Any:
        spider = TmobileMonthlyReports()
        (entry,) = await spider.entries(page, INSTALLMENT)
        return (await spider.collect(page, entry)).name

    rows = [(name, OTHER, RAN, "Completed"), (name, f"1-2345-6782{'&nbsp;'}", RAN, "Completed")]
    assert run(made(*rows), act, target=TARGET) == "1.csv"


def test_an_empty_list_has_no_entries_and_a_row_without_its_parts_is_not_understood(run):
    act = lambda page: TmobileMonthlyReports().entries(page, USAGE_DETAIL)  # noqa: E731
    assert run(made(), act, target=TARGET) == []
    with pytest.raises(PortalChanged, match="lacks a part"):
        run(made(MINE).replace("report-det", "report-detail"), act, target=TARGET)


OVER = "position:fixed;inset:0;background:#eee"


@pytest.mark.parametrize(
    ("style", "times"), [("", 1), (OVER, 1), (OVER, 2)], ids=["beside", "over the tabs", "over the error before"]
)
def test_an_error_that_comes_at_each_look_at_the_list_is_no_empty_list(run, monkeypatch, style, times):
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "3")
    error = f"at('<div role=dialog style=\"{style}\">Something went wrong<button onclick=\\'this.parentNode.remove(); setTimeout(fails, 100)\\'>Reload reports</button></div>')"
    script = f"<script>const fails = () => {{ {'; '.join([error] * times)} }}</script>"
    body = script + made(MINE).replace("setTimeout(() => list.hidden=false, 300)", "setTimeout(fails, 100)")
    with pytest.raises(PortalDown):
        run(body, lambda page: TmobileMonthlyReports().entries(page, USAGE_DETAIL), target=TARGET)


# Billing: the account's row, its usage with the pool, its bills


def bills_page(*accounts: str, inside: str = "", script: str = "", shows: str = "Account {}") -> str:
    """Return the list of accounts behind a search; the page of the one that is opened. inside: what that page has below."""
    rows = "".join(
        f'<div class="billinglist-data y" data-of="{each}"><b>{each}</b> <span>$9.10</span></div>' for each in accounts
    )
    return f"""{SELECT}<mat-list-item id=billingApp onclick="bills.hidden=false">Billing</mat-list-item><div id=bills hidden>
      <input id=mat-input-7 onkeydown="event.key === 'Enter' && setTimeout(find, 300)"><div id=list></div></div><main id=detail hidden><h2 id=says></h2>{inside}</main><script>
      const find = () => {{ list.innerHTML = {json.dumps(rows)}; [...list.children].forEach(row => row.onclick = () => opened(row)) }};
      const opened = row => {{ bills.remove(); detail.hidden = false; says.textContent = {json.dumps(shows)}.replace('{{}}', row.dataset.of); window.of = row.dataset.of; {script} }};
      const chosen = select => {{ window.picked = select.textContent }};
      const save = () => {{ const a = document.createElement('a'); a.download = [window.of, window.picked].join(' ') + '.csv';
        a.href = window.URL.createObjectURL(new Blob(['a,b\\n1,2'])); a.click() }};</script>"""


USAGE = """<a role=tab onclick="usage.hidden=false">Usage</a><div id=usage hidden><div id=usage-dropdown><mat-select
  onclick="drop(this, ['Data usage', 'All usage', 'All usage history'])">Data usage</mat-select></div><button onclick="save()">Download</button></div>"""
ASKS_USAGE = "fetch('https://api.example/v1/britebill/documents/query?x=1')"


def fetch(run: Any, spider: Any, body: str, answer: Any = None) -> Any:
    async def act(page: PortalPage) -> Any:
        async def reply(route: Any) -> None:
            await route.fulfill(status=200, json=answer, headers={"access-control-allow-origin": "*"})

        await page.raw.route("**/britebill/**", reply)
        got = await spider().fetch(page)
        part = getattr(got, "part", got)
        return part.name, getattr(got, "pool_used", None), page.job.warnings

    return run(body, act, target=TARGET)


def told(day: str = "2026-10-31", data: str = "1.5") -> Any:
    return {
        "presentationHints": {"recentUsageHistory": [{"date": "2026-09-30", "data": "9"}, {"date": day, "data": data}]}
    }


@pytest.mark.parametrize("written", [OURS, "1-2345-6782"])
def test_the_usage_of_the_account_s_row_is_downloaded_with_its_pool(run, written):
    body = bills_page(OTHER, f"{OURS}0", written, inside=USAGE, script=ASKS_USAGE)
    name, used, warnings = fetch(run, TmobileDailyUsage, body, told())
    assert (name, used, warnings) == (f"{written} All usage.csv", 1610612736, [])


@pytest.mark.parametrize(
    "answer", [told(day="2026-08-31"), told(data="unlimited"), {}, [], {**told(), "accountNumber": OTHER}]
)
def test_a_pool_that_is_not_told_is_unknown(run, answer):
    name, used, warnings = fetch(run, TmobileDailyUsage, bills_page(OURS, inside=USAGE, script=ASKS_USAGE), answer)
    assert (name, used, len(warnings)) == (f"{OURS} All usage.csv", None, 1)


@pytest.mark.parametrize(
    ("accounts", "failure"),
    [
        ((OTHER,), WrongAccount),
        ((f"{OURS}0", f"9{OURS}"), WrongAccount),
        ((), WrongAccount),
        ((OURS, OURS), PortalChanged),
    ],
    ids=["another", "longer ones", "none", "twice"],
)
@pytest.mark.parametrize("spider", [TmobileDailyUsage, TmobilePdfInvoice])
def test_an_account_that_is_not_listed_once_is_refused(run, spider, accounts, failure):
    with pytest.raises(failure):
        fetch(run, spider, bills_page(*accounts, inside=USAGE))


@pytest.mark.parametrize("spider", [TmobileDailyUsage, TmobilePdfInvoice])
def test_the_page_of_another_account_is_refused(run, spider):
    with pytest.raises(WrongAccount):
        fetch(run, spider, bills_page(OURS, inside=USAGE, shows=f"Account {OTHER}"))


PERIODS = ["Current", "Oct 1 - Oct 31", "Sep 1 - Sep 30", "Aug 1 - Aug 31", "View historical"]
DRAWN = """<mat-select onclick="drop(this, {options})">Current</mat-select>"""
REAL = """<select onchange="window.picked = this.selectedOptions[0].text">{options}</select>"""
VIEW = """<button onclick="at(`<div role=dialog style='position:fixed;inset:50px;background:#eee'>{inside}<button onclick=save()>Download</button></div>`)">View PDF bill</button>"""
KINDS = """<label><input type=radio name=k checked onclick=&quot;window.of+=' summary'&quot;>Summary bill</label><label><input type=radio name=k onclick=&quot;window.of+=' detailed'&quot;>Detailed bill</label>"""


def bill_page(*options: str, real: bool = False, kinds: str = "") -> str:
    drawn = DRAWN.format(options=escape(json.dumps(options), quote=True))
    select = REAL.format(options="".join(f"<option>{each}" for each in options)) if real else drawn
    return bills_page(OTHER, OURS, inside=select + VIEW.format(inside=kinds))


@pytest.mark.parametrize("real", [False, True], ids=["drawn", "real"])
@pytest.mark.parametrize(
    "kinds", ["", KINDS, KINDS.replace("Detailed bill", "All pages")], ids=["one", "by name", "the second"]
)
def test_the_bill_of_the_cycle_is_downloaded(run, real, kinds):
    name, _, warnings = fetch(run, TmobilePdfInvoice, bill_page(*PERIODS, real=real, kinds=kinds))
    assert (name, warnings) == (f"{OURS}{' detailed' if kinds else ''} Oct 1 - Oct 31.csv", [])


def test_a_button_whose_icon_closes_the_dialog_is_not_that_of_the_download(run):
    icon = "<button onclick='this.parentNode.remove()'><mat-icon>close</mat-icon></button>"
    body = bill_page(*PERIODS, kinds=icon).replace(">Download</button></div>", ">Save the bill</button></div>")

    name, *_ = fetch(run, TmobilePdfInvoice, body)

    assert name == f"{OURS} Oct 1 - Oct 31.csv"


@pytest.mark.parametrize(
    ("options", "failure"),
    [
        (("Current", "Sep 1 - Sep 30", "Aug 1 - Aug 31"), NotYetPublished),
        (("Current", "Nov 1 - Nov 19", "View historical"), NoLongerAvailable),
        (("Current", "Oct 10 - Nov 9", "Sep 10 - Oct 9"), PortalChanged),
        (("Current", "View historical"), PortalChanged),
    ],
)
def test_no_other_bill_is_taken(run, options, failure):
    with pytest.raises(failure):
        fetch(run, TmobilePdfInvoice, bill_page(*options))

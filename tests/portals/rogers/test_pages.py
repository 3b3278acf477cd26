"""Rogers's spiders on pages of a few lines that are drawn as the fact sheet allows, and not as the sandbox draws them."""

from __future__ import annotations

import json
import zipfile
from datetime import date
from html import escape
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from database.access.credentials import Credential
from scrapers.core.outcomes import (
    BadCredentials,
    Failure,
    Incomplete,
    MfaFailed,
    MfaRequired,
    NoLongerAvailable,
    NotListed,
    NotYetPublished,
    PortalChanged,
    WrongAccount,
)
from scrapers.core.page import PortalPage
from scrapers.families.carriers import pools
from scrapers.families.carriers.items import UsageLine
from scrapers.families.carriers.spiders import CarrierTarget
from scrapers.logins.base import Attempt
from scrapers.portals.rogers import dialogs, reports, usage_table
from scrapers.portals.rogers.daily_usage import RogersDailyUsage
from scrapers.portals.rogers.login import RogersLogin
from scrapers.portals.rogers.monthly_reports import RogersMonthlyReports
from scrapers.portals.rogers.pdf_invoice import RogersPdfInvoice
from tests.pages import make_haste

pytestmark = pytest.mark.browser
OURS, OTHER = "123456782", "123456790"
TODAY = date(2026, 11, 20)
TARGET = CarrierTarget(account_id=1, account=OURS, billing_cycle_id=2, start=date(2026, 10, 1), end=date(2026, 10, 31))
CHARGES, *_, ELIGIBILITY = RogersMonthlyReports.reports


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """These pages do all at once."""
    make_haste(monkeypatch)
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "10")
    for module, name, seconds in (
        (dialogs, "CLOSES", 0.5),
        (reports, "KEPT", 0.5),
        (usage_table, "FILLED", 2.0),
        (pools, "FILLED", 0.5),
    ):
        monkeypatch.setattr(module, name, seconds)
    for spider in (RogersMonthlyReports, RogersPdfInvoice, RogersDailyUsage):
        monkeypatch.setattr(spider, "today", classmethod(lambda cls: TODAY))


# The sign-in

HOST = "https://bss.rogers.com"
HOME = f"{HOST}/bizonline/homePage.do"
WELCOME = '<div class="css-Welcome-Oliver-Greene-1">Welcome, Ann Birch</div>'
# Drawn by a script in one document, as an identity provider does; each step stays away until the one before it is done.
ENTRANCE = """<div id=login><div></div><div><div></div><div></div>{}<div><div><input type=button value="Sign In"
  onclick="location='/provider'"></div></div></div></div>"""
PROVIDER = """<app-root><div><ng-component><form onsubmit="return false"><div></div><div><input id=ds-form-input-id-0></div>
  <div><button onclick="named()">Continue</button></div></form></ng-component></div></app-root><main id=next></main><script>
const show = html => next.innerHTML = html;
const said = what => {{ const told = new XMLHttpRequest(); told.open('GET', '/said/' + what, false); told.send() }};  // before it goes on
const named = async () => {{ said('user ' + document.querySelector('input').value); if ({stalls}) return;
  document.querySelector('app-root').remove();
  show('<form id=LoginForm onsubmit="return false"><p></p><div></div><div><input id=input_password type=password></div><div></div>'
    + '<div><button onclick="proved()">Log in</button></div></form>'); }};
const proved = () => {{ said('password'); show({after_password}); }};
const sent = () => {{ said('send'); show(`<otp-waiting-for-input><form onsubmit="return false"><ds-code-input>`
  + '<input maxlength=1 size=1>'.repeat(6) + '</ds-code-input><button type=button>Resend</button><button disabled onclick="entered()">Verify</button></form></otp-waiting-for-input>');
  const boxes = [...document.querySelectorAll('ds-code-input input')];
  boxes.forEach((box, at) => box.onkeyup = () => {{ if (box.value && {moves}) boxes[at + 1]?.focus();
    document.querySelector('[disabled]')?.toggleAttribute('disabled', !boxes.every(each => each.value)); }}); }};
const entered = () => {{ said('code ' + [...document.querySelectorAll('ds-code-input input')].map(each => each.value).join('')); {after_code} }};
</script>"""
DEVICES = """`<otp-device-list><h1>Choose where to receive verification code</h1><div><p></p><div>{}</div></div></otp-device-list>`"""
BY_MAIL, BY_TEXT = (
    '<button onclick="sent()"><span>Email a***@example.com</span></button>',
    "<button>Text message</button>",
)


class Codes:
    """A second factor that receives codes by *ways*."""

    def __init__(self, *ways: str) -> None:
        self.ways = ways

    def can_answer(self, kind: str) -> bool:
        return kind in self.ways

    async def expect(self, kind: str = "") -> None:
        """Nothing has to be reserved."""

    async def may_send(self) -> None:
        """Nothing has to be written down."""

    def sent(self) -> None:
        """Nothing has to be counted."""

    async def code(self, kind: str = "", *, again: bool = False) -> str:
        return "012345"


def sign_in(run: Any, *ways: str, entrance: str = "", **facts: str) -> tuple[list[str], list[str], Any]:
    """Sign in; return the screens, what the pages were given, and what the page shows of its user. facts: of PROVIDER."""
    made = {
        "stalls": "false",
        "moves": "true",
        "after_password": DEVICES.format(BY_TEXT + BY_MAIL),
        "after_code": "location='/done'",
        **facts,
    }
    said: list[str] = []
    pages = {
        "/bizonline/homePage.do": ENTRANCE.format(entrance),
        "/provider": PROVIDER.format(**made),
        "/done": WELCOME,
    }

    async def act(page: PortalPage) -> Any:
        async def answer(route: Any) -> None:
            path = route.request.url.removeprefix(HOST)
            if path.startswith("/said/"):
                said.append(path.removeprefix("/said/").replace("%20", " "))
            body = f"<!doctype html><body>{pages.get(path, '')}"
            await route.fulfill(status=200, content_type="text/html", body=body)

        await page.raw.route("**/*", answer)
        attempt = Attempt(Credential("rogers", "ann", "sesame"), Codes(*(ways or ("mail",))))
        try:
            await RogersLogin().sign_in(page, attempt)
        finally:
            screens[:] = attempt.screens
        return await RogersLogin().page_identity(page)

    screens: list[str] = []
    try:
        shown = run("", act)
    except Failure as failure:
        shown = failure
    return screens, said, shown


ALL = ["home", "user name", "password", "choose mail", "code", "signed in"]
GIVEN = ["user ann", "password", "send", "code 012345"]


@pytest.mark.parametrize("moves", ["true", "false"], ids=["the focus moves on", "the focus stays"])
@pytest.mark.parametrize("entrance", ["", "<div></div>"], ids=["third", "fourth"])
def test_the_sign_in_goes_through_all_screens(run, entrance, moves):
    screens, said, shown = sign_in(run, entrance=entrance, moves=moves)
    assert (screens, said) == (ALL, GIVEN)
    assert shown.name == "Welcome, Ann Birch"


def test_the_first_steps_are_done_again_once_where_the_password_does_not_come(run, monkeypatch):
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "2")
    once = "!sessionStorage.tried && (sessionStorage.tried = true)"
    screens, said, _ = sign_in(run, stalls=once)
    assert screens == [*ALL[:2], *ALL]
    assert said == [GIVEN[0], *GIVEN]


def test_they_are_not_done_a_third_time(run, monkeypatch):
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "2")
    screens, said, failure = sign_in(run, stalls="true")
    assert (screens, said) == (ALL[:2] * 2, GIVEN[:1] * 2)
    assert isinstance(failure, PortalChanged)


@pytest.mark.parametrize(
    ("facts", "failure", "given"),
    [
        ({"after_password": "'<p role=alert>Incorrect password</p>'"}, BadCredentials, 2),
        ({"after_password": "'<h1>Something else</h1>'"}, PortalChanged, 2),
        ({"after_code": ""}, MfaFailed, 4),
        ({"after_code": "show('<p role=alert>Invalid code</p>')"}, MfaFailed, 4),
        ({"after_password": DEVICES.format("<button>Text message</button>")}, MfaRequired, 2),
    ],
    ids=["refused", "unknown", "the code stays", "the code is refused", "by text message alone"],
)
def test_the_password_is_typed_once_whatever_comes(run, monkeypatch, facts, failure, given):
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "2")
    _, said, shown = sign_in(run, **facts)
    assert (type(shown), said) == (failure, GIVEN[:given])


# Reports: dialogs in a frame

SELECTS = """<select id=categIDSelect onchange="fill()"><option>Choose<option>COST CENTRE DETAIL (2)
  <option>Current charges and credits</select><select id=reportIDSelect><option>Choose</select>
<script>const fill = () => setTimeout(() => reportIDSelect.innerHTML = '<option>Choose'
  + (categIDSelect.selectedIndex === 2 ? '<option>Credit - Subscriber Level<option>Current Charges - Subscriber Level (new)'
  : '<option>Monthly Usage Breakdown'), 200);
const open_ = html => { document.body.insertAdjacentHTML('beforeend', `<div id=TB_window><a id=TB_closeWindowButton href=#
  onclick="this.parentNode.remove()">close</a></div>`); setTimeout(() => TB_window.insertAdjacentHTML('beforeend',
  '<iframe id=TB_iframeContent></iframe>'), 100); setTimeout(() => TB_iframeContent.srcdoc = html, 300) };
const done = () => setTimeout(() => TB_window.remove(), 100);</script>"""
MENU = "<div id=header_menu><a href='#prm-reports.do' onclick='opened.hidden=false'>Reports</a></div>"


def dialog(html: str) -> str:
    """Return what opens a dialog with this page, as the value of an attribute."""
    return escape(f"open_({json.dumps(html)});return false", quote=True)


def accounts(*numbers: str, closes: bool = True) -> str:
    """Return the dialog of accounts: its button is enabled when the field of numbers is left, and its list comes late."""
    end = "parent.done()" if closes else ""
    entry = "<li><strong>{0}</strong><a class=buttongray href=# onclick='parent.account.textContent=\"Account {0}\";{1}'>Select</a></li>"
    found = "".join(entry.format(number, end) for number in numbers)
    return f"""<div id=searchBox1><input type=radio name=by onclick="searchField1.disabled=false">By number</div>
      <input id=searchField1 disabled onblur="findButton1.disabled=false"><button id=findButton1 disabled
      onclick="parent.typed = searchField1.value; setTimeout(() => list.hidden = false, 300)">Find</button><ul id=list hidden>{found}</ul>"""


def form(*numbers: str, closes: bool = True) -> str:
    """Return the form of reports."""
    return f"""{MENU}<div id=opened hidden>{SELECTS}<a id=accountNumbersLink href=#
      onclick="{dialog(accounts(*numbers, closes=closes))}">Accounts</a></div><p id=account></p>"""


CHOSEN = "[categIDSelect, reportIDSelect].map(each => each.selectedOptions[0].text).concat(account.textContent, typed)"


@pytest.mark.parametrize("closes", [True, False], ids=["the dialog closes", "the dialog stays"])
@pytest.mark.parametrize("written", [OURS, "1-2345-6782", f"{OURS} Head office"])
def test_a_report_and_its_account_are_chosen(run, written, closes):
    async def act(page: PortalPage) -> Any:
        await reports.choose_report(page, "Current Charges and Credits", "Current Charges - Subscriber Level")
        return await page.raw.evaluate(CHOSEN), await page.shown(("#TB_window",))

    chosen, left = run(form(OTHER, written, closes=closes), act, target=TARGET)
    report = ["Current charges and credits", "Current Charges - Subscriber Level (new)"]
    assert chosen == [*report, f"Account {written}", OURS]
    assert left is None


@pytest.mark.parametrize("numbers", [(OTHER,), (f"{OURS}0", f"9{OURS}"), ()], ids=["another", "longer ones", "none"])
def test_an_account_that_is_not_listed_is_refused(run, numbers):
    async def act(page: PortalPage) -> None:
        await reports.open_reports(page)
        await reports.choose_account(page)

    with pytest.raises(WrongAccount):
        run(form(*numbers), act, target=TARGET)


def test_a_report_that_is_not_offered_is_no_other_one(run):
    act = lambda page: reports.choose_report(page, "Cost Centre Detail", "Monthly Charges Breakdown")  # noqa: E731
    with pytest.raises(NotListed, match="has no Monthly Charges Breakdown"):
        run(form(OURS), act, target=TARGET)


def test_choices_that_the_dialog_has_reset_are_made_again(run):
    resets = form(OURS).replace("parent.done()", "parent.categIDSelect.selectedIndex = 0; parent.fill(); parent.done()")

    async def act(page: PortalPage) -> Any:
        await reports.choose_report(page, "Cost Centre Detail", "Monthly Usage Breakdown")
        return await page.raw.evaluate(CHOSEN)

    assert run(resets, act, target=TARGET)[:2] == ["COST CENTRE DETAIL (2)", "Monthly Usage Breakdown"]


# Bill cycles


def shown_report(*values: str, says: str = "", account: str = OURS) -> str:
    """Return the page of a report, which is drawn anew by the button that applies its bill cycle. says: beside the cycle."""
    radios = "".join(f'<label><input type=radio name=billCycleDate value="{each}">{each}</label>' for each in values)
    take = "parent.cycle.textContent = (document.querySelector(':checked') || {}).value; parent.done()"
    late = f"<script>setTimeout(() => list.innerHTML = {json.dumps(radios)}, 300)</script>"
    inside = f'<p id=list></p><button id=submitNewBCD onclick="{take}">Take</button>{late}'
    return f"""{SELECTS.partition("<script>")[1]}{SELECTS.partition("<script>")[2]}
      <a id=changeBillCycleDate href=# onclick="{dialog(inside)}">Change</a><p>Bill cycle {says}<b id=cycle></b></p>
      <button id=goButton onclick="account.textContent='Account {account}'">Go</button><p id=account></p>"""


CYCLES = ("11/15/2026", "10/15/2026", "09/15/2026")


def choose_cycle(run: Any, body: str) -> str:
    async def act(page: PortalPage) -> Any:
        await reports.choose_bill_cycle(page, TODAY)
        return await page.raw.evaluate("cycle.textContent")

    chosen: str = run(body, act, target=TARGET)
    return chosen


@pytest.mark.parametrize("values", [CYCLES, CYCLES[::-1], ("10/31/2026", "10/01/2026"), ("10/15/2026", "10/15/2025")])
def test_the_bill_cycle_of_the_month_is_chosen(run, values):
    assert choose_cycle(run, shown_report(*values)) == ("10/31/2026" if "10/31/2026" in values else "10/15/2026")


@pytest.mark.parametrize(
    ("values", "failure"),
    [
        (("09/15/2026", "08/15/2026"), NotYetPublished),
        (("12/15/2026", "11/15/2026"), NoLongerAvailable),
        (("10/15/2025",), NotYetPublished),
        (("10/05/2026", "10/20/2026"), PortalChanged),
        ((), PortalChanged),
    ],
)
def test_no_other_bill_cycle_is_chosen(run, values, failure):
    with pytest.raises(failure):
        choose_cycle(run, shown_report(*values))


def test_a_bill_cycle_that_does_not_stay_is_refused(run):
    with pytest.raises(PortalChanged, match="another bill cycle"):
        choose_cycle(run, shown_report(*CYCLES).replace("cycle.textContent = ", "cycle.textContent = '09/15/2026' || "))


def test_the_first_day_of_a_bill_cycle_may_stand_beside_it(run):
    assert choose_cycle(run, shown_report(*CYCLES, says="09/16/2026 - ")) == "10/15/2026"


def test_a_report_of_another_account_is_refused(run):
    with pytest.raises(WrongAccount):
        choose_cycle(run, shown_report(*CYCLES, account=OTHER))


# The text of a report


def test_a_report_is_exported_with_its_values_in_double_quotes(run):
    save = "const a = document.createElement('a'); a.download = 'report.txt'; a.href = window.URL.createObjectURL(new Blob([document.querySelector(':checked').value + ',1'])); a.click()"
    inside = f"""<label><input type=radio name=qualifier value=S checked>'</label>
      <label><input type=radio name=qualifier value=D>"</label><button id=downloadNow onclick="{save}">Download</button>"""
    script = "<script>" + SELECTS.partition("<script>")[2]
    body = f'{script}<a class="buttontext" href="javascript:exportText()" onclick="{dialog(inside)}">Text</a>'

    async def act(page: PortalPage) -> Any:
        part = await reports.export(page)
        return part.name, part.path.read_text(), await page.shown(("#TB_window",))

    assert run(body, act, target=TARGET) == ("report.txt", "D,1", None)


# Requests


def requested(*entries: tuple[str, str, str, str, str]) -> str:
    """Return the page of reports, with a tab of requests. entries: name, account, status, expiry date and link of each."""
    items = "".join(
        f"<li><p><b>Report name:</b><span>{name}</span></p><p><b>Show for:</b><span>{account}</span></p>"
        f"<p><b>Status:</b> <span>{status}</span></p><p><b>Expiry Date:</b><span>{expires}</span></p>"
        f"{link and f'<a href={link}>Download</a>'}</li>"
        for name, account, status, expires, link in entries
    )
    return f"""<a id=myRequests-tab href=# onclick="setTimeout(() => tab.hidden=false, 300)">My requests</a>
      <ol class=fav_items><li>A favourite</li></ol><div id=tab hidden><ol class="x fav_items">{items}</ol></div>"""


LINK = "/bizonline/downloadExtractFile.do?id=7"


def read_entries(run: Any, body: str) -> list[tuple[bool, bool]]:
    async def act(page: PortalPage) -> Any:
        found = await RogersMonthlyReports().entries(page, ELIGIBILITY)
        assert all([await page.shown((entry.selector,)) for entry in found if entry.is_ready])
        return [(entry.is_ready, entry.failed) for entry in found]

    found: list[tuple[bool, bool]] = run(body, act, target=TARGET)
    return found


def test_the_account_s_requests_are_found(run):
    mine = (ELIGIBILITY.name, "1-2345-6782", "Completed", "12/01/2026", LINK)
    body = requested(
        mine, (ELIGIBILITY.name, OTHER, "Completed", "12/01/2026", f"{LINK}0"), (*mine[:2], "Pending", *mine[3:4], "")
    )
    assert read_entries(run, body) == [(True, False), (False, False)]


def test_an_empty_list_is_no_unknown_page(run):
    assert read_entries(run, requested()) == []


def test_an_extract_is_collected_by_its_link(run, tmp_path):
    header = "November 2026\n\nAccount number,9,CHAR\nPhone number,10,CHAR\n"
    with zipfile.ZipFile(tmp_path / "sent.zip", "w") as archive:
        archive.writestr("head.txt", header)
        archive.writestr("data.csv", f"{OURS},4165550100\n")
    content = (tmp_path / "sent.zip").read_bytes()

    async def act(page: PortalPage) -> Any:
        async def answer(route: Any) -> None:
            await route.fulfill(status=200, content_type="application/zip", body=content)

        await page.raw.route("**/downloadExtractFile.do*", answer)
        (entry,) = await RogersMonthlyReports().entries(page, ELIGIBILITY)
        part = await RogersMonthlyReports().collect(page, entry)
        with CalamineWorkbook.from_path(part.path) as book:
            return list(book.get_sheet_by_index(0).iter_rows()), page.job.warnings

    body = requested((ELIGIBILITY.name, OURS, "Completed", "12/01/2026", f"{HOST}{LINK}"))
    rows, warnings = run(body, act, target=TARGET)
    assert rows == [["November 2026", ""], ["Account number", "Phone number"], [OURS, "4165550100"]]
    assert warnings == ["The extract is of November 2026."]


# Usage: an account by suggestions, lines on pages, figures that come late

ACCOUNTS = """<div id=header_menu><a href="/bizonline/prm-duns.do" onclick="duns.hidden=false;return false">Manage Data Notifications</a></div>
<div id=duns hidden><input id=searchField onkeyup="setTimeout(() => found.hidden = false, 300)"></div>
<div class=ac_results id=found hidden><ul>{}</ul></div>
<table id=dunsAccountsListTableId hidden>{}</table><div id=detail hidden><a id=BanUsageTab href=# onclick="BanUsage.hidden=false">Data Usage Tracking</a>
<div id=BanUsage hidden><p id=says></p><div><table></table><table><tr><td><span>Size</span><span>{}</span></td></tr></table>
<div id=spanUsage_pooled><div><div><div><div>Used</div><div>{}</div></div></div></div></div></div>
<a id=getCTNsPGId href=# onclick="group.hidden=false;draw()">Shared Group User List</a></div></div>"""
LINES = """<div id=group hidden><div id=dunsSelectPage><span onclick="chosen.push(...shown())">Select this page</span></div>
<table><tbody id=rows></tbody></table><div id=mypagination></div><a id=selectedCtnsId href=# onclick="view()">View Data Usage</a></div><script>
const lines = {lines}, chosen = [], each = {each}; let page = 0;
const shown = () => lines.slice(page * each, page * each + each), isLast = of => (page + 1) * each >= of.length;
const pages = (of, go) => {{ mypagination.innerHTML = `<b>${{page + 1}}</b>` + (isLast(of) ? '<span class=next>Next</span>' : '<a class=next href=#>Next</a>');
  const next = mypagination.querySelector('a'); if (next) next.onclick = () => {{ page += 1; setTimeout(go, 300) }} }};
const draw = () => {{ rows.innerHTML = shown().map(([name, number], at) =>
  `<tr class="${{at % 2 ? 'even' : 'odd'}}"><td><input type=checkbox></td><td>${{name}}</td><td>${{number}}</td></tr>`).join(''); pages(lines, draw) }};
const table = () => {{ rows.innerHTML = '<tr class="odd extract-table-body"><td>Name</td></tr>' + chosen.slice(page * paged, page * paged + paged).map(([name, number, used], at) =>
  `<tr class="${{at % 2 ? 'even' : 'odd'}}"><td>${{name}}</td><td>${{number}}</td><td><span id="spanUsage_${{number.replace(/\\D/g, '')}}"></span></td></tr>`).join('');
  setTimeout(() => chosen.forEach(([, number, used]) => {{ const at = document.getElementById('spanUsage_' + number.replace(/\\D/g, ''));
    if (at) at.textContent = used }}), 400); }};
const paged = {paged}; const view = () => {{ page = 0; draw2() }};
const draw2 = () => {{ table(); mypagination.innerHTML = (page + 1) * paged >= chosen.length ? '<span class=next>Next</span>' : '<a class=next href=#>Next</a>';
  const next = mypagination.querySelector('a'); if (next) next.onclick = () => {{ page += 1; setTimeout(draw2, 300) }} }};
</script>"""
GROUP = [
    ("Ann Birch", "416-555-0100", "1.5 GB"),
    ("Bo Cedar", "416-555-0101", "0 MB"),
    ("", "416-555-0102", "\u2014"),
    ("Di Elm", "416-555-0103", "512 MB"),
    ("Ed Fir", "416-555-0104", "1 KB"),
]
READ = (
    UsageLine("Ann Birch", "4165550100", 1610612736, "1.5 GB"),
    UsageLine("Bo Cedar", "4165550101", 0, "0 MB"),
    UsageLine(None, "4165550102", None, "\u2014"),
    UsageLine("Di Elm", "4165550103", 536870912, "512 MB"),
    UsageLine("Ed Fir", "4165550104", 1024, "1 KB"),
)


def notifications(
    suggested: tuple[str, ...] = (OTHER, "1-2345-6782"),
    listed: tuple[str, ...] = (OTHER, OURS),
    says: str = f"Account {OURS}",
    size: str = "20 GB",
    used: str = "2.5 GB",
    each: int = 2,
    paged: int = 100,
    group: list[tuple[str, str, str]] = GROUP,
) -> str:
    """Return the data notifications of several accounts. each, paged: lines on a page of the group and of the usage."""
    table = "dunsAccountsListTableId.hidden=false"
    items = "".join(
        f'<li><span class=rowName>{one}</span><a class=buttongray href=# onclick="{table}">Select</a></li>'
        for one in suggested
    )
    open_ = f"detail.hidden=false;says.textContent={json.dumps(says)};return getDunsCtns()"
    rows = "".join(f"<tr><td>{one}</td><td><a href=# onclick='{open_}'>Open</a></td></tr>" for one in listed)
    scripts = LINES.format(lines=json.dumps(group), each=each, paged=paged)
    return ACCOUNTS.format(items, rows, size, used) + scripts + "<script>const getDunsCtns = () => false</script>"


def usage(run: Any, body: str) -> tuple[Any, list[str], list[list[Any]]]:
    """Return what is fetched, the warnings, and the lines of the workbook."""

    async def act(page: PortalPage) -> Any:
        fetched = await RogersDailyUsage().fetch(page)
        with CalamineWorkbook.from_path(fetched.part.path) as book:
            return fetched, list(page.job.warnings), list(book.get_sheet_by_index(0).iter_rows())

    found: tuple[Any, list[str], list[list[Any]]] = run(body, act, target=TARGET)
    return found


UNCLEAR = "The usage of 1 of 5 lines is not understood, and unknown."


@pytest.mark.parametrize("each", [2, 5, 9], ids=["three pages", "one page", "one page with room"])
def test_the_table_is_read_from_all_pages(run, each):
    fetched, warnings, lines = usage(run, notifications(each=each))
    assert (fetched.pool_size, fetched.pool_used) == (20 * 1024**3, 2_684_354_560)
    assert fetched.shown == READ
    assert warnings == [UNCLEAR]
    assert lines == [
        ["mobile_username", "mobile_number", "data_used"],
        *([line.name or "", line.number, "" if line.used is None else float(line.used)] for line in READ),
    ]


def test_a_table_of_usage_with_pages_of_its_own_is_read_to_its_end(run):
    assert usage(run, notifications(each=3, paged=2))[0].shown == READ


def test_lines_that_the_table_does_not_show_are_told(run):
    body = notifications().replace("chosen.push(...shown())", "chosen.push(...shown().slice(0, 1))")
    fetched, warnings, _ = usage(run, body)
    assert fetched.shown == READ[::2]
    assert warnings[0] == "The table shows 3 lines; 2 of the 5 that are listed are not there."


def test_a_page_of_which_the_table_shows_no_line_was_not_selected(run):
    with pytest.raises(Incomplete, match="no line of 2 pages"):
        usage(run, notifications().replace("chosen.push(...shown())", "chosen.splice(0, 9, ...shown())"))


def test_the_lines_of_a_list_without_marks_are_known(run):
    body = notifications(group=GROUP[:4]).replace(
        """<tr class="${at % 2 ? 'even' : 'odd'}"><td><input""", "<tr><td><input"
    )
    with pytest.raises(Incomplete):
        usage(run, body.replace("chosen.push(...shown())", "chosen.splice(0, 9, ...shown())"))


def test_another_account_s_table_is_not_taken(run):
    body = notifications().replace("page = 0; draw2()", f"page = 0; draw2(); says.textContent = 'Account {OTHER}'")
    with pytest.raises(WrongAccount):
        usage(run, body)


def test_unknown_figures_of_the_pool_are_none(run):
    fetched, warnings, _ = usage(run, notifications(size="Unlimited"))
    assert (fetched.pool_size, fetched.pool_used) == (None, 2_684_354_560)
    assert "unknown figures" in warnings[0]


@pytest.mark.parametrize(
    "facts",
    [
        {"suggested": (OTHER, f"{OURS}0")},
        {"suggested": ()},
        {"listed": (OTHER, "123456791")},
        {"says": f"Account {OTHER}"},
    ],
    ids=["not suggested", "nothing suggested", "the table is another's", "another is opened"],
)
def test_no_other_account_s_usage_is_read(run, facts):
    with pytest.raises(WrongAccount):
        usage(run, notifications(**facts))


def test_a_table_without_a_line_is_not_empty_usage(run):
    with pytest.raises(PortalChanged):
        usage(run, notifications(group=[]))


# Bills

VIEWER = """<button id=save_desktop onclick="setTimeout(() => tip.id = 'tippy-1', 100); tip.hidden = false">Save</button><div id=tip hidden>
<span class=downloadPdfEbuLink-rogers onclick="save('summary')">Summary</span>
<span class=downloadPdfEbuLink-rogers onclick="save('complete')">Complete bill</span></div><script>const save = what => {
  const a = document.createElement('a'); a.download = 'bill.pdf';
  a.href = URL.createObjectURL(new Blob(['%PDF-1.7 ' + what + ' ' + top.opened])); a.click() }</script>"""


def bills(*dates: str, numbers: tuple[str, ...] = (OTHER, "1-2345-6782"), late: int = 500) -> str:
    """Return the home page, with bills by date whose table comes with the view by account, and the viewer in two frames."""
    options = "".join(f'<option value="{each}">Bill {place}</option>' for place, each in enumerate(dates))
    rows = "".join(
        f'<tr><td class=textData>{one}</td><td>${place}.50</td><td><a id=banDownloadBriteBill href=# onclick="view(`{one}`)">View Bill</a></td></tr>'
        for place, one in enumerate(numbers)
    )
    outer = f"<p>Bill</p><iframe srcdoc='{escape(VIEWER, quote=True)}'></iframe>"
    return f"""<div id=landing_left_pan><p></p><div><a href="#prm-bizInvoicePayment" onclick="pay.hidden=false">View Bills</a></div></div>
      <div id=pay hidden><select id=invoice_dates>{options}</select><select id=invoiceShowTypeList onchange="draw()">
      <option value=summary>All<option value=accountsView>By account</select>
      <table id=tableSorterListId><tr><th>Account</th><th>Total ($)</th><th></th></tr></table></div><script>
      const draw = () => setTimeout(() => {{ if (invoiceShowTypeList.value === 'accountsView')
        tableSorterListId.insertAdjacentHTML('beforeend', {json.dumps(rows)}) }}, 300);
      const view = number => {{ window.opened = number + ' ' + invoice_dates.value; document.body.insertAdjacentHTML('beforeend',
        '<iframe id=viewer></iframe>'); setTimeout(() => viewer.srcdoc = {json.dumps(outer)}, {late}) }};</script>"""


def bill(run: Any, body: str) -> tuple[str, dict[str, str]]:
    async def act(page: PortalPage) -> Any:
        fetched = await RogersPdfInvoice().fetch(page)
        return fetched.part.path.read_text(), fetched.listed

    found: tuple[str, dict[str, str]] = run(body, act, target=TARGET)
    return found


@pytest.mark.parametrize("dates", [("15-Nov-2026", "15-Oct-2026", "15-Oct-2025"), ("31-Oct-2026",)])
def test_the_complete_bill_of_the_account_and_month_is_fetched(run, dates):
    content, listed = bill(run, bills(*dates))
    assert content == f"%PDF-1.7 complete 1-2345-6782 {dates[-2] if len(dates) > 1 else dates[0]}"
    assert listed == {"total": "$1.50"}


def test_a_viewer_that_comes_late_is_waited_for(run):
    assert bill(run, bills("15-Oct-2026", late=2500))[0].startswith("%PDF-1.7 complete")


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (bills("15-Sep-2026", "15-Aug-2026"), NotYetPublished),
        (bills("15-Dec-2026", "15-Nov-2026"), NoLongerAvailable),
        (bills("15-Oct-2026", numbers=(OTHER, f"{OURS}0")), WrongAccount),
        (bills("15-Oct-2026", numbers=(OURS, OURS)), PortalChanged),
        (bills("05-Oct-2026", "20-Oct-2026"), PortalChanged),
        (bills("15-Oct-2026").replace("Complete bill", "Summary of charges"), PortalChanged),
        (bills("15-Oct-2026").replace("$1.50", "Nov 2026"), PortalChanged),
        (bills("15-Oct-2026").replace("$1.50", "Sep 2026"), PortalChanged),
    ],
    ids="not-yet no-longer other-accounts listed-twice two-bills no-complete-bill later-list earlier-list".split(),
)
def test_no_other_bill_is_fetched(run, monkeypatch, body, failure):
    with pytest.raises(failure):
        bill(run, body)

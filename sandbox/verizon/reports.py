"""Reports Home with its tabs, and the page of a report: its notice, its filters, its preview and its file."""

from __future__ import annotations

from sandbox.invented import Month
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.downloads import offer
from sandbox.scripted.files import CSV_TYPE, XLSX_TYPE, File
from sandbox.tables import as_csv, changed
from sandbox.verizon import filters, raw
from sandbox.verizon.catalogue import CATALOGUE, TABS, Report
from sandbox.verizon.filters import ACCOUNT, Filters
from sandbox.verizon.landing import framed
from sandbox.verizon.pages import REPORT, REPORTS
from sandbox.verizon.tables import Span, table_of
from sandbox.workbooks import workbook

PREVIEW_ROWS = 5


def home(call: Call) -> Reply:
    """Reports Home, at first with its first tab."""
    return framed(call, "Reports", "reports", **_tab(call, TABS[0]), modal="")


def raw_data(call: Call) -> Reply:
    """Reports Home under the modal of the raw data."""
    return framed(call, "Reports", "reports", **_tab(call, TABS[0]), modal=raw.modal(call))


def _tab(call: Call, tab: str) -> dict[str, object]:
    there = [report for report in CATALOGUE if report.tab == tab]
    return {
        "tabs": TABS,
        "tab": tab,
        "reports": [each for each in there if not call.user.says(f"missing-{_tag(each)}")],
    }


def _tag(report: Report) -> str:
    return report.slug.replace("_", "-")


async def show_tab(call: Call) -> Reply:
    """Show the reports of a tab."""
    tab = call.value("value")
    return {"delay": call.delay, "show": {"[data-place=tab]": call.render("report_tab", **_tab(call, tab))}}


async def open_report(call: Call) -> Reply:
    """Open a report."""
    track = call.value("value")
    if track not in {report.track for report in CATALOGUE}:
        return {}
    filters.begin(call, track)
    return {"delay": call.delay, "go": call.at(REPORT)}


def page(call: Call) -> Reply:
    """The page of a report; its preview comes later, and so does the notice."""
    report = filters.report_of(call)
    if report is None:
        return {"go": call.at(REPORTS)}
    reply = framed(call, report.title, "report", report=report, **filters.form(call))
    return reply | {"again": {"act": "show-notice" if report.monthly else "draw-report", "delay": 0}}


async def show_notice(call: Call) -> Reply:
    """Lay the notice over a monthly report, while its preview is drawn."""
    return notice(call) | {"again": {"act": "draw-report", "delay": call.setting("report_ms")}}


def notice(call: Call) -> Reply:
    """Return the notice about monthly reports, for those that have one."""
    report = filters.report_of(call)
    if report is None or not report.monthly or call.user.says("no-notice"):
        return {}
    call.portal.counters.add("notices_shown")
    delay = call.setting("late_ms" if call.user.says("notice-late") else "notice_ms")
    return {"closes": "app-form-modal", "overlay": {"html": call.render("notice"), "delay": delay}}


async def choose_view(call: Call) -> Reply:
    """List what a view is about; the number that counts for it is chosen."""
    view, held = call.value("viewBy"), filters.held(call)
    numbers = call.render("numbers", **filters.numbers(call, view, held.number if view == held.view else ""))
    return {"delay": call.delay, "show": {"[data-place=numbers]": numbers}}


async def choose_number(call: Call) -> Reply:
    """Have the notice come again when an account was chosen."""
    return notice(call) if call.value("viewBy") == ACCOUNT else {}


async def apply_changes(call: Call) -> Reply:
    """Draw the report anew for the filters; without changes nothing happens."""
    refusal = filters.take(call)
    if refusal is None:
        return {}
    if refusal:
        return {"show": {"[data-place=report-error]": f'<p role="alert">{refusal}</p>'}}
    shown = {
        "[data-place=report-error]": "",
        "[data-place=filters]": call.render("filters", **filters.form(call)),
        "[data-place=scope]": call.render("scope", **filters.form(call)),
        "[data-place=report]": '<p aria-busy="true">Loading</p>',
    }
    again = {"act": "draw-report", "delay": call.setting("report_ms")}
    return {"delay": call.delay, "show": shown, "again": again}


async def draw(call: Call) -> Reply:
    """Draw the preview of a report, and the way to its file."""
    report = filters.report_of(call)
    if report is None:
        return {}
    said = _unavailable(call, report)
    rows = [] if said else _rows(call, report, filters.held(call), PREVIEW_ROWS)
    return {"show": {"[data-place=report]": call.render("preview", said=said, rows=rows)}}


def _unavailable(call: Call, report: Report) -> str:
    """Return why a report has no file now; "" where it has one."""
    if report.monthly and call.user.says("reports-not-available"):
        return "Monthly reports are not available yet for this bill cycle."
    if report.slug and call.user.says(f"fails-{_tag(report)}"):
        return "We could not load this report. Please try again later."
    held, newest = filters.held(call), call.months[0].short
    if report.dates == "months" and (held.first, held.last) != (newest, newest):
        return "There is no data for the selected months."
    return ""


def _accounts(call: Call, held: Filters) -> list[str]:
    """Return the accounts that a report is about."""
    if call.user.says("wrong-account-file"):
        return call.portal.people.numbered(f"wrong file {call.user.name}", 1)
    return [held.number] if held.view == ACCOUNT else call.accounts


def _span(call: Call, report: Report, held: Filters) -> Span:
    """Return the time that a report is about."""
    before = call.user.says("wrong-month")
    if report.dates == "days":
        first, last = (filters.day(each) for each in (held.first, held.last))
        if first is None or last is None:
            raise LookupError("Filters without days.")
        month = Month(last.year, last.month)
        if (first.day, last) == (1, month.last_day) and (first.year, first.month) == (month.year, month.number):
            month = month.before if before else month
            return Span(month.name, month)
        return Span.between(first, last)
    newest = Month(call.today.year, call.today.month) if report.slug == "daily_usage" else call.months[0]
    newest = newest.before if before else newest
    return Span(newest.name if report.slug in ("device_report", "daily_usage") else None, newest)


def _rows(call: Call, report: Report, held: Filters, count: int) -> list[list[object]]:
    accounts, span = _accounts(call, held), _span(call, report, held)
    return [list(row) for row in table_of(call.user, call.portal.people, report.slug, accounts, span, count)]


async def download(call: Call) -> Reply:
    """Hand out the full report."""
    report, user = filters.report_of(call), call.user
    if report is None or not report.slug or _unavailable(call, report) or user.says("download-never"):
        return {}
    if user.says("notice-at-download") and report.slug not in call.data.get("noticed", []):
        call.keep(noticed=[*call.data.get("noticed", []), report.slug])
        return notice(call)
    if user.says("account-switched"):
        filters.switch(call)
    held = filters.held(call)
    accounts, span = _accounts(call, held), _span(call, report, held)
    table = table_of(user, call.portal.people, report.slug, accounts, span, int(call.setting("report_rows")))
    rows = changed(call.perturbation, table)
    call.portal.counters.add_to("exports_of", report.slug)
    if user.says("csv") or call.perturbation.touches("csv", report.slug):
        file = File(report.slug, f"{report.title}.csv", CSV_TYPE, lambda: as_csv(rows))
    else:
        file = File(report.slug, f"{report.title}.xlsx", XLSX_TYPE, lambda: workbook("Report", rows))
    reply = offer(call, file)
    if user.says("filter-resets"):
        filters.reset(call)
    return reply

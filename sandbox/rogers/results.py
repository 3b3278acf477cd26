"""A report that was run: its bill cycle is chosen in a dialog, its export as text in another one."""

from __future__ import annotations

from sandbox.globys.tables import file_rows, report_rows
from sandbox.invented import Month
from sandbox.rogers.choice import cycle_of, keep, month_of, report_of, reset, state
from sandbox.rogers.extracts import TEXT_TYPE, as_text
from sandbox.rogers.frames import alert, content, dialog, done, framed
from sandbox.rogers.pages import CYCLES, EXPORT, REPORT, REPORTS
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.downloads import offer
from sandbox.scripted.files import File
from sandbox.tables import changed

PREVIEW_ROWS = 5
DELIMITERS = ("\t", "|", ";")  # in place of the comma


def result(call: Call) -> Reply:
    """A report: its account, its bill cycle date, some rows, and the ways to export it."""
    report = report_of(call)
    if report is None:
        return {"go": call.at(REPORTS)}
    chosen, cycle = state(call)["account"], cycle_of(call, month_of(call))
    rows = report_rows(report.slug, chosen, _counting(call), PREVIEW_ROWS)
    return framed(call, report.name, "report", report=report.name, chosen=chosen, cycle=cycle, rows=rows)


def _counting(call: Call) -> Month:
    month = month_of(call)
    return month.before if call.user.says("wrong-month") else month


async def open_cycles(call: Call) -> Reply:
    """Open the dialog in which a bill cycle is chosen."""
    return dialog(call, "Bill cycle date", CYCLES)


def cycles(call: Call) -> Reply:
    """The bill cycle dates, in a dialog's frame."""
    days = [cycle_of(call, month) for month in call.months]
    return content(call, "cycles", days=days, counting=cycle_of(call, month_of(call)))


async def submit_cycle(call: Call) -> Reply:
    """Take a bill cycle; it is shown and counts when Go was pressed."""
    chosen = call.value("billCycleDate")
    month = next((each for each in call.months if f"{cycle_of(call, each):%m/%d/%Y}" == chosen), None)
    if month is None:
        return alert("cycle-error", "Select a bill cycle date.")
    if call.user.says("month-filter-fails"):
        month = month_of(call)
    keep(call, picked=month.short)
    return done(call, {})


async def go(call: Call) -> Reply:
    """Draw the report again for the bill cycle that was taken."""
    keep(call, cycle=state(call)["picked"] or state(call)["cycle"], picked="")
    return {"delay": call.delay, "go": call.at(REPORT)}


async def open_export(call: Call) -> Reply:
    """Open the dialog of the export as text."""
    return dialog(call, "Download", EXPORT)


def export_options(call: Call) -> Reply:
    """The options of an export, in a dialog's frame."""
    return content(call, "export")


async def download_text(call: Call) -> Reply:
    """Hand out the report as text; values are quoted as it was chosen."""
    if call.user.says("export-resets"):
        reset(call)
    report = report_of(call)
    if report is None:
        return alert("export-error", "This report is no longer available.")
    account, user, people = state(call)["account"], call.user, call.portal.people
    if user.says("wrong-account-file"):
        account = people.numbered(f"wrong file {user.name}", 1)[0]
    rows = file_rows(user, people, report.slug, account, _counting(call), int(call.setting("report_rows")))
    table = changed(call.perturbation, rows)
    comma = not call.perturbation.touches("delimiters", report.slug)
    delimiter = "," if comma else call.perturbation.choose("delimiters", report.slug, DELIMITERS)
    quote = {"D": '"', "S": "'"}.get(call.value("qualifier"), "")
    call.portal.counters.add_to("exports_of", report.slug)
    name = f"{report.name.replace(' - ', '_').replace(' ', '_')}.txt"
    reply = offer(call, File(report.slug, name, TEXT_TYPE, lambda: as_text(table, delimiter, quote)))
    if user.says("filter-resets"):
        reset(call)
    return reply

"""The monthly reports: category and type, an account and a bill cycle set in dialogs, and the export as text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sandbox.globys.tables import file_rows, report_rows
from sandbox.invented import Month
from sandbox.rogers import requests
from sandbox.rogers.extracts import TEXT_TYPE, as_text
from sandbox.rogers.frames import alert, content, dialog, done, framed
from sandbox.rogers.pages import ACCEPTED, CYCLES, EXPORT, REPORT, SEARCH, shown_number
from sandbox.rogers.state import billed_on
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.downloads import offer
from sandbox.scripted.files import File
from sandbox.tables import changed

PREVIEW_ROWS = 5
DELIMITERS = ("\t", "|", ";")  # in place of the comma


@dataclass(frozen=True, slots=True)
class Report:
    """A report: its slug ("" for one that no spider wants), category and name; ordered: made on request, without a month."""

    slug: str
    category: str
    name: str
    ordered: bool = False


DETAIL, CREDITS, ELIGIBILITY = "Cost Centre Detail", "Current Charges and Credits", "Wireless Eligibility Check"
CATALOGUE = (
    Report("", "Cost Centre Summary", "Monthly Charges Summary"),
    Report("", DETAIL, "Monthly Charges Breakdown by Cost Centre"),
    Report("ccd_monthly", DETAIL, "Monthly Charges Breakdown"),
    Report("data", DETAIL, "Monthly Usage Breakdown"),
    Report("", CREDITS, "Current Charges - Account Level"),
    Report("ccc_chg", CREDITS, "Current Charges - Subscriber Level"),
    Report("ccc_credits", CREDITS, "Credit - Subscriber Level"),
    Report("bcr", ELIGIBILITY, "Hardware Upgrade Eligibility Report", ordered=True),
)
CATEGORIES = list(dict.fromkeys(report.category for report in CATALOGUE))


# What a session holds


def _first(call: Call) -> dict[str, Any]:
    """Return the state of a new session: the last account, and the second newest month."""
    month = call.months[1] if len(call.months) > 1 else call.months[0]
    return {
        "account": call.account or call.accounts[-1],
        "cycle": month.short,
        "picked": "",
        "report": "",
        "category": "",
    }


def _state(call: Call) -> dict[str, Any]:
    kept: dict[str, Any] = call.data.get("reports", {})
    return _first(call) | kept


def _keep(call: Call, **changes: Any) -> None:
    call.keep(reports=_state(call) | changes)


def _reset(call: Call) -> None:
    first = _first(call)
    _keep(call, account=first["account"], cycle=first["cycle"], picked="")


def _report(call: Call) -> Report | None:
    return next((report for report in CATALOGUE if report.name == _state(call)["report"]), None)


def _month(call: Call) -> Month:
    """Return the month that counts."""
    return next((month for month in call.months if month.short == _state(call)["cycle"]), call.months[0])


def _cycle(call: Call, month: Month) -> date:
    """Return the bill cycle date of a month."""
    return billed_on(_state(call)["account"], month)


# Choosing a report


def page(call: Call) -> Reply:
    """The page on which a report is chosen and run."""
    return framed(call, "Reports", "reports", **_form(call))


def _form(call: Call) -> dict[str, Any]:
    category = _state(call)["category"]
    names = [report.name for report in CATALOGUE if report.category == category]
    missing = {report.name for report in CATALOGUE if call.user.says(f"missing-{report.slug.replace('_', '-')}")}
    return {
        "categories": CATEGORIES,
        "category": category,
        "names": [name for name in names if name not in missing],
        "chosen": _state(call)["account"],
    }


async def choose_category(call: Call) -> Reply:
    """List the reports of a category."""
    _keep(call, category=call.value("category"))
    select = call.render("report_select", **_form(call))
    return {"delay": call.delay, "show": {"[data-place=report-select]": select}}


async def open_accounts(call: Call) -> Reply:
    """Open the dialog in which an account is searched."""
    return dialog(call, "Account numbers", SEARCH)


def search(call: Call) -> Reply:
    """The search for accounts, in a dialog's frame."""
    return content(call, "search")


async def find_account(call: Call) -> Reply:
    """List the accounts with the digits that were typed: by key events, without hyphens, with the radio of that field chosen."""
    wanted = call.value("searchField1").strip()
    if call.value("searchBy") != "number" or not wanted:
        return alert("search-error", "Choose what to search by.")
    if call.value("searchField1_keyed") != call.value("searchField1"):
        call.portal.counters.add("searches_not_typed")
        return alert("search-error", "Enter an account number.")
    found = matches(call, wanted)
    _keep(call, found=found)
    listed = call.render("found", found=found, shown_number=shown_number)
    return {"delay": call.setting("search_ms"), "show": {"[data-place=search-error]": "", "[data-place=found]": listed}}


def matches(call: Call, wanted: str) -> list[str]:
    """Return the accounts that a search finds, as the scenario wants them."""
    found = [account for account in call.accounts if wanted in account]
    if call.user.says("first-item-other"):
        found.insert(0, call.portal.people.numbered(f"first {call.user.name}", 1)[0])
    if call.user.says("namesake-first"):
        found.insert(0, f"{wanted}0")
    return found


async def select_account(call: Call) -> Reply:
    """Have an account count; in the scenario `filter-fails` nothing changes."""
    chosen = call.value("value")
    if chosen in _state(call).get("found", []) and not call.user.says("filter-fails"):
        opened = call.portal.people.opened(call.user, chosen, call.accounts)
        if opened != _state(call)["account"]:
            call.portal.counters.add("account_changes")
        _keep(call, account=opened)
    said = shown_number(_state(call)["account"]) if call.is_named else ""
    return done(call, {"[data-place=account]": said})


async def run(call: Call) -> Reply:
    """Run a report, or ask for one that is made on request."""
    report = next((each for each in CATALOGUE if each.name == call.value("report")), None)
    if report is None or report.category != call.value("category"):
        return alert("report-error", "Select a category and a report type.")
    if report.slug and call.user.says(f"fails-{report.slug.replace('_', '-')}"):
        return alert("report-error", "The report could not be run. Please try again later.")
    if call.user.says("account-switched"):
        _keep(call, account=_first(call)["account"])
    if report.ordered:
        requests.ask(call, report.name, _state(call)["account"])
        return dialog(call, report.name, ACCEPTED)
    _keep(call, report=report.name, picked="")
    return {"delay": call.delay, "go": call.at(REPORT)}


def accepted(call: Call) -> Reply:
    """The note that a request was taken, in a dialog's frame."""
    return content(call, "accepted")


# A report that was run


def result(call: Call) -> Reply:
    """A report: its account, its bill cycle date, some rows, and the ways to export it."""
    report = _report(call)
    if report is None:
        return {"go": call.at("prm-reports.do")}
    state, month = _state(call), _month(call)
    rows = report_rows(report.slug, state["account"], _counting(call), PREVIEW_ROWS)
    return framed(
        call, report.name, "report", report=report.name, chosen=state["account"], cycle=_cycle(call, month), rows=rows
    )


def _counting(call: Call) -> Month:
    month = _month(call)
    return month.before if call.user.says("wrong-month") else month


async def open_cycles(call: Call) -> Reply:
    """Open the dialog in which a bill cycle is chosen."""
    return dialog(call, "Bill cycle date", CYCLES)


def cycles(call: Call) -> Reply:
    """The bill cycle dates, in a dialog's frame."""
    days = [_cycle(call, month) for month in call.months]
    return content(call, "cycles", days=days, counting=_cycle(call, _month(call)))


async def submit_cycle(call: Call) -> Reply:
    """Take a bill cycle; it counts when Go is pressed."""
    chosen = call.value("billCycleDate")
    month = next((each for each in call.months if f"{_cycle(call, each):%m/%d/%Y}" == chosen), None)
    if month is None:
        return alert("cycle-error", "Select a bill cycle date.")
    if call.user.says("month-filter-fails"):
        month = _month(call)
    _keep(call, picked=month.short)
    return done(call, {"[data-place=cycle]": f"{_cycle(call, month):%m/%d/%Y}"})


async def go(call: Call) -> Reply:
    """Draw the report again for the bill cycle that was taken."""
    _keep(call, cycle=_state(call)["picked"] or _state(call)["cycle"], picked="")
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
        _reset(call)
    report = _report(call)
    if report is None:
        return alert("export-error", "This report is no longer available.")
    account, user, people = _state(call)["account"], call.user, call.portal.people
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
        _reset(call)
    return reply

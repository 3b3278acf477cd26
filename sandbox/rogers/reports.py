"""The page on which a monthly report is chosen and run; its account is searched in a dialog."""

from __future__ import annotations

from typing import Any

from sandbox.rogers import requests
from sandbox.rogers.choice import CATALOGUE, CATEGORIES, first, keep, state
from sandbox.rogers.frames import alert, content, dialog, done, framed
from sandbox.rogers.pages import ACCEPTED, REPORT, SEARCH, shown_number
from sandbox.scripted.call import Call, Reply


def page(call: Call) -> Reply:
    """The page on which a report is chosen and run."""
    return framed(call, "Reports", "reports", **_form(call))


def _form(call: Call) -> dict[str, Any]:
    category = state(call)["category"]
    names = [report.name for report in CATALOGUE if report.category == category]
    missing = {report.name for report in CATALOGUE if call.user.says(f"missing-{report.slug.replace('_', '-')}")}
    return {
        "categories": CATEGORIES,
        "category": category,
        "names": [name for name in names if name not in missing],
        "chosen": state(call)["account"],
    }


async def choose_category(call: Call) -> Reply:
    """List the reports of a category."""
    keep(call, category=call.value("category"))
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
    keep(call, found=found)
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
    if chosen in state(call).get("found", []) and not call.user.says("filter-fails"):
        opened = call.portal.people.opened(call.user, chosen, call.accounts)
        if opened != state(call)["account"]:
            call.portal.counters.add("account_changes")
        keep(call, account=opened)
    said = shown_number(state(call)["account"]) if call.is_named else ""
    return done(call, {"[data-place=account]": said})


async def run(call: Call) -> Reply:
    """Run a report, or ask for one that is made on request."""
    report = next((each for each in CATALOGUE if each.name == call.value("report")), None)
    if report is None or report.category != call.value("category"):
        return alert("report-error", "Select a category and a report type.")
    if report.slug and call.user.says(f"fails-{report.slug.replace('_', '-')}"):
        return alert("report-error", "The report could not be run. Please try again later.")
    if call.user.says("account-switched"):
        keep(call, account=first(call)["account"])
    if report.ordered:
        requests.ask(call, report.name, state(call)["account"])
        return dialog(call, report.name, ACCEPTED)
    keep(call, report=report.name, picked="")
    return {"delay": call.delay, "go": call.at(REPORT)}


def accepted(call: Call) -> Reply:
    """The note that a request was taken, in a dialog's frame."""
    return content(call, "accepted")

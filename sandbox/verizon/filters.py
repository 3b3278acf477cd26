"""The filters of a report: by what it is viewed, for which number, and for which time; what was applied stays in the session."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

from sandbox.invented import phone_of
from sandbox.scripted.call import Call
from sandbox.verizon.catalogue import CATALOGUE, Report

ACCOUNT = "account"
VIEWS = {"line": "Wireless number", ACCOUNT: "Account number", "center": "Cost center"}
DAY = re.compile(r"(?P<month>\d{2})/(?P<day>\d{2})/(?P<year>\d{4})")
HISTORY = 6  # months that are offered for reports without history


@dataclass(frozen=True, slots=True)
class Filters:
    """What is applied. first, last: months or days of the report that is open, as its fields write them."""

    view: str = "line"
    number: str = ""
    first: str = ""
    last: str = ""


def report_of(call: Call) -> Report | None:
    """Return the report that is open."""
    track = call.data.get("report", "")
    return next((report for report in CATALOGUE if report.track == track), None)


def held(call: Call) -> Filters:
    """Return what is applied."""
    kept: Mapping[str, str] = call.data.get("filters", {})
    return Filters(**kept)


def _keep(call: Call, filters: Filters) -> None:
    call.keep(filters=asdict(filters))


def begin(call: Call, track: str) -> None:
    """Open a report: its time is as at first, the account stays."""
    call.keep(report=track)
    report, filters = report_of(call), held(call)
    first = last = ""
    if report is not None and report.dates == "months":
        first, last = _months(call)[-1], _months(call)[0]
    if report is not None and report.dates == "days":
        first, last = (f"{call.today - timedelta(days=days):%m/%d/%Y}" for days in (30, 0))
    _keep(call, replace(filters, first=first, last=last))


def reset(call: Call) -> None:
    """Have everything as at first."""
    call.keep(filters={})
    begin(call, call.data.get("report", ""))


def switch(call: Call) -> None:
    """Have the last account count, as another tab of the session would; the page shows the former one."""
    _keep(call, replace(held(call), view=ACCOUNT, number=call.accounts[-1]))


def listed(call: Call) -> list[str]:
    """Return the accounts as lists offer them."""
    accounts = list(call.accounts)
    if call.user.says("namesake-first"):
        accounts.insert(0, f"{accounts[0]}0")
    if call.user.says("first-item-other"):
        accounts.insert(0, call.portal.people.numbered(f"first {call.user.name}", 1)[0])
    return accounts


def _months(call: Call) -> list[str]:
    return [month.short for month in call.months[:HISTORY]]


def numbers(call: Call, view: str, number: str) -> dict[str, Any]:
    """Return what the list of numbers offers for a view."""
    offered = {ACCOUNT: listed(call), "line": [phone_of(call.accounts[0], line) for line in range(3)]}.get(view, [])
    suffix = " Northwind Traders" if call.layout == "b" and view == ACCOUNT else ""
    return {"numbers": [(each, each + suffix) for each in dict.fromkeys(offered)], "number": number}


def form(call: Call) -> dict[str, Any]:
    """Return what the templates of a report's page know of its filters."""
    filters, report = held(call), report_of(call)
    return {
        "views": VIEWS.items(),
        "held": filters,
        "dates": report.dates if report else "",
        "months": _months(call),
        "wakes": not call.user.says("apply-stays"),
        "of_account": filters.view == ACCOUNT,
        **numbers(call, filters.view, filters.number),
    }


def day(text: str) -> date | None:
    """Return the day of MM/DD/YYYY."""
    matched = DAY.fullmatch(text)
    try:
        return date(int(matched["year"]), int(matched["month"]), int(matched["day"])) if matched else None
    except ValueError:
        return None


def take(call: Call) -> str | None:
    """Apply what the form holds. Returns "" then, a sentence if it cannot be applied, and None if nothing has changed."""
    report, former, user = report_of(call), held(call), call.user
    view, number = call.value("viewBy"), call.value("selectNumber")
    if report is None or user.says("apply-stays"):
        return None
    if view not in VIEWS or (view == ACCOUNT and number not in listed(call)):
        return "Select a number."
    asked = replace(former, view=view, number=number)
    if report.dates == "months":
        asked = replace(asked, first=call.value("monthRangeFrom"), last=call.value("monthRangeTo"))
        if {asked.first, asked.last} - set(_months(call)):
            return "Select a month."
    if report.dates == "days":
        asked = replace(asked, first=call.value("dateFrom").strip(), last=call.value("dateTo").strip())
        first, last = day(asked.first), day(asked.last)
        if first is None or last is None or first > last:
            return "Enter dates as MM/DD/YYYY."
    if asked == former:
        return None
    if user.says("month-filter-fails"):
        asked = replace(asked, first=former.first, last=former.last)
    if asked.view == ACCOUNT:
        asked = replace(asked, number=call.portal.people.opened(user, number, call.accounts))
    if user.says("filter-fails"):
        asked = replace(asked, view=former.view, number=former.number)
    if (asked.view, asked.number) != (former.view, former.number):
        call.portal.counters.add("account_changes")
    _keep(call, asked)
    return ""

"""The reports that there are, and what a session holds of a choice: category, account, bill cycle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sandbox.invented import Month
from sandbox.rogers.state import billed_on
from sandbox.scripted.call import Call


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


def first(call: Call) -> dict[str, Any]:
    """Return the state of a new session: the last account, and the second newest month."""
    month = call.months[1] if len(call.months) > 1 else call.months[0]
    return {
        "account": call.account or call.accounts[-1],
        "cycle": month.short,
        "picked": "",
        "report": "",
        "category": "",
    }


def state(call: Call) -> dict[str, Any]:
    """Return what the session holds."""
    kept: dict[str, Any] = call.data.get("reports", {})
    return first(call) | kept


def keep(call: Call, **changes: Any) -> None:
    """Change what the session holds."""
    call.keep(reports=state(call) | changes)


def reset(call: Call) -> None:
    """Have account and bill cycle as at first."""
    begun = first(call)
    keep(call, account=begun["account"], cycle=begun["cycle"], picked="")


def report_of(call: Call) -> Report | None:
    """Return the report that was run last."""
    return next((report for report in CATALOGUE if report.name == state(call)["report"]), None)


def month_of(call: Call) -> Month:
    """Return the month that counts."""
    return next((month for month in call.months if month.short == state(call)["cycle"]), call.months[0])


def cycle_of(call: Call, month: Month) -> date:
    """Return the bill cycle date of a month."""
    return billed_on(state(call)["account"], month)

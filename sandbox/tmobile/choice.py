"""The templates of reports, and the filters of a tab: a billing period, and a place in the hierarchy of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.invented import Month
from sandbox.scripted.call import Call

BILLING, OTHER = "billing", "other"  # the tabs with templates


@dataclass(frozen=True, slots=True)
class Template:
    """
    A template: its slug ("" for one that no spider wants), tab, accordion, name, and name in My reports.

    Those of the tab for other templates have no billing period.
    """

    slug: str
    tab: str
    group: str
    name: str
    listed: str

    @property
    def key(self) -> str:
        """What the page calls it by."""
        return self.name.lower().replace(" ", "-")


STATEMENTS, USAGE, EQUIPMENT, LINES = "Billing & Statements", "Usage", "Equipment templates", "Line templates"
CATALOGUE = (
    Template("", BILLING, STATEMENTS, "Account Charges by Line", "Account Charges by Line"),
    Template("", BILLING, STATEMENTS, "Charges and Usage Summary by Line", "Charges and Usage Summary by Line"),
    Template("charges_and_usage", BILLING, STATEMENTS, "Charges and Usage Summary", "Charges and Usage Summary"),
    Template("usage_detail", BILLING, STATEMENTS, "Usage Detail", "Usage Detail Report"),
    Template("statement_detail", BILLING, STATEMENTS, "Statement Detail", "Statement Detail"),
    Template("", BILLING, STATEMENTS, "Statement Detail with Taxes", "Statement Detail with Taxes"),
    Template("", BILLING, USAGE, "International Usage", "International Usage Report"),
    Template("", OTHER, LINES, "Line Inventory", "Line Inventory Report"),
    Template("", OTHER, EQUIPMENT, "Equipment Inventory by Model", "Equipment Inventory by Model Report"),
    Template("inventory_report", OTHER, EQUIPMENT, "Equipment Inventory", "Equipment Inventory Report"),
    Template(
        "equipment_installment",
        OTHER,
        EQUIPMENT,
        "Equipment Installment",
        "Equipment Installment and Payment Report",
    ),
)


def state(call: Call, tab: str) -> dict[str, Any]:
    """
    Return the filters of a tab.

    period: short name of a month, or ""; node: path in the hierarchy, or ""; account: what reports are made for, or "";
    ready: Unix seconds at which the billing periods are there.
    """
    kept: dict[str, Any] = call.data.get(f"filters {tab}", {})
    return {"period": "", "node": "", "account": "", "ready": 0.0} | kept


def keep(call: Call, tab: str, **changes: Any) -> None:
    """Change the filters of a tab."""
    call.keep(**{f"filters {tab}": state(call, tab) | changes})


def reset(call: Call, tab: str) -> None:
    """Have the filters of a tab empty; the billing periods come anew."""
    wait = call.setting("late_ms" if call.user.says("period-late") else "period_ms")
    call.keep(**{f"filters {tab}": {"ready": call.portal.now() + wait / 1000}})


def period_of(call: Call) -> Month | None:
    """Return the month that the filter says."""
    return next((month for month in call.months if month.short == state(call, BILLING)["period"]), None)


def counting(call: Call, tab: str) -> tuple[str, Month]:
    """Return account and month for which a template is run: without filters the last account, and the month before the newest."""
    kept, month = state(call, tab), period_of(call)
    usual = call.months[1] if len(call.months) > 1 else call.months[0]
    if call.user.says("filter-ignored"):
        return call.accounts[-1], usual
    if not kept["account"] or (tab == BILLING and month is None):
        call.portal.counters.add("reports_of_no_filter")
    return kept["account"] or call.accounts[-1], month or usual

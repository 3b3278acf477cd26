"""Premier Care itself and its billing pages, which are the vendor's product."""

from __future__ import annotations

from sandbox.globys.bills import Bills
from sandbox.globys.edition import Edition, Report, Section, Tab, View
from sandbox.scripted.call import Call, Reply

CHARGES, UNBILLED = "Charges and usage", "Unbilled usage"


def _gigabytes(slug: str, label: str) -> Report:
    """Return a report whose button says (GB usage), or says it not."""
    return Report(slug, (f"{label} (GB usage)", label))


def _other(label: str) -> Report:
    """Return a report that no spider wants."""
    return Report("", (label,))


DETAIL = View(
    6,
    "Detail",
    (
        Tab(
            CHARGES,
            (
                Section(
                    61,
                    "Bill summary",
                    (
                        _other("All charges by cost center"),
                        Report("all_billing_cycle_charges", ("All charges",)),
                        Report("monthly_charges", ("Monthly charges",)),
                    ),
                ),
                Section(
                    62,
                    "Wireless number summary",
                    (
                        _gigabytes("wireless_charges", "All wireless charges and usage"),
                        _other("All wireless charges and usage by user"),
                    ),
                ),
                Section(
                    63,
                    "Billed usage",
                    (
                        _other("All data export - usage totals"),
                        _gigabytes("usage_details", "All data export - usage details"),
                    ),
                ),
                Section(
                    64,
                    "Equipment installment",
                    (
                        _other("Device installment details - closed"),
                        Report("device_installment", ("Device installment details",)),
                    ),
                ),
            ),
        ),
        Tab(
            "Inventory",
            (
                Section(
                    65,
                    "Inventory",
                    (
                        _other("Upgrade eligibility"),
                        Report("upgrade_and_inventory", ("Upgrade eligibility and inventory",), dated=False),
                    ),
                ),
            ),
            dated=False,
        ),
    ),
)
SUMMARY = View(
    5,
    "Summary",
    (
        Tab(CHARGES, (Section(51, "Bill summary", (_other("Account totals"),)),)),
        Tab(
            UNBILLED,
            (
                Section(
                    52,
                    "Unbilled details",
                    (
                        _other("Unbilled usage details"),
                        Report(
                            "daily_usage",
                            ("Unbilled usage details totals (GB usage)", "Unbilled usage details totals"),
                            dated=False,
                        ),
                    ),
                ),
            ),
            dated=False,
        ),
    ),
)
EDITION = Edition((SUMMARY, DETAIL), "Bills", "Accounts", "c", 1, "{} bills", "USD", dated_items=False)


def framed(call: Call, title: str, content: str) -> Reply:
    """Return a page of Premier Care."""
    return {"title": title, "body": call.render("page", content=content)}


def home(call: Call) -> Reply:
    """The page after sign-in, below the invitation to a survey where there is one."""
    reply = framed(call, "Premier Care", call.render("home"))
    if call.user.says("feedback-overlay") and "survey" not in call.data.get("closed", []):
        reply["overlay"] = {"html": call.render("survey"), "delay": call.setting("overlay_ms")}
    return reply


def reports(call: Call) -> Reply:
    """The page that leads to the reports."""
    return framed(call, "Reports", call.render("reports"))


BILLS = Bills(EDITION, framed)

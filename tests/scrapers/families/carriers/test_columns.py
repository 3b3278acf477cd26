"""Headings of charges, which files of several carriers have alike."""

from __future__ import annotations

import pytest

from scrapers.families.carriers.columns import CHARGES
from scrapers.portals.att.columns import REPORTS as OF_ATT
from scrapers.portals.telus.columns import REPORTS as OF_TELUS

HEADINGS = {
    "Monthly charges": "monthly_charges",
    "Plan charges ($)": "monthly_charges",
    "Recurring Charges (CAD)": "monthly_charges",
    "Frais mensuels": "monthly_charges",
    "Usage charges": "usage_charges",
    "Frais d'utilisation ($)": "usage_charges",
    "Credit": "credits",
    "Credits and adjustments (USD)": "credits",
    "Crédits": "credits",
    "Tax": "taxes",
    "Total taxes": "taxes",
    "Government fees & taxes": "taxes",
    "Total": "total_charges",
    "Total current charges ($)": "total_charges",
    "Total des frais": "total_charges",
    "Other charges": None,
    "Total minutes": None,
    "Fees": None,
}


@pytest.mark.parametrize(("heading", "name"), HEADINGS.items())
def test_a_heading_of_charges_names_one_column(heading, name):
    assert [column.name for column in CHARGES if column.is_headed(heading)] == ([name] if name else [])


@pytest.mark.parametrize("heading", [heading for heading, name in HEADINGS.items() if name])
@pytest.mark.parametrize("columns", [OF_ATT["wireless_charges"], OF_TELUS["group_summary"]], ids=["att", "telus"])
def test_reports_of_both_portals_have_the_columns_of_charges(columns, heading):
    assert [column.name for column in columns if column.is_headed(heading)] == [HEADINGS[heading]]

"""What the fact sheets of both portals know of the vendor's product: facts by section of each."""

from __future__ import annotations

from sandbox.known import Fact, facts


def shared(reports: str, bills: str) -> list[Fact]:
    """Return what holds at both portals; reports, bills: the sections that describe them there."""
    return [
        *facts(
            "id",
            reports,
            "navMenuGroupReports",
            "LevelDataDropdownButton",
            "LevelDataDropdownList_multipleaccounts",
            "scopeExpandedAccountMenu",
            "bmtype_data",
            "btnApply",
            "export",
            "radCsvLabel",
            "hrefOK",
        ),
        *facts("path", reports, "//*[@id='scopeExpandedAccountMenu']/div[4]/button"),
        *facts("id", bills, "navMenuItem14", "btnViewList", "DataTable", "bdfModal"),
        *facts("format", "2", "the account is set, read back and compared, again after each return to the list"),
    ]

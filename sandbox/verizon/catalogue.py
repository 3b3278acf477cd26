"""The reports of the portal: in which tab, under which name, and for which time they are asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """
    One report. slug: "" for one that no spider wants. track: what its entry is marked with.

    dates: "months" for a range of months without history, "days" for a range of days, "" for none. monthly: the notice
    lies over its page.
    """

    slug: str
    tab: str
    track: str
    dates: str = ""
    monthly: bool = False

    @property
    def title(self) -> str:
        """Its name."""
        return self.track.partition(": ")[2]


CATALOGUE = (
    Report("", "Charges", "Charges reports: Account charges"),
    Report("", "Charges", "Charges reports: Wireless number charges"),
    Report("", "Usage", "Usage reports: Account billed usage"),
    Report("daily_usage", "Usage", "Usage reports: Account unbilled usage"),
    Report("", "Usage", "Usage reports: Wireless number unbilled usage"),
    Report("", "Device", "Device reports: Device payment"),
    Report("", "Others", "Other reports: Feature changes"),
    Report(
        "device_report",
        "Others",
        "Other reports: Offer recovery & early termination fees",
        dates="months",
        monthly=True,
    ),
    Report(
        "activation_and_deactivation", "Others", "Other reports: Activation & deactivation", dates="days", monthly=True
    ),
    Report("suspended_wireless_numbers", "Others", "Other reports: Suspended wireless number", monthly=True),
)
TABS = list(dict.fromkeys(report.tab for report in CATALOGUE))

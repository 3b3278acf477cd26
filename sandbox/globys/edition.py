"""What one portal's edition of the product has: its views with their tabs, sections and reports, and how it writes months."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.invented import Month


@dataclass(frozen=True, slots=True)
class Report:
    """A report: its slug ("" for one that no spider wants), and the texts of its button, the first one that a user has."""

    slug: str
    labels: tuple[str, ...]
    dated: bool = True  # the filter of months holds for it


@dataclass(frozen=True, slots=True)
class Section:
    """An entry of the accordion; its number is in the ids `heading…` and `collapse…`."""

    number: int
    title: str
    reports: tuple[Report, ...]


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab of a view."""

    title: str
    sections: tuple[Section, ...]
    dated: bool = True  # there is a filter of months


@dataclass(frozen=True, slots=True)
class View:
    """An entry of the menu Reports; its number is in the id `navMenuItem…`."""

    number: int
    title: str
    tabs: tuple[Tab, ...]


@dataclass(frozen=True, slots=True)
class Edition:
    """
    The product at one portal.

    bills: text of the menu's entry for bills. multiple: text of the entry that opens the list of accounts. prefix: what values
    of months begin with. day: the day in them, or 0 for the last of the month. months: text of a month in the reports' filter.
    currency: of its bills. dated_items: whether the dialog of a bill lists its documents by month; else it has a button for each kind.
    """

    views: tuple[View, ...]
    bills: str
    multiple: str
    prefix: str
    day: int
    months: str
    currency: str
    dated_items: bool

    def view(self, number: int) -> View:
        """Return a view by its number."""
        return next(view for view in self.views if view.number == number)

    def reports(self) -> Iterator[Report]:
        """Give every report."""
        for view in self.views:
            for tab in view.tabs:
                for section in tab.sections:
                    yield from section.reports

    def report(self, label: str) -> Report | None:
        """Return the report with a button of this text."""
        return next((report for report in self.reports() if label in report.labels), None)

    def value(self, month: Month) -> str:
        """Return the value of a month in the reports' filter, like `b20261031`."""
        return f"{self.prefix}{month.year}{month.number:02}{self.day or month.last_day.day:02}"

    def text(self, month: Month) -> str:
        """Return the text of a month in the reports' filter."""
        return self.months.format(month.name)

"""Pages of what is missing: the grid of accounts by months, one account, and fleets, meters, shops and channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

from database.families.cycles import parse_month
from database.families.holdings import Chosen
from jobs.coming import stated
from jobs.missing import CSV_COLUMNS, REPORT_TYPES, Wanted, csv_rows, latest_months, states_named
from webhook.access import SEEING, SEEING_ALL, only_client, requires
from webhook.api.room.missing import as_csv
from webhook.api.room.reading import RoomReading
from webhook.pages.base import ID, Pages
from webhook.pages.room.asked import LARGEST, number, text
from webhook.pages.room.shown import CHOICES

ON_A_PAGE = 20  # accounts
OTHERS_ON_A_PAGE = 25
KINDS = {"fleets": "Fleets", "meters": "Meters", "shops": "Prices", "channels": "Channels"}


@dataclass(frozen=True)
class MissingPages:
    """The grid, and what belongs to no account."""

    pages: Pages
    reading: RoomReading

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""

        @routes.get("/missing")
        @requires(*SEEING)
        def missing() -> Response:
            return self.grid()

        @routes.get("/missing.csv")
        @requires(*SEEING)
        def missing_csv() -> Response:
            return as_csv(csv_rows(self.reading.every_line(asked()[0])), CSV_COLUMNS, "missing")

        @routes.get(f"/missing/accounts/<{ID}:account_id>")
        @requires(*SEEING)
        def missing_of(account_id: int) -> Response:
            found, _, at = self.reading.missing(Wanted(Chosen(account_id=account_id)), 0, 1)
            if not found.lines:
                raise NotFound("There is no such account.")
            return self.pages.render("room/account", line=found.lines[0], at=at, types=REPORT_TYPES)

        @routes.get("/missing/<any(fleets, meters, shops, channels):kind>")
        @requires(*SEEING_ALL)
        def missing_others(kind: str) -> Response:
            return self.others(kind)

    def grid(self) -> Response:
        """Show a page of the grid."""
        wanted, given = asked()
        start = number("start", LARGEST)
        found, total, at = self.reading.missing(wanted, start, ON_A_PAGE)
        months = wanted.months or latest_months(at)
        grid = [(line.account, [(kind, line.of(kind)) for kind in REPORT_TYPES]) for line in found.lines]
        # The month after the present one has begun for few accounts.
        months = tuple(month for month in months if any(month in cells for _, rows in grid for _, cells in rows))
        return self.pages.render(
            "room/missing",
            grid=grid,
            months=months,
            start=start,
            size=ON_A_PAGE,
            total=total,
            following=found.following,
            given=given,
            carriers=sorted(word for word, portal in stated().items() if portal.family == "carriers"),
            states=CHOICES,
            month_choices=list(latest_months(at)[1:]),
            targets=self.reading.targets() if not start else [],
            kinds={} if only_client() is not None else KINDS,
        )

    def others(self, kind: str) -> Response:
        """Show a page of what belongs to no account."""
        start, size = number("start", LARGEST), OTHERS_ON_A_PAGE
        rows: list[Any]
        if kind == "shops":
            rows = list(self.reading.shops())[start : start + size + 1]
        else:
            rows = list(getattr(self.reading, kind)(start, size + 1))
        return self.pages.render(
            f"room/{kind}", rows=rows[:size], start=start, size=size, has_more=len(rows) > size, kind=kind, kinds=KINDS
        )


def asked() -> tuple[Wanted, dict[str, str]]:
    """Return what the filter asks for, and its fields as they are shown; what is none of its words counts as empty."""
    given = {name: text(name) for name in ("client", "carrier", "account", "month", "state")}
    try:
        if given["month"]:
            parse_month(given["month"])
    except ValueError:
        given["month"] = ""
    try:
        states = states_named([given["state"]] if given["state"] else [])
    except ValueError:
        given["state"], states = "", frozenset()
    chosen = Chosen(client=given["client"] or None, portal=given["carrier"] or None, number=given["account"] or None)
    wanted = Wanted(chosen, (given["month"],) if given["month"] else (), states)
    return wanted, {name: value for name, value in given.items() if value}

"""Pages of what a user watches: the list, one product with its history, changing it, checking it, its alerts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, request, url_for
from pydantic import ValidationError

from database.families.watching import ItemChange
from database.models.prices import Rendering
from webhook.access import Caller, for_callers
from webhook.api.accounts import Accounts
from webhook.api.checking import Check
from webhook.api.models import MOST, ItemQuery, PageQuery, RunQuery
from webhook.api.watching import Watchlist
from webhook.pages.base import ID, Pages, is_htmx, unchanged
from webhook.pages.forms import WHOLE, Form, filled, read
from webhook.pages.prices.shown import CHOICES, ORDERS, STATES, chart, in_words, sparkline

ON_A_PAGE, CHECKS_ON_A_PAGE = 20, 30
IN_A_SPARKLINE = 40
LAST_PAGE = 100_000  # beyond that no database is asked
# What the words of the filter mean for the list.
CONDITIONS: dict[str, dict[str, Any]] = {
    "": {},
    "active": {"is_active": True},
    "paused": {"is_active": False},
    "below": {"below_threshold": True},
    "failing": {"status": "error"},
    "never": {"status": "never"},
}
WAYS = {
    Rendering.AUTOMATIC: "As the page needs it",
    Rendering.HTTP: "Without a browser",
    Rendering.BROWSER: "In a browser",
}
RENDERINGS = {way: WAYS.get(way, way.value.capitalize()) for way in Rendering}


@dataclass(frozen=True)
class Paging:
    """Which rows of a list a page shows. number: from 1."""

    number: int
    size: int
    total: int

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True)
class ItemPages:
    """The pages of items, each the user's own."""

    pages: Pages
    watchlist: Watchlist
    accounts: Accounts

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""
        self._add_lists(routes)
        self._add_changes(routes)
        self._add_checks(routes)

    def _add_lists(self, routes: Blueprint) -> None:
        @routes.get("/items")
        @for_callers(Caller.USER)
        def items() -> Response:
            number, state, text = page_number(), request.args.get("state", ""), request.args.get("q", "").strip()
            state = state if state in CONDITIONS else ""
            sort = request.args.get("sort", "-id")
            sort = sort if sort in ORDERS else "-id"
            try:
                query = ItemQuery(
                    limit=ON_A_PAGE, offset=(number - 1) * ON_A_PAGE, sort=sort, q=text, **CONDITIONS[state]
                )
            except ValidationError:  # text that no database takes, or more of it than a name has
                text, query = "", ItemQuery(limit=ON_A_PAGE, sort=sort, **CONDITIONS[state])
            found, total = self.watchlist.items(g.user.id, query)
            lines = self.watchlist.lines([item.id for item in found.root], IN_A_SPARKLINE)
            return self.pages.render(
                "prices/items",
                items=[(item, sparkline(lines[item.id])) for item in found.root],
                paging=Paging(number, ON_A_PAGE, total),
                filters={"q": text, "state": state, "sort": sort},
                states=STATES,
                orders=ORDERS,
            )

        @routes.get("/items/<int:item_id>")
        @for_callers(Caller.USER)
        def item(item_id: int) -> Response:
            return self.item(item_id)

        @routes.get("/alerts")
        @for_callers(Caller.USER)
        def alerts() -> Response:
            number = page_number()
            query = PageQuery(limit=ON_A_PAGE, offset=(number - 1) * ON_A_PAGE)
            rows, total = self.watchlist.alerts(g.user.id, query)
            mail = self.accounts.sender.missing("email") is None
            return self.pages.render(
                "prices/alerts", alerts=rows, paging=Paging(number, ON_A_PAGE, total), mail_is_set_up=mail
            )

    def _add_changes(self, routes: Blueprint) -> None:
        @routes.get("/items/<int:item_id>/edit")
        @for_callers(Caller.USER)
        def edit_item(item_id: int) -> Response:
            return self.edit(item_id, filled(self.watchlist.item(item_id, g.user.id).model_dump()))

        @routes.post("/items/<int:item_id>/edit")
        @for_callers(Caller.USER)
        def change_item(item_id: int) -> Response:
            self.watchlist.item(item_id, g.user.id)
            form = read(ItemChange, request.form)
            if form.values.get("threshold") == "":  # for a program that means: as it was
                form.refuse("threshold", "Give the amount below which you want to be told.")
            if form.body is not None:
                with form.refusing(WHOLE):
                    self.watchlist.change(item_id, g.user.id, form.body)
                    return self.pages.redirect("prices.item", "changed", item_id=item_id)
            return self.edit(item_id, form)

        @routes.post("/items/<int:item_id>/pause")
        @for_callers(Caller.USER)
        def pause_item(item_id: int) -> Response:
            self.watchlist.change(item_id, g.user.id, ItemChange(is_active=False))
            return self.pages.redirect("prices.item", "paused", item_id=item_id)

        @routes.post("/items/<int:item_id>/resume")
        @for_callers(Caller.USER)
        def resume_item(item_id: int) -> Response:
            self.watchlist.change(item_id, g.user.id, ItemChange(is_active=True))
            return self.pages.redirect("prices.item", "resumed", item_id=item_id)

        @routes.get("/items/<int:item_id>/delete")
        @for_callers(Caller.USER)
        def confirm_delete_item(item_id: int) -> Response:
            return self.pages.render("prices/delete_item", item=self.watchlist.item(item_id, g.user.id))

        @routes.post("/items/<int:item_id>/delete")
        @for_callers(Caller.USER)
        def delete_item(item_id: int) -> Response:
            self.watchlist.remove(item_id, g.user.id)
            return self.pages.redirect("prices.items", "deleted")

    def _add_checks(self, routes: Blueprint) -> None:
        @routes.post("/items/<int:item_id>/check")
        @for_callers(Caller.USER)
        def check_item(item_id: int) -> Response:
            self.pages.access.count(self.pages.settings.check_rate, "check", f"user {g.user.id}")
            form = filled({})
            with form.refusing(WHOLE):
                # The page asks again by itself: nothing waits for the end.
                check = self.watchlist.check(item_id, g.user.id, seconds=0)
                if is_htmx():
                    return self.checked(item_id, check)
                return self.pages.redirect("prices.checked_item", item_id=item_id, job_id=check.job_id)
            if is_htmx():
                return self.pages.render("_error", form.status, sentence=form.errors[WHOLE])
            return self.item(item_id, form)

        @routes.get(f"/items/<int:item_id>/check/<{ID}:job_id>")
        @for_callers(Caller.USER)
        def checked_item(item_id: int, job_id: int) -> Response:
            return self.checked(item_id, self.watchlist.checked(item_id, job_id, g.user.id))

    def item(self, item_id: int, form: Form[Any] | None = None) -> Response:
        """Show one product with its chart and its checks."""
        found, number = self.watchlist.item(item_id, g.user.id), page_number()
        newest, total = self.watchlist.runs(item_id, g.user.id, RunQuery(limit=MOST))
        offset = (number - 1) * CHECKS_ON_A_PAGE
        runs = newest.root[offset : offset + CHECKS_ON_A_PAGE]
        if offset + CHECKS_ON_A_PAGE > MOST:
            older, _ = self.watchlist.runs(item_id, g.user.id, RunQuery(limit=CHECKS_ON_A_PAGE, offset=offset))
            runs = older.root
        drawn = chart(found, newest.root)
        return self.pages.render(
            "prices/item",
            form.status if form is not None else 200,
            item=found,
            runs=runs,
            paging=Paging(number, CHECKS_ON_A_PAGE, total),
            drawn=drawn,
            words_of_chart=in_words(drawn),
            error=form.errors.get(WHOLE, "") if form is not None else "",
        )

    def checked(self, item_id: int, check: Check) -> Response:
        """Show what came of a check, as a part of the item's page or as a page of its own."""
        if check.run is None and is_htmx() and request.method == "GET":
            return unchanged()
        again = url_for("prices.checked_item", item_id=item_id, job_id=check.job_id)
        template = "prices/_checked" if is_htmx() else "prices/checked"
        return self.pages.render(template, item=self.watchlist.item(item_id, g.user.id), run=check.run, again=again)

    def edit(self, item_id: int, form: Form[Any]) -> Response:
        """Show the form of an item."""
        item = self.watchlist.item(item_id, g.user.id)
        return self.pages.render(
            "prices/edit", form.status, item=item, form=form, choices=CHOICES, renderings=RENDERINGS
        )


def page_number() -> int:
    """Return which page of a list is asked for; the first where that is no number."""
    asked = request.args.get("page", "1")
    return min(max(int(asked), 1), LAST_PAGE) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 1

"""The page on which a product is added: its address, what its shop says of it, then what is to be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import NotFound

from database.families.watching import ItemOptions, NewItem
from webhook.access import Caller, for_callers
from webhook.api.models import ProductAsked
from webhook.api.previews import Preview, Previews
from webhook.api.watching import Watchlist
from webhook.pages.base import Pages, is_htmx, unchanged
from webhook.pages.forms import Form, filled, read
from webhook.pages.prices.shown import CHOICES

LONGEST_ID = 10  # digits


@dataclass(frozen=True)
class AddingPages:
    """Adding a product, in two steps."""

    pages: Pages
    watchlist: Watchlist
    previews: Previews

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""

        @routes.get("/items/new")
        @for_callers(Caller.USER)
        def new_item() -> Response:
            return self.pages.render("prices/new", form=filled({}))

        @routes.post("/items/new")
        @for_callers(Caller.USER)
        def preview_item() -> Response:
            """Read the page of an address, or look whether that has ended."""
            form = read(ProductAsked, request.form)
            if form.body is not None:
                with form.refusing("product_url"):
                    return self.preview(form.body)
            return self.pages.render("prices/new", form.status, form=form)

        @routes.post("/items")
        @for_callers(Caller.USER)
        def add_item() -> Response:
            asked, form = read(ProductAsked, request.form), read(NewItem, request.form)
            if asked.body is None:
                return self.pages.render("prices/new", asked.status, form=asked)
            job_id = number(request.form.get("job", ""))
            if form.body is not None:
                with form.refusing("product_url"):
                    preview = self.found(asked.body, job_id)
                    item = self.watchlist.add(g.user.id, form.body)
                    self.previews.give(preview, item.id)
                    return self.pages.redirect("prices.item", "added", item_id=item.id)
            return self.shown(asked.body, self.found(asked.body, job_id), form)

    def preview(self, asked: ProductAsked) -> Response:
        """Show what a page says, as far as that is known by now."""
        if job_id := number(request.form.get("job", "")):
            preview = self.found(asked, job_id)
            return unchanged() if is_htmx() and preview.result is None else self.shown(asked, preview)
        self.pages.access.count(self.pages.settings.check_rate, "check", f"user {g.user.id}")
        return self.shown(asked, self.previews.begin(asked))

    def found(self, asked: ProductAsked, job_id: int) -> Preview:
        """Return what came of a preview; raise NotFound for one of another address. job_id: 0 for none."""
        try:
            return Preview(0) if job_id == 0 else self.previews.result(asked, job_id)
        except LookupError as error:
            raise NotFound(str(error)) from None

    def shown(self, asked: ProductAsked, preview: Preview, form: Form[Any] | None = None) -> Response:
        """Show the second step: the price that was read, or why there is none, and what the user wants to be told."""
        is_part = is_htmx() and form is None
        if form is None:
            currency = preview.price.currency if preview.price is not None else ""
            form = filled({**ItemOptions().model_dump(), "threshold": "", "threshold_currency": currency})
        template = "prices/_preview" if is_part else "prices/preview"
        return self.pages.render(template, form.status, asked=asked, preview=preview, form=form, choices=CHOICES)


def number(text: str) -> int:
    """Return the number of a job in a form; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < LONGEST_ID else 0

"""The routes of a user's own watchlist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Response, g, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest, NotFound

from database.engine import Database, now
from database.families.prices import change
from database.models.prices import PriceCheckRun, WatchlistItem
from scrapers.families.prices.addresses import AddressRefused, product_of
from scrapers.families.prices.settings import PriceSettings
from webhook.access import Caller, for_callers
from webhook.api.checking import Check, Checker
from webhook.api.models import (
    ChangeBody,
    CheckPath,
    ItemAnswer,
    ItemBody,
    ItemList,
    ItemPath,
    ItemQuery,
    PageQuery,
    Pending,
    Problem,
    RunAnswer,
    RunList,
    RunQuery,
)
from webhook.api.requests import UserAccess, refused
from webhook.api.users import BY_TOKEN, SIGNED_IN
from webhook.settings import PriceWatchSettings

WATCHLIST = Tag(name="watchlist", description="What a user watches, and the checks of it")
FOUND: dict[str | int, Any] = {404: Problem, **SIGNED_IN}
NO_ITEM = "There is no such item."


@dataclass(frozen=True)
class WatchlistRoutes:
    """Routes of items and checks."""

    settings: PriceWatchSettings
    db: Database
    access: UserAccess
    checker: Checker

    def blueprint(self) -> APIBlueprint:
        """Return the routes."""
        routes = APIBlueprint("watchlist", __name__, abp_tags=[WATCHLIST], url_prefix="/me/watchlist-items")
        self._add_items(routes)
        self._add_checks(routes)
        return routes

    def _add_items(self, routes: APIBlueprint) -> None:
        @routes.post("", responses={201: ItemAnswer, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def add(body: ItemBody) -> Response:
            """Watch a product."""
            return self.add(g.user.id, body, "/me/watchlist-items")

        @routes.get("", responses={200: ItemList, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def items(query: ItemQuery) -> Response:
            """List what is watched; `X-Total-Count` says how many there are, `Link` where the next ones are."""
            return self.items(g.user.id, query)

        @routes.get("/<int:item_id>", responses={200: ItemAnswer, **FOUND}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def item(path: ItemPath) -> dict[str, Any]:
            """Show one item."""
            with self.db.transaction() as session:
                return told(self.own(session, path.item_id, g.user.id))

        @routes.patch("/<int:item_id>", responses={200: ItemAnswer, **FOUND}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def change(path: ItemPath, body: ChangeBody) -> dict[str, Any]:
            """Change what is named in the body."""
            return self.change(path.item_id, g.user.id, body)

        @routes.delete("/<int:item_id>", responses={204: None, **FOUND}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def remove(path: ItemPath) -> Response:
            """Delete an item with its checks."""
            return self.remove(path.item_id, g.user.id)

    def _add_checks(self, routes: APIBlueprint) -> None:
        answers: dict[str | int, Any] = {200: RunAnswer, 202: Pending, 400: Problem, **FOUND}

        @routes.post("/<int:item_id>/check", responses=answers, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def check(path: ItemPath) -> Response:
            """Check an item now; a check that takes longer than LATCHKEY_CHECK_WAIT is answered with 202 and its address."""
            self.access.count(self.settings.check_rate, "check", f"user {g.user.id}")
            return self.check(path.item_id, g.user.id)

        @routes.get(
            "/<int:item_id>/check/<int:job_id>", responses={200: RunAnswer, 202: Pending, **FOUND}, security=BY_TOKEN
        )
        @for_callers(Caller.USER)
        def checked(path: CheckPath) -> Response:
            """Show what came of a check that took longer."""
            return self.checked(path, g.user.id)

        @routes.get("/<int:item_id>/runs", responses={200: RunList, **FOUND}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def runs(path: ItemPath, query: RunQuery) -> Response:
            """List the checks of an item, the newest first; `X-Total-Count` and `Link` as for items."""
            return self.runs(path.item_id, g.user.id, query)

    # What the routes with sign-in and those without have in common. user_id None: of any user.

    def own(self, session: Session, item_id: int, user_id: int | None) -> WatchlistItem:
        """Return an item; raise NotFound for one that is absent or another user's, in the same words."""
        item = session.get(WatchlistItem, item_id)
        if item is None or user_id not in (None, item.user_id):
            raise NotFound(NO_ITEM)
        return item

    def add(self, user_id: int, body: ItemBody, where: str) -> Response:
        """Store a new item. where: path of the list."""
        try:
            product = product_of(body.product_url, private=PriceSettings.current().prices_private_addresses)
        except AddressRefused as error:
            return refused("product_url", str(error))
        with self.db.transaction() as session:
            item = WatchlistItem(user_id=user_id, portal=product.portal, product_key=product.key)
            for name, value in body.model_dump().items():
                setattr(item, name, value)
            item.product_url = body.product_url.strip()
            item.created_at = item.updated_at = now(session)
            session.add(item)
            session.flush()
            session.refresh(item)
            response = jsonify(told(item))
        response.status_code, response.headers["Location"] = 201, f"{where}/{item.id}"
        return response

    def items(self, user_id: int, query: ItemQuery) -> Response:
        """List the items of a user."""
        wanted = select(WatchlistItem).where(WatchlistItem.user_id == user_id, *_conditions(query))
        column = getattr(WatchlistItem, query.sort.removeprefix("-"))
        order = column.desc() if query.sort.startswith("-") else column.asc()
        return self.page(wanted, (order.nulls_last(), WatchlistItem.id), query, ItemList)

    def change(self, item_id: int, user_id: int | None, body: ChangeBody) -> dict[str, Any]:
        """Change an item; another threshold or choice of alerts arms them anew."""
        given = body.model_dump(exclude_unset=True)
        optional = {"threshold_currency", "country", "label", "selector"}
        given = {name: value for name, value in given.items() if value is not None or name in optional}
        with self.db.transaction() as session:
            item = self.own(session, item_id, user_id)
            change(item, given, now(session))
            session.flush()
            session.refresh(item)
            return told(item)

    def remove(self, item_id: int, user_id: int | None) -> Response:
        """Delete an item."""
        with self.db.transaction() as session:
            session.delete(self.own(session, item_id, user_id))
        return Response(status=204)

    def check(self, item_id: int, user_id: int | None) -> Response:
        """Check an item now."""
        with self.db.transaction() as session:
            if not self.own(session, item_id, user_id).is_active:
                raise BadRequest("The item is not active.")
        return self.tell_check(self.checker.check(item_id), item_id)

    def checked(self, path: CheckPath, user_id: int | None) -> Response:
        """Answer with what came of a check that was asked for before."""
        with self.db.transaction() as session:
            self.own(session, path.item_id, user_id)
        try:
            return self.tell_check(self.checker.result(path.item_id, path.job_id), path.item_id)
        except LookupError as error:
            raise NotFound(str(error)) from None

    def tell_check(self, check: Check, item_id: int) -> Response:
        """Answer with what came of a check, or where it is asked for."""
        if check.run is not None:
            return jsonify(RunAnswer.model_validate(check.run).model_dump(mode="json"))
        prefix = "/me" if request.path.startswith("/me/") else ""
        location = f"{prefix}/watchlist-items/{item_id}/check/{check.job_id}"
        said = Pending(message="The check goes on: ask at its address.", job_id=check.job_id, location=location)
        response = jsonify(said.model_dump(mode="json"))
        response.status_code, response.headers["Location"], response.headers["Retry-After"] = 202, location, "5"
        return response

    def runs(self, item_id: int, user_id: int | None, query: RunQuery) -> Response:
        """List the checks of an item."""
        with self.db.transaction() as session:
            self.own(session, item_id, user_id)
        wanted = select(PriceCheckRun).where(PriceCheckRun.watchlist_item_id == item_id)
        if query.status is not None:
            wanted = wanted.where(PriceCheckRun.status == query.status)
        if query.since is not None:
            wanted = wanted.where(PriceCheckRun.created_at >= query.since)
        if query.until is not None:
            wanted = wanted.where(PriceCheckRun.created_at < query.until)
        order = PriceCheckRun.id.asc() if query.sort == "created_at" else PriceCheckRun.id.desc()
        return self.page(wanted, (order,), query, RunList)

    def page(
        self, wanted: Select[Any], order: Sequence[Any], query: PageQuery, answer: type[ItemList | RunList]
    ) -> Response:
        """Answer with one page of rows, and say in headers how many there are and where the next ones are."""
        (model,) = (each["entity"] for each in wanted.column_descriptions)
        # Columns, not objects: of a thousand rows these are most of the work.
        columns = [getattr(model, name) for name in answer.fields()]
        rows_of_page = wanted.with_only_columns(*columns).order_by(*order).limit(query.limit).offset(query.offset)
        with self.db.transaction() as session:
            total = session.scalar(wanted.with_only_columns(func.count())) or 0
            rows = session.execute(rows_of_page).all()
        body = answer.model_validate(rows, from_attributes=True).model_dump_json()
        response = Response(body, mimetype="application/json")
        response.headers["X-Total-Count"] = str(total)
        if query.offset + query.limit < total:
            following = {**request.args.to_dict(), "limit": query.limit, "offset": query.offset + query.limit}
            response.headers["Link"] = f'<{request.path}?{urlencode(following)}>; rel="next"'
        return response


def told(item: WatchlistItem) -> dict[str, Any]:
    """Return an item as JSON."""
    return ItemAnswer.model_validate(item).model_dump(mode="json")


def _conditions(query: ItemQuery) -> list[ColumnElement[bool]]:
    """Return what the filters of a query ask for."""
    found: list[ColumnElement[bool]] = []
    if query.is_active is not None:
        found.append(WatchlistItem.is_active.is_(query.is_active))
    if query.status == "never":
        found.append(WatchlistItem.last_checked_at.is_(None))
    elif query.status is not None:
        found.append(WatchlistItem.last_status == query.status)
    if query.country is not None:
        found.append(WatchlistItem.country == query.country)
    if query.below_threshold is not None:
        below = and_(
            WatchlistItem.last_price < WatchlistItem.threshold,
            WatchlistItem.last_currency == WatchlistItem.threshold_currency,
        )
        found.append(func.coalesce(below, False).is_(query.below_threshold))
    if text := query.q.strip():
        columns = (WatchlistItem.product_url, WatchlistItem.label, WatchlistItem.title)
        found.append(or_(*(column.icontains(text, autoescape=True) for column in columns)))
    return found

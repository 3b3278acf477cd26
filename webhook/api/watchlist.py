"""The routes of a user's own watchlist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Response, g, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from scrapers.families.prices.addresses import AddressRefused
from webhook.access import Caller, for_callers
from webhook.api.checking import Check
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
from webhook.api.watching import Watchlist
from webhook.settings import PriceWatchSettings

WATCHLIST = Tag(name="watchlist", description="What a user watches, and the checks of it")
FOUND: dict[str | int, Any] = {404: Problem, **SIGNED_IN}


@dataclass(frozen=True)
class WatchlistRoutes:
    """Routes of items and checks."""

    settings: PriceWatchSettings
    access: UserAccess
    watchlist: Watchlist

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
            return self.watchlist.item(path.item_id, g.user.id).model_dump(mode="json")

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

    def add(self, user_id: int, body: ItemBody, where: str) -> Response:
        """Store a new item. where: path of the list."""
        try:
            item = self.watchlist.add(user_id, body)
        except AddressRefused as error:
            return refused("product_url", str(error))
        response = jsonify(item.model_dump(mode="json"))
        response.status_code, response.headers["Location"] = 201, f"{where}/{item.id}"
        return response

    def items(self, user_id: int, query: ItemQuery) -> Response:
        """List the items of a user."""
        return told_page(*self.watchlist.items(user_id, query), query)

    def change(self, item_id: int, user_id: int | None, body: ChangeBody) -> dict[str, Any]:
        """Change an item."""
        return self.watchlist.change(item_id, user_id, body).model_dump(mode="json")

    def remove(self, item_id: int, user_id: int | None) -> Response:
        """Delete an item."""
        self.watchlist.remove(item_id, user_id)
        return Response(status=204)

    def check(self, item_id: int, user_id: int | None) -> Response:
        """Check an item now."""
        return told_check(self.watchlist.check(item_id, user_id), item_id)

    def checked(self, path: CheckPath, user_id: int | None) -> Response:
        """Answer with what came of a check that was asked for before."""
        return told_check(self.watchlist.checked(path.item_id, path.job_id, user_id), path.item_id)

    def runs(self, item_id: int, user_id: int | None, query: RunQuery) -> Response:
        """List the checks of an item."""
        return told_page(*self.watchlist.runs(item_id, user_id, query), query)


def told_check(check: Check, item_id: int) -> Response:
    """Answer with what came of a check, or where it is asked for."""
    if check.run is not None:
        return jsonify(RunAnswer.model_validate(check.run).model_dump(mode="json"))
    prefix = "/me" if request.path.startswith("/me/") else ""
    location = f"{prefix}/watchlist-items/{item_id}/check/{check.job_id}"
    said = Pending(message="The check goes on: ask at its address.", job_id=check.job_id, location=location)
    response = jsonify(said.model_dump(mode="json"))
    response.status_code, response.headers["Location"], response.headers["Retry-After"] = 202, location, "5"
    return response


def told_page(rows: ItemList | RunList, total: int, query: PageQuery) -> Response:
    """Answer with one page of rows, and say in headers how many there are and where the next ones are."""
    response = Response(rows.model_dump_json(), mimetype="application/json")
    response.headers["X-Total-Count"] = str(total)
    if query.offset + query.limit < total:
        following = {**request.args.to_dict(), "limit": query.limit, "offset": query.offset + query.limit}
        response.headers["Link"] = f'<{request.path}?{urlencode(following)}>; rel="next"'
    return response

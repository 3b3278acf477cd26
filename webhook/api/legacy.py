"""Routes without sign-in, as the price checker has them: off unless switched on, and then for this machine alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import Conflict, Forbidden, NotFound

from database.engine import now
from database.models.prices import User
from webhook.access import Caller, for_callers
from webhook.api.models import (
    ChangeBody,
    CheckPath,
    ItemAnswer,
    ItemBody,
    ItemList,
    ItemPath,
    ItemQuery,
    NewUser,
    Pending,
    Problem,
    RunAnswer,
    RunList,
    RunQuery,
    UserAnswer,
    UserList,
    UserPath,
)
from webhook.api.requests import is_from_here
from webhook.api.users import ERRORS, told
from webhook.api.watchlist import WatchlistRoutes

LEGACY = Tag(name="legacy", description="Without sign-in; for this machine alone")
FOUND: dict[str | int, Any] = {404: Problem, **ERRORS}


@dataclass(frozen=True)
class LegacyRoutes:
    """Routes over all users. proxies: in front of us."""

    watchlist: WatchlistRoutes
    proxies: int

    def blueprint(self) -> APIBlueprint:
        """Return the routes."""
        routes = APIBlueprint("legacy", __name__, abp_tags=[LEGACY])
        self._add_users(routes)
        self._add_items(routes)
        return routes

    def only_from_here(self) -> None:
        """Raise Forbidden for a request of another machine, or through a proxy."""
        if not is_from_here(self.proxies):
            raise Forbidden("This route is for the machine itself.")

    def _add_users(self, routes: APIBlueprint) -> None:
        db = self.watchlist.watchlist.db

        @routes.post("/users", responses={201: UserAnswer, 409: Problem, **ERRORS})
        @for_callers(Caller.ANYONE)
        def add_user(body: NewUser) -> tuple[dict[str, Any], int]:
            """Add a user, who is not verified."""
            self.only_from_here()
            try:
                with db.transaction() as session:
                    user = User(email=body.email, created_at=now(session))
                    session.add(user)
                    session.flush()
                    session.refresh(user)
                    return told(user), 201
            except IntegrityError:
                raise Conflict("There is a user of that address.") from None

        @routes.get("/users", responses={200: UserList, **ERRORS})
        @for_callers(Caller.ANYONE)
        def all_users() -> Response:
            """List all users."""
            self.only_from_here()
            with db.transaction() as session:
                return jsonify([told(user) for user in session.scalars(select(User).order_by(User.id))])

        @routes.post("/users/<int:user_id>/watchlist-items", responses={201: ItemAnswer, **FOUND})
        @for_callers(Caller.ANYONE)
        def add_item(path: UserPath, body: ItemBody) -> Response:
            """Watch a product for a user."""
            self.must_exist(path.user_id)
            return self.watchlist.add(path.user_id, body, f"/users/{path.user_id}/watchlist-items")

        @routes.get("/users/<int:user_id>/watchlist-items", responses={200: ItemList, **FOUND})
        @for_callers(Caller.ANYONE)
        def items_of(path: UserPath, query: ItemQuery) -> Response:
            """List what a user watches."""
            self.must_exist(path.user_id)
            return self.watchlist.items(path.user_id, query)

    def _add_items(self, routes: APIBlueprint) -> None:
        @routes.patch("/watchlist-items/<int:item_id>", responses={200: ItemAnswer, **FOUND})
        @for_callers(Caller.ANYONE)
        def change_item(path: ItemPath, body: ChangeBody) -> dict[str, Any]:
            """Change an item of any user."""
            self.only_from_here()
            return self.watchlist.change(path.item_id, None, body)

        @routes.delete("/watchlist-items/<int:item_id>", responses={204: None, **FOUND})
        @for_callers(Caller.ANYONE)
        def remove_item(path: ItemPath) -> Response:
            """Delete an item of any user."""
            self.only_from_here()
            return self.watchlist.remove(path.item_id, None)

        @routes.post(
            "/watchlist-items/<int:item_id>/check", responses={200: RunAnswer, 202: Pending, 400: Problem, **FOUND}
        )
        @for_callers(Caller.ANYONE)
        def check_item(path: ItemPath) -> Response:
            """Check an item of any user now."""
            self.only_from_here()
            return self.watchlist.check(path.item_id, None)

        @routes.get(
            "/watchlist-items/<int:item_id>/check/<int:job_id>", responses={200: RunAnswer, 202: Pending, **FOUND}
        )
        @for_callers(Caller.ANYONE)
        def checked_item(path: CheckPath) -> Response:
            """Show what came of a check that took longer."""
            self.only_from_here()
            return self.watchlist.checked(path, None)

        @routes.get("/watchlist-items/<int:item_id>/runs", responses={200: RunList, **FOUND})
        @for_callers(Caller.ANYONE)
        def runs_of(path: ItemPath, query: RunQuery) -> Response:
            """List the checks of an item of any user."""
            self.only_from_here()
            return self.watchlist.runs(path.item_id, None, query)

    def must_exist(self, user_id: int) -> None:
        """Raise NotFound where there is no such user, Forbidden for another machine."""
        self.only_from_here()
        with self.watchlist.watchlist.db.transaction() as session:
            if session.get(User, user_id) is None:
                raise NotFound("There is no such user.")

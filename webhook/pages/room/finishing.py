"""The page on which an operator finishes a sign-in: the portal's page as a picture, to which keys and clicks go."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Response, request
from pydantic import ValidationError
from werkzeug.exceptions import Gone, UnprocessableEntity

from database.models.assisted import AssistedState
from database.models.operators import Role
from scrapers.core.outcomes import OUTCOMES
from scrapers.core.remote import ACTS, KEYS, Act
from webhook.access import lively, requires
from webhook.api.room.finishing import Finishing
from webhook.pages.base import ID, Pages
from webhook.pages.room.asked import number as number_of

PLAIN = (960, 540)  # the picture's size without JavaScript, in pixels
REFUSED = "That is no act in the page: open it again."
HEADERS = ("Latchkey-State", "Latchkey-Picture")


@dataclass(frozen=True)
class FinishingPages:
    """The page, its picture, the acts and the way out."""

    pages: Pages
    finishing: Finishing

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""

        @routes.get(f"/finishing/<{ID}:number>")
        @requires(Role.OPERATOR)
        def finishing(number: int) -> Response:
            return self.show(number)

        @routes.get(f"/finishing/<{ID}:number>/picture")
        @lively
        @requires(Role.OPERATOR)
        def picture(number: int) -> Response:
            return self.picture(number)

        @routes.post(f"/finishing/<{ID}:number>/acts")
        @lively
        @requires(Role.OPERATOR)
        def acts(number: int) -> Response:
            done = self.finishing.act(number, given())
            if "acts" in request.form:
                return Response(status=HTTPStatus.NO_CONTENT if done else HTTPStatus.CONFLICT)
            return self.pages.redirect("room.finishing", "" if done else "act-not-done", number=number)

        @routes.post(f"/finishing/<{ID}:number>/cancel")
        @requires(Role.OPERATOR)
        def cancel(number: int) -> Response:
            self.finishing.cancel(number)
            return self.pages.redirect("room.inbox", "sign-in-cancelled")

    def show(self, number: int) -> Response:
        """Show the page, or how the sign-in has ended."""
        found = self.finishing.sign_in(number)
        outcome = OUTCOMES.get(found.outcome or "")
        return self.pages.render(
            "room/finishing",
            sign_in=found,
            ended=found.state is AssistedState.ENDED,
            is_signed_in=found.outcome == "success",
            said=found.message or (outcome.sentence if outcome else ""),
            size=PLAIN,
        )

    def picture(self, number: int) -> Response:
        """Return the picture when there is a newer one than the page has; raise Gone once the sign-in has ended."""
        seen = self.finishing.look(number, number_of("after"))
        if seen.state == AssistedState.ENDED.value:
            raise Gone("The sign-in has ended.")
        state, counted = HEADERS
        response = Response(status=HTTPStatus.NO_CONTENT)
        if seen.picture is not None:
            response = Response(seen.picture.content, mimetype="image/jpeg")
            response.headers[counted] = str(seen.picture.number)
        response.headers[state] = seen.state
        response.headers["Cache-Control"] = "no-store"
        return response


def given() -> list[Act]:
    """
    Return the acts of a request: those of the page's script, or of a form.

    Raises UnprocessableEntity, which repeats nothing of what was typed.
    """
    try:
        if "acts" in request.form:
            return ACTS.validate_json(request.form["acts"])
        return ACTS.validate_python(list(_of_form()))
    except ValidationError:
        raise UnprocessableEntity(REFUSED) from None


def _of_form() -> list[dict[str, object]]:
    """Return what a form without JavaScript asks for: a text, a key, or a click at a place of the picture."""
    found: list[dict[str, object]] = []
    if text := request.form.get("text", ""):
        found.append({"kind": "text", "text": text})
    if (key := request.form.get("key", "")) in KEYS:
        found.append({"kind": "key", "name": key})
    across, down = (request.form.get(f"at.{name}", "") for name in "xy")
    if across.isdecimal() and down.isdecimal():
        place = {"x": int(across) / PLAIN[0], "y": int(down) / PLAIN[1]}
        found += [{"kind": kind, **place} for kind in ("move", "down", "up")]
    return found

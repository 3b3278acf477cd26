"""What a handler of the APIs gets, and the ways in which it refuses."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from aiohttp import web

from sandbox.iec.meters import JERUSALEM, View
from sandbox.iec.okta import Refusal, page
from sandbox.iec.people import Contract, Customer
from sandbox.iec.state import IecState

WRONG = "Something went wrong please try again!"
NOT_YOURS = "Contract is not associated with you."
NOT_ALLOWED = "You're not authorized to this action!"
NO_CONTRACT = "Contract number is required"


class ApiError(Refusal):
    """The APIs' own error object; rid: whether it carries a trace id."""

    def __init__(self, status: int, text: str, rid: bool = True) -> None:
        super().__init__(status, error(status, text, rid))


def error(code: int, text: str, rid: bool = True) -> dict[str, Any]:
    """Return the APIs' error object."""
    return {"Error": text, "Code": code} | ({"Rid": uuid.uuid4().hex} if rid else {})


def blocked(why: str) -> web.Response:
    """Return the page with which a gateway turns a request down."""
    return page(f"<h1>403 Forbidden</h1><p>The request was blocked by the security policy: {why}.</p>", status=403)


def envelope(
    data: object, code: str | None = "00", description: str | None = "", success: bool = True
) -> dict[str, Any]:
    """Put data into the envelope; its key is spelled as the company spells it."""
    return {"data": data, "reponseDescriptor": {"isSuccess": success, "code": code, "description": description}}


@dataclass(frozen=True)
class Call:
    """A request. customer: as whom the portal answers; caller: who has signed in; body: of a POST."""

    portal: IecState
    request: web.Request
    customer: Customer
    caller: Customer
    body: Mapping[str, Any]

    @property
    def today(self) -> date:
        """The date in Jerusalem by the portal's clock."""
        return datetime.fromtimestamp(self.portal.now(), JERUSALEM).date()

    @property
    def view(self) -> View:
        """What the caller sees of a meter."""
        configuration = self.portal.configuration
        lag = 9 if self.caller.says("data-lag") else int(configuration["lag_days"])
        return View(
            self.caller, self.today, lag, configuration["corrections"], bool(configuration["incomplete_filled"])
        )

    def part(self, name: str) -> str:
        """Return a part of the path."""
        return self.request.match_info[name]

    def contract(self, number: object = None) -> Contract:
        """Return the contract of the path (or this one), if the customer may see it; zeros in front do not matter."""
        number = self.part("contract") if number is None else number
        if not isinstance(number, str) or not (number.isascii() and number.isdecimal()):
            raise ApiError(400, NO_CONTRACT)
        found = next((one for one in self.customer.contracts if int(one.number) == int(number)), None)
        if found is None:
            raise ApiError(401, NOT_YOURS)
        return found

    def partner(self, number: object = None) -> str:
        """Return the business partner of the path (or this one), if it is the customer's; zeros in front do not matter."""
        number = self.part("bp") if number is None else number
        if isinstance(number, str) and number.isascii() and number.isdecimal():
            for one in self.customer.partners:
                if int(one) == int(number):
                    return one
        raise ApiError(401, NOT_ALLOWED)

    def contract_of(self) -> Contract:
        """Return the contract of the path; its partner must be the path's."""
        contract, bp = self.contract(), self.part("bp")
        if not bp.isdecimal() or int(bp) != int(contract.bp):
            raise ApiError(401, NOT_ALLOWED)
        return contract

    def account(self, number: str) -> str:
        """Return the business partner of an account's UUID."""
        for bp in self.customer.partners:
            if self.customer.account(bp) == number.lower():
                return bp
        raise ApiError(401, NOT_ALLOWED)

    def device(self) -> str:
        """Return the meter's serial number in the path, eight digits."""
        return self.part("device").lstrip("0").zfill(8)

    def text(self, name: str) -> str:
        """Return a text of the body."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise ApiError(500, WRONG)
        return value

    def day(self, name: str) -> date:
        """Return a date of the body."""
        try:
            return date.fromisoformat(self.text(name)) if len(self.text(name)) == 10 else date.fromisoformat("")
        except ValueError:
            raise ApiError(500, WRONG) from None


Answering = Callable[[Call], Any]  # what it returns is sent as JSON, unless it is a Response


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One call of the APIs.

    id: its name in reports and counters. origin: the host. access: "token", "portalcode" (a token and that header) or
    "open". status: of a good answer.
    """

    id: str
    origin: str
    method: str
    path: str
    answer: Answering
    access: str = "token"
    status: int = 200

    @property
    def paths(self) -> list[str]:
        """The path, and the spellings of it with a doubled slash that are good too."""
        if not self.path.startswith("/api/"):
            return [self.path]
        return [self.path, f"/{self.path}", f"/api//{self.path.removeprefix('/api/')}"]


async def read_body(request: web.Request) -> Mapping[str, Any]:
    """Return the JSON object of a POST."""
    if request.method != "POST":
        return {}
    try:
        said = json.loads(await request.text()) if request.content_type == "application/json" else None
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise ApiError(500, WRONG)
    return said

"""The Israel Electric Company: its hosts, who may ask what, and what is wrong with the answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox import admin
from sandbox.frame import Portal
from sandbox.iec import account, answers, content, masa, places
from sandbox.iec.call import ApiError, Call, Endpoint, blocked, read_body
from sandbox.iec.okta import Okta, Refusal, as_json
from sandbox.iec.people import Customer
from sandbox.iec.state import NOBODY, IecState
from sandbox.jsons import Shape
from sandbox.known import known_of
from sandbox.perturb import Perturbation

ENDPOINTS = (*account.ENDPOINTS, *places.ENDPOINTS, *masa.ENDPOINTS, *content.ENDPOINTS)
ORIGIN = web.AppKey("origin", str)
# Fields that have been missing or null in answers of the real APIs, by endpoint.
OPTIONAL = {
    "I1": ("lastName", "name"),
    "I2": ("lastName", "name"),
    "I3": ("email", "telephone"),
    "I5": ("frequency",),
    "I7": ("reading", "readingDate", "serialNumber", "readingCode", "usage", "noteDescription"),
    "I8": ("deviceType", "reportResultStatus", "disconnectReason", "isDisconnected", "isElectronic"),
    "I9": ("lastMRDate", "lastMrTypeCode", "deviceDigitLength"),
    "I10": ("isElectronic", "isDisconnected", "disconnectReason", "deviceBalance", "balanceTime", "balanceDate"),
    "I13": ("futureConsumptionInfo", "reportStatusText", "backStream", "status", "totalExport", "meterStartDate"),
    "I15": ("lastDateToPay",),
    "I16": ("fullDate", "lastDate", "meterReadings", "readingCode", "paymentLockIndication"),
    "I18": ("disconnectKey", "disconnectType", "disconnectTreatmentState", "estimateTreatmentDate", "x", "y"),
    "I19": ("contractNumber",),
    "M3": ("lastName", "verificationStatus", "connectionType", "street", "city", "houseNumber"),
    "M4": ("connectionType",),
    "M10": ("shovalOpenOrder", "currentAmpere", "backuplineOrder", "hasSAOrders"),
    "M11": ("isAllowResidence", "buildingType"),
    "F2": ("disconnect", "site", "disconnectDate", "stateCode", "siteKeyDesc"),
}
# Times for which the sheet leaves open whether they have an offset.
MOMENTS = ("interval", "fullDate", "fromDate", "toDate", "readingDate")
OLD_DATE = "Last Invoice date older than"
ERRORS = ("The request could not be handled.", "הבקשה אינה תקינה", "Request failed")
SUCCESSES = ("", "OK", "Success", "בוצע בהצלחה", None)
SUCCESS_CODES = ("0", "00", "300", None)


class Iec(IecState, Portal):
    """OKTA, the main API with static content, two of MASA's hosts, and the fault portal."""

    origins: ClassVar = {
        "": "IEC_API_URL",
        "okta": "IEC_OKTA_URL",
        "masa": "IEC_MASA_URL",
        "masa_wa": "IEC_MASA_WA_URL",
        "faults": "IEC_FAULTS_URL",
    }
    journal_query = frozenset({"count", "onlyOpen", "pageNumber", "pageSize", "response_type", "response_mode"})

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.okta = Okta(self)
        self._places = answers.Places()
        self._by_route = {
            (endpoint.origin, endpoint.method, path): endpoint for endpoint in ENDPOINTS for path in endpoint.paths
        }

    def reset(self) -> None:
        """Forget what the frame forgets; the signing keys stay, and no token is good any more."""
        super().reset()
        self._places.clear()
        self.okta.tokens.keys.keep()

    def configure(self, changes: Mapping[str, Any]) -> str:
        """Merge changes into the configuration; return what is wrong as one sentence, and change nothing then."""
        wrong = answers.check({**self.configuration, **changes})
        wrong = wrong or super().configure(changes)
        if not wrong and ("answers" in changes or "edits" in changes):
            self._places.clear()
        return wrong

    # Serving

    def application(self, origin: str) -> web.Application:
        """Return the application of an origin, which knows its name."""
        application = super().application(origin)
        application[ORIGIN] = origin
        return application

    def routes(self, origin: str) -> Iterable[web.AbstractRouteDef]:
        """Return the routes of an origin."""
        if origin == "okta":
            return self.okta.routes()
        own = [endpoint for endpoint in ENDPOINTS if endpoint.origin == origin]
        routes = [web.route(one.method, path, self._at(one)) for one in own for path in one.paths]
        if not origin:
            routes += [
                web.post(f"{admin.PREFIX}users/{{name}}/expire-tokens", self.expire_tokens),
                web.post(f"{admin.PREFIX}rotate-key", self.rotate_key),
            ]
        return routes

    async def expire_tokens(self, request: web.Request) -> web.Response:
        """Have the APIs refuse every id token of a user as expired; refresh tokens stay good."""
        return as_json({"tokens": self.okta.tokens.expire(request.match_info["name"].zfill(9))})

    async def rotate_key(self, request: web.Request) -> web.Response:
        """Sign with a new key from now on; the old one stays published."""
        self.okta.tokens.keys.rotate()
        return as_json({"kid": self.okta.tokens.keys.kid})

    def _at(self, endpoint: Endpoint) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            if endpoint.access == "open":
                return await self._give(endpoint, Call(self, request, NOBODY, NOBODY, await read_body(request)))
            headers = {"x-iec-idt": "1", "x-iec-webview": "1"}
            if endpoint.access == "portalcode":
                headers["portalcode"] = "6"
            for name, value in headers.items():
                if request.headers.get(name) != value:
                    self.counters.add("requests_blocked")
                    return blocked(f"{name} is missing")
            caller = self._caller(request)
            customer = caller.stranger if caller.says("other-customer") else caller
            return await self._give(endpoint, Call(self, request, customer, caller, await read_body(request)))

        return handle

    def _caller(self, request: web.Request) -> Customer:
        """Return who a request's token is for."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise ApiError(400, "Token should be provide", rid=False)
        found = self.okta.tokens.bearer(token.strip())
        session = self.sessions.use(found[1]) if found else None
        if found is None or session is None:
            self.counters.add("requests_unauthorized")
            raise ApiError(401, "Unauthorized")
        request["user"], request["session"] = found[0].number, session.key[:8]
        return found[0]

    async def _give(self, endpoint: Endpoint, call: Call) -> web.StreamResponse:
        told = endpoint.answer(call)
        if not isinstance(told, web.StreamResponse):
            if hasattr(told, "__await__"):
                return await told  # type: ignore[no-any-return]
            return as_json(told, status=endpoint.status)
        return told

    async def _answer(self, request: web.Request, handler: Handler, over: bool) -> web.StreamResponse:
        """Answer as the frame does, then as `answers` and `edits` and the scenario want it."""
        origin, resource = request.app[ORIGIN], request.match_info.route.resource
        endpoint = self._by_route.get((origin, request.method, resource.canonical if resource else ""))
        if endpoint is not None:
            self.counters.add_to("endpoints", endpoint.id)
        try:
            response = await super()._answer(request, handler, over)
        except Refusal as refusal:
            raise self._reworded(request, refusal) from None
        self._reshape(request, response, origin)
        entries = self._places.of(self.configuration["answers"], origin, request.path_qs, request.get("user", ""))
        if entries:
            return await answers.replaced(request, response, entries[0])
        return self._edited(request, response, origin, endpoint) if response.status < 300 else response

    def perturbation_for(self, request: web.Request) -> Perturbation:
        """Return what is changed for a request: by the tags that the configuration gives a customer, else by the seed."""
        customer = self.customer(request["user"]) if request.get("user") else None
        return self.perturbation_of(customer.user if customer else None)

    def _reshape(self, request: web.Request, response: web.StreamResponse, origin: str) -> None:
        """Change what is free in the JSON and the headers of an answer."""
        perturbation = self.perturbation_for(request)
        if not perturbation:
            return
        if isinstance(response, web.Response) and response.content_type == "application/json" and response.text:
            shape = Shape(perturbation, known_of(self.word), "Asia/Jerusalem", () if origin == "okta" else MOMENTS)
            told = shape.changed(json.loads(response.text))
            response.text = json.dumps(reworded(told, perturbation), ensure_ascii=False)
            if perturbation.touches("headers", origin):
                response.charset = perturbation.choose("headers", origin, ("utf-8", "UTF-8"))
        if perturbation.touches("headers", "further"):
            response.headers["set-cookie"] = "ARRAffinity=0; Path=/; HttpOnly; Secure"
            response.headers["request-context"] = "appId=cid-v1:00000000"

    def _reworded(self, request: web.Request, refusal: Refusal) -> Refusal:
        """Return a refusal with what is free in its text changed."""
        perturbation = self.perturbation_for(request)
        if not perturbation or not refusal.text:
            return refusal
        told = Shape(perturbation, known_of(self.word)).changed(json.loads(refusal.text))
        limits = {name: value for name, value in refusal.headers.items() if name.startswith("X-Rate-Limit")}
        return Refusal(refusal.status, reworded(told, perturbation), limits)

    def _edited(
        self, request: web.Request, response: web.StreamResponse, origin: str, endpoint: Endpoint | None
    ) -> web.StreamResponse:
        number = request.get("user", "")
        edits = self._places.of(self.configuration["edits"], origin, request.path_qs, number)
        who = self.customer(number) if number and endpoint else None
        words = ("missing-optional", "null-optional", "extra-fields", "missing-required")
        if not edits and not (who and who.says(*words)):
            return response
        body = answers.read(response)
        if body is None:
            return response
        optional = OPTIONAL.get(endpoint.id, ()) if endpoint else ()

        def change(row: dict[str, Any]) -> None:
            assert who is not None
            for name in optional:
                if name in row and who.says("missing-optional"):
                    del row[name]
                elif name in row and who.says("null-optional"):
                    row[name] = None
            if who.says("extra-fields"):
                row["unknownField"] = {"since": "2026-01-01", "values": [1, "שתיים", None]}

        if who is not None:
            if who.says("missing-required") and endpoint and endpoint.id == "I1":
                body.pop("bpNumber")
            answers.walk(body, change)
        for entry in edits:
            answers.edit(body, entry["field"], entry)
        return as_json(body, status=response.status)


def reworded(told: Any, perturbation: Perturbation) -> Any:
    """Say in other words what an error or a success says, where no words are known."""
    known = known_of("iec").words
    if not isinstance(told, dict):
        return told
    said = told.get("Error")
    if said is not None and said not in known and OLD_DATE not in said and perturbation.touches("words", said):
        told["Error"] = perturbation.choose("words", said, ERRORS)
    for cause in told.get("errorCauses") or ():
        if perturbation.touches("words", cause["errorSummary"]):
            cause["errorSummary"] = perturbation.choose("words", cause["errorSummary"], ERRORS)
    descriptor = told.get("reponseDescriptor")
    if isinstance(descriptor, dict) and descriptor["isSuccess"] and perturbation.touches("words", "success"):
        descriptor["description"] = perturbation.choose("words", "success", SUCCESSES)
        if descriptor["code"] != "26":  # the one that says something
            descriptor["code"] = perturbation.choose("words", "success code", SUCCESS_CODES)
    return told


PORTAL = Iec

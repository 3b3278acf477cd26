"""The pages under `/_sandbox/`, by which tests, benchmarks and people look into a portal and tell it how to behave."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from sandbox.perturb import Perturbation, PerturbationError
from sandbox.portal import PortalState
from sandbox.users import User

PREFIX = "/_sandbox/"
USER_CHANGES = {
    "password": str,
    "session_requests": int,
    "failed": int,
    "locked": bool,
    "totp_secret": str,
    "next_codes": list,
}


class AdminPages:
    """JSON in, JSON out; none of it is counted."""

    def __init__(self, portal: PortalState) -> None:
        self._portal = portal

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the admin routes."""
        return [
            web.get(PREFIX + "counters", self.counters),
            web.get(PREFIX + "configuration", self.configuration),
            web.get(PREFIX + "journal", self.journal),
            web.get(PREFIX + "messages", self.messages),
            web.get(PREFIX + "secrets", self.secrets),
            web.post(PREFIX + "configure", self.configure),
            web.post(PREFIX + "reset", self.reset),
            web.post(PREFIX + "maxima", self.maxima),
            web.post(PREFIX + "clock", self.clock),
            web.get(PREFIX + "perturb", self.perturbation),
            web.post(PREFIX + "perturb", self.perturb),
            web.post(PREFIX + "users/{name}", self.user),
            web.post(PREFIX + "users/{name}/sign-out", self.sign_out),
            web.post(PREFIX + "users/{name}/send-former-code", self.send_former),
        ]

    async def counters(self, request: web.Request) -> web.Response:
        """Return everything counted."""
        return web.json_response(self._portal.counters.as_json())

    async def configuration(self, request: web.Request) -> web.Response:
        """Return the configuration in force."""
        return web.json_response(self._portal.configuration)

    async def journal(self, request: web.Request) -> web.Response:
        """Return the requests with a number above `since`, the last 2000 at most."""
        since = int(request.query.get("since", "0"))
        entries = [entry for entry in self._portal.counters.journal if entry["number"] > since]
        return web.json_response({"requests": entries})

    async def messages(self, request: web.Request) -> web.Response:
        """Return the messages sent, without their text."""
        return web.json_response({"messages": list(self._portal.gateway.sent)})

    async def secrets(self, request: web.Request) -> web.Response:
        """Return the passwords set here and the codes, cookies and form tokens given out since the start."""
        return web.json_response(self._portal.secrets)

    async def configure(self, request: web.Request) -> web.Response:
        """Merge the body into the configuration."""
        wrong = self._portal.configure(await body(request))
        if wrong:
            raise refusal(wrong)
        return web.json_response(self._portal.configuration)

    async def reset(self, request: web.Request) -> web.Response:
        """Forget everything but the configuration."""
        self._portal.reset()
        return web.json_response({})

    async def maxima(self, request: web.Request) -> web.Response:
        """Forget the maxima of requests in flight and connections."""
        self._portal.counters.forget_maxima()
        return web.json_response({})

    async def clock(self, request: web.Request) -> web.Response:
        """Turn the portal's clock: `{"offset": seconds}`."""
        said = (await body(request)).get("offset")
        if not isinstance(said, int | float):
            raise refusal("offset must be a number of seconds.")
        self._portal.turn_clock(float(said))
        return web.json_response({"offset": said})

    async def perturbation(self, request: web.Request) -> web.Response:
        """Return the portal's seed and the dimensions that are on."""
        return web.json_response(self._portal.perturbation.as_json())

    async def perturb(self, request: web.Request) -> web.Response:
        """
        Change what is free: `{"seed": 7}`, `{"seed": 7, "only": ["order"]}`, `{"seed": null}` for nothing.

        `visitors`: a list of such objects, for visits whose user is not known yet; each gets the next one.
        """
        said = await body(request)
        try:
            looks = [Perturbation.of(each.get("seed"), each.get("only") or ()) for each in said.get("visitors") or ()]
            self._portal.perturb(Perturbation.of(said.get("seed"), said.get("only") or ()), looks)
        except PerturbationError as error:
            raise refusal(str(error)) from None
        return web.json_response(self._portal.perturbation.as_json())

    async def user(self, request: web.Request) -> web.Response:
        """Change a user; see USER_CHANGES."""
        changes = await body(request)
        for name, value in changes.items():
            kind = USER_CHANGES.get(name)
            if kind is None or not isinstance(value, kind):
                raise refusal(f"{name} is not something of a user, or not of its type.")
        self._portal.passwords.change(request.match_info["name"], changes)
        return web.json_response({})

    async def sign_out(self, request: web.Request) -> web.Response:
        """End every session of a user."""
        return web.json_response({"sessions": self._portal.sessions.kill_all_of(request.match_info["name"])})

    async def send_former(self, request: web.Request) -> web.Response:
        """Send the user a message (`{"by": "mail"}`: a mail) with a code that is good for nothing; answer when it is there."""
        by = (await body(request)).get("by", "")
        if by not in ("", "sms", "mail"):
            raise refusal("by must be sms or mail.")
        taken = await self._portal.codes.send_former(User.of(request.match_info["name"]), by)
        return web.json_response({"taken": taken})


async def body(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a request's body; an empty body is an empty object."""
    try:
        said = json.loads(await request.text() or "{}")
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise refusal("The body must be a JSON object.")
    return said


def refusal(sentence: str) -> web.HTTPBadRequest:
    """Return the answer 400 with one sentence."""
    return web.HTTPBadRequest(text=json.dumps({"error": sentence}), content_type="application/json")

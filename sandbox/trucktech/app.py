"""The portal TruckTech+: its routes, its vehicles and their diagnostics, and the orders that change its fleet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from aiohttp import web

from sandbox import admin
from sandbox.answers import found
from sandbox.frame import Portal
from sandbox.perturb import Perturbation
from sandbox.signin import Session
from sandbox.trucktech import fleet, layouts, pages
from sandbox.trucktech.fleet import Fleet
from sandbox.trucktech.signing import SignIn, html
from sandbox.trucktech.state import ALIASES, MOST_VEHICLES, TruckTechState
from sandbox.users import User

STRANGER = "ok+somebody-else@example.com"  # whom the pages of `other-customer` name
OVER = ("redirect", "page", "text", "dialog", "empty")
IN_PLACE = ("unknown-page", "error-page", "empty-page", "blank-page", "empty-table", "loading-page")


@dataclass(frozen=True, slots=True)
class View:
    """A signed-in request: the session, the name that its page shows, in which layout and language, and the fleet."""

    session: Session
    shown: str
    layout: str
    words: pages.Words
    fleet: Fleet
    perturbation: Perturbation
    fixed: bool  # the user name says the layout

    def frame(self, title: str, body: str) -> str:
        """Return a page around a body."""
        sign_out = ALIASES.shown(self.perturbation, "/logout")
        return pages.frame(title, self.shown, body, self.words, sign_out)

    def look(self, about: str, short: bool = False) -> layouts.Look:
        """Return how a list is shown."""
        layout = self.layout if self.fixed else layouts.layout_of(self.layout, self.perturbation, about)
        return layouts.Look(layout, self.words, short, self.perturbation)

    @property
    def user(self) -> User:
        """Who is signed in."""
        return self.session.user


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SignedIn = Callable[["TruckTech", web.Request, View], Awaitable[web.StreamResponse]]
Page = Callable[["TruckTech", web.Request], Awaitable[web.StreamResponse]]


def signed_in(handler: SignedIn) -> Page:
    """Let a handler be called for live sessions that nothing stands before; others see the sign-in or that thing."""

    async def page(portal: TruckTech, request: web.Request) -> web.StreamResponse:
        session = portal.session(request)
        if session is None:
            return portal.signed_out(request)
        return portal.disturbed(session) or await handler(portal, request, portal.view(session))

    return page


class TruckTech(TruckTechState, Portal):
    """Form sign-in, a paged list of vehicles, and a page of faults for each."""

    origins: ClassVar = {"": "TRUCKTECH_URL"}
    journal_query = frozenset({"page"})

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._sign_in = SignIn(self)

    def routes(self, origin: str) -> Iterable[web.AbstractRouteDef]:
        """Return the portal's routes; it has one origin."""

        def at(page: Page) -> Handler:
            return self.at(lambda request: page(self, request))

        return [
            web.get("/", at(TruckTech.home)),
            *self._sign_in.routes(self.at),
            *(
                web.get(address, at(TruckTech.dashboard))
                for address in ("/dashboard", "/home", "/start/today", "/my/fleet")
            ),
            *(web.get(path, at(TruckTech.policies)) for path, name in ALIASES.paths if name == "/policies"),
            *(web.post(path, at(TruckTech.decide)) for path, name in ALIASES.paths if name == "/policies"),
            *(web.get(path, at(TruckTech.assets)) for path in ("/assets", "/assets/page/{page}")),
            web.get("/assets/{vin}/diagnostics", at(TruckTech.diagnostics)),
            web.get(f"{admin.PREFIX}fleet", self.show_fleet),
            web.post(f"{admin.PREFIX}fleet", self.change_fleet),
        ]

    def at(self, handler: Handler) -> Handler:
        """Return a handler that rests while the portal does."""

        async def page(request: web.Request) -> web.StreamResponse:
            if self.configuration["maintenance"]:
                return html(pages.maintenance(), status=503)
            name, user = ALIASES.name(request.path), self._whose(request)
            if name and user and not ALIASES.is_served(self.perturbation_of(user), request.path):
                raise web.HTTPNotFound()
            return await handler(request)

        return page

    def _whose(self, request: web.Request) -> User | None:
        """Return the user of a request's session or visit."""
        session = self.sessions.look(request.cookies.get(self.cookie("session")))
        visit = self.visits.find(request.cookies.get(self.cookie("visit")))
        name = self.visits.row(visit).get("user") if visit else ""
        return session.user if session else User.of(name) if name else None

    # What stands before a page

    def signed_out(self, request: web.Request) -> web.StreamResponse:
        """Answer a request without a live session; at the first page's address always by the sign-in's."""
        perturbation = self.perturbation_for(request)
        if perturbation.touches("session-over", "any"):
            kind = perturbation.choose("session-over", "any", OVER)
            if kind == "redirect" or request.path in ("/", "/dashboard"):
                return found("/login?expired=1")
            return self._sign_in.page(request) if kind == "page" else html(pages.session_over(kind, "Vehicles"))
        return self._sign_in.page(request) if self.configuration["signed_out_answer"] == "page" else found("/login")

    def disturbed(self, session: Session) -> web.StreamResponse | None:
        """Return what a user sees in place of any page, if anything."""
        user = session.user
        limited = next((word for word in ("rate-limited", "rate-limited-bare") if user.says(word)), "")
        if limited and self.troubled(user, limited, self.configuration["rate_limited_requests"]):
            headers = {} if limited.endswith("-bare") else {"Retry-After": "1"}
            return web.Response(status=429, text="Too many requests", headers=headers)
        if user.says("maintenance") and self.troubled(user, "maintenance"):
            return html(pages.maintenance(), status=503)
        if user.says("unknown-landing") and self.troubled(user, "unknown-landing"):
            return html(pages.interstitial())
        return found(ALIASES.shown(self.perturbation_of(user), "/policies")) if self._owes_policies(session) else None

    def _owes_policies(self, session: Session) -> bool:
        wanted = session.user.says("policy-page", "policy-required")
        return wanted and session.user.name not in self.policies_taken and not session.data.get("policies_later")

    def view(self, session: Session) -> View:
        """Say what a session sees."""
        user = session.user
        other = user.says("other-customer")
        layout = next((name for name in layouts.LAYOUTS if user.says(f"layout-{name}")), self.configuration["layout"])
        count = min(int(user.number("vehicles", self.configuration["vehicles"])), MOST_VEHICLES)
        faults = min(int(user.number("faults", self.configuration["fleet_faults"])), 5_000)
        shown = self.fleet_of(fleet.STRANGER if other else fleet.OWN, count, faults)
        perturbation = self.perturbation_of(user)
        own = "" if perturbation.touches("unnamed", "all") else user.name
        fixed = any(user.says(f"layout-{name}") for name in layouts.LAYOUTS)
        return View(session, STRANGER if other else own, layout, self.words(user), shown, perturbation, fixed)

    # Pages

    async def home(self, request: web.Request) -> web.StreamResponse:
        """Redirect to the dashboard."""
        return found("/dashboard")

    @signed_in
    async def dashboard(self, request: web.Request, view: View) -> web.StreamResponse:
        """Show the first page."""
        body = pages.dashboard(len(view.fleet.vehicles))
        return html(view.frame(view.words["dashboard"], body))

    async def policies(self, request: web.Request) -> web.StreamResponse:
        """Show the policies to those who owe their consent."""
        session = self.session(request)
        if session is None:
            return self.signed_out(request)
        if not self._owes_policies(session):
            return found("/dashboard")
        perturbation = self.perturbation_for(request)
        address, sign_out = (ALIASES.shown(perturbation, name) for name in ("/policies", "/logout"))
        may_wait = not session.user.says("policy-required")
        return html(pages.policies(self.view(session).shown, may_wait, address, sign_out))

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """Take consent for good, or let the session go on without it."""
        session, form = self.session(request), await request.post()
        if session is None:
            return self.signed_out(request)
        if form.get("decision") == "accept":
            self.policies_taken[session.user.name] = {"accepted": self.now()}
            self.counters.add("policies_accepted")
        elif form.get("decision") == "later" and not session.user.says("policy-required"):
            session.data["policies_later"] = True
            self.sessions.keep(session)
            self.counters.add("policies_postponed")
        return found(self.landing(session.user))

    @signed_in
    async def assets(self, request: web.Request, view: View) -> web.StreamResponse:
        """Show a page of the vehicles."""
        per, every = int(self.configuration["per_page"]), view.fleet.vehicles
        page = page_of(request, per)
        if not page.isdecimal() or not 1 <= int(page) <= MOST_VEHICLES:
            raise web.HTTPBadRequest(text="page counts from 1.")
        number = int(page)
        if view.perturbation and request.path_qs not in (
            "/assets",
            layouts.page_address(number, per, view.perturbation),
        ):
            raise web.HTTPNotFound()
        here = view.user.value("vehicle") is None and view.user.value("page") in (None, page)
        odd = self._odd(view, view.words["vehicles"], f"list {page}") if here else None
        if odd is not None:
            return odd
        start = (number - 1) * per
        part = layouts.Part(every[start : start + per], number, start + 1, len(every), start + per < len(every), per)
        self.counters.add("lists_served")
        return html(view.frame(view.words["vehicles"], layouts.vehicle_list(part, view.look("vehicles"))))

    @signed_in
    async def diagnostics(self, request: web.Request, view: View) -> web.StreamResponse:
        """Show the faults of a vehicle."""
        vehicle, user = view.fleet.find(request.match_info["vin"]), view.user
        if vehicle is None:
            return html(view.frame("Not found", "<p>There is no such vehicle.</p>"), status=404)
        if user.value("fails") == str(vehicle.index) and self.troubled(user, f"fails {vehicle.index}"):
            return html(pages.whole("Error", "<h1>500</h1>"), status=500)
        at = user.value("vehicle")
        here = at in (None, str(vehicle.index))
        odd = self._odd(view, view.words["diagnostics"], f"vehicle {vehicle.index}") if here and at else None
        if odd is not None:
            return odd
        if user.value("wrong-vehicle") == str(vehicle.index):
            vehicle = view.fleet.vehicles[vehicle.index % len(view.fleet.vehicles)]  # the next one
        faults = view.fleet.faults_of(vehicle)
        if here and user.says("missing-fmi"):
            faults = [replace(fault, fmi=None) for fault in faults]
        self.counters.add("vehicles_served")
        look, other = view.look("faults", here and user.says("short-codes")), view.fleet.vehicles[-1].vin
        return html(view.frame(view.words["diagnostics"], layouts.fault_list(vehicle, faults, look, other)))

    def _odd(self, view: View, title: str, where: str) -> web.Response | None:
        """Return what the scenario has in place of a page, if it has anything left."""
        word = next((word for word in IN_PLACE if view.user.says(word)), "")
        if not word or not self.troubled(view.user, f"{word} {where}"):
            return None
        return html(pages.odd(word, title, view.shown, view.words))

    # The fleet as it is now

    def _configured(self) -> Fleet:
        return self.fleet_of(fleet.OWN, int(self.configuration["vehicles"]), int(self.configuration["fleet_faults"]))

    async def show_fleet(self, request: web.Request) -> web.Response:
        """Return vehicles and faults as they are now, with the counts that a reader of the portal should find."""
        return web.json_response(self._configured().as_json())

    async def change_fleet(self, request: web.Request) -> web.Response:
        """Change faults: `add` them or replace those of the same key, `close` them (gone), `deactivate` them (history)."""
        said = await admin.body(request)
        try:
            changes = self._read_changes(said)
        except fleet.BadChange as error:
            raise admin.refusal(str(error)) from None
        for fault, now in changes:
            self.change_fault(fault, now)
        return web.json_response(self._configured().as_json())

    def _read_changes(self, said: Mapping[str, Any]) -> list[tuple[fleet.Fault, fleet.Fault | None]]:
        """Return which faults become what; all of it is read before anything changes."""
        current = self._configured()
        changes: list[tuple[fleet.Fault, fleet.Fault | None]] = []
        unknown = sorted(set(said) - {"add", "close", "deactivate"})
        if unknown or not all(isinstance(faults, list) for faults in said.values()):
            raise fleet.BadChange("A fleet's changes are lists of faults named add, close and deactivate.")
        for act, faults in said.items():
            for one in faults:
                fault = fleet.fault_of(one, current.vehicles)
                if act == "add":
                    changes.append((fault, fault))
                    continue
                known = current.faults.get(fault.key)
                if known is None:
                    raise fleet.BadChange(
                        f"There is no fault SPN {fault.spn} FMI {fault.fmi} to {act} on that vehicle."
                    )
                changes.append((known, replace(known, active=False) if act == "deactivate" else None))
        return changes


def page_of(request: web.Request, per: int) -> str:
    """Return the number of the page of the list that a request is for, as it is written there."""
    offset = request.query.get("offset", "")
    if offset.isdecimal():
        return str(int(offset) // per + 1)
    said = request.query
    return request.match_info.get("page") or said.get("page") or said.get("p") or "1"


PORTAL = TruckTech

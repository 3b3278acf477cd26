"""The portal TruckTech+: its facts, its vehicles and their diagnostics, and the orders that change its fleet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

from aiohttp import web

from sandbox import admin
from sandbox.frame import Portal
from sandbox.signin import Session
from sandbox.trucktech import fleet, layouts, pages
from sandbox.trucktech.fleet import Fleet
from sandbox.trucktech.signing import PortalCodes, SignIn, found, html
from sandbox.users import User

STRANGER = "ok+somebody-else@example.com"  # whom the pages of `other-customer` name
IN_PLACE = ("unknown-page", "error-page", "empty-page", "blank-page", "empty-table", "loading-page")
COUNTED = ("vehicles_served", "lists_served", "policies_accepted", "policies_postponed", "devices_trusted")
MOST_VEHICLES = 20_000


@dataclass(frozen=True, slots=True)
class View:
    """A signed-in request: the session, the name that its page shows, in which layout and language, and whose fleet."""

    session: Session
    shown: str
    layout: str
    words: pages.Words
    fleet: Fleet

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


class TruckTech(Portal):
    """Form sign-in, a paged list of vehicles, and a page of faults for each."""

    word = "trucktech"
    origins: ClassVar = {"": "TRUCKTECH_URL"}
    sender = "+15550100003"
    message = "TruckTech+: {code} is your verification code."
    journal_query = frozenset({"page"})
    defaults: ClassVar = {
        "session_seconds": 86_400,
        "vehicles": 142,
        "per_page": 25,
        "fleet_faults": 23,  # rows of all vehicles together
        "layout": "table",  # one of layouts.LAYOUTS, for users whose name says none
        "maintenance": False,  # 503 for everybody
        "signed_out_answer": "redirect",  # or "page": the sign-in page with status 200
        "rate_limited_requests": 2,  # signed-in requests refused in the scenario `rate-limited`
    }
    scenarios: ClassVar = {
        "ok": "signs in with the password alone; everything works",
        "totp": "a code of an authenticator app is wanted",
        "sms": "a code comes by text message",
        "email": "a code by e-mail is wanted, and none is delivered",
        "code-late": "the text message comes late",
        "code-never": "no text message comes",
        "code-refused": "no code is right",
        "mfa-none-known": "a second factor without a code",
        "trust-device": "a question after the code, whether the browser is to be trusted",
        "wrong-password": "only `new-sesame` is right",
        "locked": "the user is locked",
        "elsewhere": "a dialog about a session elsewhere",
        "policy-page": "policies to accept, now or later",
        "policy-required": "policies to accept, now",
        "landing-home": "the first page is /home",
        "landing-odd": "the first page is at an address that nobody expects",
        "unknown-landing": "a page that nobody knows in place of every page",
        "other-customer": "name and fleet of another customer",
        "signed-out-midway": "the first session ends after 5 requests",
        "rate-limited": "429 with Retry-After for the first 2 requests",
        "rate-limited-bare": "the same without Retry-After",
        "maintenance": "503 after sign-in",
        "unknown-page": "a page that nobody knows in place of a list",
        "error-page": "an error page with status 200",
        "empty-page": "a page with nothing in it",
        "blank-page": "an answer without a byte",
        "empty-table": "a table without rows, and nothing that says so",
        "loading-page": "a page that is still loading",
        "missing-fmi": "faults without FMI",
        "short-codes": "faults as 3364/18",
        "lang-fr": "everything in French",
        "layout-table": "lists are tables",
        "layout-card": "lists are cards",
        "layout-json": "lists are documents inside the page",
    }

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.codes = PortalCodes(self, self.passwords)
        self._sign_in = SignIn(self)
        self._troubles = self.state.table("troubles")
        self._policies = self.state.table("policies")
        self._changes = self.state.table("fleet")  # by fault: what it is now, or None when it is gone
        self._fleets: dict[tuple[str, int, int], Fleet] = {}
        self._count_from_zero()

    def _count_from_zero(self) -> None:
        for name in COUNTED:
            self.counters.add(name, 0)

    def reset(self) -> None:
        """Forget what the frame forgets, and every change of the fleet."""
        super().reset()
        self._count_from_zero()
        self._fleets.clear()

    def configure(self, changes: Mapping[str, Any]) -> str:
        """Merge changes into the configuration; return what is wrong as one sentence, and change nothing then."""
        bounds = {"vehicles": (0, MOST_VEHICLES), "fleet_faults": (0, 5_000), "per_page": (1, 1_000)}
        for name, (least, most) in bounds.items():
            if not isinstance(changes.get(name, least), int) or not least <= changes.get(name, least) <= most:
                return f"{name} must be a whole number from {least} to {most}."
        if changes.get("layout", "table") not in layouts.LAYOUTS:
            return f"layout must be one of {', '.join(layouts.LAYOUTS)}."
        return super().configure(changes)

    def routes(self, origin: str) -> Iterable[web.AbstractRouteDef]:
        """Return the portal's routes; it has one origin."""

        def at(page: Page) -> Handler:
            return self.at(lambda request: page(self, request))

        return [
            web.get("/", at(TruckTech.home)),
            *self._sign_in.routes(),
            *(web.get(address, at(TruckTech.dashboard)) for address in ("/dashboard", "/home", "/start/today")),
            web.get("/policies", at(TruckTech.policies)),
            web.post("/policies", at(TruckTech.decide)),
            web.get("/assets", at(TruckTech.assets)),
            web.get("/assets/{vin}/diagnostics", at(TruckTech.diagnostics)),
            web.get(f"{admin.PREFIX}fleet", self.show_fleet),
            web.post(f"{admin.PREFIX}fleet", self.change_fleet),
        ]

    def at(self, handler: Handler) -> Handler:
        """Return a handler that rests while the portal does."""

        async def page(request: web.Request) -> web.StreamResponse:
            if self.configuration["maintenance"]:
                return html(pages.maintenance(), status=503)
            return await handler(request)

        return page

    # What stands before a page

    def words(self, user: User) -> pages.Words:
        """Return the portal's words in a user's language."""
        return pages.FRENCH if user.says("lang-fr") else pages.ENGLISH

    def landing(self, user: User) -> str:
        """Return where a user comes to after sign-in."""
        return "/home" if user.says("landing-home") else "/start/today" if user.says("landing-odd") else "/dashboard"

    def signed_out(self, request: web.Request) -> web.StreamResponse:
        """Answer a request without a live session."""
        return self._sign_in.page(request) if self.configuration["signed_out_answer"] == "page" else found("/login")

    def disturbed(self, session: Session) -> web.StreamResponse | None:
        """Return what a user sees in place of any page, if anything."""
        user = session.user
        limited = next((word for word in ("rate-limited", "rate-limited-bare") if user.says(word)), "")
        if limited and self._troubled(user, limited, self.configuration["rate_limited_requests"]):
            headers = {} if limited.endswith("-bare") else {"Retry-After": "1"}
            return web.Response(status=429, text="Too many requests", headers=headers)
        if user.says("maintenance") and self._troubled(user, "maintenance"):
            return html(pages.maintenance(), status=503)
        if user.says("unknown-landing") and self._troubled(user, "unknown-landing"):
            return html(pages.interstitial())
        return found("/policies") if self._owes_policies(session) else None

    def _owes_policies(self, session: Session) -> bool:
        wanted = session.user.says("policy-page", "policy-required")
        return wanted and session.user.name not in self._policies and not session.data.get("policies_later")

    def _troubled(self, user: User, word: str, times: float = float("inf")) -> bool:
        """Count a trouble that a user is to meet, and say whether to let it happen: `times-<k>` is for how often."""
        row = self._troubles.setdefault(f"{user.name} {word}", {"times": 0})
        if row["times"] >= user.number("times", times):
            return False
        row["times"] += 1
        self._troubles.touch(f"{user.name} {word}")
        return True

    def view(self, session: Session) -> View:
        """Say what a session sees."""
        user = session.user
        other = user.says("other-customer")
        layout = next((name for name in layouts.LAYOUTS if user.says(f"layout-{name}")), self.configuration["layout"])
        count = min(int(user.number("vehicles", self.configuration["vehicles"])), MOST_VEHICLES)
        faults = min(int(user.number("faults", self.configuration["fleet_faults"])), 5_000)
        shown = self.fleet_of(fleet.STRANGER if other else fleet.OWN, count, faults)
        return View(session, STRANGER if other else user.name, layout, self.words(user), shown)

    # Pages

    async def home(self, request: web.Request) -> web.StreamResponse:
        """Send everybody to the dashboard."""
        return found("/dashboard")

    @signed_in
    async def dashboard(self, request: web.Request, view: View) -> web.StreamResponse:
        """Show the first page."""
        body = pages.dashboard(len(view.fleet.vehicles))
        return html(pages.frame(view.words["dashboard"], view.shown, body, view.words))

    async def policies(self, request: web.Request) -> web.StreamResponse:
        """Show the policies to those who owe their consent."""
        session = self.session(request)
        if session is None:
            return self.signed_out(request)
        if not self._owes_policies(session):
            return found("/dashboard")
        return html(pages.policies(self.view(session).shown, may_wait=not session.user.says("policy-required")))

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """Take consent for good, or let the session go on without it."""
        session, form = self.session(request), await request.post()
        if session is None:
            return self.signed_out(request)
        if form.get("decision") == "accept":
            self._policies[session.user.name] = {"accepted": self.now()}
            self.counters.add("policies_accepted")
        elif form.get("decision") == "later" and not session.user.says("policy-required"):
            session.data["policies_later"] = True
            self.sessions.keep(session)
            self.counters.add("policies_postponed")
        return found(self.landing(session.user))

    @signed_in
    async def assets(self, request: web.Request, view: View) -> web.StreamResponse:
        """Show a page of the vehicles."""
        page = request.query.get("page", "1")
        if not page.isdecimal() or not 1 <= int(page) <= MOST_VEHICLES:
            raise web.HTTPBadRequest(text="page counts from 1.")
        number, per, every = int(page), int(self.configuration["per_page"]), view.fleet.vehicles
        here = view.user.value("vehicle") is None and view.user.value("page") in (None, page)
        odd = self._odd(view, view.words["vehicles"], f"list {page}") if here else None
        if odd is not None:
            return odd
        start = (number - 1) * per
        part = layouts.Part(every[start : start + per], number, start + 1, len(every), start + per < len(every))
        self.counters.add("lists_served")
        body = layouts.vehicle_list(view.layout, part, view.words)
        return html(pages.frame(view.words["vehicles"], view.shown, body, view.words))

    @signed_in
    async def diagnostics(self, request: web.Request, view: View) -> web.StreamResponse:
        """Show the faults of a vehicle."""
        vehicle, user = view.fleet.find(request.match_info["vin"]), view.user
        if vehicle is None:
            return html(pages.frame("Not found", view.shown, "<p>There is no such vehicle.</p>"), status=404)
        if user.value("fails") == str(vehicle.index) and self._troubled(user, f"fails {vehicle.index}"):
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
        body = layouts.fault_list(view.layout, vehicle, faults, view.words, here and user.says("short-codes"))
        return html(pages.frame(view.words["diagnostics"], view.shown, body, view.words))

    def _odd(self, view: View, title: str, where: str) -> web.Response | None:
        """Return what the scenario has in place of a page, if it has anything left."""
        word = next((word for word in IN_PLACE if view.user.says(word)), "")
        if not word or not self._troubled(view.user, f"{word} {where}"):
            return None
        return html(pages.odd(word, title, view.shown, view.words))

    # The fleet as it is now

    def fleet_of(self, whose: str, vehicle_count: int, fault_count: int) -> Fleet:
        """Return a customer's fleet with all that was changed; made once until the next change."""
        key = whose, vehicle_count, fault_count
        if key not in self._fleets:
            if len(self._fleets) > 50:
                self._fleets.clear()
            known = {fault.key: fault for fault in fleet.default_faults(*key)}
            if whose == fleet.OWN:
                for row in self._changes.values():
                    known.pop(tuple(row["key"]), None)  # it stands last after a change
                    if row["fault"] is not None:
                        known[tuple(row["key"])] = fleet.Fault(**row["fault"])
            self._fleets[key] = Fleet(whose, vehicle_count, known.values())
        return self._fleets[key]

    def _configured(self) -> Fleet:
        return self.fleet_of(fleet.OWN, int(self.configuration["vehicles"]), int(self.configuration["fleet_faults"]))

    async def show_fleet(self, request: web.Request) -> web.Response:
        """Return vehicles and faults as they are now, with the counts that whoever reads the portal should find."""
        return web.json_response(self._configured().as_json())

    async def change_fleet(self, request: web.Request) -> web.Response:
        """Change faults: `add` them or replace those of the same key, `close` them (gone), `deactivate` them (history)."""
        said = await admin.body(request)
        try:
            changes = self._read_changes(said)
        except fleet.BadChange as error:
            raise admin.refusal(str(error)) from None
        for fault, now in changes:
            self._changes[repr(fault.key)] = {"key": fault.key, "fault": None if now is None else asdict(now)}
        self._fleets.clear()
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


PORTAL = TruckTech

"""What the pages of TruckTech+ know: the portal's facts, faults still due, and the present fleet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, ClassVar

from sandbox.aliases import Aliases
from sandbox.portal import PortalState
from sandbox.signin import Codes
from sandbox.trucktech import fleet, layouts, pages
from sandbox.trucktech.fleet import Fleet
from sandbox.users import User

COUNTED = (
    "vehicles_served",
    "lists_served",
    "policies_accepted",
    "policies_postponed",
    "devices_trusted",
    "captchas_refused",
)
MOST_VEHICLES = 20_000
# Addresses of which the sheet says nothing: others of the same pages.
OTHERS: dict[str, tuple[str, ...]] = {
    "/captcha": (),
    "/verification": ("/mfa/challenge", "/identity?step=verify"),
    "/verification/send": ("/mfa/resend", "/identity/again"),
    "/trust_device": ("/mfa/remember", "/devices/new?source=mfa"),
    "/elsewhere": ("/sessions/other", "/conflict?kind=session"),
    "/policies": ("/terms", "/legal/acceptance?version=4"),
    "/logout": ("/sign_out", "/session/end?now=1"),
    "/session": ("/session", "/auth/password?step=1"),
}
ALIASES = Aliases(OTHERS, OTHERS)
LANDINGS = ("/start/today", "/my/fleet", "/dashboard?welcome=1", "/home")


class PortalCodes(Codes):
    """The frame's codes, with an e-mail that is not delivered and a factor that is unknown."""

    @staticmethod
    def factor(user: User) -> str:
        """Return the second factor: "totp", "sms", "email", "other" or "" for none."""
        return "other" if user.says("mfa-none-known") else "email" if user.says("email") else Codes.factor(user)

    def send(self, user: User, visit: str) -> None:
        """Make a code; send it unless it is for an e-mail: that one is good, and under `/_sandbox/secrets` only."""
        undelivered = replace(user, tags=(*user.tags, "code-never"))
        super().send(undelivered if self.factor(user) == "email" else user, visit)


class TruckTechState(PortalState):
    """Scenarios, policies, troubles and fleets."""

    word = "trucktech"
    sender = "+15550100003"
    message = "TruckTech+: {code} is your verification code."
    defaults: ClassVar = {
        "session_seconds": 86_400,
        "vehicles": 142,
        "per_page": 25,
        "fleet_faults": 23,  # rows of all vehicles together
        "layout": "table",  # one of layouts.LAYOUTS, for users without one in their name
        "maintenance": False,  # 503 for every request
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
        "ask-code": "no code is sent until a button is pressed",
        "trust-device": "a question after the code, whether the browser is to be trusted",
        "captcha": "a captcha after the password: a person ticks a box and types a drawn word",
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
        self.policies_taken = self.state.table("policies")
        self._troubles = self.state.table("troubles")
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

    def words(self, user: User) -> pages.Words:
        """Return the portal's words in a user's language."""
        return pages.FRENCH if user.says("lang-fr") else pages.ENGLISH

    def landing(self, user: User) -> str:
        """Return where a user comes to after sign-in."""
        perturbation = self.perturbation_of(user)
        if perturbation.touches("landing", "first page") and not user.says("landing-home", "landing-odd"):
            return perturbation.choose("landing", "first page", LANDINGS)
        return "/home" if user.says("landing-home") else "/start/today" if user.says("landing-odd") else "/dashboard"

    def troubled(self, user: User, word: str, times: float = float("inf")) -> bool:
        """Count a trouble that a user is to meet, and say whether to let it happen: `times-<k>` is for how often."""
        row = self._troubles.setdefault(f"{user.name} {word}", {"times": 0})
        if row["times"] >= user.number("times", times):
            return False
        row["times"] += 1
        self._troubles.touch(f"{user.name} {word}")
        return True

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

    def change_fault(self, fault: fleet.Fault, now: fleet.Fault | None) -> None:
        """Remember what a fault has become; now: None when it is gone."""
        self._changes[repr(fault.key)] = {"key": fault.key, "fault": None if now is None else asdict(now)}
        self._fleets.clear()

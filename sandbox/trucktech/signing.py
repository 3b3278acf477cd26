"""Letting people in: password, second factor, trusted browsers, and the dialog about a session elsewhere."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from aiohttp import web

from sandbox.answers import found
from sandbox.known import known_of
from sandbox.perturb import Perturbation
from sandbox.scripted.people import masked_mail
from sandbox.signin import Answer, digest
from sandbox.trucktech import pages
from sandbox.trucktech.state import ALIASES, TruckTechState
from sandbox.users import User, phone

CAPTCHA, VERIFICATION, TRUST, ELSEWHERE = "/captcha", "/verification", "/trust_device", "/elsewhere"
LETTERS = "abcdefghjkmnpqrstuvwxyz"  # of a drawn word
ADDRESSES = (VERIFICATION, f"{VERIFICATION}/send", TRUST, ELSEWHERE)
FIELDS = ("auth_key", "password", "csrf_token", "code", "verification_code")
DEVICE_SECONDS = 30 * 86_400

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class SignIn:
    """The pages from the password to the session. A visit remembers which of them are still to be passed."""

    def __init__(self, portal: TruckTechState) -> None:
        self._portal = portal
        self._devices = portal.state.table("devices")

    def routes(self, at: Callable[[Handler], Handler]) -> Iterable[web.AbstractRouteDef]:
        """Return the routes; `at` wraps every handler, so that it rests while the portal does."""
        posted = {
            "/session": self.submit,
            VERIFICATION: self.submit_code,
            f"{VERIFICATION}/send": self.send_code,
            TRUST: self.submit_trust,
            ELSEWHERE: self.submit_elsewhere,
            CAPTCHA: self.submit_captcha,
        }
        shown = (CAPTCHA, VERIFICATION, TRUST, ELSEWHERE)
        return [
            web.get("/login", at(self.login)),
            web.post("/login", at(self.submit)),
            *(web.get(path, at(self.show)) for path, name in ALIASES.paths if name in shown),
            web.get(f"{CAPTCHA}/box", at(self.captcha_box)),
            *(web.post(path, at(posted[name])) for path, name in ALIASES.paths if name in posted),
            *(web.get(path, at(self.logout)) for path, name in ALIASES.paths if name == "/logout"),
        ]

    async def login(self, request: web.Request) -> web.StreamResponse:
        """Show the sign-in, or the first page to those who are signed in."""
        if self._portal.sessions.look(request.cookies.get(self._portal.cookie("session"))):
            return found("/dashboard")
        return self.page(request)

    def page(self, request: web.Request, message: str = "") -> web.Response:
        """Return the sign-in page with a new form, in a visit that begins here if there is none."""
        visits = self._portal.visits
        visit, secret = visits.find(request.cookies.get(self._portal.cookie("visit"))), ""
        if visit is None:
            visit, secret = visits.open()
        screen = self._screen(visits.token(visit), self._portal.perturbation_for(request))
        visits.change(visit, user="", steps=[], names=dict(screen.names))
        answer = html(pages.sign_in(screen, message))
        if secret:
            answer.set_cookie(self._portal.cookie("visit"), secret, httponly=True, samesite="Lax")
        return answer

    def _screen(self, token: str, perturbation: Perturbation) -> pages.Screen:
        """Return how forms are drawn."""
        known = known_of("trucktech").of("name")
        names = {name: perturbation.rename(name, known) for name in FIELDS}
        addresses = {name: ALIASES.shown(perturbation, name) for name in ADDRESSES}
        if perturbation.touches("addresses", "/session"):
            addresses["/login"] = ALIASES.shown(perturbation, "/session")
        return pages.Screen(token, names, addresses, perturbation)

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """Judge a user name and password."""
        portal, form = self._portal, await request.post()
        visit = portal.visits.find(request.cookies.get(portal.cookie("visit")))
        names = portal.visits.row(visit).get("names", {}) if visit else {}
        said = {name: str(form.get(names.get(name, name), "")) for name in FIELDS}
        if visit is None or not portal.visits.take(visit, said["csrf_token"]):
            return html(pages.expired_form(), status=403)
        user = User.of(said["auth_key"])
        request["user"] = user.name
        answer = portal.passwords.submit(user.name, said["password"])
        if answer is not Answer.GOOD:
            words = portal.words(user)
            return self.page(request, words["locked" if answer is Answer.LOCKED else "refused"])
        steps = self._steps(request, user)
        portal.visits.change(visit, user=user.name, steps=steps)
        if VERIFICATION in steps and portal.codes.factor(user) in ("sms", "email") and not user.says("ask-code"):
            portal.codes.send(user, visit)
        return self._go_on(visit, user)

    def _steps(self, request: web.Request, user: User) -> Sequence[str]:
        """Return the addresses of the pages that stand between a user's password and the session."""
        steps = [CAPTCHA] if user.says("captcha") else []
        device = self._devices.get(digest(request.cookies.get(self._portal.cookie("device"), "")))
        if self._portal.codes.factor(user) and not (device and device["user"] == user.name):
            steps += [VERIFICATION, TRUST] if user.says("trust-device") else [VERIFICATION]
        return [*steps, ELSEWHERE] if user.says("elsewhere") else steps

    def _go_on(self, visit: str, user: User) -> web.Response:
        """Send a visit to its next page; after the last one the session begins."""
        portal, steps = self._portal, self._portal.visits.row(visit)["steps"]
        if steps:
            return found(ALIASES.shown(portal.perturbation_of(user), steps[0]))
        portal.visits.end(visit)
        answer = found(portal.landing(user))
        life = int(portal.configuration["session_seconds"]) or None
        answer.set_cookie(
            portal.cookie("session"), portal.sessions.open(user), httponly=True, samesite="Lax", max_age=life
        )
        answer.del_cookie(portal.cookie("visit"))
        return answer

    def _passed(self, visit: str, user: User) -> web.Response:
        self._portal.visits.change(visit, steps=self._portal.visits.row(visit)["steps"][1:])
        return self._go_on(visit, user)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Show the page that a visit has come to; any other address leads there."""
        visit = self._portal.visits.find(request.cookies.get(self._portal.cookie("visit")))
        steps = self._portal.visits.row(visit).get("steps") if visit else None
        if not visit or not steps:
            return found("/login")
        request["user"] = self._portal.visits.row(visit)["user"]
        shown = ALIASES.shown(self._portal.perturbation_of(User.of(request["user"])), steps[0])
        return self._step(visit) if request.path == shown.partition("?")[0] else found(shown)

    def _step(self, visit: str, message: str = "") -> web.Response:
        row, token = self._portal.visits.row(visit), self._portal.visits.token(visit)
        user = User.of(row["user"])
        screen = self._screen(token, self._portal.perturbation_of(user))
        if row["steps"][0] == CAPTCHA:
            return html(pages.captcha())
        if row["steps"][0] == TRUST:
            return html(pages.trust_device(screen))
        if row["steps"][0] == ELSEWHERE:
            return html(pages.elsewhere(screen))
        factor = self._portal.codes.factor(user)
        receiver = f"***-{phone(user.name)[-4:]}" if factor == "sms" else masked_mail(user)
        if factor in ("sms", "email") and user.says("ask-code") and not row.get("asked"):
            return html(pages.ask_for_code(screen, receiver))
        return html(pages.verification(screen, factor, receiver, message))

    def _said(self, user: User, form: Mapping[str, object], name: str) -> str:
        """Return what stands in a field of a form that was drawn for a user."""
        shown = self._portal.perturbation_of(user).rename(name, known_of("trucktech").of("name"))
        return str(form.get(shown, ""))

    async def _taken(self, request: web.Request, step: str) -> tuple[str, User] | web.Response:
        """Return the visit and user of a form of a step, or the answer that refuses it."""
        portal, form = self._portal, await request.post()
        visit = portal.visits.find(request.cookies.get(portal.cookie("visit")))
        if visit is None or portal.visits.row(visit).get("steps", [])[:1] != [step]:
            return found("/login")
        user = User.of(portal.visits.row(visit)["user"])
        request["user"] = user.name
        if not portal.visits.take(visit, self._said(user, form, "csrf_token")):
            return html(pages.expired_form(), status=403)
        return visit, user

    async def captcha_box(self, request: web.Request) -> web.StreamResponse:
        """Show the captcha of a visit that has come to it, with a new word."""
        visit = self._portal.visits.find(request.cookies.get(self._portal.cookie("visit")))
        if visit is None or self._portal.visits.row(visit).get("steps", [])[:1] != [CAPTCHA]:
            return found("/login")
        word = "".join(secrets.choice(LETTERS) for _ in range(8))
        self._portal.reveal("codes", word)
        self._portal.visits.change(visit, captcha=digest(word))
        perturbation = self._portal.perturbation_of(User.of(self._portal.visits.row(visit)["user"]))
        return html(pages.captcha_box(self._screen(self._portal.visits.token(visit), perturbation), word))

    async def submit_captcha(self, request: web.Request) -> web.StreamResponse:
        """Judge a captcha: the box is ticked, and the word is the drawn one; else there is another word."""
        taken = await self._taken(request, CAPTCHA)
        if isinstance(taken, web.Response):
            return taken
        (visit, user), form = taken, await request.post()
        right = self._portal.visits.row(visit).get("captcha") == digest(str(form.get("word", "")).strip().lower())
        if form.get("person") == "yes" and right:
            return self._passed(visit, user)
        self._portal.counters.add("captchas_refused")
        return found(CAPTCHA)

    async def submit_code(self, request: web.Request) -> web.StreamResponse:
        """Judge a code; the fourth wrong one leads back to the sign-in."""
        taken = await self._taken(request, VERIFICATION)
        if isinstance(taken, web.Response):
            return taken
        (visit, user), codes, form = taken, self._portal.codes, await request.post()
        name = "code" if codes.factor(user) == "totp" else "verification_code"
        answer = codes.check(user, visit, self._said(user, form, name))
        if answer is Answer.GOOD:
            return self._passed(visit, user)
        if answer is Answer.TOO_MANY:
            self._portal.visits.end(visit)
            return found("/login")
        return self._step(visit, self._portal.words(user)["bad_code"])

    async def send_code(self, request: web.Request) -> web.StreamResponse:
        """Send another code."""
        taken = await self._taken(request, VERIFICATION)
        if isinstance(taken, web.Response):
            return taken
        visit, user = taken
        if self._portal.codes.factor(user) in ("sms", "email"):
            self._portal.visits.change(visit, asked=True)
            self._portal.codes.send(user, visit)
        return found(ALIASES.shown(self._portal.perturbation_of(user), VERIFICATION))

    async def submit_trust(self, request: web.Request) -> web.StreamResponse:
        """Remember this browser for thirty days, if its user wants that."""
        taken = await self._taken(request, TRUST)
        if isinstance(taken, web.Response):
            return taken
        (visit, user), form = taken, await request.post()
        answer = self._passed(visit, user)
        if form.get("trust") == "yes":
            secret = secrets.token_urlsafe(24)
            self._portal.reveal("cookies", secret)
            self._portal.counters.add("devices_trusted")
            self._devices[digest(secret)] = {"user": user.name}
            answer.set_cookie(
                self._portal.cookie("device"), secret, httponly=True, samesite="Lax", max_age=DEVICE_SECONDS
            )
        return answer

    async def submit_elsewhere(self, request: web.Request) -> web.StreamResponse:
        """End the user's other sessions and go on."""
        taken = await self._taken(request, ELSEWHERE)
        if isinstance(taken, web.Response):
            return taken
        visit, user = taken
        self._portal.sessions.kill_all_of(user.name)
        return self._passed(visit, user)

    async def logout(self, request: web.Request) -> web.StreamResponse:
        """End the session."""
        session = self._portal.session(request)
        if session is not None:
            self._portal.sessions.close(session.key)
        answer = found("/login")
        answer.del_cookie(self._portal.cookie("session"))
        return answer


def html(text: str, status: int = 200) -> web.Response:
    """Return a page as an answer."""
    return web.Response(text=text, status=status, content_type="text/html")

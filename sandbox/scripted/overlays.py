"""What lies over a page or stands in its place, how pages follow one another, and how a session's end is shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from urllib.parse import urlsplit

from sandbox.scripted.call import Call, Reply

ENTER = "Enter"  # the page by which an origin takes a session over


def instead(call: Call) -> Reply | None:
    """Return the page that a user meets in place of any other, if there is one."""
    if call.user.says("unknown-page"):
        return {"title": "Umbrellas", "body": call.render("unknown")}
    if call.user.says("policy-page") and not call.data.get("policy"):
        return {"title": "Terms of service", "body": call.render("policy")}
    return None


def banner(call: Call) -> Reply:
    """Return the cookie dialog of pages before the sign-in, where the configuration wants one, until it is answered."""
    if not call.setting("cookie_banner") or call.cookie("consent"):
        return {}
    return {"overlay": {"html": call.render("cookie_banner"), "delay": 0}}


def overlay(call: Call, page: str) -> Reply:
    """Return what lies over a page until it is closed."""
    closed = call.data.get("closed", [])
    if call.user.says("cookie-banner") and not call.cookie("consent"):
        return {"overlay": {"html": call.render("cookie_banner"), "delay": 0}}
    if call.user.says("promo-overlay") and "promo" not in closed:
        html = call.portal.site.dialog(
            "promo", "A new offer for your business", "See our new plans.", ("No thanks", ""), ("×", "Close")
        )
        return {"overlay": {"html": html, "delay": 0}}
    if call.perturbation.touches("overlay-close", "promo") and "promo" not in closed:
        return {
            "overlay": {
                "html": call.portal.site.dialog("promo", "Did you know?", "You can go paperless.", *_closers(call)),
                "delay": 200,
            }
        }
    if call.user.says("overlay-late") and "feedback" not in closed and page in call.portal.late_pages:
        html = call.portal.site.dialog(
            "feedback", "Tell us what you think", "It takes a minute.", ("No thanks", ""), ("×", "Close")
        )
        return {"overlay": {"html": html, "delay": call.setting("overlay_ms")}}
    return {}


def _closers(call: Call) -> tuple[tuple[str, str], ...]:
    """Return the controls of a dialog: one closes, declines or postpones."""
    closers = (
        (("Tell me more", ""), ("Not now", "")),
        (("Maybe later", ""),),
        (("×", "Close this window"),),
        (("Yes, please", ""), ("No, thank you", "")),
        (("Remind me later", ""), ("Learn more", "")),
        (("✕", "Dismiss"),),
        (("Skip", ""),),
        (("Fermer", ""),),
    )
    return call.perturbation.choose("overlay-close", "promo", closers)


def close(name: str) -> Callable[[Call], Awaitable[Reply]]:
    """Return the act that closes an overlay for the rest of the session."""

    async def act(call: Call) -> Reply:
        call.keep(closed=[*call.data.get("closed", []), name])
        return {}

    return act


def pass_policy(home: str) -> Callable[[Call], Awaitable[Reply]]:
    """Return the act that leaves the page about the new terms, for the rest of the session."""

    async def act(call: Call) -> Reply:
        call.keep(policy=True)
        return {"delay": call.delay, "go": call.at(home)}

    return act


def stays(call: Call) -> bool:
    """Whether a sign-in ends at the address at which it began."""
    landings = (False, True)
    return call.perturbation.touches("landing", "home") and call.perturbation.choose("landing", "home", landings)


def session_over(call: Call, sign_in: str) -> Reply:
    """Show that the session is over: the sign-in page at this address, or what the perturbation has in its place."""
    reply: Reply = {"forget": True}
    forms = ("redirect", "text", "dialog", "empty")
    form = call.perturbation.choose("session-over", call.origin, forms)
    if not call.perturbation.touches("session-over", call.origin) or form == "redirect":
        return reply | {"go": sign_in}
    if form == "empty":
        return reply | {"body": ""}
    return reply | {"body": call.render(f"session_over_{form}", sign_in=sign_in)}


def screens(call: Call, reply: Reply, sign_in: Collection[str]) -> Reply:
    """
    Return how the pages of a browser follow one another: in one document or several, and what an earlier one leaves.

    sign_in: the names of the pages of the sign-in.
    """
    perturbation = call.perturbation
    if not perturbation:
        return {}
    remain = perturbation.touches("remains", call.origin)
    told: Reply = {"single": remain or perturbation.touches("one-document", call.origin)}
    path = urlsplit(str(reply.get("go", ""))).path
    if call.place == ENTER or (path and not call.portal.site.name(call.origin, path)):
        told["single"] = False  # the next document may bring a script of its own, or is no page
    if "single" in reply:
        told["single"] = reply["single"]
    if "body" in reply and remain:
        visible = call.session is None and call.place in sign_in
        told["remains"] = "visible" if visible and perturbation.number("remains", "how", below=2) else "hidden"
    return told

"""The landing page, what may lie over it, and choosing an account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from sandbox.bell.call import YEAR, Call, Reply
from sandbox.bell.pages import ALIASES, BASE, dialog
from sandbox.bell.people import opened_account

LATE_PAGES = ("Usage/Details", "Billing/DownloadPDF", "StandardReports", "Analytics")


def framed(call: Call, title: str, content: str) -> Reply:
    """Return a signed-in page of Self Serve: header and content."""
    return {"title": title, "body": call.render("page", header=call.render("header"), content=content)}


def home(call: Call) -> Reply:
    """The landing page; it leaves the marks of a stale release in browsers that have one."""
    reply = framed(call, "Overview", call.render("home"))
    if call.data["stale"]:
        call.set_cookie("layout", "stale", YEAR)
        reply["local_storage"] = {"portalLayout": "stale"}
    return reply


def instead(call: Call) -> Reply | None:
    """Return the page that a user meets in place of any other, if there is one."""
    if call.user.says("unknown-page"):
        return {"title": "Umbrellas", "body": call.render("unknown")}
    if call.user.says("policy-page") and not call.data.get("policy"):
        return {"title": "Terms of service", "body": call.render("policy")}
    return None


def overlay(call: Call, page: str) -> Reply:
    """Return what lies over a page until it is closed."""
    closed = call.data.get("closed", [])
    if call.user.says("cookie-banner") and not call.cookie("consent"):
        return {"overlay": {"html": call.render("cookie_banner"), "delay": 0}}
    if call.user.says("promo-overlay") and "promo" not in closed:
        html = dialog("promo", "A new offer for your business", "See our new plans.", ("No thanks", ""), ("×", "Close"))
        return {"overlay": {"html": html, "delay": 0}}
    if call.perturbation.touches("overlay-close", "promo") and "promo" not in closed:
        return {
            "overlay": {
                "html": dialog("promo", "Did you know?", "You can go paperless.", *_closers(call)),
                "delay": 200,
            }
        }
    if call.user.says("overlay-late") and "feedback" not in closed and page in LATE_PAGES:
        html = dialog("feedback", "Tell us what you think", "It takes a minute.", ("No thanks", ""), ("×", "Close"))
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


async def pass_policy(call: Call) -> Reply:
    """Leave the page about the new terms, for this session."""
    call.keep(policy=True)
    return {"delay": call.delay, "go": call.at("Home")}


def stays(call: Call) -> bool:
    """Whether a sign-in ends at the address at which it began."""
    landings = (False, True)
    return call.perturbation.touches("landing", "home") and call.perturbation.choose("landing", "home", landings)


def session_over(call: Call) -> Reply:
    """Show that the session is over: the sign-in page, or what the perturbation has in its place."""
    sign_in = call.portal.urls[""] + BASE[""] + "/Login"
    reply: Reply = {"forget": True}
    forms = ("redirect", "text", "dialog", "empty")
    form = call.perturbation.choose("session-over", call.origin, forms)
    if not call.perturbation.touches("session-over", call.origin) or form == "redirect":
        return reply | {"go": sign_in}
    if form == "empty":
        return reply | {"body": ""}
    return reply | {"body": call.render(f"session_over_{form}", sign_in=sign_in)}


def screens(call: Call, reply: Reply) -> Reply:
    """Return how the pages of a browser follow one another: in one document or several, and what an earlier one leaves."""
    perturbation = call.perturbation
    if not perturbation:
        return {}
    remain = perturbation.touches("remains", call.origin)
    told: Reply = {"single": remain or perturbation.touches("one-document", call.origin)}
    path = urlsplit(str(reply.get("go", ""))).path
    if call.place == "Enter" or (path and not ALIASES[call.origin].name(path.removeprefix(call.base + "/"))):
        told["single"] = False  # the next document brings the menu's script, or is no page: the business portal's way
    if "body" in reply and remain:
        visible = call.session is None and call.place in ("Login", "Verify")
        told["remains"] = "visible" if visible and perturbation.number("remains", "how", below=2) else "hidden"
    return told


def accounts_page(call: Call, title: str, selection: bool) -> Reply | None:
    """Return the page on which one of several accounts is chosen; None when there is nothing to choose."""
    if call.page.endswith("chosen=1") and call.account is not None:
        return None
    if selection and call.user.says("global-search"):
        return framed(call, title, call.render("search_account", at_once=not call.perturbation))
    if len(call.accounts) == 1:
        return None
    return framed(call, title, call.render("choose_account", selection=selection))


async def find_account(call: Call) -> Reply:
    """List the accounts with the digits asked for in their number."""
    wanted = call.value("wanted").strip()
    found = [account for account in call.accounts if wanted and wanted in account][:10]
    billing = call.place.startswith("Billing/")
    template = "account_labels" if billing and call.user.says("global-search") else "account_rows"
    html = call.render(template, accounts=found, selection=billing, at_once=not call.perturbation)
    return {"delay": call.delay, "show": {"[data-place=accounts]": html}}


async def choose_account(call: Call) -> Reply:
    """Put the session into an account, and go on with the page that asked for it."""
    chosen = call.value("value") or call.value("account")
    if chosen not in call.accounts:
        return {"show": {"[data-place=account-error]": "Select an account first."}}
    opened = opened_account(call.user, chosen, call.accounts)
    if opened != call.data.get("account"):
        call.portal.counters.add("account_changes")
    call.keep(account=opened, filter=None, months=[], part="")
    return {"delay": call.delay, "go": call.at(call.place, chosen="1")}

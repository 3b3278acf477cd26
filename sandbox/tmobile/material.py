"""Angular Material as it is seen: menus, lists of options and dialogs in an overlay at the end of the body, and the page below."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.scripted.call import Call, Reply
from sandbox.tmobile.pages import BILLING, DASHBOARD, REPORTING

OVERLAY = "[data-backdrop]"
OPTIONS = "[data-place=options]"
Entries = Sequence[tuple[str, str]]  # value and text

MENU = ("Accounts", "Lines and devices", "Shop", "Reporting")  # the last one leads to the reports
PERSONAL = ("Profile", "Users", "Notifications", "Help", "Contact us", "Language", "Logout")


def framed(call: Call, title: str, template: str, **values: object) -> Reply:
    """Return a page beside the side menu."""
    guide = call.perturbation.touches("namesakes", "menu")
    content = call.render(template, **values)
    where = {"dashboard": call.at(DASHBOARD), "billing": call.at(BILLING), "reporting": call.at(REPORTING)}
    body = call.render("page", content=content, menu=MENU, personal=PERSONAL, guide=guide, where=where)
    return {"title": title, "body": body}


def dashboard(call: Call) -> Reply:
    """The page after sign-in."""
    return framed(call, "Dashboard", "dashboard")


def over(html: str, delay: int = 0) -> Reply:
    """Put something over the page, as Material does: what lies below hears no click until it is closed."""
    return {"overlay": {"html": html, "delay": delay}}


def panel(call: Call, act: str, entries: Entries) -> Reply:
    """
    Open a list of options; what is chosen goes to an act.

    Without options it does not open, as mat-select does. Some perturbations open it empty and fill it a moment later, by
    the quiet act `fill-<act>`.
    """
    if not entries:
        return {}
    if not call.perturbation.touches("late-lists", act):
        return over(call.render("panel", act=act, entries=ordered(call, act, entries)))
    empty = call.render("panel", act=act, entries=[])
    return over(empty) | {"again": {"act": f"fill-{act}", "delay": call.setting("list_ms")}}


def fill(call: Call, act: str, entries: Entries) -> Reply:
    """Fill a list of options that was opened empty."""
    return {"show": {OPTIONS: call.render("options", act=act, entries=ordered(call, act, entries))}}


def ordered(call: Call, key: str, entries: Entries) -> Entries:
    """Return entries in the order in which they are shown: none is known."""
    if not call.perturbation.touches("order", key):
        return entries
    return call.perturbation.shuffled("order", key, entries)


def shown_in(call: Call) -> int:
    """Return after how many milliseconds a list shows what was chosen."""
    return int(call.setting("late_ms")) if call.user.says("read-back-late") else call.delay


def menu(call: Call, entries: Sequence[tuple[str, str]], value: str) -> Reply:
    """Open the menu of a `more_vert` button; entries: act ("" for none) and text."""
    return over(call.render("menu", entries=entries, value=value))


def dialog(call: Call, template: str, delay: int = 0, **values: object) -> Reply:
    """Open a dialog."""
    return over(call.render(template, **values), delay)


def alert(place: str, sentence: str) -> Reply:
    """Show a refusal in a place of the page."""
    return {"show": {f"[data-place={place}]": f'<p role="alert">{sentence}</p>'}}

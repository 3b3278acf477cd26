"""What stands around pages: the portal's header and menu, and dialogs that hold a frame."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.rogers.pages import shown_number
from sandbox.scripted.call import Call, Reply

BOX = "[data-escapes]"  # a dialog, which Escape closes too
CLOSE: Reply = {"closes": BOX}


def framed(call: Call, title: str, template: str, **values: object) -> Reply:
    """Return a page below header and menu."""
    content = call.render(template, shown_number=shown_number, **values)
    return {"title": title, "body": call.render("page", content=content)}


def landing(call: Call) -> Reply:
    """The page after sign-in."""
    return framed(call, "Welcome", "landing")


def dialog(call: Call, title: str, page: str) -> Reply:
    """Open a dialog over the page; its content is a page of its own, in a frame."""
    return {"overlay": {"html": call.render("dialog", title=title, source=call.at(page)), "delay": 0}}


def content(call: Call, template: str, **values: object) -> Reply:
    """Return the page in a dialog's frame."""
    return {"body": call.render(template, shown_number=shown_number, **values)}


def done(call: Call, shown: Mapping[str, str]) -> Reply:
    """Close the dialog around this frame, and show something in the page below it."""
    remains = call.user.says("dialog-remains") or call.perturbation.touches("overlay-close", "dialog")
    return {"parent": ({} if remains else CLOSE) | {"show": dict(shown)}}


def alert(place: str, sentence: str) -> Reply:
    """Show a refusal in a place of the page."""
    return {"show": {f"[data-place={place}]": f'<p role="alert">{sentence}</p>'}}

"""
The registry of overlays: dialogs, banners and promotions that lie over a page, and the control that takes them away.

An overlay is told by what it is (a dialog, or what covers the element that is wanted) and its control by what it means,
in English and French: it closes, declines or postpones. Nothing is agreed to, except cookies where they cannot be declined.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrapers.core.compat import PlaywrightError

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle, Locator, Page

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Interruption:
    """
    An overlay that may cover any page of one portal, and the element to click to close it, where it is special.

    frame: selector of the frame that is the overlay and holds both; it comes before its content.
    """

    shown: str
    dismiss: str
    frame: str = ""


DIALOGS = "dialog[open], [role=dialog], [role=alertdialog], [aria-modal=true]"

# Names of controls, the preferred ones first. Whole names, so that "Close account" is none.
DECLINE = (
    r"(no|non),? ?(thanks?|thank you|merci)|not (now|today|interested)|no|non|(i )?decline( all)?( cookies)?|pas maintenant|"
    r"(reject|refuse|deny)( all)?( cookies)?|(tout )?(refuser|rejeter)( tout)?|(only )?(necessary|essential|required)"
    r"( cookies)?( only)?|continue without (accepting|agreeing)|continuer sans accepter|dismiss"
)
POSTPONE = (
    r"(i.?ll |i will )?(maybe |perhaps |remind me |ask me |tell me |decide |choose |see |do (this |it )?)?(later|tomorrow)|remind me( again)?|skip( for now| tour| this)?|plus tard|"
    r"(me le |me |le )?rappeler( plus tard)?|(me le )?demander plus tard|ignorer|passer|snooze"
)
CLOSE = r"close( (this|the))?( (dialog|window|message|banner|notification|overlay|popup|icon|button|tour))?|x|fermer( la fenêtre| ce message)?|cancel|annuler|hide|masquer"
NOTED = r"ok(ay)?|got it|i understand|understood|compris|j.?ai compris|d.?accord"  # closes a notice that has no other control
ACCEPT = (
    r"(i )?(accept|agree|allow)( all)?( cookies)?|(tout )?accepter( tout)?( les cookies)?|j.?accepte"  # of cookies only
)
COOKIES = r"cookie|témoins?\b"
SESSION_OVER = (
    r"(session|visit|connection) (has |is |was )?(been )?(expired|ended|timed ?out|over|closed)|(signed|logged) (you )?out|"
    r"(return|back) to (the )?(sign|log)[ -]?in|sign in again|log in again|"
    r"(session|visite|connexion) (est |a )?(été )?(expirée?|terminée|fermée|pris fin)|déconnecté|"
    r"(retour|retourner|revenir) à la (page de )?connexion"
)
BY_MARK = "[aria-label*=close i], [aria-label*=dismiss i], [aria-label*=fermer i], [title*=close i], [title*=fermer i], [data-dismiss], [class~=close], [class*=close-], [class*=-close]"

# Returns the control of the overlay over an element (or of any dialog that does not hold it), with the overlay's text.
FIND = r"""([target, dialogs, names, byMark]) => {
  const seen = node => node.checkVisibility({checkOpacity: true, checkVisibilityCSS: true}) && node.getClientRects().length > 0;
  const clean = text => (text ?? "").replace(/[\s\u00a0\u200b\u00ad]+/g, " ").trim();
  const holds = node => target && node.contains(target);
  const isEntry = (root, node) => {  // of a list in it: its control removes the entry, not the overlay
    const entry = node.closest("li, tr, [role=listitem], [role=row], [role=option]");
    return entry !== null && root.contains(entry) && entry !== root;
  };
  const roots = [], covering = [];
  if (target) {
    const box = target.getBoundingClientRect();
    let over = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    if (over && over !== target && !target.contains(over) && !over.contains(target)) {
      let root = over;
      while (root.parentElement && root.parentElement !== document.body && !holds(root.parentElement)) root = root.parentElement;
      roots.push(root);
      covering.push(...[...document.body.querySelectorAll("*")].filter(node => {  // beside a backdrop
        const style = getComputedStyle(node);
        return style.position === "fixed" && Number(style.zIndex) > 0;
      }));
    }
  }
  roots.push(...[...document.querySelectorAll(dialogs)].reverse(), ...covering);
  const nameOf = node => clean(node.getAttribute("aria-label")) || clean(node.innerText || node.value) || clean(node.title);
  for (const root of roots) {
    if (!seen(root) || holds(root)) continue;
    const text = clean(root.innerText);
    const controls = [...root.querySelectorAll("button, a, input[type=button], input[type=submit], [role=button], [role=link], [tabindex]")]
      .filter(node => seen(node) && !node.matches(":disabled") && !isEntry(root, node));
    const kinds = [names.decline, names.postpone, names.close];
    if (new RegExp(names.cookies, "i").test(text)) kinds.push(names.accept, names.noted);
    for (const kind of kinds) {
      const fits = new RegExp(`^[^0-9A-Za-z\u00c0-\u024f]*(${kind})[^0-9A-Za-z\u00c0-\u024f]*$`, "i");
      const found = controls.find(node => fits.test(nameOf(node)));
      if (found) return {control: found, text, name: nameOf(found)};
    }
    const marked = [...root.querySelectorAll(byMark)].find(node => seen(node) && !isEntry(root, node)) ?? controls.find(node => /^[\u00d7\u2715\u2716\u2573\u2a2f]$/.test(nameOf(node)));
    if (marked) return {control: marked, text, name: nameOf(marked)};
    if (controls.length === 1 && new RegExp(`^(${names.noted})\\W*$`, "i").test(nameOf(controls[0])))
      return {control: controls[0], text, name: nameOf(controls[0])};
    if (new RegExp(names.over, "i").test(text)) return {control: null, text, name: ""};
  }
  return null;
}"""


IS_FREE = """node => {
  if (window !== window.top) return false;  // what lies over its frame is not known here
  node.scrollIntoViewIfNeeded ? node.scrollIntoViewIfNeeded() : node.scrollIntoView({block: "center"});
  const box = node.getBoundingClientRect();
  const root = node.getRootNode();
  const hit = root.elementFromPoint?.(box.x + box.width / 2, box.y + box.height / 2);  // a removed element's root has none
  return Boolean(hit) && node.contains(hit);
}"""


async def is_free(element: Locator | ElementHandle) -> bool:
    """Return whether nothing lies over an element; False where it is not certain, or the element is not there."""
    from playwright.async_api import Locator

    try:
        free: bool = await (
            element.evaluate(IS_FREE, timeout=1000) if isinstance(element, Locator) else element.evaluate(IS_FREE)
        )
    except PlaywrightError:  # it is not there yet, or its page is just being left: the click itself waits for it
        return False
    return free


async def close_overlay(page: Page, target: Locator | ElementHandle | None) -> str:
    """
    Close one overlay that covers an element, or a dialog that does not hold it, and return its text; "" when there is none.

    An overlay that says that the session has ended is returned, too, when it has no control that closes it.

    target: the wanted element; None while it is not shown.
    """
    names = {
        "decline": DECLINE,
        "postpone": POSTPONE,
        "close": CLOSE,
        "noted": NOTED,
        "accept": ACCEPT,
        "cookies": COOKIES,
        "over": SESSION_OVER,
    }
    from playwright.async_api import Locator

    try:
        wanted = await target.element_handle(timeout=1000) if isinstance(target, Locator) else target
        found = await page.evaluate_handle(FIND, [wanted, DIALOGS, names, BY_MARK])
        if not await found.json_value():
            return ""
        text = str(await (await found.get_property("text")).json_value())
        if (control := (await found.get_property("control")).as_element()) is None:
            return text
        name = str(await (await found.get_property("name")).json_value())
        await control.click(timeout=5000)
    except PlaywrightError as error:  # it is gone, or moves: the step itself will say so
        logger.debug("An overlay was not closed: %s", str(error).partition("\n")[0])
        return ""
    logger.info("Closed an overlay by its control %r", name)
    return text


def says_session_over(text: str) -> bool:
    """Return whether an overlay says that the session has ended."""
    return re.search(SESSION_OVER, text, re.I) is not None

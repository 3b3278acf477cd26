"""What a page lets its user choose: the options of drop-downs, lists, radio buttons and check boxes, drawn or real."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrapers.core.locators import Selectors, bare, same

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle, Locator

Match = Callable[[str, str], int]  # how well an offered text (second) is the wanted one: 0 not at all, the highest best

# Functions for the page. A box is a radio button or check box; a person may see another element that is drawn beside it.
SHARED = r"""
const clean = text => (text ?? "").replace(/[\s\u00a0\u200b\u00ad]+/g, " ").trim();
const seen = node => node.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})
  && node.getBoundingClientRect().width > 2 && node.getBoundingClientRect().height > 2;
const BOX = "input[type=radio], input[type=checkbox], [role=radio], [role=checkbox], [role=switch], [role=menuitemradio]";
const OPENER = "[role=combobox]:not(select), [aria-haspopup=listbox], [aria-haspopup=menu], [aria-haspopup=true]";
const boxOf = node => {
  if (node.matches(BOX)) return node;
  if (node.tagName === "LABEL" && node.control) return node.control.matches(BOX) ? node.control : null;
  const inside = node.querySelectorAll(BOX);
  return inside.length === 1 ? inside[0] : null;
};
const without = (label, field) => {  // the text of a label around a field, without the field's own
  const copy = label.cloneNode(true);
  copy.querySelectorAll("select, textarea, script, style, [hidden]").forEach(each => each.remove());
  return clean(copy.textContent);
};
const nameOf = node => {
  const ids = (node.getAttribute("aria-labelledby") ?? "").split(/\s+/).filter(Boolean);
  const by = clean(ids.map(id => document.getElementById(id)?.textContent ?? "").join(" "));
  if (by) return by;
  const said = clean(node.getAttribute("aria-label"));
  if (said) return said;
  const labels = clean([...(node.labels ?? [])].map(label => without(label, node)).join(" "));
  if (labels) return labels;
  const own = clean(node.innerText ?? node.textContent) || clean(node.title);
  if (own || !node.matches(BOX)) return own;
  for (let parent = node.parentElement; parent && parent.querySelectorAll(BOX).length === 1; parent = parent.parentElement) {
    const around = clean(parent.innerText ?? parent.textContent);
    if (around) return around;
  }
  return clean(node.nextSibling?.textContent);
};
const shownFor = node => {  // what a person would click
  if (seen(node)) return node;
  const near = [...(node.labels ?? []), node.nextElementSibling, node.previousElementSibling].filter(Boolean);
  const drawn = near.find(seen);
  if (drawn) return drawn;
  let parent = node.parentElement;
  while (parent && !seen(parent)) parent = parent.parentElement;
  return parent === document.body ? null : parent;
};
const isOn = box => box.matches("input") ? box.checked : box.getAttribute("aria-checked") === "true";
const isOff = node => node.matches(":disabled") || node.getAttribute("aria-disabled") === "true";
"""

READ = f"""(nodes, byValue) => {{ {SHARED}
  const met = new Set();
  return nodes.map((node, place) => {{
    if (node.tagName === "SELECT") return !seen(node) ? [] : [...node.options].map((option, number) => [
      "option", place, number, option.label, byValue ? option.value : clean(option.label), option.selected,
      isOff(node) || option.disabled || option.hidden, option.value === "" && number === 0]);
    if (node.matches(OPENER)) return !seen(node) ? [] : [["opener", place, 0, "", clean(node.innerText || node.value), false, isOff(node), true]];
    const box = boxOf(node);
    if (box && met.has(box)) return [];  // its label was there before
    met.add(box);
    if (box) return !shownFor(node) ? [] : [["box", place, 0, "", nameOf(node === box || !clean(node.innerText) ? box : node), isOn(box), isOff(box), false]];
    const states = ["aria-selected", "aria-pressed", "aria-checked"].map(name => node.getAttribute(name));
    const isChosen = states.includes("true") ? true : states.includes("false") ? false : null;
    const kind = node.tagName === "LABEL" && !node.control ? "label" : "item";
    return !seen(node) ? [] : [[kind, place, 0, "", nameOf(node), isChosen, isOff(node), false]];
  }}).flat();
}}"""
CLICK_ON = f"node => {{ {SHARED} return shownFor(node); }}"
STATE = f"""node => {{ {SHARED}
  const box = boxOf(node) ?? [...node.parentElement?.querySelectorAll(":scope > input") ?? []].find(each => each.matches(BOX));
  return box ? isOn(box) : null;
}}"""
LISTS = "[role=option], [role=listbox] > *, [role=menuitem], [role=menuitemradio]"  # of a drop-down that was opened
LOADING = ("loading", "pleasewait", "chargement", "veuillezpatienter", "patientez")


@dataclass(frozen=True, slots=True)
class Offer:
    """
    One thing that can be chosen.

    kind: option (of a drop-down), box, item (of a list), opener of a drawn drop-down, or label: that of a box which may come
    later, or of none.
    """

    found: Locator  # elements of a selector
    by_value: bool  # an option is chosen by its value
    kind: str
    place: int  # of its element among them
    number: int  # of the option in its drop-down
    label: str  # of the option, with the blanks it has
    text: str  # of an option that is chosen by its value, that
    is_chosen: bool | None  # None: it does not say
    is_off: bool
    is_blank: bool  # the prompt of a drop-down, or the button that opens it

    async def take(self, milliseconds: float) -> None:
        """Choose it as a person would, once it can be chosen; a check box that is ticked is unticked."""
        element = self.found.nth(self.place)
        if self.kind == "option":
            # By its label or value: the list may have been filled anew since it was read.
            if self.by_value:
                await element.select_option(value=self.text, timeout=milliseconds)
            else:
                await element.select_option(label=self.label, timeout=milliseconds)
        else:
            await (await drawn(element)).click(timeout=milliseconds)


@dataclass(frozen=True, slots=True)
class Choice:
    """What was picked in a list, to be picked again if the page loses it."""

    selectors: Selectors
    text: str
    match: Match
    at: float  # time of the loop's clock
    by_value: bool = False


async def offers(found: Locator, by_value: bool = False) -> list[Offer]:
    """
    Return what the elements that a locator finds offer, visible or drawn by another element beside them.

    by_value: the text of a drop-down's option is its value.
    """
    return [Offer(found, by_value, *facts) for facts in await found.evaluate_all(READ, by_value)]


async def drawn(element: Locator) -> ElementHandle | Locator:
    """Return what a person clicks for an element: itself, or its label or what is drawn beside it while it is hidden."""
    handle = (await element.evaluate_handle(CLICK_ON)).as_element()
    return element if handle is None else handle


async def is_ticked(element: Locator) -> bool | None:
    """Return the state of the radio button or check box that an element is, names or is drawn for; None without one."""
    state: bool | None = await element.evaluate(STATE)
    return state


def fitting(found: Sequence[Offer], wanted: str, match: Match) -> list[Offer]:
    """Return the offers that are wanted: those of the same text, else those that match best."""
    choices = [offer for offer in found if offer.kind != "opener"]
    if exact := [offer for offer in choices if same(wanted, offer.text)]:
        return exact
    best = max((match(wanted, offer.text) for offer in choices), default=0)
    return [offer for offer in choices if best and match(wanted, offer.text) == best]


def is_filled(found: Sequence[Offer]) -> bool:
    """Return whether there is more than prompts and notes that a list is being loaded."""
    return any(not offer.is_blank and offer.text and not bare(offer.text).startswith(LOADING) for offer in found)

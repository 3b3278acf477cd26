"""
Selectors, as portals state them: Playwright's syntax, and three words of ours that find elements by what a person reads.

`says=Download all pages`: what can be clicked and has this name or text, in whatever elements the text is nested.
`role=button|Apply`: an element of an ARIA role with this accessible name; `role=list` alone, any element of the role.
`label=Report`: a form field with this label, by `for`, around the field, `aria-label` or `aria-labelledby`.

They may follow a scope: `nav >> says=Usage`. Case, blanks, dashes and invisible marks do not matter, nor do signs beside
the text, as of `Usage ▾`. Further words do: an element that only contains the text is used once the page is at rest.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from playwright.async_api import Frame, FrameLocator, Locator, Page

    Scope = Page | Frame | FrameLocator | Locator

Selectors = tuple[str, ...]  # ordered fallbacks, the most stable one first


class Guess(str):
    """A selector, word or address that no fact sheet knows: it may help, and may never be the only way of a step."""

    __slots__ = ()


def guess(text: str) -> Guess:
    """Mark a selector, word or address as one that no fact sheet knows."""
    return Guess(text)


CLICKABLE = ("button", "link", "menuitem", "tab", "option", "treeitem", "menuitemradio", "menuitemcheckbox")
FIELDS = ("combobox", "textbox", "searchbox", "checkbox", "radio", "listbox", "spinbutton", "switch")
SMALLEST_CLICKABLE = "xpath=ancestor-or-self::*[{}][1]".format(
    " or ".join(
        (
            *("self::a", "self::button", "self::summary", "self::label", "self::option", "@onclick"),
            "self::input[@type='submit' or @type='button' or @type='reset']",
            *(f"@role='{role}'" for role in (*CLICKABLE, "checkbox", "radio", "switch")),
        )
    )
)
CLICKABLE_ELEMENTS = ", ".join(
    (
        *("button", "a[href]", "summary", "option", "input:is([type=submit], [type=button], [type=reset])"),
        *(f"[role={role}]" for role in CLICKABLE),
    )
)
OURS = re.compile(r"(says|role|label)=(?!.*\[)")
BETWEEN = r"[\s\u00a0\u00ad\u2000-\u200f\u2010-\u2015\u2060\u2212\ufeff-]*"  # any blanks and dashes between two words, or none
LETTER = r"0-9A-Za-z\u00c0-\u024f\u0370-\u06ff"
SIGNS = rf"[^{LETTER}]*"  # arrows, colons, asterisks beside a text


def words_of(text: str) -> str:
    r"""
    Return a regular expression, for Python and JavaScript, of a text in any spelling.

    >>> bool(re.fullmatch(words_of("e-report"), "E\u2011Report", re.I)), bool(re.fullmatch(words_of("Log in"), "login", re.I))
    (True, True)
    """
    words = re.split(r"[\s\u00a0\u2010-\u2015-]+", text.strip())
    return BETWEEN.join(re.sub(r"['\u2019\u02bc]", "['\u2019\u02bc]", re.escape(word)) for word in words)


def exactly(text: str) -> re.Pattern[str]:
    """Return the pattern of an element that says *text* and nothing else, but for signs."""
    return re.compile(rf"^{SIGNS}{words_of(text)}{SIGNS}$", re.I)


def saying_only(text: str) -> str:
    """Return the end of a CSS selector: of elements that say *text* and nothing else, but for signs; nested or not."""
    says = f":text-matches({json.dumps(exactly(text).pattern)}, 'i')"
    return f":is({says}, :has({says}))"


def containing(text: str) -> re.Pattern[str]:
    """Return the pattern of an element that says *text* among other words."""
    return re.compile(rf"(^|[^{LETTER}]){words_of(text)}([^{LETTER}]|$)", re.I)


def same(one: str, other: str) -> bool:
    r"""
    Return whether two texts are the same but for case, blanks, dashes and signs.

    >>> same("All\u00a0Usage :", "all usage"), same("All usage", "All usage history"), same("1 204", "1204")
    (True, False, True)
    """
    return bare(one) == bare(other)


def contains(wanted: str, offered: str) -> int:
    """
    Return 2 if two texts are the same, 1 if the offered one has the wanted one among other words, 0 if not.

    >>> contains("All usage", "ALL USAGE"), contains("All usage", "All usage (new)"), contains("All usage", "Overall usage")
    (2, 1, 0)
    """
    return 2 if same(wanted, offered) else int(containing(wanted).search(offered) is not None)


def bare(text: str) -> str:
    """Return the letters and digits of a text, in small letters."""
    composed = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in composed if sign.isalnum())


def is_ours(selector: str) -> bool:
    """Return whether a selector has one of our words, which only `ranks` understands."""
    return any(OURS.match(part) for part in selector.split(" >> "))


def ranks(scope: Scope, selector: str) -> tuple[list[Locator], list[Locator]]:
    """
    Return what a selector names, the best first: elements that are certainly meant, and those used when there is none of these.

    The second list must be unique to be used.
    """
    *outer, last = selector.split(" >> ")
    within: Locator | None = None
    for part in outer:
        scope = within = _first_rank(scope, part)
    found = OURS.match(last)
    if not found:
        return [scope.locator(last)], []
    kind, text = found[1], last[found.end() :]
    if kind == "label":
        return [_labelled(scope, exactly(text))], [_labelled(scope, containing(text))]
    if kind == "role":
        role, _, name = text.partition("|")
        if not name:
            return [scope.get_by_role(cast("Any", role))], []
        by_role = [scope.get_by_role(cast("Any", role), name=each) for each in (exactly(name), containing(name))]
        return by_role[:1], by_role[1:]
    certain = [_named(scope, exactly(text)), scope.get_by_text(exactly(text)).locator(SMALLEST_CLICKABLE)]
    similar = [_named(scope, containing(text)), scope.get_by_text(containing(text)).locator(SMALLEST_CLICKABLE)]
    plain = scope.get_by_text(exactly(text))
    if within is None:
        return certain, [plain, *similar]
    # In a stated scope any element with that text is meant, and the scope's own element, too.
    return [*certain, plain, within.filter(has_text=exactly(text))], similar


def candidates(scope: Scope, selector: str) -> list[Locator]:
    """
    Return the elements that a selector certainly names, as `ranks` does, with those first that a browser finds at little cost.

    A browser computes the roles and accessible names of all elements of a page for `ranks`, which takes ten times as long.
    """
    return [*_quick(scope, selector), *ranks(scope, selector)[0]]


def _quick(scope: Scope, selector: str) -> list[Locator]:
    *outer, last = selector.split(" >> ")
    found = OURS.match(last)
    if not found or found[1] == "role":
        return []
    for part in outer:
        scope = _first_rank(scope, part)
    text = exactly(last[found.end() :])
    if found[1] == "label":
        return [scope.get_by_label(text)]
    return [scope.locator(CLICKABLE_ELEMENTS).filter(has_text=text)]


def any_of(found: list[Locator]) -> Locator:
    """Return what any of some locators finds."""
    first, *rest = found
    for other in rest:
        first = first.or_(other)
    return first


def _first_rank(scope: Scope, selector: str) -> Locator:
    return any_of(ranks(scope, selector)[0])


def _named(scope: Scope, name: re.Pattern[str]) -> Locator:
    by_role: Callable[[str], Locator] = lambda role: scope.get_by_role(cast("Any", role), name=name)  # noqa: E731
    return any_of([by_role(role) for role in CLICKABLE])


def _labelled(scope: Scope, label: re.Pattern[str]) -> Locator:
    # By role, too: the text of a label around a drop-down includes its options, and the accessible name does not.
    by_role = [scope.get_by_role(cast("Any", role), name=label) for role in FIELDS]
    return any_of([scope.get_by_label(label), *by_role])

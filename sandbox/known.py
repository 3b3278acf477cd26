"""
What the fact sheet of a portal knows, as data: `sandbox/<portal>/known.py` lists it, everything else is free.

The layer that perturbs pages leaves alone what is listed, and tests hold imitation and spiders to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec

# Kind of a fact: what its value is.
KINDS: dict[str, str] = {
    "id": "id of an element",
    "test id": "data-testid of an element",
    "name": "name of a field or button",
    "class": "class of an element",
    "attribute": "attribute, or attribute=value",
    "component": "tag of an element of the application's own",
    "words": "text of a control, option, head or field label, or its placeholder, as it is seen",
    "contained": "text that a label or name holds beside others",
    "path": "XPath; absolute ones begin at /html",
    "own text": "CSS selector of elements whose text is their own, in no further element",
    "visible": "CSS selector of fields that are seen themselves, not drawn beside a hidden one",
    "labelled": "CSS selector of fields whose label is a label element",
    "order": "CSS selector of a list whose entries' order is stated",
    "first": "CSS selector of the first field of its kind in a page",
    "address": "path of an address, or a part that it holds",
    "format": "how a value is written",
    "sender": "who codes come from",
    "message": "text of a message with a code",
    "wait": "what is waited for, and how many seconds at most",
    "key": "key of a JSON object",
    "sent": "key of a request's body, query or form",
    "optional": "key of a JSON object that may be null or missing",
    "sequence": "key of a JSON list whose order is stated",
    "map": "key of a JSON object whose own keys are data",
    "header": "header of a request, or name: value",
    "method": "method of a protocol that is called by name",
    "error": "word with which a method is refused; <n> stands for a number",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """
    One thing that the sheet states.

    section: where, in short. dated: the year of an older state of the portal, or "". guess: the sheet calls it one.
    """

    kind: str
    value: str
    section: str
    dated: str = ""
    guess: bool = False


def facts(kind: str, section: str, *values: str, dated: str = "", guess: bool = False) -> list[Fact]:
    """Return a fact for each value."""
    return [Fact(kind, value, section, dated, guess) for value in values]


class Known:
    """The facts of a portal, by kind."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self.facts = tuple(facts)
        self._by_kind: dict[str, frozenset[str]] = {
            kind: frozenset(fact.value for fact in self.facts if fact.kind == kind) for kind in KINDS
        }

    def within(self, sections: Iterable[str]) -> Known:
        """Return the facts of some sections alone: "2.1" is 2.1, 2.1.3 and 2.1-4, not 2.10."""
        begins = tuple(f"{section}{sign}" for section in sections for sign in ".-")
        return Known(fact for fact in self.facts if f"{fact.section}.".startswith(begins))

    def of(self, kind: str) -> frozenset[str]:
        """Return the values of a kind."""
        return self._by_kind[kind]

    @property
    def words(self) -> frozenset[str]:
        """The texts that stay as they are."""
        return self._by_kind["words"]


@cache
def known_of(word: str) -> Known:
    """Return what is known of a portal; nothing where no sheet was turned into data, or there is no imitation."""
    if find_spec(f"sandbox.{word}") is None or find_spec(f"sandbox.{word}.known") is None:
        return Known(())
    known: Known = import_module(f"sandbox.{word}.known").KNOWN
    return known

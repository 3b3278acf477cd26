"""
What a portal may change of what no fact sheet knows: dimensions by name, switched on by a seed.

A `Perturbation` answers every question the same way for the same seed, in every process. It decides; what a page, an
address or a file looks like then is made where they are made (`sandbox.markup`, the portals).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox.wording import LETTERS, SAME_MEANING

T = TypeVar("T")

# Name of a dimension: what changes.
DIMENSIONS: dict[str, str] = {
    "wrapped-text": "the text of a link, button or label stands in an element of its own",
    "wrappers": "elements have further elements around them",
    "decoys": "further elements without a meaning, and hidden copies of controls, stand beside the others",
    "renamed": "ids, classes, test ids and names that are not known are others",
    "label-forms": "a field's label is tied by `for`, by nesting, by aria-label or by aria-labelledby",
    "drawn-inputs": "a radio or check box is real, or drawn beside a hidden one",
    "words": "words that are not known are others of the same meaning",
    "letters": "words that are not known are in other letters, with a dash or with no-break spaces",
    "language": "words that are not known are in French",
    "order": "rows, columns, options, months and cards stand in another order where none is known",
    "further": "further options, selects and tables of the same kind stand before the right one",
    "namesakes": "entries with almost the same name stand beside the right one",
    "late-lists": "options and rows come a moment after their list",
    "two-steps": "options and rows come in two steps",
    "refilled": "the other lists of a form are emptied and filled again after each choice",
    "former-rows": "a list shows rows of a former one until its own are there",
    "hover": "the entries of a menu exist only once the pointer is on it",
    "late-controls": "controls come late, in a page that seems to be complete",
    "keys": "a button is disabled until keys were pressed, and for a moment after each key",
    "one-document": "all screens are drawn in one document, whose address never changes",
    "remains": "the elements of an earlier screen are still in the page",
    "addresses": "pages and downloads have other addresses, with or without a query",
    "landing": "a sign-in ends on another page",
    "session-over": "a session that is over shows as a redirect, a text, a dialog or an empty page",
    "overlay-close": "a dialog lies over the first page, with another control that closes it",
    "download-way": "a download begins by an address, by script or in a new tab",
    "file-names": "the names of files say nothing",
    "csv": "a CSV file comes where a workbook came",
    "columns": "files have further columns, in another order",
    "delimiters": "text files have another delimiter",
    "unnamed": "pages say neither who is signed in nor which account they are about",
    "heads": "the columns of files have other heads of the same meaning",
    "notations": "dates, ages and sizes are written in another way of the same locale",
    "code-sender": "text messages come from a number, or from another word",
    "code-text": "text messages say the same in other words",
    "layouts": "lists are tables, definition lists, pairs of heads and cells, or JSON, with heads in another place",
    "json": "JSON objects have further keys, keys in another order, and no key where null may stand",
    "headers": "answers have further headers, and media types with parameters",
}
TAG = re.compile(r"(?P<seed>\d{1,9})(?:-(?P<only>[a-z0-9.-]+))?")
SEED_LIMIT = 10**9


class PerturbationError(ValueError):
    """A seed or a dimension that does not exist. The text is one sentence."""


@dataclass(frozen=True)
class Perturbation:
    """
    One seed, and the dimensions that it changes: all of them, or `only` these.

    seed: None changes nothing. Keys name what is decided about and must be stable: an id, a label, a page's path.
    """

    seed: int | None = None
    only: frozenset[str] = frozenset()

    @classmethod
    def of(cls, seed: Any, only: Collection[str] = ()) -> Perturbation:
        """Check a seed (None: off) and the names of dimensions; raise PerturbationError."""
        if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < SEED_LIMIT):
            raise PerturbationError(f"The seed must be a whole number from 0 to {SEED_LIMIT - 1}, or null.")
        if isinstance(only, str) or not all(isinstance(name, str) for name in only):
            raise PerturbationError("only must be a list of dimensions.")
        unknown = sorted(set(only) - set(DIMENSIONS))
        if unknown:
            known = ", ".join(DIMENSIONS)
            raise PerturbationError(f"There is no dimension {', '.join(unknown)}: choose from {known}.")
        return cls(seed, frozenset(only))

    @classmethod
    def tagged(cls, said: str | None) -> Perturbation | None:
        """Read what follows `perturb-` in a user name: `7`, `7-label-forms.order`, or `off`; None for anything else."""
        if said == "off":
            return OFF
        matched = TAG.fullmatch(said or "")
        if matched is None:
            return None
        only = [name for name in (matched["only"] or "").split(".") if name]
        return cls.of(int(matched["seed"]), only) if set(only) <= set(DIMENSIONS) else None

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Perturbation:
        """Read what `as_json` wrote."""
        return cls.of(row.get("seed"), row.get("only", ()))

    def as_json(self) -> dict[str, Any]:
        """Return seed, `only` and the dimensions that are on, as JSON has them."""
        return {"seed": self.seed, "only": sorted(self.only), "on": self.dimensions}

    @property
    def dimensions(self) -> list[str]:
        """The dimensions that are on."""
        return [name for name in DIMENSIONS if self.on(name)]

    def __bool__(self) -> bool:
        """Whether anything changes."""
        return self.seed is not None

    def on(self, dimension: str) -> bool:
        """Whether a dimension may change anything."""
        if dimension not in DIMENSIONS:
            raise PerturbationError(f"There is no dimension {dimension}.")
        return self.seed is not None and (not self.only or dimension in self.only)

    def touches(self, dimension: str, key: str = "") -> bool:
        """Whether a dimension changes the thing with this key: three of four; every one when few dimensions are on."""
        return self.on(dimension) and (bool(self.only) or self.number(dimension, key, "touched", below=4) > 0)

    def number(self, *about: object, below: int) -> int:
        """Return a number from 0 to below - 1 that depends on the seed and on what it is about."""
        text = "\x1f".join(str(part) for part in (self.seed, *about))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % below

    def choose(self, dimension: str, key: str, variants: Sequence[T]) -> T:
        """Return one of the variants."""
        return variants[self.number(dimension, key, below=len(variants))]

    def shuffled(self, dimension: str, key: str, things: Sequence[T]) -> list[T]:
        """Return the things in another order: never in the given one, where there are two or more."""
        order = list(range(len(things)))
        order.sort(key=lambda index: self.number(dimension, key, index, below=2**60))
        if order == sorted(order):
            order.reverse()
        return [things[index] for index in order]

    def rename(self, name: str, known: Collection[str] = ()) -> str:
        """Return another id, class, test id or name; a known one stays, and so does every one when `renamed` is off."""
        if not name or name in known or not self.on("renamed"):
            return name
        style = self.number("renamed", "style", below=3)
        mark = f"{self.number('renamed', name, below=16**6):06x}"
        return (f"c{mark}", f"ng-{mark}", f"x-{mark[:3]}_{mark[3:]}")[style]

    def word(self, text: str, known: Collection[str] = ()) -> str:
        """Return a free text in other words, letters or in French; a known one stays as it is, outer blanks always do."""
        core = text.strip()
        if not core or core in known:
            return text
        changed, others = core, SAME_MEANING.get(core, ())
        offered = [*others[:-1]] if self.touches("words", core) else []
        offered += others[-1:] if self.touches("language", core) else ()
        if offered:
            changed = self.choose("words", core, offered)
        if self.touches("letters", core):
            changed = self.choose("letters", core, LETTERS)(changed)
        return text.replace(core, changed, 1)


OFF = Perturbation()

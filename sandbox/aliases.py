"""Addresses that no fact sheet knows: each page has several, and the perturbation picks the one that is served."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sandbox.perturb import Perturbation


class Aliases:
    """
    The addresses of an origin's pages below its first path part.

    others: name of a page, which is its own address without a perturbation: other addresses, with or without a query.
    """

    def __init__(self, names: Iterable[str], others: Mapping[str, tuple[str, ...]]) -> None:
        self._others = {name: others.get(name, ()) for name in names}
        self._names = {
            shown.partition("?")[0]: name for name, found in self._others.items() for shown in (name, *found)
        }

    @property
    def paths(self) -> list[tuple[str, str]]:
        """Every address without its query, and the name of its page."""
        return list(self._names.items())

    def shown(self, perturbation: Perturbation, name: str) -> str:
        """Return the address of a page, with its query if it has one."""
        others = self._others[name]
        if not others or not perturbation.touches("addresses", name):
            return name
        return perturbation.choose("addresses", name, others)

    def name(self, path: str) -> str:
        """Return the page at a path without a query; "" where there is none."""
        return self._names.get(path, "")

    def is_served(self, perturbation: Perturbation, path: str) -> bool:
        """Whether a path is the one that the page has under this perturbation."""
        name = self.name(path)
        return bool(name) and self.shown(perturbation, name).partition("?")[0] == path

"""What several spiders share, tried with one of them in turn; the same with the others is marked as `figures`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest


def in_turn(
    spiders: Sequence[str],
    scenarios: Callable[[str], Sequence[str]],
    is_shared: Callable[[str], bool],
    at_once: int = 100,
) -> list[Any]:
    """
    Return cases (spider, scenarios) of a parametrized test, so many scenarios at once.

    scenarios: those of a spider. is_shared: whether a scenario is the same for all spiders that have it.
    """
    having: dict[str, list[str]] = {}
    for spider in spiders:
        for name in scenarios(spider):
            having.setdefault(name, []).append(spider)
    chosen = {name: having[name][number % len(having[name])] for number, name in enumerate(filter(is_shared, having))}
    cases = []
    for spider in spiders:
        mine = [name for name in scenarios(spider) if chosen.get(name, spider) == spider]
        rest = [name for name in scenarios(spider) if name not in mine]
        for names, marks, what in ((mine, (), ""), (rest, (pytest.mark.figures,), "-shared")):
            for start in range(0, len(names), at_once):
                case = f"{spider}{what}{f'-{start}' if len(names) > at_once else ''}"
                cases.append(pytest.param(spider, names[start : start + at_once], id=case, marks=marks))
    return cases

"""What several spiders, portals or databases share, tried with one of them; the same with the others is marked as `figures`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import pytest

# For long tests whose statements both databases take: PostgreSQL, which refuses more.
one_database = pytest.mark.parametrize(
    "database_url", [pytest.param("sqlite", marks=pytest.mark.figures), "postgresql"], indirect=True
)


def in_turn(
    spiders: Sequence[str],
    scenarios: Callable[[str], Sequence[str]],
    is_shared: Callable[[str], bool],
    at_once: int = 100,
    slow: Collection[str] = (),
    elsewhere: Callable[[str, str], bool] = lambda spider, scenario: False,
) -> list[Any]:
    """
    Return cases (spider, scenarios) of a parametrized test, so many scenarios at once.

    scenarios: those of a spider. is_shared: whether a scenario is the same for all spiders that have it. slow: spiders that
    have no turn where another one has the scenario. elsewhere: whether another test tries a spider's scenario.
    """
    having: dict[str, list[str]] = {}
    for spider in spiders:
        for name in scenarios(spider):
            having.setdefault(name, []).append(spider)
    chosen = {}
    for number, name in enumerate(filter(is_shared, having)):
        able = [spider for spider in having[name] if spider not in slow] or having[name]
        chosen[name] = able[number % len(able)]
    cases = []
    for spider in spiders:
        mine = [
            name for name in scenarios(spider) if chosen.get(name, spider) == spider and not elsewhere(spider, name)
        ]
        rest = [name for name in scenarios(spider) if name not in mine]
        for names, marks, what in ((mine, (), ""), (rest, (pytest.mark.figures,), "-shared")):
            for start in range(0, len(names), at_once):
                case = f"{spider}{what}{f'-{start}' if len(names) > at_once else ''}"
                cases.append(pytest.param(spider, names[start : start + at_once], id=case, marks=marks))
    return cases


def first_alone(
    things: Iterable[Any], name: Callable[[Any], str] = str, group: Callable[[Any], Any] = bool
) -> list[Any]:
    """Return cases of a parametrized test: the first thing of each group, and the others for the matrix."""
    seen: set[Any] = set()
    cases = []
    for thing in things:
        marks = (pytest.mark.matrix,) if group(thing) in seen else ()
        seen.add(group(thing))
        cases.append(pytest.param(thing, id=name(thing), marks=marks))
    return cases


def each_in_turn(things: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    """Return cases (thing, other) of a parametrized test: each other with one of the things, and the rest as `figures`."""
    return [
        pytest.param(thing, other, marks=() if things[number % len(things)] == thing else (pytest.mark.figures,))
        for number, other in enumerate(others)
        for thing in things
    ]

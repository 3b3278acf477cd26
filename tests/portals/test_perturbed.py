"""
Spiders at perturbed portals: whatever is free may change, and files, rows and refusals stay the same.

Each dimension is tried alone with one carrier's spider and one of each other portal, in turn, and with each of them where
`figures` are asked for; so are forty seeds with each spider.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from jobs.warm import WarmParent
from sandbox.perturb import DIMENSIONS
from tests.portals.perturbed import ROWS, UNPERTURBED, Perturbed, Row, crawls_at, user_of
from tests.project import CARRIERS, INTERPRETER, ROOT, TEST_KEY, clean_environment

SEEDS, REFUSED_SEEDS = 40, 10
OF_OTHERS = ("other-customer", "wrong-account+multi")
LONG = ("_monthly_reports", "_ereports")
ALONE_SEED = 7  # of each dimension alone
ROWS_MAY_DIFFER = {"heads", "notations"}  # a column that cannot be read costs rows, never the file
MAKE_TABLES = "import sys; from tests.portals.plain.models import create; create(sys.argv[1])"

pytestmark = pytest.mark.browser


def first_of(portal: str) -> str:
    """Return the first spider of a portal."""
    return next(row.spider for row in ROWS.values() if row.portal == portal)


def cases(row: Row, things: Sequence[Any], at_once: int, *marks: Any) -> list[Any]:
    """Return cases of a row with what one crawl tries at once: so many seeds or dimensions."""
    blocks = [things[start : start + at_once] for start in range(0, len(things), at_once)]
    ends = ["..".join(dict.fromkeys((str(block[0]), str(block[-1])))) for block in blocks]
    return [
        pytest.param(row, block, id=f"{row.spider}-{each}", marks=marks)
        for block, each in zip(blocks, ends, strict=True)
    ]


def every_seed() -> list[Any]:
    """Return the cases of all rows, each with seeds of its own among its portal's; further seeds are marked as `figures`."""
    found = []
    for portal in dict.fromkeys(row.portal for row in ROWS.values()):
        for number, row in enumerate(each for each in ROWS.values() if each.portal == portal):
            mine = range(number * row.seeds, (number + 1) * row.seeds)
            # The longest ones, and a carrier's first one, have their sample of seeds.
            has_sample = row.spider.endswith(LONG) or (portal in CARRIERS and not number)
            marks = (pytest.mark.figures,) if has_sample else ()
            found += cases(row, mine, row.at_once, *marks)
            found += cases(row, [seed for seed in range(SEEDS) if seed not in mine], row.at_once, pytest.mark.figures)
    return found


def refusals() -> list[Any]:
    """
    Return cases of what refuses with the first spider of each portal; those with the others are marked as `figures`.

    What several carriers refuse is tried with one of their spiders, in turn, but for what is another customer's or account's.
    """
    firsts = [row for row in ROWS.values() if row.spider == first_of(row.portal)]
    turns: dict[str, str] = {}
    for number, scenario in enumerate(
        dict.fromkeys(each for row in firsts if row.portal in CARRIERS for each in row.refused)
    ):
        having = [row.spider for row in firsts if row.portal in CARRIERS and scenario in row.refused]
        if scenario not in OF_OTHERS:
            turns[scenario] = having[number % len(having)]
    found = []
    for row in ROWS.values():
        turn = turns if row.portal in CARRIERS else {}
        mine = [each for each in row.refused if row in firsts and turn.get(each, row.spider) == row.spider]
        others = [each for each in row.refused if each not in mine]
        first, further = range(row.refusing_seeds), range(row.refusing_seeds, REFUSED_SEEDS)
        for scenarios, seeds, what, marks in (
            (mine, first, "", ()),
            (others, first, "others-", (pytest.mark.figures,)),
            (list(row.refused), further, "", (pytest.mark.figures,)),
        ):
            for start in range(0, len(seeds) if scenarios else 0, row.at_once):
                block = seeds[start : start + row.at_once]
                name = f"{row.spider}-{what}{block[0]}"
                found.append(pytest.param(row, scenarios, block, id=name, marks=marks))
    return found


def dimensions_in_turn() -> list[Any]:
    """Return cases of each dimension with one spider that draws by it; those with the others are marked as `figures`."""
    kinds = {row.spider: "carrier" if row.portal in CARRIERS else row.portal for row in ROWS.values()}
    turn = {}
    for number, dimension in enumerate(DIMENSIONS):
        for kind in dict.fromkeys(kinds.values()):
            having = [row.spider for row in ROWS.values() if kinds[row.spider] == kind and dimension in row.dimensions]
            having = [spider for spider in having if not spider.endswith(LONG)] or having
            turn[kind, dimension] = having[number % len(having)] if having else ""
    found = []
    for row in ROWS.values():
        mine = [each for each in row.dimensions if turn[kinds[row.spider], each] == row.spider]
        found += cases(row, mine, row.dimensions_at_once)
        others = [each for each in row.dimensions if each not in mine]
        found += cases(row, others, row.dimensions_at_once, pytest.mark.figures)
    return found


def samples() -> list[Any]:
    """Return the rows: of a carrier the first one, and for the matrix those whose seeds are not tried there."""
    found = []
    for row in ROWS.values():
        marks: tuple[Any, ...] = ()
        if row.portal in CARRIERS and row.spider != first_of(row.portal):
            marks = (pytest.mark.matrix,) if row.spider.endswith(LONG) else (pytest.mark.matrix, pytest.mark.figures)
        found.append(pytest.param(row, id=row.spider, marks=marks))
    return found


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SQLite file with our tables and the plain portal's; made by another process, whose tables are not ours here."""
    path = tmp_path_factory.mktemp("tables") / "latchkey.db"
    environment = {**clean_environment(), **INTERPRETER, "LATCHKEY_ENCRYPTION_KEYS": TEST_KEY}
    subprocess.run([sys.executable, "-c", MAKE_TABLES, f"sqlite:///{path}"], cwd=ROOT, env=environment, check=True)
    return path


@pytest.fixture(scope="module")
def served(
    warm: WarmParent, tables: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Perturbed]]:
    """Give a function that serves a portal, once for all tests of the module."""
    with ExitStack() as stack:
        made: dict[str, Perturbed] = {}

        def at(portal: str) -> Perturbed:
            if portal not in made:
                made[portal] = stack.enter_context(crawls_at(portal, tmp_path_factory.mktemp(portal), warm, tables))
            return made[portal]

        yield at


@pytest.fixture
def at(served: Callable[[str], Perturbed], encryption_key: str) -> Callable[[str], Perturbed]:
    """Give the same, for tests that store credentials."""
    return served


def check(
    crawls: Perturbed,
    row: Row,
    users: Mapping[str, str],
    outcomes: Mapping[str, str],
    first: Sequence[tuple[int, Sequence[str]]],
    rows_may_differ: Collection[str] = (),
    *,
    is_shared: bool = False,
    otherwise: Mapping[str, str] | None = None,
) -> None:
    """
    Crawl for users and compare each run with that of a user of the same scenario for whom nothing is perturbed.

    users: names, each with its scenario. outcomes: of scenarios. first: seeds and dimensions of the pages that do not know the
    user yet. rows_may_differ: names of users. otherwise: outcomes of users that differ from their scenario's. is_shared: the
    spiders of a portal share the users, and then those for whom nothing is perturbed, too: of rows that several spiders store, each run counts what is new.
    """
    plain = crawls.plain.setdefault((row.spider, is_shared), {})
    twins = {
        user_of(row, each, UNPERTURBED, "plain", is_shared=is_shared): each for each in outcomes if each not in plain
    }
    if row.visitors:
        crawls.admin.perturb(None, visitors=first)
    elif row.pages_before:
        crawls.admin.perturb(*first[0])
    else:
        crawls.admin.perturb(None)
    ended = crawls.crawl(row, [*users, *twins])
    assert {user: ended[user] for user, each in twins.items() if ended[user].outcome != outcomes[each]} == {}
    plain |= {each: ended[user] for user, each in twins.items()}

    wanted = {**outcomes, **{each: ends for each, ends in row.refused_perturbed.items() if each in outcomes}}
    ends = {user: wanted[scenario] for user, scenario in users.items()} | dict(otherwise or {})
    wrong = [f"{user}: {ended[user]}" for user in users if ended[user].outcome != ends[user]]
    wrong += [
        f"{user}: {ended[user].files} files, unperturbed {plain[scenario].files}"
        for user, scenario in users.items()
        if ended[user].files != plain[scenario].files
    ]
    wrong += [
        f"{user}: {ended[user].records} records, unperturbed {plain[scenario].records}"
        for user, scenario in users.items()
        if ended[user].records != plain[scenario].records and user not in rows_may_differ
    ]
    assert "\n".join([f"{len(wrong)} of {len(users)} are wrong", *wrong]) == f"0 of {len(users)} are wrong"
    assert crawls.unserved == []


@pytest.mark.parametrize("row", samples())
def test_a_fixed_sample_of_seeds(at, row):
    """The first seeds hold for the sign-in page too, which does not know yet whose it is."""
    scenarios = row.good[:1] * len(row.sample) if row.same_rows else cycle(row.good)
    users = {
        user_of(row, scenario, f"+perturb-{seed}", "sample", is_shared=True): row.good[0]
        for seed, scenario in zip(row.sample, scenarios, strict=False)
    }
    first = [(seed, ()) for seed in row.sample]
    may_differ = () if row.same_rows else users
    check(at(row.portal), row, users, {row.good[0]: "success"}, first, may_differ, is_shared=True)


@pytest.mark.matrix
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("row", "seeds"), every_seed())
def test_every_seed(at, row, seeds):
    users = {
        user_of(row, scenario, f"+perturb-{seed}", f"seed{seed}"): scenario for seed in seeds for scenario in row.good
    }
    check(
        at(row.portal),
        row,
        users,
        dict.fromkeys(row.good, "success"),
        [(seed, ()) for seed in seeds],
        rows_may_differ=() if row.same_rows else users,
    )


@pytest.mark.matrix
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("row", "dimensions"), dimensions_in_turn())
def test_each_dimension_alone(at, row, dimensions):
    scenarios = row.good[: row.alone]
    users: dict[str, str] = {}
    free: list[str] = []
    for dimension in dimensions:
        of_this = {
            user_of(row, scenario, f"+perturb-{ALONE_SEED}-{dimension}", dimension): scenario for scenario in scenarios
        }
        users |= of_this
        if row.shared_rows or (dimension in ROWS_MAY_DIFFER and not row.same_rows):
            free += of_this
    check(
        at(row.portal),
        row,
        users,
        dict.fromkeys(scenarios, "success"),
        [(ALONE_SEED, [dimension]) for dimension in dimensions],
        rows_may_differ=free,
    )


@pytest.mark.matrix
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("row", "scenarios", "seeds"), refusals())
def test_what_refuses_refuses_as_before(at, row, scenarios, seeds):
    named = {
        (scenario, seed): user_of(row, scenario, f"+perturb-{seed}", f"refused{seed}")
        for seed in seeds
        for scenario in scenarios
    }
    users = {user: scenario for (scenario, _), user in named.items()}
    otherwise = {user: row.refused_at[which] for which, user in named.items() if which in row.refused_at}
    outcomes = {each: row.refused[each] for each in scenarios}
    first = [(seed, ()) for seed in seeds]
    check(at(row.portal), row, users, outcomes, first, rows_may_differ=users, otherwise=otherwise)

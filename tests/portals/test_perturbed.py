"""Spiders at perturbed portals: whatever is free may change, and files, rows and refusals stay the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from jobs.warm import WarmParent
from sandbox.perturb import DIMENSIONS
from tests.portals.perturbed import ROWS, Perturbed, Row, crawls_at
from tests.project import INTERPRETER, ROOT, TEST_KEY, clean_environment

ROWS_MAY_DIFFER = {"heads", "notations"}  # a column that cannot be read costs rows, never the file
UNPERTURBED = "+perturb-off"  # whatever the portal's own seed is
MAKE_TABLES = "import sys; from tests.portals.plain.models import create; create(sys.argv[1])"

pytestmark = pytest.mark.browser


def seeds_of(count: str) -> list[Any]:
    """Return the cases of each row with as many seeds as its field *count* says."""
    return [
        pytest.param(row, seed, id=f"{name}-{seed}")
        for name, row in ROWS.items()
        for seed in range(getattr(row, count))
    ]


every_spider = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


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


def user_of(scenario: str, tag: str, row: Row, test: str) -> str:
    """Return a name that no other test has, for a scenario and what is perturbed."""
    return f"{scenario}{tag}+{test}@{row.spider.replace('_', '-')}.example"


def check(
    crawls: Perturbed, row: Row, expected: dict[str, tuple[str, str]], rows_may_differ: Sequence[str] = ()
) -> None:
    """
    Crawl for users and compare each run with that of a user for whom nothing is perturbed.

    expected: user name -> (outcome, name of the unperturbed user of the same scenario).
    """
    plain = {twin: (outcome, twin) for outcome, twin in expected.values()}
    ended = crawls.crawl(row, [*expected, *plain])

    wrong = {user: ended[user] for user, (outcome, _) in (expected | plain).items() if ended[user].outcome != outcome}
    assert not wrong
    for user, (_, twin) in expected.items():
        assert ended[user].files == ended[twin].files, user
        if user not in rows_may_differ:
            assert ended[user].records == ended[twin].records, user
    assert crawls.unserved == []


@every_spider
def test_a_fixed_sample_of_seeds(at, row):
    """The first seed holds for the sign-in page too, which does not know yet whose it is."""
    crawls = at(row.portal)
    crawls.admin.perturb(row.sample[0] if row.pages_before else None)
    users = {}
    twin = user_of(row.good[0], UNPERTURBED, row, "sample")
    for seed, scenario in zip(
        row.sample, row.good[:1] * len(row.sample) if row.same_rows else cycle(row.good), strict=False
    ):
        users[user_of(scenario, f"+perturb-{seed}", row, "sample")] = ("success", twin)
    check(crawls, row, users, rows_may_differ=() if row.same_rows else list(users))


@pytest.mark.matrix
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("row", "seed"), seeds_of("seeds"))
def test_every_seed(at, row, seed):
    crawls = at(row.portal)
    crawls.admin.perturb(seed if row.pages_before else None)
    name = f"seed{seed}"
    users = {
        user_of(scenario, f"+perturb-{seed}", row, name): ("success", user_of(scenario, UNPERTURBED, row, name))
        for scenario in row.good
    }
    check(crawls, row, users, rows_may_differ=() if row.same_rows else list(users))


@pytest.mark.matrix
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("dimension", DIMENSIONS)
@every_spider
def test_each_dimension_alone(at, row, dimension):
    crawls = at(row.portal)
    crawls.admin.perturb(7 if row.pages_before else None, [dimension])
    users = {
        user_of(scenario, f"+perturb-{seed}-{dimension}", row, dimension): (
            "success",
            user_of(scenario, UNPERTURBED, row, dimension),
        )
        for scenario in row.good[: row.alone]
        for seed in (7, 8)
    }
    free = dimension in ROWS_MAY_DIFFER and not row.same_rows
    check(crawls, row, users, rows_may_differ=list(users) if free else ())


@pytest.mark.matrix
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("row", "seed"), seeds_of("refusing_seeds"))
def test_what_refuses_refuses_as_before(at, row, seed):
    crawls = at(row.portal)
    crawls.admin.perturb(seed if row.pages_before else None)
    name = f"refused{seed}"
    users = {
        user_of(scenario, f"+perturb-{seed}", row, name): (outcome, user_of(scenario, UNPERTURBED, row, name))
        for scenario, outcome in row.refused.items()
    }
    check(crawls, row, users, rows_may_differ=list(users))

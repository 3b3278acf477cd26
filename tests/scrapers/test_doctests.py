"""The examples in docstrings are true, in every room that has any."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

from tests.project import ROOT

ROOMS = ("scrapers", "middlewares", "pipelines")
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*.py"))
    if ">>>" in path.read_text()
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    done = doctest.testmod(import_module(name))
    assert done.attempted > 0
    assert done.failed == 0


def test_there_are_examples():
    assert {Path(name.replace(".", "/")).parts[0] for name in MODULES} == set(ROOMS)

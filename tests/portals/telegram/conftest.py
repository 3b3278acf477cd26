"""One server for the tests of a process, and sources in a project of their own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.warm import WarmParent
from sandbox import Running, running
from tests.portals.telegram.sources import Sources, sources_at


@pytest.fixture(scope="session")
def telegram(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The imitation of Telegram, in a process of its own."""
    with running(tmp_path_factory.mktemp("telegram"), ("telegram",)) as sandbox:
        yield sandbox


@pytest.fixture
def sources(
    telegram: Running, encryption_key: str, warm: WarmParent, sqlite_with_tables: Path, tmp_path: Path
) -> Iterator[Sources]:
    """Sources at the imitation as it is by default, with nobody known."""
    admin = telegram.admin["telegram"]
    admin.reset()
    before = admin.configuration()
    with sources_at(telegram, tmp_path, warm, sqlite_with_tables) as made:
        yield made
    admin.configure(**before)
    admin.clock(0)

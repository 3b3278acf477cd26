"""A new family with a table, made by typing docs/adding-a-family.md word for word; and the mistakes that it names, on purpose."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from tests.project import ROOT, TEST_KEY, clean_environment, copy_project, wait_for

PAGE = (ROOT / "docs" / "adding-a-family.md").read_text()


def files() -> dict[str, str]:
    """Return the files that the page tells to write, in order, by path."""
    found: dict[str, str] = {}
    waiting: list[str] = []  # named, and without a text so far
    for prose, text in re.findall(r"(.*?)```(?:python\n(.*?)```|\w+\n.*?```)", PAGE, re.S):
        named = re.findall(r"`([\w/.]+\.py)`", prose)
        waiting += [path for path in named if path not in found and not (ROOT / path).exists()]
        if text:
            found[waiting.pop(0)] = text
    assert waiting == []
    return found


def typed() -> list[list[str]]:
    """Return the blocks of commands."""
    return [block.strip().splitlines() for block in re.findall(r"```console\n(.*?)```", PAGE, re.S)]


class House:
    """A copy of the project with a data folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.path, self.data = folder / "house", folder / "data"
        copy_project(self.path)
        self.environment = {
            **clean_environment(),
            "PYTHONPATH": str(self.path),
            "LATCHKEY_DATA_DIR": str(self.data),
            "LATCHKEY_ENCRYPTION_KEYS": TEST_KEY,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def write(self, texts: dict[str, str]) -> None:
        for name, text in texts.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            # A text of the same length and second would be taken for the one that was compiled.
            Path(cache_from_source(path)).unlink(missing_ok=True)

    def type(self, line: str, input: str = "") -> subprocess.CompletedProcess[str]:
        program, *arguments = shlex.split(line)
        command = [sys.executable, "-m", program, *arguments]
        return subprocess.run(
            command,
            cwd=self.path,
            env=self.environment,
            input=input,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def good(self, line: str, input: str = "") -> str:
        done = self.type(line, input)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        return done.stdout

    @contextmanager
    def served(self) -> Iterator[None]:
        """Serve the new portal, and point at it."""
        state = self.data / "sandbox"
        command = (sys.executable, "-m", "sandbox", "--state", str(state), "--portals", "acme")
        with (self.data / "sandbox.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=self.path, env=self.environment, stdout=log, stderr=log)
        try:
            ready = state / "ready.json"
            wait_for(lambda: ready.exists() or process.poll() is not None)
            self.environment |= json.loads(ready.read_text())["environment"]
            yield
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory):
    """A copy for the mistakes, each of which writes all files of the page anew."""
    return House(tmp_path_factory.mktemp("spoilt"))


def revise(house: House) -> None:
    """Type what the page says of the revision."""
    for line in typed()[0]:
        house.good(line)


@pytest.mark.timeout(400)
def test_a_family_made_word_for_word_works(house):
    house.write(files())
    before = set((house.path / "database/migrations/versions").glob("*.py"))
    first, *rest = typed()[0]
    house.good(first)
    missing = house.type("scrapy db check")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    assert "add table acme_letters" in missing.stderr

    # Without its revision nothing is asked of the portal.
    early = house.type("scrapy crawl acme_letters")
    assert (early.returncode, "acme_letters" in early.stderr) == (6, True), early.stderr
    assert "alembic revision --autogenerate" in early.stderr
    assert "does not answer" not in early.stderr

    for line in rest:
        house.good(line)
    (revision,) = set((house.path / "database/migrations/versions").glob("*.py")) - before
    assert re.fullmatch(r"\d{4}_letters_of_post_boxes\.py", revision.name)
    python = [*files(), str(revision.relative_to(house.path))]
    for check in (("check",), ("format", "--check")):
        house.good(f"ruff {' '.join(check)} --no-cache {' '.join(python)}")
    nothing = house.type("alembic revision --autogenerate -m nothing")
    assert "no revision is needed" in nothing.stderr
    assert len(set((house.path / "database/migrations/versions").glob("*.py")) - before) == 1

    with house.served():
        add, crawl, again, runs, export = typed()[1]
        assert "Stored: acme ok." in house.good(add, "open-sesame\n")
        house.good(crawl)
        told = house.good(runs)
        assert re.search(r"outcome +success", told)
        assert "scrapy export records --type acme_letters" in told
        lines = house.good(export).splitlines()
        assert lines[0] == "id,username,number,day,subject,run"
        # Each row was stored by itself, in any order.
        assert sorted(line.split(",")[1:5] for line in lines[1:]) == [
            ["ok", "11", "2026-09-30", "Welcome"],
            ["ok", "12", "2026-10-30", "Your contract"],
        ]
        house.good(again)
        assert re.search(r"counts +0 files, 0 records", house.good("scrapy runs 2"))
        assert "account" not in house.good("scrapy export files --portal acme")


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("path", "before", "after", "sentence"),
    [
        (
            "database/models/acme_post.py",
            '    __table_args__ = (UniqueConstraint("username", "number"),)\n',
            "",
            'AcmeLetter has no unique constraint on its natural key (username, number): add UniqueConstraint("username", "number")',
        ),
        (
            "scrapers/families/acme_post/items.py",
            'natural_key = ("username", "number")',
            'natural_key = ("username", "numbre")',
            "AcmeLetter has no column numbre, which its natural key (username, numbre) names.",
        ),
    ],
    ids=["no-constraint", "no-column"],
)
def test_a_mistake_in_a_natural_key_is_told_when_the_class_is_made(spoilt, path, before, after, sentence):
    texts = files()
    assert before in texts[path]
    spoilt.write(texts | {path: texts[path].replace(before, after)})
    done = spoilt.type("scrapy crawl acme_letters")
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "does not answer" not in done.stderr

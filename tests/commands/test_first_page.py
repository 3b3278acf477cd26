"""The README's three commands, typed in an empty folder: from a clone to the pages that show what the demo has stored."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from urllib.error import HTTPError
from urllib.parse import urljoin

import pytest

from commands._demo_carriers import CLIENT
from tests.project import ROOT, clean_environment, copy_project, wait_for
from tests.terminal import READY, Terminal
from tests.visitor import Visitor

SET_UP = 1200  # seconds in which packages and a browser are installed, and every carrier is played
SERVED = 120  # seconds in which pages are served


def three() -> list[str]:
    """Return the commands of the README's first block, without what is said of them."""
    section = (ROOT / "README.md").read_text().partition("\n## Three commands\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```sh\n(.*?)```", section, re.S)
    return [line.partition("  #")[0].strip() for line in block.strip().splitlines()]


@pytest.fixture
def published(tmp_path):
    """A repository with this checkout as its only commit."""
    folder = copy_project(tmp_path / "published")
    who = ("-c", "user.name=Ana", "-c", "user.email=ana@example.com")
    for words in (("init", "--quiet"), ("add", "."), (*who, "commit", "--quiet", "-m", "everything")):
        subprocess.run(["git", *words], cwd=folder, check=True, timeout=60)
    return folder


def typed(terminal: Terminal, line: str, seconds: float) -> None:
    """Type a command and wait for its end, which must be a good one."""
    terminal.type(f'{line}; echo "left with" $?.')
    ended = wait_for(lambda: terminal.sees(*(f"left with {code}." for code in (0, 1, 2, 127, 130))), seconds, every=0.2)
    assert ended == "left with 0.", terminal.shown


def test_they_are_three_and_each_could_be_typed():
    clone, *makes = three()
    assert re.fullmatch(r"git clone https://\S+/latchkey && cd latchkey", clone)
    assert makes == ["make demo", "make room"]


@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.timeout(SET_UP + 2 * SERVED)
def test_three_commands_from_nothing_to_the_page_with_the_demos_data(published, tmp_path):
    clone, demo, room = three()
    if shutil.which("make") is None:  # the README says what does the same
        demo, room = (line.replace("make ", "./run ") for line in (demo, room))
    environment = {
        name: text for name, text in clean_environment().items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    # The address of the README stands for the repository of this test.
    environment |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{published}.insteadOf"}
    environment |= {"GIT_CONFIG_VALUE_0": clone.split()[2], "TERM": "dumb"}
    terminal = Terminal(environment)
    try:
        wait_for(lambda: terminal.sees(READY))
        typed(terminal, f"cd {tmp_path}", 60)
        typed(terminal, clone, 60)
        typed(terminal, demo, SET_UP)
        figures = json.loads((tmp_path / "latchkey" / ".latchkey" / "demo-carriers.json").read_text())
        assert {row["outcome"] for row in figures} == {"success"}
        terminal.type(room)
        wait_for(lambda: terminal.sees("Ctrl-C ends it."), SERVED)
        (link,) = re.findall(r"http://\S+/room/link#\S+", terminal.shown)
        visitor = Visitor()
        assert "You are signed in." in visitor.use(link)
        for page in re.findall(r"http://\S+/room/(?:missing|runs|files)", terminal.shown):
            said, url = visitor.open(page)
            assert (url, CLIENT in said or "bell" in said) == (page, True), said
        stored, _ = visitor.open(urljoin(link, "/room/missing"))
        for row in figures:
            assert row["account"] in stored
        assert CLIENT in stored
        with pytest.raises(HTTPError, match="400"):  # it was good once
            Visitor().use(link)
        terminal.type("\x03")
        wait_for(lambda: terminal.sees(READY), SERVED)
    finally:
        terminal.close()

"""Telethon's own calls, in a process without Latchkey, from signing in to signing out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import telethon
from telethon.tl.alltlobjects import LAYER

from tests.project import ROOT

SCRIPT = Path(__file__).with_name("script.py")
FOUND = {
    "dialogs": 13,
    "channels": 11,
    "about": "Reports, every week.",
    "members": 8400,
    "reports": 54,
    "documents": 18,
    "archive": 30_000,
    "albums": 8,
    "topics": ["General", "Invoices", "Manuals"],
    "in a topic": 13,
    "downloaded": 2_097_153,
    "joined": "By Invitation",
}


def test_the_installed_version_does_all_of_it(server, number):
    said = run_script(sys.executable, server, number("ok"), number("password"))
    assert said.pop("telethon") == telethon.__version__
    assert said.pop("layer")
    assert said == FOUND


@pytest.mark.matrix
@pytest.mark.telethon
def test_the_oldest_version_that_is_allowed_does_all_of_it(server, number):
    said = run_script(os.environ["TEST_TELETHON"], server, number("ok"), number("password"))
    (oldest,) = re.findall(r"^telethon>=([\d.]+),", (ROOT / "requirements.txt").read_text(), re.M)
    assert said.pop("telethon").startswith(f"{oldest}.")
    assert said.pop("layer") < LAYER
    assert said == FOUND


def run_script(python: str, server, phone: str, with_password: str) -> dict:
    arguments = [f"{server.host}:{server.port}", str(server.key), server.admin.url, phone, with_password]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, str(SCRIPT), *arguments], env=environment, cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

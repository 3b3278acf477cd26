"""`scrapy outcomes` and the page made of it."""

from __future__ import annotations

import json
import re

from commands.outcomes import page
from scrapers.core.outcomes import OUTCOMES
from tests.project import ROOT


def test_the_page_is_what_the_table_says(command):
    committed = (ROOT / "docs" / "outcomes.md").read_text()
    assert committed == page(), "make it anew: scrapy outcomes --markdown > docs/outcomes.md"
    assert command("outcomes", "--markdown").out == committed
    assert sorted(re.findall(r"^\| `(\w+)` \|", committed, re.M)) == sorted(OUTCOMES)


def test_the_table(command):
    rows = json.loads(command("outcomes", "--json").out)
    assert [row["code"] for row in rows] == list(OUTCOMES)
    of = {row["code"]: row for row in rows}
    assert (of["success"]["exit_code"], of["bad_credentials"]["exit_code"]) == (0, 5)
    assert of["bad_credentials"]["who_must_act"] == "owner"
    assert OUTCOMES["bad_credentials"].sentence in command("outcomes").out

"""Verizon's spiders in the sandbox's scenarios: one crawl and one browser for many users, an outcome for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from jobs.warm import WarmParent
from tests.portals.perturbed import Perturbed, crawls_at
from tests.portals.scenarios import Scenarios
from tests.turns import in_turn

pytestmark = pytest.mark.browser
INVOICE, MONTHLY, USAGE = SPIDERS = ("verizon_pdf_invoice", "verizon_monthly_reports", "verizon_daily_usage")
FILES = {INVOICE: 1, MONTHLY: 6, USAGE: 1}

# How scenarios end, a user's first word with its tags.
OUTCOMES: dict[str, dict[str, str]] = {
    INVOICE: {
        "totp": "portal_changed",
        "link-denied": "mfa_failed",
        "other-customer": "identity_mismatch",
        "wrong-account+multi": "wrong_account",
        "wrong-account-file": "wrong_account",
        "not-published": "not_yet_published",
        "rows-move": "portal_changed",
    }
    | dict.fromkeys(
        (
            *("ok", "no-code", "code-direct", "ok+multi-12", "layout-b", "captcha-vanishes", "interstitial"),
            "tab-resets-late+multi",
        ),
        "success",
    ),
    MONTHLY: dict.fromkeys(("ok", "no-code", "layout-b"), "success"),
    USAGE: {"account-switched+multi": "wrong_account", "mixed-file": "wrong_account"}
    | dict.fromkeys(("ok", "no-code", "code-direct", "layout-b"), "success"),
}
SAMPLE = {INVOICE: ("ok",), MONTHLY: ("ok",), USAGE: ("ok",)}
EXPECTED = Scenarios(OUTCOMES, FILES)
AT_ONCE = 15  # scenarios in one crawl


@pytest.fixture(scope="module")
def crawls(warm: WarmParent, sqlite_with_tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Perturbed]:
    """Give crawls of Verizon."""
    with crawls_at("verizon", tmp_path_factory.mktemp("verizon"), warm, sqlite_with_tables) as made:
        yield made


def crawl(crawls: Perturbed, spider: str, scenarios: Sequence[str], test: str) -> None:
    """Crawl for a user of each scenario, and compare outcomes, numbers of files and what the portal has counted."""
    EXPECTED.crawl(crawls, spider, scenarios, test)
    assert crawls.admin.counters()["codes_not_typed"] == 0


@pytest.mark.parametrize("spider", [INVOICE, USAGE, pytest.param(MONTHLY, marks=pytest.mark.matrix)])
def test_a_sample_of_scenarios_ends_as_it_should(crawls, encryption_key, spider):
    crawl(crawls, spider, SAMPLE[spider], "sample")
    EXPECTED.crawl_again(crawls, spider, SAMPLE[spider], "sample")


@pytest.mark.matrix
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("spider", "scenarios"),
    in_turn(SPIDERS, lambda spider: list(OUTCOMES[spider]), lambda _name: False, AT_ONCE),
)
def test_every_scenario_ends_as_it_should(crawls, encryption_key, spider, scenarios):
    crawl(crawls, spider, scenarios, "all")

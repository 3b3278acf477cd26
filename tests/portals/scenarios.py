"""Crawls for a user of each of several scenarios, and how they must end; what is stored is not asked for again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from tests.portals.perturbed import ROWS, Perturbed
from tests.portals.reports import STORED, store_reports
from tests.portals.test_contamination import CASES

# What the core answers alike for all carriers, and the carrier at which it is tried.
TRIED_AT = {
    "submit-503": "telus",
    "submit-hang": "att",
    "submit-drop": "rogers",
    "code-never": "tmobile",
    "code-refused": "verizon",
    "code-late": "att",
    "wrong-sender": "rogers",
    "mail-html": "tmobile",
    "session-cookie": "verizon",
    "cookie-banner": "telus",
    "policy-page": "att",
    "rate-limited": "rogers",
    "rate-limited-bare": "tmobile",
    "slow-download": "verizon",
    "download-swallowed": "telus",
    "truncated-file": "att",
    "empty-file": "rogers",
    "wrong-type": "tmobile",
    "html-instead-of-pdf": "verizon",
    "html-instead-of-csv": "telus",
    "unsafe-zip": "att",
    "invoice-french": "rogers",
    "total-differs": "tmobile",
}
_COMPARED = {(case.spider, case.scenario.removesuffix("+no-code")) for case in CASES}


def elsewhere(spider: str, scenario: str) -> bool:
    """Return whether a spider's scenario is tried at another carrier, or where what is stored is compared, too."""
    portal = spider.partition("_")[0]
    return TRIED_AT.get(scenario, portal) != portal or (spider, scenario) in _COMPARED


@dataclass(frozen=True)
class Scenarios:
    """
    What is expected of a portal's spiders.

    outcomes: by spider and scenario. files: how many a run that succeeds brings, by spider. some: how many another run brings,
    by spider and scenario; none where it is not named. in_full: scenarios that concern several of a spider's reports; as where
    some come, no other one is stored before.
    """

    outcomes: Mapping[str, Mapping[str, str]]
    files: Mapping[str, int]
    some: Mapping[tuple[str, str], int] = field(default_factory=dict)
    in_full: Collection[str] = ()

    def crawl(self, crawls: Perturbed, spider: str, scenarios: Sequence[str], test: str) -> None:
        """Crawl for a user of each scenario, and compare outcomes and numbers of files."""
        users = {self._user(spider, scenario, test): scenario for scenario in scenarios}
        stored = STORED.get(spider, ())
        row = ROWS[spider]
        in_part = [user for user, scenario in users.items() if stored and not self._is_in_full(spider, scenario)]
        if in_part:
            accounts = [row.give(crawls, user) for user in in_part]
            store_reports(crawls.db, spider, accounts, stored)
        ended = crawls.crawl(row, users, timeout=850)
        wanted = {}
        for user, scenario in users.items():
            outcome = self.outcomes[spider][scenario]
            files = self.files[spider] - len(stored) * (user in in_part) if outcome == "success" else 0
            wanted[scenario] = outcome, self.some.get((spider, scenario), files)
        assert {scenario: (ended[user].outcome, ended[user].files) for user, scenario in users.items()} == wanted, ended
        assert crawls.unserved == []

    def crawl_again(self, crawls: Perturbed, spider: str, scenarios: Sequence[str], test: str) -> None:
        """Crawl again for the users of the scenarios that succeed: everything is stored, so the portal gets no request."""
        requests = crawls.admin.counters()["requests"]
        stored = [each for each in scenarios if self.outcomes[spider][each] == "success"]
        row = ROWS[spider]
        targets = [row.give(crawls, self._user(spider, each, test)) for each in stored]
        ended = crawls.project.scrapy("crawl", spider, "-a", row.argument(crawls, row, targets))
        assert ended.returncode == 0, ended.stderr
        assert crawls.admin.counters()["requests"] == requests

    def _is_in_full(self, spider: str, scenario: str) -> bool:
        return scenario in self.in_full or (spider, scenario) in self.some

    @staticmethod
    def _user(spider: str, scenario: str, test: str) -> str:
        return f"{scenario}+{test}@{spider.replace('_', '-')}.example"

"""Crawls for a user of each of several scenarios, and how they must end; what is stored is not asked for again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.portals.perturbed import ROWS, Perturbed


@dataclass(frozen=True)
class Scenarios:
    """
    What is expected of a portal's spiders.

    outcomes: by spider and scenario. files: how many a run that succeeds brings, by spider. some: how many another run brings,
    by spider and scenario; none where it is not named.
    """

    outcomes: Mapping[str, Mapping[str, str]]
    files: Mapping[str, int]
    some: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def crawl(self, crawls: Perturbed, spider: str, scenarios: Sequence[str], test: str) -> None:
        """Crawl for a user of each scenario, and compare outcomes and numbers of files."""
        users = {self._user(spider, scenario, test): scenario for scenario in scenarios}
        ended = crawls.crawl(ROWS[spider], users, timeout=850)
        wanted = {}
        for scenario in scenarios:
            outcome = self.outcomes[spider][scenario]
            files = self.files[spider] if outcome == "success" else 0
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

    @staticmethod
    def _user(spider: str, scenario: str, test: str) -> str:
        return f"{scenario}+{test}@{spider.replace('_', '-')}.example"

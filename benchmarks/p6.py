"""P6: run again when there is nothing new. No sign-in, no file, one request per account."""

from __future__ import annotations

from benchmarks.bench import Bench, Visit, middle
from benchmarks.figures import Figure, count, ratio

ACCOUNTS = 20
DOCUMENTS = 20


def run(bench: Bench, accounts: int = ACCOUNTS) -> list[Figure]:
    """Fetch everything once, then measure doing it again."""
    bench.admin.configure(documents=DOCUMENTS, file_bytes=20_000, latency_ms=50)
    people = bench.people(accounts)
    first = bench.ours("plain_files", people), bench.bare("files", people)
    ours, bare = bench.alternate(
        lambda: bench.ours("plain_files", people),
        lambda: bench.bare("files", people),
    )
    wanted = accounts * DOCUMENTS
    return [
        Figure(
            "p6",
            "files missing after the first run",
            wanted - first[0].downloads,
            0,
            first[0].downloads,
            first[1].downloads,
            "files",
            hard=True,
        ),
        count("p6", "sign-ins", 0, worst(ours, "sign_ins"), worst(bare, "sign_ins")),
        count("p6", "requests per account", 1, worst(ours, "requests") / accounts, worst(bare, "requests") / accounts),
        count("p6", "files fetched", 0, worst(ours, "downloads"), worst(bare, "downloads")),
        ratio("p6", "window", 1.1, middle([v.window for v in ours]), middle([v.window for v in bare])),
        Figure(
            "p6",
            f"whole process, {accounts} accounts",
            middle([v.cost.seconds for v in ours]),
            1.0,
            middle([v.cost.seconds for v in ours]),
            middle([v.cost.seconds for v in bare]),
            "s",
        ),
    ]


def worst(visits: list[Visit], name: str) -> float:
    """Return the highest count of all rounds."""
    return float(max(getattr(visit, name) for visit in visits))

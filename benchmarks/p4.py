"""P4: 20 accounts, 20 documents of 100 KB each, 50 ms an answer, all signing in by form."""

from __future__ import annotations

from benchmarks import truth
from benchmarks.bench import Bench, Visit, middle
from benchmarks.figures import Figure, count, ratio

ACCOUNTS = 20
DOCUMENTS = 20
SIZE = 100_000  # bytes
LATENCY = 50  # ms


def run(bench: Bench) -> list[Figure]:
    """Fetch the documents of 20 users, of other users in each round."""
    bench.admin.configure(documents=DOCUMENTS, file_bytes=SIZE, latency_ms=LATENCY)
    met: list[str] = []

    def ours() -> Visit:
        people = bench.people(ACCOUNTS)
        met.extend(people)
        return bench.ours("plain_files", people)

    mine, bare = bench.alternate(ours, lambda: bench.bare("files", bench.people(ACCOUNTS)))
    most, bare_most = max(v.sign_ins for v in mine), max(v.sign_ins for v in bare)
    return [
        *truth.figures("p4", bench, met, DOCUMENTS, SIZE),
        count("p4", "sign-ins per account", 1, most / ACCOUNTS, bare_most / ACCOUNTS),
        ratio(
            "p4", "whole process", 1.4, middle([v.cost.seconds for v in mine]), middle([v.cost.seconds for v in bare])
        ),
        ratio("p4", "window", 1.15, middle([v.window for v in mine]), middle([v.window for v in bare])),
        ratio("p4", "CPU", 4, middle([v.cost.cpu for v in mine]), middle([v.cost.cpu for v in bare]), "CPU s"),
    ]

"""P12: 200 documents from a portal in trouble: 429 and 500, answers that break off, a session that ends on the way."""

from __future__ import annotations

from benchmarks import truth
from benchmarks.bench import Bench, Visit, middle
from benchmarks.figures import Figure, count, ratio

DOCUMENTS = 200
SIZE = 100_000  # bytes
LATENCY = 50  # ms
MOST_REQUESTS = 250
SESSION = 150  # requests that a session is good for: the first one ends, the second one lasts
FAULTS = {"seed": 7, "429": 0.03, "500": 0.03, "cut": 0.03, "paths": "/documents", "most": 2, "retry_after": 1}


def run(bench: Bench) -> list[Figure]:
    """Send both to the same user of the same portal, so that both meet the same trouble; another user in each round."""
    told = {"documents": DOCUMENTS, "file_bytes": SIZE, "latency_ms": LATENCY}
    bench.admin.configure(**told, session_requests=SESSION, faults=FAULTS)
    died: list[int] = []

    def afresh(people: list[str], visit: str) -> Visit:
        bench.admin.reset()  # the faults begin again, and no session is left
        if visit == "bare":
            return bench.bare("files", people, program="robust")
        found = bench.ours("plain_files", people)
        died.append(bench.admin.counters()["sessions_died"])
        return found

    # The trouble depends on the user's name: these are the same whatever else is measured.
    people = bench.store([f"ok+trouble-{turn}@example.com" for turn in range(bench.rounds)])
    turns = {"ours": iter(people), "bare": iter(people)}
    ours, bare = bench.alternate(
        lambda: afresh([next(turns["ours"])], "ours"),
        lambda: afresh([next(turns["bare"])], "bare"),
    )
    bench.admin.configure(session_requests=0, faults={}, latency_ms=0)
    needless = max(visit.sign_ins - 1 - dead for visit, dead in zip(ours, died, strict=True))
    return [
        *truth.figures("p12", bench, people, DOCUMENTS, SIZE),
        count("p12", "sign-ins beyond 1 + sessions that died", 0, needless),
        count("p12", "runs in which no session died", 0, died.count(0)),
        count("p12", "requests", MOST_REQUESTS, max(v.requests for v in ours), max(v.requests for v in bare)),
        ratio(
            "p12",
            "whole process",
            1.2,
            middle([v.cost.seconds for v in ours]),
            middle([v.cost.seconds for v in bare]),
        ),
        ratio("p12", "window", None, middle([v.window for v in ours]), middle([v.window for v in bare])),
    ]

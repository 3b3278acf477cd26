"""P11: requests in flight, as the portal counts them, sign-ins and files included, in a burst."""

from __future__ import annotations

from benchmarks.bench import Bench
from benchmarks.figures import Figure, count

LIMIT = 16  # our default
ACCOUNTS = 8
DOCUMENTS = 50


def run(bench: Bench) -> list[Figure]:
    """Let eight accounts sign in and fetch everything at once."""
    bench.admin.configure(documents=DOCUMENTS, file_bytes=20_000, latency_ms=20)
    highest = []
    for fetch in (
        lambda: bench.ours("plain_files", bench.people(ACCOUNTS)),
        lambda: bench.bare("files", bench.people(ACCOUNTS)),
    ):
        bench.admin.reset()  # the maxima begin again
        highest.append(fetch())
    ours, bare = highest
    bench.admin.configure(latency_ms=0)
    wanted = ACCOUNTS * DOCUMENTS
    return [
        count("p11", "requests in flight", LIMIT, ours.in_flight, bare.in_flight),
        count("p11", "connections", LIMIT + 1, ours.connections, bare.connections),
        count("p11", "files missing", 0, wanted - ours.downloads, wanted - bare.downloads),
        count("p11", "sign-ins per account", 1, ours.sign_ins / ACCOUNTS, bare.sign_ins / ACCOUNTS),
    ]

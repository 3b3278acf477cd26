"""P3: one account, 200 documents of 100 KB, answered at once: what a request costs where nothing hides it."""

from __future__ import annotations

from benchmarks import truth
from benchmarks.bench import Bench, Visit, middle
from benchmarks.figures import Figure, ratio

DOCUMENTS = 200
SIZE = 100_000  # bytes


def run(bench: Bench) -> list[Figure]:
    """Fetch many documents and one in turns: what the many take beyond the one is no start-up."""
    met: list[str] = []

    def ours(documents: int) -> Visit:
        bench.admin.configure(documents=documents, file_bytes=SIZE, latency_ms=0)
        people = bench.people(1)
        met.extend(people if documents == DOCUMENTS else [])
        return bench.ours("plain_files", people)

    def bare(documents: int) -> Visit:
        bench.admin.configure(documents=documents, file_bytes=SIZE, latency_ms=0)
        return bench.bare("files", bench.people(1))

    many, one, bare_many, bare_one = bench.alternate(
        lambda: ours(DOCUMENTS), lambda: ours(1), lambda: bare(DOCUMENTS), lambda: bare(1)
    )
    each, bare_each = each_ms(many, one), each_ms(bare_many, bare_one)
    return [
        *truth.figures("p3", bench, met, DOCUMENTS, SIZE),
        ratio("p3", "whole process", 3, seconds(many), seconds(bare_many)),
        ratio("p3", "CPU", 3, cpu(many), cpu(bare_many), "CPU s"),
        Figure("p3", "CPU per document beyond the start-up", each, 2.5, each, bare_each, "CPU ms"),
        ratio("p3", "window", None, middle([v.window for v in many]), middle([v.window for v in bare_many])),
    ]


def seconds(visits: list[Visit]) -> float:
    """Return the median of the seconds."""
    return middle([visit.cost.seconds for visit in visits])


def cpu(visits: list[Visit]) -> float:
    """Return the median of the CPU seconds."""
    return middle([visit.cost.cpu for visit in visits])


def each_ms(many: list[Visit], one: list[Visit]) -> float:
    """Return the CPU milliseconds that a further document takes."""
    return (cpu(many) - cpu(one)) * 1000 / (DOCUMENTS - 1)

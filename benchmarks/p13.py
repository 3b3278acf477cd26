"""P13: start-up: a crawl that finds everything known, and commands that do not crawl. CPU seconds: they hardly wait."""

from __future__ import annotations

from benchmarks.bench import Bench, middle
from benchmarks.figures import Figure, ratio

COMMANDS = (("status",), ("portals",), ("accounts", "list"))


def run(bench: Bench) -> list[Figure]:
    """Measure processes in turns with one that only imports aiohttp; neighbours disturb CPU seconds less than others."""
    bench.admin.configure(documents=20, file_bytes=20_000, latency_ms=0)
    people = bench.people(1)
    bench.ours("plain_files", people)
    bench.bare("files", people)
    for command in COMMANDS:
        bench.command(*command)  # the first time compiles
    aiohttp, empty, bare, *commands = (
        middle([cost.cpu for cost in costs])
        for costs in bench.alternate(
            lambda: bench.python("import aiohttp"),
            lambda: bench.ours("plain_files", people).cost,
            lambda: bench.bare("files", people).cost,
            *((lambda command=command: bench.command(*command)) for command in COMMANDS),
        )
    )
    return [
        Figure("p13", "empty run", empty, 0.7, empty, bare, "CPU s"),
        ratio("p13", "empty run / importing aiohttp", 3, empty, aiohttp, "CPU s"),
        *(
            Figure("p13", f"scrapy {' '.join(command)}", seconds, 0.9, seconds, None, "CPU s")
            for command, seconds in zip(COMMANDS, commands, strict=True)
        ),
    ]

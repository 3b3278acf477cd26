"""`python -m benchmarks [p6 …]`: measure, print a table, write `.latchkey/bench.json` and `.md`; exit 1 when a count is broken."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import against
from benchmarks.bench import ROUNDS, prepared
from benchmarks.figures import Figure, cells, markdown, table

# Each a module here with `run(bench)`; p1 also gives p2.
BENCHMARKS = (
    "p1",
    "p3",
    "p4",
    "p5",
    "p6",
    "p7",
    "p8",
    "p9",
    "p10",
    "p11",
    "p12",
    "p13",
    "readings",
    "prices",
    "telegram",
    "carriers",
    "warm",
    "listing",
    "load",
    "speed",
)


def main() -> int:
    """Run the benchmarks that were asked for, all without any."""
    parser = argparse.ArgumentParser(prog="./run bench", description="Measure our speed beside a bare client.")
    parser.add_argument("which", nargs="*", metavar="WHICH", help=f"some of {', '.join(BENCHMARKS)}; all without any")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="times that everything is measured; medians count")
    parser.add_argument("--json", type=Path, default=Path(".latchkey/bench.json"), help="where the figures go")
    parser.add_argument("--against", metavar="COMMIT", help="play that commit and this checkout in turn")
    told = parser.parse_args()
    which = [word.lower() for word in told.which] or list(BENCHMARKS)
    if unknown := sorted(set(which) - set(BENCHMARKS)):
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    rounds = max(told.rounds, 1)
    if told.against:
        return compare(parser, told.against, which, rounds, told.json)
    figures: list[Figure] = []
    with prepared(rounds) as bench:
        for word in which:
            began = time.monotonic()
            figures += import_module(f"benchmarks.{word}").run(bench)
            print(f"{word}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(table(cells(figures)))
    write(told.json, cells(figures), [figure.as_json() for figure in figures])
    broken = [figure for figure in figures if figure.verdict == "broken"]
    for figure in broken:
        print(f"{figure.benchmark}: {figure.name} is {figure.value:g}, more than {figure.target:g}.", file=sys.stderr)
    return 1 if broken else 0


def compare(parser: argparse.ArgumentParser, commit: str, which: list[str], rounds: int, path: Path) -> int:
    """Play a commit and this checkout in turn."""
    try:
        commit = against.resolved(commit)
    except subprocess.CalledProcessError:
        parser.error(f"there is no commit {commit}")
    rows: list[list[str]] = []
    for found in against.play(commit, [word for word in which if word not in against.ALONE], rounds):
        rows = against.cells(commit, found)
        write(path.with_stem(f"{path.stem}-against-{commit}"), rows, against.as_json(found))
    print(table(rows))
    return 0


def write(path: Path, rows: list[list[str]], figures: list[dict[str, Any]]) -> None:
    """Write the figures as JSON, and a table of them beside it as Markdown."""
    path.parent.mkdir(parents=True, exist_ok=True)
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()}
    path.write_text(json.dumps({"machine": machine, "figures": figures}, indent=2) + "\n")
    path.with_suffix(".md").write_text(markdown(rows))


if __name__ == "__main__":
    sys.exit(main())

"""Several real processes on one database, let go at the same moment; and one that can be killed."""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import queue
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import IO, Any

from tests.project import ROOT, TEST_KEY, clean_environment

PATIENCE = 60  # seconds


def crowd(url: str, count: int, program: str) -> list[str]:
    """Run *program* in *count* processes at once and return what each printed; `db` and `number` are given."""
    # They are forked from a process of their own, which has imported everything once, and no thread yet.
    done = subprocess.run(
        [sys.executable, "-m", "tests.database.crowd"],
        cwd=ROOT,
        env=_environment(url),
        input=json.dumps({"count": count, "program": program}),
        stdout=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    answers: list[str] = json.loads(done.stdout)
    return answers


@contextmanager
def a_process(url: str, program: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """Start one process that runs *program* on the database `db`; give it and its output, and kill it at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"import sys\nfrom database.engine import database\ndb = database()\n{program}"],
        cwd=ROOT,
        env=_environment(url),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _environment(url: str) -> dict[str, str]:
    return {
        **clean_environment(),
        "LATCHKEY_DATABASE_URL": url,
        "LATCHKEY_ENCRYPTION_KEYS": TEST_KEY,
        "PYTHONPATH": str(ROOT),
    }


def _main() -> None:
    from database.engine import database as this_database

    asked = json.load(sys.stdin)
    context = multiprocessing.get_context("fork")

    def child(number: int, gate: Barrier, answers: Queue[Any]) -> None:
        names = {"db": this_database(), "number": number}
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            program = compile(asked["program"], "program", "exec")
            gate.wait(PATIENCE)
            exec(program, names)
        answers.put(said.getvalue().strip())

    gate, answers = context.Barrier(asked["count"]), context.Queue()
    children = [context.Process(target=child, args=(number, gate, answers)) for number in range(asked["count"])]
    for process in children:
        process.start()
    given: list[str] = []
    while len(given) < len(children) and not any(process.exitcode for process in children):
        with contextlib.suppress(queue.Empty):
            given.append(answers.get(timeout=0.2))
    for process in children:
        process.join()
    if any(process.exitcode for process in children):
        sys.exit("a process of the crowd failed")
    json.dump(given, sys.stdout)


if __name__ == "__main__":
    _main()

"""A PostgreSQL with the extensions that Prefect needs, which the one in a wheel lacks: the system's, as a child of the test."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from tests.dovecot import give_away, runner
from tests.project import free_port, wait_for

NEEDED = "PostgreSQL with its own extensions (Debian: postgresql)"
PLACES = "/usr/lib/postgresql"  # where Debian keeps each version's programs, which are in no PATH
EXTENSION = "pg_trgm"


@cache
def programs() -> Path | None:
    """Return the folder of `initdb` and `postgres`; None where there is none with the extension."""
    found = [path.parent for path in Path(PLACES).glob("*/bin/initdb")]
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path).resolve().parent)
    for folder in sorted(found, reverse=True):
        said = subprocess.run([folder / "pg_config", "--sharedir"], check=False, capture_output=True, text=True)
        if Path(said.stdout.strip(), "extension", f"{EXTENSION}.control").exists():
            return folder
    return None


@contextmanager
def full_postgresql() -> Iterator[str]:
    """Run a server on loopback until the end of the context, and give the URL of its database; its data is thrown away."""
    found = programs()
    assert found is not None, f"The tests marked prefect need {NEEDED}."
    folder, port = Path(tempfile.mkdtemp(prefix="latchkey-postgresql-")), free_port()
    user, group = runner()
    # It refuses to run as root.
    options: dict[str, Any] = {"user": user, "group": group, "extra_groups": []} if os.geteuid() == 0 else {}
    try:
        give_away(folder)
        data = folder / "data"
        initdb = [found / "initdb", "--auth=trust", "--no-sync", "-U", "latchkey", "-E", "UTF8", "-D", data]
        made = subprocess.run(initdb, cwd=folder, capture_output=True, text=True, check=False, **options)
        assert made.returncode == 0, made.stderr
        given = [found / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-F"]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(given, cwd=folder, stdout=log, stderr=log, **options)
        url = f"postgresql://latchkey@127.0.0.1:{port}/postgres"
        try:
            wait_for(lambda: process.poll() is not None or _answers(url), 60)
            assert process.poll() is None, (folder / "log").read_text()
            yield url
        finally:
            process.send_signal(signal.SIGINT)  # it ends its clients
            process.wait(timeout=60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True

"""How often requests came, counted together by all processes of a service on one machine: a storage of `limits`."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from limits.storage import Storage

SCHEME = "latchkey"
TABLE = "CREATE TABLE IF NOT EXISTS counts (key TEXT PRIMARY KEY, count INTEGER NOT NULL, until REAL NOT NULL)"
# One statement, so that no other process counts between reading and writing.
COUNT = """
INSERT INTO counts VALUES (:key, :amount, :until) ON CONFLICT (key) DO UPDATE SET
  count = CASE WHEN until <= :now THEN :amount ELSE count + :amount END,
  until = CASE WHEN until <= :now THEN :until ELSE until END
RETURNING count
"""
BUSY_SECONDS = 10.0  # that one process waits for another's write
SWEEP_AFTER = 1000  # counts of a process, after which what has expired is deleted


def in_folder(folder: Path) -> str:
    """Return the address of the storage with its file in a folder."""
    return f"{SCHEME}://{(folder / 'counts.db').resolve()}"


class SharedCounts(Storage):
    """
    Counters in a SQLite file, which is the same for all processes and lost with the machine: nothing waits for its disk.

    The keys are hashed: those of `limits` hold addresses and telephone numbers.
    """

    STORAGE_SCHEME = [SCHEME]

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self._path = unquote(urlsplit(uri or "").path)
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._counted = 0

    @property
    def base_exceptions(self) -> type[Exception]:
        """What goes wrong here."""
        return sqlite3.Error

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add *amount* to a counter, which begins anew *expiry* seconds after its first count; return it."""
        now = time.time()
        self._counted += 1
        if self._counted % SWEEP_AFTER == 0:
            self._ask("DELETE FROM counts WHERE until <= :now", now=now)
        ((count,),) = self._ask(COUNT, key=_hashed(key), amount=amount, now=now, until=now + expiry)
        return int(count)

    def get(self, key: str) -> int:
        """Return a counter; 0 where it has expired."""
        found = self._ask(
            "SELECT count FROM counts WHERE key = :key AND until > :now", key=_hashed(key), now=time.time()
        )
        return int(found[0][0]) if found else 0

    def get_expiry(self, key: str) -> float:
        """Return when a counter begins anew, in seconds since 1970; now for one that there is not."""
        found = self._ask("SELECT until FROM counts WHERE key = :key", key=_hashed(key))
        return float(found[0][0]) if found else time.time()

    def check(self) -> bool:
        """Tell whether the file can be used."""
        return bool(self._ask("SELECT 1"))

    def reset(self) -> int | None:
        """Forget all counters; return how many there were."""
        return len(self._ask("DELETE FROM counts RETURNING key"))

    def clear(self, key: str) -> None:
        """Forget a counter."""
        self._ask("DELETE FROM counts WHERE key = :key", key=_hashed(key))

    def _ask(self, statement: str, **values: Any) -> list[Any]:
        with self._lock:
            if self._connection is None or self._pid != os.getpid():  # one does not survive a fork
                self._connection, self._pid = self._connected(), os.getpid()
            return self._connection.execute(statement, values).fetchall()

    def _connected(self) -> sqlite3.Connection:
        made = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("PRAGMA synchronous=OFF")
        made.execute(TABLE)
        return made


def _hashed(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()

"""What a portal remembers: tables of JSON objects in memory, written through to one SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class State:
    """The tables of one portal. What is set is in the file before the call returns; what is touched soon follows."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._tables: dict[str, Table] = {}
        self._changed: set[tuple[str, str]] = set()
        self._connection = sqlite3.connect(path, isolation_level=None)
        # The page cache of the system outlives a killed process, so no fsync: state must survive kill -9, not a power cut.
        self._connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS rows (name TEXT, key TEXT, value TEXT, PRIMARY KEY (name, key))"
        )

    def table(self, name: str) -> Table:
        """Return the table of that name, with what was remembered."""
        if name not in self._tables:
            stored = self._connection.execute("SELECT key, value FROM rows WHERE name = ?", (name,))
            self._tables[name] = Table(self, name, {key: json.loads(value) for key, value in stored})
        return self._tables[name]

    def changed(self, name: str, key: str) -> None:
        """Note that a row differs from the file."""
        self._changed.add((name, key))

    def flush(self) -> None:
        """Write what has changed, as one transaction."""
        if not self._changed:
            return
        changed, self._changed = self._changed, set()
        gone = [(name, key) for name, key in changed if key not in self._tables[name]]
        there = [(name, key, json.dumps(self._tables[name][key])) for name, key in changed if key in self._tables[name]]
        self._connection.execute("BEGIN")
        self._connection.executemany("DELETE FROM rows WHERE name = ? AND key = ?", gone)
        self._connection.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", there)
        self._connection.execute("COMMIT")

    def clear(self, *kept: str) -> None:
        """Forget everything but the tables named."""
        self.flush()
        for name, table in self._tables.items():
            if name not in kept:
                table.forget()
        marks = ",".join("?" * len(kept))
        self._connection.execute(f"DELETE FROM rows WHERE name NOT IN ({marks})", kept)

    def close(self) -> None:
        """Write what has changed and let go of the file."""
        self.flush()
        self._connection.close()


class Table(MutableMapping[str, Row]):
    """JSON objects by key. Setting and deleting write at once; call `touch` after a change inside an object."""

    def __init__(self, state: State, name: str, rows: dict[str, Row]) -> None:
        self._state, self._name, self._rows = state, name, rows

    def __getitem__(self, key: str) -> Row:
        return self._rows[key]

    def __setitem__(self, key: str, value: Row) -> None:
        self._rows[key] = value
        self._state.changed(self._name, key)
        self._state.flush()

    def __delitem__(self, key: str) -> None:
        del self._rows[key]
        self._state.changed(self._name, key)
        self._state.flush()

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def touch(self, key: str) -> None:
        """Have the row written at the next flush, a tenth of a second away at most."""
        self._state.changed(self._name, key)

    def forget(self) -> None:
        """Empty the table in memory; the file is the caller's business."""
        self._rows.clear()

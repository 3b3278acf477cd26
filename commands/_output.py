"""Rows of any number into a file: CSV, JSON or Parquet, with a line now and then about how far it has come."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands._terminal import WrongArgument

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

FORMATS = ("csv", "json", "jsonl", "parquet")
PYARROW = "pyarrow>=26,<27"
GROUP = 10_000  # rows of a Parquet file's group, which are held at once
SILENT = 5.0  # seconds between two lines about how far it has come


def check_format(form: str, output: Path | None) -> None:
    """Raise WrongArgument where a format cannot be written."""
    if form != "parquet":
        return
    if find_spec("pyarrow") is None:
        raise WrongArgument(
            f"--format parquet needs the package pyarrow: run `pip install '{PYARROW}'`, or choose another format."
        )
    if output is None:
        raise WrongArgument("--format parquet: name the file to write with --output.")


def flat(
    pages: Iterable[list[Any]], clock: Callable[[], float] = time.monotonic, silent: float = SILENT
) -> Iterator[Any]:
    """Yield the rows of pages; say on standard error how many there were, where that takes long."""
    count, said = 0, clock()
    for page in pages:
        yield from page
        count += len(page)
        if (at := clock()) - said >= silent:
            said = at
            print(f"{count:,} rows so far …", file=sys.stderr, flush=True)


def write_parquet(path: Path, columns: Mapping[str, TypeEngine[Any]], rows: Iterable[Any]) -> int:
    """Write rows as Parquet, in groups; return how many. columns: types in the database, by name."""
    import pyarrow
    from pyarrow import parquet

    schema = pyarrow.schema({name: _kind(name, kind) for name, kind in columns.items()})
    count, group = 0, []
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for count, row in enumerate(rows, 1):  # noqa: B007 - used after the loop
            group.append(row)
            if len(group) == GROUP:
                _write_group(writer, schema, group)
                group.clear()  # before the next rows are read: one group is held, not two
        if group:
            _write_group(writer, schema, group)
    return count


def _write_group(writer: Any, schema: Any, rows: list[Any]) -> None:
    import pyarrow

    columns = zip(*rows, strict=True)
    arrays = [
        pyarrow.array([_value(each) for each in column], field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    writer.write_batch(pyarrow.record_batch(arrays, schema=schema))


def _kind(name: str, kind: TypeEngine[Any]) -> Any:
    """Return Arrow's type for a column; TypeError for one that has none."""
    import pyarrow
    from sqlalchemy import types

    from database.models.base import Json, UtcDateTime

    if isinstance(kind, UtcDateTime):
        return pyarrow.timestamp("us", tz="UTC")
    if isinstance(kind, types.Boolean):
        return pyarrow.bool_()
    if isinstance(kind, types.Integer):
        return pyarrow.int64()
    if isinstance(kind, types.Float):
        return pyarrow.float64()
    if isinstance(kind, types.Numeric):
        return pyarrow.decimal128(kind.precision, kind.scale)
    if isinstance(kind, types.Date):
        return pyarrow.date32()
    if isinstance(kind, Json | types.String):
        return pyarrow.string()
    raise TypeError(f"the column {name} has a type that Parquet files of ours have none for: {kind!r}")


def _value(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    if isinstance(value, Enum):
        return value.value
    return value.astimezone(UTC) if isinstance(value, datetime) else value

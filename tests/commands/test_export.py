"""`scrapy export`: every type of record, every format with its types, files that are whole, memory that stays flat."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import stat
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Column, MetaData, String, Table, select

from commands._output import flat, write_parquet
from commands._terminal import last_instant
from database.access.encryption import Encrypted
from database.families.accounts import NewAccount, add_account
from database.models import PoolUsage, all_tables
from database.models.readings import Direction, MeterReading, Resolution
from scrapers.core.exports import NO_RECORDS, Records, record_types
from scrapers.core.whole import whole_file
from tests.project import CARRIERS, ROOT

SECRET = re.compile("hash|fingerprint|secret|token|password|session_string|cookie")


def unknown(tables):
    """Return the names of the tables that are no type of record, in no type's rows, and not on the list of those that are none."""
    known = set()
    for kind in record_types().values():
        records = kind.make()
        bases = {base for column in records.columns.values() for base in column.base_columns}
        known |= {records.table} | {base.table.name for base in bases if base.name == "run_id"}
    assert known & set(NO_RECORDS) == set()
    return {name for name in tables if not name.startswith("plain_")} - known - set(NO_RECORDS)  # of the tests' portal


def test_every_table_is_exported_or_named_as_one_that_is_no_record():
    tables = all_tables().tables
    assert unknown(tables) == set()
    assert set(NO_RECORDS) <= set(tables)
    assert all(NO_RECORDS.values())
    new = Table("new_records", MetaData(), Column("name", String, primary_key=True))
    assert unknown({**tables, "new_records": new}) == {"new_records"}


def test_every_type_is_exported_and_limited(store, command):
    for name in record_types():
        for more in ((), ("--since", "2026-10-20", "--until", "2026-10-21")):
            said = command("export", "records", "--format", "json", "--type", name, *more)
            assert (said.code, json.loads(said.out)) == (0, []), (name, said.err)


def test_no_secret_is_a_column_of_a_record():
    for name, kind in record_types().items():
        columns = kind.make().columns
        assert not [each for each in columns if SECRET.search(each)], name
        assert len(columns) == len(kind.make().query.selected_columns), name  # no two of one name
    hidden = Table("hidden", MetaData(), Column("id", String, primary_key=True), Column("key", Encrypted))
    with pytest.raises(ValueError, match="column key is encrypted"):
        Records(select(hidden), hidden.c.id)


def test_the_help_lists_every_type_with_a_sentence(command):
    said = command("export", "records", "--help").out.partition("types of records:\n")[2].splitlines()
    listed = {line.split()[0]: line for line in said if line}
    assert set(listed) == set(record_types())
    for name, kind in record_types().items():
        assert kind.sentence.endswith(".")
        assert kind.sentence in listed[name]
    assert listed["pool_usage"].endswith("Takes --account, --client.")
    assert "Takes" not in listed["vehicles"]


def test_every_type_has_a_parquet_type_for_each_column(tmp_path):
    from pyarrow import parquet

    for name, kind in record_types().items():
        columns = kind.make().columns
        assert write_parquet(tmp_path / name, {key: each.type for key, each in columns.items()}, []) == 0
        assert parquet.read_schema(tmp_path / name).names == list(columns)


@pytest.fixture
def stored(store):
    """Two clients with an account each, pool figures of two days, invoices, and readings."""
    with store.transaction() as session:
        for client, number in (("Acme", "500100200"), ("Brook", "500100300")):
            account, _ = add_account(session, NewAccount(client, "Depot", "bell", number), CARRIERS)
            for day, used in ((date(2026, 10, 30), 2**60 + 1), (date(2026, 10, 31), None)):
                session.add(PoolUsage(account_id=account.id, day=day, pool_size=None, pool_used=used))
        readings = {"contract": "1", "meter": "2", "meter_code": "503", "direction": Direction.CONSUMPTION}
        for hour, kwh in ((0, Decimal("-0.1250")), (1, None), (2, Decimal("1234567890.1234"))):
            at = datetime(2026, 10, 31, hour, tzinfo=UTC)
            session.add(MeterReading(**readings, resolution=Resolution.DAILY, starts_at=at, kwh=kwh))
    return store


def written(command, tmp_path, kind, form, *argv):
    place = tmp_path / f"records.{form}"
    said = command("export", "records", "--type", kind, "--format", form, "--output", str(place), *argv)
    assert (said.code, said.err) == (0, "")
    return place


KWH = [Decimal("-0.1250"), None, Decimal("1234567890.1234")]


def test_types_are_kept_in_parquet(stored, command, tmp_path):
    import pyarrow
    from pyarrow import parquet

    table = parquet.read_table(written(command, tmp_path, "readings", "parquet"))
    assert table.schema.field("kwh").type == pyarrow.decimal128(14, 4)
    assert table.schema.field("starts_at").type == pyarrow.timestamp("us", tz="UTC")
    assert table.column("kwh").to_pylist() == KWH
    assert table.column("starts_at").to_pylist()[1] == datetime(2026, 10, 31, 1, tzinfo=UTC)
    assert table.column("resolution").to_pylist() == ["daily"] * 3
    table = parquet.read_table(written(command, tmp_path, "pool_usage", "parquet"))
    assert table.schema.field("pool_used").type == pyarrow.int64()
    assert table.schema.field("day").type == pyarrow.date32()
    assert table.column("pool_used").to_pylist()[:2] == [2**60 + 1, None]
    assert table.column("pool_size").null_count == 4


def test_types_are_kept_in_csv_and_json_lines(stored, command, tmp_path):
    lines = [json.loads(line) for line in written(command, tmp_path, "readings", "jsonl").read_text().splitlines()]
    assert [line["kwh"] for line in lines] == ["-0.1250", None, "1234567890.1234"]
    assert lines[0]["starts_at"] == "2026-10-31T00:00:00+00:00"
    rows = list(csv.DictReader(io.StringIO(written(command, tmp_path, "readings", "csv").read_text())))
    assert [row["kwh"] for row in rows] == ["-0.1250", "", "1234567890.1234"]
    lines = [json.loads(line) for line in written(command, tmp_path, "pool_usage", "jsonl").read_text().splitlines()]
    assert [(line["pool_used"], line["pool_size"]) for line in lines[:2]] == [(2**60 + 1, None), (None, None)]


def test_rows_are_limited_by_time_account_and_client(stored, command):
    def days(*argv):
        said = command("export", "records", "--format", "json", "--type", "pool_usage", *argv)
        return [(row["account"], row["day"][-2:]) for row in json.loads(said.out)]

    acme, brook = "500100200", "500100300"
    assert days("--client", "Acme") == [(acme, "30"), (acme, "31")]
    assert days("--account", brook, "--until", "2026-10-30") == [(brook, "30")]
    assert days("--since", "2026-10-31", "--client", "Brook") == [(brook, "31")]
    assert days("--since", "2026-10-30", "--until", "2026-10-31T00:00Z") == [(acme, "30"), (brook, "30")]
    assert days("--account", acme, "--client", "Brook") == []
    said = command("export", "records", "--format", "json", "--type", "readings", "--until", "2026-10-31T01:00+00:00")
    assert len(json.loads(said.out)) == 1
    refused = command("export", "records", "--type", "readings", "--client", "Acme")
    assert (refused.code, refused.err) == (2, "--client: records of the type readings belong to no client.\n")
    refused = command("export", "records", "--client", "Nobody")
    assert (refused.code, "--client Nobody" in refused.err) == (2, True)


def test_the_last_day_belongs_to_what_is_asked_for():
    assert last_instant("2026-10-31") == datetime(2026, 11, 1, tzinfo=UTC)
    assert last_instant("2026-10-31T08:00+02:00") == datetime(2026, 10, 31, 6, tzinfo=UTC)


def test_what_parquet_needs_is_named(command, monkeypatch, tmp_path):
    said = command("export", "files", "--format", "parquet")
    assert (said.code, "--output" in said.err) == (2, True)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = command("export", "files", "--format", "parquet", "--output", str(tmp_path / "files.parquet"))
    assert (said.code, "pip install 'pyarrow>=" in said.err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_seen_when_it_is_whole(tmp_path):
    place = tmp_path / "records.csv"
    place.write_text("before")
    link = tmp_path / "link.csv"
    link.symlink_to(place)
    with pytest.raises(RuntimeError), whole_file(link) as path:  # noqa: PT012 - what is seen while it is written
        path.write_text("half")
        assert place.read_text() == "before"
        raise RuntimeError
    assert {each.name for each in tmp_path.iterdir()} == {"records.csv", "link.csv"}
    with whole_file(link) as path:
        path.write_text("after")
    assert (place.read_text(), link.is_symlink(), len(list(tmp_path.iterdir()))) == ("after", True, 2)


def test_a_device_is_written_to_and_a_full_one_is_said(stored, command, tmp_path):
    said = command("export", "records", "--output", "/dev/full")
    assert (said.code, "No space left" in said.err) == (1, True)
    with open("/dev/full", "rb") as device:
        assert stat.S_ISCHR(os.fstat(device.fileno()).st_mode)


def test_a_long_export_says_how_far_it_has_come(capsys):
    times = iter((0.0, 1.0, 6.0, 7.0, 12.0))
    assert len(list(flat([[1] * 5000] * 4, lambda: next(times), 5.0))) == 20_000
    assert capsys.readouterr().err == "10,000 rows so far …\n20,000 rows so far …\n"


MEASURED = """
import sys
from datetime import UTC, datetime, timedelta
from sqlalchemy import insert
from database.engine import database
from database.models import all_tables
from database.models.readings import MeterReading
from commands.export import Command
from scrapy.cmdline import ScrapyArgumentParser
from scrapy.settings import Settings

def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])

def export(*more):
    command = Command()
    command.settings = Settings()
    parser = ScrapyArgumentParser(conflict_handler="resolve")
    command.add_options(parser)
    argv = ["records", "--type", "readings", "--format", form, "--output", "records", *more]
    command.run([], parser.parse_args(argv))
    assert command.exitcode == 0

count, first, form = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
all_tables().create_all(database().engine)
begin = datetime(1990, 1, 1, tzinfo=UTC)
row = {"contract": "1", "meter": "2", "meter_code": "503", "direction": "consumption", "resolution": "daily", "kwh": 1}
for start in range(0, count, 5000):
    with database().transaction() as session:
        session.execute(
            insert(MeterReading), [{**row, "starts_at": begin + n * timedelta(minutes=15)} for n in range(start, start + 5000)]
        )
export("--until", (begin + first * timedelta(minutes=15)).isoformat())
before = peak()
export()
print(peak() - before)
"""


@pytest.mark.parametrize(
    ("form", "count"),
    [
        pytest.param("parquet", 30_000, id="parquet"),
        pytest.param("parquet", 1_000_000, id="parquet of a million", marks=pytest.mark.figures),
        pytest.param("jsonl", 1_000_000, id="jsonl of a million", marks=pytest.mark.figures),
    ],
)
@pytest.mark.timeout(1200)
def test_memory_stays_flat(form, count, tmp_path, encryption_key):
    """The whole table takes no more memory than its first 12,000 rows; in one group, 18,000 more took 14 MB and so 1 MB."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "LATCHKEY_DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(count), "12000", form],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"Wrote {count} to records." in done.stdout
    assert int(done.stdout.splitlines()[-1]) < 8_000, done.stdout  # kB

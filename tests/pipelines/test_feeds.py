"""What feeds are made of: flat records without our own keys, made while they are written."""

from __future__ import annotations

import csv
import io
import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from database.models import FileStatus, ReportLine, UsageRecord
from pipelines.exporters import CsvExporter
from pipelines.feeds import flat
from scrapers.core.items import Batch, FileItem, Lines, Listing
from scrapers.core.spool import CSV, PartFile
from scrapers.families.carriers.items import PoolRecord, ReportFile

MANY = 10_000
STORED = "bell/5551234/2026-10/cost.csv"
AT = "5551234/2026-10"


@pytest.fixture(autouse=True)
def stored(tmp_path, monkeypatch):
    """Keep the file in the store: its part file has been moved there."""
    (tmp_path / STORED).parent.mkdir(parents=True)
    (tmp_path / STORED).write_bytes(b"cost")
    monkeypatch.setenv("LATCHKEY_FILES", str(tmp_path))


def lines(count: int, made: list[int]) -> Lines:
    def rows(stored):
        assert stored.read() == b"cost"
        for number in range(1, count + 1):
            made.append(number) if count < 100 else None
            yield {
                "row": number,
                "account_number": "5551234",
                "data": {"cost": Decimal("1.20"), "on": date(2026, 10, 1)},
            }

    return Lines(job=7, table=ReportLine, place={"billing_cycle_id": 3, "carrier_report_id": 4}, rows=rows)


def report(records) -> ReportFile:
    part = PartFile(Path("/spool/x.part"), "suggested.csv", CSV, "0" * 64, 10)
    return ReportFile(
        job=7,
        part=part,
        key="cost_overview",
        name="cost.csv",
        declared=(CSV,),
        source="https://portal.example/report?token=canary",
        billing_cycle_id=3,
        carrier_report_id=4,
        records=records,
        stored_path=STORED,
    )


def test_a_file_is_a_record_and_so_is_every_row_in_it():
    file, *rows = flat(report((lines(2, []),)), AT)
    assert (file["type"], file["target"], file["file"], file["path"]) == (
        *("files", AT, "cost_overview"),
        STORED,
    )
    assert rows[1] == {
        "type": "report_rows",
        "target": AT,
        "file": "cost_overview",
        "row": 2,
        "account_number": "5551234",
        "data": {"cost": Decimal("1.20"), "on": "2026-10-01"},
    }
    assert "canary" not in str(file)
    assert "spool" not in str(file)


def test_keys_into_our_own_tables_are_left_out():
    (pool,) = flat(PoolRecord(job=7, account_id=5, day=date(2026, 10, 1), pool_size=None, pool_used=1), AT)
    assert pool == {"type": "pool_usage", "target": AT, "day": "2026-10-01", "pool_size": None, "pool_used": 1}


def test_instants_keep_their_offset_and_choices_are_their_words():
    at = datetime(2026, 10, 1, 12, tzinfo=UTC)
    batch = Batch(job=7, table=UsageRecord, natural_key=("row",), rows=[{"at": at, "status": FileStatus.READY}])
    (row,) = flat(batch, AT)
    assert (row["at"], row["status"]) == ("2026-10-01T12:00:00+00:00", "ready")


def test_what_is_no_record_is_in_no_feed():
    assert list(flat(Listing(job=7, keys=("a",)), AT)) == []
    assert issubclass(ReportFile, FileItem)


def test_rows_are_made_while_they_are_written():
    made: list[int] = []
    records = flat(report((lines(50, made),)), AT)
    assert next(records)["type"] == "files"
    assert made == []
    assert next(records)["row"] == 1
    assert made == [1]


def test_a_csv_of_many_rows_is_never_held_in_memory(tmp_path):
    with (tmp_path / "feed.csv").open("wb") as file:
        exporter = CsvExporter(file)
        exporter.start_exporting()
        tracemalloc.start()
        for record in flat(report((lines(MANY, []),)), AT):
            exporter.export_item(record)
        exporter.finish_exporting()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 300_000, peak
    with (tmp_path / "feed.csv").open(newline="") as file:
        assert sum(1 for _ in csv.DictReader(file)) == MANY + 1
    assert (tmp_path / "feed.csv").stat().st_size > 2 * peak


def test_a_csv_has_every_field_of_every_record_or_those_that_were_chosen():
    def written(**options) -> list[list[str]]:
        file = io.BytesIO()
        exporter = CsvExporter(file, **options)
        exporter.start_exporting()
        for record in ({"a": 1, "b": {"c": Decimal("2.50")}}, {"a": None, "d": "ä"}):
            exporter.export_item(record)
        exporter.finish_exporting()
        return list(csv.reader(file.getvalue().decode().splitlines()))

    assert written() == [["a", "b", "d"], ["1", '{"c": "2.50"}', ""], ["", "", "ä"]]
    assert written(fields_to_export=["d", "a"]) == [["d", "a"], ["", "1"], ["ä", ""]]

"""
One workbook into one database, by us or barely: `python -m tests.pipelines.workbook ours|bare FILE FOLDER`.

Barely: every cell as the library gives it, one bulk insert into a plain table. Prints rows, seconds of CPU and of the
clock, and the megabytes that the work took beyond what the process had before.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import python_calamine
import sqlalchemy as sa

from benchmarks.processes import high_water
from database.engine import Database
from database.families.accounts import NewAccount, add_account
from database.families.cycles import cycle_for
from database.models import CarrierReport, ReportLine
from database.models.base import Base
from database.upsert import ensure
from pipelines.records import write
from scrapers.core.spool import describe
from scrapers.families.carriers.items import ReportFile, report_lines
from scrapers.portals.bell.columns import LOCALE, REPORTS
from scrapers.reading.workbooks import Sheet, check
from tests.project import CARRIERS

ACCOUNT, SLUG = "512345678", "cost_overview"


def ours(path: Path, db: Database) -> int:
    """Store the file's rows as the monthly spider and the records pipeline do."""
    with db.transaction() as session:
        account, _ = add_account(session, NewAccount("Acme", "Head office", "bell", ACCOUNT), CARRIERS)
        of_carrier = {"carrier_id": account.carrier_id, "slug": SLUG}
        report = ensure(session, CarrierReport, of_carrier, {"name": SLUG, "details": {}}).id
        cycle = cycle_for(session, account, 2026, 10).id
    part = describe(path, path.name)
    os.environ["LATCHKEY_FILES"] = str(path.parent)  # it is stored already
    begin()
    sheet = Sheet.of(part, REPORTS[SLUG], LOCALE)
    check(sheet, ACCOUNT, "2026-10")
    lines = report_lines(1, sheet, cycle, report)
    item = ReportFile(
        job=1,
        part=part,
        key=SLUG,
        name="x.xlsx",
        billing_cycle_id=cycle,
        carrier_report_id=report,
        records=(lines,),
        stored_path=path.name,
    )
    job = SimpleNamespace(
        id=None, key="k", fences={}, plan=SimpleNamespace(account_id=None, billing_cycle_id=cycle, store="")
    )
    with db.transaction() as session:
        write(session, SimpleNamespace(spider="s", portal="bell", report_type="monthly_reports"), job, item)
    end()
    with db.transaction() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(ReportLine)) or 0


def bare(path: Path, db: Database) -> int:
    """Store every cell as it is."""
    table = sa.Table("bare", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))
    kinds = (sa.Float, sa.String, sa.String, sa.String, sa.String, sa.Float, sa.Float, sa.Float, sa.Float)
    for number, kind in enumerate(kinds):
        table.append_column(sa.Column(f"c{number}", kind))
    table.create(db.engine)
    begin()
    rows = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    with db.transaction() as session:
        names = [f"c{number}" for number in range(len(kinds))]
        session.connection().execute(table.insert(), [dict(zip(names, row, strict=True)) for row in rows[1:]])
    end()
    with db.transaction() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def begin() -> None:
    """Take the time and the memory before."""
    taken.update(cpu=time.process_time(), clock=time.perf_counter(), memory=_peak())


def end() -> None:
    """Take what it cost."""
    now = {"cpu": time.process_time(), "clock": time.perf_counter(), "memory": _peak()}
    taken.update({name: now[name] - taken[name] for name in now})


def _peak() -> float:
    # Not from getrusage: its maximum includes the memory that the parent had when it forked.
    return high_water(Path("/proc/self/status")) / 1024


if __name__ == "__main__":
    taken: dict[str, float] = {}
    database = Database(f"sqlite:///{sys.argv[3]}/{sys.argv[1]}.db")
    Base.metadata.create_all(database.engine)
    rows = {"ours": ours, "bare": bare}[sys.argv[1]](Path(sys.argv[2]), database)
    print(json.dumps({"rows": rows, **taken}))

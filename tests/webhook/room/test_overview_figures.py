"""What the pages of the control room cost: processor time at the server and bytes, with years of runs in the database."""

from __future__ import annotations

import shutil
import time
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from benchmarks.crowded import crowd, newest_month
from database.engine import Database
from tests.webhook.api.conftest import Api
from tests.webhook.room.conftest import House

SECONDS, BYTES = 0.2, 100_000
SIZES = [pytest.param(200, marks=pytest.mark.figures, id="200"), pytest.param(20, id="20")]
PAGES = (
    "/room/missing",
    "/room/missing?start=40",
    "/room/missing?state=missing",
    "/room/missing?state=gone",
    "/room/missing?state=failed&month={month}",
    "/room/missing?client=Client 002",
    "/room/missing/accounts/{account}",
    "/room/missing/fleets",
    "/room/missing/meters",
    "/room/missing/shops",
    "/room/missing/channels",
    "/room/runs",
    "/room/runs?before={run}",
    "/room/runs?outcome=failed",
    "/room/runs?outcome=bad_credentials",
    "/room/runs?client=Client 002&portal=bell",
    "/room/runs?account=500000002",
    "/room/runs/live",
    "/room/runs/{run}",
    "/room/files",
    "/room/files?account=500000002",
    "/room/files?run={run}",
    "/api/v1/missing",
    "/api/v1/missing?limit=20&state=failed",
    "/api/v1/missing/meters",
    "/api/v1/missing/freshness",
    "/api/v1/runs",
    "/api/v1/runs/{run}",
    "/api/v1/files",
    "/room/charts",
    "/room/charts/runs",
    "/room/charts/runs?since=2020-01-01",
    "/room/charts/runs?since=2020-01-01&portal=bell&client=Client 002",
    "/room/charts/runs?step=month&since=2020-01-01",
    "/room/charts/invoices",
    "/room/charts/invoices?since=2020-01-01",
    "/room/charts/invoices?account=500000002",
    "/room/charts/usage",
    "/room/charts/usage?since=2020-01-01",
    "/room/charts/meters",
    "/room/charts/meters?{meter}",
    "/room/charts/meters?{meter}&step=quarter&since=2020-01-01",
    "/room/charts/meters?{meter}&step=hour&since=2020-01-01",
    "/room/charts/meters?{meter}&step=day&since=2020-01-01",
    "/room/charts/meters?{meter}&step=month&since=2020-01-01",
    "/room/charts/meters?{meter}&step=year",
    "/room/charts/faults",
    "/room/charts/faults?since=2020-01-01",
    "/room/charts/faults?vehicle=VIN7&since=2020-01-01",
    "/room/charts/prices",
    "/room/charts/prices?item=8&since=2020-01-01",
    "/room/charts/meters.csv?{meter}&step=quarter&since=2020-01-01",
    "/api/v1/charts/health",
    "/api/v1/charts/runs?since=2020-01-01",
    "/api/v1/charts/products",
)
METER = "contract=30001&meter=1&meter_code=503"
RECORDS = ("usage_records", "report_rows", "pool_usage", "meter_readings")


@pytest.fixture(scope="module", params=SIZES)
def crowded(request, tmp_path_factory, sqlite_with_tables, mail_server, twilio):
    """The application over a large database, which its tests only read."""
    path = tmp_path_factory.mktemp("crowded") / "crowded.db"
    shutil.copy(sqlite_with_tables, path)
    db = Database(f"sqlite:///{path}")
    crowd(db, request.param)
    with db.transaction() as session:
        counted = {
            table: session.scalar(text(f"SELECT count(*) FROM {table}"))
            for table in ("accounts", "files", "runs", *RECORDS)
        }
    assert counted["accounts"] == request.param
    assert counted["files"] == request.param * 150
    assert counted["runs"] == request.param * 365 * 3
    assert sum(counted[table] for table in RECORDS) == request.param * 5000
    client = House(Api(db, mail_server, twilio, user_rate="100000 per minute")).operator().client
    yield SimpleNamespace(client=client, runs=counted["runs"], accounts=request.param)
    db.engine.dispose()


@pytest.mark.parametrize("path", PAGES)
def test_no_page_costs_more(crowded, path, record_property):
    asked = path.format(month=newest_month(), account=crowded.accounts // 2, run=crowded.runs // 2, meter=METER)
    took = []
    for _ in range(3):
        begun = time.process_time()
        answer = crowded.client.get(asked)
        took.append(time.process_time() - begun)
    assert answer.status_code == 200, answer.text
    record_property("milliseconds", round(min(took) * 1000))
    record_property("bytes", len(answer.data))
    assert min(took) < SECONDS
    assert len(answer.data) < BYTES

"""The API of the control room: what is missing, runs with their evidence, files, each within what its caller may see."""

from __future__ import annotations

import base64
import hashlib
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from database.families.accounts import NewAccount, add_account
from database.families.fleet import Seen, conclude_sync, tenant_named
from database.models import Account, FileStatus, Run, RunState, StoredFile
from database.models.base import utc_now
from database.models.fleet import Fault, Vehicle
from database.models.operators import Role
from database.models.readings import Direction, MeterPeriod, Resolution
from middlewares.evidence import pack
from tests.project import CARRIERS
from tests.webhook.api.conftest import make_api
from tests.webhook.conftest import GATEWAY, READER
from tests.webhook.room.conftest import VIEWER, House
from webhook.api.room.downloads import ContentDiffers

__all__ = ["make_api"]

CONTENT = b"%PDF-1.4 " + b"x" * 600_000
AT = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


class Room:
    """The application, asked by an operator. url, failed, now, kept: where it is served, and the ids of what is in it."""

    url = ""
    failed = now = kept = 0

    def __init__(self, make_api, monkeypatch, tmp_path):
        self.stored = {"a/1.pdf": CONTENT}
        self.evidence = tmp_path / "data" / "evidence"
        monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path / "data"))
        self.api = make_api(opens=self.open)
        self.house = House(self.api)
        self.operator = self.house.operator()
        self.client = self.operator.client

    def open(self, store, path):
        if path not in self.stored:
            raise FileNotFoundError(path)
        return io.BytesIO(self.stored[path])

    def get(self, path):
        return self.client.get(path)

    def account(self, number, client, carrier="bell"):
        """Return the ids of an account and its client."""
        with self.api.db.transaction() as session:
            account, _ = add_account(session, NewAccount(client, "Main", carrier, number, billing_day=15), CARRIERS)
            return account.id, account.workspace.client_id

    def run(self, account=None, outcome="success", **values):
        with self.api.db.transaction() as session:
            ended = {"state": RunState.FINISHED, "finished_at": AT + timedelta(minutes=1), "outcome": outcome}
            facts = {"started_at": AT, "account_id": account, **(ended if outcome else {}), **values}
            run = Run(
                crawl="c", spider="bell_pdf_invoice", portal="bell", report_type="pdf_invoice", target="1 2026-10"
            )
            for name, value in facts.items():
                setattr(run, name, value)
            session.add(run)
            session.flush()
            return run.id

    def file(self, account=None, run=None, path="a/1.pdf", content=CONTENT, **values):
        with self.api.db.transaction() as session:
            known = hashlib.sha256(content).hexdigest()
            facts = {"account_id": account, "run_id": run, "path": path, "store": "/store", "sha256": known}
            facts |= {"size": len(content), "media_type": "application/pdf", "status": FileStatus.READY, **values}
            row = StoredFile(spider="bell_pdf_invoice", portal="bell", report_type="pdf_invoice", target_key="k")
            row.key = f"file {account} {path}"
            for name, value in facts.items():
                setattr(row, name, value)
            session.add(row)
            session.flush()
            return row.id

    def bundle(self, name="1-portal_changed.zip", **members):
        """Write an evidence bundle; return its path."""
        self.evidence.mkdir(parents=True, exist_ok=True)
        (self.evidence / name).write_bytes(pack({key.replace("_", "."): value for key, value in members.items()}))
        return str(self.evidence / name)


@pytest.fixture
def room(make_api, monkeypatch, tmp_path):
    return Room(make_api, monkeypatch, tmp_path)


PATHS = [
    *("/api/v1/missing", "/api/v1/missing/csv", "/api/v1/missing/fleets", "/api/v1/runs", "/api/v1/files"),
    *("/room/missing", "/room/missing.csv", "/room/missing/fleets", "/room/runs", "/room/runs/live", "/room/files"),
]


def test_only_who_has_a_role_comes_in(room):
    room.account("100", "Brook")
    user = room.api.user()  # who watches prices alone
    viewer = room.house.member(VIEWER, Role.VIEWER).client
    of_client = room.house.member("nora@example.com", Role.CLIENT_VIEWER, "Brook").client
    for path in PATHS:
        stranger = 401 if path.startswith("/api") else 303
        for headers in ({}, GATEWAY, READER, {"Authorization": "Bearer wrong"}):
            assert room.api.client().get(path, headers=headers).status_code == stranger, path
        assert user.get(path).status_code == 403, path
        assert room.get(path).status_code == viewer.get(path).status_code == 200, path
        assert of_client.get(path).status_code == (403 if path.endswith("fleets") else 200), path


def test_accounts_by_months(room):
    room.account("100", "Brook", "telus")
    room.account("200", "Meadow")
    answer = room.get("/api/v1/missing?limit=1&month=2025-10")
    (line,) = answer.get_json()
    assert (line["account"], line["client"], line["carrier"]) == ("100", "Brook", "telus")
    assert [(cell["report_type"], cell["state"]) for cell in line["months"]] == [
        ("pdf_invoice", "never_asked"), ("monthly_reports", "never_asked"), ("daily_usage", "never_asked"),
    ]  # fmt: skip
    assert answer.headers["X-Total-Count"] == "2"
    following = answer.headers["Link"].removeprefix("<").partition(">")[0]
    assert [each["account"] for each in room.get(following).get_json()] == ["200"]
    assert "Link" not in room.get(following).headers
    assert [each["account"] for each in room.get("/api/v1/missing?client=Meadow").get_json()] == ["200"]
    assert room.get("/api/v1/missing?state=stored").get_json() == []
    for wrong in ("month=2026-13", "state=lost", "limit=0"):
        assert room.get(f"/api/v1/missing?{wrong}").status_code == 422


def test_csv(room):
    room.account("100", "=Meadow")
    answer = room.get("/api/v1/missing/csv?month=2025-10")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.text.splitlines()[:2] == [
        "client,carrier,account,month,report_type,state,stored,wanted,lacking,when,outcome,message,run",
        "'=Meadow,bell,100,2025-10,pdf_invoice,never_asked,0,1,invoice,,,,",
    ]


def test_fleets_meters_shops_and_channels(room):
    with room.api.db.transaction() as session:
        tenant = tenant_named(session, "trucktech", "Meadow")
        session.add(Vehicle(tenant_id=tenant.id, vin="V1"))
        faults = [{"vin": "V1", "source_address": 0, "spn": spn, "fmi": 1} for spn in (100, 1569)]
        session.add_all(Fault(tenant_id=tenant.id, is_active=True, **fault) for fault in faults)
        session.flush()
        run = Run(crawl="c", spider="trucktech_faults", portal="trucktech", report_type="faults")
        session.add(run)
        session.flush()
        conclude_sync(session, tenant.id, run.id, Seen(["V1"], faults), complete=True)
        conclude_sync(session, tenant.id, run.id, Seen(["V1"], faults[:1]), errors=["x"], complete=False)
        today = utc_now().date()
        for back, found in ((9, 96), (8, 90), (4, 96)):
            series = {"contract": "1", "meter": "2", "meter_code": "3", "direction": Direction.CONSUMPTION}
            period = MeterPeriod(resolution=Resolution.DAILY, expected=96, found=found, complete=found == 96, **series)
            period.first_day = period.last_day = today - timedelta(days=back)
            session.add(period)
    (fleet,) = room.get("/api/v1/missing/fleets").get_json()
    assert (fleet["tenant"], fleet["vehicles"], fleet["was_complete"], fleet["errors"]) == ("Meadow", 1, False, 1)
    assert (fleet["open_faults"], fleet["new_faults"], fleet["critical_faults"]) == (2, 2, 1)
    (meter,) = room.get("/api/v1/missing/meters").get_json()
    assert (meter["periods"], meter["incomplete"], meter["absent"]) == (3, 1, 3)
    days = [date.fromisoformat(gap["first_day"]) for gap in meter["gaps"]]
    assert days == [today - timedelta(days=7), today - timedelta(days=8)]
    user = room.api.user()
    ids = [room.api.item(user, product_url=f"https://www.shop.example/products/{n}-echo") for n in range(3)]
    room.api.read(ids[0], Decimal("9.5"))
    room.api.fail(ids[1])
    (shop,) = room.get("/api/v1/missing/shops").get_json()
    assert (shop["watched"], shop["never_checked"], shop["failing"]) == (3, 1, 1)
    assert room.get("/api/v1/missing/channels").get_json() == []
    assert room.get("/api/v1/missing/freshness").get_json() == []


def test_runs_in_pages(room):
    account, _ = room.account("100", "Brook")
    ids = [room.run(account, outcome) for outcome in ("success", "portal_down", "success", "bad_file", None)]
    assert [run["id"] for run in room.get("/api/v1/runs").get_json()] == ids[3::-1]
    assert [run["id"] for run in room.get("/api/v1/runs?running=true").get_json()] == ids[4:]
    assert [run["id"] for run in room.get("/api/v1/runs?outcome=failed").get_json()] == [ids[3], ids[1]]
    assert [run["id"] for run in room.get("/api/v1/runs?outcome=bad_file&account=100").get_json()] == [ids[3]]
    assert room.get("/api/v1/runs?account=999").get_json() == []
    answer = room.get("/api/v1/runs?limit=2&client=Brook")
    following = answer.headers["Link"].removeprefix("<").partition(">")[0]
    assert [run["id"] for run in room.get(following).get_json()] == [ids[1], ids[0]]


def test_the_story_of_a_run(room):
    story = b'{"steps": ["open", "choose"], "screens": ["sign in"], "cause": ["ValueError"]}'
    requests = b'[{"at": "2026-11-20T06:00:01.000", "kind": "request", "method": "GET", "url": "https://x.example/"}]'
    path = room.bundle(run_json=story, requests_json=requests)
    recovered = "signed_out: recovered by a new sign-in."
    run = room.run(outcome="portal_changed", bundle=path, warnings=[recovered, "Another."], message="No header.")
    file = room.file(run=run)
    told = room.get(f"/api/v1/runs/{run}").get_json()
    assert (told["outcome"], told["who_must_act"], told["recovered"]) == ("portal_changed", None, [recovered])
    assert told["evidence"]["steps"] == ["open", "choose"]
    assert told["evidence"]["requests"][0]["url"] == "https://x.example/"
    assert [each["id"] for each in told["files"]] == [file]
    assert room.get("/api/v1/runs/999").status_code == 404


def test_a_bundle_that_cannot_be_read_is_told(room):
    room.bundle("damaged.zip")
    (room.evidence / "damaged.zip").write_bytes(b"no archive")
    for path in ("/etc/passwd", *(f"{room.evidence}/{name}" for name in ("away.zip", "damaged.zip", "../../x.zip"))):
        run = room.run(outcome="bad_file", bundle=path)
        told = room.get(f"/api/v1/runs/{run}").get_json()
        assert told["evidence"] is None
        assert told["evidence_away"].startswith("The bundle is")
        assert room.get(f"/room/runs/{run}/bundle.zip").status_code == 404
        assert told["evidence_away"] in room.get(f"/room/runs/{run}").text


def test_a_file_comes_with_its_hash(room):
    file = room.file()
    assert room.get(f"/room/files/{file}/content").data == CONTENT
    answer = room.get(f"/api/v1/files/{file}/content")
    known = hashlib.sha256(CONTENT)
    assert answer.data == CONTENT
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Length"] == str(len(CONTENT))
    assert answer.headers["Content-Disposition"] == "attachment; filename=\"1.pdf\"; filename*=UTF-8''1.pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Content-SHA256"] == known.hexdigest()
    assert answer.headers["Repr-Digest"] == f"sha-256=:{base64.b64encode(known.digest()).decode()}:"
    assert answer.headers["Content-Security-Policy"].endswith("sandbox")
    shown = room.get(f"/api/v1/files/{file}").get_json()
    assert (shown["sha256"], shown["path"], shown["store"]) == (known.hexdigest(), "a/1.pdf", "/store")


def test_a_file_that_has_changed_is_not_sent_whole(room):
    file = room.file()
    room.stored["a/1.pdf"] = CONTENT[:-1] + b"y"
    with pytest.raises(ContentDiffers):
        assert room.get(f"/api/v1/files/{file}/content").data
    room.stored.clear()
    assert room.get(f"/api/v1/files/{file}/content").status_code == 410
    assert room.get("/api/v1/files/999/content").status_code == 404


def test_what_a_browser_might_run_is_sent_as_bytes(room):
    for n, kind in enumerate(("text/html", "image/svg+xml", "application/xhtml+xml; charset=utf-8", "", None)):
        room.stored[f"a/{n}"] = CONTENT
        file = room.file(path=f"a/{n}", media_type=kind)
        assert room.get(f"/room/files/{file}/content").mimetype == "application/octet-stream", kind


def test_a_viewer_of_one_client_sees_nothing_of_another(room):
    mine, _ = room.account("100", "Brook")
    theirs, _ = room.account("987654", "Meadow")
    runs = {account: room.run(account, bundle=room.bundle(run_json=b"{}")) for account in (mine, theirs, None)}
    files = {account: room.file(account, run=runs[account]) for account in (mine, theirs, None)}
    live = [room.run(account, None) for account in (mine, theirs, None)]
    room.client = room.house.member("nora@example.com", Role.CLIENT_VIEWER, "Brook").client
    assert [each["account"] for each in room.get("/api/v1/missing").get_json()] == ["100"]
    assert room.get("/api/v1/missing?client=Meadow").get_json() == []
    assert "987654" not in room.get("/api/v1/missing/csv").text
    assert [each["id"] for each in room.get("/api/v1/runs").get_json()] == [runs[mine]]
    assert [each["id"] for each in room.get("/api/v1/runs?running=true").get_json()] == live[:1]
    assert [each["id"] for each in room.get("/api/v1/files").get_json()] == [files[mine]]
    for account, status in ((mine, 200), (theirs, 404), (None, 404)):
        for path in (
            f"/api/v1/runs/{runs[account]}",
            f"/room/runs/{runs[account]}",
            f"/room/runs/{runs[account]}/bundle.zip",
            f"/api/v1/files/{files[account]}",
            f"/api/v1/files/{files[account]}/content",
            f"/room/files/{files[account]}/content",
            *([f"/room/missing/accounts/{account}"] if account is not None else []),
        ):
            answer = room.get(path)
            assert answer.status_code == status, path
            answer.close()
    for path in ("/room/missing", "/room/runs", "/room/files", "/room/missing.csv"):
        answer = room.get(path)
        assert answer.status_code == 200
        assert "987654" not in answer.text, path
    with room.api.db.transaction() as session:
        assert session.get_one(Account, theirs).number == "987654"

"""Syncs of a fleet as their user starts them, against the sandbox."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from database.engine import Database
from database.migrate import upgrade
from jobs.warm import WarmParent
from sandbox import Running, running, totp_secret
from tests.project import Project

PASSWORD = "open-sesame"
FIELDS = [
    *("tenant_id", "started_at", "completed_at", "duration_seconds"),
    *("vehicles_found", "faults_found", "new_faults", "critical_faults"),
    *("errors", "success", "outcome", "run_id"),
]
RECORD = "vin, source_address, spn, fmi, description, severity, is_active, occurrence_count, first_seen, last_seen"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("portal"), ("trucktech",)) as sandbox:
        yield sandbox


class Fleet:
    """A data folder, and the portal's answers to it."""

    def __init__(self, project: Project, portal: Running, username: str) -> None:
        self.project = project
        self.portal = portal
        self.admin = portal.admin["trucktech"]
        project.environment.update(portal.environment)
        project.environment.update(TRUCKTECH_USERNAME=username, TRUCKTECH_PASSWORD=PASSWORD, LATCHKEY_PAGE_WAIT="15")

    def sync(self, *options: str, **settings: Any) -> tuple[int, dict[str, Any]]:
        """Return exit code and result of a sync."""
        path = self.project.data / "result.json"
        path.unlink(missing_ok=True)
        done = self.project.scrapy("sync", "trucktech", "-o", str(path), *options, timeout=250, **settings)
        self.said = done.stdout + done.stderr
        return done.returncode, json.loads(path.read_text()) if path.exists() else {}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.project.data / "latchkey.db")) as connection:
            return connection.execute(query).fetchall()

    def sign_ins(self) -> int:
        return int(self.admin.counters()["sign_ins"])

    def execute(self, statement: str) -> None:
        with closing(sqlite3.connect(self.project.data / "latchkey.db")) as connection:
            connection.execute(statement)
            connection.commit()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "latchkey.db"
    db = Database(f"sqlite:///{path}")
    upgrade(db)
    db.engine.dispose()
    return path


@pytest.fixture(scope="module")
def signed_in(empty: Path, portal: Running, tmp_path_factory: pytest.TempPathFactory, warm: WarmParent) -> Path:
    """A database with a live session of the user `ok`: most tests are not about signing in."""
    folder = tmp_path_factory.mktemp("signed-in")
    fleet = Fleet(Project(folder, warm), portal, "ok")
    fleet.project.data.mkdir(mode=0o700)
    shutil.copy(empty, fleet.project.data)
    done = fleet.project.scrapy("test-login", "trucktech", timeout=250)
    assert done.returncode == 0, done.stderr
    return fleet.project.data / "latchkey.db"


@pytest.fixture
def fleet_of(project: Callable[..., Project], portal: Running, tmp_path: Path, empty: Path) -> Callable[[str], Fleet]:
    """Give a function that returns the fleet of a user who has never signed in."""

    def make(username: str, database: Path = empty) -> Fleet:
        made = Fleet(project(tmp_path), portal, username)
        made.project.data.mkdir(mode=0o700)
        shutil.copy(database, made.project.data / "latchkey.db")
        return made

    return make


@pytest.fixture
def fleet(fleet_of: Callable[..., Fleet], signed_in: Path, portal: Running) -> Iterator[Fleet]:
    """The fleet of a user who is signed in."""
    before = portal.admin["trucktech"].configuration()
    yield fleet_of("ok", signed_in)
    portal.admin["trucktech"].configure(**before)


def test_records_and_result_say_the_same(fleet):
    fleet.admin.configure(fleet_faults=18)
    sign_ins = fleet.sign_ins()
    code, first = fleet.sync("--tenant", "acme-trucking")
    assert (code, list(first)) == (0, FIELDS)
    assert (first["vehicles_found"], first["faults_found"], first["new_faults"]) == (142, 18, 13)
    times = [datetime.fromisoformat(first[name]) for name in ("started_at", "completed_at")]
    assert all(time.tzinfo is not None for time in times)
    assert first["duration_seconds"] == pytest.approx((times[1] - times[0]).total_seconds(), abs=0.01)

    fleet.admin.configure(fleet_faults=23)
    code, second = fleet.sync("--tenant", "acme-trucking")
    assert (code, second["success"], second["outcome"], second["errors"]) == (0, True, "success", [])
    assert second["tenant_id"] == "acme-trucking"
    counted = [second[name] for name in ("vehicles_found", "faults_found", "critical_faults", "new_faults")]
    assert counted == [142, 23, 3, 5]

    code, third = fleet.sync("--tenant", "acme-trucking")
    assert (code, third["new_faults"], third["run_id"]) == (0, 0, second["run_id"] + 1)
    assert fleet.sign_ins() == sign_ins
    assert fleet.rows("SELECT count(*) FROM vehicles") == [(142,)]
    assert fleet.rows("SELECT count(*) FROM faults") == [(23,)]
    assert fleet.rows("SELECT records, already FROM runs ORDER BY id DESC LIMIT 1") == [(0, 165)]


@pytest.mark.matrix
def test_the_three_layouts_are_the_same_records(fleet):
    truth = fleet.admin.ask("fleet")
    for layout in ("table", "card", "json"):
        fleet.admin.configure(layout=layout)
        assert fleet.sync("--tenant", layout)[0] == 0, fleet.said
    by_tenant = {
        name: {
            "faults": fleet.rows(f"SELECT {RECORD} FROM faults WHERE tenant_id = {number} ORDER BY vin, spn, fmi, 2"),
            "vehicles": fleet.rows(
                f"SELECT vin, unit_number, year, make, model, status FROM vehicles WHERE tenant_id = {number} ORDER BY 1"
            ),
        }
        for number, name in fleet.rows("SELECT id, name FROM tenants")
    }
    assert by_tenant["table"] == by_tenant["card"] == by_tenant["json"]
    seen = {(vin, address, spn, fmi): rest for vin, address, spn, fmi, *rest in by_tenant["table"]["faults"]}
    assert len(seen) == len(truth["faults"]) == 23
    for fault in truth["faults"]:
        row = seen[fault["vin"], fault["source_address"], fault["spn"], fault["fmi"]]
        assert row[0] == fault["description"]
        assert (bool(row[2]), row[3]) == (fault["active"], fault["occurrences"])
    words = {"critical": "critical", "red": "critical", "warning": "major", "yellow": "major", "none": "unknown"}
    wanted = sorted(words.get(fault["severity"], "minor") for fault in truth["faults"])
    assert sorted(row[1] for row in seen.values()) == wanted
    vehicles = [(v["vin"], v["unit_number"], v["year"], v["make"], v["model"], v["status"]) for v in truth["vehicles"]]
    assert sorted(by_tenant["table"]["vehicles"]) == sorted(vehicles)


@pytest.mark.matrix
def test_a_vehicle_that_fails_closes_nothing(fleet):
    assert fleet.sync()[0] == 0
    with_faults = fleet.rows("SELECT vin FROM faults WHERE is_active GROUP BY vin ORDER BY count(*) DESC")[0][0]
    fleet.admin.configure(
        errors=[{"path": f"/assets/{with_faults}/diagnostics", "fault": "500"}],
        # Half of the other faults are gone at the same time: only a complete sync may believe it.
        fleet_faults=11,
    )
    code, result = fleet.sync()
    assert (code, result["success"], result["outcome"]) == (3, False, "portal_down")
    assert result["vehicles_found"] == 142
    assert len(result["errors"]) == 1
    assert with_faults in result["errors"][0]
    assert fleet.rows("SELECT count(*) FROM vehicles WHERE gone_at IS NULL") == [(142,)]
    assert fleet.rows("SELECT sum(is_active), sum(closed_at IS NOT NULL) FROM faults") == [(18, 0)]

    fleet.admin.configure(errors=[], fleet_faults=23)
    code, result = fleet.sync()
    assert (code, result["new_faults"]) == (0, 0)


@pytest.mark.matrix
def test_a_page_that_nobody_understands_is_no_empty_list(fleet):
    assert fleet.sync()[0] == 0
    vin = fleet.rows("SELECT vin FROM faults WHERE is_active ORDER BY id")[0][0]
    fleet.admin.configure(errors=[{"path": f"/assets/{vin}/diagnostics", "fault": "html"}])
    code, result = fleet.sync()
    assert (code, result["outcome"], len(result["errors"])) == (6, "portal_changed", 1)
    assert vin in result["errors"][0]
    assert fleet.rows("SELECT sum(is_active) FROM faults") == [(18,)]
    (bundle,) = fleet.rows("SELECT bundle FROM runs ORDER BY id DESC LIMIT 1")[0]
    assert Path(bundle).exists()


def test_the_list_alone_is_cheap_and_no_sync(fleet):
    served = fleet.admin.counters()["requests"]
    done = fleet.project.scrapy("crawl", "trucktech_vehicles", timeout=250, fresh=True)
    assert done.returncode == 0, done.stderr
    assert fleet.admin.counters()["requests"] - served == 6
    assert fleet.rows("SELECT count(*) FROM vehicles") == [(142,)]
    assert fleet.rows("SELECT count(*) FROM syncs") == [(0,)]


@pytest.mark.matrix
def test_another_fleet_under_a_tenants_name_touches_nothing(fleet):
    assert fleet.sync()[0] == 0
    fleet.execute("UPDATE vehicles SET vin = '9' || substr(vin, 2)")
    fleet.execute("UPDATE faults SET vin = '9' || substr(vin, 2)")
    code, result = fleet.sync()
    assert (code, result["outcome"]) == (5, "wrong_account")
    assert "-a again=yes" in result["errors"][0]
    assert fleet.rows("SELECT count(*) FROM vehicles") == [(142,)]
    assert fleet.rows("SELECT sum(is_active), count(*) FROM faults") == [(18, 23)]
    code, result = fleet.sync("--again")
    assert (code, result["new_faults"]) == (0, 18)
    assert fleet.rows("SELECT count(*) FROM vehicles WHERE gone_at IS NOT NULL") == [(142,)]


@pytest.mark.matrix
def test_a_session_that_ends_in_the_middle_is_renewed(fleet_of):
    fleet = fleet_of("ok+expires-30+midway")
    before = fleet.sign_ins()
    code, result = fleet.sync()
    assert (code, result["success"], result["vehicles_found"], result["faults_found"]) == (0, True, 142, 23)
    # 148 pages and the first one of every session, 30 to a session.
    assert fleet.sign_ins() - before == 6
    assert fleet.rows("SELECT count(*) FROM attempts") == [(6,)]


@pytest.mark.parametrize(
    "offset", [0, pytest.param(30, marks=pytest.mark.matrix), pytest.param(-30, marks=pytest.mark.matrix)]
)
def test_an_authenticators_code_with_a_clock_that_is_off(fleet_of, offset):
    username = f"totp+clock{offset + 30}"
    fleet = fleet_of(username)
    fleet.project.environment["TRUCKTECH_TOTP_SECRET"] = totp_secret(username)
    fleet.admin.clock(offset)
    try:
        done = fleet.project.scrapy("test-login", "trucktech", timeout=250)
    finally:
        fleet.admin.clock(0)
    assert done.returncode == 0, done.stderr
    assert fleet.rows("SELECT result FROM attempts") == [("signed_in",)]


@pytest.mark.matrix
def test_a_wrong_authenticator_secret_is_tried_once(fleet_of):
    fleet = fleet_of("totp+wrong")
    fleet.project.environment["TRUCKTECH_TOTP_SECRET"] = totp_secret("totp+another")
    code, result = fleet.sync()
    assert (code, result["outcome"]) == (5, "mfa_failed")
    code, result = fleet.sync()
    assert result["outcome"] == "credential_cooling_down"
    assert fleet.rows("SELECT result FROM attempts") == [("mfa_failed",)]


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("username", "kind"),
    [("sms", "sms"), pytest.param("email", "mail", marks=pytest.mark.matrix), ("totp+none", "totp")],
)
def test_a_second_factor_that_nobody_can_answer_is_named(fleet_of, username, kind):
    fleet = fleet_of(username)
    if kind != "totp":  # its code must not be typed where a message's is asked for
        fleet.project.environment["TRUCKTECH_TOTP_SECRET"] = totp_secret("totp")
    code, result = fleet.sync()
    assert (code, result["outcome"]) == (5, "mfa_required")
    assert f"Kind: {kind}" in result["errors"][0]


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("username", "outcome"),
    [
        ("policy-page", "success"),
        ("policy-required", "terms_pending"),
        ("elsewhere", "success"),
        ("totp+trust-device", "success"),
        ("landing-home", "success"),
        ("landing-odd", "success"),
        ("unknown-landing", "portal_changed"),
        ("mfa-none-known", "mfa_required"),
        ("wrong-password", "bad_credentials"),
        ("locked", "account_locked"),
        ("lang-fr", "success"),
        ("lang-fr+locked", "account_locked"),
        ("wrong-password+lang-fr", "bad_credentials"),
        ("lang-fr+elsewhere", "success"),
        ("lang-fr+policy-page", "success"),
        ("rate-limited", "success"),
        ("rate-limited-bare", "success"),
        ("short-codes", "success"),
        ("missing-fmi", "portal_changed"),
        ("error-page", "portal_changed"),
        ("empty-page", "portal_changed"),
        ("blank-page", "portal_changed"),
        ("empty-table", "portal_changed"),
        ("loading-page", "portal_changed"),
        ("unknown-page+vehicle-7", "portal_changed"),
        ("ok+wrong-vehicle-2", "portal_changed"),
        ("empty-page+page-3", "portal_changed"),
        ("ok+fails-3+times-3", "success"),
        ("ok+vehicles-0", "success"),
    ],
)
def test_every_scenario_ends_as_it_should(fleet_of, username, outcome):
    fleet = fleet_of(username)
    if "totp" in username:
        fleet.project.environment["TRUCKTECH_TOTP_SECRET"] = totp_secret(username)
    code, result = fleet.sync()
    assert result["outcome"] == outcome, fleet.said
    assert (code == 0) == result["success"] == (outcome == "success")
    assert bool(result["errors"]) == (outcome != "success")


@pytest.mark.matrix
def test_a_password_is_read_from_standard_input(fleet_of):
    fleet = fleet_of("ok+typed")
    fleet.project.environment.update(TRUCKTECH_USERNAME="ok+other", TRUCKTECH_PASSWORD="not-the-password")
    code, _ = fleet.sync("-u", "ok+typed", "-p", "-", input=f"{PASSWORD}\n")
    assert code == 0, fleet.said
    assert "every user of this machine" not in fleet.said
    assert fleet.rows("SELECT username FROM runs") == [("ok+typed",)]
    assert fleet.rows("SELECT username FROM tenants") == [("ok+typed",)]


@pytest.mark.matrix
def test_a_password_on_the_command_line_warns(fleet):
    code, _ = fleet.sync("-u", "ok", "-p", PASSWORD)
    assert code == 0
    assert "use -p -" in fleet.said
    assert PASSWORD not in fleet.said


@pytest.mark.matrix
def test_a_credentials_file_that_others_can_read_is_refused(fleet, tmp_path):
    fleet.project.environment.update(TRUCKTECH_USERNAME="", LATCHKEY_CREDENTIALS_FILE=str(tmp_path / "c.json"))
    (tmp_path / "c.json").write_text(json.dumps({"username": "ok", "password": PASSWORD}))
    (tmp_path / "c.json").chmod(0o640)
    assert fleet.sync() == (2, {})
    assert f"chmod 600 {tmp_path / 'c.json'}" in fleet.said
    (tmp_path / "c.json").chmod(0o600)
    assert fleet.sync()[0] == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--account", "7"], "--account: trucktech has no accounts"),
        (["-p", "-"], "-p: give the user name too"),
        (["-t", "x" * 101], "-a tenant: give names of 1 to 100 characters"),
    ],
)
def test_wrong_options_are_refused_with_a_sentence(fleet, options, said):
    code, result = fleet.sync(*options, input="")
    assert (code, result) == (2, {})
    assert said in fleet.said

"""A portal of a known family, or a family, in folders of its own: every command knows it, and no other file changes."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest

LOGIN = """
from scrapers.logins.form import FormLogin

class {name}Login(FormLogin):
    portal = name = "{word}"
    url = "https://{word}.example.com/sign-in"
"""
PORTAL = """
from scrapers.core.stated import Portal

PORTAL = Portal(word="{word}", name="{name}", family="{family}", time_zone="America/Halifax", locale="en_CA")
"""
# Each asks its portal nothing: one record is all that there is.
CARRIER = """
from far_portals.north_tel.login import NorthLogin
from scrapers.core.items import Listing
from scrapers.families.carriers.items import PoolRecord
from scrapers.families.carriers.spiders import CarrierSpider

class NorthTelPools(CarrierSpider):
    name = "north_tel_pools"
    logins = (NorthLogin,)

    @classmethod
    def wanted(cls, session, target):
        return set()

    async def requests(self, job):
        pool = PoolRecord(job=job.id, account_id=job.target.account_id, day=self.today(), pool_size=7, pool_used=None)
        yield Listing(job=job.id, keys=(pool.key(),))
        yield pool
"""
FLEET = """
from far_portals.far_trucks.login import FarLogin
from scrapers.families.fleet.items import Vehicle
from scrapers.families.fleet.spiders import Fleet, FleetSpider

class FarTrucksVehicles(FleetSpider):
    name = "far_trucks_vehicles"
    report_type = "vehicles"
    logins = (FarLogin,)

    async def requests(self, job):
        self.fleets[job.id] = fleet = Fleet(frozenset())
        vehicle = Vehicle(job=job.id, tenant_id=job.target.tenant_id, vin="1M8GDM9AXKP042788")
        for each in self.listed(job, [vehicle], last=True):
            yield each
"""
TIDES = """
from scrapers.core.stated import Family

FAMILY = Family(word="tides", models=("database.models.tides",))
"""
TABLE = """
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from database.models.base import Base

class TideLevel(Base):
    __tablename__ = "tide_levels"

    id: Mapped[int] = mapped_column(primary_key=True)
    centimetres: Mapped[int]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"))
"""
FILL = """
from sqlalchemy import insert
from database.engine import database
from database.models import all_tables
tables = all_tables()
tables.create_all(database().engine)
with database().transaction() as session:
    session.execute(insert(tables.tables["tide_levels"]), {"centimetres": 412})
"""


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)


@pytest.fixture
def here(project, tmp_path):
    """The project with two portals in a package of its own, beside ours."""
    code = tmp_path / "code"
    write(code / "far_portals", __init__="")
    for word, name, family, spider in (
        ("north_tel", "North", "carriers", {"pools": CARRIER}),
        ("far_trucks", "Far", "fleet", {"vehicles": FLEET}),
    ):
        facts = {"word": word, "name": name, "family": family}
        write(code / "far_portals" / word, __init__=PORTAL.format(**facts), login=LOGIN.format(**facts), **spider)
    made = project(tmp_path, SCRAPY_SETTINGS_MODULE="tests.commands.far_settings", FAR_CODE=str(code))
    assert made.scrapy("db", "upgrade").returncode == 0
    made.code = code
    return made


def rows(here, *argv: str) -> list[dict[str, str]]:
    done = here.scrapy("export", *argv)
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def sync(here, portal: str, *argv: str) -> dict[str, object]:
    path = here.data / "result.json"
    done = here.scrapy("sync", portal, "-o", str(path), *argv)
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(path.read_text())
    return result


def test_list_and_portals_know_a_new_portal(here):
    listed = here.scrapy("list").stdout.split()
    assert {"north_tel_pools", "far_trucks_vehicles", "bell_pdf_invoice"} <= set(listed)
    shown = {each["portal"]: each for each in json.loads(here.scrapy("portals", "--json").stdout)}
    assert [login["login"] for login in shown["north_tel"]["logins"]] == ["north_tel"]
    assert [spider["spider"] for spider in shown["far_trucks"]["spiders"]] == ["far_trucks_vehicles"]


def test_a_new_carrier_has_accounts_clients_records_and_a_result(here):
    added = here.scrapy(
        *"credentials add north_tel --username owner --client Acme --stdin".split(), input="orchard-gate-7731\n"
    )
    assert (added.returncode, added.stderr) == (0, "")
    account = "accounts add --client Acme --workspace Depot --carrier north_tel --number 77 --username owner".split()
    assert here.scrapy(*account).stdout == "Added: north_tel 77 (Acme / Depot).\n"
    (kept,) = json.loads(here.scrapy("credentials", "list", "--json").stdout)
    assert (kept["portal"], kept["client"], kept["login"], kept["state"]) == ("north_tel", "Acme", "north_tel", "ready")

    result = sync(here, "north_tel", "--account", "77")
    counted = {name: result.get(name) for name in ("tenant_id", "files", "records", "success", "vehicles_found")}
    assert counted == {"tenant_id": "77", "files": 0, "records": 1, "success": True, "vehicles_found": None}
    (pool,) = rows(here, "records", "--account", "77")
    assert (pool["carrier"], pool["account"], pool["pool_size"], pool["pool_used"]) == ("north_tel", "77", "7", "")
    refused = here.scrapy("sync", "north_tel", "--tenant", "acme")
    assert (refused.returncode, "--tenant" in refused.stderr + refused.stdout) == (2, True)


def test_a_new_fleet_has_tenants_records_and_a_result(here):
    refused = here.scrapy(*"credentials add far_trucks --username u --client Acme --stdin".split(), input="p\n")
    assert (refused.returncode, "--client" in refused.stderr) == (2, True)
    assert here.scrapy(*"credentials add far_trucks --username u --stdin".split(), input="p\n").returncode == 0
    result = sync(here, "far_trucks", "-t", "acme")
    assert (result["tenant_id"], result["vehicles_found"], result["success"]) == ("acme", 1, True)
    assert "files" not in result
    (run,) = json.loads(here.scrapy("runs", "--json").stdout)
    following = json.loads(here.scrapy("runs", str(run["run"]), "--json").stdout)["next"]
    assert following == ["scrapy export files", "scrapy export records --type vehicles"]
    (vehicle,) = rows(here, *following[1].split()[2:])
    assert (vehicle["portal"], vehicle["tenant"], vehicle["vin"]) == ("far_trucks", "acme", "1M8GDM9AXKP042788")


def test_a_new_familys_tables_are_seen_by_the_database_and_exported(here):
    write(here.code / "families" / "tides", __init__=TIDES)
    write(here.code / "models", tides=TABLE)
    differs = here.scrapy("db", "check")
    assert (differs.returncode, "add table tide_levels" in differs.stderr) == (1, True)
    filled = here.run(sys.executable, "-c", "import tests.commands.far_settings\n" + FILL)
    assert filled.returncode == 0, filled.stderr
    (level,) = rows(here, "records", "--type", "tide_levels")
    assert level == {"id": "1", "centimetres": "412", "run": ""}
    assert rows(here, "records", "--type", "tide_levels", "--since", "2026-01-01") == []
    assert here.scrapy("export", "records", "--type", "tide_levels", "--account", "7").returncode == 2

"""Every endpoint of the company's interface: which spider asks it, and what of its answer is stored. Actions: test_actions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader
from sqlalchemy import func, select

from database.engine import Database
from database.migrate import upgrade
from database.models import Run, Version
from database.models.electricity import (
    Appliance,
    ContractCheck,
    ElectricityContract,
    ElectricityCounter,
    ElectricityDevice,
    ElectricityInvoice,
    ElectricityNotice,
    ElectricityOutage,
    ElectricityTariff,
    InvoiceReading,
    MasaConnection,
    MasaEntry,
    MasaEquipment,
)
from jobs.warm import WarmParent
from sandbox import Running
from sandbox.iec.masa import friend
from sandbox.iec.people import CONSUMPTION_CODE, Customer, id_number
from sandbox.iec.places import CITIES, CITY, STREETS
from scrapers.portals.iec.api import ENDPOINTS
from tests.portals.iec.conftest import Household
from tests.project import TEST_KEY, Project

WHO = Customer(id_number("shared"))
HOUSE = WHO.contracts[0]
OTHER = WHO.contracts[-1]  # somebody else's, who shares it
YESTERDAY = date.today() - timedelta(days=1)  # noqa: DTZ011 - which days are asked for does not matter
RANGE = {"from": str(YESTERDAY - timedelta(days=7)), "to": str(YESTERDAY - timedelta(days=6))}
ORDER = "11111111-0000-4000-8000-00000000beef"
CRAWLS: list[tuple[str, dict[str, str]]] = [
    ("iec_account", {"device_in": "yes"}),
    ("iec_invoices", {}),
    ("iec_outages", {}),
    ("iec_outages", {"city": CITY, "street": list(STREETS)[1], "house": "7ד", "place": "grandmother"}),
    ("iec_masa", {}),
    ("iec_tariffs", {}),
    ("iec_meter_readings", {"contract": HOUSE.number, **RANGE}),
]


@dataclass
class Brought:
    """What is there after one crawl of each spider."""

    household: Household
    asked: dict[str, int]
    journal: list[dict[str, Any]]
    said: str


@pytest.fixture(scope="module")
def brought(
    tmp_path_factory: pytest.TempPathFactory, empty_database: Path, iec_sandbox: Running, warm: WarmParent
) -> Iterator[Brought]:
    """Crawl everything once, as somebody with several partners, a closed contract, and one that is shared."""
    folder = tmp_path_factory.mktemp("brought")
    project = Project(folder, warm)
    project.data.mkdir(mode=0o700)
    (project.data / "latchkey.db").write_bytes(empty_database.read_bytes())
    admin = iec_sandbox.admin["iec"]
    admin.reset()
    orders = {"path": r"/api/accounts/.*/orders/titles", "field": "orders", "value": [{"id": ORDER, "title": "x"}]}
    admin.configure(**{**iec_sandbox.defaults, "edits": [orders]})  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**iec_sandbox.environment, "LATCHKEY_ENCRYPTION_KEYS": TEST_KEY}.items():
            environment.setenv(name, value)
        from database.access.encryption import key_ring

        key_ring.cache_clear()
        db = Database(f"sqlite:///{project.data / 'latchkey.db'}")
        household = Household(project, db, iec_sandbox)
        household.sign_in("shared")
        said = household.crawl_all(*CRAWLS)
        yield Brought(household, admin.counters()["endpoints"], admin.journal(), said)
        db.engine.dispose()
        key_ring.cache_clear()
    admin.configure(**iec_sandbox.defaults)  # type: ignore[attr-defined]


# Endpoint: how often it was asked (None: at least once), a question to the database, and its answer.
STORED: dict[str, tuple[int | None, str, list[tuple[Any, ...]]]] = {
    "I1": (None, "SELECT bp, status FROM electricity_customers", [(WHO.partners[0].lstrip("0"), 1)]),
    "I2": (
        None,
        "SELECT contract, bp, status FROM electricity_contracts WHERE is_shared",
        [(OTHER.number, OTHER.bp.lstrip("0"), 0)],
    ),
    "I3": (
        None,
        "SELECT bp, account_id FROM electricity_accounts ORDER BY bp",
        [(bp.lstrip("0"), WHO.account(bp)) for bp in WHO.partners],
    ),
    "I4": (
        None,
        "SELECT contract, status, smart_meter FROM electricity_contracts WHERE NOT is_shared ORDER BY contract",
        [(each.number, each.status, each.smart) for each in WHO.contracts[:-1]],
    ),
    "I5": (
        4,
        f"SELECT bp, meter, has_direct_debit, is_private_producer FROM electricity_contract_checks WHERE contract = '{HOUSE.number}'",
        [(HOUSE.bp.lstrip("0"), HOUSE.serial.lstrip("0"), 0, 0)],
    ),
    "I6": (
        4,
        "SELECT service, is_active, subscribed_at, unsubscribed_at FROM electricity_notices "
        f"WHERE contract = '{HOUSE.number}' AND service = 'EFS007'",
        [("EFS007", 0, "2024-06-30 06:30:00.000000", "2025-01-31 22:00:00.000000")],
    ),
    "I7": (1, f"SELECT count(*) > 0 FROM register_readings WHERE contract = '{HOUSE.number}'", [(1,)]),
    "I8": (
        None,
        f"SELECT meter, meter_code, is_active FROM electricity_devices WHERE contract = '{HOUSE.number}'",
        [(HOUSE.serial.lstrip("0"), CONSUMPTION_CODE, 1)],
    ),
    "I9": (
        4,
        f"SELECT register_number, ampere, phases, connection FROM electricity_counters WHERE contract = '{HOUSE.number}'",
        [("001", 40, 3, "3X40")],
    ),
    "I10": (
        4,
        f"SELECT main_meter, meters, balance FROM electricity_contract_checks WHERE contract = '{HOUSE.number}'",
        [(HOUSE.serial.lstrip("0"), 1, None)],
    ),
    # The company names two meters of that number; the one with our code counts.
    "I11": (
        4,
        f"SELECT last_reading > 17, last_reading_type FROM electricity_devices WHERE contract = '{HOUSE.number}'",
        [(1, "01")],
    ),
    "I12": (4, "SELECT outcome FROM runs WHERE spider = 'iec_account'", [("captcha_shown",)]),
    "I13": (None, "SELECT count(*) FROM meter_readings", [(2 * 96,)]),
    "I15": (4, "SELECT count(*), sum(to_pay > 0), max(invoices_to_pay) FROM electricity_bills", [(4, 4, 1)]),
    "I16": (
        None,
        f"SELECT count(*), min(amount) < 0, sum(period_ends_at IS NULL) FROM electricity_invoices WHERE contract = '{HOUSE.number}'",
        [(14, 1, 1)],
    ),
    "I17": (48, "SELECT count(*), count(DISTINCT sha256), min(media_type) FROM files", [(48, 48, "application/pdf")]),
    "I18": (2, "SELECT count(*), count(DISTINCT contract) FROM electricity_outages WHERE source = 'account'", [(2, 2)]),
    "I19": (
        2,
        'SELECT bp, "exists", status, starts_on FROM electricity_discounts ORDER BY bp',
        [(bp.lstrip("0"), 0, 99, None) for bp in WHO.partners],
    ),
    "I20": (
        4,
        f"SELECT time_of_use_status, time_of_use_compatible FROM electricity_contract_checks WHERE contract = '{HOUSE.number}'",
        [(1, 1)],
    ),
    "I21": (
        4,
        f"SELECT mobility_requested, mobility_in_range FROM electricity_devices WHERE contract = '{HOUSE.number}'",
        [(0, 0)],
    ),
    "D1": (1, "SELECT count(*) FROM masa_entries WHERE kind = 'district_city'", [(len(CITIES),)]),
    "D2": (
        1,
        "SELECT name FROM masa_entries WHERE kind = 'district_street' ORDER BY name",
        [(name,) for name in sorted(STREETS)],
    ),
    "D3": (
        1,
        "SELECT outage, type, message, expected_at IS NOT NULL FROM electricity_outages WHERE source = 'place'",
        [("grandmother", "תקלה", "צוות בדרך", 1)],
    ),
    "M1": (1, "SELECT count(*) > 0 FROM masa_entries WHERE kind = 'city' AND details LIKE '%region_code%'", [(1,)]),
    "M2": (1, "SELECT profile, is_account_owner FROM masa_profiles WHERE source = 'masa'", [(WHO.contact, 1)]),
    "M3": (
        None,
        f"SELECT part, is_smart, type FROM masa_connections WHERE contract = '{OTHER.number}' AND contact = '{WHO.contact}'",
        [(2, 1, "שותף")],
    ),
    "M4": (
        4,
        f"SELECT contact, part FROM masa_connections WHERE contract = '{HOUSE.number}' AND contact <> '{WHO.contact}'",
        [(friend(HOUSE), 2)],
    ),
    "M7": (2, "SELECT code, name FROM masa_entries WHERE kind = 'order'", [(ORDER, None)]),
    "M8": (1, "SELECT count(*) FROM masa_entries WHERE kind = 'order_category' AND details LIKE '%type_code%'", [(2,)]),
    "M9": (
        1,
        "SELECT name FROM masa_entries WHERE kind = 'voltage_level' ORDER BY name",
        [("מתח גבוה",), ("מתח נמוך",)],
    ),
    "M10": (2, f"SELECT size, is_low_voltage FROM masa_equipment WHERE contract = '{HOUSE.number}'", [("3X40", 1)]),
    "M11": (
        1,
        "SELECT count(DISTINCT kind) FROM masa_entries WHERE kind IN ('region', 'connection_size', 'site_type')",
        [(3,)],
    ),
    "M12": (1, "SELECT count(*) > 0 FROM masa_entries WHERE kind LIKE 'building_%' AND details LIKE '%sizes%'", [(1,)]),
    "F1": (1, "SELECT profile FROM masa_profiles WHERE source = 'faults'", [(WHO.contact,)]),
    "F2": (2, "SELECT count(*), sum(state IS NULL) FROM electricity_outages WHERE source = 'faults'", [(4, 2)]),
    "F3": (1, "SELECT order_view_type FROM masa_profiles WHERE source = 'faults_accounts'", [(1,)]),
    "S1": (
        1,
        "SELECT kind, phases, unit, without_vat, with_vat FROM electricity_tariffs WHERE source = 'page' ORDER BY kind, phases",
        [
            ("delivery", 1, "month", 9, 10.62),
            ("delivery", 3, "month", 12.5, 14.75),
            ("distribution", 1, "month", 12, 14.16),
            ("distribution", 3, "month", 13.5, 15.93),
            ("kva", 0, "kVA and year", 5.19, 6.12),
            ("kwh", 0, "kWh", 0.5425, 0.6402),
        ],
    ),
    "S2": (1, "SELECT connection, kva FROM electricity_power_sizes WHERE connection = '3X40'", [("3X40", 27.71)]),
    "S3": (
        1,
        "SELECT t.with_vat, a.power, a.power_unit, a.minutes FROM electricity_tariffs t, electricity_appliances a "
        "WHERE t.source = 'gadget' AND t.kind = 'kwh' AND a.name = 'קומקום'",
        [(0.64015, 2.2, 4, 3)],
    ),
}


def test_no_endpoint_is_left_out():
    """What changes something at the company is asked by commands alone."""
    assert set(STORED) == {name for name, endpoint in ENDPOINTS.items() if not endpoint.changes}
    assert {name for name, endpoint in ENDPOINTS.items() if endpoint.changes} == {"I14", "M5", "M6"}


@pytest.mark.parametrize("endpoint", STORED)
def test_what_an_endpoint_says_is_stored(brought, endpoint):
    times, query, rows = STORED[endpoint]
    assert brought.asked.get(endpoint, 0) == times or (times is None and brought.asked[endpoint])
    assert [tuple(row) for row in brought.household.rows(query)] == rows


def test_every_run_succeeded_but_the_one_that_wants_a_captcha(brought):
    assert brought.household.outcomes == ["captcha_shown", *["success"] * 6]
    assert "Code 403: Recaptcha validation failed" in brought.household.value("SELECT message FROM runs LIMIT 1")


def test_nothing_private_is_kept(brought):
    """Names, ID numbers, addresses, telephones and mailboxes stand in no row, file name, log line or bundle."""
    from tests.crawl.test_canaries import contents, hits

    secrets = brought.household.admin.secrets()
    kinds = ("id_numbers", "names", "addresses", "phones", "mails", "tokens")
    canaries = {value for kind in kinds for value in secrets[kind] if len(value) > 5}
    assert len(canaries) > 15
    canaries |= {contract.street for contract in WHO.contracts}
    data = brought.household.project.data
    (data / "said.txt").write_text(brought.said)
    assert hits(data, canaries) == []
    # The number of a house is so short that its base64 stands in encrypted text by chance: it is looked for in clear.
    house = "7ד"
    spelled = (house, json.dumps(house)[1:-1], quote(house), quote(house).lower())
    files = [path for path in data.rglob("*") if path.is_file()]
    kept = [piece for path in files for piece in contents(path.name, path.read_bytes())]
    assert [name for name, piece in kept for text in spelled if text.encode() in piece] == []


def test_actions_are_no_spiders(brought):
    loader = SpiderLoader.from_settings(Settings({"SPIDER_MODULES": ["scrapers.portals.iec"]}))
    assert set(loader.list()) == {name for name, _ in CRAWLS}
    assert not [entry for entry in brought.journal if re.search("SendConsumptionReport|connectionbetween", str(entry))]


def test_what_is_stored_can_be_exported(brought):
    export = ("export", "records", "--format", "json", "--since", "2026-01-01", "--type")
    done = brought.household.project.scrapy(*export, "electricity_contracts")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert sorted(row["contract"] for row in rows) == sorted(each.number for each in WHO.contracts)
    assert {"id", "username", "total_debt", "gone_at", "run"} < rows[0].keys()


@pytest.mark.matrix
def test_everything_is_stored_in_postgresql_too(household, postgresql_url):
    db = Database(postgresql_url)
    upgrade(db)
    household.project.environment["LATCHKEY_DATABASE_URL"] = postgresql_url
    there = Household(household.project, db, household.sandbox)
    there.sign_in("shared")
    there.crawl_all(*CRAWLS, *CRAWLS)
    models = [
        ElectricityContract, ContractCheck, ElectricityDevice, ElectricityCounter, ElectricityNotice, ElectricityInvoice,
        InvoiceReading, ElectricityOutage, MasaConnection, MasaEquipment, MasaEntry, ElectricityTariff, Appliance,
    ]  # fmt: skip
    with db.transaction() as session:
        outcomes = session.scalars(select(Run.outcome).order_by(Run.id)).all()
        assert session.scalar(select(func.count()).select_from(Version)) == 0  # nothing changed in between
        assert all(session.scalar(select(func.count()).select_from(model)) for model in models)
        prices = session.execute(select(ElectricityTariff.with_vat).where(ElectricityTariff.source == "gadget")).all()
    assert outcomes == ["captcha_shown", *["success"] * 6] * 2
    assert (Decimal("0.640150"),) in prices
    db.engine.dispose()

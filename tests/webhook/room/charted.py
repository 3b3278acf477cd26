"""Figures of every kind for the charts, written as crawls write them, with a few that are easy to add up by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from database.families.cycles import cycle_for
from database.families.fleet import Seen, conclude_sync, tenant_named
from database.models import Account, CarrierReport, Invoice, PoolUsage, ReportLine, Run
from database.models.fleet import Fault, Vehicle
from database.models.prices import PriceCheckRun
from database.models.readings import Direction, MeterPeriod, MeterReading, Resolution
from database.versions import write
from scrapers.families.electricity.clock import QUARTER, day_start, quarters
from scrapers.families.electricity.readings import KEY

GIB = 2**30
METER = {"contract": "300000007", "meter": "10000007", "meter_code": "503"}
OF_METER = "contract=300000007&meter=10000007&meter_code=503"


def invoice(room, account, month, total, currency="CAD", kind="invoice"):
    """Store an invoice of an account; month: of 2026."""
    with room.api.db.transaction() as session:
        cycle = cycle_for(session, session.get_one(Account, account), 2026, month)
        amount = None if total is None else Decimal(total)
        session.add(Invoice(billing_cycle_id=cycle.id, pdf_type=kind, total=amount, currency=currency))


def lines(room, account, month, phones):
    """Store the lines of two reports of an account, one for each telephone."""
    with room.api.db.transaction() as session:
        of = session.get_one(Account, account)
        for slug in ("airtime", "devices"):
            there = select(CarrierReport).where(CarrierReport.slug == slug, CarrierReport.carrier_id == of.carrier_id)
            report = session.scalars(there).one_or_none()
            if report is None:
                report = CarrierReport(name=slug, slug=slug, carrier_id=of.carrier_id)
                session.add(report)
                session.flush()
            cycle = cycle_for(session, of, 2026, month)
            about = {"billing_cycle_id": cycle.id, "carrier_report_id": report.id, "account_number": of.number}
            session.add_all(
                ReportLine(row=number, phone_number=phone, **about) for number, phone in enumerate(phones, 1)
            )


def pool(room, account, day, used, size=None):
    """Store the pool of an account on a day of October 2026, in GiB."""
    with room.api.db.transaction() as session:
        used, size = (None if value is None else value * GIB for value in (used, size))
        session.add(PoolUsage(account_id=account, day=date(2026, 10, day), pool_used=used, pool_size=size))


def readings(db, day, kwh, *, without=(), resolution=Resolution.DAILY, **changed):
    """Store the readings of a day, all alike but for those that are changed (by q and their number) or have no value."""
    rows = []
    for number in range(quarters(day) if resolution is Resolution.DAILY else 1):
        value = changed.get(f"q{number}", kwh)
        rows.append(
            {
                **METER,
                "direction": Direction.CONSUMPTION,
                "resolution": resolution,
                "starts_at": day_start(day) + number * QUARTER,
                "kwh": None if number in without else Decimal(value),
                "status": None,
                "band": None,
            }
        )
    with db.transaction() as session:
        write(session, MeterReading, rows, KEY)


def autumn(db):
    """Store four days of October 2026: a whole one, one of 25 hours that lacks a quarter, an empty one, one with a correction."""
    readings(db, date(2026, 10, 24), "0.25")
    readings(db, date(2026, 10, 25), "0.1", without=(10,))
    for kwh in ("0.75", "1.5", "1.0"):  # the ninth quarter was corrected twice
        readings(db, date(2026, 10, 27), "0.5", q8=kwh)
    with db.transaction() as session:
        about = {**METER, "direction": Direction.CONSUMPTION, "resolution": Resolution.DAILY, "expected": 96}
        # Of the present year, by which meters are listed.
        today = datetime.now(UTC).date()
        session.add(MeterPeriod(**about, first_day=today, last_day=today, found=96, complete=True))


def sync(db, day, spns, complete=True, tenant="Meadow"):
    """Conclude a sync of a fleet of one vehicle, on a day of October 2026, that found faults with these SPNs."""
    with db.transaction() as session:
        of = tenant_named(session, "trucktech", tenant)
        run = Run(crawl="c", spider="trucktech_faults", portal="trucktech", report_type="faults")
        session.add(run)
        if session.scalars(select(Vehicle).where(Vehicle.tenant_id == of.id)).first() is None:
            session.add(Vehicle(tenant_id=of.id, vin="V1"))
        faults = [{"vin": "V1", "source_address": 0, "spn": spn, "fmi": 1} for spn in spns]
        known = set(session.scalars(select(Fault.spn).where(Fault.tenant_id == of.id)))
        session.add_all(Fault(tenant_id=of.id, is_active=True, **each) for each in faults if each["spn"] not in known)
        session.flush()
        made = conclude_sync(session, of.id, run.id, Seen(["V1"], faults), complete=complete)
        made.completed_at = datetime(2026, 10, day, 6, tzinfo=UTC)
        run.started_at = datetime(2026, 1, 1, tzinfo=UTC)


def fleets(db):
    """Store the syncs of a fleet: two faults, then another in the place of one; one day without, one that was not complete."""
    sync(db, 1, (100, 200))
    sync(db, 3, (100, 300))
    sync(db, 4, (100, 400), complete=False)
    sync(db, 20, ())


def prices(room, item):
    """Store checks of an item in October 2026: day, price and currency; None: the check failed."""
    for day, price, currency in (
        (1, "19.99", "GBP"),
        (1, "15.5", "GBP"),
        (2, None, None),
        (4, "18", "GBP"),
        (4, "21", "EUR"),
    ):
        check = room.api.read(item, Decimal(price), currency) if price is not None else room.api.fail(item)
        with room.api.db.transaction() as session:
            session.get_one(PriceCheckRun, check).created_at = datetime(2026, 10, day, 9, tzinfo=UTC)


def ran(room, account, day, *outcomes, portal="bell"):
    """Store runs that were started so many days ago; None: it still runs."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=day)
    for outcome in outcomes:
        room.run(account, outcome, portal=portal, started_at=at)

"""`scrapy forget` of credentials without accounts of clients, and of users: what hangs on their names, and on theirs alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from database.access.roles import grant
from database.actors import Actor, acting
from database.jobs.causes import Failed, failed
from database.jobs.recipients import put
from database.models import (
    FileStatus,
    Note,
    Run,
    RunState,
    Schedule,
    ScraperJob,
    ScraperJobStatus,
    StoredCredential,
    StoredFile,
    Version,
)
from database.models.audit import AuditEntry, record
from database.models.electricity import ElectricityContract, ElectricityDevice, SocialDiscount
from database.models.fleet import Tenant, Vehicle
from database.models.messaging import ChannelFile, ChannelMessage, FileState, MediaKind
from database.models.operators import Role
from database.models.prices import AlertChannel, CheckStatus, PriceCheckRun, User, WatchlistItem
from database.models.readings import Direction, MeterReading, Resolution
from database.models.telegram import AccessLevel, Source, TelegramSession
from database.settings import database_settings
from tests.companies import accept, dump, files_of, passkey, traces

AT = datetime(2026, 11, 1, tzinfo=UTC)
SEEN = {"cron": "0 6 * * *", "time_zone": "UTC", "seen_until": AT}


@pytest.fixture
def house(store, monkeypatch, tmp_path):
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path))
    database_settings.cache_clear()
    return store


def run_of(session: Any, portal: str, report_type: str, **more: Any) -> Run:
    """Make a run that has ended."""
    known = {
        "crawl": f"crawl of {portal}",
        "spider": f"{portal}_{report_type}",
        "portal": portal,
        "report_type": report_type,
    }
    run = Run(**known, state=RunState.FINISHED, finished_at=AT, **more)
    session.add(run)
    session.flush()
    return run


def fail(session: Any, run: Run) -> None:
    """Let a run fail so that its owner must act, and so that the developer must, who is told of all owners in one cause."""
    facts = {"portal": run.portal, "spider": run.spider, "at": AT, "target": run.target, "username": run.username}
    for outcome, actor in (("bad_credentials", "owner"), ("portal_changed", "developer")):
        failed(session, Failed(outcome=outcome, actor=actor, run=run.id, **facts), AT)


def test_a_person_s_contracts_go_but_not_those_that_another_one_sees_too(house, tmp_path, command):
    """The company writes contracts with zeros before them in one place, and without them in another."""
    with house.transaction() as session:
        for person, contracts in (("ana", ("000300000001", "000300000002")), ("zoe", ("000300000002", "000300000003"))):
            session.add(StoredCredential(portal="iec", username=person, password="x"))
            fail(session, run_of(session, "iec", "invoices", username=person, target=person))
            accept(session, "iec_invoices", person)
            session.add(Note(spider="iec_invoices", target_key=person, name="lists", value=True))
            session.add(ScraperJob(portal="iec", report_type="invoices", target={"person": person}, label=person,
                                   status=ScraperJobStatus.SUCCESS))  # fmt: skip
            for contract in contracts:
                seen = {"username": person, "contract": contract, "bp": f"bp-{person}", "is_shared": False}
                session.add(ElectricityContract(**seen))
            session.add(SocialDiscount(bp=f"bp-{person}"))
        for number in (1, 2, 3):
            contract = f"30000000{number}"
            session.add(ElectricityDevice(contract=contract.zfill(12), meter="7", meter_code="1"))
            key = {"contract": contract, "meter": "7", "meter_code": "1", "direction": Direction.CONSUMPTION}
            session.add(MeterReading(**key, resolution=Resolution.DAILY, starts_at=AT))
            session.add(
                Version(table_name="meter_readings", key=contract, number=1, row={"contract": contract}, replaced_at=AT)
            )
        accept(session, "iec_invoices", "dr ana")  # another person
        session.add(Schedule(name="at night", spiders=["iec_invoices"], accounts=["ana", "zoe"], **SEEN))
        # The same name at another portal is another person's.
        session.add(StoredCredential(portal="bell", username="ana", password="x"))
    said = command("forget", "--credential", "iec", "--username", "ana", "--yes")
    assert said.code == 0, said.err
    left = dump(house)
    assert [name for name, rows in left.items() if "'ana'" in str(rows)] == ["credentials"]
    assert traces(house, tmp_path, "300000001", "bp-ana", "iec ana", "iec_invoices ana", "user ana") == []
    assert {name: len(left[name]) for name in ("notice_causes", "notice_cases", "acceptances")} == {
        "notice_causes": 2, "notice_cases": 2, "acceptances": 2
    }  # fmt: skip
    for table in ("meter_readings", "versions", "electricity_devices"):
        assert len(left[table]) == 2, table
    assert len(left["electricity_contracts"]) == len(left["runs"]) * 2 == len(left["notes"]) * 2 == 2
    again = command("forget", "--credential", "iec", "--username", "ana")
    assert (again.code, again.out.splitlines()[0]) == (0, "Nothing is stored of it.")


def test_a_fleet_goes_with_its_credential(house, command):
    with house.transaction() as session:
        for person in ("ana", "zoe"):
            session.add(StoredCredential(portal="trucktech", username=person, password="x"))
            run = run_of(session, "trucktech", "vehicles", username=person, target=f"north of {person}")
            fail(session, run)
            accept(session, "trucktech_vehicles", f"north of {person}")
            tenant = Tenant(portal="trucktech", name=f"north of {person}", username=person)
            session.add(tenant)
            session.flush()
            session.add(Vehicle(tenant_id=tenant.id, vin=f"VIN{person}", run_id=run.id))
            session.add(Note(spider="trucktech_vehicles", target_key=tenant.name, name="x", value=1))
            session.add(ScraperJob(portal="trucktech", report_type="vehicles", target={"tenant": tenant.name},
                                   status=ScraperJobStatus.SUCCESS))  # fmt: skip
    before = {name: len(rows) for name, rows in dump(house).items()}
    said = command("forget", "--credential", "trucktech", "--username", "ana", "--yes")
    assert said.code == 0, said.err
    left = dump(house)
    assert [name for name, rows in left.items() if "ana" in str(rows)] == []
    assert {name for name, rows in left.items() if len(rows) * 2 == before[name] > 0} == {
        *("credentials", "runs", "tenants", "vehicles", "notes", "scraper_jobs", "notice_cases", "acceptances")
    }
    assert (before["notice_causes"], len(left["notice_causes"])) == (3, 2)


def session_row(name: str, user: User | None) -> TelegramSession:
    return TelegramSession(
        id=f"session-{name}", user_id=user.id if user else None, name=name, session_string="x", key_fingerprint=name,
        api_id=1, api_hash="x",
    )  # fmt: skip


def watcher(session: Any, data: Any, name: str, products: tuple[str, ...]) -> User:
    """Make a user who watches products, and has a source with a stored file."""
    user = User(email=f"{name}@example.com")
    session.add(user)
    session.flush()
    session.add(AlertChannel(user_id=user.id, service="x", address="json://x", fingerprint=name))
    for product in products:
        item = WatchlistItem(user_id=user.id, product_url=f"https://shop.example/{product}", portal="shop",
                             product_key=product, threshold=1)  # fmt: skip
        session.add(item)
        session.flush()
        run = session.scalars(select(Run).where(Run.target == product)).one_or_none()
        if run is None:
            run = run_of(session, "shop", "prices", target=product)
            fail(session, run)
        session.add(
            PriceCheckRun(
                watchlist_item_id=item.id, status=CheckStatus.SUCCESS, outcome="ok", message="", run_id=run.id
            )
        )
    session.add(session_row(name, user))
    schedule = Schedule(name=f"telegram {name}", spiders=["telegram_files"], accounts=[f"source-{name}"], **SEEN)
    session.add(schedule)
    session.flush()
    source = Source(id=f"source-{name}", user_id=user.id, name=name, access_level=AccessLevel.PRIVATE, identifier="x",
                    channel_id=1, channel_title="x", session_id=f"session-{name}", schedule_id=schedule.id)  # fmt: skip
    session.add(source)
    session.flush()
    run = run_of(session, "telegram", "files", username=f"session-{name}", target=name)
    fail(session, run)
    session.add(passkey(grant(session, user.email, Role.VIEWER), name))
    put(session, user.email, "mail", AT, actors=["developer"], digest=True)
    with acting(Actor(user.email, "web", f"address-of-{name}")):
        record(session, "user.passkey_added", user.email, {"name": f"key of {name}"})
        record(session, "job.run_again", "job 7")
        accept(session, "telegram_files", source.id)
        accept(session, "bell_pdf_invoice", f"{name[0]}/2026-09")  # of nobody here
    path = data / "files" / f"{name}.bin"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(name.encode())
    part = data / "spool" / "kept" / "machine" / source.id / "7.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half")
    stored = StoredFile(spider="telegram_files", portal="telegram", report_type="files", target_key=source.id, key="7",
                        path=path.name, store=str(path.parent), size=3, status=FileStatus.READY, run_id=run.id)  # fmt: skip
    session.add(stored)
    session.flush()
    session.add(ChannelMessage(source_id=source.id, message_id=1, sent_at=AT, text=name))
    session.add(ChannelFile(source_id=source.id, message_id=1, document_id=7, kind=MediaKind.DOCUMENT, size=3, sent_at=AT,
                            state=FileState.STORED, file_id=stored.id, run_id=run.id))  # fmt: skip
    return user


def test_a_user_goes_with_watchlist_sources_and_sessions(house, tmp_path, command):
    """A check that another user's item shares with theirs stays; a product that they alone have watched goes."""
    with house.transaction() as session:
        watcher(session, tmp_path, "ana", ("lamp", "chair"))
        watcher(session, tmp_path, "zoe", ("lamp", "table"))
    before = {name: len(rows) for name, rows in dump(house).items()}
    dry = command("forget", "--user", "Ana@example.com")
    assert dry.code == 0, dry.err
    said = command("forget", "--user", "ana@example.com", "--yes")
    assert said.code == 0, said.err
    assert traces(house, tmp_path, "ana", "chair") == []
    assert set(files_of(tmp_path)) == {"files/zoe.bin", "spool/kept/machine/source-zoe/7.part"}
    left = {name: len(rows) for name, rows in dump(house).items() if rows}
    assert left == {
        **dict.fromkeys(("users", "alert_channels", "telegram_sessions", "schedules", "sources", "files"), 1),
        **dict.fromkeys(("channel_messages", "channel_files"), 1),
        **dict.fromkeys(("watchlist_items", "price_check_runs"), 2),
        "runs": 3,  # of both products that zoe watches, and of the source
        **dict.fromkeys(("fingerprint_keys", "grants", "passkeys", "notice_addresses"), 1),
        "acceptances": 3,  # with both of bell
        "notice_cases": 6,
        "notice_causes": 5,
        "audit": before["audit"] + 1,  # with this forgetting
    }
    with house.transaction() as session:
        done = select(AuditEntry.actor, AuditEntry.address, AuditEntry.action, AuditEntry.subject).order_by(
            AuditEntry.id
        )
        rows = session.execute(done.where(AuditEntry.via == "web")).all()
    erased = rows[0].actor
    # Who did what stays told apart, without name and address.
    assert erased.startswith("erased user ")
    assert [tuple(row) for row in rows if row.actor != "zoe@example.com"] == [
        (erased, "", "user.passkey_added", ""),
        (erased, "", "job.run_again", "job 7"),
        (erased, "", "period.accepted", ""),
        (erased, "", "period.accepted", "bell_pdf_invoice a 2026-09"),
    ]
    assert [row.subject for row in rows if row.actor == "zoe@example.com"] == [
        *("zoe@example.com", "job 7", "telegram_files source-zoe", "bell_pdf_invoice z 2026-09")
    ]


def test_a_session_of_telegram_goes_with_its_sources(house, tmp_path, command):
    with house.transaction() as session:
        watcher(session, tmp_path, "ana", ())
        watcher(session, tmp_path, "zoe", ())
        session.add(session_row("of the house", None))
        session.flush()
        session.get_one(Source, "source-zoe").session_id = "session-of the house"
    refused = command("forget", "--credential", "telegram", "--username", "of the house", "--yes")
    assert (refused.code, refused.out) == (2, "")
    assert "The source zoe of a user works with it" in refused.err
    said = command("forget", "--credential", "telegram", "--username", "session-ana", "--yes")
    assert said.code == 0, said.err
    assert [name for name, rows in dump(house).items() if "session-ana" in str(rows) or "source-ana" in str(rows)] == []
    assert set(files_of(tmp_path)) == {"files/zoe.bin", "spool/kept/machine/source-zoe/7.part"}
    assert len(dump(house)["users"]) == 2

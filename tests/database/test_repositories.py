"""The generic repository and its names, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError, StatementError

from database import repositories
from database.models import (
    Account,
    AccountType,
    BillingCycleStatus,
    Client,
    FileStatus,
    Navigators,
    ScraperJobStatus,
    ScraperType,
    SessionStatus,
)
from database.repositories import (
    AccountRepository,
    BillingCycleFileRepository,
    BillingCyclePdfFileRepository,
    BillingCycleRepository,
    CarrierPortalCredentialRepository,
    CarrierReportRepository,
    CarrierRepository,
    ClientRepository,
    DailyUsageFileRepository,
    NotFound,
    NotUnique,
    Repository,
    ScraperConfigRepository,
    ScraperJobRepository,
    WorkspaceRepository,
)


@pytest.fixture
def session(store):
    with store.transaction() as session:
        yield session


@pytest.fixture
def clients(session):
    repository = ClientRepository(session)
    repository.bulk_create(
        [
            {"name": "Birch", "city": "Oslo", "contact_name": "Ann"},
            {"name": "Alder", "city": "Oslo"},
            {"name": "Cedar", "city": None},
            {"name": "Elm", "city": "Rome", "active": False},
        ]
    )
    return repository


def names(page):
    return [client.name for client in page.data]


def make_family(session) -> dict[str, Any]:
    """One row of each carrier entity, each made through its repository."""
    made: dict[str, Any] = {}
    client = ClientRepository(session).save({"name": "Birch", "zip_code": "H0H 0H0", "phone_number": "+12015550100"})
    workspace = WorkspaceRepository(session).save({"name": "Main", "client_id": client.id})
    carrier = CarrierRepository(session).save({"name": "AT&T", "portal": "att", "details": {"a": [1]}})
    account = AccountRepository(session).save(
        {"number": "555-0100", "workspace_id": workspace.id, "carrier_id": carrier.id}
    )
    cycle = BillingCycleRepository(session).save(
        {"start_date": date(2026, 10, 1), "end_date": date(2026, 10, 31), "account_id": account.id}
    )
    report = CarrierReportRepository(session).save({"name": "Usage", "slug": "usage", "carrier_id": carrier.id})
    credential = CarrierPortalCredentialRepository(session).save(
        {
            "portal": "att",
            "username": "ok@example.com",
            "password": "x",
            "client_id": client.id,
            "carrier_id": carrier.id,
        }
    )
    config = ScraperConfigRepository(session).save(
        {"account_id": account.id, "credential_id": credential.id, "carrier_id": carrier.id}
    )
    made["monthly"] = BillingCycleFileRepository(session).save(
        {"billing_cycle_id": cycle.id, "carrier_report_id": report.id}
    )
    made["daily"] = DailyUsageFileRepository(session).save({"billing_cycle_id": cycle.id, "day": date(2026, 10, 2)})
    made["pdf"] = BillingCyclePdfFileRepository(session).save({"billing_cycle_id": cycle.id})
    made["job"] = ScraperJobRepository(session).save(
        {
            "portal": "att",
            "report_type": "daily_usage",
            "type": "daily_usage",
            "billing_cycle_id": cycle.id,
            "scraper_config_id": config.id,
        }
    )
    made.update(
        client=client, workspace=workspace, carrier=carrier, account=account, cycle=cycle, report=report, config=config
    )
    return made


def test_every_entity_has_its_repository_and_its_defaults(session):
    made = make_family(session)
    assert made["account"].account_type is AccountType.CORPORATE
    assert made["account"].billing_day == 15
    assert made["cycle"].status is BillingCycleStatus.OPEN
    assert made["monthly"].status is made["daily"].status is made["pdf"].status is FileStatus.TO_BE_FETCHED
    assert made["pdf"].pdf_type == "invoice"
    assert (made["config"].parameters, made["config"].days_offset) == ({}, 0)
    job = made["job"]
    session.refresh(job)
    assert (job.status, job.type, job.retry_count, job.max_retries) == ("pending", ScraperType.DAILY_USAGE, 0, 3)
    assert job.scraper_config.account.workspace.client.name == "Birch"
    found = [kind for kind in vars(repositories).values() if isinstance(kind, type) and issubclass(kind, Repository)]
    assert len(found) == 13  # the base and twelve entities


def test_the_enums_have_the_values_that_are_stored():
    assert [*Navigators] == ["chrome", "firefox", "edge", "safari"]
    assert [*FileStatus] == ["to_be_fetched", "ready", "processing", "processed", "error"]
    assert [*AccountType] == ["corporate", "individual"]
    assert [*BillingCycleStatus] == ["open", "ready_to_process", "processing", "processed", "error"]
    assert [*ScraperJobStatus] == ["pending", "in_progress", "running", "success", "error", "cancelled"]
    assert [*ScraperType] == ["daily_usage", "monthly_reports", "pdf_invoice"]
    assert [*SessionStatus] == ["logged_out", "logged_in", "error"]


@pytest.mark.parametrize(("given", "kept"), [(None, 15), (0, 15), (32, 15), (1, 1), (31, 31)])
def test_an_impossible_billing_day_becomes_the_fifteenth(given, kept):
    assert Account(billing_day=given).billing_day == kept


@pytest.mark.parametrize("natural_key", ["client", "workspace", "carrier", "account", "cycle", "report", "config"])
def test_a_natural_key_is_taken_once(store, natural_key):
    with store.transaction() as session:
        row = make_family(session)[natural_key]
        entity = {
            name: getattr(row, name) for name in [c.key for c in type(row).__mapper__.column_attrs] if name != "id"
        }
        model = type(row)
    with pytest.raises(IntegrityError), store.transaction() as session:
        session.add(model(**entity))


def test_what_is_referred_to_cannot_be_deleted(store):
    with store.transaction() as session:
        family = make_family(session)
    for repository, row in ((ClientRepository, family["client"]), (BillingCycleRepository, family["cycle"])):
        with pytest.raises(IntegrityError), store.transaction() as session:
            repository(session).delete(row.id)


def test_get_gives_exactly_one(clients):
    assert clients.get(name="Birch").city == "Oslo"
    with pytest.raises(NotFound, match=r"^No Client with that name\.$"):
        clients.get({"name": "Willow"})
    with pytest.raises(NotUnique, match=r"^More than one Client with that city\.$"):
        clients.get(city="Oslo")


def test_find_gives_one_or_none(clients):
    assert clients.find(name="Willow") is None
    assert clients.find({"city": "Rome"}, active=False).name == "Elm"
    with pytest.raises(NotUnique):
        clients.find(city="Oslo")


def test_filter_excludes_with_an_exclamation_mark_and_keeps_empty_fields(clients):
    assert names(clients.filter({"!city": "Oslo"})) == ["Cedar", "Elm"]
    assert names(clients.filter({"!city": None})) == ["Birch", "Alder", "Elm"]
    assert names(clients.filter({"!city": ["Oslo", None]})) == ["Elm"]
    assert names(clients.filter({"!city": ["Oslo", "Rome"]})) == ["Cedar"]
    assert names(clients.filter({"city": ["Rome", None]})) == ["Cedar", "Elm"]
    assert names(clients.filter({"city": []})) == []
    assert names(clients.filter({"!city": "Oslo"}, active=True)) == ["Cedar"]


def test_filter_orders_with_empty_fields_last_both_ways(clients):
    assert names(clients.filter(order_by="city")) == ["Birch", "Alder", "Elm", "Cedar"]
    assert names(clients.filter(order_by="-city")) == ["Elm", "Birch", "Alder", "Cedar"]
    assert names(clients.filter(order_by=["-city", "name"])) == ["Elm", "Alder", "Birch", "Cedar"]


def test_filter_pages_and_counts_all(clients):
    pages = [clients.filter(page=page, page_size=3, order_by="name") for page in (1, 2, 3)]
    assert [names(page) for page in pages] == [["Alder", "Birch", "Cedar"], ["Elm"], []]
    assert {page.total for page in pages} == {4}
    with pytest.raises(ValueError, match="start at 1"):
        clients.filter(page=0)


def test_filter_distinct_gives_the_first_of_each(clients):
    page = clients.filter(distinct="city", order_by="name")
    assert (names(page), page.total) == (["Alder", "Cedar", "Elm"], 3)
    assert names(clients.filter(distinct=["city"], order_by="-name", page_size=2)) == ["Elm", "Cedar"]


def test_an_unknown_field_is_named(clients):
    for wrong in ({"nmae": "x"}, {"!nmae": "x"}):
        with pytest.raises(ValueError, match="Client has no field 'nmae'"):
            clients.filter(wrong)
    with pytest.raises(ValueError, match="Client has no field 'nmae'"):
        clients.filter(order_by="-nmae")
    with pytest.raises(ValueError, match="Client has no field 'nmae'"):
        clients.save({"nmae": "x"})


def test_an_entity_makes_the_round_trip(clients):
    trial_ends = datetime(2027, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=-5)))
    saved = clients.save({"name": "Fir", "trial_ends": trial_ends})
    clients.session.expire_all()
    entity = clients.to_entity(clients.get(name="Fir"))
    assert set(entity) == set(clients.get_model_fields())
    assert entity["id"] == saved.id
    assert (entity["trial_ends"], entity["trial_ends"].tzinfo) == (trial_ends, UTC)
    again = clients.to_orm_model(entity)
    assert isinstance(again, Client)
    assert clients.to_entity(again) == entity


def test_update_writes_the_given_fields_and_needs_the_id(clients):
    birch = clients.get(name="Birch")
    clients.update({"id": birch.id, "city": "Bern"})
    clients.update(Client(id=birch.id, contact_email="ann@example.com"))
    clients.session.expire_all()
    birch = clients.get(name="Birch")
    assert (birch.city, birch.contact_name, birch.contact_email) == ("Bern", "Ann", "ann@example.com")
    with pytest.raises(ValueError, match="needs the id"):
        clients.update({"city": "Bern"})
    with pytest.raises(NotFound):
        clients.update({"id": 999999, "city": "Bern"})


def test_bulk_update_writes_only_the_named_fields(clients):
    entities = [{**clients.to_entity(row), "city": "Bern", "active": False} for row in clients.all()]
    assert clients.bulk_update(entities, ["city"]) == 4
    clients.session.expire_all()
    assert {row.city for row in clients.all()} == {"Bern"}
    assert [row.active for row in clients.all()] == [True, True, True, False]
    with pytest.raises(ValueError, match="has no zip_code"):
        clients.bulk_update([{"id": entities[0]["id"]}], ["zip_code"])


def test_delete_and_bulk_delete(clients):
    rows = {row.name: row for row in clients.all(order_by="-name")}
    clients.delete(rows["Elm"])
    assert clients.bulk_delete([rows["Birch"].id, rows["Alder"], 999999]) == 2
    assert [row.name for row in clients.all()] == ["Cedar"]
    with pytest.raises(NotFound):
        clients.delete(999999)
    with pytest.raises(ValueError, match="needs the id"):
        clients.delete({"name": "Cedar"})


def test_two_thousand_rows_in_bulk(session):
    clients = ClientRepository(session)
    rows = clients.bulk_create([{"name": f"client {number}"} for number in range(2500)])
    assert clients.bulk_update([{"id": row.id, "city": "Oslo"} for row in rows], ["city"]) == 2500
    assert clients.filter(city="Oslo", page_size=1).total == 2500
    assert clients.bulk_delete(rows) == 2500


def test_a_value_outside_an_enum_is_refused(store):
    with store.transaction() as session:
        family = make_family(session)
    with pytest.raises(StatementError, match="bogus"), store.transaction() as session:
        BillingCycleRepository(session).update({"id": family["cycle"].id, "status": "bogus"})


def test_a_naive_time_is_refused(store):
    with pytest.raises(StatementError, match="naive"), store.transaction() as session:
        ClientRepository(session).save({"name": "Fir", "trial_ends": datetime(2027, 1, 1)})  # noqa: DTZ001


def test_a_credential_of_the_carriers_is_not_mistaken_for_another(session):
    make_family(session)
    from database.models import CarrierPortalCredential, StoredCredential

    session.add(StoredCredential(portal="iec", username="ok@example.com", password="x"))
    session.flush()
    session.expire_all()
    credentials = CarrierPortalCredentialRepository(session)
    assert [row.portal for row in credentials.all()] == ["att"]
    assert isinstance(credentials.get(portal="att"), CarrierPortalCredential)
    assert credentials.bulk_delete([session.query(StoredCredential).filter_by(portal="iec").one().id]) == 0

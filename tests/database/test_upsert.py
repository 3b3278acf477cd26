"""Upserts, on both databases, with the values on which they differ."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import cast

import pytest
from sqlalchemy import Numeric, Table, func, select
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import CreateTable

from database.models import Account, Carrier, Client, CodeRequest, PoolUsage, StoredCredential, Workspace
from database.models.base import Base, JsonColumn
from database.upsert import normalise, upsert


class Reading(Base):
    """A table for these tests only, with the column types that no table of ours has yet."""

    __tablename__ = "test_readings"
    __table_args__ = {"prefixes": ["TEMPORARY"]}

    meter: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    ratio: Mapped[float | None]
    details: Mapped[object] = mapped_column(JsonColumn, nullable=True)


READINGS = cast("Table", Reading.__table__)
# The migrations and the other tests know nothing of it.
Base.metadata.remove(READINGS)


@pytest.fixture
def session(store):
    with store.transaction() as session:
        session.execute(CreateTable(READINGS))
        yield session


@pytest.fixture
def account(session) -> int:
    client, carrier = Client(name="Birch"), Carrier(name="Bell", portal="bell")
    session.add_all([client, carrier])
    session.flush()
    workspace = Workspace(name="Main", client_id=client.id)
    session.add(workspace)
    session.flush()
    account = Account(number="555-0100", workspace_id=workspace.id, carrier_id=carrier.id)
    session.add(account)
    session.flush()
    return account.id


DAY = date(2026, 10, 1)
KEY = ["account_id", "day"]


def usage(account, days, used=5):
    return [
        {"account_id": account, "day": DAY + timedelta(days=number), "pool_size": 10**15, "pool_used": used}
        for number in range(days)
    ]


def stored(session, model=Reading):
    session.expire_all()
    return session.scalars(select(model)).all()


def test_written_again_it_doubles_nothing_and_counts_only_what_changed(session, account):
    assert upsert(session, PoolUsage, usage(account, 2500), KEY) == 2500
    assert upsert(session, PoolUsage, usage(account, 2500), KEY) == 0
    changed = usage(account, 2500)
    changed[7]["pool_used"] = changed[2300]["pool_used"] = None
    assert upsert(session, PoolUsage, changed, KEY) == 2
    assert upsert(session, PoolUsage, usage(account, 2501), KEY) == 3
    assert session.scalar(select(func.count()).select_from(PoolUsage)) == 2501


def test_of_two_rows_with_one_key_the_last_counts(session, account):
    rows = [*usage(account, 1, used=1), *usage(account, 1, used=2)]
    assert upsert(session, PoolUsage, rows, KEY) == 1
    assert [row.pool_used for row in stored(session, PoolUsage)] == [2]


def test_only_the_columns_of_update_are_taken_over(session, account):
    upsert(session, PoolUsage, usage(account, 1, used=1), KEY)
    other = [{**usage(account, 1, used=2)[0], "pool_size": 1}]
    assert upsert(session, PoolUsage, other, KEY, update=["pool_used"]) == 1
    assert upsert(session, PoolUsage, [{**other[0], "pool_used": 9}], KEY, update=[]) == 0
    assert [(row.pool_size, row.pool_used) for row in stored(session, PoolUsage)] == [(10**15, 2)]


def test_who_wrote_a_row_is_said_when_it_changes_and_is_no_reason_to_change_it(session):
    def write(amount: int, writer: float) -> int:
        row = {"meter": "1", "amount": Decimal(amount), "ratio": writer, "details": None}
        return upsert(session, Reading, [row], ["meter"], ["amount"], also=["ratio"])

    def writer() -> float | None:
        return session.scalar(select(Reading.ratio))

    assert (write(5, 1.0), writer()) == (1, 1.0)
    assert (write(5, 2.0), writer()) == (0, 1.0)
    assert (write(6, 3.0), writer()) == (1, 3.0)


def test_nothing_is_nothing(session):
    assert upsert(session, PoolUsage, [], KEY) == 0


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        ([{"meter": "a"}, {"meter": "b", "ratio": 1.0}], ["meter"]),
        ([{"meter": "a", "colour": "red"}], ["meter"]),
        ([{"ratio": 1.0}], ["meter"]),
    ],
)
def test_rows_that_do_not_fit_are_named(session, rows, key):
    with pytest.raises(ValueError, match=r"^rows"):
        upsert(session, Reading, rows, key)


def test_nul_and_lone_surrogates_are_taken_out_of_texts(session):
    given = {"meter": "a\x00b", "details": {"k\x00": ["x\x00y", "\ud800z"]}}
    assert upsert(session, Reading, [given], ["meter"]) == 1
    (row,) = stored(session)
    assert (row.meter, row.details) == ("ab", {"k": ["xy", "\ufffdz"]})
    assert upsert(session, Reading, [given], ["meter"]) == 0


def test_a_surrogate_pair_becomes_its_character():
    assert normalise("\ud83d\ude00") == "\U0001f600"


def test_numbers_that_are_none_become_unknown(session):
    row = {"meter": "a", "amount": Decimal("NaN"), "ratio": float("inf"), "details": {"n": float("nan"), "m": 1.5}}
    upsert(session, Reading, [row], ["meter"])
    (kept,) = stored(session)
    assert (kept.amount, kept.ratio, kept.details) == (None, None, {"n": None, "m": 1.5})


@pytest.mark.parametrize(
    ("given", "kept"),
    [("1.005", "1.01"), ("-1.005", "-1.01"), ("1.004999", "1.00"), ("9999999999.99", "9999999999.99"), ("7", "7.00")],
)
def test_money_is_rounded_half_up_on_both(session, given, kept):
    upsert(session, Reading, [{"meter": "a", "amount": Decimal(given)}], ["meter"])
    assert [row.amount for row in stored(session)] == [Decimal(kept)]
    assert upsert(session, Reading, [{"meter": "a", "amount": Decimal(given)}], ["meter"]) == 0


@pytest.mark.parametrize("given", ["99999999999.99", "9999999999.995", "1E+40"])
def test_too_many_digits_are_refused_on_both(session, given):
    with pytest.raises(ValueError, match=r"test_readings.amount: the number has more than 12 digits"):
        upsert(session, Reading, [{"meter": "a", "amount": Decimal(given)}], ["meter"])


def test_a_text_that_is_too_long_is_refused_on_both(session):
    with pytest.raises(ValueError, match=r"clients.city: the text is longer than 100 characters"):
        upsert(session, Client, [{"name": "a", "city": "x" * 101}], ["name"])


def test_json_with_its_keys_in_another_order_is_the_same(session):
    upsert(session, Reading, [{"meter": "a", "details": {"x": 1, "y": [2]}}], ["meter"])
    assert upsert(session, Reading, [{"meter": "a", "details": {"y": [2], "x": 1}}], ["meter"]) == 0
    assert upsert(session, Reading, [{"meter": "a", "details": None}], ["meter"]) == 1
    assert [row.details for row in stored(session)] == [None]


def test_defaults_fill_what_is_not_given_and_changed_rows_say_when(session):
    row = {"portal": "bell", "username": "ok@example.com", "password": "one", "kind": "portal"}
    upsert(session, StoredCredential, [row], ["portal", "username"])
    first = stored(session, StoredCredential)[0]
    created, changed = first.created_at, first.changed_at
    assert changed.tzinfo is not None
    upsert(session, StoredCredential, [{**row, "password": "two"}], ["portal", "username"])
    again = stored(session, StoredCredential)[0]
    assert (again.password, again.created_at) == ("two", created)
    assert again.changed_at > changed


def test_a_time_keeps_its_instant(session):
    moment = datetime.fromisoformat("2026-10-25T01:30:00+02:00")
    row = {
        "login": "bell", "username": "u", "receiver": "r", "senders": [], "sender_group": "", "kind": "code",
        "pattern": "", "requested_at": moment, "deadline": moment, "state": "open",
    }  # fmt: skip
    session.add(CodeRequest(**row))
    session.flush()
    kept = stored(session, CodeRequest)[0].requested_at
    assert (kept, kept.utcoffset()) == (moment, timedelta(0))

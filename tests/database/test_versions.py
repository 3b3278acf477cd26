"""What a row said before it was corrected, on both databases, also when several processes correct it at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, func, select

from database.models import Run, Version
from database.models.readings import Direction, MeterReading, RegisterReading, Resolution
from database.versions import Written, history, key_text, write
from tests.database.crowd import crowd

KEY = ("contract", "meter", "meter_code", "direction", "resolution", "starts_at")
START = datetime(2028, 1, 16, 22, tzinfo=UTC)
METER = {"contract": "300000007", "meter": "10000007", "meter_code": "503"}


@pytest.fixture
def session(store):
    with store.transaction() as session:
        yield session


@pytest.fixture
def runs(session) -> list[int]:
    made = [Run(crawl="c", spider="acme_readings", portal="acme", report_type="readings") for _ in range(3)]
    session.add_all(made)
    session.flush()
    return [run.id for run in made]


def quarters(count: int, kwh: str | None = "0.1", first: int = 0, **values):
    return [
        {
            **METER,
            "direction": Direction.CONSUMPTION,
            "resolution": Resolution.DAILY,
            "starts_at": START + timedelta(minutes=15) * number,
            "kwh": None if kwh is None else Decimal(kwh),
            "status": 0,
            "band": None,
            **values,
        }
        for number in range(first, first + count)
    ]


def key(row) -> dict:
    return {name: row[name] for name in KEY}


def statements(session) -> list[str]:
    """Return the statements that are sent from now on."""
    sent: list[str] = []
    event.listen(
        session.get_bind(),
        "before_cursor_execute",
        lambda connection, cursor, statement, parameters, context, many: sent.append(statement),
    )
    return sent


def test_new_and_unchanged_rows_have_no_versions(session, runs):
    rows = quarters(2500)
    assert write(session, MeterReading, rows, KEY, origin={"run_id": runs[0]}).new == 2500
    again = write(session, MeterReading, rows, KEY, origin={"run_id": runs[1]})
    assert (again.new, again.replaced) == (0, 0)
    assert session.scalar(select(func.count(Version.id))) == 0
    assert set(session.scalars(select(MeterReading.run_id))) == {runs[0]}
    states = history(session, MeterReading, key(rows[7]))
    assert [(each.number, each.row["kwh"], each.replaced_at) for each in states] == [(1, Decimal("0.1"), None)]


def test_unchanged_rows_cost_one_question_for_a_thousand_and_no_write(session, runs):
    rows = quarters(2500)
    write(session, MeterReading, rows, KEY)
    sent = statements(session)
    write(session, MeterReading, rows, KEY)
    assert sum(each.startswith("SELECT meter_readings") for each in sent) == 3
    assert not [each for each in sent if not each.startswith("SELECT")]


def test_a_correction_keeps_what_was_said_before(session, runs):
    rows = quarters(200)
    write(session, MeterReading, rows, KEY, origin={"run_id": runs[0]})
    rows[50]["kwh"] = Decimal("0.7")
    written = write(session, MeterReading, rows, KEY, origin={"run_id": runs[1]})
    assert (written.new, written.replaced) == (0, 1)
    rows[50]["kwh"], rows[51]["status"] = None, 8192
    assert write(session, MeterReading, rows, KEY, origin={"run_id": runs[2]}).replaced == 2
    states = history(session, MeterReading, key(rows[50]))
    assert [(each.number, each.run_id) for each in states] == [(1, runs[0]), (2, runs[1]), (3, runs[2])]
    assert [each.row["kwh"] for each in states] == ["0.1000", "0.7000", None]
    assert [each.replaced_at is None for each in states] == [False, False, True]
    assert states[0].row["starts_at"] == (START + timedelta(minutes=15) * 50).isoformat()
    replaced = session.scalars(select(Version.replaced_by).order_by(Version.id)).all()
    assert replaced == [runs[1], runs[2], runs[2]]
    # The rest is as the first run left it.
    assert session.scalar(select(func.count(MeterReading.id)).where(MeterReading.run_id == runs[0])) == 198


def test_the_last_of_two_rows_with_one_key_counts_once(session):
    assert write(session, MeterReading, quarters(1, "0.1") + quarters(1, "0.2"), KEY).new == 1
    assert write(session, MeterReading, quarters(1, "0.3") + quarters(1, "0.2"), KEY).replaced == 0
    assert session.scalars(select(MeterReading.kwh)).all() == [Decimal("0.2")]


def test_a_value_that_the_column_rounds_is_no_correction(session):
    for _ in range(2):
        write(session, MeterReading, quarters(3, "0.100049"), KEY)
    assert session.scalar(select(func.count(Version.id))) == 0


def test_keys_that_differ_in_several_columns(session):
    rows = [
        {
            "contract": str(contract),
            "meter": "7",
            "register_number": "001",
            "read_on": date(2028, month, 1),
            "reading": 5,
        }
        for contract in range(3)
        for month in range(1, 8)
    ]
    names = ("contract", "meter", "register_number", "read_on")
    assert write(session, RegisterReading, rows, names).new == 21
    changed = [{**row, "reading": 6} if row["contract"] == "1" else row for row in rows]
    assert write(session, RegisterReading, changed, names).replaced == 7
    assert write(session, RegisterReading, [rows[0]], names).replaced == 0
    one = {name: changed[8][name] for name in names}
    assert [each.row["reading"] for each in history(session, RegisterReading, one)] == ["5.000", Decimal("6.000")]


def test_a_few_rows_far_apart_among_many(session):
    rows = quarters(2000)
    write(session, MeterReading, rows, KEY)
    ends = [{**rows[0], "kwh": Decimal(9)}, rows[1000], {**rows[1999], "kwh": Decimal(9)}]
    assert write(session, MeterReading, [*ends, *quarters(1, first=5000)], KEY) == Written(new=1, replaced=2)


def test_rows_that_do_not_fit_are_refused(session):
    with pytest.raises(ValueError, match="all must have the same columns"):
        write(session, MeterReading, [*quarters(1), {"contract": "1"}], KEY)
    assert write(session, MeterReading, [], KEY).new == 0


def test_a_row_that_is_not_there_has_no_history(session):
    assert history(session, MeterReading, key(quarters(1)[0])) == []


def test_the_key_is_a_text_that_anybody_can_write():
    values = {"starts_at": START, "meter": "7", "direction": Direction.PRODUCTION}
    assert key_text(values) == '{"direction":"production","meter":"7","starts_at":"2028-01-16T22:00:00+00:00"}'


WRITERS = """
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from database.models.readings import MeterReading
from database.versions import write

key = ("contract", "meter", "meter_code", "direction", "resolution", "starts_at")
start = datetime(2028, 1, 16, 22, tzinfo=UTC)
written = [0, 0]
for turn in range(5):
    # Everybody says something else of every row, in another order.
    rows = [
        dict(contract="3", meter="7", meter_code="503", direction="consumption", resolution="daily",
             starts_at=start + timedelta(minutes=15) * place, kwh=Decimal(1 + number * 5 + turn), status=0, band=None)
        for place in range(40)
    ]
    with db.transaction() as session:
        done = write(session, MeterReading, rows[::-1] if number % 2 else rows, key)
        written[0] += done.new
        written[1] += done.replaced
print(*written)
"""


def test_writers_at_once_lose_and_double_no_version(store, database_url):
    answers = [[int(word) for word in answer.split()] for answer in crowd(database_url, 4, WRITERS)]
    assert sum(new for new, _ in answers) == 40
    assert sum(replaced for _, replaced in answers) == 40 * (4 * 5 - 1)
    with store.transaction() as session:
        versions = session.scalars(select(Version)).all()
        newest = {row.starts_at.isoformat(): row.kwh for row in session.scalars(select(MeterReading))}
    assert len(newest) == 40
    for at, kwh in newest.items():
        mine = sorted((each for each in versions if each.row["starts_at"] == at), key=lambda each: each.number)
        assert [each.number for each in mine] == list(range(1, 20))
        # Every value that anybody wrote is there, once.
        assert sorted([*(Decimal(each.row["kwh"]) for each in mine), kwh]) == list(range(1, 21))

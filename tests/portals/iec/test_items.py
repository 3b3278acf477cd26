"""What the company's answers become: times of Jerusalem, numbers, identifiers, what is missing, prices, kinds of meters."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from scrapers.core.outcomes import PortalChanged
from scrapers.families.electricity.clock import ISRAEL
from scrapers.families.electricity.items import (
    Check,
    Contract,
    Counter,
    Device,
    DeviceKind,
    ElectricityRecord,
    Invoice,
    MainMeter,
    Notice,
    Outage,
    PlaceOutage,
)
from scrapers.portals.iec.tariffs import PricesMissing, page_prices
from scrapers.reading.values.days import calendar_day, instant

ID = "11111111-0000-4000-8000-00000000000a"
CONTRACT = {
    "address": "Example 1",
    "contractId": "000300000007",
    "dueDate": "1900-01-01",
    "totalDebt": Decimal("-12.50"),
    "frequency": 2.0,
    "status": "1",
    "fromPativteProducer": False,
    "cityName": "Example",
    "smartMeter": True,
    "somethingNew": {"a": [1]},
}


def contract(**changes) -> Contract:
    return Contract.read(1, "contract", {**CONTRACT, **changes}, username="home", bp="100000007")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2028-01-17T00:00:00", datetime(2028, 1, 16, 22, tzinfo=UTC)),
        ("2028-07-17T00:00:00", datetime(2028, 7, 16, 21, tzinfo=UTC)),
        ("2028-01-16T22:00:00+00:00", datetime(2028, 1, 16, 22, tzinfo=UTC)),
        ("2028-01-17T00:00:00.1234567+02:00", datetime(2028, 1, 16, 22, 0, 0, 123456, tzinfo=UTC)),
        # Summer begins on 2026-03-27 at 02:00 and ends on 2026-10-25 at 02:00.
        ("2026-03-27T01:59:00", datetime(2026, 3, 26, 23, 59, tzinfo=UTC)),
        ("2026-03-27T03:00:00", datetime(2026, 3, 27, 0, 0, tzinfo=UTC)),
        ("2026-10-25T00:30:00", datetime(2026, 10, 24, 21, 30, tzinfo=UTC)),
        ("2026-10-25T01:30:00", datetime(2026, 10, 24, 22, 30, tzinfo=UTC)),  # twice: the first one
        ("2026-10-25T02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("0001-01-01T00:00:00", None),
        ("0001-01-01T00:00:00Z", None),
        ("1900-01-01T00:00:00+02:21", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_is_an_instant(text, expected):
    assert instant(text, ISRAEL) == expected


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("01/02/2028", date(2028, 2, 1)),
        ("2028-01-11", date(2028, 1, 11)),
        ("2028-01-11T00:00:00", date(2028, 1, 11)),
        ("2028-01-10T22:00:00Z", date(2028, 1, 11)),
        ("01/01/1900", None),
        ("", None),
    ],
)
def test_a_day_is_that_of_jerusalem(text, day):
    assert calendar_day(text, ISRAEL) == day


@pytest.mark.parametrize("text", ["yesterday", "2028-13-01", "32/01/2028", 20280101, True])
def test_what_is_no_date_is_refused_without_repeating_it(text):
    with pytest.raises(ValueError, match=r"^is no date$"):
        instant(text, ISRAEL)


def test_a_contract_keeps_no_address():
    read = contract()
    assert (read.contract, read.status, read.frequency, read.due_date) == ("300000007", 1, 2, None)
    assert (read.total_debt, read.is_active, read.is_time_of_use) == (Decimal("-12.50"), True, None)
    assert "Example" not in str(read.model_dump())
    assert read.key() == "electricity_contracts/home/300000007"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"contractId": None}, "contract.contractId is empty."),
        ({"contractId": "12 Secret street"}, "contract.contractId is no number."),
        ({"dueDate": "soon"}, "contract.dueDate is no date."),
        ({"totalDebt": "much"}, "contract.totalDebt is no number."),
        ({"status": Decimal("1.5")}, "contract.status is no whole number."),
        ({"smartMeter": "maybe"}, "contract.smartMeter is neither yes nor no."),
    ],
)
def test_what_is_wrong_is_named_without_its_value(changes, said):
    with pytest.raises(PortalChanged) as caught:
        contract(**changes)
    assert caught.value.detail == said
    assert caught.value.__cause__ is None


def test_what_is_missing_is_named():
    with pytest.raises(PortalChanged, match=r"contract\.contractId is missing\."):
        Contract.read(1, "contract", {}, username="home", bp="1")
    with pytest.raises(PortalChanged, match=r"contracts\[1\]\.contractId is missing\."):
        Contract.read_all(1, "contracts", [CONTRACT, {}], username="home", bp="1")
    with pytest.raises(PortalChanged, match=r"contracts is no list\."):
        Contract.read_all(1, "contracts", {}, username="home", bp="1")
    with pytest.raises(PortalChanged, match=r"contracts\[0\] is no object\."):
        Contract.read_all(1, "contracts", [None], username="home", bp="1")
    assert Contract.read_all(1, "contracts", None) == []


def test_what_may_be_missing_is_none_and_never_text():
    """A null is no "None", and an empty text is nothing."""
    for kind, answer, known in (
        (Check, {"bp": None, "isPrivate": "", "frequency": None}, {"contract": "1"}),
        (Counter, {"device": "000000000010000007", "register": "001", "connectionSize": None}, {"contract": "1"}),
        (Device, {"deviceNumber": "10000007", "deviceCode": None, "deviceType": None}, {"contract": "1"}),
        (Invoice, {"invoiceId": 2028400000007, "amountOrigin": Decimal("0.0")}, {"contract": "1"}),
        (Outage, {"id": ID, "disconnect": None, "site": None}, {"username": "home", "source": "faults"}),
        (PlaceOutage, {"readDataTime": None, "transaction": None}, {"username": "home", "outage": "x"}),
    ):
        read = kind.read(1, "x", answer, **known)
        assert "None" not in str([value for value in read.row().values() if value is not None])
        assert "" not in [value for name, value in read.row().items() if name != "meter_code"]


def test_texts_that_stand_for_something_else():
    assert Check.read(1, "x", {"isPrivate": "X"}, contract="1").is_private_producer is True
    counter = {"device": "000000000010000007", "register": "001", "lastMR": "00000000000004321"}
    read = Counter.read(1, "x", counter, contract="1")
    assert (read.meter, read.register_number, read.last_reading) == ("10000007", "001", Decimal(4321))
    kinds = {
        "Consumption": "consumption",
        "BackStream": "production",
        "צריכה": "consumption",
        "דו כיווני": "production",
    }
    for text, kind in kinds.items():
        found = DeviceKind.read(1, "x", {"deviceNumber": "1", "deviceCode": "503", "meterKind": text}, contract="1")
        assert found.kind == kind
    notice = {"partner": "0100000007", "service": "EFS004", "subscribeDate": "2028-06-30T00:00:00"}
    notice |= {"subscribeTime": "0001-01-01T09:30:00", "sms": "0500000001", "unsubscribeDate": "0001-01-01T00:00:00"}
    told = Notice.of(1, "1", "x", notice)
    assert (told.subscribed_at, told.unsubscribed_at) == (datetime(2028, 6, 30, 6, 30, tzinfo=UTC), None)
    assert "0500000001" not in str(told.model_dump())
    prepaid = MainMeter.of(1, "1", {"deviceBalance": 42, "balanceDate": "17/01/2028", "balanceTime": "09:30"})
    assert (prepaid.balance, prepaid.balance_at) == (Decimal(42), "17/01/2028 09:30")


def test_no_field_of_a_person_has_a_place():
    """Whatever is added: no record reads a key of the company's that says who or where somebody is."""
    from scrapers.portals.iec.customer import IecSpider

    keys = IecSpider.private - {"bp", "bpNumber", "partner", "accountNumber", "name", "x", "y"}
    stack, seen = [ElectricityRecord], 0
    while stack:
        kind = stack.pop()
        stack += kind.__subclasses__()
        for field in kind.model_fields.values():
            seen += 1
            said = f"{field.alias} {field.validation_alias}"
            assert not [key for key in keys if f"'{key}'" in said or key in said.split()], (kind, said)
    assert seen > 150


# --- Prices -----------------------------------------------------------------------------------------------------------


def cell(text: str) -> dict[str, str]:
    return {"value": base64.b64encode(text.encode()).decode()}


def table(*rows: tuple[str, ...]) -> dict[str, object]:
    return {"componentType": "rteTableComponent", "table": [[cell(text) for text in row] for row in rows]}


def text(words: str) -> dict[str, str]:
    return {"componentType": "richTextEditorComponent", "text": cell(f"<p>{words}</p>")["value"]}


ENERGY = table(("", 'לא כולל מע"מ', 'כולל מע"מ'), ("<b>מחיר לקוט״ש באגורות</b>", "54.25", "64.02"))
DISTRIBUTION = [
    text("תשלום קבוע עבור חלוקה"),
    table(("גודל חיבור", "ללא", "עם"), ("חד פאזי", "12", "14.16"), ("תלת פאזי", "13.5", "15.93")),
]
DELIVERY = table(("אספקה", "כולל מע״מ", "ללא מע״מ"), ("תלת-פאזי", "14.75", "12.50"), ("חד-פאזי", "10.62", "9.00"))
POWER = table(('ש"ח ל-KVA לשנה', "₪ 5.19", "₪ 6.12"))


def test_prices_are_found_by_what_is_said_of_them():
    """In the row, the head or the text above; in agorot or shekels; with the columns either way round."""
    prices = {
        (price.kind, price.phases): price
        for price in page_prices([POWER, *DISTRIBUTION, {"links": []}, DELIVERY, ENERGY])
    }
    assert (prices["kwh", 0].without_vat, prices["kwh", 0].with_vat) == (Decimal("0.5425"), Decimal("0.6402"))
    assert (prices["distribution", 1].with_vat, prices["distribution", 3].with_vat) == (
        Decimal("14.16"),
        Decimal("15.93"),
    )
    assert (prices["delivery", 3].without_vat, prices["delivery", 3].with_vat) == (Decimal("12.50"), Decimal("14.75"))
    assert (prices["kva", 0].without_vat, prices["kva", 0].with_vat) == (Decimal("5.19"), Decimal("6.12"))
    in_shekels = table(('מחיר לקוט"ש בש"ח', "0.5425", "0.6402"))
    told = {price.kind: price for price in page_prices([POWER, *DISTRIBUTION, DELIVERY, in_shekels])}
    assert told["kwh"].with_vat == Decimal("0.6402")


def test_a_price_that_is_not_there_is_named():
    with pytest.raises(PortalChanged, match=r"no price of distribution \(1\), distribution \(3\)\."):
        page_prices([ENERGY, DELIVERY, POWER])
    by_position = [each if each is ENERGY else table(("", "11.00", "12.98")) for each in (ENERGY, DELIVERY, POWER)]
    with pytest.raises(PricesMissing, match="no price of distribution") as gap:
        page_prices(by_position)
    assert [(price.kind, price.with_vat) for price in gap.value.prices] == [("kwh", Decimal("0.6402"))]
    with pytest.raises(PortalChanged, match="price of kva is no number"):
        page_prices([ENERGY, *DISTRIBUTION, DELIVERY, table(('ש"ח ל-KVA לשנה', "5.19", "soon"))])

"""Cities and streets, which are public, and an outage by address."""

from __future__ import annotations

from typing import Any

from sandbox.iec.call import WRONG, ApiError, Call, Endpoint, envelope
from sandbox.iec.people import entity

CITY, CITY_CODE, AREA, REGION = "דוגמה", "4000", "חיפה", "צפון"
CITIES = {CITY: CITY_CODE, "תל דוגמה": "1001", "כפר דוגמה": "1002"}
STREETS = {"הדוגמה": "11", "הניסיון": "12"}


def city_of_address() -> dict[str, Any]:
    """Return the city as addresses have it."""
    return {"name": CITY, "shovalCityCode": CITY_CODE, "logicalName": None, "id": city_id(CITY)}


def city_id(name: str) -> str:
    """Return a city's UUID."""
    return entity(f"city {name}")


def cities(call: Call) -> Any:
    """D1: cities."""
    rows = [
        {"name": name, "shovalCityCode": code, "logicalName": "iec_city", "id": city_id(name)}
        for name, code in CITIES.items()
    ]
    return envelope({"dataCollection": rows}, "0")


def streets(call: Call) -> Any:
    """D2: a city's streets."""
    name = _city(call.part("city"))
    rows = [
        {"name": street, "shovalStreetCode": code, "logicalName": "iec_street", "id": entity(f"street {name} {street}")}
        for street, code in STREETS.items()
    ]
    return envelope({"streets": rows, "logicalName": "iec_city", "id": city_id(name)}, "0")


def _city(number: str) -> str:
    for name in CITIES:
        if city_id(name) == number.lower():
            return name
    raise ApiError(400, "City was not found")


def outage_by_address(call: Call) -> Any:
    """D3: whether the power is away at an address: in the second street it is."""
    name = _city(call.text("cityCode"))
    street = next((one for one in STREETS if entity(f"street {name} {one}") == call.text("streetCode").lower()), None)
    if street is None or not call.text("houseNumber"):
        raise ApiError(500, WRONG)
    away = street == "הניסיון"
    transaction = {
        "disconnectionType": "תקלה" if away else "",
        "estimateTreatmentDate": f"{call.today}T18:00:00" if away else None,
        "messageToDisplay": "צוות בדרך" if away else None,
    }
    return envelope({"readDataTime": f"{call.today}T08:15:30.1234567", "transaction": transaction}, "0")


ENDPOINTS = (
    Endpoint("D1", "", "GET", "/api/District/cities", cities, access="open"),
    Endpoint("D2", "", "GET", "/api/District/streets/{city}", streets, access="open"),
    Endpoint("D3", "", "POST", "/api/outages/transactionsByAddress", outage_by_address),
)

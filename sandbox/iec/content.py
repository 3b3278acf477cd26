"""Tariffs and calculators: pages of a content system that ask for no token."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from sandbox.iec.call import Call, Endpoint
from sandbox.perturb import Perturbation

VAT = 18.0
HOME_RATE = 0.5425  # shekels per kWh without VAT
PAGE = "/api/content/{language}/content/tariffs/contentpages/homeelectricitytariff"
LOBBY = "/api/content/{language}/content/tariffs/tariffslobby/electricitytariffs"


def encoded(text: str) -> str:
    """Return text as cells hold it."""
    return base64.b64encode(text.encode()).decode()


def paragraph(text: str) -> dict[str, Any]:
    """Return a text block."""
    return {"text": encoded(f"<p>{text}</p>"), "componentType": "richTextEditorComponent"}


def table(head: Sequence[str], rows: Sequence[Sequence[str]], markup: bool) -> dict[str, Any]:
    """Return a table; markup: the numbers are wrapped in HTML too."""
    lines = [[f"<strong>{text}</strong>" for text in head]]
    lines += [[label, *(f"<span>{n}</span>" if markup else n for n in numbers)] for label, *numbers in rows]
    cells = [
        [{"rowIndex": row, "columnIndex": column, "value": encoded(text)} for column, text in enumerate(line)]
        for row, line in enumerate(lines)
    ]
    return {"table": cells, "componentType": "rteTableComponent"}


def tariffs(call: Call) -> Any:
    """S1: prices as a page of texts and tables; shifted and marked up when the configuration says so."""
    markup = bool(call.portal.configuration["tariff_markup"])
    perturbation = call.portal.perturbation
    said = Tariffs(perturbation)
    energy, distribution, delivery, power = (
        table(head, rows, markup)
        for head, rows in (
            said.energy(),
            said.fixed("חלוקה", *DISTRIBUTION),
            said.fixed("אספקה", *DELIVERY),
            said.power(),
        )
    )
    components = [paragraph("תעריפי חשמל ביתי"), energy, distribution, delivery, paragraph("תשלום בגין הספק"), power]
    if call.portal.configuration["tariff_shifted"]:
        links = {"links": [], "componentType": "linksComponent"}
        components = [paragraph("הודעה"), links, power, components[0], delivery, distribution, energy]
    if perturbation.touches("further", "tariffs"):
        components = [table(*FEES, markup), paragraph("תעריפים נוספים"), *components, table(*FEES, markup)]
    return {"components": components, "pageType": "contentPage", "title": "תעריפי חשמל ביתי"}


# Without VAT and with it: one phase, three phases.
DISTRIBUTION = (("12.00", "14.16"), ("13.50", "15.93"))
DELIVERY = (("9.00", "10.62"), ("12.50", "14.75"))
# A table about something else.
FEES = (
    ("שירות", 'ללא מע"מ', 'כולל מע"מ'),
    [("ביקור טכנאי - חד פאזי", "101.00", "119.18"), ("ביקור טכנאי - תלת פאזי", "203.00", "239.54")],
)
Table = tuple[Sequence[str], list[tuple[str, ...]]]


class Tariffs:
    """The words of the tariffs' tables, as the perturbation wants them. The columns are known, the words around are not."""

    def __init__(self, perturbation: Perturbation) -> None:
        self._perturbation = perturbation

    def _head(self, first: str, unit: str = "") -> Sequence[str]:
        without, including = ('לפני מע"מ', 'כולל מע"מ') if self._touches("words", first) else ('ללא מע"מ', 'כולל מע"מ')
        return [self._letters(text) for text in (first, f"{without}{unit}", f"{including}{unit}")]

    def _touches(self, dimension: str, about: str) -> bool:
        return self._perturbation.touches(dimension, f"tariffs {about}")

    def _letters(self, text: str) -> str:
        """Return Hebrew with the quotes, dashes and blanks of another typist."""
        if not self._touches("letters", text):
            return text
        changed = text.replace('"', "\N{HEBREW PUNCTUATION GERSHAYIM}").replace(" - ", " \N{EN DASH} ")
        return changed.replace("-", "\N{HEBREW PUNCTUATION MAQAF}").replace(" ", "\N{NO-BREAK SPACE}", 1)

    def energy(self) -> Table:
        """Return head and rows of the price of a kWh."""
        return self._head('תעריף לקוט"ש', " (אגורות)"), [(self._letters("תעריף ביתי"), "54.25", "64.02")]

    def fixed(self, what: str, one: tuple[str, str], three: tuple[str, str]) -> Table:
        """Return head and rows of a monthly charge: what it is for stands in the head, and mostly in its rows too."""
        place = "" if self._touches("layouts", what) else f"{what} - "
        rows: list[tuple[str, ...]] = [
            (self._letters(f"{place}חד פאזי"), *one),
            (self._letters(f"{place}תלת פאזי"), *three),
        ]
        if self._touches("order", what):
            rows.reverse()
        return self._head(f'תשלום קבוע {what} (ש"ח לחודש)'), rows

    def power(self) -> Table:
        """Return head and rows of the charge for the size of a connection."""
        return self._head("תשלום בגין הספק"), [(self._letters('ש"ח ל-KVA לשנה'), "5.19", "6.12")]


def period(call: Call) -> Any:
    """S2: rates, and the power size of a connection."""
    sizes = {"1X25": 5.5, "1X40": 8.8, "3X25": 17.3, "3X40": 27.71}
    return {"period_Calculator_Rates": {"homeRate": HOME_RATE, "kvaRate": 5.19, "connectionToPowerSize": sizes}}


def gadget(call: Call) -> Any:
    """S3: rates and appliances."""
    appliances: list[tuple[str, int, int, float, float]] = [
        ("קומקום", 2, 4, 2.2, 3.0),
        ("תנור אפייה", 2, 4, 2.0, 45.0),
        ("נורת לד", 1, 3, 15.0, 300.0),
        ("מקרר", 1, 3, 150.0, 1440.0),
        ("מזגן", 1, 1, 1.5, 480.0),
        ("דוד חשמל", 1, 2, 11.0, 60.0),
    ]
    rows = [
        {
            "name": name,
            "calculationResolution": resolution,
            "powerUnit": unit,
            "power": power,
            "avarageDurationTimeOfOperationInMinutes": minutes,
        }
        for name, resolution, unit, power, minutes in appliances
    ]
    rates = {"lastUpdated": "2026-01-01T00:00:00Z", "homeRate": HOME_RATE, "generalRate": HOME_RATE, "vat": VAT}
    return {
        "gadget_Calculator_Rates": rates,
        "electric_Devices": rows,
        "gadget_Calculator_Actions": [],
        "title": "מחשבון מכשירי חשמל",
        "seoModel": {},
    }


def in_hebrew(endpoint: Endpoint) -> Endpoint:
    """Answer in Hebrew only; in any other language with 204 and nothing."""

    def answer(call: Call) -> Any:
        return endpoint.answer(call) if call.part("language") == "he-IL" else web.Response(status=204)

    return Endpoint(endpoint.id, "", "GET", endpoint.path, answer, access="open")


ENDPOINTS = tuple(
    in_hebrew(Endpoint(number, "", "GET", path, answer))
    for number, path, answer in (
        ("S1", PAGE, tariffs),
        ("S1 lobby", LOBBY, tariffs),
        ("S2", "/api/content/{language}/calculators/period", period),
        ("S3", "/api/content/{language}/calculators/gadget", gadget),
    )
)

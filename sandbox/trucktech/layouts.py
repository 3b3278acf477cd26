"""The ways in which the portal shows its two lists: tables, cards, pairs of heads and cells, or JSON:API documents."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from sandbox.jsons import Shape
from sandbox.known import known_of
from sandbox.perturb import OFF, Perturbation
from sandbox.trucktech.fleet import SOURCES, Fault, Vehicle
from sandbox.trucktech.pages import Words

LAYOUTS = ("table", "card", "json")
MORE_LAYOUTS = ("table", "list", "pairs", "json")  # where classes may be others, values have heads
UNKNOWN = "—"
UNKNOWNS = ("—", "", "n/a", "-", "\N{NO-BREAK SPACE}")
# The number from 0 to 100 that the vendor's API gives a severity; which words go with which is our guess.
_SEVERITIES = {
    "critical": (95, "Critical"),
    "red": (95, "Critical"),
    "warning": (60, "Warning"),
    "yellow": (60, "Warning"),
}
_SEVERITIES |= {"info": (25, "Info"), "blue": (25, "Info")}
# What the vendor says is to be done, by the words of a severity; which goes with which is our guess.
ACTIONS = {
    "Critical": "Please pull over as soon as it is safe.",
    "Warning": "Drive to a dealer.",
    "Info": "Have it fixed at the next service.",
    "": "You can keep driving.",
}
# Heads in other words that hold what the sheet calls them.
HEADS: dict[str, tuple[str, ...]] = {
    "Unit": ("Unit number", "Unit no.", "Unit #"),
    "Year Make Model": ("Year / Make / Model", "Year, Make, Model", "Year Make Model"),
    "Status": ("Vehicle Status", "Current Status"),
    "Code": ("Fault code", "DTC", "SPN / FMI"),
    "Description": ("Fault description", "Fault"),
    "Source address": ("Source", "ECU", "SA"),
    "Occurrences": ("Occurrence count", "Count"),
    "First seen": ("First occurrence", "First reported"),
    "Last seen": ("Last occurrence", "Last reported"),
}
CODES = ("SPN {0} FMI {1}", "SPN: {0} FMI: {1}", "SPN{0} FMI{1}", "spn {0}, fmi {1}", "SPN {0} / FMI {1}")
TIMES = ("%Y-%m-%d %H:%M UTC", "%Y-%m-%dT%H:%M:%SZ", "%d %b %Y, %H:%M UTC", "%B %d, %Y %I:%M %p UTC", "%b %d, %Y")
SHOWN = ("{first}\N{EN DASH}{last} of {total}", "{total} vehicles", "Vehicles {first} to {last} ({total} in all)")
NO_FAULTS = ("No faults", "No fault codes", "No faults for this vehicle.")
NO_DATA = ("No data", "No data to show.")
PAGES = ("/assets?page={page}", "/assets?p={page}&sort=unit", "/assets?offset={offset}", "/assets/page/{page}")
HIDDEN = (
    "<div hidden>{}</div>",
    "<template>{}</template>",
    "<noscript>{}</noscript>",
    '<div style="display:none">{}</div>',
)


@dataclass(frozen=True, slots=True)
class Part:
    """One page of the vehicle list: its vehicles, where it stands (`page` counts from 1), and how many there are in all."""

    vehicles: Sequence[Vehicle]
    page: int
    first: int
    total: int
    more: bool
    per: int = 25


@dataclass(frozen=True, slots=True)
class Look:
    """How a list is shown. layout: one of LAYOUTS or MORE_LAYOUTS. short: codes are `3364/18`."""

    layout: str
    words: Words
    short: bool = False
    perturbation: Perturbation = OFF

    def head(self, name: str) -> str:
        """Return the head of a column."""
        said = self.words.get(name, name)
        if said in HEADS and self.perturbation.touches("heads", said):
            return self.perturbation.choose("heads", said, HEADS[said])
        return said

    def one_of(self, dimension: str, about: str, usual: str, others: Sequence[str]) -> str:
        """Return a text, or another one of the same meaning."""
        if self.words["lang"] != "en" or not self.perturbation.touches(dimension, about):
            return usual
        return self.perturbation.choose(dimension, about, others)

    def hidden(self, about: str, html: str) -> str:
        """Return something that no reader of the page sees; "" when there is nothing such."""
        if not self.perturbation.touches("decoys", about):
            return ""
        return self.perturbation.choose("decoys", about, HIDDEN).format(html)

    def unrelated(self, about: str) -> str:
        """Return a table about something else; "" when there is none."""
        if not self.perturbation.touches("further", about):
            return ""
        rows = "".join(f"<tr><td>{day}</td><td>{hours}</td><td>Dealer</td><td>Open</td></tr>" for day, hours in HOURS)
        heads = "<tr><th>Day</th><th>Hours</th><th>Where</th><th>Remark</th></tr>"
        return f"<section><h2>Service hours</h2><table><thead>{heads}</thead><tbody>{rows}</tbody></table></section>"


HOURS = (("Monday to Friday", "7 to 18"), ("Saturday", "8 to 12"))


def layout_of(layout: str, perturbation: Perturbation, about: str) -> str:
    """Return the layout of a list: another one than usual where that may be."""
    if perturbation.touches("layouts", about):
        layout = perturbation.choose("layouts", about, MORE_LAYOUTS)
    return "list" if layout == "card" and perturbation.on("renamed") else layout


def vehicle_list(part: Part, look: Look) -> str:
    """Return the body of a page of the list."""
    if look.layout == "json":
        return _document("assets-document", _assets(part, look), look)
    words = look.words
    if not part.vehicles:
        said = look.one_of("words", "no data", words["no_data"], NO_DATA)
        return f'{look.unrelated("no data")}<div class="no-data">{said}</div>'
    shown = look.one_of("words", "shown", words["shown"], SHOWN)
    shown = shown.format(first=part.first, last=part.first + len(part.vehicles) - 1, total=part.total)
    rows = {"table": _vehicle_table, "card": _vehicle_cards}.get(look.layout, _vehicle_pairs)(part, look)
    return f'<p class="total">{shown}</p>{rows}{_pager(part, look)}'


def _vehicle_cells(row: Vehicle) -> Sequence[tuple[str, str, str]]:
    """Return what is said of a vehicle: class, name of its head in the words, HTML."""
    return (
        ("vin", "VIN", f'<a href="/assets/{row.vin}/diagnostics">{row.vin}</a>'),
        ("unit-number", "unit", escape(row.unit_number)),
        ("year-make-model", "vehicle", escape(row.description)),
        ("status", "status", escape(row.status)),
    )


def _vehicle_table(part: Part, look: Look) -> str:
    rows = "".join(
        '<tr class="asset-row registered">'
        + "".join(f'<td class="{name}">{html}</td>' for name, _, html in _vehicle_cells(row))
        + "</tr>"
        for row in part.vehicles
    )
    return _table("asset-list", [look.head(head) for _, head, _ in _vehicle_cells(part.vehicles[0])], rows, look)


def _table(name: str, heads: Sequence[str], rows: str, look: Look) -> str:
    """Return a table; its heads may stand in cells of the body."""
    form = "thead th"
    if look.perturbation.touches("layouts", f"heads {name}"):
        form = look.perturbation.choose("layouts", f"heads {name}", ("thead th", "thead td", "tbody th", "tbody td"))
    outer, cell = form.split()
    titles = "".join(f"<{cell}>{head}</{cell}>" for head in heads)
    return f'<table class="table {name}"><{outer}><tr>{titles}</tr></{outer}><tbody>{rows}</tbody></table>'


def _pairs(cells: Sequence[tuple[str, str, str]], look: Look, about: str) -> str:
    """Return values with their heads: a definition list, or a table with a head in each row."""
    cells = look.perturbation.shuffled("order", about, cells) if look.perturbation.touches("order", about) else cells
    if look.layout == "pairs":
        rows = "".join(f'<tr><th>{head}</th><td class="{name}">{html}</td></tr>' for name, head, html in cells)
        return f"<table>{rows}</table>"
    return "<dl>" + "".join(f'<dt>{head}</dt><dd class="{name}">{html}</dd>' for name, head, html in cells) + "</dl>"


def _vehicle_pairs(part: Part, look: Look) -> str:
    entries = "".join(
        '<article class="asset-card registered">'
        + _pairs([(name, look.head(head), html) for name, head, html in _vehicle_cells(row)], look, "vehicle")
        + "</article>"
        for row in part.vehicles
    )
    return f'<div class="asset-list">{entries}</div>'


def _vehicle_cards(part: Part, look: Look) -> str:
    cards = "".join(
        f'<article class="asset-card registered"><a class="vin" href="/assets/{row.vin}/diagnostics">{row.vin}</a>'
        f'<span class="unit-number">{escape(row.unit_number)}</span>'
        f'<span class="year-make-model">{escape(row.description)}</span>'
        f'<span class="status">{escape(row.status)}</span></article>'
        for row in part.vehicles
    )
    return f'<div class="asset-list">{cards}</div>'


def page_address(number: int, per: int, perturbation: Perturbation) -> str:
    """Return the address of a page of the list, which counts from 1."""
    form = PAGES[0]
    if perturbation.touches("addresses", "pages"):
        form = perturbation.choose("addresses", "pages", PAGES)
    return form.format(page=number, offset=(number - 1) * per)


def _pager(part: Part, look: Look) -> str:
    """Return the links to the pages around; the one that leads nowhere is there, too, and disabled, or is left out."""
    words, perturbation = look.words, look.perturbation
    changed = perturbation.touches("renamed", "pager")
    sign = changed and perturbation.touches("words", "pager")  # a sign with a label, where else the label is the text
    last = perturbation.choose("words", "last", ("disabled", "left out", "text")) if changed else "disabled"

    def link(page: int, relation: str, label: str, mark: str, alive: bool) -> str:
        text, relation = mark if sign else label, "" if changed else f'rel="{relation}" '
        if alive:
            where = escape(page_address(page, part.per, perturbation))
            return f'<a {relation}aria-label="{label}" href="{where}">{text}</a>'
        if last != "disabled":
            return "" if last == "left out" else f'<span aria-disabled="true">{text}</span>'
        return f'<a class="disabled" aria-disabled="true" aria-label="{label}">{text}</a>'

    before = link(
        part.page - 1, "prev", words["previous"], "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}", part.page > 1
    )
    after = link(part.page + 1, "next", words["next"], "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}", part.more)
    return f'<nav class="pagination">{before}{after}</nav>'


def fault_list(vehicle: Vehicle, faults: Sequence[Fault], look: Look, other: str) -> str:
    """Return the body of a vehicle's diagnostics. other: the VIN of another vehicle, for what is hidden in the page."""
    words = look.words
    whose = _whose(vehicle, look) + look.hidden("vin", f"<p>VIN {other}</p>")
    if look.layout == "json":
        return whose + _document("faults-document", _faults(vehicle, faults), look)
    row = '<tr class="fault-row critical"><td>SPN 1 FMI 1</td><td>Example</td></tr>'
    hidden = look.hidden("row", f"<table><tbody>{row}</tbody></table>")
    if not faults:
        said = look.one_of("words", "no faults", words["no_faults"], NO_FAULTS)
        return f'{whose}{look.unrelated("no faults")}<div class="no-faults">{said}</div>{hidden}'
    rows = _fault_table(faults, look) if look.layout == "table" else _fault_cards(faults, look)
    return (
        f'{whose}{look.unrelated("faults")}{rows}{hidden}<p class="note">Gateway 4411/12, firmware of 2025/11/30.</p>'
    )


def _whose(vehicle: Vehicle, look: Look) -> str:
    forms = (
        '<p class="asset"><span class="vin">{vin}</span> <span class="unit-number">{unit}</span></p>',
        "<dl><dt>VIN</dt><dd>{vin}</dd><dt>Unit</dt><dd>{unit}</dd></dl>",
        "<h2>{unit} ({vin})</h2>",
        "<p>VIN: <b>{vin}</b>, Unit: <b>{unit}</b></p>",
    )
    form = (
        look.perturbation.choose("layouts", "whose", forms)
        if look.perturbation.touches("layouts", "whose")
        else forms[0]
    )
    return form.format(vin=vehicle.vin, unit=escape(vehicle.unit_number))


def _kind(fault: Fault) -> str:
    """Return the classes of a row: its severity, and whether it is history."""
    severity = "" if fault.severity == "none" else f" {fault.severity}"
    history = "" if fault.active else " inactive" if fault.spn % 2 else " historical"  # the portal knows both words
    return f"registered{severity}{history}"


def _code(fault: Fault, look: Look) -> str:
    if fault.fmi is None:
        return f"SPN {fault.spn}"
    if look.short or (100 <= fault.spn <= 99_999 and look.perturbation.touches("notations", "short codes")):
        return f"{fault.spn}/{fault.fmi}"
    return look.one_of("notations", "codes", CODES[0], CODES).format(fault.spn, fault.fmi)


def _source(fault: Fault) -> str:
    name = SOURCES.get(fault.source_address)
    return f"{fault.source_address} ({name})" if name else str(fault.source_address)


def _unknown(look: Look) -> str:
    return look.one_of("notations", "unknown", UNKNOWN, UNKNOWNS)


def _time(instant: str | None, look: Look) -> str:
    if instant is None:
        return _unknown(look)
    moment = datetime.fromisoformat(instant)
    if look.perturbation.touches("notations", "times"):
        return moment.strftime(look.perturbation.choose("notations", "times", TIMES))
    return f'<time datetime="{instant}">{moment:%b %d, %Y %H:%M UTC}</time>'


def _cells(fault: Fault, look: Look) -> Sequence[tuple[str, str, str]]:
    """Return what is said of a fault beside code and description: class, label, HTML."""
    words = look.words
    return (
        ("source-address", look.head("source"), _source(fault)),
        (
            "occurrences",
            look.head("occurrences"),
            _unknown(look) if fault.occurrences is None else str(fault.occurrences),
        ),
        ("first-seen", look.head("first"), _time(fault.first_seen, look)),
        ("last-seen", look.head("last"), _time(fault.last_seen, look)),
        ("status", look.head("status"), words["active"] if fault.active else words["inactive"]),
    )


def _fault_table(faults: Sequence[Fault], look: Look) -> str:
    heads = [look.head("code"), look.head("description"), *(label for _, label, _ in _cells(faults[0], look))]
    rows = "".join(
        f'<tr class="fault-row {_kind(fault)}"><td class="code">{_code(fault, look)}</td>'
        f'<td class="description">{escape(fault.description)}</td>'
        + "".join(f'<td class="{name}">{value}</td>' for name, _, value in _cells(fault, look))
        + "</tr>"
        for fault in faults
    )
    return _table("dtc-table", heads, rows, look)


def _fault_cards(faults: Sequence[Fault], look: Look) -> str:
    cards = "".join(
        f'<article class="fault-item {_kind(fault)}">{_fault_card(fault, look)}</article>' for fault in faults
    )
    return f'<div class="fault-list">{cards}</div>'


def _fault_card(fault: Fault, look: Look) -> str:
    code, text = _code(fault, look), escape(fault.description)
    if look.layout == "card":
        return (
            f'<h3 class="code">{code}</h3><p class="description">{text}</p>{_pairs(_cells(fault, look), look, "fault")}'
        )
    own = (("code", look.head("code"), code), ("description", look.head("description"), text))
    return _pairs([*own, *_cells(fault, look)], look, "fault")


def _document(name: str, document: dict[str, Any], look: Look) -> str:
    document = Shape(look.perturbation, known_of("trucktech")).changed(document) if look.perturbation else document
    text = json.dumps(document, ensure_ascii=False).replace("<", "\\u003c")
    return f'<div id="app"></div><script type="application/json" id="{name}">{text}</script>'


def _assets(part: Part, look: Look) -> dict[str, Any]:
    return {
        "data": [
            {
                "type": "registered_assets",
                "id": row.id,
                "attributes": {
                    "vin": row.vin,
                    "serial_number": row.vin[-8:],
                    "unit_number": row.unit_number,
                    "chassis_id": row.vin[-6:],
                    "fleet_info": "",
                    "make": row.make,
                    "model": row.model,
                    "year": row.year,
                    "engine": {"make": "PACCAR", "model": "MX-13", "displacement": 12.9, "serial_number": "Y100001"},
                    "odometer_value": 100_000 + row.index,
                    "odometer_unit": "miles",
                    "engine_hours": 2_000 + row.index,
                    "stand_by_hours": 40,
                    "switch_on_hours": 2_100 + row.index,
                    "notes": "",
                    "license": {"number": "EX 1", "state": "WA", "country": "US", "expiration": "2027-06-30"},
                    "vmrs_asset_status": row.status,
                    "metadata": {},
                    "gvwr": {"value": 80_000, "unit": "lb"},
                },
                "links": {"diagnostics": f"/assets/{row.vin}/diagnostics"},
            }
            for row in part.vehicles
        ],
        "links": {
            "self": page_address(part.page, part.per, look.perturbation),
            "next": page_address(part.page + 1, part.per, look.perturbation) if part.more else None,
        },
        "meta": {"total": part.total},
    }


def _faults(vehicle: Vehicle, faults: Sequence[Fault]) -> dict[str, Any]:
    return {
        "data": [_fault(vehicle, fault) for fault in faults],
        "included": [{"type": "registered_assets", "id": vehicle.id, "attributes": {"vin": vehicle.vin}}],
        "links": {"self": f"/assets/{vehicle.vin}/diagnostics", "next": None},
        "meta": {"total": len(faults)},
    }


def _fault(vehicle: Vehicle, fault: Fault) -> dict[str, Any]:
    severity, level = _SEVERITIES.get(fault.severity, (None, None))
    return {
        "type": "faults",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{vehicle.vin} {fault.key}")),
        "attributes": {
            "triggered_at": fault.last_seen,
            "first_triggered_at": fault.first_seen,
            "spn": str(fault.spn),
            "fmi": None if fault.fmi is None else str(fault.fmi),
            "fault_code": None,
            "source_address": fault.source_address,
            "active": fault.active,
            "severity": severity,
            "details": {
                "component": {"name": SOURCES.get(fault.source_address), "description": None, "version": None},
                "occurrences": fault.occurrences,
                "severity_level": level,
                "description": fault.description,
            },
            "location": {"heading": 90, "altitude": 20.5, "latitude": 47.5, "longitude": -122.25},
            "sensor_readings": [],
            "guidance": [{"name": "action", "description": ACTIONS.get(level or "", ACTIONS[""]), "value": None}],
            "external_resources": [],
        },
        "relationships": {
            "asset": {"data": {"type": "registered_assets", "id": vehicle.id}},
            "diagnostic_reading": {"data": None},
            "source_account": {"data": None},
        },
    }

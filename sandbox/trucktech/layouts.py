"""The three ways in which the portal shows its two lists: a table, cards, or JSON:API documents inside the page."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from sandbox.trucktech.fleet import SOURCES, Fault, Vehicle
from sandbox.trucktech.pages import Words

LAYOUTS = ("table", "card", "json")
UNKNOWN = "—"
# The number from 0 to 100 that the vendor's API gives a severity; which words go with which is our guess.
_SEVERITIES = {
    "critical": (95, "Critical"),
    "red": (95, "Critical"),
    "warning": (60, "Warning"),
    "yellow": (60, "Warning"),
}
_SEVERITIES |= {"info": (25, "Info"), "blue": (25, "Info")}


@dataclass(frozen=True, slots=True)
class Part:
    """One page of the vehicle list: its vehicles, where it stands (`page` counts from 1), and how many there are in all."""

    vehicles: Sequence[Vehicle]
    page: int
    first: int
    total: int
    more: bool


def vehicle_list(layout: str, part: Part, words: Words) -> str:
    """Return the body of a page of the list."""
    if layout == "json":
        return _document("assets-document", _assets(part))
    if not part.vehicles:
        return f'<div class="no-data">{words["no_data"]}</div>'
    shown = words["shown"].format(first=part.first, last=part.first + len(part.vehicles) - 1, total=part.total)
    rows = _vehicle_table(part, words) if layout == "table" else _vehicle_cards(part)
    return f'<p class="total">{shown}</p>{rows}{_pager(part, words)}'


def _vehicle_table(part: Part, words: Words) -> str:
    heads = "".join(f"<th>{head}</th>" for head in ("VIN", words["unit"], words["vehicle"], words["status"]))
    rows = "".join(
        f'<tr class="asset-row registered"><td class="vin"><a href="/assets/{row.vin}/diagnostics">{row.vin}</a></td>'
        f'<td class="unit-number">{escape(row.unit_number)}</td>'
        f'<td class="year-make-model">{escape(row.description)}</td><td class="status">{escape(row.status)}</td></tr>'
        for row in part.vehicles
    )
    return f'<table class="table asset-list"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def _vehicle_cards(part: Part) -> str:
    cards = "".join(
        f'<article class="asset-card registered"><a class="vin" href="/assets/{row.vin}/diagnostics">{row.vin}</a>'
        f'<span class="unit-number">{escape(row.unit_number)}</span>'
        f'<span class="year-make-model">{escape(row.description)}</span>'
        f'<span class="status">{escape(row.status)}</span></article>'
        for row in part.vehicles
    )
    return f'<div class="asset-list">{cards}</div>'


def _pager(part: Part, words: Words) -> str:
    """Return the links to the pages around; the one that leads nowhere is there, too, and disabled."""

    def link(page: int, relation: str, label: str, alive: bool) -> str:
        if alive:
            return f'<a rel="{relation}" aria-label="{label}" href="/assets?page={page}">{label}</a>'
        return f'<a class="disabled" aria-disabled="true" aria-label="{label}">{label}</a>'

    before = link(part.page - 1, "prev", words["previous"], part.page > 1)
    return f'<nav class="pagination">{before}{link(part.page + 1, "next", words["next"], part.more)}</nav>'


def fault_list(layout: str, vehicle: Vehicle, faults: Sequence[Fault], words: Words, short: bool) -> str:
    """Return the body of a vehicle's diagnostics; `short` writes codes as `3364/18`."""
    whose = (
        f'<p class="asset"><span class="vin">{vehicle.vin}</span> '
        f'<span class="unit-number">{escape(vehicle.unit_number)}</span></p>'
    )
    if layout == "json":
        return whose + _document("faults-document", _faults(vehicle, faults))
    if not faults:
        return f'{whose}<div class="no-faults">{words["no_faults"]}</div>'
    rows = _fault_table(faults, words, short) if layout == "table" else _fault_cards(faults, words, short)
    return f'{whose}{rows}<p class="note">Gateway 4411/12, firmware of 2025/11/30.</p>'


def _kind(fault: Fault) -> str:
    """Return the classes of a row: its severity, and whether it is history."""
    severity = "" if fault.severity == "none" else f" {fault.severity}"
    history = "" if fault.active else " inactive" if fault.spn % 2 else " historical"  # the portal knows both words
    return f"registered{severity}{history}"


def _code(fault: Fault, short: bool) -> str:
    if fault.fmi is None:
        return f"SPN {fault.spn}"
    return f"{fault.spn}/{fault.fmi}" if short else f"SPN {fault.spn} FMI {fault.fmi}"


def _source(fault: Fault) -> str:
    name = SOURCES.get(fault.source_address)
    return f"{fault.source_address} ({name})" if name else str(fault.source_address)


def _time(instant: str | None) -> str:
    if instant is None:
        return UNKNOWN
    return f'<time datetime="{instant}">{datetime.fromisoformat(instant):%b %d, %Y %H:%M UTC}</time>'


def _cells(fault: Fault, words: Words) -> Sequence[tuple[str, str, str]]:
    """Return what is said of a fault beside code and description: class, label, HTML."""
    return (
        ("source-address", words["source"], _source(fault)),
        ("occurrences", words["occurrences"], UNKNOWN if fault.occurrences is None else str(fault.occurrences)),
        ("first-seen", words["first"], _time(fault.first_seen)),
        ("last-seen", words["last"], _time(fault.last_seen)),
        ("status", words["status"], words["active"] if fault.active else words["inactive"]),
    )


def _fault_table(faults: Sequence[Fault], words: Words, short: bool) -> str:
    heads = [words["code"], words["description"], *(label for _, label, _ in _cells(faults[0], words))]
    rows = "".join(
        f'<tr class="fault-row {_kind(fault)}"><td class="code">{_code(fault, short)}</td>'
        f'<td class="description">{escape(fault.description)}</td>'
        + "".join(f'<td class="{name}">{value}</td>' for name, _, value in _cells(fault, words))
        + "</tr>"
        for fault in faults
    )
    titles = "".join(f"<th>{head}</th>" for head in heads)
    return f'<table class="table dtc-table"><thead><tr>{titles}</tr></thead><tbody>{rows}</tbody></table>'


def _fault_cards(faults: Sequence[Fault], words: Words, short: bool) -> str:
    cards = "".join(
        f'<article class="fault-item {_kind(fault)}"><h3 class="code">{_code(fault, short)}</h3>'
        f'<p class="description">{escape(fault.description)}</p><dl>'
        + "".join(f'<dt>{label}</dt><dd class="{name}">{value}</dd>' for name, label, value in _cells(fault, words))
        + "</dl></article>"
        for fault in faults
    )
    return f'<div class="fault-list">{cards}</div>'


def _document(name: str, document: dict[str, Any]) -> str:
    text = json.dumps(document, ensure_ascii=False).replace("<", "\\u003c")
    return f'<div id="app"></div><script type="application/json" id="{name}">{text}</script>'


def _assets(part: Part) -> dict[str, Any]:
    return {
        "data": [
            {
                "type": "registered_assets",
                "id": row.id,
                "attributes": {
                    "vin": row.vin,
                    "serial_number": row.vin[-8:],
                    "unit_number": row.unit_number,
                    "chassis_id": None,
                    "make": row.make,
                    "model": row.model,
                    "year": row.year,
                    "engine": None,
                    "odometer_value": None,
                    "odometer_unit": None,
                    "engine_hours": None,
                    "vmrs_asset_status": row.status,
                },
                "links": {"diagnostics": f"/assets/{row.vin}/diagnostics"},
            }
            for row in part.vehicles
        ],
        "links": {
            "self": f"/assets?page={part.page}",
            "next": f"/assets?page={part.page + 1}" if part.more else None,
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
            "sensor_readings": [],
            "guidance": [],
        },
        "relationships": {"asset": {"data": {"type": "registered_assets", "id": vehicle.id}}},
    }

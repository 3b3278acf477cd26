"""Perturbed JSON: keys, entries and times as no fact sheet forbids; what is known keeps its name and its value."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.known import Known
from sandbox.perturb import Perturbation

# What is added to objects: nothing that is known, and near-namesakes of it.
FURTHER: tuple[tuple[str, Any], ...] = (
    ("etag", "W/00000000"),
    ("idOld", "0000000000"),
    ("contractIdFormer", None),
    ("displayOrder", 3),
    ("translations", {"en": None, "ru": ""}),
    ("tags", [1, "two", None]),
    ("lastModifiedOn", "0001-01-01T00:00:00"),
)
TIME = re.compile(r"(?P<clock>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?P<offset>Z|[+-]\d\d:\d\d)?")
UNSET = "0001-01-01T00:00:00"
FRACTIONS = ("", ".0000000", ".000", ".0")


class Shape:
    """
    How the JSON of one portal is written under a perturbation.

    zone: where times without an offset are the clock's. moments: keys of times for which the sheet leaves open whether
    they have an offset; the others get fractions of a second at most.
    """

    def __init__(
        self, perturbation: Perturbation, known: Known, zone: str = "UTC", moments: tuple[str, ...] = ()
    ) -> None:
        self._perturbation, self._known = perturbation, known
        self._zone, self._moments = ZoneInfo(zone), moments
        self._kept = {key for kind in ("key", "optional", "sequence", "map") for key in known.of(kind)}

    def changed(self, told: Any, key: str = "") -> Any:
        """Return JSON with what is free in it changed. key: under which it stands."""
        if isinstance(told, dict):
            return self._object(told, key)
        if isinstance(told, list):
            entries = [self.changed(entry, key) for entry in told]
            if len(entries) > 1 and key not in self._known.of("sequence") and self._perturbation.touches("order", key):
                return self._perturbation.shuffled("order", key, entries)
            return entries
        if isinstance(told, str):
            return self._time(told, key)
        if isinstance(told, float) and told.is_integer() and self._perturbation.touches("notations", key):
            return int(told)
        return told

    def _object(self, told: dict[str, Any], key: str) -> dict[str, Any]:
        perturbation = self._perturbation
        if key in self._known.of("map"):
            return told
        made = {name: self.changed(value, name) for name, value in told.items()}
        if not perturbation.touches("json", f"object {key}"):
            return made
        for name in self._known.of("optional"):
            if name in made and made[name] is None and perturbation.touches("json", f"null {name}"):
                del made[name]
        added = FURTHER[perturbation.number("json", key, below=len(FURTHER)) :][:3]
        made |= {name: value for name, value in added if name not in self._kept}
        return {name: made[name] for name in perturbation.shuffled("json", key, sorted(made))}

    def _time(self, said: str, key: str) -> str:
        matched = TIME.fullmatch(said)
        if matched is None or not self._perturbation.touches("notations", "times"):
            return said
        clock, offset = matched["clock"], matched["offset"] or ""
        fraction = self._perturbation.choose("notations", "fraction", FRACTIONS)
        if key in self._moments and not clock.startswith(("0001", "1900")):
            moment = datetime.fromisoformat(said)
            local = moment.astimezone(self._zone) if moment.tzinfo else moment.replace(tzinfo=self._zone)
            clear = local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset()
            form = self._perturbation.choose("notations", "offset", ("as it is", "local", "utc", "z", "none"))
            if form == "none" and clear:
                clock, offset = f"{local:%Y-%m-%dT%H:%M:%S}", ""
            elif form == "local":
                clock, offset = local.isoformat()[:19], local.isoformat()[19:]
            elif form in ("utc", "z"):
                clock = local.astimezone(ZoneInfo("UTC")).isoformat()[:19]
                offset = "Z" if form == "z" else "+00:00"
        elif said == UNSET:
            offset = self._perturbation.choose("notations", "unset", ("", "Z"))
        return f"{clock}{fraction}{offset}"

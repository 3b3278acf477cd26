"""How a portal writes numbers, days and times."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Locale:
    """
    How a portal writes its values, as the portal's facts state it.

    tag: language and territory, as CLDR names them. time_zone: of times without an offset, an IANA name; None where the
    portal writes none, and such a time is refused.
    """

    tag: str
    time_zone: str | None = None

    @property
    def zone(self) -> ZoneInfo | None:
        """The time zone, if it is stated."""
        return ZoneInfo(self.time_zone) if self.time_zone else None  # zoneinfo itself keeps each zone once

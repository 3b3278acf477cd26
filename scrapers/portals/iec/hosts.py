"""The company's API hosts: address, setting that replaces it, and headers of every request."""

from __future__ import annotations

from dataclasses import dataclass, field

from scrapers.portals.iec.settings import IecSettings


@dataclass(frozen=True, slots=True)
class Host:
    """A host of the API. Headers that only browsers send are left out; IEC_HEADERS adds those that a gateway may want."""

    setting: str  # the field of IecSettings that holds its origin
    path: str = ""  # prefix of all its endpoints
    headers: dict[str, str] = field(default_factory=dict)

    def base(self) -> str:
        """Return the address that paths are appended to, without a slash at the end."""
        origin: str = getattr(IecSettings.current(), self.setting)
        return origin.rstrip("/") + self.path

    def all_headers(self) -> dict[str, str]:
        """Return the headers of its requests, without the token: its own, changed by IEC_HEADERS."""
        given = IecSettings.current().headers
        kept = {name: value for name, value in self.headers.items() if name.casefold() not in map(str.casefold, given)}
        return {**kept, **{name: value for name, value in given.items() if value}}

    def url(self, path: str) -> str:
        """Return the address of an endpoint."""
        return f"{self.base()}/{path.lstrip('/')}"


COMMON = {"Accept": "application/json, text/plain, */*", "x-iec-idt": "1", "x-iec-webview": "1"}

API = Host("api_url", "/api", COMMON)
MASA = Host("masa_url", "/api", {**COMMON, "portalcode": "6"})
MASA_WA = Host("masa_wa_url", headers=COMMON)
FAULTS = Host("faults_url", "/api", COMMON)
HOSTS = (API, MASA, MASA_WA, FAULTS)

"""The company's API hosts: where each is, which stand-in the environment names, and what every request there carries."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Host:
    """One host of the API. Headers that only a browser has a reason to send are left out."""

    default: str  # with the path that all its endpoints begin with
    variable: str  # takes an origin in its place
    headers: dict[str, str] = field(default_factory=dict)

    def base(self) -> str:
        """Return the address that paths are appended to, without a slash at the end."""
        origin = os.environ.get(self.variable)
        if not origin:
            return self.default
        path = "/" + self.default.split("/", 3)[3] if self.default.count("/") > 2 else ""
        return origin.rstrip("/") + path

    def url(self, path: str) -> str:
        """Return the address of an endpoint."""
        return f"{self.base()}/{path.lstrip('/')}"


COMMON = {"Accept": "application/json, text/plain, */*", "x-iec-idt": "1", "x-iec-webview": "1"}

API = Host("https://iecapi.iec.co.il/api", "IEC_API_URL", COMMON)
MASA = Host("https://masa-mainportalapi.iec.co.il/api", "IEC_MASA_URL", {**COMMON, "portalcode": "6"})
MASA_WA = Host("https://masaapi-wa.azurewebsites.net", "IEC_MASA_WA_URL", COMMON)
FAULTS = Host("https://masa-faultsportalapi.iec.co.il/api", "IEC_FAULTS_URL", COMMON)
HOSTS = (API, MASA, MASA_WA, FAULTS)

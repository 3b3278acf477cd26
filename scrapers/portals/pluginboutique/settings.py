"""Settings of Plugin Boutique."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from scrapers.core.settings import Address, PortalSettings
from scrapers.families.prices.settings import Rendering


class PluginboutiqueSettings(PortalSettings):
    """`PLUGINBOUTIQUE_…` variables."""

    portal: ClassVar[str] = "pluginboutique"

    url: Address = Field("https://www.pluginboutique.com", description="Origin of the shop.")
    rendering: Rendering = Field("http", description="How its pages are fetched: http, browser or splash.")

"""Settings of the price watch's spiders."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from database.settings import RoomSettings

Rendering = Literal["http", "browser", "splash"]


class PriceSettings(RoomSettings):
    """Which addresses may be asked for a price."""

    prices_private_addresses: bool = Field(
        False,
        description="True lets `shop_prices` ask hosts of this machine and of private networks, as a test shop's.",
    )

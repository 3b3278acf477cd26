"""Annotated types for pydantic. `reads_instants` and `reads_days` make validators for a locale."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator

from scrapers.reading.values.days import calendar_day, instant
from scrapers.reading.values.locale import Locale
from scrapers.reading.values.numbers import exactly, whole
from scrapers.reading.values.texts import bare_number, bare_number_or_none, filled, marked, words


def reads_instants(locale: Locale) -> BeforeValidator:
    """Return a validator for `datetime | None`: times as `instant` reads them."""
    return BeforeValidator(lambda value: instant(value, locale))


def reads_days(locale: Locale) -> BeforeValidator:
    """Return a validator for `date | None`: days as `calendar_day` reads them."""
    return BeforeValidator(lambda value: calendar_day(value, locale))


Text = Annotated[str | None, BeforeValidator(words)]
Whole = Annotated[int | None, BeforeValidator(whole)]
Amount = Annotated[Decimal | None, BeforeValidator(exactly)]
Flag = Annotated[bool | None, BeforeValidator(marked)]
Number = Annotated[str, BeforeValidator(bare_number)]  # an identifier, without leading zeros
NumberOrNone = Annotated[str | None, BeforeValidator(bare_number_or_none)]
Filled = Annotated[str, BeforeValidator(filled)]

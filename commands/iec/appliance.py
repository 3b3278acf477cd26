"""`scrapy iec appliance`: what an appliance takes and costs, by the company's own list and price."""

from __future__ import annotations

import argparse
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from scrapers.families.electricity.clock import Appliance, Rate

AGORA = Decimal("0.01")  # shekels


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument("name", nargs="?", help="name of the appliance, or a part of it; without it all are listed")
    parser.add_argument("--minutes", type=amount, metavar="N", help="how long it runs (default: as long as usual)")
    parser.add_argument("--power", type=amount, metavar="X", help="its power, in the unit of the list or --unit")
    parser.add_argument("--unit", choices=("kW", "W", "HP", "A"), help="unit of the power; A at 230 volts")
    parser.add_argument("--json", action="store_true", help="print JSON")


def amount(given: str) -> Decimal:
    """Return a number that is not less than 0 (argparse type)."""
    try:
        value = Decimal(given)
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or value < 0:
        raise argparse.ArgumentTypeError(f"{given!r} is no number of 0 or more")
    return value


def run(opts: argparse.Namespace) -> int:
    """List the appliances, or tell what one costs; raise Refused for what is not stored, WrongArgument for a wrong name."""
    from commands._terminal import Refused, WrongArgument, print_json, show
    from database.engine import database
    from scrapers.families.electricity.clock import UNITS, use

    with database().transaction() as session:
        known, rate = appliances(session), current_rate(session)
    if not known or rate is None:
        raise Refused("No appliances are stored: `scrapy crawl iec_tariffs` brings them, and what a kWh costs.")
    if opts.name is None:
        rows = [(plain(one.power), UNITS.get(one.unit or 0), plain(one.minutes), one.name) for one in known]
        # Names last: they are Hebrew, and a terminal that turns them round leaves the rest in its place.
        show(("power", "unit", "minutes", "name"), rows, as_json=opts.json)
        return 0
    wanted = " ".join(opts.name.split()).casefold()
    found = [one for one in known if one.name.casefold() == wanted] or [
        one for one in known if wanted in one.name.casefold()
    ]
    if len(found) != 1:
        names = ", ".join(one.name for one in found or known)
        raise WrongArgument(
            f"name: {'several appliances are called so' if found else 'there is no such appliance'}: {names}."
        )
    try:
        used = use(found[0], rate, opts.minutes, opts.power, opts.unit)
    except ValueError as error:
        options = "--unit" if "unit" in str(error) else "--minutes" if "minutes" in str(error) else "--power"
        raise WrongArgument(f"{options}: {error}") from None
    told = {
        "kilowatts": plain(used.kilowatts),
        "minutes": plain(used.minutes),
        "kwh": plain(round(used.kwh, 4)),
        "cost": f"{used.cost.quantize(AGORA, ROUND_HALF_UP)}",
        "currency": "ILS",
        "price_of_a_kwh": plain(round(rate.with_vat, 4)),
        "vat_percent": plain(rate.vat),
        "name": used.name,
    }
    if opts.json:
        print_json(told)
        return 0
    show(
        ("kW", "minutes", "kWh", "ILS with VAT", "name"),
        [(told["kilowatts"], told["minutes"], told["kwh"], told["cost"], told["name"])],
    )
    return 0


def appliances(session: Session) -> list[Appliance]:
    """Return the company's list, by name."""
    from sqlalchemy import select

    from database.models import electricity as models
    from scrapers.families.electricity.clock import Appliance

    rows = session.scalars(select(models.Appliance).order_by(models.Appliance.name))
    return [Appliance(row.name, row.power, row.power_unit, row.minutes) for row in rows]


def current_rate(session: Session) -> Rate | None:
    """Return what the calculator's kWh costs, without VAT, and VAT; None when it is not stored."""
    from sqlalchemy import select

    from database.models.electricity import ElectricityTariff
    from scrapers.families.electricity.clock import Rate

    rows = session.scalars(select(ElectricityTariff).where(ElectricityTariff.source == "gadget"))
    prices = {row.kind: row.without_vat for row in rows}
    price, vat = prices.get("kwh"), prices.get("vat")
    return None if price is None or vat is None else Rate(price, vat)


def plain(value: Decimal | None) -> Any:
    """
    Return a number without needless zeros.

    >>> plain(Decimal("2.2000")), plain(Decimal(60)), plain(None)
    ('2.2', '60', None)
    """
    return None if value is None else f"{value.normalize():f}"

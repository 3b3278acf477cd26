"""The jobs of a crawl of prices: products that are watched, a product in a country each, or addresses that are checked once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from database.families import prices
from database.models import ScraperJob
from database.models.prices import Rendering
from scrapers.core.jobs import ArgumentError, Plan
from scrapers.families.prices.addresses import AddressRefused, product_of, short
from scrapers.families.prices.arguments import PriceTarget
from scrapers.families.prices.settings import PriceSettings

LONGEST = 250  # characters of a key, without the country


def watched(session: Session, portal: str) -> list[Plan]:
    """Return a plan for each product and country that are watched at a shop."""
    return [_of_group(group) for group in prices.groups(session, portal)]


def once(portal: str, url: str, country: str | None, selector: str | None) -> Plan:
    """Return the plan of an address that is checked for nobody; raise ArgumentError for one that this shop does not check."""
    try:
        product = product_of(url, private=PriceSettings.current().prices_private_addresses)
    except AddressRefused as error:
        raise ArgumentError(f"-a url: {error}") from None
    if product.portal != portal:
        raise ArgumentError(f"-a url: {product.portal}_prices checks addresses of that shop.")
    plan = _plan(PriceTarget(url=product.url, product=product.key, country=country, selectors={selector or "": ()}))
    # Not the key of those who watch the product: their check is due all the same.
    return replace(plan, key=f"once {plan.key}")


def of_jobs(session: Session, portal: str, rows: Iterable[ScraperJob], arguments: Any) -> list[Plan]:
    """Return the plans of jobs of the queue: for those who watch their products now, or for nobody where they were made so."""
    groups = {(group.product_key, group.country): group for group in prices.groups(session, portal)}
    return [_of_row(groups, portal, row, arguments) for row in rows]


def _of_row(
    groups: Mapping[tuple[str, str | None], prices.Group], portal: str, row: ScraperJob, arguments: Any
) -> Plan:
    target = PriceTarget(**row.target) if row.target else None
    if target is None or not any(target.selectors.values()):
        url = target.url if target else next(iter(arguments.url), "")
        country = target.country if target else arguments.country
        return replace(once(portal, url, country, arguments.selector), job_id=row.id)
    if (group := groups.get((target.product, target.country))) is not None:
        return replace(_of_group(group), job_id=row.id)
    # It is watched no more.
    return Plan(target, short(target.product, LONGEST), target.product[:300], None, job_id=row.id, done=True)


def _of_group(group: prices.Group) -> Plan:
    selectors: dict[str, tuple[int, ...]] = {}
    for item in group.items:
        selectors[item.selector or ""] = (*selectors.get(item.selector or "", ()), item.item_id)
    url, refused = group.product_url, ""
    try:
        url = product_of(url, private=PriceSettings.current().prices_private_addresses).url
    except AddressRefused as error:
        refused = str(error)
    rendering = "" if group.rendering == Rendering.AUTOMATIC else group.rendering.value
    known: dict[str, Any] = {"product": group.product_key, "country": group.country, "rendering": rendering}
    return _plan(PriceTarget(url=url, selectors=selectors, refused=refused, **known))


def _plan(target: PriceTarget) -> Plan:
    country = f" {target.country}" if target.country else ""
    return Plan(target, f"{short(target.product, LONGEST)}{country}", f"{target.product[:LONGEST]}{country}", None)

"""The customer-works portal (MASA): access to contracts, equipment, orders, and the company's lists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.models.electricity import MasaEntry
from scrapers.core.items import Listing
from scrapers.core.jobs import Job
from scrapers.core.outcomes import Failure, Incomplete
from scrapers.families.electricity.items import (
    Connection,
    Entry,
    Equipment,
    OutageAccount,
    Profile,
    SharedConnection,
    Site,
)
from scrapers.portals.iec import api
from scrapers.portals.iec.customer import IecSpider, object_of, objects

LISTS = "lists"  # name of the note that all of the company's lists were fetched
PAGE = 50  # sites of an account per request; the company's own page uses 10
Details = dict[str, tuple[str, ...]]  # our name: the path in the company's JSON

CITY: Details = {
    "shoval_code": ("shovalCityCode",),
    "logical_name": ("logicalName",),
    "area": ("area", "name"),
    "area_code": ("area", "shovalAreaCode"),
    "region": ("region", "name"),
    "region_code": ("region", "shovalRegionCode"),
}
SIZE: Details = {
    "size_type": ("sizeType",),
    "voltage_type": ("voltType",),
    "code": ("code",),
    "description": ("description",),
    "index": ("index",),
    "is_enlargeable": ("isEnlargeable",),
    "is_allowed_in_residence": ("isAllowResidence",),
}
VOLTAGE: Details = {"min_level": ("minVoltLevel",), "max_level": ("maxVoltLevel",)}
PURPOSE: Details = {"description": ("desc",), "building_type": ("buildingType",)}
OF_KEY: Details = {"index": ("index",)}
# List in the lookup's answer: kind of entry, key of its code, key of its name, the rest.
LOOKUP: dict[str, tuple[str, str, str, Details]] = {
    "regions": ("region", "regionId", "name", {"code": ("code",)}),
    "connectionSizeTypes": ("connection_size", "id", "name", SIZE),
    "siteTypes": ("site_type", "key", "value", OF_KEY),
    "orderStatusState": ("order_status", "key", "value", OF_KEY),
    "actionCodes": ("action", "key", "value", OF_KEY),
    "phonePrefixes": ("phone_prefix", "key", "value", OF_KEY),
    "orderPurposes": ("order_purpose", "id", "name", PURPOSE),
    "meterSetupTypes": ("meter_setup", "id", "name", {"description": ("desc",), "code": ("code",)}),
}
OPTIONS = {"residenceOptions": "residence", "commercialOptions": "commercial", "tempOptions": "temporary"}
SIZES = {
    "residenceSizeTypes": "residence",
    "commercialSizeTypes": "commercial",
    "publicSizeTypes": "public",
    "parkingSizeTypes": "parking",
}


@dataclass
class Lists:
    """The company's lists as a job needs them, and whether it requests them."""

    are_asked: bool
    sizes: dict[int, str] = field(default_factory=dict)  # name of a connection's size, by its type


class IecMasa(IecSpider):
    """
    Portal
      Israel Electric Company, customer works (https://masa-mainportalapi.iec.co.il, https://masaapi-wa.azurewebsites.net).
    Caveats
      The company's lists (cities, sizes, purposes) are asked for once a week, unless -a again=yes. The format
      of orders is unknown: only the id and the names of the fields of each are stored.
    """

    name = "iec_masa"
    report_type = "masa"
    keeps_files = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lists: dict[int, Lists] = {}

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        self.lists[job.id] = await self.work.db.run(partial(self._known, job))
        yield self.ask(job, api.MASA_PROFILE, partial(self._profile, "masa"))
        yield self.ask(job, api.MASA_CONTRACTS, self._seen)
        if self.lists[job.id].are_asked:
            for endpoint, read in self._of_lists().items():
                yield self.ask(job, endpoint, read)
            # First: the sizes of equipment refer to this list.
            yield self.ask(job, api.MASA_LOOKUP, self._lookup, otherwise=partial(self._ask_accounts, job))
        else:
            for request in self._ask_accounts(job):
                yield request

    def _known(self, job: Job, session: Session) -> Lists:
        if self.arguments.again or not self.is_fresh(session, job.key, LISTS):
            return Lists(are_asked=True)
        rows = session.execute(select(MasaEntry.name, MasaEntry.details).where(MasaEntry.kind == "connection_size"))
        return Lists(False, {details["size_type"]: name for name, details in rows if details.get("size_type")})

    def conclude(self, session: Session, job: Job, failure: Failure | None) -> None:
        """Store the note that the lists were fetched, and mark connections that are no longer listed."""
        if failure is not None:
            return
        self.mark_gone(session, job, Connection)
        if job.id in self.lists and self.lists[job.id].are_asked:
            self.note_fresh(session, job.key, LISTS)

    # A person

    def _profile(self, source: str, job: Job, data: Any) -> Iterator[Any]:
        yield Listing(job=job.id, keys=())
        profile = Profile.read(job.id, "profile", data, username=job.target.person, source=source)
        yield from self.stored(job, Profile, [profile])

    def _seen(self, job: Job, data: Any) -> Iterator[Any]:
        """Read the contracts that a person sees, and request who else sees them."""
        yield from self._profile("masa_contact", job, data)
        name = "connectionBetweenContactAndContract"
        # It leaves the own contact out; an empty one must not undo what M4 says, whichever is stored first.
        own = {"id": data.get("id")}
        rows = [{**row, "contact": row.get("contact") or own} for row in objects(f"profile.{name}", data.get(name))]
        connections = Connection.read_all(job.id, f"profile.{name}", rows, username=job.target.person)
        yield from self.stored(job, Connection, connections)
        for connection in connections:
            if connection.masa_contract and connection.contract:
                parts: dict[str, Any] = {"profile": data["id"], "masa_contract": connection.masa_contract}
                yield self.ask(job, api.MASA_CONNECTIONS, partial(self._shared, connection), **parts)

    def _shared(self, own: Connection, job: Job, data: Any) -> Iterator[Any]:
        name = "connectionBetweenContactAndContract"
        known = {"username": job.target.person, "contract": own.contract, "masa_contract": own.masa_contract}
        shared = SharedConnection.read_all(job.id, f"shared.{name}", data.get(name), **known)
        yield from self.stored(job, SharedConnection, shared)

    def _ask_accounts(self, job: Job) -> Iterator[Any]:
        yield self.ask(job, api.ACCOUNTS, self._accounts)

    def _accounts(self, job: Job, data: Any) -> Iterator[Any]:
        accounts = OutageAccount.read_all(job.id, "accounts", data, username=job.target.person)
        yield from self.stored(job, OutageAccount, accounts)
        for account in accounts:
            yield self.ask(job, api.MASA_ORDERS, partial(self._orders, account.account_id), account=account.account_id)
            yield self._ask_equipment(job, account.account_id, 1, 0)

    def _orders(self, account: str, job: Job, data: Any) -> Iterator[Any]:
        orders = [
            Entry.read(
                job.id,
                f"orders[{at}]",
                {},
                kind="order",
                code=order.get("id"),
                details={"account": account, "fields": sorted(order)},
            )
            for at, order in enumerate(objects("orders", data.get("orders")))
        ]
        yield from self.stored(job, Entry, orders)

    def _ask_equipment(self, job: Job, account: str, page: int, seen: int) -> Any:
        parts: dict[str, Any] = {"accountId": account, "pageNumber": page, "pageSize": PAGE}
        return self.ask(job, api.MASA_EQUIPMENT, partial(self._equipment, account, page, seen), **parts)

    def _equipment(self, account: str, page: int, seen: int, job: Job, data: Any) -> Iterator[Any]:
        """Read a page of an account's sites, and request the next one."""
        rows = objects("equipment.items", data.get("items"))
        equipment: list[Equipment] = []
        for at, row in enumerate(rows):
            name = f"equipment.items[{at}]"
            site = Site.read(job.id, name, row)
            known: dict[str, Any] = {"account_id": account, **site.model_dump(exclude={"job", "connections"})}
            # A site without a connection is stored as a row, too.
            for number, connection in enumerate(objects(f"{name}.connections", site.connections) or [{}]):
                found = Equipment.read(job.id, f"{name}.connections[{number}]", connection, **known)
                found.size = self.lists[job.id].sizes.get(found.size_type or 0)
                equipment.append(found)
        yield from self.stored(job, Equipment, equipment)
        seen += len(rows)
        if data.get("moreRecords"):
            if not rows:
                raise Incomplete(f"Page {page} of the equipment is empty, and {data.get('totalRecords')} are counted.")
            yield self._ask_equipment(job, account, page + 1, seen)

    # The company's lists

    def _of_lists(self) -> dict[api.Endpoint, Callable[[Job, Any], Any]]:
        return {
            api.MASA_CITIES: self._cities,
            api.MASA_ORDER_CATEGORIES: self._categories,
            api.MASA_VOLTAGE_LEVELS: self._voltages,
            api.MASA_BUILDING_OPTIONS: self._buildings,
        }

    def _cities(self, job: Job, data: Any) -> Iterator[Any]:
        yield from self.stored(job, Entry, entries(job, "city", objects("cities", data), "id", "name", CITY))

    def _categories(self, job: Job, data: Any) -> Iterator[Any]:
        rows = objects("orderCategories", data.get("orderCategories"))
        details: Details = {"type_code": ("typeCodeInt",)}
        yield from self.stored(job, Entry, entries(job, "order_category", rows, "id", "name", details))

    def _voltages(self, job: Job, data: Any) -> Iterator[Any]:
        rows = objects("voltLevels", data)
        yield from self.stored(job, Entry, entries(job, "voltage_level", rows, "id", "name", VOLTAGE))

    def _lookup(self, job: Job, data: Any) -> Iterator[Any]:
        for name, (kind, code, title, details) in LOOKUP.items():
            rows = objects(f"lookup.{name}", data.get(name))
            found = entries(job, kind, rows, code, title, details)
            yield from self.stored(job, Entry, found)
            if kind == "connection_size":
                self.lists[job.id].sizes = {
                    each.details["size_type"]: each.name for each in found if each.details["size_type"] and each.name
                }
        yield from self._ask_accounts(job)

    def _buildings(self, job: Job, data: Any) -> Iterator[Any]:
        for name, kind in OPTIONS.items():
            options = []
            for at, row in enumerate(objects(f"building options.{name}", data.get(name))):
                purpose = object_of(f"building options.{name}[{at}].orderPurpose", row.get("orderPurpose"))
                sizes = [each.get("name") for each in objects(f"{name}.connectionSizes", row.get("connectionSizes"))]
                option = entries(job, f"building_{kind}", [purpose], "id", "name", PURPOSE)
                option[0].details["sizes"] = sizes
                options += option
            yield from self.stored(job, Entry, options)
        for name, kind in SIZES.items():
            rows = objects(f"building options.{name}", data.get(name))
            yield from self.stored(job, Entry, entries(job, f"size_{kind}", rows, "id", "name", {}))


def entries(job: Job, kind: str, rows: list[dict[str, Any]], code: str, name: str, details: Details) -> list[Entry]:
    """Return the entries of a list. code, name: keys of the rows; details: paths of further values, by our name."""
    return [
        Entry.read(
            job.id,
            f"{kind}[{at}]",
            {},
            kind=kind,
            code=row.get(code),
            name=row.get(name),
            details={ours: inner(row, path) for ours, path in details.items()},
        )
        for at, row in enumerate(rows)
    ]


def inner(row: dict[str, Any], path: tuple[str, ...]) -> Any:
    """
    Return the value at a path; None when there is none.

    >>> inner({"area": {"name": "North"}}, ("area", "name")), inner({"area": None}, ("area", "name"))
    ('North', None)
    """
    value: Any = row
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return int(value) if hasattr(value, "as_integer_ratio") and not isinstance(value, bool) else value

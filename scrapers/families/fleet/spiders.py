"""The fleets' bases: a job is a tenant; first its list of vehicles is read, then the pages of each vehicle."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urljoin

from pydantic import BaseModel, Field
from scrapy.http import TextResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from database.families.fleet import Seen, conclude_sync, known_vins, note_vehicles, tenant_named
from database.models import fleet as models
from scrapers.core.items import Batch, Listing
from scrapers.core.jobs import ArgumentError, Job, Plan
from scrapers.core.outcomes import (
    Failure,
    Incomplete,
    PortalChanged,
    WrongAccount,
)
from scrapers.core.spider import PortalSpider, SpiderArguments
from scrapers.families.fleet import j1939
from scrapers.families.fleet.folding import fold_faults, fold_vehicles
from scrapers.families.fleet.items import Fault, Vehicle, bare_vin
from scrapers.logins.credentials import credential_for
from scrapers.reading.layouts import ListPage, Row, json_of
from scrapers.reading.values.marks import without_marks
from scrapers.reading.visible import visible_text

# A VIN as one word, or what is labelled as one, however it is parted.
VIN_SAID = re.compile(r"\b(?=\w*\d)(?=\w*[A-Z])[A-HJ-NPR-Z0-9]{17}\b|\b(?:VIN|NIV|FIN)\b\W{0,4}(?=\w*\d)\w", re.I)
MOST_WARNINGS = 20  # of one kind: a column that cannot be read has as many as the fleet has faults


class FleetArguments(SpiderArguments):
    """Arguments of a fleet's spider."""

    aims = SpiderArguments.aims | {"tenant"}
    tenant: str = Field("default", description="Name of the fleet, of your choice; several with commas.")


class FleetTarget(BaseModel):
    """The target of a fleet's job: the tenant."""

    tenant_id: int
    tenant: str


@dataclass
class Fleet:
    """The vehicles and faults that a job has read so far."""

    known: frozenset[str]  # VINs of the tenant's last complete list
    vins: dict[str, Vehicle] = field(default_factory=dict)  # as they were listed
    held: list[Vehicle] = field(default_factory=list)  # held back until one is known of the tenant
    faults: dict[str, Fault] = field(default_factory=dict)
    warned: Counter[str] = field(default_factory=Counter)  # warnings of each kind


class FleetSpider(PortalSpider):
    """Base of a fleet portal's spiders: a job is a tenant."""

    Arguments = FleetArguments
    target_argument = "tenant"
    keeps_files = False
    list_path: ClassVar[str]  # relative to the sign-in address
    list_page: ClassVar[ListPage]
    vehicle_values: ClassVar[Callable[[Row], Mapping[str, Any]]]  # maps a row of the list to fields of Vehicle
    list_is_all: ClassVar[bool] = True  # a vehicle is done once it is listed; False: once a callback yields its key

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fleets: dict[int, Fleet] = {}

    @classmethod
    def plans(cls, session: Session, arguments: FleetArguments) -> list[Plan]:
        """Return a job for each tenant; a tenant is made when it is first named."""
        wanted: list[tuple[str, int | None]] = [(cls._of_job(session, number), number) for number in arguments.job]
        if not wanted:
            names = [name.strip() for name in arguments.tenant.split(",") if name.strip()]
            if not names or any(len(name) > 100 for name in names):
                raise ArgumentError("-a tenant: give names of 1 to 100 characters, separated by commas.")
            wanted = [(name, None) for name in dict.fromkeys(names)]
        return [cls._plan(session, name, number, arguments) for name, number in wanted]

    @classmethod
    def known_targets(cls, session: Session) -> list[str]:
        """Return the tenants that were named before."""
        return list(
            session.scalars(
                select(models.Tenant.name).where(models.Tenant.portal == cls.portal).order_by(models.Tenant.name)
            )
        )

    @classmethod
    def _of_job(cls, session: Session, number: int) -> str:
        name = (cls.row(session, number).target or {}).get("tenant")
        if not name:
            raise ArgumentError(f"-a job={number}: it names no tenant.")
        return str(name)

    @classmethod
    def _plan(cls, session: Session, name: str, number: int | None, arguments: FleetArguments) -> Plan:
        tenant = tenant_named(session, cls.portal, name)
        credential = None
        if arguments.credential is None and tenant.username:
            credential = credential_for(cls, session, tenant.username)
        credential = credential or credential_for(cls, session, arguments.credential)
        target = FleetTarget(tenant_id=tenant.id, tenant=name)
        return Plan(target=target, key=name, label=name, credential=credential, job_id=number)

    def at(self, path: str) -> str:
        """Return an address at the portal."""
        return urljoin(self.logins[0].address(), path)

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        """Load the known VINs of the tenant, and request the list of vehicles."""
        vins = await self.work.db.run(lambda session: known_vins(session, job.target.tenant_id))
        self.fleets[job.id] = Fleet(frozenset(vins))
        yield self.request(job, self.at(self.list_path), self.listing)

    def listing(self, response: TextResponse) -> Iterator[Any]:
        """Read a page of the list, and request the next one."""
        job, page = self.job_of(response), self.list_page
        fields = {"job": job.id, "tenant_id": job.target.tenant_id}
        vehicles, odd = page.items(response, Vehicle, type(self).vehicle_values, **fields)
        following = page.following(response)
        yield from self.listed(job, vehicles, last=following is None, total=page.total(response))
        if following:
            yield self.request(job, following, self.listing)
        if odd:
            raise PortalChanged(f"Vehicles that were not understood: {'; '.join(odd)}.")

    def listed(self, job: Job, vehicles: Iterable[Vehicle], *, last: bool, total: int | None = None) -> Iterator[Any]:
        """
        Yield the vehicles of a page of the list, and the requests that `vehicle` returns for each.

        total: how many the portal says there are on all pages; the job is incomplete when fewer are listed.

        Vehicles are held back until one of them is a known vehicle of the tenant, so that another customer's fleet cannot
        close the tenant's faults. Raises WrongAccount when the whole list has none, unless -a again=yes.
        """
        fleet = self.fleets[job.id]
        for vehicle in vehicles:
            before = fleet.vins.setdefault(vehicle.vin, vehicle)
            if before is vehicle:
                fleet.held.append(vehicle)
            elif said := fold_vehicles(before, vehicle):
                self.warn(job, "vehicles twice", said)
        if fleet.known and fleet.known.isdisjoint(fleet.vins) and not self.arguments.again:
            if last:
                raise WrongAccount(
                    f"The portal lists {len(fleet.vins)} vehicles, and none of the {len(fleet.known)} known of tenant "
                    f"{job.target.tenant}; if the fleet is a new one, run it with -a again=yes."
                )
            return
        if last and total is not None and total > len(fleet.vins):
            job.fail(
                Incomplete(f"The portal counts {total} vehicles and lists {len(fleet.vins)}.", step="read the list")
            )
        held, fleet.held = fleet.held, []
        keys = tuple(vehicle.vin for vehicle in held)
        yield Listing(job=job.id, keys=keys)
        yield Batch.of(Vehicle, job.id, held, keys if self.list_is_all else ())
        for vehicle in held:
            yield from self.vehicle(job, vehicle)

    def warn(self, job: Job, kind: str, text: str) -> None:
        """Record a warning; of each kind the first MOST_WARNINGS of a job."""
        warned = self.fleets[job.id].warned
        warned[kind] += 1
        if warned[kind] <= MOST_WARNINGS:
            job.warn(text)

    def vehicle(self, job: Job, vehicle: Vehicle) -> Iterable[Any]:
        """Return the requests for the pages of one vehicle."""
        return ()

    def conclude(self, session: Session, job: Job, failure: Failure | None) -> None:
        """Mark vehicles that are no longer listed, if the whole list was read."""
        fleet = self.fleets.get(job.id) or Fleet(frozenset())
        if failure is None:
            username = job.credential.username if job.credential else None
            note_vehicles(session, job.target.tenant_id, fleet.vins, username)
        job.result = {"vehicles_found": len(fleet.vins)}


class FaultsSpider(FleetSpider):
    """Base of the spiders that read the vehicles and all their faults."""

    report_type = "faults"
    list_is_all = False
    faults_path: ClassVar[str]  # with {vin}
    faults_page: ClassVar[ListPage]
    fault_values: ClassVar[
        Callable[[Row], Mapping[str, Any] | None]
    ]  # maps a row to fields of Fault, without the vehicle's

    def vehicle(self, job: Job, vehicle: Vehicle) -> Iterator[Any]:
        """Request a vehicle's faults."""
        address = self.at(self.faults_path.format(vin=vehicle.vin))
        yield self.request(job, address, partial(self.diagnostics, vehicle.vin))

    def diagnostics(self, vin: str, response: TextResponse) -> Iterator[Any]:
        """Read a page of a vehicle's faults; the vehicle is done when all rows up to the last page were understood."""
        job, page = self.job_of(response), self.faults_page
        fields = {"job": job.id, "tenant_id": job.target.tenant_id, "vin": vin}
        try:
            faults, odd = read_faults(page, response, type(self).fault_values, **fields)
            following = page.following(response)
        except PortalChanged as failure:
            failure.detail = f"{vin}: {failure.detail}"
            raise
        if is_of_another(page, response, vin):
            raise PortalChanged(f"{vin}: the page shows another vehicle.")
        kept = self._folded(job, vin, faults, odd)
        yield Batch.of(Fault, job.id, kept, () if following or odd else (vin,))
        if following:
            yield self.request(job, following, partial(self.diagnostics, vin))
        if odd:
            raise PortalChanged(f"{vin}: faults that were not understood: {'; '.join(odd)}.")

    def _folded(self, job: Job, vin: str, faults: Iterable[Fault], odd: list[str]) -> list[Fault]:
        """Return the faults of a page, each key once; add what may be two faults to *odd*, and warn of other differences."""
        known, kept = self.fleets[job.id].faults, {}
        for fault in faults:
            for doubt in fault.doubts:
                self.warn(job, doubt.partition(" ")[0], f"{vin}, {fault.code}: {doubt}")
            key = fault.key()
            if (before := known.get(key)) is None:
                known[key] = kept[key] = fault
                continue
            known[key], said, may_be_two = fold_faults(before, fault)
            kept[key] = known[key]
            if may_be_two:
                odd.append(said)
            elif said:
                self.warn(job, "faults twice", f"{vin}: {said}")
        return list(kept.values())

    def conclude(self, session: Session, job: Job, failure: Failure | None) -> None:
        """Store the counts of the sync; a complete one opens and closes faults."""
        super().conclude(session, job, failure)
        fleet = self.fleets.get(job.id) or Fleet(frozenset())
        names = ("vehicles_found", "faults_found", "new_faults", "critical_faults")
        if not job.may_store or (failure is not None and failure.forbids_storing):
            job.result = {name: job.result.get(name, 0) for name in names}
            return
        seen = Seen(fleet.vins, [fault.row() for fault in fleet.faults.values()])
        tenant, errors = job.target.tenant_id, job.failure_texts(failure)
        sync: models.Sync = conclude_sync(session, tenant, job.id, seen, errors=errors, complete=failure is None)
        job.result = {name: getattr(sync, name) for name in names}


def read_faults(
    page: ListPage, response: TextResponse, values: Callable[[Row], Mapping[str, Any] | None], **fields: Any
) -> tuple[list[Fault], list[str]]:
    """
    Return the faults of a page, and texts of what was not understood: rows, codes outside of rows, states of faults.

    Faults with a state in unknown words are among both.
    """
    faults, odd = page.items(response, Fault, values, **fields)
    odd += [f"{fault.code} in the state {fault.state[:40]!r}" for fault in faults if fault.is_active is None]
    rest = visible_text(response)
    for fault in faults:
        rest = rest.replace(fault.raw_text, " ")
    outside = set(j1939.codes(rest)) - {(fault.spn, fault.fmi) for fault in faults}
    # Rows that were not understood are reported already.
    return faults, odd or [f"SPN {spn} FMI {fmi} outside of the list" for spn, fmi in sorted(outside)]


def is_of_another(page: ListPage, response: TextResponse, vin: str) -> bool:
    """
    Return whether a page is another vehicle's: by the VINs that a person sees, else by those of its JSON document.

    Where it names none, its address says whose it is.
    """
    said = visible_text(response)
    if vin in bare_vin(said):
        return False
    if VIN_SAID.search(without_marks(said)):
        return True
    found, entries = set(), [json_of(response, page.paging.scripts)]
    while entries:
        entry = entries.pop()
        if isinstance(entry, list):
            entries += entry
        elif isinstance(entry, Mapping):
            found |= {bare_vin(value) for name, value in entry.items() if name.casefold() == "vin" and value}
            entries += entry.values()
    return vin not in (found or bare_vin(response.url))

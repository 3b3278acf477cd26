"""Outages at a person's contracts, from the company's API and its fault portal, and at an address."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any, Self

from pydantic import Field, model_validator
from sqlalchemy.orm import Session

from database.models.electricity import ElectricityOutage
from scrapers.core.items import Listing
from scrapers.core.jobs import Job
from scrapers.core.outcomes import Failure, NotListed
from scrapers.core.spider import SpiderArguments
from scrapers.families.electricity.items import PLACE, Entry, OrderView, Outage, OutageAccount, PlaceOutage, Profile
from scrapers.portals.iec import api
from scrapers.portals.iec.customer import IecSpider, object_of, objects

EVERY_STATE = 0


class OutageArguments(SpiderArguments):
    """Arguments of iec_outages."""

    city: str | None = Field(
        None, description="Ask for the outage at an address instead: its city, as the company writes it."
    )
    street: str | None = Field(None, description="Its street, as the company writes it.")
    house: str | None = Field(None, description="Its number.")
    place: str = Field(
        "address", max_length=100, description="Your word for the address, under which the answer is stored."
    )

    @model_validator(mode="after")
    def whole_address(self) -> Self:
        """Accept an address with all its parts, or none."""
        if any((self.city, self.street, self.house)) and not all((self.city, self.street, self.house)):
            raise ValueError("an address needs city, street and house")
        return self


class IecOutages(IecSpider):
    """
    Portal
      Israel Electric Company, outages (https://iecapi.iec.co.il/api/outages) and the fault portal.
    Caveats
      Both sources are kept side by side, because one may know what the other does not. Of an address only your own word
      for it is kept (-a place=). No published description of the fault portal's answers is known.
    """

    name = "iec_outages"
    report_type = "outages"
    keeps_files = False
    Arguments = OutageArguments

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        if self.arguments.city:
            yield self.ask(job, api.DISTRICT_CITIES, self._cities)
            return
        yield self.ask(job, api.ACCOUNTS, self._accounts)
        yield self.ask(job, api.FAULTS_PROFILE, self._profile)

    def conclude(self, session: Session, job: Job, failure: Failure | None) -> None:
        """Mark outages that are no longer listed: they are over."""
        if failure is None and not self.arguments.city:
            self.mark_gone(session, job, Outage, ElectricityOutage.source != PLACE)

    def _accounts(self, job: Job, data: Any) -> Iterator[Any]:
        accounts = OutageAccount.read_all(job.id, "accounts", data, username=job.target.person)
        yield Listing(job=job.id, keys=())
        yield from self.stored(job, OutageAccount, accounts)
        for account in accounts:
            yield self.ask(job, api.OUTAGES, self._outages, account=account.account_id)
            yield self.ask(job, api.ACCOUNT_FAULTS, self._faults, account=account.account_id)
        if accounts:
            body = {"Accounts": [account.account_id for account in accounts], "StateCode": EVERY_STATE}
            yield self.ask(job, api.FAULTS_OF_ACCOUNTS, self._view, body=body)

    def _outages(self, job: Job, data: Any) -> Iterator[Any]:
        outages = [
            Outage.read(
                job.id,
                f"outages[{at}].transactionsInfo[{number}]",
                transaction,
                username=job.target.person,
                source="account",
                contract=(site.get("site") or {}).get("contractNumber"),
            )
            for at, site in enumerate(objects("outages", data))
            for number, transaction in enumerate(objects("outages.transactionsInfo", site.get("transactionsInfo")))
        ]
        yield from self.stored(job, Outage, outages)

    def _faults(self, job: Job, data: Any) -> Iterator[Any]:
        outages = [
            Outage.read(
                job.id,
                f"faults[{at}]",
                fault,
                username=job.target.person,
                source="faults",
                contract=(fault.get("site") or {}).get("contractNumber"),
            )
            for at, fault in enumerate(objects("faults", data))
        ]
        yield from self.stored(job, Outage, outages)

    def _profile(self, job: Job, data: Any) -> Iterator[Any]:
        profile = Profile.read(job.id, "fault portal profile", data, username=job.target.person, source="faults")
        yield from self.stored(job, Profile, [profile])

    def _view(self, job: Job, data: Any) -> Iterator[Any]:
        yield from self.stored(job, OrderView, [OrderView.read(job.id, "accounts", data, username=job.target.person)])

    # By address

    def _cities(self, job: Job, data: Any) -> Iterator[Any]:
        rows = objects("cities", object_of("cities", data).get("dataCollection"))
        yield from self.stored(job, Entry, [place(job, "district_city", row, "shovalCityCode") for row in rows])
        city = chosen(rows, self.arguments.city, "city")
        yield self.ask(job, api.DISTRICT_STREETS, partial(self._streets, city), city=city)

    def _streets(self, city: str, job: Job, data: Any) -> Iterator[Any]:
        rows = objects("streets", object_of("streets", data).get("streets"))
        streets = [place(job, "district_street", row, "shovalStreetCode", city=city) for row in rows]
        yield from self.stored(job, Entry, streets)
        street = chosen(rows, self.arguments.street, "street")
        body = {"cityCode": city, "streetCode": street, "houseNumber": self.arguments.house}
        yield self.ask(job, api.OUTAGE_AT_ADDRESS, self._at_place, body=body)

    def _at_place(self, job: Job, data: Any) -> Iterator[Any]:
        known = {"username": job.target.person, "outage": self.arguments.place}
        yield from self.stored(job, PlaceOutage, [PlaceOutage.read(job.id, "outage by address", data, **known)])


def place(job: Job, kind: str, row: dict[str, Any], code: str, **details: Any) -> Entry:
    """Return a city or street of the company's lists."""
    known = {"kind": kind, "code": row.get("id"), "details": {"shoval_code": row.get(code), **details}}
    return Entry.read(job.id, kind, {"name": row.get("name")}, **known)


def chosen(rows: list[dict[str, Any]], name: str, argument: str) -> str:
    """Return the id of the entry with a name; raises NotListed, which names the argument and not the address."""
    wanted = " ".join(name.split())
    for row in rows:
        if " ".join(str(row.get("name")).split()) == wanted and row.get("id"):
            return str(row["id"])
    raise NotListed(f"-a {argument}: the company lists no {argument} of that name.")

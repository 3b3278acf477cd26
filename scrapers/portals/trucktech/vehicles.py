"""The list of vehicles, over all its pages."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urljoin

from scrapy.http import TextResponse

from scrapers.fleet import FleetSpider
from scrapers.items.fleet import Vehicle
from scrapers.outcomes import PortalChanged
from scrapers.portals.trucktech.login import TruckTechLogin
from scrapers.portals.trucktech.pages import VEHICLES
from scrapers.portals.trucktech.rows import vehicle_values
from scrapers.work import Job


class TruckTechSpider(FleetSpider):
    """What the portal's spiders share: where the list is, and how it is read."""

    portal = "trucktech"
    logins = (TruckTechLogin,)
    custom_settings = {
        "REQUESTS_IN_FLIGHT": 8,  # The portal publishes no limit; a person's browser opens six connections.
    }

    @staticmethod
    def at(path: str) -> str:
        return urljoin(TruckTechLogin.address(), path)

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        await self.begin(job)
        yield self.request(job, self.at("/assets"), self.listing)

    def listing(self, response: TextResponse) -> Iterator[Any]:
        job = self.job_of(response)
        vehicles, odd = VEHICLES.items(response, Vehicle, vehicle_values, job=job.id, tenant_id=job.target.tenant_id)
        following = VEHICLES.following(response)
        yield from self.listed(job, vehicles, last=following is None, total=VEHICLES.total(response))
        if following:
            yield self.request(job, following, self.listing)
        if odd:
            raise PortalChanged(f"Vehicles that were not understood: {'; '.join(odd)}.")


class TruckTechVehicles(TruckTechSpider):
    """
    Portal
      TruckTech+, the vehicles of a tenant (https://paccar.decisiv.net/assets); a page for each 25 of them or so.
    Caveats
      The pages after the sign-in were never seen by anybody who wrote about them: one in no known layout is portal_changed.
    """

    name = "trucktech_vehicles"
    report_type = "vehicles"
    in_sync = False  # trucktech_faults reads the vehicles on its way

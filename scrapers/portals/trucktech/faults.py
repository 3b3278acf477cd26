"""The vehicles and the faults of each."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from scrapy.http import TextResponse

from scrapers.fleet import FaultsSpider
from scrapers.items.fleet import Fault, Vehicle
from scrapers.layouts import visible_text
from scrapers.outcomes import PortalChanged
from scrapers.portals.trucktech.pages import FAULTS
from scrapers.portals.trucktech.rows import codes, fault_values
from scrapers.portals.trucktech.vehicles import TruckTechSpider
from scrapers.work import Job


class TruckTechFaults(FaultsSpider, TruckTechSpider):
    """
    Portal
      TruckTech+, all vehicles of a tenant and the J1939 faults of each (https://paccar.decisiv.net/assets/<VIN>/diagnostics).
    Caveats
      Faults of other standards (a code without SPN and FMI) are named in the run's errors, and the sync is not complete then.
    """

    name = "trucktech_faults"

    def vehicle(self, job: Job, vehicle: Vehicle) -> Iterator[Any]:
        yield self.request(job, self.at(f"/assets/{vehicle.vin}/diagnostics"), partial(self.diagnostics, vehicle.vin))

    def diagnostics(self, vin: str, response: TextResponse) -> Iterator[Any]:
        job, seen = self.job_of(response), visible_text(response)
        if seen and vin not in seen:
            raise PortalChanged(f"{vin}: the page shows another vehicle.")
        faults, odd = FAULTS.items(response, Fault, fault_values, job=job.id, tenant_id=job.target.tenant_id, vin=vin)
        following = FAULTS.following(response)
        if not faults and not odd and codes(seen):
            odd = ["a code outside of every list"]
        yield from self.faults(job, vin, faults, last=following is None and not odd)
        if following:
            yield self.request(job, following, partial(self.diagnostics, vin))
        if odd:
            raise PortalChanged(f"{vin}: faults that were not understood: {'; '.join(odd)}.")

"""The vehicles and the faults of each."""

from scrapers.families.fleet.spiders import FaultsSpider
from scrapers.portals.trucktech.pages import FAULTS
from scrapers.portals.trucktech.rows import fault_values
from scrapers.portals.trucktech.vehicles import TruckTechSpider


class TruckTechFaults(FaultsSpider, TruckTechSpider):
    """
    Portal
      TruckTech+, all vehicles of a tenant and the J1939 faults of each (https://paccar.decisiv.net/assets/<VIN>/diagnostics).
    Caveats
      Faults of other standards (a code without SPN and FMI) are named in the run's errors, and the sync is not complete then.
    """

    name = "trucktech_faults"

    # FaultsSpider
    faults_path = "/assets/{vin}/diagnostics"
    faults_page = FAULTS
    fault_values = fault_values

"""The list of vehicles, over all its pages."""

from scrapers.families.fleet.spiders import FleetSpider
from scrapers.portals.trucktech.login import TruckTechLogin
from scrapers.portals.trucktech.pages import VEHICLES
from scrapers.portals.trucktech.rows import vehicle_values


class TruckTechSpider(FleetSpider):
    """Base of the portal's spiders: address and layouts of the list."""

    portal = "trucktech"
    logins = (TruckTechLogin,)
    custom_settings = {
        "REQUESTS_IN_FLIGHT": 8,  # The portal publishes no limit; a person's browser opens six connections.
    }

    # FleetSpider
    list_path = "/assets"
    list_page = VEHICLES
    vehicle_values = vehicle_values


class TruckTechVehicles(TruckTechSpider):
    """
    Portal
      TruckTech+, the vehicles of a tenant (https://paccar.decisiv.net/assets); a page for each 25 of them or so.
    Caveats
      The layouts of the pages after the sign-in are guesses: a page in no known layout is portal_changed.
    """

    name = "trucktech_vehicles"
    report_type = "vehicles"
    in_sync = False  # trucktech_faults reads the vehicles, too

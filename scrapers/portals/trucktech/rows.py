"""How rows of TruckTech+ map to items, by the portal's locale."""

from functools import partial

from scrapers.families.fleet.rows import fault_fields, vehicle_fields
from scrapers.portals.trucktech import PORTAL
from scrapers.reading.values.locale import Locale

LOCALE = Locale(PORTAL.locale)
vehicle_values = partial(vehicle_fields, locale=LOCALE)
fault_values = partial(fault_fields, locale=LOCALE)

"""TruckTech+: PACCAR's fleet portal, run by Decisiv."""

from scrapers.core.stated import Portal

PORTAL = Portal(word="trucktech", name="TruckTech+", family="fleet", time_zone="UTC", locale="en_US")

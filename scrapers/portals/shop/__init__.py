"""Any shop that has no portal of its own: its prices are read from the structured data of its pages."""

from scrapers.core.stated import Portal

PORTAL = Portal(word="shop", name="Any other shop", family="prices", time_zone="UTC", locale="en_GB")

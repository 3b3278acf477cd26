"""Bell: Corporate Self Serve and the Enterprise Centre."""

from scrapers.core.stated import Portal

PORTAL = Portal(word="bell", name="Bell", family="carriers", time_zone="America/Toronto", locale="en_CA")

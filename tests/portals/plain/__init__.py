"""The plain portal's spiders: what the core's own tests and the benchmarks crawl."""

from scrapers.core.stated import Portal

PORTAL = Portal(word="plain", name="Plain", family="carriers", time_zone="UTC", locale="en_US")

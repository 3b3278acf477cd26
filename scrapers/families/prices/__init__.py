"""Prices of shops: a job is a product in a country, for everyone who watches it."""

from scrapers.core.stated import Family

FAMILY = Family(word="prices", counts=("records",))

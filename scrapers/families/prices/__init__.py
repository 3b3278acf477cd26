"""Prices of shops: a job is a product in a country, for everyone who watches it."""

from scrapers.core.stated import Export, Family

FAMILY = Family(
    word="prices",
    exports={"price_check_runs": Export("scrapers.families.prices.exports:price_check_runs")},
    counts=("records",),
)

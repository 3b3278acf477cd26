"""Messages and files of channels."""

from scrapers.core.stated import Family

FAMILY = Family(word="messaging")

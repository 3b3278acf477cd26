"""Portals that list documents, newest first: invoices, statements, letters. A job's target is a credential."""

from scrapers.core.stated import Family

FAMILY = Family(word="documents", counts=("files", "records"))

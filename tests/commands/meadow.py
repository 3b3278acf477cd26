"""An invented portal, so that the commands have something to list."""

from __future__ import annotations

import scrapy

from scrapers.logins.form import FormLogin


class MeadowLogin(FormLogin):
    portal = "meadow"
    name = "meadow"
    url = "https://meadow.example.com/sign-in"


class MeadowInvoices(scrapy.Spider):
    name = "meadow_invoices"
    portal = "meadow"
    report_type = "invoices"
    logins = (MeadowLogin,)

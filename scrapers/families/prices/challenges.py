"""Challenges: pages of a bot wall in the place of the product's. They are told of, never answered."""

from __future__ import annotations

import re

from scrapers.families.prices.page import ProductPage

CHALLENGE = "A challenge stands in the place of the page."
TITLES = re.compile(
    r"just a moment\b.*|attention required!?(?: \| cloudflare)?|access (?:to this page has been )?denied|pardon our interruption"
    r"|(?:are you a |not a )?robot(?: check)?\??|security check|checking your browser\b.*|(?:please )?verify (?:that )?you are "
    r"(?:a )?human\b.*|human verification|bot verification|ddos-guard|one moment, please\.*",
    re.I,
)
CERTAIN = (
    "#challenge-form, #challenge-running, #cf-challenge-running, form[action*='__cf_chl'], #px-captcha, "
    "[src*='captcha-delivery.com'], [src*='_Incapsula_Resource']"
)
# Product pages have them too, beside a form.
POSSIBLE = "[src*='challenges.cloudflare.com'], [src*='/recaptcha/'], [src*='hcaptcha.com'], .cf-turnstile, .g-recaptcha, .h-captcha"
SCRIPTS = ("_cf_chl_opt", "cf_chl_")


def is_challenge(page: ProductPage) -> bool:
    """Return whether a page is a bot wall's for certain."""
    title = " ".join(page.root.css("head > title::text").get("").split())
    inline = " ".join(page.root.xpath("//script[not(@src)]/text()").getall())
    return bool(TITLES.fullmatch(title) or page.root.css(CERTAIN) or any(mark in inline for mark in SCRIPTS))


def may_be_challenge(page: ProductPage) -> bool:
    """Return whether a page without a price has what asks for a proof that its reader is human, or has nothing at all."""
    return not page.body.strip() or bool(page.root.css(POSSIBLE))

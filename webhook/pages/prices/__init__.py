"""The pages of the price watch: registering, what is watched, checks, alerts, the account."""

from __future__ import annotations

from flask import Blueprint, Flask

from webhook.api.accounts import Accounts
from webhook.api.notifying import Channels
from webhook.api.previews import Previews
from webhook.api.watching import Watchlist
from webhook.pages.base import Pages, Section
from webhook.pages.prices.account import AccountPages
from webhook.pages.prices.adding import AddingPages
from webhook.pages.prices.channels import ChannelPages
from webhook.pages.prices.items import ItemPages
from webhook.pages.prices.shown import FILTERS
from webhook.pages.prices.signing import SigningPages

PREFIX = "/prices"
MESSAGES = {
    "registered": "You are registered and signed in.",
    "signed-in": "You are signed in.",
    "signed-out": "You are signed out.",
    "added": "The product is watched.",
    "changed": "The changes are stored.",
    "paused": "The product is paused: it is not checked until you resume it.",
    "resumed": "The product is watched again.",
    "deleted": "The product and its checks are deleted.",
    "email-changed": "The mail address is changed. All other sign-ins have ended.",
    "phone-changed": "The phone number is changed. All other sign-ins have ended.",
    "channel-added": "Alerts are sent there, too.",
    "channel-deleted": "The channel is deleted.",
    "session-ended": "The sign-in has ended.",
    "others-ended": "All other sign-ins have ended.",
    "account-deleted": "Your account is deleted, with everything that belonged to it.",
}


def add_price_pages(app: Flask, pages: Pages, accounts: Accounts, watchlist: Watchlist, channels: Channels) -> None:
    """Add the pages of the price watch, which are the first that a visitor sees."""
    pages.prefixes.add(PREFIX)
    pages.messages.update(MESSAGES)
    pages.filters.update(FILTERS)
    pages.home, pages.sign_in, pages.sign_out = "prices.items", "prices.sign_in", "prices.sign_out"
    pages.sections += [
        Section("Products", "prices.items"),
        Section("Alerts", "prices.alerts"),
        Section("Channels", "prices.channels"),
        Section("Sign-ins", "prices.sessions"),
        Section("Account", "prices.account"),
    ]
    routes = Blueprint("prices", __name__, url_prefix=PREFIX)
    SigningPages(pages, accounts).add_to(routes)
    ItemPages(pages, watchlist, accounts).add_to(routes)
    AddingPages(pages, watchlist, Previews(watchlist.db, watchlist.checker)).add_to(routes)
    ChannelPages(pages, channels).add_to(routes)
    AccountPages(pages, accounts).add_to(routes)
    app.register_blueprint(routes)

"""A visitor of the pages: a browser without JavaScript, which sends the forms that it was shown."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest

from database.access.users import open_session
from database.engine import now
from database.models.prices import User
from tests.webhook.api.conftest import ANA, PHONES, PRODUCT, api, made, mail_server, make_api, telegram_server, twilio
from webhook.api.user_codes import limits_of

__all__ = ["api", "made", "mail_server", "make_api", "telegram_server", "twilio"]
HIDDEN = r'<input type="hidden" name="(\w+)" value="([^"]*)">'


class Visitor:
    """Remembers cookies, and the hidden fields of the page before."""

    shop: Any = None  # what stands in the place of the crawls, where a test has that

    def __init__(self, api):
        self.api, self.client, self.hidden = api, api.client(), {}

    def see(self, answer):
        """Take an answer, following where it leads, and return it."""
        while answer.status_code == 303:
            answer = self.client.get(answer.headers["Location"])
        if answer.mimetype == "text/html":
            self.hidden = {name: unescape(value) for name, value in re.findall(HIDDEN, answer.text)} or self.hidden
        return answer

    def open(self, path, **headers):
        return self.see(self.client.get(path, headers=headers))

    def send(self, path, headers=None, **fields):
        """Send a form of the page before."""
        return self.see(self.client.post(path, data={**self.hidden, **fields}, headers=headers))

    def register(self, email=ANA):
        """Register, on the pages."""
        self.open("/prices/register")
        self.send("/prices/register", email=email, phone_number=PHONES[email])
        self.send("/prices/register/email", code=self.api.mailed(email))
        return self.send("/prices/register/phone", code=self.api.texted(PHONES[email]))

    def signed_in(self, email=ANA):
        """Be a registered user who is signed in, without the steps of it."""
        with self.api.db.transaction() as session:
            at = now(session)
            user = User(email=email, phone_number=PHONES[email], email_verified_at=at, phone_verified_at=at)
            user.two_factor_enabled = True
            session.add(user)
            session.flush()
            token = open_session(session, user, "Browser", limits_of(self.api.settings))
        self.client.set_cookie(self.api.settings.auth_cookie_name, token)
        self.open("/prices/account")
        return self

    def sign_in(self, email=ANA):
        self.open("/prices/sign-in")
        self.send("/prices/sign-in", email=email)
        return self.send("/prices/sign-in/code", code=self.api.texted(PHONES[email]))

    def item(self, **fields):
        """Watch a product, by the API; return its number."""
        return self.api.item(self.client, **{"product_url": PRODUCT, "threshold": 20, **fields})

    def read(self, item, price, currency="GBP", **more):
        """Write a check that has read a price."""
        return self.api.read(item, Decimal(str(price)), currency, **more)


def words(answer):
    """Return what a page shows, without its tags."""
    (main,) = re.findall(r"<main.*?>(.*)</main>", answer.text, re.S)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())


def beside(answer, name):
    """Return the sentence beside a field."""
    return unescape(re.findall(rf'<small class="bad" id="{name}-problem"[^>]*>([^<]*)</small>', answer.text)[0])


@pytest.fixture
def visitor(api):
    """A visitor who is not signed in."""
    return Visitor(api)


@pytest.fixture
def ana(visitor):
    """A user who is signed in."""
    return visitor.signed_in()

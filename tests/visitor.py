"""A visitor of pages that a real server answers: a browser without scripts, as far as links and one form go."""

from __future__ import annotations

import re
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener


class Visitor:
    """Remembers cookies, and goes where it is sent."""

    def __init__(self) -> None:
        self.opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))

    def open(self, url: str, **form: str) -> tuple[str, str]:
        """Return text and address of the page to which an address, or a form that is sent there, leads."""
        with self.opener.open(url, urlencode(form).encode() if form else None, timeout=60) as answer:
            return answer.read().decode(), answer.url

    def use(self, link: str) -> str:
        """Press the button of a sign-in link; return the page that comes."""
        page, _, token = link.partition("#")
        asked, _ = self.open(page)
        (form_token,) = re.findall(r'name="form_token" value="(\w+)"', asked)
        return self.open(page, form_token=form_token, link=token)[0]

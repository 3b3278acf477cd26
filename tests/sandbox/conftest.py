"""One sandbox with the plain portal for the tests of a process; each test takes a user of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from sandbox import Admin, Running, running
from tests.sandbox.person import Mails, Person, Phones

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def phones() -> Iterator[Phones]:
    with Phones(token="gateway-secret") as phones:
        yield phones


@pytest.fixture(scope="session")
def mails() -> Iterator[Mails]:
    with Mails(token="gateway-secret") as mails:
        yield mails


@pytest.fixture(scope="session")
def plain(tmp_path_factory, phones) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("sandbox")
    with running(folder, ("plain",), sms_url=phones.url, sms_token=phones.token) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")  # while it lives no other test of the process could call asyncio.run
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    from middlewares.download.browser import find_browser

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser())
        yield browser
        browser.close()


@pytest.fixture
def admin(plain) -> Admin:
    """The admin pages of the plain portal as it is by default, with nobody known."""
    admin = plain.admin["plain"]
    admin.reset()
    admin.configure(**DEFAULTS)
    return admin


@pytest.fixture
def visitor(plain, admin) -> Callable[[], Person]:
    return lambda: Person(plain.urls["plain"])


@pytest.fixture
def signed_in(visitor) -> Callable[[str], Person]:
    """Give a function that signs a user in who owes no code."""

    def sign_in(username: str) -> Person:
        person = visitor()
        assert person.submit(username).location == "/documents"
        return person

    return sign_in


DEFAULTS = {
    "latency_ms": 0,
    "limit": 0,
    "limit_status": 0,
    "errors": [],
    "faults": {},
    "session_requests": 0,
    "documents": 20,
    "per_page": 20,
    "file_bytes": 100_000,
    "signed_out_answer": "redirect",
}

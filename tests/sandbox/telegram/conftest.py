"""One server for the tests of a process; each test takes phone numbers of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import Admin, Running, running
from sandbox.telegram import phone_number
from tests.sandbox.telegram.client import Server

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def telegram(tmp_path_factory, phones) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("telegram"), ("telegram",), sms_token=phones.token) as sandbox:
        yield sandbox


@pytest.fixture
def admin(telegram) -> Iterator[Admin]:
    """The admin pages of the server as it is by default, with nobody known."""
    admin = telegram.admin["telegram"]
    admin.reset()
    before = admin.configuration()
    yield admin
    admin.configure(**before)


@pytest.fixture
def server(telegram, admin) -> Server:
    environment = telegram.environment
    return Server(environment["TELEGRAM_SERVER"], Path(environment["TELEGRAM_SERVER_KEY"]), admin)


@pytest.fixture
def number() -> Callable[..., str]:
    """Give a function that returns a new phone number of a scenario."""

    def new(scenario: str = "ok") -> str:
        return phone_number(scenario, next(_numbers))

    return new

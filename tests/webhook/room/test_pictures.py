"""The pictures of the control room in docs/images are made like this; pytest's folder has them after a run (`--basetemp`)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from benchmarks.crowded import crowd
from database.engine import Database
from database.models.base import utc_now
from sandbox.mailserver import serving
from tests.project import ROOT
from tests.webhook.api.conftest import Api
from tests.webhook.pages.test_browser import DESKTOP, LARGEST_PICTURE, PHONE, SCREENS, Quiet
from tests.webhook.room.conftest import House
from tests.webhook.room.test_browser import browser, window

__all__ = ["browser", "window"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PAGES = {
    "missing": "/room/missing",
    "inbox": "/room/inbox",
    "health": "/room/charts",
    "meter": "/room/charts/meters?contract=30001&meter=1&meter_code=503&step=hour",
}


@pytest.fixture
def site(tmp_path, sqlite_with_tables, mail_server, twilio, encryption_key) -> Iterator[House]:
    """The application behind a server, over the database of an office with some sign-ins that wait for a person."""
    path = tmp_path / "office.db"
    shutil.copy(sqlite_with_tables, path)
    db = Database(f"sqlite:///{path}")
    crowd(db, 3)
    house = House(Api(db, mail_server, twilio, user_rate="100000 per minute"))
    for client, number, username in (("North Ltd", "510000001", "north"), ("South Ltd", "520000002", "south")):
        house.account(client, number, f"{username}@example.com")
    at = utc_now()
    house.waits("north@example.com", house.job("510000001", "north@example.com", parked_at=at - timedelta(hours=3)))
    house.job("520000002", "south@example.com", outcome="account_locked", parked_at=at - timedelta(days=2))
    server = make_server("127.0.0.1", 0, house.api.app, threaded=True, request_handler=Quiet)
    with serving(server):
        house.url = f"http://127.0.0.1:{server.port}"
        yield house
    db.engine.dispose()


@SCREENS
def test_pictures(window, site, screen, tmp_path):
    page = window(screen, "light" if screen is DESKTOP else "dark")
    name = "phone" if screen is PHONE else "desktop"
    for what, path in PAGES.items():
        page.goto(path)
        if what == "meter":
            chart = page.locator("data-chart[data-ready=yes] canvas")
            expect(chart).to_be_visible()
            chart.evaluate("node => node.scrollIntoView({ block: 'center' })")
        seen = {"x": 0, "y": 0, "width": screen["width"], "height": 640}
        page.screenshot(path=tmp_path / f"room-{what}-{name}.png", clip=seen)
    pictures = sorted(tmp_path.glob("*.png"))
    assert len(pictures) == len(PAGES)
    for picture in pictures:
        assert picture.stat().st_size < LARGEST_PICTURE
        assert (ROOT / "docs" / "images" / picture.name).stat().st_size < LARGEST_PICTURE

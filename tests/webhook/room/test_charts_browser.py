"""The charts in a real browser, on a telephone and a desktop: drawn with their gaps, by keyboard alone, and as tables without JavaScript."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from database.models.prices import WatchlistItem
from sandbox.mailserver import serving
from tests.webhook.api.conftest import make_api
from tests.webhook.pages.test_browser import AXE, DESKTOP, PHONE, SCREENS, SCRIPT, Quiet, fits, serious
from tests.webhook.room.charted import OF_METER, autumn, fleets, invoice, lines, pool, prices, ran
from tests.webhook.room.test_overview import Room
from tests.webhook.room.test_overview_browser import browser, window

__all__ = ["browser", "make_api", "window"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
OCTOBER = "since=2026-10-01&until=2026-10-31"
METER = f"/room/charts/meters?{OF_METER}&since=2026-10-24&until=2026-10-27"
ITEM = 1


@pytest.fixture
def site(make_api, monkeypatch, tmp_path):
    """The room behind a server, with figures of every kind."""
    room = Room(make_api, monkeypatch, tmp_path)
    account, _ = room.account("500100200", "Meadow")
    invoice(room, account, 9, "19.99")
    invoice(room, account, 10, "20.01", "USD")
    lines(room, account, 10, ("555-1",))
    for day in (1, 2, 5):
        pool(room, account, day, day, 10)
    autumn(room.api.db)
    fleets(room.api.db)
    item = room.api.item(room.api.user())
    prices(room, item)
    with room.api.db.transaction() as session:
        session.get_one(WatchlistItem, item).title = SCRIPT
    ran(room, account, 1, "success", "portal_down", None)
    server = make_server("127.0.0.1", 0, room.api.app, threaded=True, request_handler=Quiet)
    with serving(server):
        room.url = f"http://127.0.0.1:{server.port}"
        yield room


@SCREENS
def test_every_page_fits_is_sound_and_draws(window, site, screen):
    page = window(screen, scheme="dark" if screen == PHONE else "light")
    page.context.add_init_script(path=str(AXE))
    for path, drawn in (
        ("/room/charts", 0),
        ("/room/charts/runs", 1),
        (f"/room/charts/invoices?{OCTOBER}", 3),
        ("/room/charts/invoices?since=2026-09-01&until=2026-10-31&account=500100200", 5),
        (f"/room/charts/usage?{OCTOBER}", 1),
        ("/room/charts/meters", 0),
        (METER, 1),
        (f"{METER}&step=quarter", 1),
        (f"/room/charts/faults?{OCTOBER}", 1),
        ("/room/charts/prices", 0),
        (f"/room/charts/prices?item={ITEM}&{OCTOBER}", 3),
        ("/room/charts/runs?account=1", 0),
    ):
        page.goto(path)
        expect(page.locator("data-chart[data-ready=yes] canvas"), path).to_have_count(drawn)
        assert serious(page) == [], path
        assert fits(page), path
        assert page.title() != "taken", path


def test_no_line_is_drawn_over_a_gap(window, site):
    """Of four days one has no readings, and one lacks some: these are a gap and a point, as the canvas shows."""
    page = window(DESKTOP)
    page.goto(METER)
    chart = page.locator("data-chart[data-ready=yes]")
    expect(chart).to_be_visible()
    data, spans, lines_drawn = chart.evaluate(
        """chart => [chart.plot.data, chart.plot.series.slice(1).map((each) => each.spanGaps),
        chart.plot.series.slice(1).map((each) => each._paths && each._paths.stroke != null)]"""
    )
    assert data[1:] == [[24, None, None, 48.5], [None, 9.9, None, None]]
    assert not any(spans)
    assert lines_drawn == [True, None]
    # The clock is that of the meter, wherever the reader is.
    assert "24" in chart.evaluate(
        "chart => String(chart.plot.series[0].value(chart.plot, chart.plot.data[0][0], 0, 0))"
    )


def test_from_a_year_to_a_quarter_of_an_hour_by_keyboard(window, site):
    page = window(DESKTOP)
    page.goto(f"/room/charts/meters?{OF_METER}&step=year")
    page.get_by_label("By").focus()
    for shown, step in (("2026-10", "month"), ("2026-10-27", "day"), ("2026-10-27 23:45+02:00", "quarter")):
        page.get_by_label("By").focus()
        page.keyboard.press("Home")
        for _ in range(["quarter", "hour", "day", "month", "year"].index(step)):
            page.keyboard.press("ArrowDown")
        for _ in range(3):  # past the two days, to the button
            page.keyboard.press("Tab")
        while page.evaluate("document.activeElement.tagName") != "BUTTON":
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("table.figures tbody th").first).to_have_text(shown)
    page.get_by_role("link", name="Earlier").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h2")).to_have_text("2026-10-26 to 2026-10-26")
    expect(page.locator("data-chart")).to_have_count(0)


@SCREENS
def test_without_javascript_there_are_the_table_and_the_csv(window, site, screen):
    page = window(screen, java_script_enabled=False)
    page.goto("/room/charts")
    expect(page.get_by_role("cell", name="1 ok 1 portal down 1 running")).to_have_count(1)
    page.get_by_role("link", name="Meters").click()
    page.get_by_role("link", name="10000007-503 consumption").click()
    expect(page.locator("data-chart")).to_be_hidden()
    row = page.locator("table.figures tbody tr").first
    expect(row).to_contain_text("48.5000")
    with page.expect_download() as started:
        page.get_by_role("link", name="As CSV").click()
    assert "2026-10-27,48.5000,,96,96,1" in started.value.path().read_text()
    page.get_by_label("From", exact=True).fill("2026-10-25")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("table.figures tbody tr")).to_have_count(3)

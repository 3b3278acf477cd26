"""Every spider of a carrier, as Scrapy lists them, in both layouts of its imitation."""

from __future__ import annotations

from importlib import import_module

import pytest
from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader

from scrapers.families.carriers.spiders import CarrierSpider
from tests.portals.perturbed import ROWS, user_of
from tests.portals.scenarios import TRIED_AT
from tests.portals.telus.test_scenarios import NOT_MET

LOADER = SpiderLoader.from_settings(Settings({"SPIDER_MODULES": ["scrapers.portals"]}))
SPIDERS = {name: spider for name in LOADER.list() if issubclass(spider := LOADER.load(name), CarrierSpider)}
KINDS = {"daily_usage", "monthly_reports", "pdf_invoice"}


def test_each_carrier_has_a_spider_of_each_report_type():
    wanted = {
        (portal, kind) for portal in ("att", "bell", "rogers", "telus", "tmobile", "verizon") for kind in KINDS
    } | {("bell", "ereports")}
    assert {(spider.portal, spider.report_type) for spider in SPIDERS.values()} == wanted


def test_what_the_core_answers_is_tried_at_a_carrier_that_has_it():
    known = {portal: set(import_module(f"sandbox.{portal}.state").SCENARIOS) for portal in TRIED_AT.values()}
    known["telus"] -= NOT_MET
    assert {scenario: portal for scenario, portal in TRIED_AT.items() if scenario not in known[portal]} == {}


@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.parametrize(
    "spider",  # layouts of the monthly reports' pages are among the scenarios
    [pytest.param(each, marks=pytest.mark.figures if each.endswith("_monthly_reports") else ()) for each in SPIDERS],
)
def test_it_brings_its_files_in_both_layouts(crawls_of, spider):
    row = ROWS[spider]
    users = [user_of(row, "ok", f"+{layout}", "layouts") for layout in ("layout-a", "layout-b")]

    ended = crawls_of(row.portal).crawl(row, users)

    assert [ended[user].outcome for user in users] == ["success", "success"], ended
    assert ended[users[0]].files == ended[users[1]].files > 0
    assert ended[users[0]].records == ended[users[1]].records > 0

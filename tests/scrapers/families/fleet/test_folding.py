"""Rows with one key, pages of another vehicle, values that could not be read: what a sync says of them."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError
from scrapy.http import HtmlResponse, JsonResponse

from scrapers.core.jobs import Job, Plan
from scrapers.core.outcomes import PortalChanged
from scrapers.families.fleet.items import Instant, Vehicle
from scrapers.families.fleet.spiders import Fleet, FleetTarget
from scrapers.portals.trucktech.faults import TruckTechFaults

VIN = "1XPAD4BY4KJ400013"
OTHER = "1XKAD4BY6PJ400091"
PAGE = "<body><h1>{vin}</h1><table><tr><th>Code</th><th>Description</th><th>Status</th><th>Last seen</th></tr>{rows}</table>"


class Jobs:
    """The one job of a crawl, as a spider asks for it."""

    def __init__(self, job):
        self.jobs = {job.id: job}


@pytest.fixture
def job():
    plan = Plan(FleetTarget(tenant_id=1, tenant="default"), "default", "default", None)
    return Job(plan, 1, "trucktech_faults", None)


@pytest.fixture
def spider(job):
    made = TruckTechFaults()
    made.work = Jobs(job)  # type: ignore[assignment]
    made.fleets[job.id] = Fleet(frozenset())
    return made


def row(code, description="", status="Active", seen=""):
    return f"<tr><td>{code}</td><td>{description}</td><td>{status}</td><td>{seen}</td></tr>"


def read(spider, job, *rows, vin=VIN, body="", kind=HtmlResponse, at=VIN):
    """Return the rows that are stored of a page and the failure that it ends with."""
    request = spider.request(job, f"http://fleet.example/assets/{at}/diagnostics", print)
    body = body or PAGE.format(vin=vin, rows="".join(rows))
    stored, keys = [], []
    try:
        for item in spider.diagnostics(VIN, kind(request.url, request=request, body=body, encoding="utf-8")):
            stored += item.rows
            keys += item.keys
    except PortalChanged as failure:
        return stored, keys, str(failure)
    return stored, keys, ""


def test_two_rows_with_one_key_and_another_text_are_not_folded_in_silence(spider, job):
    stored, keys, failure = read(spider, job, row("SPN 639 FMI 9", "Engine"), row("SPN 639 FMI 9", "Retarder"))
    assert (len(stored), keys) == (1, [])
    assert "two rows for SPN639-FMI9: 'Engine' and 'Retarder'" in failure


def test_rows_with_one_key_on_two_pages_are_compared_too(spider, job):
    assert read(spider, job, row("SPN 639 FMI 9", "Engine"))[2] == ""
    assert "two rows" in read(spider, job, row("SPN 639 FMI 9", "Retarder"))[2]


@pytest.mark.parametrize("statuses", [("Active", "Cleared"), ("Cleared", "Active")])
def test_of_a_fault_and_its_history_the_active_row_is_kept_and_a_warning_says_so(spider, job, statuses):
    stored, keys, failure = read(spider, job, *(row("SPN 639 FMI 9", "Engine", status) for status in statuses))
    assert ([each["is_active"] for each in stored], keys, failure) == ([True], [VIN], "")
    assert job.warnings == [f"{VIN}: of two rows for SPN639-FMI9 that differ in is_active, raw_text one is kept"]


def test_the_same_row_twice_is_one(spider, job):
    assert read(spider, job, row("SPN 639 FMI 9", "Engine"), row("SPN 639 FMI 9", "Engine"))[1:] == ([VIN], "")
    assert job.warnings == []


def test_a_time_that_cannot_be_read_is_unknown_with_a_warning(spider, job):
    stored, keys, failure = read(spider, job, row("SPN 639 FMI 9", seen="Nov 20, 2025"))
    assert ([each["last_seen"] for each in stored], keys, failure) == ([None], [VIN], "")
    assert job.warnings == [f"{VIN}, SPN639-FMI9: last_seen is a time without its zone: Nov 20, 2025"]


def test_warnings_of_one_kind_are_limited(spider, job):
    read(spider, job, *(row(f"SPN {spn} FMI 9", seen="soon") for spn in range(1, 60)))
    assert len(job.warnings) == 20


def test_c1_an_unknown_state_is_stored_as_unknown_and_named(spider, job):
    stored, keys, failure = read(spider, job, row("SPN 1 FMI 1", status="Dormant"), row("SPN 2 FMI 2"))
    assert ([each["is_active"] for each in stored], keys) == ([None, True], [])
    assert "SPN1-FMI1 in the state 'Dormant'" in failure
    assert {"doubts", "state"}.isdisjoint(stored[0])


@pytest.mark.parametrize(
    ("shown", "fits"),
    [
        (VIN, True),
        (VIN.lower(), True),
        (f"{VIN[:9]}<b>{VIN[9:]}</b>", True),
        (f"{VIN[:9]}<span class='hl'>{VIN[9:]}</span>", True),
        (f"{VIN[:5]}&shy;{VIN[5:]}", True),
        (OTHER, False),
        (f"{OTHER} <span hidden>{VIN}</span>", False),
        (f"{OTHER} <span style='display: none'>{VIN}</span>", False),
        (f"{OTHER} <template>{VIN}</template><noscript>{VIN}</noscript><i aria-hidden='true'>{VIN}</i>", False),
        (f"{OTHER} <span class='sr-only'>{VIN}</span>", False),
        (f"VIN: {OTHER[:9]} {OTHER[9:]}", False),
        (f"<span class='d-none d-md-inline'>{VIN}</span>", True),
        ("Unit 4421", True),
    ],
)
def test_c4_a_page_that_shows_a_vehicle_to_a_person_must_show_this_one(spider, job, shown, fits):
    failure = read(spider, job, row("SPN 1 FMI 1"), vin=shown)[2]
    assert ("shows another vehicle" in failure) != fits


def test_c4_a_page_that_names_no_vehicle_is_that_of_its_address(spider, job):
    assert read(spider, job, row("SPN 1 FMI 1"), vin="Unit 4421", at=OTHER)[2].endswith(
        "the page shows another vehicle."
    )


@pytest.mark.parametrize(("vin", "fits"), [(VIN, True), (VIN.lower(), True), ("1XKAD4BY6PJ400091", False)])
def test_c4_a_json_document_that_names_a_vehicle_must_name_this_one(spider, job, vin, fits):
    body = f'{{"data": [{{"attributes": {{"spn": 1, "fmi": 1}}}}], "included": [{{"attributes": {{"vin": "{vin}"}}}}]}}'
    failure = read(spider, job, body=body, kind=JsonResponse)[2]
    assert ("shows another vehicle" in failure) != fits


def test_two_rows_for_one_vehicle_are_not_folded_in_silence(spider, job):
    vehicles = [Vehicle(job=1, tenant_id=1, vin=VIN, unit_number=unit) for unit in ("T-1", "T-1", "T-2")]
    list(spider.listed(job, vehicles, last=True))
    assert job.warnings == [f"{VIN}: of two rows that differ in unit_number the first is kept"]


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+14:00"])
def test_a6_an_instant_beyond_all_years_is_refused(at):
    with pytest.raises(ValidationError, match="is outside the years that there are"):
        TypeAdapter(Instant).validate_python(at)

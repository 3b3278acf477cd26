"""
The layouts that pages of TruckTech+ may have.

No page is published, so every layout is a guess, in order: the vendor's published interface inside the page, cards,
tables, lists of facts. Their words are the family's.
"""

from scrapers.core.page import guess
from scrapers.families.fleet import labels
from scrapers.reading.layouts import Cards, Facts, Json, ListPage, Paging, Table

DOCUMENTS = (
    guess("script#assets-document"),
    guess("script#faults-document"),
    guess("script[type='application/vnd.api+json']"),
)
PLACES_OF_PAGING = ("", "meta.", "paging.", "pagination.")
FOLLOWING = (
    guess("links.next"),
    *(
        guess(f"{place}{name}")
        for place in PLACES_OF_PAGING
        for name in ("next", "next_url", "next_page", "next_page_url")
    ),
)
PAGES = tuple(
    (guess(f"{place}{one}"), guess(f"{place}{last}"))
    for place in PLACES_OF_PAGING
    for one in ("page", "current_page", "page_number")
    for last in ("total_pages", "pages", "page_count", "last_page")
)
EMPTY = (guess(".no-faults"), guess(".no-data"), guess(".empty-state"), guess("table td[colspan]"))
VEHICLE = {
    "vin": (guess(".vin"), guess("[data-vin]::attr(data-vin)")),
    "unit_number": (guess(".unit-number"), guess(".unit")),
    "kind": (guess(".year-make-model"), guess(".vehicle-name")),
    "status": (guess(".status"),),
}
FAULT = {
    "code": (guess(".code"), guess(".fault-code"), guess(".dtc")),
    "first_seen": (guess(".first-seen time::attr(datetime)"), guess(".first-seen")),
    "last_seen": (guess(".last-seen time::attr(datetime)"), guess(".last-seen")),
    **{name: (guess(f".{name.replace('_', '-')}"),) for name in ("description", "source_address", "occurrences")},
    **{name: (guess(f".{name}"),) for name in ("severity", "status")},
}

VEHICLES = ListPage(
    name="list of vehicles",
    empty=EMPTY,
    empty_text=labels.NO_ROWS,
    nothing=labels.NO_VEHICLES,
    layouts=(
        Json(
            ("data", guess("assets"), guess("vehicles"), guess("")),
            {
                **{name: (f"attributes.{name}", name) for name in ("vin", "unit_number", "year", "make", "model")},
                "status": ("attributes.vmrs_asset_status", "attributes.status", "status"),
                **{f"engine_{name}": (f"attributes.engine.{name}",) for name in ("make", "model")},
                "odometer": ("attributes.odometer_value",),
                **{name: (f"attributes.{name}",) for name in ("odometer_unit", "engine_hours")},
            },
            DOCUMENTS,
        ),
        Cards((guess(".asset-card"), guess(".vehicle-card")), VEHICLE, labels.VEHICLE, labels.VEHICLE_FORMS),
        Table(
            labels.VEHICLE,
            labels.VEHICLE_NEEDS,
            order=("vin", "unit_number", "kind", "status"),
            fields=VEHICLE,
            no_group=labels.NO_GROUP,
        ),
        Facts(labels.VEHICLE, labels.VEHICLE_NEEDS),
    ),
    paging=Paging(
        following=(guess("a[rel=next]"), "a[aria-label*=next i]"),
        buttons=(guess("[rel=next]"), "button[aria-label*=next i]"),
        following_json=FOLLOWING,
        pages_json=PAGES,
        total=(guess(".asset-count"), guess(".total-count"), guess(".pagination-info"), guess(".results-count")),
        total_json=(
            *(guess(f"meta.{name}") for name in ("total", "total_count", "record_count")),
            *(guess(name) for name in ("total", "total_count", "pagination.total", "paging.total")),
        ),
        scripts=DOCUMENTS,
    ),
)

FAULTS = ListPage(
    name="list of faults",
    empty=EMPTY,
    empty_text=labels.NO_ROWS,
    nothing=labels.NO_FAULTS,
    layouts=(
        Json(
            ("data", guess("faults"), guess("")),
            {
                **{name: (f"attributes.{name}", name) for name in ("spn", "fmi", "source_address")},
                "active": ("attributes.active", guess("attributes.is_active"), guess("active"), guess("is_active")),
                "status": tuple(
                    guess(f"{place}{name}") for place in ("attributes.", "") for name in ("status", "state")
                ),
                "code": ("attributes.fault_code", "fault_code", guess("code")),
                "description": ("attributes.details.description", "description", guess("text"), guess("message")),
                "severity": ("attributes.details.severity_level", "attributes.severity", "severity"),
                "occurrences": (
                    *("attributes.details.occurrences", "occurrences", guess("occurrence_count"), guess("count")),
                ),
                "first_seen": (
                    guess("attributes.first_triggered_at"),
                    guess("first_seen"),
                    guess("first_triggered_at"),
                ),
                "last_seen": ("attributes.triggered_at", guess("last_seen"), guess("triggered_at")),
            },
            DOCUMENTS,
        ),
        Cards((guess(".fault-row"), guess(".dtc-row"), guess(".fault-item")), FAULT, labels.FAULT, labels.FAULT_FORMS),
        Table(labels.FAULT, labels.FAULT_NEEDS, fields=FAULT, no_group=labels.NO_GROUP_OF_FAULTS),
        Facts(labels.FAULT, labels.FAULT_NEEDS),
    ),
    paging=Paging(
        following=(guess("a[rel=next]"), "a[aria-label*=next i]"),
        following_json=FOLLOWING,
        pages_json=PAGES,
        scripts=DOCUMENTS,
    ),
)

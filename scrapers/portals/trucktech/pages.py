"""
The layouts that pages of TruckTech+ may have, and how rows map to items.

No page is published, so every layout is a guess, in order: the vendor's published interface inside the page, cards, tables.
"""

from scrapers.reading.layouts import Cards, Json, ListPage, Paging, Table

NOTHING = r"(no|there are no|aucune?|sin|ningún)\b.{0,40}(fault|code|data|vehicle|asset|result|défaut|donnée|véhicule|fallo|dato).{0,60}"
DOCUMENTS = ("script#assets-document", "script#faults-document", "script[type='application/vnd.api+json']")

VEHICLES = ListPage(
    name="list of vehicles",
    empty=(".no-data", ".empty-state", "table td[colspan]"),
    empty_text=NOTHING,
    layouts=(
        Json(
            ("data", "assets", "vehicles", ""),
            {
                **{name: (f"attributes.{name}", name) for name in ("vin", "unit_number", "year", "make", "model")},
                "status": ("attributes.vmrs_asset_status", "attributes.status", "status"),
                "engine_make": ("attributes.engine.make",),
                "engine_model": ("attributes.engine.model",),
                "odometer": ("attributes.odometer_value",),
                "odometer_unit": ("attributes.odometer_unit",),
                "engine_hours": ("attributes.engine_hours",),
            },
            DOCUMENTS,
        ),
        Cards(
            (".asset-card", ".vehicle-card"),
            {
                "vin": (".vin", "[data-vin]::attr(data-vin)"),
                "unit_number": (".unit-number", ".unit"),
                "kind": (".year-make-model", ".vehicle-name"),
                "status": (".status",),
            },
        ),
        Table(
            {
                "vin": ("VIN", "NIV", "Vehicle identification number"),
                "unit_number": ("Unit", "Unit number", "Unit no", "Unité", "Unidad"),
                "kind": ("Year make model", "Vehicle", "Véhicule", "Année marque modèle"),
                "status": ("Status", "Statut", "État", "Estado"),
            },
            needs=(frozenset({"vin"}),),
            order=("vin", "unit_number", "kind", "status"),
        ),
    ),
    paging=Paging(
        following=("a[rel=next]", "a[aria-label*=next i]", ".pagination .next a", "a.next"),
        buttons=("[rel=next]", "button[aria-label*=next i]", ".pagination .next button", "button.next"),
        following_json=("links.next",),
        total=(".asset-count", ".total-count", ".pagination-info", ".results-count"),
        total_json=("meta.total", "meta.total_count", "meta.record_count"),
        scripts=DOCUMENTS,
    ),
)

FAULTS = ListPage(
    name="list of faults",
    empty=(".no-faults", ".no-data", "table td[colspan]"),
    empty_text=NOTHING,
    layouts=(
        Json(
            ("data", "faults", ""),
            {
                **{name: (f"attributes.{name}", name) for name in ("spn", "fmi", "source_address", "active")},
                "description": ("attributes.details.description", "description"),
                "severity": ("attributes.details.severity_level", "attributes.severity", "severity"),
                "occurrences": ("attributes.details.occurrences", "occurrences"),
                "first_seen": ("attributes.first_triggered_at",),
                "last_seen": ("attributes.triggered_at",),
            },
            DOCUMENTS,
        ),
        Cards(
            (".fault-row", ".dtc-row", ".fault-item"),
            {
                "code": (".code", ".fault-code", ".dtc"),
                "description": (".description",),
                "source_address": (".source-address",),
                "occurrences": (".occurrences",),
                "first_seen": (".first-seen time::attr(datetime)", ".first-seen"),
                "last_seen": (".last-seen time::attr(datetime)", ".last-seen"),
                "severity": (".severity",),
                "status": (".status",),
            },
        ),
        Table(
            {
                "code": ("Code", "Fault", "Fault code", "DTC", "SPN/FMI", "Défaut", "Código"),
                "spn": ("SPN",),
                "fmi": ("FMI",),
                "description": ("Description", "Descripción"),
                "source_address": ("Source address", "SA", "Source", "Adresse source"),
                "occurrences": ("Occurrences", "Count", "OC"),
                "first_seen": ("First seen", "Première fois"),
                "last_seen": ("Last seen", "Dernière fois"),
                "severity": ("Severity", "Gravité", "Severidad"),
                "status": ("Status", "Statut", "État", "Estado"),
            },
            needs=(frozenset({"code"}), frozenset({"spn", "fmi"})),
        ),
    ),
    paging=Paging(following=("a[rel=next]",), following_json=("links.next",), scripts=DOCUMENTS),
)

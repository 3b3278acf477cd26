"""What fleet portals call the fields of vehicles and faults, and how they say that there are none; in four languages."""

from __future__ import annotations

from scrapers.families.fleet.words import FORMERLY, HISTORY, ON

VEHICLE = {  # headings of columns, labels of facts
    "vin": (
        "VIN",
        "NIV",
        "FIN",
        "Vehicle identification number",
        "Vehicle identification number (VIN)",
        "VIN number",
        "Numéro d'identification",
        "Número VIN",
    ),
    "unit_number": (
        *("Unit", "Unit number", "Unit no", "Unit #", "Unit ID", "Truck", "Truck number", "Unité", "Numéro d'unité"),
        *("Unidad", "Número de unidad", "Einheit", "Fahrzeugnummer"),
    ),
    "kind": (
        *("Year make model", "Vehicle", "Asset", "Véhicule", "Année marque modèle", "Vehículo", "Año marca modelo"),
        *("Fahrzeug", "Baujahr Marke Modell"),
    ),
    "year": ("Year", "Model year", "Année", "Año", "Baujahr"),
    "make": ("Make", "Marque", "Marca", "Marke"),
    "model": ("Model", "Modèle", "Modelo", "Modell"),
    "status": ("Status", "Statut", "État", "Estado", "Zustand"),
    "odometer": ("Odometer", "Odomètre", "Odómetro", "Kilometerstand"),
    "engine_hours": ("Engine hours", "Heures moteur", "Horas de motor", "Motorstunden"),
}
FAULT_HEADINGS = ("Fault", "Défaut", "Falla", "Fehler")  # of its code, or of what it means
FAULT = {
    "code": (
        *("Code", "Fault code", "DTC", "SPN/FMI", "SPN-FMI", "Diagnostic trouble code", "Code de défaut"),
        *("Code d'anomalie", "Código", "Código de falla", "Fehlercode", *FAULT_HEADINGS),
    ),
    "spn": ("SPN", "Suspect parameter number", "Numéro de paramètre suspect"),
    "fmi": ("FMI", "Failure mode identifier", "Failure mode", "Identificateur du mode de défaillance"),
    "description": (
        *("Description", "Fault description", "Details", "Meaning", "What it means", "Explanation", "Descripción"),
        *("Beschreibung", "Bedeutung", "Signification", "Significado", *FAULT_HEADINGS),
    ),
    "source_address": (
        *("Source address", "SA", "Source", "Adresse source", "Dirección de origen", "Quelladresse", "ECU address"),
    ),
    "occurrences": (
        *(
            "Occurrences",
            "Occurrence count",
            "Count",
            "OC",
            "Nombre d'occurrences",
            "Ocurrencias",
            "Anzahl",
            "Häufigkeit",
        ),
    ),
    "first_seen": ("First seen", "First occurrence", "Première fois", "Primera vez", "Zuerst gesehen"),
    "last_seen": ("Last seen", "Last occurrence", "Dernière fois", "Última vez", "Zuletzt gesehen"),
    "severity": ("Severity", "Priority", "Gravité", "Severidad", "Gravedad", "Schweregrad"),
    "lamp": ("Lamp", "Lamps", "Lamp status", "Voyant", "Voyants", "Témoin", "Lámpara", "Lámparas", "Lampe", "Lampen"),
    "status": ("Status", "State", "Statut", "État", "Estado", "Zustand"),
    "active": ("Active", "Is active", "Actif", "Activo", "Aktiv"),
}
VEHICLE_FORMS = {  # of a text that says nothing else
    "vin": r"(?=\w*\d)[A-HJ-NPR-Z0-9]{17}",
    "kind": r"(?:19|20)\d\d [^\W\d].{1,100}",
}
FAULT_FORMS = {"code": r"(?:SPN\W*)?\d{1,6}(?:\s*[/-]\s*|\W*FMI\W*)\d{1,2}"}
VEHICLE_NEEDS = (frozenset({"vin"}),)
FAULT_NEEDS = (frozenset({"code"}), frozenset({"spn", "fmi"}))

# A statement that holds one of these is about a failure, or about a part of the list only.
TROUBLE = (
    r"could|can(?:no|.)?t\b|unable|fail(?!ure mode)|error|retry|again|later|load|offline|unavailable|connect|permission"
    r"|access|denied|match|filter|search|select|criteria|more than|other|except|page\b|\d+ (?:more|other)"
    r"|(?:last|past|previous) (?:\d+|few|hour|day|week)|within|réessay|échou|impossible|erreur|charg|recherch|critère"
    r"|autre|filtr|fehlgeschlagen|geladen|laden|erneut|auswahl|suche|anderen|cargar|pudo|intent|busc|otr[oa]s"
)
NOT_ANY = (
    r"(?:(?:there (?:are|is) )?(?:currently |presently )?(?:no|not any)|(?:[\w\s-]{0,60}\b)?has (?:currently )?no"
    r"|(?:il n.y a )?(?:actuellement )?(?:aucune?s?|pas de?|pas d.)|sans"
    r"|(?:es (?:liegen|gibt|sind) )?(?:derzeit |aktuell )?keinen?|ohne"
    r"|no (?:hay|tiene|existen)(?: actualmente)?(?: ning[úu]n[oa]?s?)?|no se (?:han )?\w{4,14}(?: ning[úu]n[oa]?)?"
    r"|ning[úu]n[oa]?s?|sin)"
)
KINDS = (  # adjectives between the negation and the noun
    r"(?:active|current|currently|open|stored|historical|inactive|new|known|reported|recorded|detected|diagnostic|trouble"
    r"|fault|error|engine|vehicle|j1939|dtc|spn|or|and|any|such|registered|available|aktiven?|aktuellen?|gespeicherten?"
    r"|offenen?|bekannten?|nouvelle|nouveau|autorisé|códigos? de|codes? de|codes? d.|code|activ[oa]s?|registrad[oa]s?)"
)
FAULTS = (
    r"(?:(?:fault|trouble|error) codes?|faults?|dtcs?|codes?|défauts?|defauts?|anomalies?|pannes?|fehler(?:codes?)?"
    r"|störungen|störung|fallas?|fallos?|averías?|códigos?)"
)
VEHICLES = r"(?:vehicles?|assets?|trucks?|units?|véhicules?|unités?|fahrzeuge?|vehículos?|unidades)"
ROWS = r"(?:data|results?|records?|entries|items?|données?|résultats?|enregistrements?|daten|ergebnisse|einträge|datos?|resultados?|registros?)"

GLAD = (  # before the statement; any other word there may name the part that it is about
    r"(?:good news|great(?: news)?|all (?:clear|good|ok)|congratulations|well done|bonne nouvelle|gute nachrichten?"
    r"|alles in ordnung|buenas noticias|todo en orden|tout va bien)"
)
# "No data yet" may be late; "no vehicle is assigned yet" is empty.
UNSURE_YET = rf"(?!.*\b{VEHICLES}\W+(?:is|are|has|have|was|were)\W+(?:been\W+)?(?:assigned|added|enrolled)\b).*\byet\b"


def nothing(nouns: str) -> str:
    """
    Return the regular expression for a text that says that there are none of *nouns*, whatever stands behind it.

    >>> import re
    >>> bool(re.fullmatch(nothing(FAULTS), "No active faults (2025-10-04, part 3363/18)", re.I))
    True
    >>> bool(re.fullmatch(nothing(FAULTS), "No connection to the fault service", re.I))
    False
    >>> [bool(re.fullmatch(nothing(FAULTS), f"{part}: no faults", re.I)) for part in ("Good news", "Trailer")]
    [True, False]
    """
    return rf"(?!.*(?:{TROUBLE}))(?!{UNSURE_YET})(?:{GLAD}\W+)?(?:{NOT_ANY})\W+(?:{KINDS}[\s/,]+)*{nouns}\b.{{0,120}}"


# What no heading of a group of rows contains: trouble, vehicles, codes.
NO_GROUP = rf"{TROUBLE}|\byet\b|\b(?=\w*\d)[A-HJ-NPR-Z0-9]{{17}}\b|\bSPN\b|\bFMI\b|\bSuspect parameter"
# Faults may be grouped by their state only: a group of a control unit would be part of each fault's key.
STATES = "|".join(sorted(ON | HISTORY | FORMERLY | {"current", "currently", "present"}))
NO_GROUP_OF_FAULTS = rf"{NO_GROUP}|^(?!(?:\W|\d|\b(?:{STATES}|{FAULTS}|not|non|no|longer|nicht)\b)*$)"
NO_FAULTS = nothing(FAULTS)
NO_VEHICLES = nothing(VEHICLES)
NO_ROWS = nothing(f"(?:{ROWS}|{FAULTS}|{VEHICLES})")

"""What the fact sheet knows of TruckTech+. Most of it is said there to be a guess; what is not listed is free."""

from __future__ import annotations

from sandbox.known import Known, facts

KNOWN = Known(
    [
        # Site
        *facts("address", "1", "/login"),
        *facts("id", "1", "auth_key"),
        *facts("attribute", "1", "type=password"),
        *facts("attribute", "1", "type=submit", guess=True),
        *facts("address", "1", "/dashboard", "/home", "/assets", "/assets/{vin}/diagnostics", guess=True),
        *facts("class", "1", "error", "alert-danger", "error-message", guess=True),
        *facts("contained", "1", "olicies", "greements"),
        *facts("words", "1", "Continue", "Trust this device", guess=True),
        # Second factor
        *facts("name", "3", "code", guess=True),
        *facts("attribute", "3", "placeholder*=uthenticator", guess=True),
        *facts("contained", "3", "text message", "SMS", "verification code", guess=True),
        *facts("format", "3", "a code has 6 digits", "a code of an authenticator is made every 30 s"),
        # Vehicles and faults
        *facts("format", "4", "columns 0 to 3 are VIN, unit number, year make model, status; no heads", guess=True),
        *facts("words", "4", "Next", guess=True),
        *facts("contained", "4", "No fault", "No data", guess=True),
        *facts("class", "4", "critical", "red", "warning", "yellow", "info", "blue", guess=True),
        *facts("class", "4", "inactive", "historical", guess=True),
        *facts("format", "4", "year, make and model are one text; the first part may be a year", guess=True),
        *facts("format", "4", "SPN, colon or blank, digits, anything, FMI, colon or blank, digits", guess=True),
        *facts("format", "4", "3 to 5 digits, a slash or a dash, 1 or 2 digits", guess=True),
        *facts("wait", "2", "the sign-in, 15 s"),
        *facts("wait", "4", "a list, 30 s"),
        # The vendor's published interface: what a document inside a page is made of
        *facts("key", "9", "data", "type", "id", "attributes", "links", "next", "vin", "unit_number", "serial_number"),
        *facts("key", "9", "chassis_id", "make", "model", "year", "engine", "odometer_value", "odometer_unit"),
        *facts("key", "9", "displacement", "engine_hours", "stand_by_hours", "switch_on_hours", "fleet_info", "notes"),
        *facts("key", "9", "license", "number", "state", "country", "expiration", "metadata", "gvwr", "value", "unit"),
        *facts("key", "9", "vmrs_asset_status", "triggered_at", "spn", "fmi", "fault_code", "active", "location"),
        *facts("key", "9", "heading", "altitude", "latitude", "longitude", "external_resources"),
        *facts("key", "9", "severity", "sensor_readings", "guidance", "details", "component", "name", "description"),
        *facts("key", "9", "version", "occurrences", "severity_level", "relationships", "asset", "diagnostic_reading"),
        *facts("key", "9", "source_account"),
        *facts("optional", "9", "spn", "fmi", "fault_code", "severity"),
        # Words of the vendor and of J1939
        *facts("words", "10", "Vehicles", "Active", "Previously active"),
        *facts("contained", "10", "pull over", "dealer", "next service", "keep driving"),
        *facts("format", "10", "SPN 0 to 524287, FMI 0 to 31, occurrences 0 to 126"),
    ]
)

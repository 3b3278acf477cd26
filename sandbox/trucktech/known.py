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
        *facts("contained", "3", "text message", "verification code", guess=True),
        *facts("format", "3", "a code has 6 digits"),
        # Vehicles and faults
        *facts("words", "4", "VIN", "Unit", "Year Make Model", "Status", guess=True),
        *facts("words", "4", "Next", guess=True),
        *facts("contained", "4", "No fault", "No data", guess=True),
        *facts("class", "4", "critical", "red", "warning", "yellow", "info", "blue", guess=True),
        *facts("class", "4", "inactive", "historical", guess=True),
        *facts("format", "4", "year, make and model are one text; the first part may be a year", guess=True),
        *facts("format", "4", "SPN, colon or blank, digits, anything, FMI, colon or blank, digits", guess=True),
        *facts("format", "4", "3 to 5 digits, a slash, 1 or 2 digits", guess=True),
        *facts("wait", "4", "a list, 30 s", "the sign-in, 15 s"),
        # The vendor's published interface: what a document inside a page is made of
        *facts("key", "9", "data", "type", "id", "attributes", "links", "next", "vin", "unit_number", "serial_number"),
        *facts("key", "9", "chassis_id", "make", "model", "year", "engine", "odometer_value", "odometer_unit"),
        *facts("key", "9", "engine_hours", "vmrs_asset_status", "triggered_at", "spn", "fmi", "fault_code", "active"),
        *facts("key", "9", "severity", "sensor_readings", "guidance", "details", "component", "name", "description"),
        *facts("key", "9", "version", "occurrences", "severity_level", "relationships", "asset"),
        *facts("optional", "9", "chassis_id", "engine", "odometer_value", "odometer_unit", "engine_hours"),
        *facts("optional", "9", "fault_code", "version"),
        # Words of the vendor and of J1939
        *facts("words", "10", "Vehicles", "Active", "Previously active"),
        *facts("format", "10", "SPN 0 to 524287, FMI 0 to 31, occurrences 0 to 126"),
    ]
)

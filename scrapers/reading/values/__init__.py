"""
Converters of values: texts, identifiers, numbers, days and sizes, by the portal's locale. Pure functions.

None: the value is unknown to the portal. ValueError: the value is invalid or ambiguous; its text does not repeat the value.
"""

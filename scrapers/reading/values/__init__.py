"""
One vocabulary of values: texts and identifiers, numbers, days, sizes, by the locale that the portal states. Pure functions.

None: the portal says that nothing is known. ValueError: the value cannot be read with certainty; its text repeats no value.
"""

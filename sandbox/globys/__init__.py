"""
The billing product that TELUS (Bill Analyzer) and AT&T (its billing pages) have from one vendor, as each edition shows it.

Reports by tab and section, a filter of accounts and one of months, an export dialog; a list of bills with a dialog of
documents. A portal states its `Edition` and puts the pages and acts of `Bills` into one of its origins.
"""

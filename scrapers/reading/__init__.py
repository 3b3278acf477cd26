"""Bytes to values: numbers, days and sizes, workbooks, tables, archives and mails. Pure functions."""

"""Telecom carriers: accounts, billing cycles, reports and invoices."""

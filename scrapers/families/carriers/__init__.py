"""Telecom carriers: accounts, billing cycles, reports and invoices."""

from scrapers.core.stated import Export, Family, Target

_EXPORTS = "scrapers.families.carriers.exports"

FAMILY = Family(
    word="carriers",
    exports={
        "pool_usage": Export(f"{_EXPORTS}:pool_usage"),
        "invoices": Export(f"{_EXPORTS}:invoices"),
        "differences": Export(f"{_EXPORTS}:differences"),
        "usage_files": Export(f"{_EXPORTS}:usage_files"),
        "reports": Export(f"{_EXPORTS}:reports"),
        "usage_records": Export(f"{_EXPORTS}:usage_records"),
        "report_rows": Export(f"{_EXPORTS}:report_rows"),
    },
    target=Target("account", "account numbers, separated by commas (default: all)"),
    has_accounts=True,
    uploads="scrapers.families.carriers.uploads:addresses",
)

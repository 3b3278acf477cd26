"""Telecom carriers: accounts, billing cycles, reports and invoices."""

from scrapers.core.stated import Export, Family, Target

_EXPORTS = "scrapers.families.carriers.exports"

FAMILY = Family(
    word="carriers",
    exports={
        "pool_usage": Export(f"{_EXPORTS}:pool_usage", by_account=True),
        "invoices": Export(f"{_EXPORTS}:invoices", by_account=True),
        "differences": Export(f"{_EXPORTS}:differences", by_account=True),
        "usage_files": Export(f"{_EXPORTS}:usage_files", by_account=True),
        "reports": Export(f"{_EXPORTS}:reports", by_account=True),
        "usage_records": Export(f"{_EXPORTS}:usage_records", by_account=True),
        "report_rows": Export(f"{_EXPORTS}:report_rows", by_account=True),
    },
    target=Target("account", "account numbers, separated by commas (default: all)"),
    has_accounts=True,
    uploads="scrapers.families.carriers.uploads:addresses",
)

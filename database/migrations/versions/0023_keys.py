"""Indexes for keys that become NULL when the run, file or other row they name is deleted: each delete looks for them."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

OF_RUNS = (
    *("attempts", "channel_files", "differences", "faults", "invoices", "meter_periods", "meter_readings"),
    *("pool_usage", "register_readings", "report_rows", "syncs", "uploads", "usage_records", "vehicles"),
    *("versions", "watermarks", "electricity_appliances", "electricity_power_sizes"),
    *("electricity_accounts", "electricity_bills", "electricity_contract_checks", "electricity_contracts"),
    *("electricity_counters", "electricity_customers", "electricity_devices", "electricity_discounts"),
    *("electricity_invoice_readings", "electricity_invoices", "electricity_notices", "electricity_outages"),
    *("electricity_tariffs", "masa_connections", "masa_entries", "masa_equipment", "masa_profiles"),
)
OF_FILES = (
    *("billing_cycle_files", "billing_cycle_pdf_files", "daily_usage_files"),
    *("differences", "invoices", "pool_usage", "report_rows", "usage_records"),
)
OTHERS = (
    ("faults", "active_in"),
    ("files", "billing_cycle_id"),
    ("runs", "job_id"),
    ("scraper_jobs", "schedule_id"),
    ("versions", "replaced_by"),
)
INDEXES = (*((table, "run_id") for table in OF_RUNS), *((table, "file_id") for table in OF_FILES), *OTHERS)


def upgrade() -> None:
    for table, column in INDEXES:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    for table, column in INDEXES:
        op.drop_index(op.f(f"ix_{table}_{column}"), table_name=table)

"""Electricity: customers, contracts, meters, invoices, outages, the customer-works portal, tariffs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "electricity_accounts",
        sa.Column("username", sa.String(length=300), nullable=False),
        sa.Column("bp", sa.String(length=20), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=True),
        sa.Column("account_type", sa.Integer(), nullable=True),
        sa.Column("portal_account_type", sa.Integer(), nullable=True),
        sa.Column("view_type", sa.Integer(), nullable=True),
        sa.Column("main_contract", sa.String(length=20), nullable=True),
        sa.Column("main_contract_type", sa.Integer(), nullable=True),
        sa.Column("bp_type", sa.Integer(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=True),
        sa.Column("role", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_electricity_accounts_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_electricity_accounts")),
        sa.UniqueConstraint("username", "bp", name=op.f("uq_electricity_accounts_username_bp")),
    )
    op.create_table(
        "electricity_appliances",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("power", sa.Numeric(precision=10, scale=4), nullable=True),
        sa.Column("power_unit", sa.Integer(), nullable=True),
        sa.Column("resolution", sa.Integer(), nullable=True),
        sa.Column("minutes", sa.Numeric(precision=10, scale=2), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_electricity_appliances_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_electricity_appliances")),
        sa.UniqueConstraint("name", name=op.f("uq_electricity_appliances_name")),
    )
    op.create_table(
        "electricity_bills",
        sa.Column("contract", sa.String(length=20), nullable=False),
        sa.Column("to_pay", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("invoices_to_pay", sa.Integer(), nullable=True),
        sa.Column("pay_until", sa.Date(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_electricity_bills_run_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_electricity_bills")),
        sa.UniqueConstraint("contract", name=op.f("uq_electricity_bills_contract")),
    )
    op.create_table(
        "electricity_contract_checks",
        sa.Column("contract", sa.String(length=20), nullable=False),
        sa.Column("bp", sa.String(length=20), nullable=True),
        sa.Column("bp_kind", sa.String(length=20), nullable=True),
        sa.Column("bp_type", sa.String(length=20), nullable=True),
        sa.Column("meter", sa.String(length=20), nullable=True),
        sa.Column("is_private_producer", sa.Boolean(), nullable=True),
        sa.Column("has_direct_debit", sa.Boolean(), nullable=True),
        sa.Column("is_prepaid", sa.Boolean(), nullable=True),
        sa.Column("frequency", sa.Integer(), nullable=True),
        sa.Column("time_of_use_status", sa.Integer(), nullable=True),
        sa.Column("time_of_use_compatible", sa.Boolean(), nullable=True),
        sa.Column("main_meter", sa.String(length=20), nullable=True),
        sa.Column("main_meter_type", sa.Integer(), nullable=True),
        sa.Column("main_meter_active", sa.Boolean(), nullable=True),
        sa.Column("meters", sa.Integer(), nullable=True),
        sa.Column("balance", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("balance_at", sa.String(length=50), nullable=True),
        sa.Column("days_left_by_week", sa.Integer(), nullable=True),
        sa.Column("days_left_by_month", sa.Integer(), nullable=True),
        sa.Column("cost_by_week", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("cost_by_month", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_electricity_contract_checks_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_electricity_contract_checks")),
        sa.UniqueConstraint("contract", name=op.f("uq_electricity_contract_checks_contract")),
    )
    op.create_table(
        "electricity_contracts",
        sa.Column("username", sa.String(length=300), nullable=False),
        sa.Column("contract", sa.String(length=20), nullable=False),
        sa.Column("bp", sa.String(length=20), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("total_debt", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("debt_not_due", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("frequency", sa.Integer(), nullable=True),
        sa.Column("from_private_producer", sa.Boolean(), nullable=True),
        sa.Column("is_time_of_use", sa.Boolean(), nullable=True),
        sa.Column("smart_meter", sa.Boolean(), nullable=True),
        sa.Column("producer_type", sa.Integer(), nullable=True),
        sa.Column("is_domestic", sa.Boolean(), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_electricity_contracts_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_electricity_contracts")),
        sa.UniqueConstraint("username", "contract", name=op.f("uq_electricity_contracts_username_contract")),
    )
    op.create_table(
        "electricity_counters",
        sa.Column("contract", sa.String(length=20), nullable=False),
        sa.Column("meter", sa.String(length=20), nullable=False),
        sa.Column("register_number", sa.String(length=20), nullable=False),
        sa.Column("last_reading", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("last_reading_on", sa.Date(), nullable=True),
        sa.Column("last_reading_type", sa.String(length=20), nullable=True),
        sa.Column("last_reading_text", sa.String(length=200), nullable=True),
        sa.Column("last_reading_code", sa.Integer(), nullable=True),
        sa.Column("digits", sa.Integer(), nullable=True),
        sa.Column("ampere", sa.Integer(), nullable=True),
        sa.Column("phases", sa.Integer(), nullable=True),
        sa.Column("connection", sa.String(length=20), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_electricity_counters_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_electricity_counters")),
        sa.UniqueConstraint(
            "contract", "meter", "register_number", name=op.f("uq_electricity_counters_contract_meter_register_number")
        ),
    )
    op.create_table(
        "electricity_customers",
        sa.Column("username", sa.String(length=300), nullable=False),
        sa.Column("bp", sa.String(length=20), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("id_type", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_electricity_customers_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_electricity_customers")),
        sa.UniqueConstraint("username", name=op.f("uq_electricity_customers_username")),
    )
    op.create_table(
        "electricity_devices",
        sa.Column("contract", sa.String(length=20), nullable=False),
        sa.Column("meter", sa.String(length=20), nullable=False),
        sa.Column("meter_code", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=True),
        sa.Column("type", sa.Integer(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=True),
        sa.Column("is_disconnected", sa.Boolean(), nullable=True),
        sa.Column("disconnect_reason", sa.Text(), nullable=True),
        sa.Column("is_electronic", sa.Boolean(), nullable=True),
        sa.Column("report_status", sa.Integer(), nullable=True),
        sa.Column("last_reading", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("last_reading_type", sa.String(length=20), nullable=True),
        sa.Column("last_reading_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_private_producer", sa.Boolean(), nullable=True),
        sa.Column("mobility_requested", sa.Boolean(), nullable=True),
        sa.Column("mobility_in_range", sa.Boolean(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_electricity_devices_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_electricity_devices")),
        sa.UniqueConstraint(
            "contract", "meter", "meter_code", name=op.f("uq_electricity_devices_contract_meter_meter_code")
        ),
    )
    op.create_table(
        "electricity_discounts",
        sa.Column("bp", sa.String(length=20), nullable=False),
        sa.Column("exists", sa.Boolean(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("contract", sa.String(length=20), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_electricity_discounts_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_electricity_discounts")),
        sa.UniqueConstraint("bp", name=op.f("uq_electricity_discounts_bp")),
    )
    op.create_table(
        "electricity_invoice_readings",
        sa.Column("contract", sa.String(length=20), nullable=False),
        sa.Column("invoice", sa.String(length=30), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("meter", sa.String(length=20), nullable=True),
        sa.Column("reading", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.String(length=20), nullable=True),
        sa.Column("usage", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_electricity_invoice_readings_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_electricity_invoice_readings")),
        sa.UniqueConstraint(
            "contract", "invoice", "position", name=op.f("uq_electricity_invoice_readings_contract_invoice_position")
        ),
    )
    op.create_table(
        "electricity_invoices",
        sa.Column("contract", sa.String(length=20), nullable=False),
        sa.Column("invoice", sa.String(length=30), nullable=False),
        sa.Column("document", sa.String(length=20), nullable=True),
        sa.Column("type", sa.Integer(), nullable=True),
        sa.Column("order_number", sa.String(length=30), nullable=True),
        sa.Column("amount", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("to_pay", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("paid", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("payment_status", sa.Integer(), nullable=True),
        sa.Column("payment_lock", sa.String(length=50), nullable=True),
        sa.Column("has_direct_debit", sa.Boolean(), nullable=True),
        sa.Column("pay_until", sa.Date(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("period_starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("period_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("kwh", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("reading_code", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_electricity_invoices_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_electricity_invoices")),
        sa.UniqueConstraint("contract", "invoice", name=op.f("uq_electricity_invoices_contract_invoice")),
    )
    op.create_table(
        "electricity_notices",
        sa.Column("contract", sa.String(length=20), nullable=False),
        sa.Column("bp", sa.String(length=20), nullable=False),
        sa.Column("service", sa.String(length=20), nullable=False),
        sa.Column("method", sa.Integer(), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=True),
        sa.Column("is_sms", sa.Boolean(), nullable=True),
        sa.Column("of_bp", sa.Boolean(), nullable=True),
        sa.Column("registration_status", sa.Integer(), nullable=True),
        sa.Column("subscribed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unsubscribed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_electricity_notices_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_electricity_notices")),
        sa.UniqueConstraint(
            "contract", "bp", "service", "method", name=op.f("uq_electricity_notices_contract_bp_service_method")
        ),
    )
    op.create_table(
        "electricity_outages",
        sa.Column("username", sa.String(length=300), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("outage", sa.String(length=100), nullable=False),
        sa.Column("contract", sa.String(length=20), nullable=True),
        sa.Column("outage_key", sa.String(length=100), nullable=True),
        sa.Column("type", sa.String(length=200), nullable=True),
        sa.Column("type_code", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=200), nullable=True),
        sa.Column("state_code", sa.Integer(), nullable=True),
        sa.Column("is_back", sa.Boolean(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_electricity_outages_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_electricity_outages")),
        sa.UniqueConstraint("username", "source", "outage", name=op.f("uq_electricity_outages_username_source_outage")),
    )
    op.create_table(
        "electricity_power_sizes",
        sa.Column("connection", sa.String(length=20), nullable=False),
        sa.Column("kva", sa.Numeric(precision=10, scale=4), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_electricity_power_sizes_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_electricity_power_sizes")),
        sa.UniqueConstraint("connection", name=op.f("uq_electricity_power_sizes_connection")),
    )
    op.create_table(
        "electricity_tariffs",
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("phases", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("without_vat", sa.Numeric(precision=14, scale=6), nullable=True),
        sa.Column("with_vat", sa.Numeric(precision=14, scale=6), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_electricity_tariffs_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_electricity_tariffs")),
        sa.UniqueConstraint("source", "kind", "phases", name=op.f("uq_electricity_tariffs_source_kind_phases")),
    )
    op.create_table(
        "masa_connections",
        sa.Column("username", sa.String(length=300), nullable=False),
        sa.Column("connection", sa.String(length=36), nullable=False),
        sa.Column("contact", sa.String(length=36), nullable=True),
        sa.Column("masa_contract", sa.String(length=36), nullable=True),
        sa.Column("contract", sa.String(length=20), nullable=True),
        sa.Column("part", sa.Integer(), nullable=True),
        sa.Column("type", sa.String(length=200), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=True),
        sa.Column("is_smart", sa.Boolean(), nullable=True),
        sa.Column("is_prepaid", sa.Boolean(), nullable=True),
        sa.Column("is_private_producer", sa.Boolean(), nullable=True),
        sa.Column("supply", sa.Integer(), nullable=True),
        sa.Column("state", sa.Integer(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_masa_connections_run_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_masa_connections")),
        sa.UniqueConstraint("username", "connection", name=op.f("uq_masa_connections_username_connection")),
    )
    op.create_table(
        "masa_entries",
        sa.Column("kind", sa.String(length=50), nullable=False),
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=True),
        sa.Column("details", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_masa_entries_run_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_masa_entries")),
        sa.UniqueConstraint("kind", "code", name=op.f("uq_masa_entries_kind_code")),
    )
    op.create_table(
        "masa_equipment",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=36), nullable=False),
        sa.Column("connection", sa.String(length=36), nullable=False),
        sa.Column("contract", sa.String(length=20), nullable=True),
        sa.Column("site_type", sa.Integer(), nullable=True),
        sa.Column("active_connections", sa.Integer(), nullable=True),
        sa.Column("connection_number", sa.String(length=50), nullable=True),
        sa.Column("size_type", sa.Integer(), nullable=True),
        sa.Column("size", sa.String(length=50), nullable=True),
        sa.Column("is_low_voltage", sa.Boolean(), nullable=True),
        sa.Column("can_increase", sa.Boolean(), nullable=True),
        sa.Column("has_open_orders", sa.Boolean(), nullable=True),
        sa.Column("meter", sa.String(length=50), nullable=True),
        sa.Column("voltage_type", sa.Integer(), nullable=True),
        sa.Column("ampere", sa.String(length=50), nullable=True),
        sa.Column("voltage_level", sa.String(length=100), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_masa_equipment_run_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_masa_equipment")),
        sa.UniqueConstraint(
            "account_id", "site", "connection", name=op.f("uq_masa_equipment_account_id_site_connection")
        ),
    )
    op.create_table(
        "masa_profiles",
        sa.Column("username", sa.String(length=300), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("profile", sa.String(length=36), nullable=True),
        sa.Column("id_type", sa.Integer(), nullable=True),
        sa.Column("is_connected_to_private_account", sa.Boolean(), nullable=True),
        sa.Column("is_account_owner", sa.Boolean(), nullable=True),
        sa.Column("is_account_contact", sa.Boolean(), nullable=True),
        sa.Column("is_verified", sa.Boolean(), nullable=True),
        sa.Column("order_view_type", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=100), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_masa_profiles_run_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_masa_profiles")),
        sa.UniqueConstraint("username", "source", name=op.f("uq_masa_profiles_username_source")),
    )


def downgrade() -> None:
    op.drop_table("masa_profiles")
    op.drop_table("masa_equipment")
    op.drop_table("masa_entries")
    op.drop_table("masa_connections")
    op.drop_table("electricity_tariffs")
    op.drop_table("electricity_power_sizes")
    op.drop_table("electricity_outages")
    op.drop_table("electricity_notices")
    op.drop_table("electricity_invoices")
    op.drop_table("electricity_invoice_readings")
    op.drop_table("electricity_discounts")
    op.drop_table("electricity_devices")
    op.drop_table("electricity_customers")
    op.drop_table("electricity_counters")
    op.drop_table("electricity_contracts")
    op.drop_table("electricity_contract_checks")
    op.drop_table("electricity_bills")
    op.drop_table("electricity_appliances")
    op.drop_table("electricity_accounts")

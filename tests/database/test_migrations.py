"""Migrations and the commands around them, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, select, text

from database.engine import Database, DatabaseAway
from database.jobs.causes import collect
from database.migrate import SchemaDiffers, alone, check, downgrade, upgrade
from database.models import Client, Run, RunState, all_tables
from database.models.notices import Cause
from database.repositories import ClientRepository
from tests.database.crowd import crowd
from tests.project import ROOT


@pytest.fixture
def empty(database_url):
    db = Database(database_url)
    yield db
    db.engine.dispose()


def schema(db) -> set[str]:
    """What the database itself says of its tables and indexes, conditions of partial ones included."""
    query = {
        "sqlite": "SELECT tbl_name || ': ' || name || ' ' || coalesce(CASE type WHEN 'index' THEN sql END, '') "
        "FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'",
        "postgresql": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL "
        "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint UNION ALL "
        "SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || "
        "coalesce(character_maximum_length::text, '') FROM information_schema.columns WHERE table_schema = 'public'",
    }[db.dialect]
    with db.engine.connect() as connection:
        return {row for (row,) in connection.execute(text(query)) if "alembic_version" not in row}


def test_up_check_down(empty):
    with pytest.raises(SchemaDiffers, match="is not at the newest revision: run `scrapy db upgrade`"):
        check(empty)
    upgrade(empty)
    check(empty)
    upgrade(empty)
    assert set(inspect(empty.engine).get_table_names()) == {*all_tables().tables, "alembic_version"}
    downgrade(empty, "base")
    assert inspect(empty.engine).get_table_names() == ["alembic_version"]
    upgrade(empty)
    check(empty)


def test_the_migrations_make_what_the_models_say(empty):
    upgrade(empty)
    migrated = schema(empty)
    downgrade(empty, "base")
    all_tables().create_all(empty.engine)
    assert len(migrated) > 30
    assert migrated == schema(empty)


def test_attempts_of_earlier_versions_say_whether_they_proved_the_password(empty):
    upgrade(empty, "0007")
    results = ("signed_in", "mfa_failed", "error:mfa_required", "error:code_not_received", "error:terms_pending",
               "error:interrupted", "bad_credentials", "error:sign_in_timed_out", "unblocked", None)  # fmt: skip
    insert = text("INSERT INTO attempts (login, username, secret_fingerprint, started_at, result, host, pid) "
                  "VALUES ('bell_self_serve', 'ok@example.com', '', '2026-01-01', :result, 'here', 1)")  # fmt: skip
    with empty.engine.begin() as connection:
        connection.execute(insert, [{"result": result} for result in results])
    upgrade(empty)
    check(empty)
    with empty.engine.connect() as connection:
        rows = connection.execute(text("SELECT result, proved FROM attempts ORDER BY id")).all()
    assert [bool(proved) for _, proved in rows] == [True] * 6 + [False] * 4
    assert [result for result, _ in rows[6:]] == ["bad_credentials", "error:unanswered", "unblocked", None]


def test_alerts_under_way_become_deliveries_by_mail_and_back(empty):
    """What was tried keeps its attempts; what was not waits for its deliveries to be made."""
    upgrade(empty, "0014")
    at = "2026-11-01 00:00:00+00:00"
    insert = text(
        "INSERT INTO price_check_runs (watchlist_item_id, status, outcome, message, alerts, alert_result, alert_due_at,"
        " alert_attempts, alert_error, created_at) VALUES (1, 'success', 'success', '', '[]', :result, :due, :attempts,"
        " :error, :at)"
    )
    checks = [("sent", None, 1, None), ("pending", at, 3, "Away."), ("pending", at, 0, None), (None, None, 0, None)]
    names = ("result", "due", "attempts", "error")
    with empty.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO users (id, email, created_at) VALUES (1, 'ana@example.com', :at)"), {"at": at}
        )
        connection.execute(
            text(
                "INSERT INTO watchlist_items (id, user_id, product_url, portal, product_key, threshold, rendering, alerts,"
                " armed, created_at, updated_at) VALUES (1, 1, 'https://x.example/p', 'shop', 'x', 1, 'http', '[]', '{}',"
                " :at, :at)"
            ),
            {"at": at},
        )
        connection.execute(insert, [dict(zip(names, check, strict=True)) | {"at": at} for check in checks])
    upgrade(empty)
    with empty.engine.connect() as connection:
        made = connection.execute(
            text(
                "SELECT check_id, channel, result, attempts, error, due_at IS NULL FROM alert_deliveries ORDER BY check_id"
            )
        )
        assert [tuple(row) for row in made] == [
            (1, "email", "sent", 1, None, True),
            (2, "email", "pending", 3, "Away.", False),
        ]
        waits = connection.execute(text("SELECT id FROM price_check_runs WHERE alert_due_at IS NOT NULL"))
        assert waits.scalars().all() == [3]
    downgrade(empty, "0014")
    with empty.engine.connect() as connection:
        back = connection.execute(
            text("SELECT alert_due_at IS NULL, alert_attempts, alert_error FROM price_check_runs ORDER BY id")
        )
        assert [tuple(row) for row in back] == [(due is None, attempts, error) for _, due, attempts, error in checks]


def test_runs_that_ended_before_there_was_anyone_to_tell_are_no_news(empty):
    """Those that still run are told when they end; and nothing of the runs is lost on the way back."""
    upgrade(empty, "0017")
    at, later = "2026-11-01 06:00:00.000000", "2026-11-01 06:10:00.000000"
    insert = text(
        "INSERT INTO runs (crawl, spider, portal, report_type, target, state, started_at, finished_at, outcome, files,"
        " records, already, missing, missing_names, sign_ins, requests, downloads, warnings, host) VALUES ('c',"
        f" 'bell_pdf_invoice', 'bell', 'pdf_invoice', 'x', :state, '{at}', :finished, :outcome, 1, 0, 0, 0, '[]', 1, 3,"
        " 0, '[]', 'here')"
    )
    states = [("finished", later, "success"), ("finished", later, "portal_changed"), ("running", None, None)]
    names = ("state", "finished", "outcome")
    with empty.engine.begin() as connection:
        connection.execute(insert, [dict(zip(names, each, strict=True)) for each in states])
    upgrade(empty)
    check(empty)
    with empty.transaction() as session:
        runs = session.scalars(select(Run).order_by(Run.id)).all()
        assert [run.noticed_at == run.finished_at for run in runs] == [True] * 3
        assert [run.noticed_at is None for run in runs] == [False, False, True]
        noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
        assert collect(session, noon) == 0
        runs[2].state, runs[2].outcome, runs[2].actor = RunState.FINISHED, "portal_changed", "developer"
        runs[2].finished_at = noon
        session.flush()
        assert collect(session, noon) == 1
        assert session.scalars(select(Cause.failures)).all() == [1]
    downgrade(empty, "0017")
    with empty.engine.connect() as connection:
        rows = connection.execute(text("SELECT state, outcome, files, requests FROM runs ORDER BY id")).all()
    ended = [("finished", outcome, 1, 3) for outcome in ("success", "portal_changed", "portal_changed")]
    assert [tuple(row) for row in rows] == ended


def test_a_schema_that_was_changed_by_hand_is_named(empty):
    upgrade(empty)
    with empty.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE clients ADD COLUMN colour VARCHAR(10)")
    with pytest.raises(SchemaDiffers, match=r"differs from the models \(remove column .*clients colour, 1 in all\)"):
        check(empty)


def test_tables_of_other_programs_are_not_looked_at(empty):
    """They may be of types, and have keys into each other, that nothing here knows."""
    upgrade(empty)
    with empty.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE things (id INTEGER PRIMARY KEY, place TEXT)")
        connection.exec_driver_sql("CREATE TABLE parts (id INTEGER PRIMARY KEY, thing INTEGER REFERENCES things (id))")
        connection.exec_driver_sql("CREATE INDEX parts_by_thing ON parts (thing)")
        if empty.dialect == "postgresql":
            connection.exec_driver_sql("CREATE TABLE shapes (id INTEGER PRIMARY KEY, shape POLYGON)")
    check(empty)
    with empty.engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX ix_files_run_id")
    with pytest.raises(SchemaDiffers, match=r"\(add index ix_files_run_id.*, 1 in all\)"):
        check(empty)


def test_what_a_deleted_row_is_named_by_has_an_index():
    """Each delete of a run or a file looks for the rows whose key becomes NULL: in tables of any size, by an index."""
    tables = all_tables().tables.values()
    keys = {
        (table.name, column.name)
        for table in tables
        for key in table.foreign_key_constraints
        if key.ondelete == "SET NULL"
        for column in key.columns
    }
    first = {(table.name, next(iter(index.columns)).name) for table in tables for index in table.indexes}
    assert len(keys) > 40
    assert keys - first == set()


def test_without_tables_every_transaction_names_the_cure(empty, encryption_key):
    with pytest.raises(DatabaseAway, match="run `scrapy db upgrade`"), empty.transaction() as session:
        ClientRepository(session).all()
    upgrade(empty)
    with empty.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE clients DROP COLUMN city")
    with pytest.raises(DatabaseAway, match="run `scrapy db upgrade`"), empty.transaction() as session:
        ClientRepository(session).all()
    with pytest.raises(DatabaseAway, match="run `scrapy db upgrade`"), empty.transaction() as session:
        session.add(Client(name="Birch"))


def test_several_upgrades_at_once_wait_for_each_other(empty):
    program = "from database.migrate import check, upgrade; upgrade(db); check(db); print('done')"
    url = empty.engine.url.render_as_string(hide_password=False)
    assert crowd(url, 4, program) == ["done"] * 4


def test_making_a_table_anew_keeps_the_rows_that_refer_to_it(empty, encryption_key):
    """SQLite alters a table by copying and dropping it; with foreign keys on, the drop would delete workspaces."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import Column, String

    upgrade(empty)
    with empty.transaction() as session:
        session.execute(text("INSERT INTO clients (name, zip_code, phone_number, is_testing, active, managed_by_expertel) "
                             "VALUES ('Birch', '', '', false, true, true)"))  # fmt: skip
        session.execute(text("INSERT INTO workspaces (name, client_id) SELECT 'Main', id FROM clients"))
    with alone(empty) as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table(
            "clients", recreate="always" if empty.dialect == "sqlite" else "auto"
        ) as batch:
            batch.add_column(Column("colour", String(10)))
    with empty.transaction() as session:
        assert session.execute(text("SELECT count(*) FROM workspaces")).scalar_one() == 1
        with pytest.raises(Exception, match=r"(?i)foreign key"):  # and they are watched again
            session.execute(text("INSERT INTO workspaces (name, client_id) VALUES ('Lost', 999)"))


def test_a_move_that_breaks_a_reference_changes_nothing(tmp_path):
    db = Database(f"sqlite:///{tmp_path / 'test.db'}")
    upgrade(db)
    with pytest.raises(SchemaDiffers, match="rows of workspaces"), alone(db) as connection:
        connection.exec_driver_sql("INSERT INTO workspaces (name, client_id) VALUES ('Lost', 999)")
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM workspaces").scalar_one() == 0
    db.engine.dispose()


def test_a_password_with_a_percent_sign_does_no_harm(tmp_path):
    folder = tmp_path / "100%(here)s"
    db = Database(f"sqlite:///{folder / 'test.db'}")
    upgrade(db)
    check(db)
    db.engine.dispose()


def test_a_revision_made_from_the_models_needs_none_of_our_code(tmp_path):
    """A revision must do tomorrow what it does today, whatever becomes of our column types."""
    (tmp_path / "versions").mkdir()
    config = Config(ROOT / "alembic.ini")
    config.set_main_option("version_locations", str(tmp_path / "versions"))
    db = Database(f"sqlite:///{tmp_path / 'test.db'}")
    with alone(db) as connection:
        config.attributes["connection"] = connection
        command.revision(config, "every table", autogenerate=True, rev_id="0001")
        made = (tmp_path / "versions" / "0001_every_table.py").read_text()
        command.upgrade(config, "head")
    assert set(inspect(db.engine).get_table_names()) == {*all_tables().tables, "alembic_version"}
    assert "database" not in made
    assert "postgresql.JSONB()" in made
    db.engine.dispose()


def test_the_commands(project, tmp_path, database_url):
    here = project(tmp_path, LATCHKEY_DATABASE_URL=database_url)
    before = here.scrapy("db", "check")
    assert (before.returncode, before.stdout) == (1, "")
    assert before.stderr.endswith("is not at the newest revision: run `scrapy db upgrade`.\n")
    assert len(before.stderr.splitlines()) == 1
    done = here.scrapy("db", "upgrade")
    assert (done.returncode, done.stderr) == (0, "")
    after = here.scrapy("db", "check")
    assert (after.returncode, after.stderr) == (0, "")
    assert after.stdout.endswith("is at the newest revision and is what the code needs.\n")


def test_the_command_says_in_one_sentence_what_is_wrong(project, tmp_path):
    here = project(tmp_path)
    away = here.scrapy(
        "db", "upgrade", env={"LATCHKEY_DATABASE_URL": "postgresql://u:canary-password@127.0.0.1:1/none"}
    )
    assert away.returncode == 1
    assert "does not answer" in away.stderr
    assert "LATCHKEY_DATABASE_URL" in away.stderr
    assert len(away.stderr.splitlines()) == 1
    assert "canary" not in away.stdout + away.stderr
    nonsense = here.scrapy("db", "upgrade", env={"LATCHKEY_DATABASE_URL": "nonsense"})
    assert (nonsense.returncode, len(nonsense.stderr.splitlines())) == (1, 1)
    usage = here.scrapy("db", "sideways")
    assert usage.returncode == 2
    assert here.scrapy("db", "--help").returncode == 0

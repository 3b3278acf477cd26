"""A developer's mistakes in tables and items: each is told once, in a sentence of its own, and nothing is fetched for nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

USER = "ok@example.com"


def change(crawls, *statements: str) -> None:
    with closing(sqlite3.connect(crawls.project.data / "latchkey.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "lacks"),
    [
        ("DROP TABLE plain_documents", "plain_documents"),
        ("ALTER TABLE plain_documents DROP COLUMN currency", "plain_documents.currency"),
    ],
)
def test_a_missing_table_is_told_before_anything_is_fetched(crawls, plain, statement, lacks):
    crawls.give("plain", USER)
    change(crawls, statement)

    done = crawls.run("plain_documents")

    assert done.returncode in (4, 6)
    assert done.stderr.count("\n") == 1, done.stderr
    assert "does not answer" not in done.stderr
    assert plain.counters()["requests"] == 0
    assert crawls.outcomes == []


def test_a_table_that_goes_while_it_is_written_to_is_told_once(crawls, plain):
    plain.configure(documents=60)
    crawls.give("plain", USER)
    # A trigger that reads a table which is not there: the statement cannot be right, and the server is well.
    change(
        crawls,
        "CREATE TRIGGER broken BEFORE INSERT ON plain_documents BEGIN INSERT INTO gone VALUES (1); END",
    )

    done = crawls.run("plain_documents")

    assert done.returncode == 6, done.stderr
    assert crawls.outcomes == ["unexpected_error"]
    told = [line for line in done.stderr.splitlines() if "no such table" in line or "lacks" in line]
    assert len(told) == 1, done.stderr
    assert "does not answer" not in done.stderr
    assert plain.counters()["requests"] < 60


def test_a_natural_key_without_a_unique_constraint_in_the_database_is_told_once(crawls, plain):
    """The class is right, the database is not: its table was made by other means."""
    plain.configure(documents=60)
    crawls.give("plain", USER)
    change(
        crawls,
        "CREATE TABLE other AS SELECT * FROM plain_documents",
        "DROP TABLE plain_documents",
        "ALTER TABLE other RENAME TO plain_documents",
    )

    done = crawls.run("plain_documents")

    assert (done.returncode, crawls.outcomes) == (6, ["unexpected_error"]), done.stderr
    told = [line for line in done.stderr.splitlines() if "ON CONFLICT" in line]
    assert len(told) == 1, done.stderr
    assert "does not answer" not in done.stderr
    message = crawls.value("SELECT message FROM runs")
    assert "plain_documents: ON CONFLICT" in message
    assert plain.counters()["requests"] < 60

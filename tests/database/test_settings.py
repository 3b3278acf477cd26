"""Settings: what the environment says, and one sentence for what it says wrongly."""

from __future__ import annotations

import pytest

from database.settings import DatabaseSettings, SettingsError, check_names

ROOMS = ["database.settings"]


def test_without_a_url_it_is_sqlite_in_the_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path))
    settings = DatabaseSettings.load()
    assert settings.url == f"sqlite:///{tmp_path}/latchkey.db"
    assert settings.key_file == tmp_path / "encryption.keys"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("sqlite:///x.db", "sqlite:///x.db"),
    ],
)
def test_a_url_gets_the_driver_that_is_installed(monkeypatch, given, used):
    monkeypatch.setenv("LATCHKEY_DATABASE_URL", given)
    assert DatabaseSettings.load().url == used


def test_keys_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("LATCHKEY_ENCRYPTION_KEYS", " a, b,,")
    assert DatabaseSettings.load().encryption_keys == ("a", "b")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LATCHKEY_SIGN_IN_BUDGET", "canary"),
        ("LATCHKEY_SIGN_IN_BUDGET", "0"),
        ("LATCHKEY_LEASE_SECONDS", "0.5"),
        ("LATCHKEY_LOCK_REST_HOURS", "-1"),
    ],
)
def test_a_malformed_value_names_the_variable_and_not_the_value(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}: ") as caught:
        DatabaseSettings.load()
    assert "canary" not in str(caught.value)


def test_an_unknown_name_is_refused_with_its_nearest_neighbour():
    check_names(ROOMS, ["LATCHKEY_DATA_DIR", "PATH", "BELL_USERNAME"])
    with pytest.raises(
        SettingsError, match=r"LATCHKEY_DATABSE_URL is not a setting of Latchkey\. Did you mean LATCHKEY_DATABASE_URL"
    ):
        check_names(ROOMS, ["LATCHKEY_DATABSE_URL"])
    with pytest.raises(SettingsError, match=r"LATCHKEY_ZZZZ is not a setting of Latchkey\."):
        check_names(ROOMS, ["LATCHKEY_ZZZZ"])

"""Where a credential is looked up, in which order, and that nothing shows it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from database.access.credentials import Credential
from database.models import CarrierPortalCredential, Client, StoredCredential
from database.settings import SettingsError
from scrapers.core.outcomes import CredentialMalformed
from scrapers.logins.credentials import check_second_factor, credential_beside, find_credential, username_for

WORD = "hush-hush"


@pytest.fixture
def bell(store, tmp_path, monkeypatch):
    """Look a credential of bell up, with the credentials file of this test."""
    from scrapers.core.settings import crawl_settings

    path = tmp_path / "credentials.json"
    monkeypatch.setenv("LATCHKEY_CREDENTIALS_FILE", str(path))
    crawl_settings.cache_clear()

    def look(username=None, login="bell_self_serve"):
        with store.transaction() as session:
            return find_credential(session, "bell", login, username)

    return SimpleNamespace(find=look, path=path, store=store)


def keep(bell, data, mode=0o600):
    bell.path.write_text(json.dumps(data))
    bell.path.chmod(mode)


def test_database_then_environment_then_file(bell, monkeypatch):
    assert bell.find() is None
    keep(bell, {"bell": {"username": "file", "password": WORD, "totp_secret": "ABC"}})
    assert (bell.find().username, bell.find().totp_secret) == ("file", "ABC")
    monkeypatch.setenv("BELL_USERNAME", "environment")
    monkeypatch.setenv("BELL_PASSWORD", WORD)
    assert bell.find().username == "environment"
    with bell.store.transaction() as session:
        session.add(
            StoredCredential(portal="bell", kind="portal", username="database", password=WORD, receiver="+15550100001")
        )
    assert (bell.find().username, bell.find().receiver) == ("database", "+15550100001")
    assert bell.find("file").username == "file"
    assert bell.find("nobody") is None


def test_a_login_of_its_own_overrides_the_portal(bell, monkeypatch):
    for name in ("BELL", "BELL_ENTERPRISE_CENTRE"):
        monkeypatch.setenv(f"{name}_USERNAME", name.lower())
        monkeypatch.setenv(f"{name}_PASSWORD", WORD)
    assert bell.find(login="bell_enterprise_centre").username == "bell_enterprise_centre"
    assert bell.find(login="bell_self_serve").username == "bell"


def test_several_need_a_word_which(bell):
    with bell.store.transaction() as session:
        for name in ("one", "two"):
            session.add(StoredCredential(portal="bell", kind="portal", username=name, password=WORD))
    with pytest.raises(SettingsError, match="-a credential=USERNAME"):
        bell.find()
    assert bell.find("two").username == "two"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_a_file_that_others_can_read_is_refused(bell, mode):
    keep(bell, {"username": "file", "password": WORD}, mode)
    with pytest.raises(SettingsError, match="chmod 600") as told:
        bell.find()
    assert WORD not in str(told.value)


def test_numbers_without_quotes_are_kept_as_they_are_written(bell):
    bell.path.write_text('{"bell": {"username": 533122, "password": 1.50, "receiver": 15550100001}}')
    bell.path.chmod(0o600)
    found = bell.find("533122")
    assert (found.username, found.password, found.receiver) == ("533122", "1.50", "15550100001")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"username": 012, "password": "x"}', "begins with 0"),
        ('{"username": "x", "password": true}', "`password` must be a text"),
        ('{"username": "x", "password": "y", "receiver": ["+15550100001"]}', "`receiver` must be a text"),
        ('{"username": "x", "password": "y", "totp_secret": {}}', "`totp_secret` must be a text"),
    ],
)
def test_what_is_no_text_is_one_sentence(bell, text, said):
    bell.path.write_text(text)
    bell.path.chmod(0o600)
    with pytest.raises(SettingsError, match=said):
        bell.find()


@pytest.mark.parametrize(
    ("second", "said"), [({"totp_secret": "0189"}, "base32"), ({"receiver": "050-1234567"}, "no country code")]
)
def test_a_second_factor_that_cannot_be_read_is_named_before_anything_is_typed(second, said):
    with pytest.raises(CredentialMalformed, match=said):
        check_second_factor(Credential("bell", "user", WORD, **second))
    check_second_factor(Credential("bell", "user", WORD, "jbsw y3dp ehpk 3pxp", "+15550100001; codes@example.com"))


@pytest.mark.parametrize("data", [[], WORD, {"bell": WORD}, {"username": "x"}, {"password": WORD}])
def test_a_file_that_is_none_is_refused(bell, data):
    keep(bell, data)
    with pytest.raises(SettingsError, match="username and password") as told:
        bell.find()
    assert WORD not in str(told.value)


def test_nothing_that_prints_it_shows_a_secret():
    credential = Credential("bell", "user", WORD, "TOTPSECRET")
    assert "user" in repr(credential)
    for text in (repr(credential), str(credential), f"{credential}"):
        assert WORD not in text
        assert "TOTPSECRET" not in text


def test_what_is_stored_for_one_login_comes_before_its_portal_s(bell):
    with bell.store.transaction() as session:
        session.add(StoredCredential(portal="bell", kind="portal", username="both", password=WORD))
    assert bell.find(login="bell_enterprise_centre").username == "both"
    with bell.store.transaction() as session:
        session.add(StoredCredential(portal="bell_enterprise_centre", kind="portal", username="alone", password=WORD))
    assert bell.find(login="bell_enterprise_centre").username == "alone"
    assert bell.find(login="bell_self_serve").username == "both"
    assert bell.find("both", login="bell_enterprise_centre").username == "both"  # asked for by name


def test_accounts_that_are_linked_to_a_portal_s_credential_use_their_client_s_own_for_a_login(store):
    with store.transaction() as session:
        client, other = Client(name="Acme"), Client(name="Other")
        session.add_all([client, other])
        session.flush()
        kept = {"password": WORD, "client_id": client.id}
        linked = CarrierPortalCredential(portal="bell", username="both", **kept)
        session.add(linked)
        session.add(CarrierPortalCredential(portal="bell", username="others", password=WORD, client_id=other.id))
        session.flush()
        assert username_for(session, "bell_enterprise_centre", linked) == "both"
        session.add(
            CarrierPortalCredential(portal="bell_enterprise_centre", username="x", password=WORD, client_id=other.id)
        )
        assert username_for(session, "bell_enterprise_centre", linked) == "both"  # not another client's
        session.add(CarrierPortalCredential(portal="bell_enterprise_centre", username="alone", **kept))
        assert username_for(session, "bell_enterprise_centre", linked) == "alone"
        assert username_for(session, "bell_self_serve", linked) == "both"
        session.add(CarrierPortalCredential(portal="bell_enterprise_centre", username="alone too", **kept))
        with pytest.raises(SettingsError, match="bell_enterprise_centre has 2 credentials"):
            username_for(session, "bell_enterprise_centre", linked)


def test_a_login_that_a_visit_meets_has_its_own_credential_or_the_job_s(store, monkeypatch):
    first = Credential("telus", "ann", WORD)
    monkeypatch.setenv("TELUS_USERNAME", "somebody")
    monkeypatch.setenv("TELUS_PASSWORD", WORD)
    with store.transaction() as session:
        assert credential_beside(session, "telus_iq", first) is first  # not what another variable says of the portal
        client, other = Client(name="Acme"), Client(name="Other")
        session.add_all([client, other])
        session.flush()
        kept = {"password": WORD, "client_id": client.id}
        session.add(CarrierPortalCredential(portal="telus", username="ann", **kept))
        session.add(CarrierPortalCredential(portal="telus_iq", username="theirs", password=WORD, client_id=other.id))
        session.flush()
        assert credential_beside(session, "telus_iq", first) is first
        session.add(CarrierPortalCredential(portal="telus_iq", username="ann-iq", **kept))
        session.flush()
        assert credential_beside(session, "telus_iq", first).username == "ann-iq"


def test_a_login_that_a_visit_meets_may_have_variables_of_its_own(store, monkeypatch):
    monkeypatch.setenv("TELUS_IQ_USERNAME", "ann-iq")
    monkeypatch.setenv("TELUS_IQ_PASSWORD", WORD)
    with store.transaction() as session:
        assert credential_beside(session, "telus_iq", Credential("telus", "ann", WORD)).username == "ann-iq"

"""Who is let in, and how little the others are told."""

from __future__ import annotations

import base64

import pytest

from database.settings import SettingsError
from tests.webhook.conftest import GATEWAY, GATEWAY_TOKEN, PHONE, READER, READER_TOKEN, SAID, TWILIO_TOKEN
from webhook.access import twilio_signature
from webhook.settings import WebhookSettings

ROUTES = [
    ("POST", "/sms"),
    ("GET", "/code"),
    ("POST", "/code/consume"),
    ("GET", "/status"),
    ("GET", "/docs/"),
    ("GET", "/docs/openapi.json"),
    ("GET", "/docs/swagger"),
]
FORM = {"From": "BELL", "To": PHONE, "Body": SAID.format("12345678"), "MessageSid": "SM1"}


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"me:{password}".encode()).decode()}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Bearer {GATEWAY_TOKEN[:-1]}"},
        {"Authorization": f"Bearer {GATEWAY_TOKEN}x"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Bearer \u00ff\u00fe"},
        {"X-Token": "wrong"},
        {"X-Twilio-Signature": "wrong"},
        basic("wrong"),
    ],
    ids=lambda headers: "-".join(headers) + str(len("".join(headers.values()))),
)
def test_nobody_comes_in_without_a_token(client, headers):
    for method, path in ROUTES:
        answer = client.open(path, method=method, headers=headers, json={"key": SAID.format("1234567")})
        assert answer.status_code == 401
        assert answer.get_json() == {"error": "A valid token is needed."}


@pytest.mark.parametrize("prefix", ["", "/bell", "/telus", "/rogers", "/att", "/tmobile", "/verizon"])
def test_each_token_opens_its_own_routes(client, prefix):
    query = f"?receiver=%2B12015550100&login={'bell_self_serve' if prefix in ('', '/bell') else prefix[1:]}"
    body = {"key": SAID.format("12345678"), "to": PHONE}
    assert client.post(f"{prefix}/sms", json=body, headers=GATEWAY).status_code == 200
    assert client.post(f"{prefix}/sms", json=body, headers=READER).status_code == 401
    for method, path in (("GET", "/code"), ("POST", "/code/consume")):
        assert client.open(f"{prefix}{path}{query}", method=method, headers=GATEWAY).status_code == 401
        assert client.open(f"{prefix}{path}{query}", method=method, headers=READER).status_code == 200
    assert client.get(f"{prefix}/status", headers=GATEWAY).status_code == 200
    assert client.get(f"{prefix}/status", headers={"X-Token": READER_TOKEN}).status_code == 200
    assert client.get(f"{prefix}/health").status_code == 200


def test_without_a_reader_token_nobody_reads(make_client):
    client = make_client(code_reader_token="")
    for headers in ({}, {"Authorization": "Bearer "}, {"X-Token": ""}, GATEWAY):
        assert client.get("/code?login=bell_self_serve&receiver=1", headers=headers).status_code == 401


def test_the_documentation_opens_in_a_browser_with_a_token_as_password(client):
    refused = client.get("/docs/")
    assert refused.headers["WWW-Authenticate"].startswith("Basic")
    assert client.get("/docs/swagger", headers=basic(READER_TOKEN)).status_code == 200
    paths = client.get("/docs/openapi.json", headers=basic(GATEWAY_TOKEN)).get_json()["paths"]
    assert {"/sms", "/bell/sms", "/code", "/code/consume", "/status", "/health", "/verizon/code"} <= set(paths)


def test_twilio_signs_as_its_documentation_shows():
    form = {
        "CallSid": ["CA1234567890ABCDE"],
        "Caller": ["+12349013030"],
        "Digits": ["1234"],
        "From": ["+12349013030"],
        "To": ["+18005551212"],
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert twilio_signature("12345", url, form) == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="


@pytest.mark.parametrize(
    ("public_url", "path", "signed"),
    [
        ("", "/sms", "http://localhost/sms"),
        ("https://codes.example.com", "/bell/sms?receiver=1", "https://codes.example.com/bell/sms?receiver=1"),
        ("https://codes.example.com/", "/sms", "https://codes.example.com:443/sms"),
        ("https://codes.example.com:8443/hook", "/sms", "https://codes.example.com/hook/sms"),
    ],
)
def test_a_signed_form_is_taken_and_answered_with_empty_twiml(make_client, public_url, path, signed):
    client = make_client(webhook_public_url=public_url)
    signature = twilio_signature(TWILIO_TOKEN, signed, {name: [text] for name, text in FORM.items()})
    answer = client.post(path, data=FORM, headers={"X-Twilio-Signature": signature})
    assert (answer.status_code, answer.mimetype) == (200, "text/xml")
    assert answer.get_data(as_text=True).endswith("<Response/>")


@pytest.mark.parametrize("change", [{"Body": "another text"}, {"From": "ROGERS"}, {"Extra": "1"}])
def test_a_form_that_was_changed_is_refused(client, change):
    signature = twilio_signature(TWILIO_TOKEN, "http://localhost/sms", {name: [text] for name, text in FORM.items()})
    answer = client.post("/sms", data={**FORM, **change}, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 401


@pytest.mark.parametrize("host", ["[::1", "a b", "", "codes.example.com:99999999"])
def test_a_strange_host_is_no_way_in(client, host):
    answer = client.post("/sms", data=FORM, headers={"X-Twilio-Signature": "x", "Host": host})
    assert answer.status_code in (400, 401)


def test_a_signature_opens_nothing_but_deliveries(client):
    signature = twilio_signature(TWILIO_TOKEN, "http://localhost/code/consume", {})
    answer = client.post("/code/consume", data={}, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("tokens", "named"),
    [
        ({}, "LATCHKEY_WEBHOOK_TOKEN is not set"),
        ({"webhook_token": "tiny"}, "LATCHKEY_WEBHOOK_TOKEN is shorter"),
        ({"webhook_token": GATEWAY_TOKEN, "code_reader_token": "tiny"}, "LATCHKEY_CODE_READER_TOKEN is shorter"),
        (
            {"webhook_token": GATEWAY_TOKEN, "code_reader_token": GATEWAY_TOKEN},
            "LATCHKEY_CODE_READER_TOKEN is the same",
        ),
    ],
)
def test_bad_tokens_are_named_with_their_cure_and_not_shown(tokens, named):
    with pytest.raises(SettingsError, match=named) as caught:
        WebhookSettings(**tokens).check_tokens()
    assert "secrets.token_urlsafe" in str(caught.value)
    assert not any(token in str(caught.value) for token in tokens.values())


def test_settings_show_no_token():
    settings = WebhookSettings(webhook_token=GATEWAY_TOKEN, code_reader_token=READER_TOKEN)
    assert GATEWAY_TOKEN not in repr(settings) + str(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "70000"), ("PORT", "x"), ("RATE", "often"), ("PUBLIC_URL", "codes.example.com"), ("PROXIES", "-1")],
)
def test_a_malformed_setting_is_named(monkeypatch, name, value):
    monkeypatch.setenv(f"LATCHKEY_WEBHOOK_{name}", value)
    with pytest.raises(SettingsError, match=f"LATCHKEY_WEBHOOK_{name}"):
        WebhookSettings.load()


def test_the_seed_name_of_twilios_token_works(monkeypatch):
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", TWILIO_TOKEN)
    assert WebhookSettings().twilio_auth_token.get_secret_value() == TWILIO_TOKEN

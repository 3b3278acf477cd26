"""Addresses of alerts: which ones users may name, and whom they make us ask."""

from __future__ import annotations

import logging
import socketserver

import pytest

from database.settings import SettingsError
from jobs.channels import SERVICES, ChannelRefused, NotTaken, check, check_own, notify
from jobs.settings import AlertSettings
from sandbox.mailserver import serving

# An invented address of each service, and the hosts that are asked for it.
SAMPLES = {
    "discord://123456789012345678/abcdefghijklmnopqrstuvwxyz": "discord.com",
    "https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnopqrstuvwxyz": "discord.com",
    "gchat://workspace/key/token": "chat.googleapis.com",
    "ntfy://topic": "ntfy.sh",
    "ntfys://topic": "ntfy.sh",
    "https://ntfy.sh/topic": "ntfy.sh",
    "pbul://o.abcdefghijklmnopqrstuv": "api.pushbullet.com",
    "pover://uuuuuuuuuuuuuuuuuuuuuuuuuuuuuu@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": "api.pushover.net",
    "prowl://abcdefghijabcdefghijabcdefghijabcdefghij": "api.prowlapp.com",
    "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ": "hooks.slack.com",
    "spush://HuxgBB1": "api.simplepu.sh",
    "tgram://123456789:abcdefg_hijklmnopqrstuvwxyzABCDEFGHI/12345678": "api.telegram.org",
    f"wxteams://{'abcdefgh' * 10}": "api.ciscospark.com",
}
REFUSED = [
    "json://127.0.0.1/hook", "jsons://hooks.example.com/x", "xml://127.0.0.1", "form://10.0.0.1", "file:///etc/passwd",
    "mailto://ana:secret@example.com", "exec://rm", "syslog://", "dbus://", "windows://", "apprise://localhost/token",
    "gotify://127.0.0.1/token", "ntfy://127.0.0.1/topic", "ntfys://ntfy.example.com/topic", "ntfy://[::1]/topic",
    "ntfy://topic?mode=private", "ntfy://topic?rto=99999", "ntfys://topic?verify=no", "discord://1/x?template=/etc/passwd",
    "https://example.com/hook", "https://127.0.0.1/api/webhooks/1/x", "http://127.0.0.1/", "tgram://127.0.0.1/x",
    "slack://localhost", "ntfy", "", " ", "ntfy://a b", "ntfy://\u0442\u043e\u043f", f"ntfy://{'x' * 500}", "://", "ntfy://a\nb",
    "ntfy://user:secret@127.0.0.1:80/topic", "NTFY://127.0.0.1/topic",
]  # fmt: skip


class Proxy(socketserver.ThreadingTCPServer):
    """An HTTP proxy that leads nowhere, and notes to which hosts it was to lead."""

    allow_reuse_address = daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Proxy)
        self.asked = []

    @property
    def port(self):
        return self.server_address[1]


class _Proxy(socketserver.StreamRequestHandler):
    server: Proxy

    def handle(self):
        line = self.rfile.readline().decode()
        while self.rfile.readline().strip():
            pass
        self.server.asked.append(line.split()[1].partition(":443")[0])
        self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def proxy(monkeypatch):
    with serving(Proxy()) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{server.port}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield server


def test_every_service_that_users_may_name_has_a_host_of_its_own(proxy, caplog):
    caplog.set_level(logging.DEBUG)
    for address, host in SAMPLES.items():
        assert check_own(address) in SERVICES
        proxy.asked.clear()
        with pytest.raises(NotTaken) as failure:
            notify(address, "Title", "Text")
        assert set(proxy.asked) == {host}, address
        secrets = {part for part in address.split("://")[1].replace("@", "/").split("/") if len(part) > 16}
        assert not any(secret in caplog.text + str(failure.value) for secret in secrets)
    services = {check_own(address) for address in SAMPLES}
    assert services == set(SERVICES)


@pytest.mark.parametrize("address", REFUSED)
def test_what_names_a_host_a_file_or_a_program_is_refused_without_repeating_it(address):
    with pytest.raises(ChannelRefused) as refused:
        check_own(address)
    said = str(refused.value)
    assert said.endswith(".")
    assert "secret" not in said
    assert "127.0.0.1" not in said


@pytest.mark.parametrize(
    "address", ["json://127.0.0.1/hook", "mailto://ana:secret@example.com", "ntfy://10.0.0.1/topic"]
)
def test_the_administrator_may_set_any_address(monkeypatch, address):
    assert check(address) == address.partition("://")[0]
    monkeypatch.setenv("LATCHKEY_ALERT_ADDRESSES", f" {address}\n{address} ntfy://topic ")
    assert AlertSettings.load().addresses == (address, "ntfy://topic")


def test_an_address_that_apprise_does_not_know_is_named_by_its_place(monkeypatch):
    monkeypatch.setenv("LATCHKEY_ALERT_ADDRESSES", "ntfy://topic nothing://token-of-nobody")
    with pytest.raises(SettingsError) as refused:
        AlertSettings.load()
    assert str(refused.value) == "LATCHKEY_ALERT_ADDRESSES: number 2 is no address that Apprise knows"

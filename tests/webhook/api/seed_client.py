"""
A client of the price checker, written from what is known of its routes alone, with the standard library.

    python seed_client.py http://127.0.0.1:8000 ana@example.com +12015550100 https://shop.example/products/1 20

It registers, watches a product, checks it, and prints as JSON what it was answered.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from typing import Any


class Client:
    """The routes that it needs, with the token of the last sign-in."""

    def __init__(self, api: str) -> None:
        self.api, self.token = api, ""

    def ask(self, method: str, path: str, status: int, **body: Any) -> Any:
        """Send a request; raise SystemExit for another status than the one that is known."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self.api + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                found, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            found, text = error.code, error.read()
        if found != status:
            raise SystemExit(f"{method} {path}: {found}, not {status}: {text.decode()}")
        return json.loads(text) if text else None

    def register(self, email: str, phone: str) -> dict[str, Any]:
        """Register by the two codes, which development mode shows."""
        started = self.ask("POST", "/auth/register/start", 200, email=email, phone_number=phone)
        sent = self.ask("POST", "/auth/register/verify-email", 200, email=email, code=started["dev_code"])
        done = self.ask("POST", "/auth/register/verify-phone", 200, email=email, code=sent["dev_code"])
        self.token = done["access_token"]
        assert done["token_type"] == "bearer"
        return dict(done["user"])

    def sign_in(self, email: str) -> None:
        """Sign in by a code."""
        started = self.ask("POST", "/auth/login/start", 200, email=email)
        self.token = self.ask("POST", "/auth/login/verify", 200, email=email, code=started["dev_code"])["access_token"]


def main(api: str, email: str, phone: str, url: str, threshold: str) -> None:
    """Go from the registration to the alert."""
    client = Client(api)
    client.ask("GET", "/health", 200)
    said: dict[str, Any] = {"user": client.register(email, phone)}
    client.ask("POST", "/auth/logout", 204)
    client.ask("GET", "/me", 401)
    client.sign_in(email)
    assert client.ask("GET", "/me", 200) == said["user"]
    item = client.ask("POST", "/me/watchlist-items", 201, product_url=url, threshold=float(threshold))
    assert client.ask("GET", "/me/watchlist-items", 200) == [item]
    path = f"/me/watchlist-items/{item['id']}"
    client.ask("PATCH", path, 200, is_active=False)
    client.ask("POST", f"{path}/check", 400)
    client.ask("PATCH", path, 200, is_active=True, threshold=float(threshold) + 1)
    said["run"] = client.ask("POST", f"{path}/check", 200)
    said["runs"] = client.ask("GET", f"{path}/runs", 200)
    said["item"] = client.ask("GET", "/me/watchlist-items", 200)[0]
    client.ask("DELETE", path, 204)
    client.ask("GET", f"{path}/runs", 404)
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])

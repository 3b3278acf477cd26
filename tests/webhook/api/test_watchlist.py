"""A user's own items and their checks: every route of the price checker, and what is new."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from database.models.prices import WatchlistItem
from tests.webhook.api.conftest import ANA, PHONES, PRODUCT

SEED_ITEM = "id user_id product_url threshold is_active last_price last_currency last_checked_at created_at updated_at"
SEED_RUN = "id watchlist_item_id status message price_amount price_currency alert_sent created_at"


@pytest.fixture
def client(api):
    return api.user()


def test_an_item_is_made_read_changed_and_deleted(store, api, client):
    made = client.post("/me/watchlist-items", json={"product_url": PRODUCT, "threshold": 19.99})
    item = made.get_json()
    assert made.status_code == 201
    assert set(SEED_ITEM.split()) <= set(item)
    assert (item["product_url"], item["threshold"], item["is_active"], item["last_price"]) == (
        PRODUCT,
        19.99,
        True,
        None,
    )
    assert datetime.fromisoformat(item["created_at"]).utcoffset() == timedelta(0)
    path = made.headers["Location"]
    assert client.get(path).get_json() == item
    assert client.get("/me/watchlist-items").get_json() == [item]
    changed = client.patch(path, json={"threshold": 15, "is_active": False, "label": "Echo"})
    assert changed.status_code == 200
    assert (changed.get_json()["threshold"], changed.get_json()["is_active"], changed.get_json()["label"]) == (
        15,
        False,
        "Echo",
    )
    assert changed.get_json()["updated_at"] > item["updated_at"]
    same = client.patch(path, json={"threshold": None, "is_active": None, "label": None})
    assert (same.get_json()["threshold"], same.get_json()["is_active"], same.get_json()["label"]) == (15, False, None)
    api.fail(item["id"])
    gone = client.delete(path)
    assert (gone.status_code, gone.data) == (204, b"")
    assert client.delete(path).status_code == 404
    assert client.get(f"{path}/runs").status_code == 404


def test_what_a_user_can_say_of_an_item(api, client):
    wishes = {
        "threshold_currency": "GBP", "country": "GB", "label": "Echo", "selector": ".price", "rendering": "browser",
        "alerts": ["new_lowest", "back_in_stock"], "drop_percent": 25, "failing_after": 5,
    }  # fmt: skip
    item = client.post("/me/watchlist-items", json={"product_url": PRODUCT, "threshold": "19.999", **wishes}).get_json()
    assert wishes.items() <= item.items()
    assert item["threshold"] == 19.999
    with api.db.transaction() as session:
        row = session.get_one(WatchlistItem, item["id"])
        assert (row.threshold, row.portal, row.product_key) == (
            Decimal("19.999"),
            "shop",
            "shop.example/products/1001-tape-echo",
        )


def test_another_threshold_arms_its_alert_anew(api, client):
    item = api.item(client)
    with api.db.transaction() as session:
        session.get_one(WatchlistItem, item).armed = {"below_threshold": False}
    for change, armed in (
        ({"label": "x"}, {"below_threshold": False}),
        ({"threshold": 20}, {"below_threshold": False}),
        ({"threshold": 21}, {}),
    ):
        client.patch(f"/me/watchlist-items/{item}", json=change)
        with api.db.transaction() as session:
            assert session.get_one(WatchlistItem, item).armed == armed


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "file:///etc/passwd", "ftp://www.shop.example/p/1", "http://127.0.0.1/p/1",
        "http://localhost:8000/me", "http://10.0.0.1/p/1", "http://[::1]/p/1", "http://169.254.169.254/latest/meta-data",
        "http://2130706433/p/1", "https://user:secret@www.shop.example/p/1", "not an address", "https://www.shop.example/",
        " ", "",
    ],
)  # fmt: skip
def test_what_is_no_product_s_address_is_refused_by_name(client, address):
    answer = client.post("/me/watchlist-items", json={"product_url": address, "threshold": 1})
    assert answer.status_code == 422
    assert set(answer.get_json()["fields"]) == {"product_url"}
    assert "secret" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threshold", 0), ("threshold", -1), ("threshold", True), ("threshold", "x"), ("threshold", 1.2345),
        ("threshold", 1e13), ("threshold", None), ("is_active", "perhaps"), ("country", "gb"), ("label", "a\u0000b"),
        ("label", "x" * 201), ("alerts", ["shout"]), ("rendering", "magic"), ("drop_percent", 0), ("product_url", None),
        ("product_url", 7), ("threshold_currency", "£"), ("is_active", 0), ("is_active", "true"), ("drop_percent", "10"),
        ("failing_after", True),
    ],
)  # fmt: skip
def test_a_field_that_is_wrong_is_named(client, field, value):
    answer = client.post("/me/watchlist-items", json={"product_url": PRODUCT, "threshold": 1, field: value})
    body = answer.get_json()
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert list(body["fields"]) == [field] or list(body["fields"]) == [f"{field}.0"]
    assert body["detail"][0]["loc"][:2] == ["body", field]
    assert set(body["detail"][0]) == {"loc", "msg", "type"}
    assert (body["status"], body["title"]) == (422, "Unprocessable Entity")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null"])
def test_a_body_that_is_none_is_refused(client, body):
    answer = client.post("/me/watchlist-items", data=body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.get_json()["fields"]


def test_what_the_price_checker_ignores_is_ignored(client):
    body = {"product_url": PRODUCT, "threshold": "5", "user_id": 999, "id": 999, "last_price": 1, "more": {}}
    item = client.post("/me/watchlist-items", json=body).get_json()
    assert (item["threshold"], item["last_price"]) == (5, None)
    assert item["user_id"] != 999


def test_lists_are_paged_filtered_and_sorted(store, api, client):
    facts = [("b", 5, "GBP", "4.5"), ("a", 10, "GBP", "12"), ("c", 15, "EUR", "10"), ("d", 20, None, None)]
    ids = {}
    for label, threshold, currency, price in facts:
        ids[label] = api.item(
            client, label=label, threshold=threshold, threshold_currency="GBP", country="GB" if label < "c" else None
        )
        if price is not None:
            api.read(ids[label], Decimal(price), currency)
    api.fail(ids["c"])
    client.patch(f"/me/watchlist-items/{ids['b']}", json={"is_active": False})

    def labels(query):
        answer = client.get(f"/me/watchlist-items?{query}")
        assert answer.status_code == 200, answer.get_json()
        return "".join(item["label"] for item in answer.get_json())

    assert labels("") == "bacd"
    assert (labels("sort=label"), labels("sort=-label"), labels("sort=-id")) == ("abcd", "dcba", "dcab")
    assert (labels("sort=last_price"), labels("sort=-last_price")) == ("bcad", "acbd")
    assert (labels("is_active=false"), labels("is_active=true")) == ("b", "acd")
    assert (labels("status=error"), labels("status=success"), labels("status=never")) == ("c", "ba", "d")
    assert (labels("below_threshold=true"), labels("below_threshold=false")) == ("b", "acd")
    assert (labels("country=GB"), labels("q=A"), labels("q=tape-ECHO"), labels("q=%25")) == ("ba", "bacd", "bacd", "")
    page = client.get("/me/watchlist-items?limit=3&sort=label&is_active=true&offset=0")
    assert (page.headers["X-Total-Count"], page.headers.get("Link")) == ("3", None)
    page = client.get("/me/watchlist-items?limit=2&sort=label")
    assert page.headers["X-Total-Count"] == "4"
    following = page.headers["Link"].partition(">")[0].removeprefix("<")
    rest = client.get(following)
    assert "".join(item["label"] for item in (*page.get_json(), *rest.get_json())) == "abcd"
    assert "Link" not in rest.headers


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "offset=-1", "sort=threshold;drop", "sort=user_id", "status=x", "offset=99999999999"])  # fmt: skip
def test_a_query_that_is_wrong_is_named(client, query):
    answer = client.get(f"/me/watchlist-items?{query}")
    assert answer.status_code == 422
    assert answer.get_json()["detail"][0]["loc"] == ["query", query.partition("=")[0]]


@pytest.mark.parametrize("time", ["0.5", "1762000000", "-1e3", "soon", ""])
def test_a_number_of_seconds_is_no_time(api, client, time):
    answer = client.get(f"/me/watchlist-items/{api.item(client)}/runs", query_string={"since": time})
    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, ["since"])


@pytest.mark.parametrize("number", ["0", "-1", "x", "99999999999999999999", "2147483648"])
def test_a_number_of_no_item_is_no_error_of_ours(client, number):
    answer = client.get(f"/me/watchlist-items/{number}/runs")
    assert answer.status_code in (404, 422)
    assert answer.mimetype == "application/problem+json"


def test_checks_are_listed_newest_first(store, api, client):
    item = api.item(client)
    numbers = [
        api.read(item, Decimal("21.5"), list_price=Decimal("49"), availability="in_stock", source="data_layer"),
        api.fail(item),
    ]
    path = f"/me/watchlist-items/{item}/runs"
    failed, good = client.get(path).get_json()
    assert [failed["id"], good["id"]] == numbers[::-1]
    assert set(SEED_RUN.split()) <= set(good)
    assert (good["status"], good["price_amount"], good["price_currency"], good["alert_sent"]) == (
        "success",
        21.5,
        "GBP",
        False,
    )
    assert (good["list_price"], good["availability"], good["source"]) == (49, "in_stock", "data_layer")
    assert (failed["status"], failed["message"], failed["price_amount"]) == ("error", "The shop does not answer.", None)
    after = client.get(f"/me/watchlist-items/{item}").get_json()
    assert (after["last_price"], after["last_currency"], after["failures"]) == (21.5, "GBP", 1)
    assert [run["id"] for run in client.get(f"{path}?sort=created_at").get_json()] == numbers
    assert [run["id"] for run in client.get(f"{path}?status=error").get_json()] == numbers[1:]
    assert [run["id"] for run in client.get(f"{path}?limit=1&offset=1").get_json()] == numbers[:1]
    from_then = {"since": failed["created_at"]}
    assert [run["id"] for run in client.get(path, query_string=from_then).get_json()] == numbers[1:]
    assert [run["id"] for run in client.get(path, query_string={"until": failed["created_at"]}).get_json()] == numbers[
        :1
    ]
    assert client.get(f"{path}?since=2020-01-01").headers["X-Total-Count"] == "2"


def test_an_answer_that_is_known_is_not_sent_again(api, client):
    item = api.item(client)
    for path in ("/me", "/me/watchlist-items", f"/me/watchlist-items/{item}", f"/me/watchlist-items/{item}/runs"):
        first = client.get(path)
        assert first.headers["Cache-Control"] == "private, no-cache"
        again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    before = client.get("/me/watchlist-items").headers["ETag"]
    api.fail(item)
    assert client.get("/me/watchlist-items", headers={"If-None-Match": before}).status_code == 200


def test_pages_of_other_origins_read_what_the_settings_let_them(make_api):
    api = make_api(cors_allowed_origins="https://prices.example.com, http://localhost:8000/")
    asks = {"Origin": "https://prices.example.com", "Access-Control-Request-Method": "PATCH"}
    preflight = api.client().options("/me/watchlist-items/1", headers=asks)
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://prices.example.com"
    assert preflight.headers["Access-Control-Allow-Credentials"] == "true"
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, POST, PUT, PATCH, DELETE, OPTIONS"
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    answer = api.client().get("/me", headers={"Origin": "http://localhost:8000"})
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:8000"
    for origin in ("https://evil.example", "null", "https://prices.example.com.evil.example"):
        refused = api.client().options("/me", headers={**asks, "Origin": origin})
        assert "Access-Control-Allow-Origin" not in refused.headers
        assert "Origin" in refused.headers["Vary"]
    status = api.client().options("/status", headers=asks)
    assert "Access-Control-Allow-Origin" not in status.headers


@pytest.mark.parametrize("value", ["*", "prices.example.com", "https://prices.example.com/path", "null"])
def test_what_is_no_origin_is_refused_at_the_start(monkeypatch, value):
    from database.settings import SettingsError
    from webhook.settings import PriceWatchSettings

    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", value)
    with pytest.raises(SettingsError, match="CORS_ALLOWED_ORIGINS: each is an origin"):
        PriceWatchSettings.load()


def test_errors_are_problems(api, client):
    for answer, status in (
        (api.client().get("/me"), 401),
        (client.get("/me/nothing"), 404),
        (client.put("/me"), 405),
        (client.post("/auth/login/verify", data=b"x" * 70_000, content_type="application/json"), 413),
    ):
        body = answer.get_json()
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
        assert (body["type"], body["status"]) == ("about:blank", status)
        assert isinstance(body["detail"], str)
    assert "GET" in client.put("/me").headers["Allow"]


def test_a_user_asks_only_so_often_whatever_the_address(make_api):
    api = make_api(user_rate="5 per minute", webhook={"webhook_rate": "1000 per minute"})
    client = api.user()
    statuses = []
    for number in range(6):
        client.environ_base["REMOTE_ADDR"] = f"203.0.113.{number}"
        statuses.append(client.get("/me" if number % 2 else "/me/watchlist-items").status_code)
    assert statuses == [200] * 5 + [429]


def test_the_service_says_that_it_is_ready(api):
    ready = api.client().get("/ready")
    assert (ready.status_code, ready.get_json()) == (200, {"status": "ready"})
    assert api.client().get("/favicon.ico").status_code == 204


def test_the_price_watch_can_be_left_out(make_api):
    api = make_api(price_watch=False)
    assert api.client().get("/me").status_code == 404
    assert api.post("/auth/login/start", email=ANA).status_code == 404
    assert api.client().get("/health").status_code == 200


# Without sign-in


def test_the_routes_without_sign_in_are_off(api, client):
    api.item(client)
    for method, path in (
        ("GET", "/users"),
        ("POST", "/users"),
        ("DELETE", "/watchlist-items/1"),
        ("GET", "/watchlist-items/1/runs"),
    ):
        assert api.client().open(path, method=method, json={"email": ANA}).status_code == 404


def test_the_routes_without_sign_in(make_api):
    api = make_api(legacy_routes=True)
    client = api.client()
    made = api.post("/users", email=ANA)
    user = made.get_json()
    assert (made.status_code, user["email"], user["phone_number"], user["two_factor_enabled"]) == (
        201,
        ANA,
        None,
        False,
    )
    assert api.post("/users", email=ANA).status_code == 409
    assert client.get("/users").get_json() == [user]
    items = f"/users/{user['id']}/watchlist-items"
    added = client.post(items, json={"product_url": PRODUCT, "threshold": 5})
    assert added.status_code == 201
    item = added.get_json()
    assert client.get(items).get_json() == [item]
    assert client.get("/users/999/watchlist-items").status_code == 404
    assert client.post("/users/999/watchlist-items", json={"product_url": PRODUCT, "threshold": 5}).status_code == 404
    path = f"/watchlist-items/{item['id']}"
    assert client.patch(path, json={"is_active": False}).get_json()["is_active"] is False
    assert client.post(f"{path}/check").status_code == 400
    api.fail(item["id"])
    assert len(client.get(f"{path}/runs").get_json()) == 1
    assert client.delete(path).status_code == 204
    assert client.get(f"{path}/runs").status_code == 404
    api.post("/auth/register/start", email=ANA, phone_number=PHONES[ANA])  # such a user can register
    assert api.post("/auth/register/verify-email", email=ANA, code=api.mailed()).status_code == 200
    with api.db.transaction() as session:
        assert session.scalars(select(WatchlistItem)).all() == []


@pytest.mark.parametrize(
    ("headers", "remote"),
    [({}, "192.0.2.7"), ({"X-Forwarded-For": "192.0.2.7"}, "127.0.0.1"), ({"Host": "rebound.example"}, "127.0.0.1")],
)
def test_the_routes_without_sign_in_are_for_this_machine_alone(make_api, headers, remote):
    api = make_api(legacy_routes=True)
    client = api.client()
    client.environ_base["REMOTE_ADDR"] = remote
    paths = [(path, method) for path, methods in api.app.api_doc["paths"].items() if path.startswith(("/users", "/watchlist-items")) for method in methods]  # fmt: skip
    assert len(paths) == 9
    for path, method in paths:
        filled = path.replace("{user_id}", "1").replace("{item_id}", "1").replace("{job_id}", "1")
        answer = client.open(
            filled, method=method.upper(), headers=headers, json={"email": ANA, "product_url": PRODUCT, "threshold": 1}
        )
        assert (answer.status_code, answer.get_json()["detail"]) == (403, "This route is for the machine itself.")

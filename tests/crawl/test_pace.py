"""How much is asked of a portal at once, as the portal counts it: sign-ins and files included."""

from __future__ import annotations

import pytest

from scrapers.core.pace import RATE_TRIES


def never_above(counters, limit):
    assert counters["over_limit"] == 0
    assert counters["in_flight_max"] <= limit
    assert counters["connections_max"] <= limit + 1


@pytest.mark.parametrize("limit", [8, pytest.param(16, marks=pytest.mark.matrix)])
def test_never_more_requests_are_in_flight_than_the_limit_in_any_burst(crawls, plain, limit):
    """Twenty sign-ins at once, then their lists and files, then all of it again."""
    users = [f"ok+pace-{number}@example.com" for number in range(20)]
    for user in users:
        crawls.give("plain", user)
    plain.configure(documents=6, file_bytes=20_000, latency_ms=60, limit=limit)

    for _ in range(2):
        arguments = [f"credential={','.join(users)}", "again=yes", "per=3"]
        done = crawls.run("plain_files", *arguments, LATCHKEY_REQUESTS_IN_FLIGHT=str(limit))
        assert done.returncode == 0, done.stderr

    counters = plain.counters()
    never_above(counters, limit)
    assert counters["in_flight_max"] > limit * 3 // 4  # there was a burst, also where the machine is busy
    assert counters["sign_ins"] == 20
    assert counters["downloads"] == 2 * 20 * 6
    assert crawls.outcomes == ["success"] * 40
    assert crawls.value("SELECT count(*) FROM files") == 120
    assert crawls.value("SELECT sum(requests) FROM runs") == counters["requests"]
    print("limit", limit, {k: counters[k] for k in ("in_flight_max", "connections_max", "requests", "sign_ins")})


@pytest.mark.parametrize("limit", [8, pytest.param(16, marks=pytest.mark.matrix)])
def test_the_limit_holds_while_sessions_die_and_the_portal_has_faults(crawls, plain, limit):
    crawls.give("plain", "ok+faults@example.com")
    faults = {"seed": 7, "429": 0.03, "500": 0.03, "cut": 0.02, "paths": "/documents/", "most": 2, "retry_after": 0}
    plain.configure(documents=80, latency_ms=20, limit=limit, session_requests=30, faults=faults)

    done = crawls.run("plain_documents", LATCHKEY_REQUESTS_IN_FLIGHT=str(limit), LATCHKEY_SIGN_IN_BUDGET="50")

    assert done.returncode == 0, done.stderr
    counters = plain.counters()
    never_above(counters, limit)
    assert counters["sign_ins"] == counters["sessions_died"] + 1
    assert crawls.value("SELECT count(*) FROM plain_documents") == 80
    assert crawls.value("SELECT sum(requests) FROM runs") == counters["requests"]


def test_a_shut_portal_is_asked_by_no_more_than_were_on_their_way(crawls, plain):
    """Requests that wait for a place look at the pause again when they have it."""
    crawls.give("plain", "ok+shut@example.com")
    shut = {"path": r"/documents/(?:[^/?]*\D)?0*5\b.*", "ordinals": [1], "fault": "429", "retry_after": 1, "shut": 0.9}
    plain.configure(documents=40, latency_ms=30, limit=4, errors=[shut])

    done = crawls.run("plain_documents", LATCHKEY_REQUESTS_IN_FLIGHT="4")

    assert done.returncode == 0, done.stderr
    counters = plain.counters()
    never_above(counters, 4)
    assert counters["knocks"] <= 3
    assert crawls.value("SELECT count(*) FROM plain_documents") == 40


@pytest.mark.parametrize("fault", ["429", "503-later"])
@pytest.mark.parametrize("asked", ["0", "-1", "²", "Sun Nov  6 08:49:37 1994"])
def test_a_header_that_asks_for_no_pause_gets_one_of_ours(crawls, plain, fault, asked):
    """Each request is sent as often as RATE_TRIES says and no more; nothing but the pause that we chose is between."""
    crawls.give("plain", "ok+never@example.com")
    never = {"path": r"/documents\?.*", "fault": fault, "retry_after": asked}
    plain.configure(documents=1, errors=[never])

    crawls.run("plain_documents", LATCHKEY_RETRY_WAIT="0.05")

    assert crawls.outcomes == ["rate_limited"]
    landing = 1  # of the sign-in, which has no query
    assert plain.counters()["paths"]["GET /documents"] == landing + RATE_TRIES + 1


@pytest.mark.matrix
@pytest.mark.browser
def test_one_session_has_one_page_open_at_a_time(crawls, bell):
    """Two accounts of one user and one of another: the first two take turns, the third works beside them."""
    both, other = "ok+multi-2@example.com", "ok+beside@example.com"
    numbers = [*crawls.give_bell(both), *crawls.give_bell(other)]

    done = crawls.run("bell_pdf_invoice", f"account={','.join(numbers)}")

    assert done.returncode == 0, done.stderr
    counters = bell.counters()
    assert counters["self_serve_pages_open_max"] == 1
    assert counters["sign_ins"] == 2
    assert crawls.outcomes == ["success"] * 3


def test_a_common_pace_gives_each_request_its_moment(crawls, plain):
    """600 a minute: what is free next lies a tenth of a second behind the first request, for each that was sent."""
    crawls.give("plain", "ok+common@example.com")
    plain.configure(documents=8)
    assert crawls.run("plain_documents", LATCHKEY_PORTAL_PACE="600").returncode == 0
    requests = crawls.value("SELECT sum(requests) FROM runs")
    assert requests == plain.counters()["requests"] > 8
    (free_at,) = crawls.rows("SELECT julianday(free_at) FROM portal_pace")[0]
    began = crawls.value("SELECT min(julianday(started_at)) FROM runs")
    assert (free_at - began) * 86_400 >= (requests - 1) * 0.1

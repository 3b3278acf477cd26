"""TELUS IQ: a session of its own, an account to choose, the usage of heavy users, and a queue of reports."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from sandbox.globys.tables import file_rows, report_rows
from sandbox.invented import Month
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.downloads import offer
from sandbox.scripted.files import CSV_TYPE, File
from sandbox.scripted.people import SOMEBODY_ELSE
from sandbox.scripted.state import ScriptedState
from sandbox.tables import as_csv, changed
from sandbox.telus.pages import BASE, IQ, START

AUTHORIZE = "/oauth/authorize"  # where My Telus vouches for a session, or not
ASKS = ("iq-login", "iq-wrong-password", "iq-sms")  # scenarios in which it does not
DIALOGS = ("Select customer", "Upcoming changes to order processing")


async def authorize(portal: ScriptedState, request: web.Request) -> web.StreamResponse:
    """Send a browser back to TELUS IQ: with a code that is good once, or to the form."""
    session = portal.sessions.look(request.cookies.get(portal.cookie("session")))
    login = portal.site.address(IQ, "login", portal.perturbation_of(session.user if session else None))
    if session is None or session.user.says(*ASKS):
        raise web.HTTPFound(portal.urls[IQ] + login)
    request["user"] = session.user.name
    raise web.HTTPFound(f"{portal.urls[IQ]}{BASE[IQ]}/callback?code={portal.hand_over(session)}")


async def callback(portal: ScriptedState, request: web.Request) -> web.StreamResponse:
    """Take a code, and begin a session of TELUS IQ."""
    session = portal.taken_over(request.query.get("code", ""))
    if session is None:
        raise web.HTTPForbidden
    user = session.user
    request["user"] = user.name
    stale = user.says("stale-iq") and not portal.passwords.row(user.name).get("iq_cleared")
    secret = portal.sessions.spawn(user, login="iq", stale=stale)
    portal.counters.add("iq_sessions")
    answer = web.HTTPFound(portal.site.address(IQ, "home", portal.perturbation_of(user)))
    answer.set_cookie(portal.cookie("session", IQ), secret, path="/", httponly=True, samesite="Lax")
    raise answer


async def log_out(portal: ScriptedState, request: web.Request) -> web.StreamResponse:
    """End the session of TELUS IQ."""
    session = portal.sessions.look(request.cookies.get(portal.cookie("session", IQ)))
    if session is not None:
        request["user"] = session.user.name
        portal.sessions.close(session.key)
        portal.passwords.change(session.user.name, {"iq_cleared": True})
        portal.counters.add("iq_log_outs")
    answer = web.HTTPFound(f"{portal.urls['']}/{START}")
    answer.del_cookie(portal.cookie("session", IQ), path="/")
    raise answer


def framed(call: Call, title: str, content: str) -> Reply:
    """Return a page of TELUS IQ: a header with its user, and the content."""
    shown = SOMEBODY_ELSE if call.data.get("stale") else call.user.name
    if call.user.says("other-customer"):
        shown = SOMEBODY_ELSE
    body = call.render("iq_page", content=content, iq_user=shown if call.is_named else "My profile")
    return {"title": title, "body": body}


def home(call: Call) -> Reply:
    """The first page, below dialogs that have to be closed one after the other."""
    call.keep(ban="")
    reply = framed(call, "Customer", call.render("iq_home", ready=False))
    return reply | _dialog(call) | {"again": {"act": "bans", "delay": call.setting("bans_ms")}}


def _dialog(call: Call) -> Reply:
    left = [title for title in DIALOGS if title not in call.data.get("dialogs", [])]
    if not left or call.user.says("no-dialogs"):
        return {}
    return {"overlay": {"html": call.render("iq_dialog", title=left[0]), "delay": 0}}


async def close_dialog(call: Call) -> Reply:
    """Close a dialog for the rest of the session; the next one comes."""
    call.keep(dialogs=[*call.data.get("dialogs", []), call.value("value")])
    return _dialog(call)


def _bans(call: Call) -> list[str]:
    if call.data.get("stale"):
        return call.portal.people.numbered(f"stale {call.user.name}", 2)
    return call.accounts


async def fill_bans(call: Call) -> Reply:
    """Fill the list of accounts."""
    return {"show": {"#select-a-ban": call.render("iq_bans", bans=_bans(call), ban=call.data.get("ban", ""))}}


async def choose_ban(call: Call) -> Reply:
    """Open an account; in the scenario `filter-fails` the list falls back to the choice before."""
    chosen = call.value("ban")
    if chosen in _bans(call) and not call.user.says("filter-fails"):
        call.keep(ban=call.portal.people.opened(call.user, chosen, _bans(call)))
        call.portal.counters.add("account_changes")
    ready = bool(call.data.get("ban"))
    shown = {"[data-place=links]": call.render("iq_links") if ready else ""}
    if call.data.get("ban") != chosen:
        # The choice is no part of a list's HTML: a page draws anew what differs from what it has drawn.
        mark = f"<!-- {secrets.token_hex(4)} -->"
        shown |= {place: html + mark for place, html in (await fill_bans(call))["show"].items()}
    return {"delay": call.delay, "show": shown}


def usage(call: Call) -> Reply:
    """The heavy users of the chosen account, and the way to export them."""
    if not call.data.get("ban"):
        return {"go": call.at("home")}
    rows = report_rows("daily_usage", call.data["ban"], _month(call), 5)
    return framed(call, "Heavy data users", call.render("iq_usage", rows=rows, ban=call.data["ban"]))


def _month(call: Call) -> Month:
    return Month(call.today.year, call.today.month)


async def export_view(call: Call) -> Reply:
    """Put a report into the queue under the name that was typed."""
    name, ban = call.value("reportname").strip(), call.data.get("ban", "")
    if not name or not ban:
        return {"show": {"[data-place=view-error]": '<p role="alert">Enter a report name.</p>'}}
    if call.portal.troubled(call.user, "iq-session-lost", most=1):
        call.portal.sessions.kill(call.signed_in.key)
        call.portal.counters.add("iq_losses")
        return {"go": f"{call.portal.urls['']}{AUTHORIZE}"}
    slow = call.user.says("slow-report")
    seconds = call.user.number("report", call.setting("slow_report_seconds" if slow else "report_seconds"))
    entry = {"id": secrets.token_hex(8), "name": name, "ban": ban, "at": call.portal.now(), "seconds": seconds}
    kept = call.portal.state.table("queue").get(call.user.name, {"entries": []})["entries"]
    call.portal.state.table("queue")[call.user.name] = {"entries": [entry, *kept]}
    call.portal.counters.add("reports_asked")
    return {"delay": call.delay, "go": call.at("queue")}


def queue(call: Call) -> Reply:
    """The queue of reports, drawn anew again and again."""
    reply = framed(call, "Report queue", call.render("iq_queue", rows=_rows(call)))
    return reply | {"again": {"act": "queue-status", "delay": call.setting("status_ms")}}


async def queue_status(call: Call) -> Reply:
    """Show the queue as it is now."""
    shown = {"#dynamicTable": call.render("iq_rows", rows=_rows(call))}
    return {"show": shown, "again": {"act": "queue-status", "delay": call.setting("status_ms")}}


def _entries(call: Call) -> list[dict[str, Any]]:
    """Return the queue, newest first, with what other runs left there in the scenario `former-reports`."""
    own = list(call.portal.state.table("queue").get(call.user.name, {"entries": []})["entries"])
    if not call.user.says("former-reports"):
        return own
    other, now = call.portal.people.numbered(f"former {call.user.name}", 1)[0], call.portal.now()
    name = own[0]["name"] if own else f"Daily Usage Report {call.today:%m-%d-%Y}"
    former = [(name, other, 30), (name, "Multiple", 60), (f"{name} (1)", call.accounts[0], 90)]
    former += [
        (name, call.accounts[0], 86_400),
        (f"Daily Usage Report {call.today - timedelta(1):%m-%d-%Y}", call.accounts[0], 90_000),
    ]
    return own + [
        {"id": f"former-{place}", "name": called, "ban": ban, "at": now - age, "seconds": 0}
        for place, (called, ban, age) in enumerate(former)
    ]


def _status(call: Call, entry: dict[str, Any]) -> str:
    """Return the state of a report as the queue writes it."""
    if entry["id"].startswith("former-"):
        return "Download"
    if call.user.says("report-never") or call.portal.now() - entry["at"] < entry["seconds"]:
        return "In Queue"
    return "Failed" if call.user.says("report-fails") else "Download"


def _rows(call: Call) -> list[dict[str, Any]]:
    found = []
    for entry in _entries(call):
        status, asked = _status(call, entry), datetime.fromtimestamp(entry["at"], call.portal.zone)
        done = asked + timedelta(seconds=entry["seconds"])
        row = {"status": status, "asked": f"{asked:%b %d, %Y %H:%M} CST", "by": call.user.name}
        found.append(entry | row | {"done": f"{done:%b %d, %Y %H:%M} CST" if status == "Download" else ""})
    return found


async def download_report(call: Call) -> Reply:
    """Hand out a report that is ready."""
    entry = next((each for each in _entries(call) if each["id"] == call.value("value")), None)
    if entry is None or _status(call, entry) != "Download":
        return {"show": {"[data-place=queue-error]": '<p role="alert">This report is not available.</p>'}}
    account = entry["ban"]
    if call.user.says("wrong-account-file"):
        account = call.portal.people.numbered(f"wrong file {call.user.name}", 1)[0]
    day, count = datetime.fromtimestamp(entry["at"], call.portal.zone).date(), int(call.setting("report_rows"))
    rows = file_rows(call.user, call.portal.people, "daily_usage", account, Month(day.year, day.month), count)
    table = changed(call.perturbation, rows)
    return offer(call, File("daily_usage", f"{entry['name']}.csv", CSV_TYPE, lambda: as_csv(table)))

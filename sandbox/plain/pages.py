"""The HTML of the plain portal."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from sandbox.plain.data import Document


def whole(title: str, body: str) -> str:
    """Return a page."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
        f"<body>{body}</body></html>"
    )


def sign_in(token: str, alert: str = "", message: str = "", following: str = "") -> str:
    """Return the sign-in page; `alert` is the situation that its alert box names, say "credentials"."""
    box = f'<p class="alert alert--{alert}" role="alert">{message}</p>' if alert else ""
    action = f"/login?next={escape(following)}" if following else "/login"
    return whole(
        "Sign in",
        f'<h1>Sign in</h1>{box}<form id="login" method="post" action="{action}">'
        f'<input type="hidden" name="csrf_token" value="{token}">'
        '<label>User name <input id="username" name="username" autocomplete="username"></label>'
        '<label>Password <input id="password" name="password" type="password"></label>'
        '<button type="submit">Sign in</button></form>',
    )


def captcha() -> str:
    """Return the page that wants a person."""
    return whole("Are you human?", '<h1>Are you human?</h1><div id="captcha">Choose all pictures with a bridge.</div>')


def waiting() -> str:
    """Return the page that waits for a link to be opened, and loads itself every second."""
    return whole(
        "Waiting",
        '<meta http-equiv="refresh" content="1"><div id="waiting">We have sent you a link. Open it to go on.</div>',
    )


def refused_form() -> str:
    """Return the page for a form with a stale or missing token."""
    return whole("Form expired", '<p class="alert alert--form" role="alert">This form has expired: open it again.</p>')


def code(token: str, factor: str, alert: str = "", message: str = "", to_send: bool = False) -> str:
    """Return the page of the second factor: a field for the code, or first a button that has it sent."""
    box = f'<p class="alert alert--{alert}" role="alert">{message}</p>' if alert else ""
    hidden = f'<input type="hidden" name="csrf_token" value="{token}">'
    send = (
        f'<form id="send" method="post" action="/code/send">{hidden}<button type="submit">Send a code</button></form>'
    )
    field = (
        f'<form id="code" method="post" action="/code">{hidden}<label>Verification code '
        '<input id="code-field" name="code" autocomplete="one-time-code"></label>'
        '<button type="submit">Continue</button></form>'
    )
    forms = send if to_send else field + (send if factor == "sms" else "")
    return whole("Verification", f'<h1>Verification</h1><div id="factor" data-factor="{factor}"></div>{box}{forms}')


def frame(title: str, user: str, accounts: Sequence[str], account: str, body: str) -> str:
    """Return a signed-in page: the user's name, the customer's accounts, the one that is open, and the body."""
    listed = "".join(f'<li data-account="{number}">{number}</li>' for number in accounts)
    return whole(
        title,
        f'<header>Signed in as <span id="user-name">{escape(user)}</span> <a href="/logout">Sign out</a>'
        f'<ul id="accounts">{listed}</ul>Account <span id="account">{account}</span></header>{body}',
    )


def listing(documents: Sequence[Document], total: int, following: str) -> str:
    """Return the body of a page of the list; `following` is the address of the next page or ""."""
    rows = "".join(
        f'<tr data-id="{row.id}"><td class="id">{row.id}</td><td class="date">{row.day.isoformat()}</td>'
        f'<td class="title"><a href="/documents/{row.id}">{row.title}</a></td><td class="amount">{row.amount}</td>'
        f'<td class="currency">{row.currency}</td><td><a class="file" href="/documents/{row.id}/file">PDF</a></td></tr>'
        for row in documents
    )
    link = f'<a rel="next" href="{escape(following)}">Next</a>' if following else ""
    return (
        f'<h1>Documents</h1><p id="total">{total}</p><table id="documents"><thead><tr><th>Number</th><th>Date</th>'
        f"<th>Title</th><th>Amount</th><th>Currency</th><th>File</th></tr></thead><tbody>{rows}</tbody></table>{link}"
    )


def listing_b(documents: Sequence[Document]) -> str:
    """Return the same list as it looks after a redesign."""
    cards = "".join(f"<article><h2>{row.title}</h2><p>{row.amount} {row.currency}</p></article>" for row in documents)
    return f'<main class="cards">{cards}</main>'


def months(shown: Sequence[str], chosen: str) -> str:
    """Return the choice of months."""
    options = "".join(
        f'<option value="{month}"{" selected" if month == chosen else ""}>{month}</option>' for month in shown
    )
    return f'<form id="months"><select name="month">{options}</select></form>'


def alert(situation: str, message: str) -> str:
    """Return an alert box for the body of a page."""
    return f'<p class="alert alert--{situation}" role="alert">{message}</p>'


def detail(row: Document) -> str:
    """Return the body of a document's page."""
    return (
        f'<h1>{row.title}</h1><dl id="document" data-id="{row.id}"><dt>Number</dt><dd class="id">{row.id}</dd>'
        f'<dt>Date</dt><dd class="date">{row.day.isoformat()}</dd><dt>Amount</dt><dd class="amount">{row.amount}</dd>'
        f'<dt>Currency</dt><dd class="currency">{row.currency}</dd></dl>'
        f'<a class="file" href="/documents/{row.id}/file">PDF</a>'
    )

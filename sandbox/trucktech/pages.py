"""The HTML of the imitation around its lists: sign-in, what stands between it and the first page, and the frame."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

ENGLISH: Mapping[str, str] = {
    "lang": "en",
    "dashboard": "Dashboard",
    "vehicles": "Vehicles",
    "diagnostics": "Diagnostics",
    "sign_out": "Sign out",
    "shown": "Showing {first} to {last} of {total}",
    "no_data": "No data available",
    "no_faults": "No faults found",
    "next": "Next",
    "previous": "Previous",
    "unit": "Unit",
    "vehicle": "Year Make Model",
    "status": "Status",
    "code": "Code",
    "description": "Description",
    "source": "Source address",
    "occurrences": "Occurrences",
    "first": "First seen",
    "last": "Last seen",
    "active": "Active",
    "inactive": "Previously active",
    "refused": "Invalid user name or password.",
    "locked": "Your account is locked. Please contact your administrator.",
    "bad_code": "The code you entered is not valid.",
}
FRENCH: Mapping[str, str] = {
    **ENGLISH,
    "lang": "fr",
    "dashboard": "Tableau de bord",
    "vehicles": "Véhicules",
    "diagnostics": "Diagnostic",
    "sign_out": "Se déconnecter",
    "shown": "{first} à {last} sur {total}",
    "no_data": "Aucune donnée",
    "no_faults": "Aucun défaut enregistré",
    "next": "Suivant",
    "previous": "Précédent",
    "unit": "Unité",
    "vehicle": "Année, marque, modèle",
    "status": "État",
    "source": "Adresse source",
    "first": "Premier signalement",
    "last": "Dernier signalement",
    "active": "Actif",
    "inactive": "Antérieur",
    "refused": "Nom d’utilisateur ou mot de passe non valide.",
    "locked": "Votre compte est verrouillé. Veuillez joindre votre administrateur.",
    "bad_code": "Le code saisi n’est pas valide.",
}

Words = Mapping[str, str]


def whole(title: str, body: str, language: str = "en") -> str:
    """Return a page."""
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)} | TruckTech+</title>'
        f"</head><body>{body}</body></html>"
    )


def _alert(message: str) -> str:
    return f'<div class="alert alert-danger" role="alert">{escape(message)}</div>' if message else ""


def _hidden(token: str) -> str:
    return f'<input type="hidden" name="csrf_token" value="{token}">'


def _form(token: str, action: str, inside: str) -> str:
    return f'<form method="post" action="{action}">{_hidden(token)}{inside}</form>'


def sign_in(token: str, message: str = "") -> str:
    """Return the sign-in page, with what it has to say about the last try."""
    fields = (
        '<label for="auth_key">User name or email</label>'
        '<input id="auth_key" name="auth_key" type="text" autocomplete="username">'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password">'
        '<button type="submit" class="btn btn-primary">Log In</button>'
    )
    return whole("Log In", f"<main><h1>TruckTech+</h1>{_alert(message)}{_form(token, '/login', fields)}</main>")


def expired_form() -> str:
    """Return the page for a form with a stale or missing token."""
    return whole("Form expired", "<main><h1>This form has expired</h1><p>Go back and try again.</p></main>")


def verification(token: str, factor: str, receiver: str, message: str = "") -> str:
    """Return the page of a second factor: "totp", "sms", "email", or "other", which has no field at all."""
    title = "Verify your identity"
    if factor == "other":
        body = "<p>Insert your security key and touch it to continue.</p>"
        return whole(title, f'<main id="two-factor"><h1>{title}</h1>{body}</main>')
    name, placeholder, text = {
        "totp": ("code", "Authenticator code", "Open your authenticator app and enter the six digits that it shows."),
        "sms": ("verification_code", "6 digits", f"We sent a text message to {receiver}."),
        "email": ("verification_code", "6 digits", f"We sent an email with a verification code to {receiver}."),
    }[factor]
    field = (
        f'<label for="second-factor">Code</label><input id="second-factor" name="{name}" type="text" '
        f'inputmode="numeric" autocomplete="one-time-code" placeholder="{placeholder}">'
        '<button type="submit" class="btn btn-primary">Continue</button>'
    )
    again = '<button type="submit" class="btn btn-link">Send another code</button>'
    forms = _form(token, "/verification", field) + (
        "" if factor == "totp" else _form(token, "/verification/send", again)
    )
    body = f"<h1>{title}</h1>{_alert(message)}<p>{escape(text)}</p>{forms}"
    return whole(title, f'<main id="two-factor">{body}</main>')


def trust_device(token: str) -> str:
    """Return the question whether this browser is to be let in without a code from now on."""
    buttons = (
        '<button type="submit" name="trust" value="yes" class="btn btn-primary">Trust this device</button>'
        '<button type="submit" name="trust" value="no" class="btn">Not now</button>'
    )
    return whole(
        "Trust this device",
        f"<main><h1>Do you use this device often?</h1>{_form(token, '/trust_device', buttons)}</main>",
    )


def elsewhere(token: str) -> str:
    """Return the dialog about another session of the same user."""
    inside = (
        "<p>You are already signed in elsewhere. If you continue, that session ends.</p>"
        '<button type="submit" class="btn btn-primary">Continue</button> <a href="/login">Cancel</a>'
    )
    dialog = f'<div role="dialog" aria-modal="true" aria-label="Already signed in">{_form(token, "/elsewhere", inside)}</div>'
    return whole("Already signed in", f"<main>{dialog}</main>")


def policies(user: str, may_wait: bool) -> str:
    """Return the page that wants the portal's policies accepted; with or without a way around it."""
    later = (
        '<button type="submit" name="decision" value="later" class="btn">Remind me later</button>' if may_wait else ""
    )
    accept = '<button type="submit" name="decision" value="accept" class="btn btn-primary">I accept</button>'
    return frame(
        "Policies & Agreements",
        user,
        "<p>Our policies and agreements have changed. Please read and accept them to continue.</p>"
        f'<form id="policies" method="post" action="/policies">{accept}{later}</form>',
    )


def frame(title: str, user: str, body: str, words: Words = ENGLISH) -> str:
    """Return a signed-in page: the user's name, the menu, and the body."""
    return whole(
        title,
        f'<header class="navbar"><nav><a href="/dashboard">{words["dashboard"]}</a> '
        f'<a href="/assets">{words["vehicles"]}</a></nav>'
        f'<span id="user-name" class="user-name">{escape(user)}</span> <a href="/logout">{words["sign_out"]}</a></header>'
        f"<main><h1>{escape(title)}</h1>{body}</main>",
        words["lang"],
    )


def dashboard(vehicle_count: int) -> str:
    """Return the body of the landing page; its words are those of a code page, too, as on many a real one."""
    return (
        f'<p class="tile">{vehicle_count} vehicles</p><section><h2>Notifications</h2><p>New faults are sent by email or '
        "text message (SMS). Lost your phone? Ask for a new verification code under Profile, or set up an "
        "authenticator.</p></section>"
    )


def maintenance() -> str:
    """Return the page that stands in for all others while the portal rests."""
    return whole("Maintenance", "<main><h1>Scheduled maintenance</h1><p>We will be back soon.</p></main>")


def interstitial() -> str:
    """Return an unknown page after sign-in."""
    return whole("Welcome", '<main><h1>Meet the new fleet insights</h1><a href="/whats-new">Take the tour</a></main>')


def odd(word: str, title: str, user: str, words: Words) -> str:
    """Return what comes in place of a list, by scenario; all but the first two know who is signed in."""
    if word == "blank-page":
        return ""
    if word == "error-page":
        return whole("Error", "<h1>We are sorry, but something went wrong.</h1><p>Incident 2044/11, 2025-06-18.</p>")
    body = {
        "empty-page": "",
        "empty-table": '<table class="table"><thead><tr><th>#</th></tr></thead><tbody></tbody></table>',
        "loading-page": '<div class="spinner" role="status">Loading…</div>',
        "unknown-page": "<section><h2>Insights</h2><p>Since 2025/06: 3363/18 parts ordered, 04-29-1187 in stock.</p></section>",
    }[word]
    return frame(title, user, body, words)

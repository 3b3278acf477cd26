"""The HTML of the imitation around its lists: sign-in, what stands between it and the first page, and the frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from sandbox.perturb import OFF, Perturbation

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


# The classes of a refusal that the sheet has; words of the same meaning for what it has none of.
ALERTS = ('"alert alert-danger" role="alert"', '"error"', '"notice error-message"')
REFUSED = (
    "Incorrect user name or password.",
    "The user name and password you entered do not match.",
    "Wrong password, or unknown user. Please try again.",
)
BAD_CODE = ("That code is not right. Please try again.", "Invalid code.", "Incorrect code")
SMS = (
    "An SMS with a code is on its way: it is the text message to {}.",
    "Enter the code from the text message sent to {}.",
    "We sent you an SMS with a code to {}.",
)
EMAIL = ("We sent a verification code to your email address {}.", "Look for the verification code in your email ({}).")
TOTP = ("Enter the code that your authenticator shows.", "Code of your authenticator, six digits")
ELSEWHERE = (
    "You are already logged in elsewhere. Continue to end that session.",
    "This user is logged in on another device. That session will be closed.",
    "There is another active session for your user name.",
)


@dataclass(frozen=True, slots=True)
class Screen:
    """
    How a form before the session is drawn.

    token: the form's. names: of fields, those that are others; addresses: of pages, likewise.
    """

    token: str
    names: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    perturbation: Perturbation = OFF

    def name(self, field: str) -> str:
        """Return the name of a field."""
        return self.names.get(field, field)

    def says(self, about: str, usual: str, others: Sequence[str]) -> str:
        """Return a text, or another of the same meaning."""
        if not self.perturbation.touches("words", about):
            return usual
        return self.perturbation.choose("words", about, others)

    def alert(self, message: str) -> str:
        """Return what is wrong, as an element; "" when nothing is."""
        if not message:
            return ""
        others = {ENGLISH["refused"]: REFUSED, ENGLISH["bad_code"]: BAD_CODE}.get(message, (message,))
        kind = ALERTS[0]
        if self.perturbation.touches("renamed", "alert"):
            kind = self.perturbation.choose("renamed", "alert", ALERTS)
        return f"<div class={kind}>{escape(self.says('alert', message, others))}</div>"

    def form(self, action: str, inside: str) -> str:
        """Return a form with its token."""
        hidden = f'<input type="hidden" name="{self.name("csrf_token")}" value="{self.token}">'
        return f'<form method="post" action="{self.addresses.get(action, action)}">{hidden}{inside}</form>'


def sign_in(screen: Screen, message: str = "") -> str:
    """Return the sign-in page, with what it has to say about the last try."""
    fields = (
        '<label for="auth_key">User name or email</label>'
        f'<input id="auth_key" name="{screen.name("auth_key")}" type="text" autocomplete="username">'
        '<label for="password">Password</label>'
        f'<input id="password" name="{screen.name("password")}" type="password" autocomplete="current-password">'
        '<button type="submit" class="btn btn-primary">Log In</button>'
    )
    return whole("Log In", f"<main><h1>TruckTech+</h1>{screen.alert(message)}{screen.form('/login', fields)}</main>")


def expired_form() -> str:
    """Return the page for a form with a stale or missing token."""
    return whole("Form expired", "<main><h1>This form has expired</h1><p>Go back and try again.</p></main>")


def verification(screen: Screen, factor: str, receiver: str, message: str = "") -> str:
    """Return the page of a second factor: "totp", "sms", "email", or "other", which has no field at all."""
    title = "Verify your identity"
    if factor == "other":
        body = "<p>Insert your security key and touch it to continue.</p>"
        return whole(title, f'<main id="two-factor"><h1>{title}</h1>{body}</main>')
    name, placeholder, text = {
        "totp": (
            "code",
            "Authenticator code",
            screen.says("totp", "Open your authenticator app and enter the six digits that it shows.", TOTP),
        ),
        "sms": ("verification_code", "6 digits", screen.says("sms", "We sent a text message to {}.", SMS)),
        "email": (
            "verification_code",
            "6 digits",
            screen.says("email", "We sent an email with a verification code to {}.", EMAIL),
        ),
    }[factor]
    field = (
        f'<label for="second-factor">Code</label><input id="second-factor" name="{screen.name(name)}" type="text" '
        f'inputmode="numeric" autocomplete="one-time-code" placeholder="{placeholder}">'
        '<button type="submit" class="btn btn-primary">Continue</button>'
    )
    again = '<button type="submit" class="btn btn-link">Send another code</button>'
    forms = screen.form("/verification", field) + ("" if factor == "totp" else screen.form("/verification/send", again))
    body = f"<h1>{title}</h1>{screen.alert(message)}<p>{escape(text.format(receiver))}</p>{forms}"
    return whole(title, f'<main id="two-factor">{body}</main>')


def captcha() -> str:
    """Return the page with a captcha, which stands in a frame of its own."""
    frame = '<iframe title="Captcha" src="/captcha/box" width="480" height="260"></iframe>'
    return whole("One moment", f"<main><h1>One moment</h1><p>Please show that you are a person.</p>{frame}</main>")


def captcha_box(screen: Screen, word: str) -> str:
    """Return the captcha itself: a box to tick, and a drawn word to type."""
    size = 'style="display: block; box-sizing: border-box; margin: 0; width: {}px; height: 40px"'
    drawn = (
        '<svg role="img" aria-label="A drawn word" width="200" height="50" style="display: block">'
        '<rect width="200" height="50" fill="#fd3"/>'
        f'<text x="16" y="35" font-size="28" letter-spacing="6" font-family="monospace">{word}</text></svg>'
    )
    # One below the other, without space between: who plays a person finds them by the yellow of the word.
    inside = (
        '<label for="person">I am a person, and have typed the word</label>'
        f'<input id="person" type="checkbox" name="person" value="yes" {size.format(40)}>{drawn}'
        f'<input id="word" name="word" autocomplete="off" aria-label="The word" {size.format(200)}>'
        f'<button type="submit" {size.format(200)}>Continue</button>'
    )
    form = screen.form("/captcha", inside).replace("<form ", '<form target="_top" ', 1)
    return whole("Captcha", f"<main>{form}</main>")


def ask_for_code(screen: Screen, receiver: str) -> str:
    """Return the page that sends no code until it is told to."""
    button = '<button type="submit" class="btn btn-primary">Send a code</button>'
    body = f"<h1>Verify your identity</h1><p>We can reach you at {escape(receiver)}.</p>"
    return whole(
        "Verify your identity", f'<main id="two-factor">{body}{screen.form("/verification/send", button)}</main>'
    )


def trust_device(screen: Screen) -> str:
    """Return the question whether this browser is to be let in without a code from now on."""
    buttons = (
        '<button type="submit" name="trust" value="yes" class="btn btn-primary">Trust this device</button>'
        '<button type="submit" name="trust" value="no" class="btn">Not now</button>'
    )
    return whole(
        "Trust this device",
        f"<main><h1>Do you use this device often?</h1>{screen.form('/trust_device', buttons)}</main>",
    )


def elsewhere(screen: Screen) -> str:
    """Return the dialog about another session of the same user."""
    said = screen.says(
        "elsewhere", "You are already signed in elsewhere. If you continue, that session ends.", ELSEWHERE
    )
    inside = f'<p>{said}</p><button type="submit" class="btn btn-primary">Continue</button> <a href="/login">Cancel</a>'
    dialog = (
        f'<div role="dialog" aria-modal="true" aria-label="Already signed in">{screen.form("/elsewhere", inside)}</div>'
    )
    return whole("Already signed in", f"<main>{dialog}</main>")


def policies(user: str, may_wait: bool, address: str = "/policies", sign_out: str = "/logout") -> str:
    """Return the page that wants the portal's policies accepted; with or without a way around it."""
    later = (
        '<button type="submit" name="decision" value="later" class="btn">Remind me later</button>' if may_wait else ""
    )
    accept = '<button type="submit" name="decision" value="accept" class="btn btn-primary">I accept</button>'
    return frame(
        "Policies & Agreements",
        user,
        "<p>Our policies and agreements have changed. Please read and accept them to continue.</p>"
        f'<form id="policies" method="post" action="{address}">{accept}{later}</form>',
        sign_out=sign_out,
    )


def frame(title: str, user: str, body: str, words: Words = ENGLISH, sign_out: str = "/logout") -> str:
    """Return a signed-in page: the user's name where there is one, the menu, and the body."""
    named = f'<span id="user-name" class="user-name">{escape(user)}</span> ' if user else ""
    return whole(
        title,
        f'<header class="navbar"><nav><a href="/dashboard">{words["dashboard"]}</a> '
        f'<a href="/assets">{words["vehicles"]}</a></nav>'
        f'{named}<a href="{sign_out}">{words["sign_out"]}</a></header>'
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


def session_over(kind: str, title: str) -> str:
    """Return what comes in place of a page when the session is over: a "text", a "dialog" or an "empty" page."""
    if kind == "empty":
        return ""
    said = "<p>Your session has expired. Please log in again.</p>"
    if kind == "dialog":
        inside = f'<h2>Session timed out</h2>{said}<a href="/login">Log in</a>'
        return whole(title, f'<main><h1>{title}</h1><div role="dialog" aria-modal="true">{inside}</div></main>')
    return whole("TruckTech+", f"<main>{said}</main>")


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

"""What the pages of the electric company know: the portal's facts, who has an ID number, and with whom contracts are shared."""

from __future__ import annotations

from typing import Any, ClassVar

from sandbox.iec.people import SCENARIOS, Customer, id_number
from sandbox.portal import PortalState

NOBODY = Customer(id_number("no-contracts"))  # as whom pages answer that ask for no token
COUNTED = (
    "authorizations",
    "authorizations_refused",
    "captchas_shown",
    "code_requests_refused",
    "invitations",
    "invoice_dates_too_old",
    "invoices_served",
    "key_lists",
    "refresh_tokens_reused",
    "refreshes",
    "refreshes_refused",
    "reports_mailed",
    "requests_blocked",
    "requests_unauthorized",
    "shares_removed",
    "tokens_issued",
)


class IecState(PortalState):
    """People by ID number, with their contracts' shares."""

    word = "iec"
    scenarios: ClassVar = SCENARIOS
    sender = "IEC"
    message = "קוד האימות שלך הוא {code}"
    mail_sender = "noreply@iec.co.il"
    mail_subject = "קוד אימות"
    mail_message = "שלום,\n\nקוד האימות שלך הוא {code}\n\nחברת החשמל\n"
    defaults: ClassVar = {
        "users": {},  # {ID number: [words]}: what is seen beside the scenario
        "client_id": "0oaqf6zr7yEcQZqqt2p7",
        "redirect_uri": "com.iecrn:/",
        "issuer": "",  # who tokens are from, instead of OKTA's address with its letters in capitals
        "state_token_seconds": 300,
        "session_token_seconds": 300,
        "authorization_code_seconds": 60,
        "code_interval_seconds": 30,  # between two codes for one device
        "id_token_seconds": 3600,
        "refresh_seconds": 90 * 86_400,  # life of a refresh token that is not used
        "refresh_rotation": True,
        "refresh_grace_seconds": 0,  # how long a used refresh token stays good
        "refresh_reuse_kills": True,  # a used one ends the session with all its tokens
        "captcha_token": "captcha-passed",
        "lag_days": 1,  # the newest day with readings is so many days old
        "corrections": [],  # [{"contract": number, "day": "2026-10-03", "factor": 1.25}]
        "incomplete_filled": False,  # the missing quarters have come in
        "answers": [],  # see answers.py
        "edits": [],
        "tariff_shifted": False,
        "tariff_markup": False,
        "pdf_bytes": 20_000,
    }

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.secrets |= {kind: [] for kind in NOBODY.private}
        self._shares = self.state.table("shares")
        self._revealed: set[str] = set()
        self._count_from_zero()

    @property
    def issuer(self) -> str:
        """Who tokens are from: OKTA's address in another spelling, as the real tokens have it."""
        return str(self.configuration["issuer"]) or f"{self.urls['okta'].upper()}/oauth2/default"

    def _count_from_zero(self) -> None:
        for name in COUNTED:
            self.counters.add(name, 0)

    def reset(self) -> None:
        """Forget what the frame forgets, and for which customers names and numbers were revealed."""
        super().reset()
        self._count_from_zero()
        self._revealed.clear()

    def customer(self, number: str) -> Customer | None:
        """Return who has an ID number, with what the configuration says of them."""
        tags = {key.zfill(9): words for key, words in self.configuration["users"].items()}
        found = Customer.of(number, tags.get(number.zfill(9), ()))
        for shown in (found, *(found.others if found else ())):
            if shown is not None and shown.number not in self._revealed:
                self._revealed.add(shown.number)
                for kind, values in shown.private.items():
                    for value in values:
                        self.reveal(kind, value)
        return found

    def shares(self, contract: str) -> dict[str, Any]:
        """Return who was added to and removed from those that a contract is shared with."""
        return self._shares.get(contract, {"added": [], "removed": []})

    def share(self, contract: str, added: list[str], removed: list[str]) -> None:
        """Change who was added and removed."""
        self._shares[contract] = {"added": added, "removed": removed}

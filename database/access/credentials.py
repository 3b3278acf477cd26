"""A credential as code passes it on: the user name and the secrets of one login."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credential:
    """User name and secrets of one login; nothing that prints it shows a secret."""

    portal: str
    username: str
    password: str = field(repr=False)
    totp_secret: str | None = field(default=None, repr=False)
    receiver: str | None = None  # phone number or mailbox that one-time codes of this credential go to

    @property
    def secret(self) -> str:
        """Everything that is typed: what the ledger fingerprints."""
        return f"{self.password}\n{self.totp_secret or ''}"

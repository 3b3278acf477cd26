"""Passkeys of users with a role: adding, removing, signing in with one; `webauthn` reads and verifies what browsers send."""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from flask import g, request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from werkzeug.exceptions import BadRequest, Conflict, NotFound

from database.access import guesses
from database.access.guesses import Verdict
from database.access.passkeys import (
    CHALLENGE_LIFE,
    MOST,
    add_passkey,
    find_passkey,
    make_challenge,
    passkeys_of,
    remove_passkey,
    use_challenge,
    user_handle,
)
from database.engine import now
from database.models.audit import record
from database.models.operators import ChallengePurpose, Passkey
from database.models.prices import User
from webhook.access import DEFAULT_PORTS
from webhook.api.accounts import Accounts
from webhook.api.room.signing import note_sign_in

NAME = "Latchkey"  # by which devices list their passkeys
MILLISECONDS = int(CHALLENGE_LIFE.total_seconds() * 1000)
# What the library raises for what no browser sends: its own exceptions, and Python's where it does not look before (JSON that is
# no object, or nested without end; bytes that are no UTF-8 or base64).
MALFORMED = (WebAuthnException, AttributeError, KeyError, RecursionError, TypeError, ValueError)
MISSING = (
    "Passkeys need an address with a host name and HTTPS (or http://localhost): LATCHKEY_WEBHOOK_PUBLIC_URL says by "
    "which address the pages are opened."
)
LATE = "That took longer than five minutes, or was sent before: try again."
NOT_ADDED = "The browser's answer was not accepted, and no passkey was added: try again."
TOO_MANY = "Too many passkeys were refused: try again later, or have a code sent."
NOT_SIGNED_IN = "The passkey was not accepted: try another one, or have a code sent."


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The WebAuthn relying party. id: host name. origin: scheme, host name, and port where it is not the usual one."""

    id: str
    origin: str

    @classmethod
    def of(cls, url: str) -> RelyingParty | None:
        """
        Return the one of the pages' address; None where browsers have no passkeys: without HTTPS, or without a host name.

        >>> RelyingParty.of("https://Latchkey.example:8443/room")
        RelyingParty(id='latchkey.example', origin='https://latchkey.example:8443')
        >>> RelyingParty.of("http://127.0.0.1:8000") is RelyingParty.of("http://latchkey.example") is None
        True
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return None
        is_local = host == "localhost" or host.endswith(".localhost")
        if not host or not host.isascii() or _is_address(host) or (parts.scheme != "https" and not is_local):
            return None
        usual = port is None or port == DEFAULT_PORTS[parts.scheme]
        return cls(host, f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{port}")


class Fault(StrEnum):
    """Why a sign-in is refused, as the audit has it."""

    UNREADABLE = "unreadable"
    CHALLENGE = "challenge"  # used, expired, or of another browser
    UNKNOWN = "unknown"  # no passkey of a user with a role
    OTHER_USER = "other user"
    UNVERIFIED = "unverified"  # signature, origin, relying party, or the person was not verified
    COUNTER = "counter"  # it went back: there is a copy of the passkey


@dataclass(frozen=True)
class Passkeys:
    """The acts upon passkeys; what is refused is raised as an HTTP error. party: None where there are no passkeys."""

    accounts: Accounts
    party: RelyingParty | None

    def own(self) -> list[Passkey]:
        """Return the passkeys of who is signed in, the oldest first."""
        with self.accounts.db.transaction() as session:
            return passkeys_of(session, g.user.id)

    def begin_adding(self, browser: str) -> str:
        """Return what a browser needs to make a passkey, as JSON. browser: text that only its session has."""
        party = self.must_have()
        self.accounts.must_be_recent()
        with self.accounts.db.transaction() as session:
            own = passkeys_of(session, g.user.id)
            _must_have_room(own)
            challenge = make_challenge(session, ChallengePurpose.ADD, browser)
            handle = user_handle(session, g.user.id)
        options = generate_registration_options(
            rp_id=party.id,
            rp_name=NAME,
            user_name=g.user.email,
            user_id=handle,
            challenge=base64url_to_bytes(challenge),
            timeout=MILLISECONDS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,  # else one would have to type a user name
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.credential_id)) for each in own
            ],
        )
        return options_to_json(options)

    def add(self, name: str, given: str, browser: str) -> None:
        """Store the passkey that a browser has made. given: its answer, as JSON."""
        party = self.must_have()
        self.accounts.must_be_recent()
        try:
            made = parse_registration_credential_json(given)
            challenge = parse_client_data_json(made.response.client_data_json).challenge
        except MALFORMED:
            raise BadRequest(NOT_ADDED) from None
        with self.accounts.db.transaction() as session:
            is_open = use_challenge(session, ChallengePurpose.ADD, browser, bytes_to_base64url(challenge))
        if not is_open:
            raise BadRequest(LATE)
        try:
            verified = verify_registration_response(
                credential=made,
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                require_user_verification=True,
            )
        except MALFORMED:
            raise BadRequest(NOT_ADDED) from None
        credential_id = bytes_to_base64url(verified.credential_id)
        public_key = bytes_to_base64url(verified.credential_public_key)
        try:
            with self.accounts.db.transaction() as session:
                _must_have_room(passkeys_of(session, g.user.id))
                add_passkey(session, g.user, name, credential_id, public_key, verified.sign_count)
        except IntegrityError:
            raise Conflict("This passkey is known here already.") from None

    def remove(self, passkey_id: int) -> None:
        """Delete a passkey of who is signed in."""
        with self.accounts.db.transaction() as session:
            if not remove_passkey(session, g.user, passkey_id):
                raise NotFound("You have no such passkey.")

    def begin_sign_in(self, browser: str) -> str:
        """Return what a browser needs to find a passkey of ours, as JSON. browser: text that only its session has."""
        self.accounts.access.count_visitor()
        party = self.must_have()
        with self.accounts.db.transaction() as session:
            challenge = make_challenge(session, ChallengePurpose.SIGN_IN, browser)
        options = generate_authentication_options(
            rp_id=party.id,
            challenge=base64url_to_bytes(challenge),
            timeout=MILLISECONDS,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json(options)

    def sign_in(self, given: str, browser: str) -> str:
        """
        Return the token of a new session of the user to whom a passkey belongs. given: the browser's answer, as JSON.

        Raises BadRequest for a wrong one, TooManyRequests for a client that is blocked after too many.
        """
        self.accounts.access.count_visitor()
        party = self.must_have()
        token, fault = "", None
        with self.accounts.db.transaction() as session:
            signed = _read(given)
            found = find_passkey(session, signed.id) if signed is not None else None
            owner, at = found[1].email if found is not None else "", now(session)
            client = guesses.network(request.remote_addr or "")
            counter = guesses.counter_of(session, f"passkey\n{owner}\n{client}", at)
            verdict = guesses.blocked(counter, at)
            if verdict is None:
                fault = self._fault(session, party, signed, found, browser)
                if fault is not None or found is None:
                    record(session, "user.passkey_refused", owner, {"why": str(fault)})
                    verdict = guesses.count_wrong(counter, at, self.accounts.limits)
                else:
                    verdict = Verdict(right=True)
                    session.delete(counter)
                    token = self.accounts.enter(session, found[1])
                    note_sign_in(session, found[1], "passkey")
        self.accounts.tell(verdict, LATE if fault is Fault.CHALLENGE else NOT_SIGNED_IN, TOO_MANY)
        return token

    def _fault(
        self,
        session: Session,
        party: RelyingParty,
        signed: AuthenticationCredential | None,
        found: tuple[Passkey, User] | None,
        browser: str,
    ) -> Fault | None:
        """Return why a sign-in is refused. None: it is not, and the use is noted at the passkey."""
        if signed is None:
            return Fault.UNREADABLE
        challenge = parse_client_data_json(signed.response.client_data_json).challenge
        if not use_challenge(session, ChallengePurpose.SIGN_IN, browser, bytes_to_base64url(challenge)):
            return Fault.CHALLENGE
        if found is None:
            return Fault.UNKNOWN
        passkey, user = found
        if not hmac.compare_digest(signed.response.user_handle or b"", user_handle(session, user.id)):
            return Fault.OTHER_USER
        verified = _verified(party, signed, challenge, passkey, passkey.sign_count)
        if verified is None:
            # Signed all the same: then it is the counter alone.
            went_back = passkey.sign_count and _verified(party, signed, challenge, passkey, 0) is not None
            return Fault.COUNTER if went_back else Fault.UNVERIFIED
        passkey.sign_count, passkey.last_used_at = verified.new_sign_count, now(session)
        return None

    def must_have(self) -> RelyingParty:
        """Return the relying party; raise Conflict where there are no passkeys."""
        if self.party is None:
            raise Conflict(MISSING)
        return self.party


def _read(given: str) -> AuthenticationCredential | None:
    """Return what a browser has sent to sign in; None for anything else."""
    try:
        signed = parse_authentication_credential_json(given)
        parse_client_data_json(signed.response.client_data_json)
    except MALFORMED:
        return None
    return signed


def _verified(
    party: RelyingParty, signed: AuthenticationCredential, challenge: bytes, passkey: Passkey, sign_count: int
) -> VerifiedAuthentication | None:
    """Return what a passkey has signed; None where it is not as it must be."""
    try:
        return verify_authentication_response(
            credential=signed,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except MALFORMED:
        return None


def _must_have_room(own: list[Passkey]) -> None:
    if len(own) >= MOST:
        raise Conflict(f"A user has at most {MOST} passkeys: remove one first.")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

"""Signing in and out: codes, passwords, bots, and authorizations handed from one data centre to another."""

from __future__ import annotations

import secrets
from hmac import compare_digest
from typing import Any

from telethon.tl import functions, types

from sandbox.telegram import entities
from sandbox.telegram.calls import Call, Refusal, answers
from sandbox.telegram.keys import UNREGISTERED
from sandbox.telegram.people import Account, account_of, bot_of
from sandbox.telegram.service import HOME
from sandbox.telegram.srp import Challenge, kdf

CHALLENGES = 200  # questions for passwords that are remembered at once
_challenges: dict[int, Challenge] = {}
_exported: dict[bytes, str] = {}


@answers(functions.auth.SendCodeRequest, functions.auth.ResendCodeRequest, anonymous=True)
def send_code(call: Call) -> Any:
    """Send a code to a phone number."""
    state, account = call.state, known(call)
    if account.says("banned") or state.is_banned(account):
        raise Refusal(400, "PHONE_NUMBER_BANNED")
    if account.says("code-flood") or state.codes_today(account.number) >= state.configuration["codes_per_day"]:
        state.counters.add("flood_waits")
        raise Refusal(420, "FLOOD_WAIT_86400")
    kind = types.auth.SentCodeTypeSms(state.code_digits)
    return types.auth.SentCode(kind, state.new_sent_code(account), timeout=60)


@answers(functions.auth.SignInRequest, anonymous=True)
def sign_in(call: Call) -> Any:
    """Sign in with a code, or have the password asked for."""
    state, account, request = call.state, known(call), call.request
    row = state.sent_code(request.phone_code_hash)
    if row is None or row["number"] != account.number:
        raise Refusal(400, "PHONE_CODE_EXPIRED")
    late = state.now() - row["made"] > state.configuration["code_seconds"]
    if late or row["used"] or account.says("code-expired"):
        state.counters.add("codes_refused")
        raise Refusal(400, "PHONE_CODE_EXPIRED")
    if account.says("code-refused") or not compare_digest(row["code"].encode(), request.phone_code.strip().encode()):
        state.counters.add("codes_refused")
        raise Refusal(400, "PHONE_CODE_INVALID" if request.phone_code else "PHONE_CODE_EMPTY")
    state.use_code(request.phone_code_hash)
    if account.says("unoccupied"):
        return types.auth.AuthorizationSignUpRequired()
    if account.password:
        state.keys.keep(call.key, owes=account.number, error="")
        raise Refusal(401, "SESSION_PASSWORD_NEEDED")
    return authorized(call, account)


@answers(functions.account.GetPasswordRequest, anonymous=True)
def get_password(call: Call) -> Any:
    """Say how a password has to be proved, to those who owe one or are signed in."""
    account = owing(call)
    empty = kdf(b"", b"")
    common = {
        "new_algo": empty,
        "new_secure_algo": types.SecurePasswordKdfAlgoUnknown(),
        "secure_random": secrets.token_bytes(32),
    }
    if not account.password:
        return types.account.Password(**common)
    challenge = Challenge.to(account.password, account.number)
    _challenges[challenge.id] = challenge
    for former in list(_challenges)[:-CHALLENGES]:
        del _challenges[former]
    return types.account.Password(
        has_password=True,
        current_algo=challenge.algorithm,
        srp_B=challenge.public,
        srp_id=challenge.id,
        hint="as everywhere in the sandbox",
        **common,
    )


@answers(functions.auth.CheckPasswordRequest, anonymous=True)
def check_password(call: Call) -> Any:
    """Judge the proof of a password."""
    account, given = owing(call), call.request.password
    call.state.counters.add_to("submissions", account.number)
    challenge = _challenges.pop(getattr(given, "srp_id", 0), None)
    if challenge is None:
        raise Refusal(400, "SRP_ID_INVALID")
    if not challenge.proved_by(given):
        call.state.counters.add("refused")
        raise Refusal(400, "PASSWORD_HASH_INVALID")
    return authorized(call, account)


@answers(functions.auth.ImportBotAuthorizationRequest, anonymous=True)
def sign_in_bot(call: Call) -> Any:
    """Sign in a bot by its token."""
    bot = bot_of(call.request.bot_auth_token)
    if bot is None:
        raise Refusal(400, "ACCESS_TOKEN_INVALID")
    return authorized(call, bot)


@answers(functions.auth.LogOutRequest)
def log_out(call: Call) -> Any:
    """Sign out; the key is good for another sign-in."""
    call.state.keys.keep(call.key, number="", owes="")
    return types.auth.LoggedOut()


@answers(functions.auth.ExportAuthorizationRequest)
def export(call: Call) -> Any:
    """Give a ticket with which the same account is let in at another data centre."""
    if call.request.dc_id == HOME:
        raise Refusal(400, "DC_ID_INVALID")
    ticket = secrets.token_bytes(32)
    _exported[ticket] = call.me.number
    return types.auth.ExportedAuthorization(call.me.id, ticket)


@answers(functions.auth.ImportAuthorizationRequest, anonymous=True)
def import_(call: Call) -> Any:
    """Let an account in by a ticket; it is good once."""
    number = _exported.pop(call.request.bytes, "")
    account = call.state.account(number) if number else None
    if account is None or account.id != call.request.id:
        raise Refusal(400, "AUTH_BYTES_INVALID")
    call.state.keys.keep(call.key, number=number, imported=True, error="")
    return types.auth.Authorization(entities.me(account))


def known(call: Call) -> Account:
    """Return whose phone number a request has."""
    account = account_of(call.request.phone_number, call.state.configuration["users"])
    if account is None or account.is_bot:
        raise Refusal(400, "PHONE_NUMBER_INVALID")
    call.about["number"] = account.number
    return account


def owing(call: Call) -> Account:
    """Return who is signed in with the key, or has shown a code and owes a password."""
    account = call.account or call.state.account(call.key.row["owes"] or "none")
    if account is None:
        raise Refusal(401, UNREGISTERED)
    return account


def authorized(call: Call, account: Account) -> Any:
    """Sign somebody in."""
    call.state.sign_in(call.key, account)
    return types.auth.Authorization(entities.me(account))

"""Telegram: a server that speaks MTProto, for clients that are none of ours. See README.md."""

from sandbox.telegram.channels import CHANNELS
from sandbox.telegram.documents import sha256_of
from sandbox.telegram.people import bot_token, phone_number

__all__ = ["CHANNELS", "bot_token", "phone_number", "sha256_of"]

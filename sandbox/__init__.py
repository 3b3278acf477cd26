"""
Imitation portals with every known fault, for the demo, the tests and people without an account.

This module holds what callers need; the portals themselves run in a process of their own (`running`).
"""

from sandbox.client import Admin, AdminError, Running, SandboxError, running
from sandbox.users import NEW_PASSWORD, PASSWORD, User, default_password, mailbox, phone, totp_code, totp_secret

__all__ = [
    "NEW_PASSWORD",
    "PASSWORD",
    "Admin",
    "AdminError",
    "Running",
    "SandboxError",
    "User",
    "default_password",
    "mailbox",
    "phone",
    "running",
    "totp_code",
    "totp_secret",
]

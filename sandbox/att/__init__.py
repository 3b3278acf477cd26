"""An imitation of AT&T Premier Care: see README.md beside this file."""

from sandbox.att.pages import PEOPLE

__all__ = ["accounts"]

accounts = PEOPLE.accounts

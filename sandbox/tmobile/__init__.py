"""An imitation of T-Mobile for Business with its identity pages: see README.md beside this file."""

from sandbox.tmobile.pages import PEOPLE

__all__ = ["accounts"]

accounts = PEOPLE.accounts

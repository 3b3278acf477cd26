"""An imitation of Rogers' business portal with its identity provider: see README.md beside this file."""

from sandbox.rogers.pages import PEOPLE

__all__ = ["accounts"]

accounts = PEOPLE.accounts

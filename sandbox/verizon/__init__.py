"""An imitation of Verizon's My Business portal with the host of its sign-in: see README.md beside this file."""

from sandbox.verizon.pages import PEOPLE

__all__ = ["accounts"]

accounts = PEOPLE.accounts

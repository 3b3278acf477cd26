"""An imitation of My Telus with TELUS IQ and Bill Analyzer: see README.md beside this file."""

from sandbox.telus.pages import PEOPLE

__all__ = ["accounts"]

accounts = PEOPLE.accounts

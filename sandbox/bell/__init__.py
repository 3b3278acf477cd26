"""An imitation of Bell's Corporate Self Serve with its e-reports: see README.md beside this file."""

from sandbox.bell.people import accounts

__all__ = ["accounts"]

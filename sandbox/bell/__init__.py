"""An imitation of Bell's Corporate Self Serve, its e-reports and its Enterprise Centre: see README.md beside this file."""

from sandbox.bell.people import accounts

__all__ = ["accounts"]

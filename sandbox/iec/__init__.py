"""An imitation of the Israel Electric Company's OKTA sign-in and APIs: see README.md beside this file."""

from sandbox.iec.people import id_number

__all__ = ["id_number"]

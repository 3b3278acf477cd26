"""The address on which the service listens, and why it may not be had: the same sentences whatever serves."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from webhook.settings import WebhookSettings


class CannotListen(Exception):
    """The address cannot be listened on. The text is one sentence that names the setting and the cure."""


@contextmanager
def explained(settings: WebhookSettings) -> Iterator[None]:
    """Turn what the system says of an address, in the block, into CannotListen."""
    where = f"{settings.webhook_host}:{settings.webhook_port}"
    try:
        yield
    except socket.gaierror:
        raise _no_address(settings) from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotListen(
                f"Something else listens on {where}: end it, or set LATCHKEY_WEBHOOK_PORT (or --port) to another port."
            ) from None
        raise CannotListen(
            f"Cannot listen on {where} ({error.strerror}): check LATCHKEY_WEBHOOK_HOST and LATCHKEY_WEBHOOK_PORT."
        ) from None
    except ValueError:  # what waitress says of a host that does not resolve
        raise _no_address(settings) from None


def several_addresses(settings: WebhookSettings) -> CannotListen:
    """Return the refusal of a host that stands for more than one address."""
    where = f"{settings.webhook_host}:{settings.webhook_port}"
    return CannotListen(f"{where} is several addresses: set LATCHKEY_WEBHOOK_HOST to one, such as 127.0.0.1 or ::1.")


def bound(settings: WebhookSettings) -> socket.socket:
    """Return a socket that is bound to the address of the settings; raise CannotListen."""
    with explained(settings):
        found = socket.getaddrinfo(settings.webhook_host, settings.webhook_port, type=socket.SOCK_STREAM)
    if len({(family, address) for family, _, _, _, address in found}) > 1:
        raise several_addresses(settings)
    family, kind, protocol, _, address = found[0]
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        with explained(settings):
            made.bind(address)
    except CannotListen:
        made.close()
        raise
    return made


def _no_address(settings: WebhookSettings) -> CannotListen:
    return CannotListen(f"{settings.webhook_host} is not an address here: check LATCHKEY_WEBHOOK_HOST.")

"""
Which alerts a check gives rise to: pure functions of how an item stood, what the check has found, and what was told before.

A condition that lasts is told once, when it begins; its end arms it anew. What happens at a moment (a new lowest price, a
drop, a change) is told each time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from database.models.prices import AlertKind

NO_LONGER_SOLD = "gone"  # an availability
OUT_OF_STOCK = frozenset({"out_of_stock", NO_LONGER_SOLD})
PRODUCT_GONE = "product_gone"  # the outcome of a check whose product has no page any more


@dataclass(frozen=True, slots=True)
class Before:
    """How an item stood before a check. None: not known."""

    threshold: Decimal
    threshold_currency: str | None = None
    price: Decimal | None = None  # of the last success, as what follows
    list_price: Decimal | None = None
    currency: str | None = None
    availability: str | None = None
    lowest: Decimal | None = None  # ever, in the currency of the check
    failures: int = 0  # in a row
    drop_percent: int = 10
    failing_after: int = 3


@dataclass(frozen=True, slots=True)
class Found:
    """What a check has found: a price, or the outcome by which it failed. None: the page does not say."""

    price: Decimal | None = None
    currency: str | None = None
    list_price: Decimal | None = None
    availability: str | None = None
    outcome: str = "success"

    @property
    def can_be_bought(self) -> bool:
        """Whether there is a price, and the product is not out of stock."""
        return self.price is not None and self.availability not in OUT_OF_STOCK


def due(
    before: Before, found: Found, wanted: Collection[str], armed: Mapping[str, bool]
) -> tuple[list[AlertKind], dict[str, bool]]:
    """
    Return the kinds that are told now, in the order of AlertKind, and which are armed after that.

    wanted: kinds that the user has chosen. armed: of the last check; a kind that is not there is armed.
    """
    state = {kind: armed.get(kind, True) for kind in AlertKind}
    told = []
    for kind, holds in _lasting(before, found).items():
        if kind not in wanted or holds is None:
            continue
        if holds and state[kind]:
            told.append(kind)
        elif kind is AlertKind.FAILING and not holds and not state[kind]:
            told.append(AlertKind.RECOVERED)
        state[kind] = not holds
    told += [kind for kind, happens in _momentary(before, found).items() if happens and kind in wanted]
    disarmed = {kind.value: False for kind in AlertKind if kind in wanted and not state[kind]}
    return sorted(told, key=list(AlertKind).index), disarmed


def _lasting(before: Before, found: Found) -> dict[AlertKind, bool | None]:
    """Return which conditions hold; None where a check says nothing of one."""
    has_price = found.price is not None
    below = None
    if found.can_be_bought and found.currency == (before.threshold_currency or found.currency):
        assert found.price is not None
        below = found.price < before.threshold
    gone = found.outcome == PRODUCT_GONE or found.availability == NO_LONGER_SOLD
    return {
        AlertKind.BELOW_THRESHOLD: below,
        AlertKind.GONE: True if gone else False if has_price else None,
        AlertKind.FAILING: not has_price and before.failures + 1 >= before.failing_after,
    }


def _momentary(before: Before, found: Found) -> dict[AlertKind, bool]:
    """Return what has happened since the last success."""
    back = before.availability in OUT_OF_STOCK and found.availability is not None and found.can_be_bought
    happened = {AlertKind.BACK_IN_STOCK: back}
    if found.price is None:
        return happened
    happened[AlertKind.NEW_LOWEST] = found.can_be_bought and before.lowest is not None and found.price < before.lowest
    if before.price is None or before.currency != found.currency:
        return happened
    least = before.price * before.drop_percent / 100
    happened[AlertKind.DROP] = found.can_be_bought and before.price > 0 and before.price - found.price >= least
    was_reduced = before.list_price is not None and before.price < before.list_price
    happened[AlertKind.USUAL_PRICE] = was_reduced and found.price >= (found.list_price or before.list_price or 0)
    happened[AlertKind.ANY_CHANGE] = found.price != before.price
    return happened

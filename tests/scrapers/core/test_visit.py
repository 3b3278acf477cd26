"""Driving a visit: what its `yield` returns and raises, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from scrapers.core.items import Listing
from scrapers.core.outcomes import BadFile, LeaseLost, PortalChanged
from scrapers.core.visit import Deliveries, drive


class Recorder:
    """Stores items, refuses some, and remembers in which order things happened."""

    def __init__(self, **refused: Exception) -> None:
        self.refused = refused
        self.events: list[str] = []

    async def deliver(self, item: str) -> None:
        await asyncio.sleep(0)
        if (error := self.refused.get(item)) is not None:
            raise error
        self.events.append(f"stored {item}")


def test_a_yield_returns_once_the_item_is_stored():
    recorder = Recorder()

    async def visit() -> AsyncIterator[str]:
        for item in ("a", "b"):
            yield item
            recorder.events.append(f"after {item}")

    asyncio.run(drive(visit(), recorder.deliver))
    assert recorder.events == ["stored a", "after a", "stored b", "after b"]


def test_what_refuses_an_item_is_raised_at_its_yield():
    recorder = Recorder(b=BadFile("cut"))

    async def visit() -> AsyncIterator[str]:
        for item in ("a", "b", "c"):
            try:
                yield item
            except BadFile as failure:
                recorder.events.append(f"refused {item}: {failure.detail}")

    asyncio.run(drive(visit(), recorder.deliver))
    assert recorder.events == ["stored a", "refused b: cut", "stored c"]


def test_a_refusal_that_is_not_caught_ends_the_visit():
    failure, ended = LeaseLost(), []

    async def visit() -> AsyncIterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            ended.append("closed")

    recorder = Recorder(a=failure)
    with pytest.raises(LeaseLost) as caught:
        asyncio.run(drive(visit(), recorder.deliver))
    assert caught.value is failure
    assert ended == ["closed"]
    assert recorder.events == []


def test_an_error_of_the_visit_itself_comes_out_as_it_is():
    async def visit() -> AsyncIterator[str]:
        yield "a"
        raise PortalChanged("nothing there")

    with pytest.raises(PortalChanged, match="nothing there"):
        asyncio.run(drive(visit(), Recorder().deliver))


def test_a_visit_without_items_ends_at_once():
    async def visit() -> AsyncIterator[str]:
        for item in ():
            yield item

    asyncio.run(drive(visit(), Recorder().deliver))


def test_a_cancelled_visit_is_closed_while_its_item_is_stored():
    ended = []

    async def visit() -> AsyncIterator[str]:
        try:
            yield "a"
        finally:
            ended.append("closed")

    async def never(_item: Any) -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await drive(visit(), never)

    asyncio.run(main())
    assert ended == ["closed"]


async def deliver_both(deliveries: Deliveries, settle: Any) -> list[object]:
    """Deliver two items side by side, as two visits do; *settle* is what the pipelines do with an item."""
    items = [Listing(job=1, keys=()), Listing(job=1, keys=())]  # equal, and yet two
    deliveries.open()
    deliveries.open()

    async def one(item: Listing) -> object:
        try:
            await deliveries.deliver(item)
            return None
        except BadFile as failure:
            return failure
        finally:
            deliveries.close()

    async def pipelines() -> None:
        async for item in deliveries.items():
            settle(items.index(item) if item is items[0] else 1, item)

    *results, _ = await asyncio.gather(*map(one, items), pipelines())
    return results


def test_two_visits_hear_each_of_its_own_item():
    deliveries, failure = Deliveries(), BadFile("cut")

    def settle(place: int, item: object) -> None:
        assert deliveries.settle(item, failure if place else None)

    assert asyncio.run(deliver_both(deliveries, settle)) == [None, failure]


def test_an_item_of_no_visit_is_left_to_others():
    assert not Deliveries().settle(Listing(job=1, keys=()), None)


def test_a_visit_that_ends_before_the_next_is_counted_does_not_end_the_queue():
    """The first job's credential may be refused while `start()` still yields the requests of the others."""

    async def main() -> list[object]:
        deliveries, item = Deliveries(), Listing(job=1, keys=())
        deliveries.open()
        deliveries.close()
        deliveries.open()

        async def visit() -> None:
            await deliveries.deliver(item)
            deliveries.close()

        async def pipelines() -> list[object]:
            seen: list[object] = []
            async for each in deliveries.items():
                seen.append(each)
                deliveries.settle(each, None)
            return seen

        async with asyncio.timeout(60):
            _, seen = await asyncio.gather(visit(), pipelines())
        return seen

    assert len(asyncio.run(main())) == 1


def test_without_visits_there_is_nothing_to_wait_for():
    async def main() -> list[object]:
        return [item async for item in Deliveries().items()]

    assert asyncio.run(main()) == []

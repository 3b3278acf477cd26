"""The brake of a job."""

import asyncio

import pytest

from scrapers.core.brake import Brake
from scrapers.core.outcomes import LeaseLost, UnexpectedError


def test_it_may_be_pulled_again_while_the_operations_that_it_cancels_still_end():
    async def scene() -> None:
        brake, pulled, ended = Brake(), asyncio.Event(), asyncio.Event()

        async def work() -> None:
            async with brake():
                try:
                    await asyncio.Event().wait()
                finally:
                    pulled.set()
                    await ended.wait()

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        brake.pull(UnexpectedError("first"))
        await pulled.wait()
        brake.pull(LeaseLost("second"))
        ended.set()

        with pytest.raises(UnexpectedError, match="first"):
            await task

    asyncio.run(scene())

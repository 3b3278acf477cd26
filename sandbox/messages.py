"""How a portal's text messages reach people: posted to a gateway's webhook, late, doubled or out of order on request."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import deque
from datetime import UTC, datetime
from typing import Any

import aiohttp

logger = logging.getLogger(__name__)

TRY_SECONDS = 60  # how long a message is offered to a gateway that does not take it


class Gateway:
    """Posts messages as `{"data": {"payload": {"id", "text", "from", "to", "received_at"}}}`, never holding a page up."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._token = token
        self._tasks: set[asyncio.Task[bool]] = set()
        self._session: aiohttp.ClientSession | None = None
        self.sent: deque[dict[str, Any]] = deque(maxlen=2000)

    def send(self, url: str, sender: str, receiver: str, text: str, **how: Any) -> asyncio.Task[bool]:
        """
        Start to deliver a message and return the task, whose result is whether the gateway took it.

        url: another address than the gateway's own, or "". how: `after` seconds to wait first, `age` seconds that the
        message is older than now, `number` to give it the id of another one, `before` a task that must end first.
        """
        task = asyncio.create_task(self._deliver(url or self.url, sender, receiver, text, **how))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _deliver(
        self,
        url: str,
        sender: str,
        receiver: str,
        text: str,
        after: float = 0.0,
        age: float = 0.0,
        number: str = "",
        before: asyncio.Task[bool] | None = None,
    ) -> bool:
        if before is not None:
            await asyncio.wait([before])
        await asyncio.sleep(after)
        number = number or uuid.uuid4().hex
        record = {"number": number, "sender": sender, "receiver": receiver, "time": time.time(), "taken": False}
        self.sent.append(record)
        if not url:
            return False
        payload = {
            "id": number,
            "text": text,
            "from": {"phone_number": sender},
            "to": [{"phone_number": receiver}],
            "received_at": datetime.fromtimestamp(time.time() - age, UTC).isoformat(),
        }
        self._session = self._session or aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        deadline = time.monotonic() + TRY_SECONDS
        wait = 0.1
        headers = {"Authorization": f"Bearer {self._token}"}
        while True:
            said = ""
            try:
                async with self._session.post(url, json={"data": {"payload": payload}}, headers=headers) as answer:
                    if answer.status < 300:
                        record["taken"] = True
                        return True
                    said = f"status {answer.status}"
            except (aiohttp.ClientError, TimeoutError) as error:
                said = type(error).__name__
            if time.monotonic() + wait > deadline:
                logger.warning("The gateway did not take message %s: %s", number, said)
                return False
            await asyncio.sleep(wait)
            wait = min(wait * 2, 2.0)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

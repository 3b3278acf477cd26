"""
The bare client for Telegram: Telethon's own loop over a channel's messages, each file downloaded to disk.

It keeps no row of anything, and checks nothing. Run as `python -m benchmarks.telegram_floor JSON`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import StringSession
from telethon.tl.types import InputPeerChannel


async def work(told: dict[str, Any]) -> None:
    """Download every file of the channel, the oldest first."""
    host, _, port = told["server"].rpartition(":")
    session = StringSession(told["string"])
    session.set_dc(session.dc_id, host, int(port))
    client = TelegramClient(session, *told["api"], receive_updates=False)
    await client.connect()
    number = 0
    async for message in client.iter_messages(InputPeerChannel(told["channel"], told["access_hash"]), reverse=True):
        if message.file is not None:
            await message.download_media(str(Path(told["folder"]) / f"{message.id}_{message.file.name or 'file'}"))
            number += 1
    await client.disconnect()
    print(number)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    rsa.add_key(Path(given["key"]).read_text(), old=False)
    asyncio.run(work(given))

"""Our time and memory, measured beside a bare asyncio/aiohttp client that does the same work in the same minute."""

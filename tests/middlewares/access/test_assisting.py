"""An operator's part of a sign-in, in a real browser: the picture, the acts, the channel, and that nothing is kept."""

from __future__ import annotations

import asyncio
import base64
import http.client
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from database.access.assisted import end
from database.engine import Database, now
from database.models.assisted import AssistedSignIn, AssistedState
from database.models.prices import User
from middlewares.access.assisting import WITH_PICTURES, assistance
from scrapers.core.outcomes import BrowserMissing
from scrapers.core.page import PortalPage
from scrapers.core.redaction import redactor
from scrapers.core.remote import Ask, Picture, Seal, read_answer
from scrapers.core.settings import crawl_settings

pytestmark = pytest.mark.browser
TYPED = "canary-of-the-operator"
PAGE = """<style>body { margin: 0 } input, button { display: block; margin: 0; box-sizing: border-box; width: 400px; height: 100px }</style>
<input type=checkbox id=box><input id=field><button id=button onclick="this.textContent = 'pressed'">Press</button>"""


def asked_for(db: Database) -> int:
    """Make a request that a worker has taken."""
    with db.transaction() as session:
        user, at = User(email="olga@example.com"), now(session)
        session.add(user)
        session.flush()
        row = AssistedSignIn(user_id=user.id, portal="acme", login="acme", username="ana", state=AssistedState.STARTED)
        row.asked_at, row.deadline = at, at + timedelta(minutes=10)
        session.add(row)
        session.flush()
        return row.id


def row_of(db: Database, number: int) -> AssistedSignIn:
    with db.transaction() as session:
        return session.get_one(AssistedSignIn, number)


def send(address: str, message: bytes) -> bytes | int:
    """Post a message; return the answer, or the status that refuses it."""
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request("POST", "/", message)
    answer = connection.getresponse()
    return answer.read() if answer.status == 200 else answer.status


class Room:
    """The other side of the channel, as `scrapy serve` is it."""

    def __init__(self, row: AssistedSignIn) -> None:
        assert row.address is not None
        assert row.key is not None
        self.address, self.key, self.count = row.address, row.key, 0

    def sealed(self, **ask: Any) -> tuple[str, bytes]:
        self.count += 1
        nonce = f"{self.count:020d}"
        return nonce, Seal(self.key).close(Ask(nonce=nonce, **ask).model_dump_json().encode())

    async def ask(self, **ask: Any) -> tuple[dict[str, Any], Picture | None]:
        nonce, message = self.sealed(**ask)
        answer = await asyncio.to_thread(send, self.address, message)
        assert isinstance(answer, bytes)
        return read_answer(nonce, Seal(self.key).open(answer))

    async def acts(self, *acts: dict[str, Any]) -> bool:
        return bool((await self.ask(do="act", acts=list(acts)))[0]["done"])


def click(x: float, y: float) -> list[dict[str, Any]]:
    """Return the acts of a click at a place of a window of 1280x720."""
    return [{"kind": kind, "x": x / 1280, "y": y / 720} for kind in ("move", "down", "up")]


# What is seen in a picture: its size, and how many colours it has.
SEEN = """async (picture) => {
  const image = await createImageBitmap(await (await fetch(`data:image/jpeg;base64,${picture}`)).blob());
  const pencil = new OffscreenCanvas(image.width, image.height).getContext("2d");
  pencil.drawImage(image, 0, 0);
  const { data } = pencil.getImageData(0, 0, image.width, image.height);
  return [image.width, image.height, new Set(new Uint32Array(data.buffer)).size];
}"""


@pytest.fixture
def work(
    tmp_path: Path, sqlite_with_tables: Path, encryption_key: str, caplog: pytest.LogCaptureFixture
) -> Iterator[Any]:
    """Stand for the work of a crawl that an operator has asked for."""
    caplog.set_level("DEBUG")
    db = Database(f"sqlite:///{shutil.copy(sqlite_with_tables, tmp_path / 'latchkey.db')}")
    yield SimpleNamespace(db=db, spider="acme_sign_in", assisted=asked_for(db))
    db.engine.dispose()


def test_the_operator_sees_the_page_and_acts_in_it(run, work, caplog):
    async def assist(page: PortalPage) -> None:
        db, number = work.db, work.assisted
        async with assistance(work) as operator:
            assert row_of(db, number).address is None  # before it is the operator's turn nothing can be reached
            await page.raw.set_viewport_size({"width": 1280, "height": 720})
            await operator.show(page.raw)
            row = row_of(db, number)
            assert (row.state, row.address is not None and row.address.startswith("127.0.0.1:")) == ("open", True)
            room, newest = Room(row), None
            while newest is None:
                _, newest = await room.ask(do="look", after=0)
            width, height, colours = await page.raw.evaluate(SEEN, base64.b64encode(newest.content).decode())
            assert (newest.content[:3], width, height) == (b"\xff\xd8\xff", 1280, 720)
            assert colours > 10

            assert await room.acts(*click(50, 50), *click(100, 150), {"kind": "text", "text": TYPED})
            assert await page.raw.is_checked("#box")
            assert await page.raw.input_value("#field") == TYPED
            assert await room.acts({"kind": "key", "name": "Backspace"}, {"kind": "text", "text": "é漢"})
            assert await page.raw.input_value("#field") == f"{TYPED[:-1]}é漢"
            assert await room.acts({"kind": "key", "name": "Tab"}, {"kind": "key", "name": "Space"})
            assert await page.raw.text_content("#button") == "pressed"
            after = newest.number
            while newest is None or newest.number == after:
                _, newest = await room.ask(do="look", after=after)
            assert redactor.hide(f"<{TYPED}>") == "<•••>"  # no word beside it: another test may have hidden that

            # What is not sealed with this key, or was sent before, does nothing.
            _, message = room.sealed(do="act", acts=[{"kind": "key", "name": "Space"}])
            assert isinstance(await asyncio.to_thread(send, room.address, message), bytes)
            for refused in (message, b"", Seal(Seal.new_key()).close(b"{}"), Seal(room.key).close(b"{}")):
                assert await asyncio.to_thread(send, room.address, refused) == 403

            await room.ask(do="stop")
            assert operator.until <= asyncio.get_running_loop().time()
            assert not await room.acts({"kind": "text", "text": "late"})
        row = row_of(db, number)
        assert (row.state, row.address, row.key) == ("started", None, None)
        with pytest.raises(OSError):
            await asyncio.to_thread(send, room.address, message)

    run(PAGE, assist)
    assert TYPED not in caplog.text


def test_a_request_that_was_cancelled_meanwhile_is_not_opened(run, work):
    async def assist(page: PortalPage) -> None:
        async with assistance(work) as operator:
            with work.db.transaction() as session:
                end(session, work.assisted, None, "It was cancelled.")
            await operator.show(page.raw)
            assert operator.until <= asyncio.get_running_loop().time()
        assert (row_of(work.db, work.assisted).state, row_of(work.db, work.assisted).address) == ("ended", None)

    run(PAGE, assist)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("LATCHKEY_ASSIST_HOST", "192.0.2.7", "LATCHKEY_ASSIST_HOST: 192.0.2.7 cannot be listened on"),
        ("LATCHKEY_BROWSER", "firefox", "LATCHKEY_BROWSER is firefox"),
    ],
)
def test_what_cannot_be_is_said_before_the_portal_is_asked(work, monkeypatch, name, value, sentence):
    monkeypatch.setenv(name, value)
    crawl_settings.cache_clear()

    async def begin() -> None:
        async with assistance(work):
            pass

    with pytest.raises(BrowserMissing, match=sentence):
        asyncio.run(begin())
    assert "firefox" not in WITH_PICTURES

"""
Telethon alone against the sandbox's server, from the first connection to a file and the sign-out.

`python script.py SERVER KEY-FILE ADMIN-URL PHONE PHONE-WITH-PASSWORD`: no Latchkey in it, so that any version of Telethon
can run it in an environment of its own. Prints one line of JSON: the versions, and what was found.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import urllib.request

import telethon
from telethon import TelegramClient, errors, functions, types
from telethon.crypto import rsa
from telethon.network import ConnectionTcpAbridged, ConnectionTcpFull, ConnectionTcpIntermediate
from telethon.sessions import StringSession
from telethon.tl.alltlobjects import LAYER

API = (12345, "0123456789abcdef0123456789abcdef")


def asked(url):
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


class Script:
    def __init__(self, server, key_file, admin):
        self.host, _, port = server.rpartition(":")
        self.port, self.admin = int(port), admin
        with open(key_file) as file:
            rsa.add_key(file.read(), old=False)

    def client(self, string="", connection=ConnectionTcpFull):
        session = StringSession(string)
        session.set_dc(2, self.host, self.port)
        return TelegramClient(session, *API, connection=connection, flood_sleep_threshold=0)

    def code(self, phone):
        return asked(f"{self.admin}/_sandbox/codes/{phone.strip('+')}")["code"]

    async def sign_in(self, phone):
        """In two client objects, as a form in two steps would do it."""
        first = self.client()
        await first.connect()
        assert not await first.is_user_authorized()
        sent = await first.send_code_request(phone)
        half = StringSession.save(first.session)
        await first.disconnect()
        second = self.client(half, ConnectionTcpAbridged)
        await second.connect()
        try:
            await second.sign_in(phone, "00000", phone_code_hash=sent.phone_code_hash)
        except errors.PhoneCodeInvalidError:
            pass
        else:
            raise AssertionError("a wrong code was good")
        me = await second.sign_in(phone, self.code(phone), phone_code_hash=sent.phone_code_hash)
        assert f"+{me.phone}" == phone
        return second

    async def with_password(self, phone):
        client = self.client(connection=ConnectionTcpIntermediate)
        await client.connect()
        await client.send_code_request(phone)
        try:
            await client.sign_in(phone, self.code(phone))
        except errors.SessionPasswordNeededError:
            pass
        else:
            raise AssertionError("no password was wanted")
        try:
            await client.sign_in(password="wrong")
        except errors.PasswordHashInvalidError:
            pass
        else:
            raise AssertionError("a wrong password was good")
        await client.sign_in(password="open-sesame")
        assert await client.is_user_authorized()
        assert await client.log_out()

    async def run(self, phone, phone_with_password):
        found = {"telethon": telethon.__version__, "layer": LAYER}
        client = await self.sign_in(phone)
        try:
            dialogs = await client.get_dialogs()
            channels = {each.title: each.entity for each in dialogs if isinstance(each.entity, types.Channel)}
            found["dialogs"], found["channels"] = len(dialogs), len(channels)
            await self.look(client, channels, found)
            await self.download(client, channels, found)
            joined = await client(functions.messages.ImportChatInviteRequest("SandboxInvite0001"))
            found["joined"] = (getattr(joined, "chats", None) or joined.updates.chats)[0].title
            string = StringSession.save(client.session)
            await client.disconnect()
            again = self.client(string)
            await again.connect()
            assert await again.is_user_authorized()
            assert await again.log_out()
            gone = self.client(string)
            await gone.connect()
            assert not await gone.is_user_authorized()
            await gone.disconnect()
        finally:
            await client.disconnect()
        await self.with_password(phone_with_password)
        return found

    async def look(self, client, channels, found):
        public = await client.get_entity("@sandbox_reports")
        assert public.id == channels["Weekly Reports"].id
        full = await client(functions.channels.GetFullChannelRequest(public))
        found["about"], found["members"] = full.full_chat.about, full.full_chat.participants_count
        try:
            await client.get_entity("@sandbox_nobody")
        except ValueError:
            pass
        else:
            raise AssertionError("an unknown user name was found")
        reports = [each.id async for each in client.iter_messages(public)]
        found["reports"] = len(reports)
        assert reports == sorted(reports, reverse=True)
        forwards = [each.id async for each in client.iter_messages(public, reverse=True, min_id=20)]
        assert forwards == [each for each in reversed(reports) if each > 20]
        documents = types.InputMessagesFilterDocument()
        found["documents"] = len([each async for each in client.iter_messages(public, filter=documents)])
        assert (await client.get_messages(public, ids=[4, 3]))[0] is None  # 4 is gone
        found["archive"] = (await client.get_messages(channels["Archive of Years"], limit=0)).total
        albums = await client.get_messages(channels["Albums"], limit=None)
        found["albums"] = len({each.grouped_id for each in albums} - {None})
        forum = channels["Forum"]
        get = getattr(functions.messages, "GetForumTopicsRequest", None)
        get = get or functions.channels.GetForumTopicsRequest  # before layer 215
        topics = await client(get(forum, offset_date=None, offset_id=0, offset_topic=0, limit=10))
        found["topics"] = sorted(each.title for each in topics.topics)
        found["in a topic"] = len([each async for each in client.iter_messages(forum, reply_to=2)])
        assert channels["No Copies"].noforwards

    async def download(self, client, channels, found):
        rows = asked(f"{self.admin}/_sandbox/channels/large/files")["files"]
        row = next(each for each in rows if each["name"] == "slides.pdf")
        message = await client.get_messages(channels["Recordings"], ids=row["message"])
        assert (message.file.name, message.file.size) == (row["name"], row["size"])
        whole = await client.download_media(message, file=bytes)
        assert hashlib.sha256(whole).hexdigest() == row["sha256"]
        offset = 4096 * 301
        rest = b"".join([bytes(each) async for each in client.iter_download(message.document, offset=offset)])
        assert whole[:offset] + rest == whole
        found["downloaded"] = len(whole)
        photo = next(each for each in await client.get_messages(channels["Albums"], limit=40) if each.photo)
        rows = asked(f"{self.admin}/_sandbox/channels/albums/files")["files"]
        bytes_of_photo = await client.download_media(photo, file=bytes)
        digest = next(each["sha256"] for each in rows if each["message"] == photo.id)
        assert hashlib.sha256(bytes_of_photo).hexdigest() == digest


if __name__ == "__main__":
    print(json.dumps(asyncio.run(Script(*sys.argv[1:4]).run(*sys.argv[4:6]))))

"""The parts of the protocol, each against Telethon's own half, without a connection."""

from __future__ import annotations

import itertools
import re
import secrets
import struct

import pytest
from telethon import password as their_password
from telethon.crypto import AES, rsa
from telethon.errors import SecurityError, rpc_errors_dict, rpc_message_to_error
from telethon.extensions import BinaryReader
from telethon.network.authenticator import do_authentication
from telethon.tl import functions, types
from telethon.tl.alltlobjects import LAYER

from sandbox.known import KINDS
from sandbox.state import State
from sandbox.telegram import CHANNELS, documents, phone_number
from sandbox.telegram.calls import METHODS
from sandbox.telegram.channels import BY_ID, planned
from sandbox.telegram.crypto import decrypt_ige, encrypt_ige
from sandbox.telegram.dispatch import ANSWERED
from sandbox.telegram.envelope import Numbers, contained, container
from sandbox.telegram.handshake import Handshake, HandshakeError, a_prime
from sandbox.telegram.keys import ServerKey
from sandbox.telegram.known import KNOWN
from sandbox.telegram.layers import FORMER, newest, read, written
from sandbox.telegram.people import SCENARIOS, account_of, bot_of, bot_token
from sandbox.telegram.srp import Challenge
from sandbox.telegram.world import World
from tests.project import ROOT
from tests.sandbox.telegram.client import play

NOW = 1_800_000_000.0


@pytest.mark.parametrize("blocks", [1, 2, 3, 100])
def test_the_cipher_is_that_of_telethon(blocks):
    key, iv, plain = secrets.token_bytes(32), secrets.token_bytes(32), secrets.token_bytes(16 * blocks)
    sealed = encrypt_ige(plain, key, iv)
    assert sealed == AES.encrypt_ige(plain, key, iv)
    assert decrypt_ige(sealed, key, iv) == plain


class Wire:
    """Stands between Telethon's half of the exchange and ours: objects become bytes and objects again."""

    def __init__(self, handshake: Handshake, spoil: str = "") -> None:
        self._handshake, self._spoil = handshake, spoil

    async def send(self, request):
        asked = read(bytes(request))
        if self._spoil == type(asked).__name__:
            asked.server_nonce += 1
        with BinaryReader(bytes(self._handshake.answer(asked))) as reader:
            return reader.tgread_object()


@pytest.fixture(scope="module")
def server_key(tmp_path_factory) -> ServerKey:
    key = ServerKey(tmp_path_factory.mktemp("key"))
    rsa.add_key(key.path.read_text(), old=False)
    return key


def test_both_halves_agree_on_a_key(server_key):
    kept: list[bytes] = []
    auth_key, offset = play(do_authentication(Wire(Handshake(server_key, lambda: NOW, kept.append))))
    assert kept == [auth_key.key]
    assert len(kept[0]) == 256
    assert offset > 0
    assert ServerKey(server_key.path.parent).fingerprint == server_key.fingerprint, "the key is kept"


@pytest.mark.parametrize("step", ["ReqDHParamsRequest", "SetClientDHParamsRequest"])
def test_another_nonce_ends_the_exchange(server_key, step):
    kept: list[bytes] = []
    with pytest.raises(HandshakeError):
        play(do_authentication(Wire(Handshake(server_key, lambda: NOW, kept.append), step)))
    assert kept == []


def test_a_key_that_begins_with_a_zero_is_agreed_anew(server_key, monkeypatch):
    kept: list[bytes] = []
    handshake = Handshake(server_key, lambda: NOW, kept.append)
    with monkeypatch.context() as patch:
        patch.setattr(handshake, "_shared", lambda g_b: bytes(256))
        with pytest.raises((AssertionError, SecurityError)):  # upon either Telethon begins again on the same connection
            play(do_authentication(Wire(handshake)))
    assert kept == []
    auth_key, _ = play(do_authentication(Wire(handshake)))
    assert kept == [auth_key.key]


def test_a_key_that_is_not_the_server_s_is_not_taken(server_key, tmp_path):
    strange = ServerKey(tmp_path)
    with pytest.raises(SecurityError):
        play(do_authentication(Wire(Handshake(strange, lambda: NOW, lambda key: None))))


def test_factors_are_prime():
    for _ in range(20):
        prime = a_prime()
        assert 2**29 <= prime < 2**30
        assert all(prime % small for small in range(3, 2_000, 2))


@pytest.mark.parametrize(("typed", "good"), [("open-sesame", True), ("open-sesamo", False)])
def test_a_password_is_judged_by_its_proof(typed, good):
    challenge = Challenge.to("open-sesame", "99966050001")
    told = types.account.Password(
        None,
        None,
        b"",
        has_password=True,
        current_algo=challenge.algorithm,
        srp_B=challenge.public,
        srp_id=challenge.id,
    )
    given = their_password.compute_check(told, typed)
    assert given.srp_id == challenge.id
    assert challenge.proved_by(given) is good
    given.A = bytes(256)
    assert not challenge.proved_by(given)


def test_a_container_holds_what_was_put_in():
    messages = [(5, 1, b"abcd"), (9, 2, b""), (13, 3, b"12345678")]
    assert contained(container(messages)) == messages


def test_numbers_of_messages_grow_and_say_what_they_are():
    numbers = Numbers()
    ids = [numbers.id(NOW, answer=answer) for answer in (True, False, True, True)]
    assert [each % 4 for each in ids] == [1, 3, 1, 1]
    assert ids == sorted(set(ids))
    assert [numbers.seqno(content=content) for content in (True, False, True, True)] == [1, 2, 3, 5]


# Older clients; test_script.py has them read all of it


def test_older_clients_are_answered_in_their_numbers():
    document = types.MessageMediaDocument(document=types.DocumentEmpty(1))
    message = types.Message(1, types.PeerChannel(5), None, "text", media=document)
    settings = types.PeerNotifySettings()
    dialog = types.Dialog(types.PeerChannel(5), 1, 1, 0, 0, 0, 0, 0, settings, pinned=True, pts=1)
    told = types.messages.DialogsSlice(1, [dialog], [message], [], [])
    new, old = written(told, LAYER), written(told, 214)
    assert new == bytes(told)
    assert len(new) - len(old) == 4, "a dialog has one number less"
    for name, one in (("Dialog", dialog), ("Message", message)):
        assert struct.pack("<I", dict(FORMER[name])[216]) in old
        assert struct.pack("<I", one.CONSTRUCTOR_ID) not in old
    updates = types.Updates([], [], [], None, 0)
    assert written(types.messages.ChatInviteJoinResultOk(updates), 214) == bytes(updates)
    assert written([True, False], 214) == struct.pack("<IiII", 0x1CB5C415, 2, 0x997275B5, 0xBC799737)


def test_methods_of_older_clients_are_read():
    ask = functions.messages.ImportChatInviteRequest("abc")
    old = struct.pack("<I", 0x6C50051C) + bytes(ask)[4:]
    wrapped = struct.pack("<I", functions.InvokeWithoutUpdatesRequest.CONSTRUCTOR_ID) + old
    assert newest(old) == bytes(ask)
    assert read(wrapped).query.hash == "abc"
    assert newest(bytes(ask)) == bytes(ask)
    assert read(b"\x01\x02\x03\x04") is None


# Who and what there is


def test_a_phone_number_says_the_scenario():
    for scenario in SCENARIOS:
        account = account_of(phone_number(scenario, 17), {})
        assert (account.user.scenario, account.number[-4:]) == (scenario, "0017")
    number = phone_number("ok", 1)
    assert account_of(number, {number: ["cut"]}).says("cut")
    assert account_of("99966000001", {number: ["cut"]}).says("cut")
    assert account_of("+999669900", {}) is None
    assert bot_of(bot_token(4)).is_bot
    assert bot_of(bot_token(4)[:-1]) is None
    assert len({account_of(phone_number(word, n), {}).id for word in SCENARIOS for n in range(5)}) == 5 * len(SCENARIOS)


def test_any_part_of_a_file_is_a_part_of_the_whole():
    file = documents.File(77, "", "", 50_000)
    whole = documents.part(file, 0, 50_000)
    assert len(whole) == 50_000
    for offset, limit in ((0, 1), (4096, 4096), (5_000, 9_000), (49_999, 10), (50_000, 10)):
        assert documents.part(file, offset, limit) == whole[offset : offset + limit]
    other = documents.part(documents.File(78, "", "", 50_000), 0, 50_000)
    blocks = [data[at : at + 4096] for data in (whole, other) for at in range(0, 50_000, 4096)]
    assert len(set(blocks)) == len(blocks)


def test_every_file_has_an_id_of_its_own_and_is_found_by_it(tmp_path):
    world = World(State(tmp_path / "state.sqlite"))
    found: dict[int, str] = {}
    for channel in BY_ID.values():
        for number in planned(channel)[:80]:
            file = world.post(channel, number).file
            if file and channel.word != "twice":
                assert found.setdefault(file.id, f"{channel.word} {number}") == f"{channel.word} {number}"
                assert world.file(file.id) == file
    assert world.file(5) is None
    assert world.file(2**61) is None


def test_pages_of_ids_move_as_the_protocol_has_it(tmp_path):
    world, ids = World(State(tmp_path / "state.sqlite")), [1, 2, 3, 5, 8, 13]
    cut = {
        (0, 0, 3): [13, 8, 5],
        (8, 0, 2): [5, 3],
        (7, 0, 2): [5, 3],
        (8, -1, 2): [8, 5],
        (8, -2, 2): [13, 8],
        (1, -3, 3): [3, 2, 1],
        (1, 0, 3): [],
        (0, -2, 3): [13],
        (0, 2, 2): [5, 3],
        (99, 5, 9): [1],
        (4, -100, 100): [13, 8, 5],
    }
    assert {asked: world.slice(ids, *asked) for asked in cut} == cut
    for offset, add, limit in itertools.product(range(15), range(-8, 8), range(8)):
        assert len(world.slice(ids, offset, add, limit)) <= limit


def test_the_archive_is_as_it_is_said_to_be():
    channel = CHANNELS["archive"]
    posts = [channel.plan(channel, number) for number in planned(channel)]
    files = [post for post in posts if post.file]
    assert (len(posts), len(files)) == (30_000, 2_400)
    assert sum(post.file.kind == "photo" for post in files) == 800
    assert len({post.group for post in files} - {0}) == 800
    assert [post.date for post in posts] == sorted(post.date for post in posts)


# What is known


def test_what_is_known_is_answered():
    names = {method.name for method in METHODS.values()}
    assert KNOWN.of("method") <= names
    assert all(fact.kind in KINDS and fact.section for fact in KNOWN.facts)
    sources = [path.read_text() for path in (ROOT / "sandbox/telegram").glob("*.py") if path.name != "known.py"]
    for word in KNOWN.of("error"):
        assert any(word.replace("<n>", "") in source for source in sources), word


def test_telethon_knows_every_error():
    """What is made up would be a plain RPCError there."""
    made = set()
    for module in ANSWERED:
        made |= set(
            re.findall(r'Refusal\(\d+, f?"(\w+)', (ROOT / f"{module.__name__.replace('.', '/')}.py").read_text())
        )
    assert len(made) > 15
    for word in made:
        told = rpc_message_to_error(types.RpcError(400, f"{word}5" if word.endswith("_") else word), None)
        assert word in rpc_errors_dict or type(told).__name__ in {"FloodWaitError", "FileMigrateError"}, word

"""Messages: a channel's history in pages, by search, by topic and by id."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from telethon.tl import functions, types

from sandbox.telegram import entities
from sandbox.telegram.calls import Call, Refusal, answers
from sandbox.telegram.channels import SENDERS, Channel, Post

PAGE = 100  # messages or dialogs in an answer, at most
PLAIN = "document"
# Which files a filter lets through, by their kind.
FILTERS: dict[str, tuple[str, ...]] = {
    "InputMessagesFilterDocument": (PLAIN,),
    "InputMessagesFilterPhotos": ("photo",),
    "InputMessagesFilterPhotoVideo": ("photo", "video"),
    "InputMessagesFilterVideo": ("video",),
    "InputMessagesFilterVoice": ("voice",),
}


def channel_of(call: Call, given: Any) -> Channel:
    """Return the channel that a request names by id and access hash; refuse what the account may not see."""
    channel = call.state.world.find(getattr(given, "channel_id", 0))
    if channel is None:
        raise Refusal(400, "CHANNEL_INVALID" if hasattr(given, "channel_id") else "PEER_ID_INVALID")
    call.about["channel"] = channel.word
    if given.access_hash != entities.access_hash(call.me, channel.id) and not (
        call.me.is_bot and not given.access_hash
    ):
        raise Refusal(400, "CHANNEL_INVALID")
    readable = call.state.is_member(call.me, channel) or channel.username
    if entities.forbidden(call.state, call.me, channel) or not readable:
        raise Refusal(400, "CHANNEL_PRIVATE")
    return channel


@answers(functions.messages.GetHistoryRequest, content=True, bots=False)
def history(call: Call) -> Any:
    """Return a page of a channel's messages, newest first."""
    channel = channel_of(call, call.request.peer)
    return page(call, channel, call.state.world.ids(channel))


@answers(functions.messages.SearchRequest, content=True, bots=False)
def search(call: Call) -> Any:
    """Return a page of the messages that fit a text, a filter, a sender, a topic and a time."""
    request, channel = call.request, channel_of(call, call.request.peer)
    name = type(request.filter).__name__
    kinds = FILTERS.get(name, ())
    call.about["filter"] = name.removeprefix("InputMessagesFilter")
    wanted, sender, topic = request.q.lower(), getattr(request.from_id, "user_id", 0), request.top_msg_id or 0
    earliest, latest = seconds(request.min_date), seconds(request.max_date)

    def fits(post: Post) -> bool:
        named = f"{post.text} {post.file.name if post.file else ''}".lower()
        return (
            (name == "InputMessagesFilterEmpty" or (post.file is not None and post.file.kind in kinds))
            and wanted in named
            and (not sender or post.sender == sender)
            and (not topic or post.topic == topic)
            and post.date >= earliest
            and (not latest or post.date < latest)
        )

    return page(call, channel, chosen(call, channel, fits))


@answers(functions.messages.GetRepliesRequest, content=True, bots=False)
def replies(call: Call) -> Any:
    """Return a page of a forum topic's messages."""
    channel, topic = channel_of(call, call.request.peer), call.request.msg_id
    if topic not in dict(channel.topics):
        raise Refusal(400, "MSG_ID_INVALID")
    call.about["topic"] = topic
    return page(call, channel, chosen(call, channel, of_topic(topic)))


@answers(functions.channels.GetMessagesRequest, content=True)
def messages_by_id(call: Call) -> Any:
    """Return messages by their ids; an empty one for each that is not there."""
    channel, wanted = channel_of(call, call.request.channel), [getattr(each, "id", 0) for each in call.request.id]
    if not wanted or max(wanted) < 1:
        raise Refusal(400, "MESSAGE_IDS_EMPTY")
    call.about["ids"] = wanted[:PAGE]
    posts = [(number, call.state.world.post(channel, number)) for number in wanted[:PAGE]]
    messages = [
        entities.message(call.state, channel, post, entities.BY_ID)
        if post
        else types.MessageEmpty(number, types.PeerChannel(channel.id))
        for number, post in posts
    ]
    return answer(call, channel, len(messages), messages, [post for _, post in posts if post])


@answers(
    functions.messages.GetForumTopicsRequest, functions.messages.GetForumTopicsByIDRequest, content=True, bots=False
)
def topics(call: Call) -> Any:
    """Return the topics of a forum, newest first, or those of some ids."""
    channel, request = channel_of(call, call.request.peer), call.request
    if not channel.topics:
        raise Refusal(400, "CHANNEL_FORUM_MISSING")
    rows = [(number, title) for number, title in reversed(channel.topics)]
    if isinstance(request, functions.messages.GetForumTopicsByIDRequest):
        rows = [row for row in rows if row[0] in request.topics]
    else:
        rows = [row for row in rows if not request.offset_topic or row[0] < request.offset_topic][: request.limit]
    found = []
    for number, title in rows:
        newest = chosen(call, channel, of_topic(number))
        found.append(topic(channel, number, title, newest[-1] if newest else number))
    ids = [each.top_message for each in found]
    messages = [
        entities.message(call.state, channel, post, entities.LISTED)
        for post in (call.state.world.post(channel, number) for number in ids)
        if post
    ]
    chat = entities.channel(call.state, call.me, channel, joined=True)
    people = [entities.user(call.me, number) for number in SENDERS]
    return types.messages.ForumTopics(len(channel.topics), found, messages, [chat], people, 1)


def of_topic(number: int) -> Callable[[Post], bool]:
    """Return the test whether a message belongs to a topic."""
    return lambda post: post.topic == number


def topic(channel: Channel, number: int, title: str, top: int) -> Any:
    """Return a topic of which everything was read."""
    return types.ForumTopic(
        id=number,
        date=entities.moment(channel.date(number)),
        peer=types.PeerChannel(channel.id),
        title=title,
        icon_color=0x6FB9F0,
        top_message=top,
        read_inbox_max_id=top,
        read_outbox_max_id=0,
        unread_count=0,
        unread_mentions_count=0,
        unread_reactions_count=0,
        unread_poll_votes_count=0,
        from_id=types.PeerUser(next(iter(SENDERS))),
        notify_settings=entities.settings(),
    )


def seconds(moment: datetime | None) -> float:
    """Return a time of a request in Unix seconds; none is 0, as it is sent."""
    return moment.timestamp() if moment else 0.0


def chosen(call: Call, channel: Channel, fits: Callable[[Post], bool]) -> list[int]:
    """Return the ids of the messages that fit, oldest first; service messages never do."""
    posts = (call.state.world.post(channel, number) for number in call.state.world.ids(channel))
    return [post.id for post in posts if post and post.kind != "service" and fits(post)]


def page(call: Call, channel: Channel, ids: Sequence[int]) -> Any:
    """Return the page of messages that a request asks for, of those with some ids."""
    request, world = call.request, call.state.world
    offset_date = seconds(getattr(request, "offset_date", None))
    limit = min(request.limit, PAGE)
    call.about.update(offset_id=request.offset_id, add_offset=request.add_offset, limit=limit)
    offset = request.offset_id
    if not offset and offset_date and ids:

        def date(number: int) -> float:
            post = world.post(channel, number)
            return post.date if post else 0

        place = bisect.bisect_left(ids, offset_date, key=date)
        offset = ids[place] if place < len(ids) else ids[-1] + 1
    numbers = [
        number
        for number in world.slice(ids, offset, request.add_offset, limit)
        if number > request.min_id and (not request.max_id or number < request.max_id)
    ]
    posts = [post for post in (world.post(channel, number) for number in numbers) if post]
    messages = [entities.message(call.state, channel, post, entities.LISTED) for post in posts]
    return answer(call, channel, len(ids), messages, posts)


def answer(call: Call, channel: Channel, count: int, messages: Iterable[Any], posts: Iterable[Post]) -> Any:
    """Return messages with the chats and users that they name."""
    joined = call.state.is_member(call.me, channel)
    chats = [entities.channel(call.state, call.me, channel, joined=joined)]
    for number in {post.origin[0] for post in posts} - {0, channel.number}:
        source = call.state.world.find(channel.id - channel.number + number)
        if source is not None:
            chats.append(entities.channel(call.state, call.me, source, joined=call.state.is_member(call.me, source)))
    people = [entities.user(call.me, sender) for sender in sorted({post.sender for post in posts} - {0})]
    return types.messages.ChannelMessages(1, count, list(messages), [], chats, people)

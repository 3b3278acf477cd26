"""What every client asks first: configuration, its own user, the state of updates. There are never updates."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from telethon.tl import functions, types

from sandbox.telegram import entities
from sandbox.telegram.calls import Call, answers

HOME = 2  # the number of the data centre; Telethon's default
CENTRES = range(1, 6)
DAY = 86_400


@answers(functions.help.GetConfigRequest, anonymous=True)
def configuration(call: Call) -> Any:
    """Say where the data centres are: all at this address."""
    place = urlsplit(call.state.urls["mtproto"])
    now = call.state.protocol_now()
    options = [types.DcOption(number, place.hostname, place.port, this_port_only=True) for number in CENTRES]
    return types.Config(
        date=entities.moment(now),
        expires=entities.moment(now + 3_600),
        test_mode=False,
        this_dc=HOME,
        dc_options=options,
        dc_txt_domain_name="",
        chat_size_max=200,
        megagroup_size_max=200_000,
        forwarded_count_max=100,
        online_update_period_ms=210_000,
        offline_blur_timeout_ms=5_000,
        offline_idle_timeout_ms=30_000,
        online_cloud_timeout_ms=300_000,
        notify_cloud_delay_ms=30_000,
        notify_default_delay_ms=1_500,
        push_chat_period_ms=60_000,
        push_chat_limit=2,
        edit_time_limit=2 * DAY,
        revoke_time_limit=2**31 - 1,
        revoke_pm_time_limit=2**31 - 1,
        rating_e_decay=2_419_200,
        stickers_recent_limit=200,
        channels_read_media_period=7 * DAY,
        call_receive_timeout_ms=20_000,
        call_ring_timeout_ms=90_000,
        call_connect_timeout_ms=30_000,
        call_packet_timeout_ms=10_000,
        me_url_prefix="https://t.me/",
        caption_length_max=1_024,
        message_length_max=4_096,
        webfile_dc_id=HOME,
    )


@answers(functions.help.GetNearestDcRequest, anonymous=True)
def nearest(call: Call) -> Any:
    """Say that this data centre is the nearest."""
    return types.NearestDc("XX", HOME, HOME)


@answers(functions.users.GetUsersRequest)
def users(call: Call) -> Any:
    """Return the account itself, and nothing of others."""
    me = entities.me(call.me)
    return [
        me if isinstance(each, types.InputUserSelf) or getattr(each, "user_id", 0) == me.id else types.UserEmpty(0)
        for each in call.request.id
    ]


@answers(functions.updates.GetStateRequest)
def updates_state(call: Call) -> Any:
    """Return a state of updates that never changes."""
    return types.updates.State(1, 0, entities.moment(call.state.protocol_now()), 1, 0)


@answers(functions.updates.GetDifferenceRequest)
def difference(call: Call) -> Any:
    """Say that nothing has happened."""
    return types.updates.DifferenceEmpty(entities.moment(call.state.protocol_now()), 1)


@answers(functions.updates.GetChannelDifferenceRequest)
def channel_difference(call: Call) -> Any:
    """Say that nothing has happened in a channel."""
    return types.updates.ChannelDifferenceEmpty(call.request.pts or 1, final=True)

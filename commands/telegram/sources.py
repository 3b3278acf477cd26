"""`scrapy telegram sources`: list, add, change, pause, resume and remove sources."""

from __future__ import annotations

import argparse
from typing import Any

WHAT = ("list", "show", "add", "change", "pause", "resume", "remove")
COLUMNS = (
    *("source", "id", "channel", "access", "session", "target", "schedule", "next_run_at", "is_active"),
    *("status", "outcome", "last_scraped_at", "messages", "files"),
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument("what", nargs="?", choices=WHAT, default="list", help="what is to be done (default: list)")
    parser.add_argument("source", nargs="?", help="id or name of a source; of a new one its name")
    parser.add_argument("--channel", metavar="WORD", help="id, @name, link of t.me or invitation, for `add`")
    parser.add_argument("--session", dest="session_id", metavar="WORD", help="id or name of a session")
    parser.add_argument("--public", action="store_true", help="it has a user name, and any session can read it")
    parser.add_argument("--join", action="store_true", help="let the account join the channel of an invitation")
    parser.add_argument("--rename", dest="name", metavar="NAME", help="another name, for `change`")
    parser.add_argument("--types", dest="file_types", metavar="EXT,…", help='extensions of files; "" for all')
    parser.add_argument("--filters", metavar="JSON", help="further filters (docs/telegram-files.md)")
    parser.add_argument("--target", metavar="STORE", help="LOCAL, NAS or S3")
    parser.add_argument("--target-path", metavar="FOLDER", help="folder below the target's own")
    parser.add_argument("--template", dest="path_template", metavar="PATH", help="path of a file there")
    parser.add_argument("--unpack", dest="unpacks", action=argparse.BooleanOptionalAction, help="unpack archives")
    parser.add_argument("--texts", dest="keeps_texts", action=argparse.BooleanOptionalAction, help="keep texts of messages")  # fmt: skip
    parser.add_argument("--schedule", metavar="CRON", help='cron expression; "" for none')
    parser.add_argument("--time-zone", metavar="ZONE", help="of the schedule (default: UTC)")
    parser.add_argument("--files", action="store_true", help="with `remove`: delete its stored files, too")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(opts: argparse.Namespace) -> int:
    """Do it."""
    from commands._terminal import WrongArgument
    from commands.telegram._sources import refusing

    if opts.what != "list" and not opts.source:
        raise WrongArgument(f"{opts.what}: name a source.")
    with refusing():
        acts = {"list": listed, "show": shown, "add": added, "remove": removed}
        acts.get(opts.what, changed)(opts)
    return 0


def listed(opts: argparse.Namespace) -> None:
    """Print all, or those of a name."""
    from commands._terminal import show
    from commands.telegram._sources import acts
    from webhook.api.models import MOST

    found, _ = acts().sources(None, 0, MOST)
    if opts.json:
        from commands._terminal import print_json

        print_json([each.model_dump(mode="json") for each in found])
        return
    rows = [
        (
            *(each.name, each.id, f"@{each.username}" if each.username else each.channel_id, each.access_level.value),
            *(each.session_name or "of the installation", each.target.value, each.schedule, each.next_run_at),
            *(each.is_active, each.status, each.outcome, each.last_scraped_at),
            *(each.total_messages_scraped, each.total_files_downloaded),
        )
        for each in found
    ]
    show(COLUMNS, rows, empty="No source yet: `scrapy telegram sources add NAME --channel WORD --session WORD`.")


def shown(opts: argparse.Namespace) -> None:
    """Print all about one."""
    from commands.telegram._sources import acts, id_of

    told(acts().source(id_of(opts.source), None), opts)


def added(opts: argparse.Namespace) -> None:
    """Add one, after Telegram has shown its channel."""
    from commands._terminal import WrongArgument
    from commands.telegram._sources import acts
    from webhook.api.telegram.source_models import NewPrivate, NewPublic

    if not opts.channel:
        raise WrongArgument("--channel: name the channel.")
    given = {**given_in(opts), "name": opts.source}
    if opts.public:
        if opts.join:
            raise WrongArgument("--join: a public channel is read without joining it.")
        told(acts().add_public(None, NewPublic(channel_username=opts.channel, **given)), opts)
        return
    if not opts.session_id:
        raise WrongArgument("--session: a private channel is read with a session; or say --public.")
    told(acts().add_private(None, NewPrivate(channel_id=opts.channel, join=opts.join, **given)), opts)


def changed(opts: argparse.Namespace) -> None:
    """Change, pause or resume one."""
    from commands.telegram._sources import acts, id_of
    from webhook.api.telegram.source_models import SourceChange

    given = given_in(opts)
    if opts.what in ("pause", "resume"):
        given = {"is_active": "active" if opts.what == "resume" else "inactive"}
    elif opts.name is not None:
        given["name"] = opts.name
    told(acts().change(id_of(opts.source), None, SourceChange(**given)), opts)


def removed(opts: argparse.Namespace) -> None:
    """Remove one."""
    from commands.telegram._sources import acts, id_of

    done = acts().remove(id_of(opts.source), None, files=opts.files)
    files = f" {done.files} files are deleted, {done.kept} were kept." if opts.files else " Its stored files stay."
    print(done.message + files)
    if done.engine:
        print(done.engine)


def given_in(opts: argparse.Namespace) -> dict[str, Any]:
    """Return the fields that options give."""
    import json

    from commands._terminal import WrongArgument

    names = ("session_id", "target", "target_path", "path_template", "unpacks", "keeps_texts", "schedule", "time_zone")
    given = {name: getattr(opts, name) for name in names if getattr(opts, name) is not None}
    if "target" in given:
        given["target"] = given["target"].upper()
    if opts.file_types is not None:
        given["file_types"] = [part.strip() for part in opts.file_types.split(",") if part.strip()]
    if opts.filters is not None:
        try:
            given["filters"] = json.loads(opts.filters)
        except ValueError:
            raise WrongArgument("--filters: that is not JSON.") from None
    return given


def told(source: Any, opts: argparse.Namespace) -> None:
    """Print all about a source, what it cannot do last."""
    from commands._terminal import print_json, text

    found = source.model_dump(mode="json")
    if opts.json:
        print_json(found)
        return
    notes, engine = found.pop("notes"), found.pop("engine")
    width = max(map(len, found))
    for name, value in found.items():
        if value not in (None, "", [], {}):
            shown = ", ".join(value) if isinstance(value, list) else value
            print(f"{name.replace('_', ' ').ljust(width)}  {text(shown)}")
    for sentence in [*notes, *([engine] if engine else [])]:
        print(sentence)

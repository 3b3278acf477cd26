"""Answers put in place of the right ones: every odd one that the APIs are known for, and changes of single fields."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from sandbox import faults
from sandbox.iec.call import WRONG, envelope, error
from sandbox.iec.okta import as_json, error_body, page

Json = Any
# What replaces an answer: status and body of JSON, made from the right answer's JSON.
REPLACED: dict[str, tuple[int, Callable[[Json], Json]]] = {
    "data-null-success": (200, lambda _right: envelope(None, "0")),
    "data-null-failure": (200, lambda _right: envelope(None, "42", "אין נתונים", success=False)),
    "data-empty-failure": (200, lambda _right: envelope([], "42", "אין נתונים", success=False)),
    "data-with-failure": (200, lambda right: envelope(payload(right), "26", "לא חד ערכי", success=False)),
    "envelope-missing": (200, lambda right: payload(right) if isinstance(payload(right), dict) else {}),
    "descriptor-missing": (200, lambda right: {"data": payload(right)}),
    "empty-object-200": (200, lambda _right: {}),
    "null-200": (200, lambda _right: None),
    "201-null": (201, lambda _right: None),
    "201-string": (201, lambda _right: "created"),
    "error-rid": (401, lambda _right: error(401, "Contract is not associated with you.")),
    "error-not-allowed": (401, lambda _right: error(401, "You're not authorized to this action!")),
    "error-500-rid": (500, lambda _right: error(500, WRONG)),
    "error-no-rid": (400, lambda _right: error(400, "Token should be provide", rid=False)),
    "unauthorized": (401, lambda _right: error(401, "Unauthorized")),
    "descriptor-4xx": (400, lambda _right: envelope(None, "42", "אין נתונים", success=False)),
    "descriptor-5xx": (500, lambda _right: envelope(None, "42", "אין נתונים", success=False)),
    "okta-error": (401, lambda _right: error_body("E0000011", "Invalid token provided")),
    "other-json-4xx": (404, lambda _right: {"message": "No HTTP resource was found"}),
    "empty-object-4xx": (400, lambda _right: {}),
}
PLAIN: dict[str, Callable[[], web.Response]] = {
    "empty-200": lambda: web.Response(status=200, content_type="application/json"),
    "204": lambda: web.Response(status=204),
    "html-200": lambda: page("<h1>Sorry</h1><p>The service is not available.</p>"),
    "html-403": lambda: page("<h1>403 Forbidden</h1><p>The request was blocked.</p>", status=403),
    "html-500": lambda: page("<h1>500</h1>", status=500),
    "empty-4xx": lambda: web.Response(status=400),
    "empty-5xx": lambda: web.Response(status=503),
    "broken-json": lambda: web.Response(text='{"data": [', content_type="application/json"),
}
ON_THE_WAY = {"timeout": "hang", "drop": "drop", "cut": "cut"}  # our word: the frame's
ANSWERS = (*REPLACED, *PLAIN, *ON_THE_WAY)


def payload(right: Json) -> Json:
    """Return what an envelope holds; anything else as it is."""
    return right["data"] if isinstance(right, dict) and "reponseDescriptor" in right else right


def check(configuration: Mapping[str, Any]) -> str:
    """Return what is wrong with `answers` and `edits`, as one sentence; "" when nothing is."""
    for entry in configuration["answers"]:
        if entry.get("answer") not in ANSWERS or not isinstance(entry.get("path"), str):
            return f"Each of answers needs a path (a regular expression) and an answer, one of {', '.join(ANSWERS)}."
    for entry in configuration["edits"]:
        if not isinstance(entry.get("field"), str) or not isinstance(entry.get("path"), str):
            return "Each of edits needs a path (a regular expression) and a field such as data.contracts.0.contractId."
    return ""


class Places:
    """Says which entries are meant by a request; ordinals count the requests that an entry's path and user are met by."""

    def __init__(self) -> None:
        self._met: dict[str, int] = {}

    def clear(self) -> None:
        """Count from 1 again."""
        self._met.clear()

    def of(self, entries: Sequence[Mapping[str, Any]], origin: str, path: str, user: str) -> list[Mapping[str, Any]]:
        """Return the entries for a request. origin "" is the main API's; user: the ID number of who asks."""
        found = []
        for place, entry in enumerate(entries):
            if entry.get("origin", origin) != origin or entry.get("user", user).zfill(9) != user.zfill(9):
                continue
            if not re.fullmatch(entry["path"], path):
                continue
            key = f"{place} {json.dumps(entry, sort_keys=True)}"
            ordinal = self._met[key] = self._met.get(key, 0) + 1
            if entry.get("ordinals") is None or ordinal in entry["ordinals"]:
                found.append(entry)
        return found


async def replaced(request: web.Request, right: web.StreamResponse, entry: Mapping[str, Any]) -> web.StreamResponse:
    """Return what comes in place of the right answer. An entry's `status`, `code` and `text` overrule the usual ones."""
    word = entry["answer"]
    if word in ON_THE_WAY:
        kind = ON_THE_WAY[word]
        if kind == "cut" and isinstance(right, web.Response):
            return await faults.cut_short(request, right)
        return await faults.answer(request, faults.Fault(kind))
    if word in PLAIN:
        plain = PLAIN[word]()
        plain.set_status(entry.get("status", plain.status))
        return plain
    status, make = REPLACED[word]
    body = make(read(right))
    if isinstance(body, dict) and "Error" in body:
        body |= {"Error": entry.get("text", body["Error"]), "Code": entry.get("code", body["Code"])}
    if isinstance(body, dict) and "reponseDescriptor" in body:
        said = body["reponseDescriptor"]
        body["reponseDescriptor"] = said | {
            "code": entry.get("code", said["code"]),
            "description": entry.get("text", said["description"]),
        }
    return as_json(body, status=entry.get("status", status))


def read(response: web.StreamResponse) -> Json:
    """Return the JSON of an answer; None when it is none."""
    if not isinstance(response, web.Response) or response.content_type != "application/json":
        return None
    return json.loads(response.text or "null")


def edit(body: Json, field: str, entry: Mapping[str, Any]) -> None:
    """
    Set a field to the entry's `value`, or take it away when the entry has none.

    field: names and places with dots between them; `*` stands for every one of a list.
    """
    name, _, rest = field.partition(".")
    if isinstance(body, list):
        places = range(len(body)) if name == "*" else [int(name)] if name.isdecimal() and int(name) < len(body) else []
        for place in places:
            if rest:
                edit(body[place], rest, entry)
            elif "value" in entry:
                body[place] = entry["value"]
    elif isinstance(body, dict) and rest:
        edit(body.get(name), rest, entry)
    elif isinstance(body, dict) and "value" in entry:
        body[name] = entry["value"]
    elif isinstance(body, dict):
        body.pop(name, None)


def walk(body: Json, change: Callable[[dict[str, Any]], None]) -> None:
    """Change every object within a body."""
    if isinstance(body, dict):
        for inner in body.values():
            walk(inner, change)
        change(body)
    elif isinstance(body, list):
        for inner in body:
            walk(inner, change)

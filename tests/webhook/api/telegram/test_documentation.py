"""The examples of docs/telegram.md do what it says, and every route of Telegram's sessions is in the OpenAPI document."""

from __future__ import annotations

import json
import re
import shlex
from string import Template

from tests.project import ROOT
from tests.telegram import API_HASH
from tests.webhook.api.conftest import ANA
from tests.webhook.api.test_documentation import curl
from tests.webhook.conftest import READER

PAGE = (ROOT / "docs" / "telegram.md").read_text()
ROUTES = """
    POST /sessions/, GET /sessions/, POST /sessions/send-otp, POST /sessions/verify-otp, POST /sessions/upload-file,
    POST /sessions/finalize, DELETE /sessions/temp/{temp_session_id}, GET /sessions/{session_id}, PUT /sessions/{session_id},
    DELETE /sessions/{session_id}, GET /sessions/{session_id}/channels, POST /sessions/{session_id}/test
"""


def request_of(line):
    """Return what a command line sends, also one with a form."""
    if " -F " not in line:
        return curl(line)
    command, _, status = line.rpartition("  # ")
    words = shlex.split(command)
    form = dict(words[n + 1].split("=", 1) for n, word in enumerate(words) if word == "-F")
    headers = dict(words[n + 1].split(": ", 1) for n, word in enumerate(words) if word == "-H")
    return "POST", words[-1], headers, form, int(status)


def test_the_examples_do_what_the_page_says(api):
    token = api.register(ANA).get_json()["access_token"]
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S)
    lines = [
        line for block in blocks for line in block.splitlines() if line.startswith("curl") and "/sessions/" in line
    ]
    assert len(lines) == 8
    phone = api.server.number()
    known = {"API": "", "TOKEN": token, "PHONE": phone, "STRING": api.server.string(api.server.number())}
    for line in lines:
        method, url, headers, body, status = request_of(Template(line).substitute(known))
        answer = api.client().open(url, method=method, headers=headers, data=body)
        assert answer.status_code == status, (line, answer.get_data(as_text=True))
        said = answer.get_json()
        if "temp_session_id" in said:
            known |= {"LOGIN": said["temp_session_id"], "CODE": api.server.code(phone)}
        if "is_bot" in said:
            known |= {"SESSION": said["id"]}


def test_every_route_is_in_the_document_with_its_forms(api):
    document = api.client().get("/docs/openapi.json", headers=READER).get_json()
    there = {f"{method.upper()} {path}" for path, ways in document["paths"].items() for method in ways}
    assert {route.strip() for route in ROUTES.split(",")} == {route for route in there if " /sessions" in route}
    for path, methods in document["paths"].items():
        for facts in methods.values() if path.startswith("/sessions") else ():
            assert facts["security"] == [{"bearer": []}, {"cookie": []}]
            assert {"401", "403", "429"} <= facts["responses"].keys()
    bodies = document["paths"]["/sessions/"]["post"]["requestBody"]["content"]
    assert set(bodies) == {"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}
    answer = document["components"]["schemas"]["TelegramSessionAnswer"]["properties"]
    assert not {"api_hash", "session_string"} & set(answer)
    assert API_HASH not in json.dumps(document)

"""`scrapy sandbox`: the sandbox as people start it."""

from __future__ import annotations

import json
import signal
import urllib.request

from tests.project import wait_for


def test_the_command_serves_and_tells_where(project, tmp_path):
    mine = project(tmp_path)
    said = mine.scrapy("sandbox", "--environment")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.strip().endswith("start one with `scrapy sandbox`.")

    process = mine.start("sandbox", "--portals", "plain", fresh=True)
    ready = mine.data / "sandbox" / "ready.json"
    wait_for(ready.exists)
    told = json.loads(ready.read_text())
    url = told["environment"]["PLAIN_URL"]
    assert told["pid"] == process.pid
    assert mine.scrapy("sandbox", "--environment").stdout == f"export PLAIN_URL={url}\n"
    with urllib.request.urlopen(f"{url}/login") as page:
        assert b"Sign in" in page.read()
    again = mine.scrapy("sandbox", "--portals", "plain")
    assert again.returncode == 1
    assert "is taken: end what listens there" in again.stderr
    assert "Traceback" not in again.stderr
    assert json.loads(ready.read_text()) == told, "the one that runs is left alone"

    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, f"plain: PLAIN_URL={url}\n", "")
    assert not ready.exists()


def test_wrong_use_is_one_sentence(project, tmp_path):
    mine = project(tmp_path)
    for arguments, code, sentence in (
        (("--portals", "plane"), 1, "There is no portal plane in the sandbox"),
        (("--sms-url", "http://127.0.0.1:9/"), 1, "SANDBOX_SMS_TOKEN is not set"),
        (("--mail-url", "http://127.0.0.1:9/"), 1, "messages are posted to the mail address"),
        (("--perturb", "7-smells"), 1, "'7-smells' is no seed, nor a seed and dimensions"),
        (("now",), 2, "takes options only, not 'now'"),
    ):
        said = mine.scrapy("sandbox", *arguments)
        assert said.returncode == code
        assert sentence in said.stderr + said.stdout
        assert "Traceback" not in said.stderr


def test_the_command_says_what_is_perturbed(project, tmp_path):
    mine = project(tmp_path)
    process = mine.start("sandbox", "--portals", "plain", "--perturb", "7-order.words", fresh=True)
    ready = mine.data / "sandbox" / "ready.json"
    wait_for(ready.exists)
    url = json.loads(ready.read_text())["portals"]["plain"]["url"]
    with urllib.request.urlopen(f"{url}/_sandbox/perturb") as answer:
        assert json.load(answer) == {"seed": 7, "only": ["order", "words"], "on": ["words", "order"]}
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert output.splitlines()[-1] == "perturbed: words, order"

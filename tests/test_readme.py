"""The README's first real crawl, typed word for word at a terminal, against the sandbox."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.project import ROOT
from tests.terminal import READY, Terminal

README = (ROOT / "README.md").read_text()


def blocks():
    """The shell blocks of the first real crawl, each a list of commands, in order."""
    section = README.partition("\n## A first real crawl\n")[2].partition("\n## ")[0]
    return [
        re.sub(r"^ {3}", "", block, flags=re.M).strip().splitlines()
        for block in re.findall(r"```sh\n(.*?)```", section, re.S)
    ]


def commands():
    """Every `scrapy …` word that the README's first crawl types."""
    typed = [line for block in blocks() for line in block]
    return sorted({word for line in typed for word in re.findall(r"\bscrapy ([a-z-]+)", line)})


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_the_first_real_crawl_ends_with_the_file_and_its_record(project, tmp_path, wait_for, free_port):
    here = project(tmp_path)
    port = str(free_port())
    # The sandbox stands where Bell does, and plays the phone; only the port is not the README's.
    environment = {**here.env({"LATCHKEY_ENCRYPTION_KEYS": None}), "LATCHKEY_WEBHOOK_PORT": port}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    terminals = [Terminal(environment)]
    first = terminals[0]
    try:
        wait_for(lambda: first.sees(READY))
        exports = []
        for line in (line.replace(":8000", f":{port}") for block in blocks()[1:] for line in block):
            if re.search(r"scrapy (serve|sandbox --sms-url)", line):
                terminals.append(Terminal(environment))
                wait_for(lambda: terminals[-1].sees(READY))
                for export in exports:
                    terminals[-1].type(export)
                terminals[-1].type(line)
                listening = "Listening on" if "serve" in line else "BELL_SELF_SERVE_URL"
                wait_for(lambda listening=listening: terminals[-1].sees(listening))
                continue
            said = answer_prompts(first, line, wait_for)
            if line.startswith("export "):
                name = line.split()[1].partition("=")[0]
                (value,) = re.findall(r"^v=(.+?)\r?$", answer_prompts(first, f"echo v=${name}", wait_for), re.M)
                exports.append(f"export {name}={value}")
        assert "invoice" in said
        assert "533122906" in said
    finally:
        for terminal in terminals:
            terminal.close()
    (pdf,) = (here.data / "files").rglob("*.pdf")
    assert pdf.read_bytes().startswith(b"%PDF-")


def answer_prompts(terminal, line, wait_for):
    """Type a command, answer what it asks, and return what it showed; it must end well."""
    terminal.type(line)
    if "credentials add" in line:
        for question, answer in (("Password: ", "open-sesame"), ("none: ", "")):
            wait_for(lambda question=question: terminal.sees(question))
            terminal.type(answer)
    try:
        wait_for(lambda: terminal.sees(f"\n{READY}"), 120)
    except TimeoutError:
        raise AssertionError(f"{line} did not end: {terminal.shown}") from None
    said = terminal.shown
    terminal.type("echo code=$?")
    wait_for(
        lambda: (
            terminal.sees("code=0", "code=1", "code=2", "code=3", "code=4", "code=5", "code=6")
            and terminal.shown.count(READY)
        ),
        30,
    )
    assert "code=0" in terminal.shown, (line, said)
    return said


@pytest.mark.parametrize("word", commands())
def test_every_command_of_the_first_crawl_answers_help(project, tmp_path, word):
    said = project(tmp_path).scrapy(word, "--help")
    assert said.returncode == 0
    assert f"scrapy {word}" in said.stdout

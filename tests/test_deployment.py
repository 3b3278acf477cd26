"""docs/deployment: units, container files and cron lines say what there is, and their command lines do what they say."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own; what is read is checked here

from tests.project import ROOT, TEST_KEY
from tests.test_docs import check, refuse
from tests.webhook.conftest import GATEWAY_TOKEN, READER_TOKEN

FOLDER = ROOT / "docs" / "deployment"
UNITS = sorted((FOLDER / "systemd").glob("*.service")) + sorted((FOLDER / "systemd").glob("*.timer"))
CONTAINER = FOLDER / "container"
CRON = FOLDER / "cron" / "latchkey"
SCRAPY = "/opt/latchkey/.venv/bin/scrapy"
MOST_EXPOSED = 20  # tenths, by `systemd-analyze security`, of a scale to 100
TOKENS = {"LATCHKEY_WEBHOOK_TOKEN": GATEWAY_TOKEN, "LATCHKEY_CODE_READER_TOKEN": READER_TOKEN}


def exec_lines():
    """Return the command lines of all units."""
    found = [re.findall(r"^Exec\w+=(.+)$", unit.read_text(), re.M) for unit in UNITS]
    return sorted({line for lines in found for line in lines})


def cron_lines():
    """Return the command lines of the cron example."""
    return re.findall(r"^[\d*].*? latchkey (.+)$", CRON.read_text(), re.M)


def compose():
    return yaml.safe_load((CONTAINER / "compose.yaml").read_text())


def ours():
    """Return the services of the compose file that are ours."""
    return {name: each for name, each in compose()["services"].items() if each["image"] == "latchkey"}


@pytest.fixture
def parsers(monkeypatch):
    monkeypatch.setattr(argparse.ArgumentParser, "error", refuse)


def test_every_command_line_could_be_typed(parsers):
    words = [line.removeprefix(f"{SCRAPY} ") for line in exec_lines()]
    words += [line.partition(".venv/bin/scrapy ")[2] for line in cron_lines()]
    words += [shlex.join(service["command"]) for service in ours().values()]
    assert len(words) >= 9
    for line in words:
        check(f"scrapy {line}")


def test_every_setting_that_a_file_names_exists():
    from database.settings import RoomSettings
    from scrapers.settings import ROOMS

    for module in ROOMS:
        import_module(module)
    known = set().union(*(room.variables() for room in RoomSettings.rooms))
    for path in FOLDER.rglob("*"):
        if path.is_file():
            assert set(re.findall(r"\bLATCHKEY_[A-Z0-9_]*[A-Z0-9]\b", path.read_text())) <= known, path


# systemd


@pytest.fixture
def units(tmp_path):
    """The units, with the programs of this machine; skipped nowhere: without systemd there is nothing to look at."""
    if shutil.which("systemd-analyze") is None:
        return None
    folder = tmp_path / "units"
    shutil.copytree(FOLDER / "systemd", folder)
    for unit in folder.glob("*.service"):
        unit.write_text(unit.read_text().replace(SCRAPY, sys.executable))
    return folder


def analyze(units, *words):
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"}
    done = subprocess.run(
        ["systemd-analyze", *words], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_systemd_takes_the_units(units):
    if units is not None:
        files = map(str, sorted([*units.glob("*.service"), *units.glob("*.timer")]))
        code, said = analyze(units, "verify", "--recursive-errors=no", *files)
        assert (code, [line for line in said.splitlines() if "latchkey" in line]) == (0, [])


@pytest.mark.parametrize("unit", [unit.name for unit in UNITS if unit.suffix == ".service"])
def test_the_units_expose_little(units, unit):
    if units is not None:
        code, said = analyze(units, "security", "--no-pager", "--offline=true", f"--threshold={MOST_EXPOSED}", unit)
        assert code == 0, said
        assert "Overall exposure level" in said


def test_every_service_that_waits_for_a_time_has_its_timer():
    names = {unit.name for unit in UNITS}
    once = {unit.stem for unit in UNITS if "Type=oneshot" in unit.read_text()}
    assert {f"{name}.timer" for name in once} == {name for name in names if name.endswith(".timer")}


# The command lines, run


@pytest.fixture
def installed(project, tmp_path):
    """An installation, with its tables made by the container's `migrate`."""
    here = project(tmp_path, **TOKENS)
    done = here.scrapy(*ours()["migrate"]["command"])
    assert done.returncode == 0, done.stderr
    return here


def test_the_lines_of_units_that_end_do_what_they_say(installed, tmp_path):
    ran = []
    for line in exec_lines():
        words = shlex.split(line.replace("/var/backups/latchkey", str(tmp_path / "backups")))[1:]
        if words in (["serve"], ["worker"]):
            continue
        done = installed.scrapy(*words)
        assert done.returncode == 0, (line, done.stderr)
        ran.append(words[0])
    assert ran == ["backup", "db", "worker"]
    (backup,) = (tmp_path / "backups").glob("latchkey-*Z")
    assert json.loads((backup / "manifest.json").read_text())["rows"]["alembic_version"] == 1


def test_a_line_of_cron_runs_in_a_shell_with_the_settings_of_its_file(installed, tmp_path):
    """`.venv/bin/scrapy` is the one that runs the tests."""
    (line,) = (line for line in cron_lines() if "backup" in line)
    program, settings = tmp_path / "scrapy", tmp_path / "latchkey.env"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m scrapy "$@"\n')
    program.chmod(0o755)
    given = {"LATCHKEY_DATA_DIR": str(installed.data), "LATCHKEY_ENCRYPTION_KEYS": TEST_KEY}
    settings.write_text("".join(f"{name}={value}\n" for name, value in given.items()))
    for before, after in {
        "/etc/latchkey/latchkey.env": settings,
        "/opt/latchkey": ROOT,
        "/var/backups/latchkey": tmp_path / "backups",
        ".venv/bin/scrapy": program,
    }.items():
        assert before in line
        line = line.replace(before, str(after))
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    done = subprocess.run(
        ["/bin/sh", "-c", line], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "backups").glob("latchkey-*Z"))) == 1


def test_the_health_checks_tell_who_is_well(installed, tmp_path, wait_for):
    """Both are asked while the services run, and after they have ended."""
    (check_serve,) = re.findall(r"^HEALTHCHECK .*?CMD (\[.+?\])$", dockerfile(), re.M | re.S)
    ready, state = tmp_path / "ready.json", tmp_path / "worker.json"
    serving = installed.start("serve", "--port", "0", "--ready-file", str(ready))
    working = installed.start("worker", env={"LATCHKEY_WORKER_HEALTH": str(state)})
    (shell, check_worker) = ours()["worker"]["healthcheck"]["test"]
    assert shell == "CMD-SHELL"

    def is_well() -> tuple[bool, bool]:
        program, *words = json.loads(check_serve)
        assert program == "python"
        words = [word.replace("http://127.0.0.1:8000", url) for word in words]
        worker = check_worker.replace("$$", "$").replace("/tmp/worker.json", str(state))
        return (
            subprocess.run([sys.executable, *words], capture_output=True, timeout=60, check=False).returncode == 0,
            subprocess.run(["/bin/sh", "-c", worker], capture_output=True, timeout=60, check=False).returncode == 0,
        )

    wait_for(lambda: ready.exists() and state.exists())
    url = json.loads(ready.read_text())["url"]
    assert is_well() == (True, True)
    for process in (serving, working):
        process.terminate()
        process.communicate(timeout=60)
    if state.exists():  # what a worker that was killed leaves
        os.utime(state, (0, 0))
    assert is_well() == (False, False)


# The container


def dockerfile():
    return re.sub(r"\\\n\s*", "", (CONTAINER / "Dockerfile").read_text())


def test_the_image_is_for_a_user_who_may_write_nothing_but_its_data():
    text = dockerfile()
    assert re.findall(r"^USER (.+)$", text, re.M) == ["10001:10001"]
    assert re.findall(r"^VOLUME (.+)$", text, re.M) == ["/data"]
    for name, service in ours().items():
        assert service["read_only"] is True, name
        assert service["user"] == "10001:10001"
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["volumes"] == ["data:/data"]


def test_the_image_holds_every_package_and_nothing_of_an_installation():
    taken = set(re.findall(r"^!([\w.-]+)$", (CONTAINER / "Dockerfile.dockerignore").read_text(), re.M))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert packages <= taken
    assert all((ROOT / name).exists() for name in taken)
    assert not taken & {"docs", "tests", ".latchkey", ".env", ".git"}


def test_services_wait_for_what_they_need():
    services = compose()["services"]
    for name in ("serve", "worker"):
        assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert services["serve"]["ports"] == ["127.0.0.1:8000:8000"]
    assert not services["postgres"].get("ports")


def test_the_secrets_of_the_example_are_empty_and_all_that_are_needed():
    lines = (CONTAINER / "env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    assert set(given.values()) == {""}
    needed = set(re.findall(r"\$\{(\w+):\?", (CONTAINER / "compose.yaml").read_text()))
    assert needed | set(TOKENS) | {"LATCHKEY_ENCRYPTION_KEYS"} <= set(given)


def test_the_places_in_the_files_are_the_same(tmp_path):
    """The folders that the guide tells to make are those that units and cron lines name."""
    guide = (ROOT / "docs" / "deployment.md").read_text()
    for place in ("/opt/latchkey", "/etc/latchkey/latchkey.env", "/var/backups/latchkey", "/var/lib/latchkey"):
        assert place in guide
        assert any(place in path.read_text() for path in FOLDER.rglob("*") if path.is_file()), place
    assert Path(SCRAPY).is_relative_to("/opt/latchkey")

"""No secret is ever left behind in clear: planted ones are looked for in everything that crawls and webhook wrote."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import secrets
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from sandbox import totp_secret
from tests.crawl.conftest import GATEWAY_TOKEN
from tests.project import TEST_KEY, wait_for

DEBUG = ("-s", "LOG_LEVEL=DEBUG")
HASTE = {"LATCHKEY_CODE_WAIT": "20", "LATCHKEY_PAGE_WAIT": "8", "LATCHKEY_SIGN_IN_WAIT": "30"}


def spellings(secret: str) -> set[bytes]:
    """Return a secret in every form in which it could have been written, wherever in a longer text it stands."""
    data = secret.encode()
    found = {data, secret.encode("utf-16-le"), secret.encode("utf-16-be")}
    for quoted in (quote(secret, safe=""), quote_plus(secret), quote(secret)):
        lower = re.sub(r"%[0-9A-F]{2}", lambda escape: escape[0].lower(), quoted)
        found |= {quoted.encode(), lower.encode()}
    found |= {data.hex().encode(), data.hex().upper().encode()}
    found |= {json.dumps(secret)[1:-1].encode(), json.dumps(secret, ensure_ascii=False)[1:-1].encode()}
    for offset in range(3):
        # The characters at both ends also depend on what stands beside the secret.
        whole = base64.b64encode(bytes(offset) + data).rstrip(b"=")
        inner = whole[(0, 2, 3)[offset] : len(whole) - bool((offset + len(data)) % 3)]
        found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def contents(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a file's bytes, and those of everything that is packed inside it."""
    yield name, data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield from contents(f"{name}!{member}", archive.read(member))
    if data.startswith(b"\x1f\x8b"):
        yield from contents(f"{name}!gz", gzip.decompress(data))


def hits(folder: Path, canaries: set[str]) -> list[str]:
    """Return where the secrets turn up below a folder: `file: the first letters of the secret`."""
    found = []
    needles = {canary: spellings(canary) for canary in canaries}
    for path in folder.rglob("*"):
        if not path.is_file() or path.is_symlink():
            continue
        for name, data in contents(str(path.relative_to(folder)), path.read_bytes()):
            for canary, spelled in needles.items():
                if any(is_in(needle, data) for needle in spelled):
                    found.append(f"{name}: {canary[:3]}…")
    return found


def is_in(needle: bytes, data: bytes) -> bool:
    """Tell whether a text is there; six digits are also the microseconds of many a time, which do not count."""
    if needle not in data:
        return False
    return len(needle) > 6 or re.search(rb"(?<!:[0-9]{2}\.)(?<![0-9])" + re.escape(needle), data) is not None


def test_the_search_finds_every_spelling(tmp_path):
    secret = 'Pä"ss/wo rd+1\\'
    for number, spelled in enumerate(sorted(spellings(secret))):
        folder = tmp_path / str(number)
        folder.mkdir()
        inside = io.BytesIO()
        with zipfile.ZipFile(inside, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("member", b"before " + spelled + b" after")
        (folder / "file").write_bytes(gzip.compress(inside.getvalue()))
        assert hits(folder, {secret}) == [f"file!gz!member: {secret[:3]}…"]
    for before in ("", "x", "xx"):
        (tmp_path / "0" / "file").write_bytes(base64.b64encode(f"{before}{secret}{before}".encode()))
        assert hits(tmp_path / "0", {secret})
    (tmp_path / "0" / "file").write_text("2026-10-01 12:34:56.123456")
    assert hits(tmp_path / "0", {"123456"}) == []


class Planter:
    """Users with secrets of their own, and everything that their crawls leave behind."""

    def __init__(self, crawls, tmp_path: Path) -> None:
        self.crawls = crawls
        self.folder = tmp_path  # data folder, temp folder and what was said are all below it
        self.planted: set[str] = {GATEWAY_TOKEN, TEST_KEY}
        self.admins = []
        (tmp_path / "temp").mkdir()
        crawls.project.environment["TMPDIR"] = str(tmp_path / "temp")

    def password(self) -> str:
        """Return a password that looks another way in every spelling."""
        new = f'Pä"{secrets.token_urlsafe(9)}&ß+ /\\'
        self.planted.add(new)
        return new

    def plant(self, admin, portal: str, username: str, *, wrong: bool = False) -> None:
        """Give a user a password, an authenticator's secret and codes; *wrong*: we know another password."""
        known = self.password()
        right = self.password() if wrong else known
        codes = [f"{secrets.randbelow(10**8 if portal == 'bell' else 10**6):0{8 if portal == 'bell' else 6}d}"]
        totp = totp_secret(secrets.token_hex(8)) if "totp" in username else None
        admin.user(username, password=right, next_codes=list(codes), **({"totp_secret": totp} if totp else {}))
        self.planted |= {*codes, totp} if totp else {*codes}
        if admin not in self.admins:
            self.admins.append(admin)
        if portal == "bell":
            self.crawls.give_bell(username, known, totp_secret=totp)
        else:
            self.crawls.give(portal, username, known, totp)

    def canaries(self) -> set[str]:
        """Return what was planted, and what the portals gave out: cookies, tokens, codes."""
        given = {secret for admin in self.admins for kind in admin.secrets().values() for secret in kind}
        return {canary for canary in self.planted | given if len(canary) >= 6}

    def said(self, name: str, done) -> None:
        """Keep what a process said, to be searched like everything else."""
        (self.folder / f"{name}.stdout").write_text(done.stdout)
        (self.folder / f"{name}.stderr").write_text(done.stderr)

    def search(self) -> list[str]:
        return hits(self.folder, self.canaries())


@pytest.fixture
def planter(crawls, tmp_path) -> Planter:
    return Planter(crawls, tmp_path)


def check_webhook(planter: Planter) -> None:
    """End the webhook and keep what it said."""
    for process in planter.crawls.project.started:
        if process.poll() is None:
            process.terminate()
            out, err = process.communicate(timeout=20)
            (planter.folder / f"webhook-{process.pid}.log").write_text(out + err)


def crawl_plain(planter: Planter, plain, users: dict[str, str]) -> None:
    """Crawl all users in one process with everything logged; compare the outcomes."""
    crawls = planter.crawls
    plain.configure(documents=2)
    for user in users:
        planter.plant(plain, "plain", user, wrong="wrong" in user)
    command = crawls.command("plain_files", f"credential={','.join(users)}")
    done = crawls.project.scrapy(*command, *DEBUG, env=HASTE, timeout=100)
    planter.said("plain", done)
    ended = dict(crawls.rows("SELECT target, outcome FROM runs"))
    assert ended == users, done.stderr
    assert "DEBUG" in done.stderr


def test_no_secret_is_left_behind(planter, plain, webhook):
    users = {
        "ok+refused-wrong@example.com": "bad_credentials",
        "sms@example.com": "success",
        "totp@example.com": "success",
        "layout-b@example.com": "portal_changed",
        "html-instead-of-pdf@example.com": "bad_file",
    }
    crawl_plain(planter, plain, users)
    check_webhook(planter)

    assert len(planter.canaries()) >= 10
    assert planter.search() == []


def test_a_careless_spider_lets_no_secret_out(planter, plain):
    """It logs them, warns of them and raises them: log, run, bundle and what is printed at the end hide them."""
    planter.plant(plain, "plain", "ok@example.com")

    done = planter.crawls.project.scrapy(*planter.crawls.command("plain_careless"), *DEBUG)

    planter.said("careless", done)
    assert planter.crawls.outcomes == ["portal_changed"], done.stderr
    assert "Traceback" in done.stderr
    assert planter.search() == []


@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.timeout(300)
def test_none_of_a_hundred_secrets_is_left_behind(planter, plain, bell, webhook):
    """Every way to sign in and to fail, over HTTP and in the browser; one crawl is killed in mid-run."""
    crawls = planter.crawls
    users = {f"ok+{number}@example.com": "success" for number in range(10)}
    users |= {f"sms+{number}@example.com": "success" for number in range(8)}
    users |= {f"totp+{number}@example.com": "success" for number in range(4)}
    users |= {f"ok+wrong-{number}@example.com": "bad_credentials" for number in range(4)}
    users |= {
        "code-refused@example.com": "mfa_failed",
        "captcha@example.com": "captcha_shown",
        "layout-b@example.com": "portal_changed",
        "submit-503@example.com": "sign_in_timed_out",
        "submit-drop@example.com": "sign_in_timed_out",
        "other-customer@example.com": "identity_mismatch",
        "truncated-file@example.com": "bad_file",
    }
    crawl_plain(planter, plain, users)
    browser_users = {
        "session-storage@example.com": "success",
        "sms@example.com": "success",
        "totp@example.com": "success",
        "ok+wrong@example.com": "bad_credentials",
        "code-refused@example.com": "mfa_failed",
        "captcha+sms@example.com": "captcha_shown",
        "unknown-page@example.com": "portal_changed",
        "wrong-account@example.com": "wrong_account",
    }
    for user in browser_users:
        planter.plant(bell, "bell", user, wrong="wrong@" in user)
    killed = crawls.project.start(
        *crawls.command("bell_pdf_invoice"), *DEBUG, env={**HASTE, "LATCHKEY_LEASE_SECONDS": "5"}
    )
    wait_for(lambda: bell.counters()["downloads"], seconds=60)
    killed.send_signal(signal.SIGKILL)
    (planter.folder / "killed.log").write_text("".join(killed.communicate()))
    for user in browser_users:
        bell.user(user, next_codes=[code := f"{secrets.randbelow(10**8):08d}"])
        planter.planted.add(code)

    soon = {**HASTE, "LATCHKEY_BUSY_WAIT": "10", "LATCHKEY_LEASE_SECONDS": "5"}
    done = crawls.project.scrapy(*crawls.command("bell_pdf_invoice", "again=yes"), *DEBUG, env=soon, timeout=150)

    planter.said("bell", done)
    check_webhook(planter)
    ended = dict(crawls.rows("SELECT username, outcome FROM runs WHERE spider = 'bell_pdf_invoice' ORDER BY id"))
    # What was refused or under way at the kill: the credential is blocked or rests, its receiver waits for a late code.
    allowed = {"credential_cooling_down", "credential_blocked", "code_not_received"}
    assert all(ended[user] in {outcome, *allowed} for user, outcome in browser_users.items()), done.stderr
    assert len(planter.planted) >= 100
    assert planter.search() == []
    assert leftovers(planter.folder) == []


def leftovers(folder: Path) -> list[Path]:
    """Return what browsers have left: profiles, downloads, anything in the temporary folder."""
    return [
        path
        for place in (folder / "temp", folder / "data" / "spool")
        for path in place.rglob("*")
        if not path.is_dir() or path.name.startswith(("playwright", "com.", "org."))
    ]

"""What a seed decides, and the three ways to turn it on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sandbox
from sandbox import AdminError, User, running
from sandbox.perturb import DIMENSIONS, OFF, Perturbation, PerturbationError
from tests.sandbox.person import Person


def test_a_seed_decides_the_same_in_every_process():
    """The figures are of another process."""
    perturbation = Perturbation.of(7)
    assert perturbation.number("order", "months", below=10**6) == 291022
    assert perturbation.rename("userPanel") == Perturbation.of(7).rename("userPanel") != "userPanel"
    assert perturbation.rename("userPanel") != Perturbation.of(8).rename("userPanel")
    assert perturbation.rename("dataContainer", {"dataContainer"}) == "dataContainer"


def test_only_what_is_named_is_on():
    assert Perturbation.of(7).dimensions == list(DIMENSIONS)
    alone = Perturbation.of(7, ["order"])
    assert alone.dimensions == ["order"]
    assert alone.rename("userPanel") == "userPanel"
    assert alone.word("Log in") == "Log in"
    assert all(alone.touches("order", str(key)) for key in range(50))
    assert OFF.dimensions == []
    assert not OFF
    assert Perturbation.of(0)


@pytest.mark.parametrize("seed", range(20))
def test_another_order_is_another_order(seed):
    things = ["a", "b", "c", "d"]
    changed = Perturbation.of(seed).shuffled("order", "things", things)
    assert changed != things
    assert sorted(changed) == things
    assert Perturbation.of(seed).shuffled("order", "one", ["a"]) == ["a"]


def test_free_words_change_and_known_ones_stay():
    said = {Perturbation.of(seed, ["words", "letters", "language"]).word(" Log in ") for seed in range(40)}
    assert len(said) > 8
    assert all(text.startswith(" ") and text.endswith(" ") for text in said)
    assert {Perturbation.of(seed).word("Log in", {"Log in"}) for seed in range(40)} == {"Log in"}


def test_what_is_not_there_is_refused():
    for seed, only in ((-1, ()), (True, ()), ("7", ()), (10**9, ()), (7, ["smells"]), (7, "order"), (7, [1])):
        with pytest.raises(PerturbationError):
            Perturbation.of(seed, only)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ok+perturb-7@example.com", Perturbation.of(7)),
        ("sms+perturb-12-label-forms.order+multi", Perturbation.of(12, ["label-forms", "order"])),
        ("ok+perturb-off", OFF),
        ("ok+perturb-7-smells", None),
        ("ok+perturb-x", None),
        ("ok", None),
    ],
)
def test_a_tag_says_a_seed_and_dimensions(name, expected):
    assert Perturbation.tagged(User.of(name).value("perturb")) == expected


def pages(sandbox, count):
    """Return the sign-in pages of visits, each asked for twice: a visit sees the same one again."""
    found = []
    for _ in range(count):
        person = Person(sandbox.urls["plain"])
        one, again = (re.sub(r'value="[^"]+"', "", person.ask("/login").text) for _ in range(2))
        assert one == again
        found.append(one)
    return found


def test_the_portal_keeps_its_seed_over_a_restart(tmp_path):
    with running(tmp_path, ("plain",)) as sandbox:
        admin = sandbox.admin["plain"]
        assert admin.ask("perturb") == {"seed": None, "only": [], "on": []}
        told = admin.perturb(7, ["order"])
        assert told == {"seed": 7, "only": ["order"], "on": ["order"]}
        with pytest.raises(AdminError, match="no dimension smells"):
            admin.perturb(7, ["smells"])
        sandbox.kill()
        sandbox.start()
        admin = sandbox.admin["plain"]
        admin.reset()
        assert admin.ask("perturb") == told
        assert pages(sandbox, 2) == pages(sandbox, 2)
        admin.perturb(None, visitors=[(3, ()), (11, ())])
        sandbox.kill()
        sandbox.start()
        admin = sandbox.admin["plain"]
        first, second, third = pages(sandbox, 3)
        assert first == third != second
        assert admin.perturb(None)["on"] == []


def test_the_readme_lists_every_dimension():
    text = (Path(sandbox.__file__).parent / "README.md").read_text()
    table = text.partition("| dimension | what changes |")[2].partition("\n\n")[0].splitlines()[2:]
    assert table == [f"| `{name}` | {said} |" for name, said in DIMENSIONS.items()]

"""Attacks on the corpus change the attacker's part alone, and what self-prompting brings is what attribution says."""

from __future__ import annotations

import numpy as np
import pytest

from royaltycli.attribution import calibration
from royaltycli.bench import attacks, method, prompting
from royaltycli.bench.corpus import prepare
from royaltycli.bench.gains import Outcome, rows
from royaltycli.bench.packages import Document
from royaltycli.bench.payouts import WINDOWS, mixtures
from royaltycli.bench.results import Goal
from royaltycli.bench.spans import cut, encode
from tests.bench import wheels

DOCUMENTS = [Document(name, f"{at}.py", wheels.text(name, at)) for name in ("ants", "bees") for at in range(12)]


def test_attacks_change_the_corpus_of_the_attacker_alone():
    for attack in attacks.ATTACKS.values():
        changed = attack(DOCUMENTS, "ants")
        assert [each for each in changed if each.source == "bees"] == DOCUMENTS[12:]
        ids = sorted({each.source for each in changed})
        assert [name == "bees" for name in ids] == attacks.owners_of(ids, ["ants", "bees"]).astype(bool).tolist()
        assert attack(DOCUMENTS, "ants") == changed


def test_what_each_attack_does():
    ants = [each.text for each in DOCUMENTS[:12]]
    copies = attacks.copied(DOCUMENTS, "ants")
    assert len({each.source for each in copies}) == 11
    assert sorted(each.text for each in copies if each.source != "bees") == sorted(ants * 10)
    for count, name in ((10, "splitting a source in ten"), (2, "splitting a source in two")):
        parts = attacks.ATTACKS[name](DOCUMENTS, "ants")
        assert len({each.source for each in parts}) == count + 1
        assert sorted(each.text for each in parts if each.source != "bees") == sorted(ants)
    changed = [each.text for each in attacks.changed_copies(DOCUMENTS, "ants") if each.source == "ants--1"]
    same = np.mean(
        [
            one == two
            for old, new in zip(ants, changed, strict=True)
            for one, two in zip(old.split(), new.split(), strict=False)
        ]
    )
    assert 0.6 < same < 0.99
    stuffed = " ".join(each.text for each in attacks.stuffed(DOCUMENTS, "ants") if each.name.startswith("stuffed"))
    assert set(stuffed.split()) <= {word for each in DOCUMENTS[12:] for word in attacks.WORD.findall(each.text)}


def test_a_gain_is_of_all_mixtures_together():
    before, after = Outcome(np.array([0.1, 0.3]), np.array([0.2, 0.2])), Outcome(np.array([0.3, 0.5]), np.array([0, 1]))
    (gain, honest, error) = rows({"copying": [(before, after)]}, {"copying": Goal("", 0.05, most=True)})
    assert (gain.measure, gain.met, gain.seeds) == ("copying", False, pytest.approx((1.0,)))
    assert gain.estimate.value == pytest.approx(1.0)
    assert (honest.estimate.value, error.estimate.value) == (pytest.approx(0.2), 0.5)


@pytest.fixture(scope="module")
def prompted(tmp_path_factory):
    """What comes of self-prompting by the first of three sources, and what it has in the first of the mixtures."""
    folder = tmp_path_factory.mktemp("prompted")
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(calibration, "SPANS", dict.fromkeys(calibration.SPANS, 60))
    packages = [wheels.make(folder / "wheels", name) for name in ("ants", "bees", "cats")]
    prepared = prepare(folder, lambda _words: None, packages=(packages, []))
    data = encode(prepared.parts, prepared.manifest.parent)
    method.build(prepared.manifest, folder / "index")
    spans = cut(data.held_out, 128)
    mixed = mixtures(spans, 3, 0, 1)
    attack = prompting.drawn(cut(data.known, 128), 0, "ants", 0)
    yield mixed, attack, prompting.outcomes(folder / "index", spans.tokens, mixed, attack)
    monkeypatch.undo()


def test_a_fifth_of_all_outputs_are_quotes_of_the_attacker(prompted):
    _, attack, _ = prompted
    assert len(attack.quotes) == WINDOWS // 4
    quotes = prompting.quoting(["one", "two"], prompts=True)
    assert [each.prompt for each in quotes] == [prompting.ASKING + "one", prompting.ASKING + "two"]
    assert [each.prompt for each in prompting.quoting(["one"], prompts=False)] == [None]
    assert len({each.account for each in prompting.honest(["x"] * 400)}) == prompting.READERS


def test_quotes_whose_prompts_are_logged_gain_nothing_and_the_cap_bounds_others(prompted):
    mixed, _, (before, after) = prompted
    honest = before.own
    assert honest == pytest.approx([mixture.truth[0] for mixture in mixed], rel=0.2)
    with_prompts, without, uncapped_with, uncapped = (after[way].own for way in prompting.WAYS)
    # What repeats the prompt is nobody's: a fifth of the log or, by the cap, a tenth.
    assert uncapped_with == pytest.approx(honest * 0.8, rel=0.01)
    assert with_prompts == pytest.approx(honest * 0.9, rel=0.01)
    assert uncapped == pytest.approx(honest * 0.8 + 0.2, abs=0.05)
    assert without == pytest.approx(honest * 0.9 + 0.1, abs=0.05)
    assert np.all(np.diff([with_prompts, honest, without, uncapped], axis=0) > 0)

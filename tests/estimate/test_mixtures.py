"""The published mixtures: every figure is exact, every total is the sum it claims to be, every name is found."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from fractions import Fraction
from importlib import resources

import pytest

from royaltycli.errors import CallError
from royaltycli.mixtures import corpus_total, find_mixture, find_part, mixtures
from royaltycli.payout.estimate import Mixture

NAMES = [
    "gpt-3",
    "llama-1",
    "the-pile",
    "redpajama-v1",
    "slimpajama",
    "dolma-1.7",
    "olmo-mix-1124",
    "comma-0.1",
    "llama-3-405b",
    "fineweb",
]
FIGURES = {
    "trained",
    "stated",
    "computed",
    "computed_seen",
    "computed_weight",
    "tokens_per_byte",
    "size",
    "weight",
    "epochs",
}
each_mixture = pytest.mark.parametrize("mixture", mixtures(), ids=lambda mixture: mixture.name)


def data() -> list[dict[str, object]]:
    text = resources.files("royaltycli.mixtures").joinpath("mixtures.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)["mixture"]
    return [part for entry in entries for part in (entry, *entry.get("parts", ()))]


def test_every_corpus_is_there() -> None:
    assert [mixture.name for mixture in mixtures()] == NAMES
    assert [len(mixture.parts) for mixture in mixtures()] == [5, 7, 22, 7, 7, 15, 7, 31, 4, 0]


def test_every_figure_is_text_and_a_plain_number() -> None:
    figures = [entry[key] for entry in data() for key in sorted(FIGURES & entry.keys())]
    assert len(figures) > 200
    for figure in figures:
        assert isinstance(figure, str)
        assert re.fullmatch(r"\d+(\.\d+)?(e\d+)?", figure), figure


def test_no_key_is_unknown() -> None:
    known = FIGURES | {"name", "aliases", "title", "tokenizer", "unit", "source", "date", "notes", "parts"}
    assert {key for entry in data() for key in entry} <= known


@each_mixture
def test_source_date_and_whole(mixture: Mixture) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*([-.][a-z0-9]+)*", mixture.name)
    assert re.search(r"arXiv \d{4}\.\d{5}|[Dd]ataset card of [\w-]+/[\w.-]+", mixture.source)
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])(-([0-2]\d|3[01]))?", mixture.date)
    assert mixture.title
    assert mixture.notes
    assert all(note.endswith(".") for note in mixture.notes)
    assert mixture.total > 10**11


@each_mixture
def test_computed_totals_are_the_sums(mixture: Mixture) -> None:
    sizes = [part.size for part in mixture.parts if part.size is not None]
    weights = [part.weight for part in mixture.parts if part.weight is not None]
    seen = [part.size * part.epochs for part in mixture.parts if part.size is not None and part.epochs is not None]

    assert mixture.computed == (sum(sizes) if sizes else None)
    assert mixture.computed_weight == (sum(weights) if weights else None)
    assert mixture.computed_seen == (sum(seen) if seen else None)
    for published in (sizes, weights, seen):
        assert len(published) in {0, len(mixture.parts)}, "a figure is published for all parts or for none"


@each_mixture
def test_parts_have_names_of_their_own_and_are_found_by_them(mixture: Mixture) -> None:
    for part in mixture.parts:
        assert find_part(mixture, part.name) is part
        assert find_part(mixture, part.name.upper().replace(" ", "-")) is part


@pytest.mark.parametrize(
    ("weights", "name"),
    [("101", "gpt-3"), ("100", "llama-1"), ("100", "the-pile"), ("100", "slimpajama"), ("100", "llama-3-405b")],
)
def test_sums_of_the_weights(weights: str, name: str) -> None:
    assert find_mixture(name).computed_weight == Fraction(weights) / 100


@pytest.mark.parametrize(
    ("name", "figure", "note"),
    [
        ("gpt-3", "computed_weight", "The weights sum to 101 %."),
        ("gpt-3", "computed_seen", "Size times epochs comes to 292.15B tokens, where the run saw 300B."),
        ("redpajama-v1", "computed", "The sizes sum to 1,210B tokens, where the card says 1.2 trillion."),
        ("dolma-1.7", "computed_seen", "Size times epochs comes to 1,645.15B tokens, where the card says 1,715.1B."),
        ("dolma-1.7", "computed", "The sizes sum to 2,308.4B tokens, where the card says 2,308.5B."),
    ],
)
def test_notes_say_where_figures_do_not_add_up(name: str, figure: str, note: str) -> None:
    mixture = find_mixture(name)
    value = getattr(mixture, figure)
    written = f"{value * 100} %" if figure == "computed_weight" else f"{Decimal(value) / 10**9:,f}B"

    assert note in mixture.notes
    assert written in note


def test_note_on_webtext2() -> None:
    gpt_3 = find_mixture("gpt-3")
    webtext2 = find_part(gpt_3, "WebText2")
    assert webtext2.weight is not None
    assert webtext2.tokens is not None

    assert round(webtext2.weight * gpt_3.total / webtext2.tokens, 2) == Fraction("3.47")
    assert webtext2.epochs == Decimal("2.9")


def test_note_on_the_tokens_per_byte_of_the_pile() -> None:
    pile = find_mixture("the-pile")
    tokens = sum(part.tokens for part in pile.parts if part.tokens is not None)

    assert round(tokens / 2**30 / Fraction(pile.computed or 0), 5) == Fraction("0.28997")
    assert pile.tokens_per_byte == Decimal("0.29335")


def test_the_whole_is_what_was_trained_else_stated_else_computed() -> None:
    assert find_mixture("gpt-3").total == 300 * 10**9
    assert find_mixture("redpajama-v1").total == 1200 * 10**9
    assert find_mixture("olmo-mix-1124").total == 3_890_060_000_000
    assert find_mixture("the-pile").total == Fraction("1254.20") * 2**30 * Fraction("0.29335")


def test_names_and_aliases_are_distinct_and_found_in_any_spelling() -> None:
    names = [(name, mixture) for mixture in mixtures() for name in (mixture.name, *mixture.aliases)]
    for name, mixture in names:
        assert find_mixture(name) is mixture
        assert find_mixture(f" {name.upper().replace('-', '_')} ") is mixture


def test_a_corpus_is_a_number_or_a_name() -> None:
    gpt_3 = find_mixture("gpt-3")
    assert corpus_total("300e9") == (Fraction(300 * 10**9), None)
    assert corpus_total(" 1.5T ") == (Fraction(15, 10) * 10**12, None)
    assert corpus_total("GPT3") == (gpt_3.total, gpt_3)


def test_unknown_corpus() -> None:
    with pytest.raises(CallError) as caught:
        find_mixture("gpt4")
    assert str(caught.value) == "there is no corpus 'gpt4'; did you mean gpt-3?"


def test_a_piece_of_a_name_is_near() -> None:
    with pytest.raises(CallError) as caught:
        find_mixture("olmo")
    assert str(caught.value) == "there is no corpus 'olmo'; did you mean olmo-mix-1124?"


def test_unknown_corpus_without_near_names() -> None:
    with pytest.raises(CallError) as caught:
        corpus_total("?")
    assert str(caught.value) == (
        "there is no corpus '?'; `royalty estimate --list` shows all, or write a number such as 300e9"
    )


def test_unknown_part() -> None:
    with pytest.raises(CallError) as caught:
        find_part(find_mixture("gpt-3"), "Books3")
    assert str(caught.value) == "gpt-3 has no part 'Books3'; did you mean Books1 or Books2?"


def test_unknown_part_without_near_names() -> None:
    with pytest.raises(CallError) as caught:
        find_part(find_mixture("gpt-3"), "patents")
    assert str(caught.value) == ("gpt-3 has no part 'patents'; `royalty estimate --list` shows all, with their parts")


def test_part_of_a_corpus_without_parts() -> None:
    with pytest.raises(CallError) as caught:
        find_part(find_mixture("fineweb"), "CC-MAIN-2023-50")
    assert str(caught.value) == "fineweb has no published parts; leave the part 'CC-MAIN-2023-50' out"

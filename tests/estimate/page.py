"""The figures of docs/mixtures.md, generated from the data. `python -m tests.estimate.page` renews them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from royaltycli.mixtures import mixtures
from royaltycli.numerals import percent, plain, plain_fraction
from royaltycli.payout.estimate import Mixture, Part

PAGE = Path(__file__).parents[2] / "docs" / "mixtures.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def figures() -> str:
    """What each preset says, as Markdown."""
    return "\n\n".join([_overview(), *(_section(mixture) for mixture in mixtures())])


def renewed(page: str) -> str:
    """The page with its figures as the data has them now."""
    head, _, rest = page.partition(BEGIN)
    return f"{head}{BEGIN}\n\n{figures()}\n\n{END}{rest.partition(END)[2]}"


def _overview() -> str:
    rows = [
        f"| `{mixture.name}` | {mixture.title} | {_grouped(mixture.total)} | {len(mixture.parts)} | {mixture.date} |"
        for mixture in mixtures()
    ]
    return _table("| name | corpus | tokens | parts | date |\n| --- | --- | ---: | ---: | --- |", rows)


def _section(mixture: Mixture) -> str:
    facts = [
        ("also", ", ".join(f"`{alias}`" for alias in mixture.aliases)),
        ("source", f"{mixture.source}; {mixture.date}"),
        ("tokenizer", mixture.tokenizer),
        ("trained", _sized(mixture.trained, mixture)),
        ("stated", _sized(mixture.stated, mixture)),
        ("computed from sizes", _sized(mixture.computed, mixture)),
        ("computed from sizes and epochs", _sized(mixture.computed_seen, mixture)),
        ("sum of the weights", None if mixture.computed_weight is None else _percent(mixture.computed_weight)),
        ("tokens per byte", None if mixture.tokens_per_byte is None else plain(mixture.tokens_per_byte)),
    ]
    blocks = [f"## {mixture.title} (`{mixture.name}`)", "\n".join(f"- {name}: {fact}" for name, fact in facts if fact)]
    if mixture.parts:
        blocks.append(_parts(mixture))
    return "\n\n".join([*blocks, " ".join(mixture.notes)])


def _parts(mixture: Mixture) -> str:
    columns: dict[str, list[str | None]] = {
        f"size, {mixture.unit}": [None if part.size is None else _grouped(part.size) for part in mixture.parts],
        "weight": [None if part.weight is None else _percent(part.weight) for part in mixture.parts],
        "epochs": [_plain(part.epochs) for part in mixture.parts],
        "tokens per byte": [_plain(part.tokens_per_byte) for part in mixture.parts],
        "share of 1M tokens": [percent(_share_of_a_million(part, mixture)) + " %" for part in mixture.parts],
    }
    kept = {name: cells for name, cells in columns.items() if any(cells)}
    head = "| part | " + " | ".join(kept) + " |\n| --- |" + " ---: |" * len(kept)
    rows = [
        f"| {part.name} | " + " | ".join(cells[row] or "" for cells in kept.values()) + " |"
        for row, part in enumerate(mixture.parts)
    ]
    return _table(head, rows)


def _share_of_a_million(part: Part, mixture: Mixture) -> Fraction:
    return 1_000_000 * Fraction(part.epochs or 1) / mixture.total


def _table(head: str, rows: list[str]) -> str:
    return "\n".join([head, *rows])


def _sized(value: Decimal | None, mixture: Mixture) -> str | None:
    return None if value is None else f"{_grouped(value)} {mixture.unit}"


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _percent(value: Fraction) -> str:
    return f"{plain_fraction(value * 100)} %"


def _grouped(value: Decimal | Fraction) -> str:
    if isinstance(value, Fraction):
        return f"{round(value):,}"
    return f"{Decimal(plain(value)):,f}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

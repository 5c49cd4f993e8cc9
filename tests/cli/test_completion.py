"""What the tab key offers, asked for as the shells do."""

from __future__ import annotations

import subprocess
import sys

import pytest

from royaltycli.mixtures import find_part, mixtures
from royaltycli.payout.currency import find_currency, payable
from royaltycli.report.statements.rendering import FORMATS as STATEMENTS
from royaltycli.tokens.encodings import PUBLIC
from tests.cli.terminal import ENVIRONMENT, ROYALTY


def offered(line, before=""):
    """What is offered for the last word of a line."""
    words = line.split(" ")
    asked = {"_ROYALTY_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    command = [sys.executable, "-c", before + ROYALTY]
    done = subprocess.run(command, env={**ENVIRONMENT, **asked}, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("royalty payout --by ", ["source", "holder", "split"]),
        ("royalty shares --by l", ["license"]),
        ("royalty payout --format ", ["table", "csv", "json", "jsonl", "parquet", "markdown", "xlsx"]),
        ("royalty shares -f j", ["json", "jsonl"]),
        ("royalty statement a 2026 -f ", ["text", "html", "pdf", "json"]),
        ("royalty statement --all 2026 --format html,p", ["html,pdf"]),
        ("royalty payout --currency JP", ["JPY"]),
        ("royalty estimate -c kw", ["kwd"]),
        ("royalty payout --basis ", ["seen-tokens", "tokens", "documents", "bytes", "works", "usage"]),
        ("royalty explain --basis seen_", []),
        ("royalty payout --currency XAU", []),  # gold, in which nothing can be paid
        ("royalty scan --encoding ", list(PUBLIC)),
        ("royalty scan --encoding ./tok", []),  # the shell offers files
        ("royalty estimate -e cl", ["cl100k_base"]),
        ("royalty scan --pattern o", ["o200k_base"]),
        ("royalty scan --engine ", ["gigatoken", "tiktoken", "tokenizers"]),
        ("royalty estimate --corpus ", [mixture.name for mixture in mixtures()]),
        ("royalty estimate --part ", ["Common-Crawl", "WebText2", "Books1", "Books2", "Wikipedia"]),
        ("royalty estimate --corpus pile --part gut", ["gutenberg-pg-19"]),
        ("royalty estimate --corpus 300e9 --part ", []),
        ("royalty estimate --corpus fineweb --part ", []),
        ("royalty estimate --corpus gpt-9 --part ", []),
    ],
)
def test_what_is_offered(line, values):
    assert offered(line) == values


def test_every_part_offered_means_that_part():
    for mixture in mixtures():
        if mixture.parts:
            names = offered(f"royalty estimate --corpus {mixture.name} --part ")
            assert [find_part(mixture, name) for name in names] == list(mixture.parts)


def test_every_format_of_a_statement_is_offered():
    assert offered("royalty statement a 2026 -f ") == ["text", *STATEMENTS]


def test_every_currency_offered_can_be_paid_in():
    assert all(find_currency(code).code == code for code in payable())


LIGHT = """
import atexit, os, sys
def check():
    if {"numpy", "pyarrow", "tiktoken", "gigatoken"} & sys.modules.keys():
        os.write(2, b"heavy")
atexit.register(check)
"""


@pytest.mark.parametrize(
    "option",
    ["payout --format", "statement -f", "payout --basis", "payout -c", "scan -e", "scan --engine", "estimate --part"],
)
def test_nothing_heavy_is_imported_to_offer_something(option):
    assert offered(f"royalty {option} ", before=LIGHT)

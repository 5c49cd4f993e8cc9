"""The Python API: one function per command, with the same arguments, defaults, results and errors."""

from __future__ import annotations

import base64
import inspect
import re
import subprocess
import sys
import textwrap
import threading
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import royaltycli
from royaltycli import accounting, errors
from royaltycli.cli import COMMANDS, app
from royaltycli.storage import SEAL_KEY

SAMPLE = Path(__file__).parents[1] / "sample_corpora"

SMALL = {
    "corpus.toml": """
        [corpus]
        train_tokens = "1000"
        [[source]]
        id = "book"
        path = "book.txt"
        holders = [{ id = "ann", share = "1/3" }, { id = "press", share = "2/3" }]
        license = "proprietary"
        [[collection]]
        id = "posts"
        path = "posts.jsonl"
        source = "author"
        holder = "author"
    """,
    "book.txt": "One day, a book was counted.",
    "posts.jsonl": [{"author": "ann", "text": "hello"}, {"author": "ben", "text": "hello again"}],
}


@pytest.fixture
def small(folder):
    return folder(SMALL)


@pytest.fixture(scope="module")
def sample():
    return royaltycli.scan(SAMPLE, verify=0)


# -- what there is ----------------------------------------------------------------------------------


def test_what_is_exported():
    assert royaltycli.__all__ == [
        "RoyaltyError",
        "attribute",
        "check",
        "compare",
        "estimate",
        "explain",
        "index",
        "merge",
        "payout",
        "read_tokens",
        "scan",
        "shares",
        "sweep",
        "trace",
    ]
    assert dir(royaltycli) == royaltycli.__all__
    assert all(getattr(royaltycli, name).__doc__ for name in royaltycli.__all__)
    with pytest.raises(AttributeError, match="module 'royaltycli' has no attribute 'pay'"):
        _ = royaltycli.pay


def test_functions_are_not_hidden_by_the_folders_of_their_names():
    """Importing a submodule sets it as an attribute of its package: `royaltycli.payout` is a folder too."""
    from royaltycli.payout.shares import shares

    assert inspect.isfunction(shares)
    assert inspect.isfunction(royaltycli.payout)


SHOWN = {"format_", "output", "raw", "quiet", "top", "files", "list_", "explain", "part", "details"}
"""Options that say how or where a result is shown, or let a command have none. The API gives the result itself."""

DIFFERENT = {
    "scan": ({"top", "quiet", "explain", "part"}, set()),  # the summary is for a person
    "merge": ({"top", "quiet"}, set()),
    "check": ({"files"}, set()),
    "shares": ({"format_", "output", "raw", "quiet"}, set()),
    "payout": ({"format_", "output", "raw", "quiet"}, set()),
    "explain": (set(), set()),
    "compare": ({"format_", "output", "raw", "quiet"}, set()),
    "sweep": ({"format_", "output", "raw", "quiet"}, set()),
    "estimate": ({"list_"}, set()),
    "index": ({"quiet"}, {"tell"}),
    "attribute": ({"output", "details", "top", "quiet"}, {"tell"}),
    "trace": ({"format_", "output", "raw", "quiet"}, set()),
}
"""What only the command has, and what only the function has."""

WITHOUT_FUNCTION = {"init", "policies"}
"""They write a text for a person to go on with, and have no result."""

OF_THE_LEDGER = {
    "close": "close",
    "restate": "restate",
    "payments": "payments",
    "settle": "settle",
    "balance": "balances",
    "transfer": "transfer",
    "unclaimed": "unclaimed",
    "release": "release",
    "redistribute": "redistribute",
    "ledger": "verify",
}
"""Commands on a ledger have their functions in `royaltycli.accounting`."""

STATEMENT = {"statement"}
"""It makes pages for people."""

BENCHMARKS = {"bench"}
"""It measures this very package."""

NETWORKS = {"network"}
"""It has commands of its own, whose functions are in `royaltycli.networks`."""


def test_every_command_has_its_function():
    others = WITHOUT_FUNCTION | STATEMENT | BENCHMARKS | NETWORKS | OF_THE_LEDGER.keys()
    assert COMMANDS.keys() - others == DIFFERENT.keys()
    assert all(callable(getattr(accounting, name)) for name in OF_THE_LEDGER.values())
    assert {name for only in DIFFERENT.values() for name in only[0]} <= SHOWN


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_function_has_the_arguments_of_its_command(name):
    command = inspect.signature(COMMANDS[name]).parameters
    function = inspect.signature(getattr(royaltycli, name)).parameters
    assert (command.keys() - function.keys(), function.keys() - command.keys()) == DIFFERENT[name]


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_is_left_out_means_the_same(name):
    command = inspect.signature(COMMANDS[name]).parameters
    function = inspect.signature(getattr(royaltycli, name)).parameters
    for argument in command.keys() & function.keys() - {"tokens", "output", "profit", "index", "network"}:
        # A table instead of its path; `--list` needs no profit; a scan for a notebook need not write; a name is a path.
        assert (argument, function[argument].default) == (argument, command[argument].default)


# -- numbers ----------------------------------------------------------------------------------------

PROFITS = ["500e6", "500M", " 500,000,000 ", 500_000_000, Decimal("5E+8"), Decimal("500000000.00"), Fraction(10**9, 2)]
RATES = ["0.2", "20%", "1/5", Decimal("0.20"), Fraction(1, 5)]
TOTALS = ["300e9", 300_000_000_000, Decimal("3E+11"), Fraction(3 * 10**11)]


@pytest.mark.parametrize("profit", PROFITS)
def test_the_ways_to_give_a_profit(sample, profit):
    rows = royaltycli.payout(sample, profit=profit, rate=1, top=1)
    assert sum(rows["payout"].to_pylist()) == Decimal("500000000.00")


@pytest.mark.parametrize("rate", RATES)
def test_the_ways_to_give_a_rate(sample, rate):
    rows = royaltycli.payout(sample, profit=100, rate=rate, top=1)
    assert sum(rows["payout"].to_pylist()) == Decimal("20.00")


@pytest.mark.parametrize("total", TOTALS)
def test_the_ways_to_give_a_number_of_tokens(sample, total):
    assert royaltycli.shares(sample, total_tokens=total).equals(royaltycli.shares(sample, total_tokens="300B"))
    assert royaltycli.estimate(130_000, corpus=total, profit=1).total == 300 * 10**9


INEXACT = [0.2, 1.0, float("nan"), True, False, 1j, [], b"1"]


@pytest.mark.parametrize("number", INEXACT)
@pytest.mark.parametrize("argument", ["profit", "rate", "total tokens", "verify", "tokens", "words", "pages", "corpus"])
def test_a_float_is_refused(sample, argument, number):
    calls = {
        "profit": lambda: royaltycli.payout(sample, profit=number, rate=1),
        "rate": lambda: royaltycli.payout(sample, profit=1, rate=number),
        "total tokens": lambda: royaltycli.shares(sample, total_tokens=number),
        "verify": lambda: royaltycli.scan(SAMPLE, verify=number),
        "tokens": lambda: royaltycli.estimate(number, profit=1),
        "words": lambda: royaltycli.estimate(words=number, profit=1),
        "pages": lambda: royaltycli.estimate(pages=number, profit=1),
        "corpus": lambda: royaltycli.estimate(1, corpus=number, profit=1),
    }
    with pytest.raises(errors.CallError) as caught:
        calls[argument]()
    assert str(caught.value) == f"{argument} is {number!r}; give it as text, int, Decimal or Fraction, which are exact"


@pytest.mark.parametrize(
    "number", [Decimal("NaN"), Decimal("Infinity"), -1, Decimal(-1), Fraction(-1, 2), Fraction(1, 3), "abc"]
)
def test_a_profit_that_is_no_amount_is_refused(sample, number):
    """A third of a dollar is none: a profit is a decimal (P1)."""
    with pytest.raises(errors.CallError, match=r"^profit is "):
        royaltycli.payout(sample, profit=number, rate=1)


# -- the same as the command ------------------------------------------------------------------------


def typed(*args):
    """The rows that a command writes as Parquet."""
    result = CliRunner().invoke(app, [*args, "--format", "parquet"], prog_name="royalty")
    assert result.exit_code == 0, result.stderr
    return pq.read_table(pa.BufferReader(result.stdout_bytes))


def same(rows, others):
    assert rows.schema.names == others.schema.names
    assert rows.to_pydict() == others.to_pydict()


def test_scan_is_what_the_command_writes(small, monkeypatch):
    monkeypatch.chdir(small)
    assert CliRunner().invoke(app, ["scan", "--quiet"]).exit_code == 0
    by_command = royaltycli.read_tokens()
    by_function = royaltycli.scan(output="mine.parquet")
    same(by_command, by_function)
    assert {**by_function.schema.metadata, SEAL_KEY: by_command.schema.metadata[SEAL_KEY]} == by_command.schema.metadata
    assert Path("mine.parquet").read_bytes() == Path("tokens.parquet").read_bytes()


def test_shares_and_payout_are_what_the_commands_write(small, monkeypatch):
    monkeypatch.chdir(small)
    tokens = royaltycli.scan(output="tokens.parquet")
    for by in ("source", "holder", "license", "collection"):
        same(typed("shares", "--by", by, "--top", "1"), royaltycli.shares(tokens, by=by, top=1))
    for by in ("source", "holder", "split"):
        options = ["--profit", "500e6", "--rate", "1/3", "--by", by, "--currency", "jpy", "--period", "2026"]
        rows = royaltycli.payout(tokens, profit="500e6", rate="1/3", by=by, currency="jpy", period="2026")
        same(typed("payout", *options), rows)
    whole = royaltycli.payout(tokens, profit=1, rate=1, total_tokens="1e6")
    same(typed("payout", "--profit", "1", "--rate", "1", "--total-tokens", "1e6"), whole)


def test_the_manifests_train_tokens_are_the_whole_run_unless_another_is_given(small):
    tokens = royaltycli.scan(small)
    assert "(not scanned)" in royaltycli.shares(tokens)["source_id"].to_pylist()
    seen = sum(Decimal(text) for text in royaltycli.shares(tokens)["seen_tokens"].to_pylist())
    assert seen == 1000
    assert sum(Decimal(text) for text in royaltycli.shares(tokens, total_tokens=50)["seen_tokens"].to_pylist()) == 50


def test_check_finds_the_files_and_counts_nothing(small):
    opened = royaltycli.check(small)
    assert [source.id for source in opened.corpus.sources] == ["book"]
    assert [file.name for file in opened.files] == ["book.txt", "posts.jsonl"]


def test_estimate_says_what_the_worked_example_says():
    """The worked example: a textbook of 130,000 tokens in GPT-3, of a profit of $500M."""
    textbook = royaltycli.estimate("130k", corpus="gpt-3", profit="500e6", rate="20%")
    assert (str(textbook.full_payout), str(textbook.rate_payout)) == ("216.67", "43.33")
    assert royaltycli.estimate(words=97_500, profit="500e6", rate="20%") == textbook


def test_estimate_counts_a_file(small):
    tokens = {row["source_id"]: row["tokens"] for row in royaltycli.scan(small).to_pylist()}
    for path in (small / "book.txt", str(small / "book.txt")):
        assert royaltycli.estimate(file=path, profit=1).tokens == tokens["book"]


def test_estimate_counts_a_file_with_a_vocabulary_that_does_not_say_how_it_splits(small, tmp_path):
    """256 bytes without any merge: each byte of a text is a token."""
    vocabulary = tmp_path / "bytes.tiktoken"
    vocabulary.write_bytes(b"".join(b"%s %d\n" % (base64.b64encode(bytes([byte])), byte) for byte in range(256)))
    book = {"file": small / "book.txt", "profit": 1, "encoding": str(vocabulary)}
    with pytest.raises(errors.EncodingError, match="name the one whose splitting it uses with `--pattern`"):
        royaltycli.estimate(**book)
    assert royaltycli.estimate(**book, pattern="r50k_base").tokens == (small / "book.txt").stat().st_size


# -- notebooks and scripts --------------------------------------------------------------------------


def test_a_table_may_be_filtered_sorted_and_put_together_again(sample):
    shuffled = sample.sort_by([("tokens", "descending")])
    chunks = pa.concat_tables([shuffled.slice(50), shuffled.slice(0, 50)])
    same(royaltycli.payout(chunks, profit=1000, rate=1), royaltycli.payout(sample, profit=1000, rate=1))
    posts = sample.filter(pa.compute.starts_with(sample["source_id"], "microposts/"))
    assert sum(royaltycli.payout(posts, profit=1000, rate=1)["payout"].to_pylist()) == 1000


def test_the_arguments_are_left_as_they_were(sample):
    before = sample.schema, sample.to_pydict()
    royaltycli.payout(sample, profit=1000, rate=1, by="split")
    royaltycli.shares(sample, by="holder")
    assert (sample.schema, sample.to_pydict()) == before


def test_it_works_in_threads(small):
    expected = royaltycli.scan(small).to_pydict()
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(royaltycli.scan(small, workers=2).to_pydict())) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 3


SCRIPT = """
    import royaltycli

    tokens = royaltycli.scan(verify="100%", workers=3)
    rows = royaltycli.payout(tokens, profit="500e6", rate="20%")
    print(tokens.num_rows, sum(rows["payout"].to_pylist()))
"""


def python(*args, folder, script=None):
    command = [sys.executable, "-W", "error", *args]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, input=script)


def test_it_works_in_a_script_without_a_main_guard(small):
    (small / "script.py").write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    done = python("script.py", folder=small)
    assert (done.stdout, done.stderr) == ("3 100000000.00\n", "")


def test_it_works_from_standard_input(small):
    """Where a process that starts workers anew would find no file to start from."""
    assert python("-", folder=small, script=textwrap.dedent(SCRIPT)).stdout == "3 100000000.00\n"


def test_python_dash_m(small):
    done = python("-m", "royaltycli", "check", folder=small)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        0,
        "1 source and 1 collection in 2 files, 104 bytes; no errors.",
    )
    assert python("-m", "royaltycli", "--version", folder=small).stdout.startswith("royalty ")


def test_nothing_heavy_is_imported_before_it_is_used(small):
    heavy = {"numpy", "pyarrow", "tiktoken", "gigatoken", "typer"}
    probe = f"import royaltycli, sys; print({heavy} & sys.modules.keys())"
    assert python("-c", probe, folder=small).stdout == "set()\n"


# -- errors -----------------------------------------------------------------------------------------


def test_every_error_is_a_royalty_error():
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert all(issubclass(error, royaltycli.RoyaltyError) for error in classes)
    told = re.findall(r"^ .*?(\w+)  ", errors.__doc__, re.MULTILINE)
    assert sorted(told) == sorted(error.__name__ for error in classes)


MISTAKES = {
    "a manifest that is not there": (errors.RoyaltyError, lambda _: royaltycli.scan("nowhere")),
    "a table that is not there": (errors.TableError, lambda _: royaltycli.read_tokens("nowhere.parquet")),
    "a table of something else": (errors.TableError, lambda _: royaltycli.shares(pa.table({"x": [1]}))),
    "an unknown encoding": (errors.EncodingError, lambda _: royaltycli.scan(SAMPLE, encoding="p50k")),
    "an unknown engine": (errors.CallError, lambda _: royaltycli.scan(SAMPLE, engine="abacus")),
    "no workers": (errors.CallError, lambda _: royaltycli.scan(SAMPLE, workers=0)),
    "too much to verify": (errors.CallError, lambda _: royaltycli.scan(SAMPLE, verify="200%")),
    "a folder to write to": (errors.OutputError, lambda _: royaltycli.scan(SAMPLE, output=SAMPLE)),
    "an unknown row": (errors.CallError, lambda made: royaltycli.shares(made, by="author")),
    "an unknown row of a payout": (
        errors.CallError,
        lambda made: royaltycli.payout(made, profit=1, rate=1, by="licence"),
    ),
    "a negative top": (errors.CallError, lambda made: royaltycli.shares(made, top=-1)),
    "a rate above 1": (errors.CallError, lambda made: royaltycli.payout(made, profit=1, rate=2)),
    "an unknown currency": (errors.CallError, lambda made: royaltycli.payout(made, profit=1, rate=1, currency="XYZ")),
    "a pool too large": (errors.AmountError, lambda made: royaltycli.payout(made, profit=10**30, rate=1)),
    "a run too small": (errors.AmountError, lambda made: royaltycli.shares(made, total_tokens=1)),
    "an unknown corpus": (errors.CallError, lambda _: royaltycli.estimate(1, corpus="gpt-9", profit=1)),
    "an unknown part": (errors.CallError, lambda _: royaltycli.estimate(1, part="Books9", profit=1)),
    "a part of a number": (errors.CallError, lambda _: royaltycli.estimate(1, corpus=10**9, part="Books2", profit=1)),
    "no size": (errors.CallError, lambda _: royaltycli.estimate(profit=1)),
    "two sizes": (errors.CallError, lambda _: royaltycli.estimate(1, words=1, profit=1)),
    "a work that is not there": (errors.RoyaltyError, lambda _: royaltycli.estimate(file="nowhere.txt", profit=1)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_a_royalty_error_of_one_sentence(sample, mistake):
    kind, call = MISTAKES[mistake]
    with pytest.raises(kind) as caught:
        call(sample)
    assert str(caught.value)
    assert "\n" not in str(caught.value)


GATE, PLAIN = "spotify-gate", "token-share"

WRONG = [5, 1.5, b"x", [], {}, object, ["a"]]
CALLS = {
    "manifest": lambda _, value: royaltycli.check(value),
    "output": lambda _, value: royaltycli.scan(SAMPLE, output=value),
    "encoding": lambda _, value: royaltycli.scan(SAMPLE, encoding=value),
    "pattern": lambda _, value: royaltycli.scan(SAMPLE, pattern=value),
    "engine": lambda _, value: royaltycli.scan(SAMPLE, engine=value),
    "workers": lambda _, value: royaltycli.scan(SAMPLE, workers=value),
    "path": lambda _, value: royaltycli.read_tokens(value),
    "tokens": lambda _, value: royaltycli.shares(value),
    "top": lambda made, value: royaltycli.shares(made, top=value),
    "by": lambda made, value: royaltycli.payout(made, profit=1, rate=1, by=value),
    "currency": lambda made, value: royaltycli.payout(made, profit=1, rate=1, currency=value),
    "period": lambda made, value: royaltycli.payout(made, profit=1, rate=1, period=value),
    "basis": lambda made, value: royaltycli.payout(made, profit=1, rate=1, basis=value),
    "policy": lambda made, value: royaltycli.payout(made, profit=1, rate=1, policy=value),
    "holders": lambda made, value: royaltycli.explain("a", made, profit=1, rate=1, holders=value),
    "usage": lambda made, value: royaltycli.sweep(made, profit="1", rate="1", usage=value),
    "file": lambda _, value: royaltycli.estimate(file=value, profit=1),
    "part": lambda _, value: royaltycli.estimate(1, part=value, profit=1),
}


@pytest.mark.parametrize("argument", CALLS)
def test_an_argument_of_a_wrong_type_is_a_call_error(sample, argument):
    for value in WRONG if argument not in ("top", "workers") else [*WRONG[1:], "5"]:
        with pytest.raises(errors.CallError) as caught:
            CALLS[argument](sample, value)
        assert str(caught.value).startswith(f"{argument} is {value!r:.80}, but must be ")


@pytest.mark.parametrize("argument", ["path", "by", "currency", "period"])
def test_what_has_another_default_cannot_be_none(sample, argument):
    with pytest.raises(errors.CallError, match=f"^{argument} is None, but must be text"):
        CALLS[argument](sample, None)


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_name_that_no_file_can_have(name, tmp_path):
    with pytest.raises(errors.OutputError, match=r"is no name that a file can have; name another$"):
        royaltycli.scan(SAMPLE, output=tmp_path / name)


USAGE = {
    "source_id": ["quire", "essay-bread", "(unattributed)"],
    "credit": ["2000", "1000.5", "7"],
    "note": [0.5, 1, 2],
}

BY_USAGE = {
    "payout": lambda made, usage: royaltycli.payout(made, profit=1, rate=1, blend="0.5", usage=usage),
    "payout by a policy": lambda made, usage: royaltycli.payout(made, profit=1, rate=1, policy=GATE, usage=usage),
    "explain": lambda made, usage: royaltycli.explain("quire", made, profit=1, rate=1, basis="usage", usage=usage),
    "compare": lambda made, usage: royaltycli.compare([GATE, PLAIN], made, profit=1, rate=1, usage=usage),
    "sweep": lambda made, usage: royaltycli.sweep(made, profit="1", rate="1", policy=GATE, usage=usage),
}


@pytest.mark.parametrize("call", BY_USAGE)
def test_usage_may_be_a_table_as_well_as_a_file(sample, tmp_path, call):
    usage, path = pa.table(USAGE), tmp_path / "usage.parquet"
    pq.write_table(usage, path)
    assert BY_USAGE[call](sample, usage) == BY_USAGE[call](sample, path)


def test_usage_in_a_table_is_checked_as_that_of_a_file(sample):
    wrong = pa.table({"source_id": ["quire", ""], "credit": ["many", "1"]})
    with pytest.raises(
        errors.ManifestError, match=r"^usage:1: the credit is 'many'; .*\nusage:2: it has no source_id;"
    ):
        BY_USAGE["payout"](sample, wrong)
    of_floats = pa.table({"source_id": ["quire"], "credit": pa.array([0.5]).dictionary_encode()})
    with pytest.raises(errors.TableError, match="holds credits as binary floats, which are not exact"):
        BY_USAGE["sweep"](sample, of_floats)


# -- tables of other programs ------------------------------------------------------------------------

PARTY = ("id", "name", "share")


def retyped(table, text, parties, whole=None):
    """A token table whose columns have other types: `text` of texts, `parties` a list type, `whole` of counts."""
    whole = whole or pa.int64()
    holders = parties(pa.struct([(name, text) for name in PARTY]))
    types = {"holders": holders, "tokens": whole, "digest": pa.binary(32), "documents": whole, "bytes": whole}
    types["credited_tokens"] = whole
    schema = pa.schema([(name, types.get(name, text)) for name in table.column_names], metadata=table.schema.metadata)
    return pa.table({name: table[name].to_pylist() for name in table.column_names}, schema=schema)


TYPES = {
    "as polars has them": (pa.string_view(), pa.large_list, pa.int64()),
    "as pandas has them": (pa.large_string(), pa.list_, pa.int32()),
    "dictionaries": (pa.dictionary(pa.int8(), pa.string()), pa.list_, pa.uint64()),
    "dictionaries of large texts": (pa.dictionary(pa.int32(), pa.large_string()), pa.large_list, pa.decimal128(20, 0)),
}


@pytest.mark.parametrize("kind", TYPES)
def test_columns_of_other_types_that_hold_the_same_are_fine(small, kind):
    text, parties, whole = TYPES[kind]
    tokens = royaltycli.scan(small)
    other = retyped(tokens, text, parties, whole)
    assert other.schema != tokens.schema
    for by in ("source", "holder", "split"):
        assert royaltycli.payout(other, profit=100, rate=1, by=by) == royaltycli.payout(
            tokens, profit=100, rate=1, by=by
        )
    for by in ("source", "holder", "license", "collection"):
        assert royaltycli.shares(other, by=by) == royaltycli.shares(tokens, by=by)


def test_a_column_of_nothing_and_the_notes_of_others_are_fine(small):
    tokens = royaltycli.scan(small)
    other = tokens.set_column(1, "title", pa.nulls(len(tokens)))
    other = other.replace_schema_metadata({**tokens.schema.metadata, b"pandas": b"\xff", b"\xfe": b""})
    assert royaltycli.shares(other) == royaltycli.shares(tokens)


UNFIT = [
    ("tokens", pa.array([1.0, 2.0, 3.0]), "is of type double, which does not become int64 without loss"),
    ("tokens", pa.array(["1", "2", "3"]), "is of type string, which does not become int64 without loss"),
    ("tokens", pa.array([True, True, True]), "is of type bool, which does not become int64 without loss"),
    ("tokens", pa.array([1, 2, 2**63], pa.uint64()), "is of type uint64, which does not become int64 without loss"),
    ("tokens", pa.array([Decimal("1.5")] * 3), "is of type decimal128(2, 1), which does not become int64 without loss"),
    ("documents", pa.array([1.0, 2.0, 3.0]), "is of type double, which does not become int64 without loss"),
    ("bytes", pa.array(["0x10", "2", "3"]), "is of type string, which does not become int64 without loss"),
    ("epochs", pa.array([1.5, 1.0, 1.0]), "is of type double, which does not become text without loss"),
    ("epochs", pa.array([1.5, 1.0, 1.0]).dictionary_encode(), None),
    ("source_id", pa.array([b"\xff", b"b", b"c"]), "is of type binary, which does not become text without loss"),
    ("title", pa.array([["a"], ["b"], ["c"]]), None),
    (
        "holders",
        pa.array(["ann", "ben", "cem"]),
        "is of type string, which does not become lists of id, name and share as text without loss",
    ),
    ("holders", pa.array([[{"id": "ann", "name": "Ann", "share": 1.0}]] * 3), None),
]


@pytest.mark.parametrize(("name", "column", "said"), UNFIT)
def test_columns_that_lose_something_are_refused(small, name, column, said):
    tokens = royaltycli.scan(small)
    other = tokens.set_column(tokens.schema.get_field_index(name), name, column)
    with pytest.raises(errors.TableError) as caught:
        royaltycli.payout(other, profit=1, rate=1)
    assert str(caught.value).startswith(f"the column {name} is of type {column.type}, which does not become ")
    assert said is None or str(caught.value) == f"the column {name} {said}; scan the corpus again"


def test_a_column_that_is_there_twice_is_refused(small):
    tokens = royaltycli.scan(small)
    with pytest.raises(errors.TableError, match=r"^the token table has the column title twice; keep one of them$"):
        royaltycli.shares(tokens.append_column("title", tokens["title"]))


# -- types ------------------------------------------------------------------------------------------

TYPED = """
    from fractions import Fraction

    import royaltycli

    try:
        opened = royaltycli.check("corpus")
        tokens = royaltycli.scan("corpus", workers=2, verify="1%")
        rows = royaltycli.payout(tokens, profit="500e6", rate=Fraction(1, 5), by="holder")
        share: Fraction = royaltycli.estimate("130k", profit=500_000_000).share
        reveal_type(opened.files[0].size)
    except royaltycli.RoyaltyError as error:
        print(error.exit_status + 1)
    royaltycli.payout(tokens, profit=0.5, rate=1)
    royaltycli.shares(tokens, by="author")
"""


def test_a_type_checker_sees_the_types(tmp_path, monkeypatch):
    """Without the types of other packages, which take it most of its time."""
    mypy, package = pytest.importorskip("mypy.api"), Path(royaltycli.__file__).parent
    assert (package / "py.typed").is_file()  # by which it looks for types where the package is installed
    monkeypatch.setenv("MYPYPATH", str(package.parent))
    (tmp_path / "user.py").write_text(textwrap.dedent(TYPED).lstrip("\n"), encoding="utf-8")
    options = ["--strict", "--follow-imports=silent", f"--cache-dir={tmp_path}", "--no-error-summary"]
    options += ["--no-site-packages", "--ignore-missing-imports"]
    found, _, _ = mypy.run([*options, str(tmp_path / "user.py")])
    told = [line.split(": ", 1)[1] for line in found.splitlines() if "user.py" in line]
    numbers, rows = "str | int | Decimal | Fraction", "Literal['source', 'holder', 'license', 'collection']"
    assert told == [
        'note: Revealed type is "int"',
        f'error: Argument "profit" to "payout" has incompatible type "float"; expected "{numbers}"  [arg-type]',
        f'error: Argument "by" to "shares" has incompatible type "Literal[\'author\']"; expected "{rows}"  [arg-type]',
    ]

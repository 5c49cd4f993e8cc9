"""Logs of outputs: what is read, the same from JSON Lines and Parquet, and what is refused."""

from __future__ import annotations

import gzip
import json
import re
import tracemalloc
from dataclasses import astuple
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from royaltycli.attribution.outputs import PROBLEMS_NAMED, Output, read_outputs
from royaltycli.errors import CallError, DocumentError, ManifestError
from tests.conftest import packed
from tests.strategies import examples, texts

ENDINGS = [".jsonl", ".ndjson", ".jsonl.gz", ".JSONL.ZST"]


def log(folder, content, name="log.jsonl"):
    """A log in a folder, from JSON Lines as they are written, or from rows."""
    path = folder / name
    path.write_bytes(packed(content, path.suffix.lower()))
    return path


def parquet(folder, columns, name="log.parquet", **options):
    path = folder / name
    pq.write_table(pa.table(columns), path, **options)
    return path


def said(path, **options):
    """What is said of a log that is wrong in some rows, with its name only."""
    with pytest.raises(ManifestError) as caught:
        list(read_outputs(path, **options))
    return str(caught.value).replace(f"{path.parent}/", "").splitlines()


def test_a_log_is_read_with_all_its_fields_and_others_are_passed_over(tmp_path):
    path = log(
        tmp_path,
        '{"id": "a", "text": "One day.", "weight": 0.0023, "prompt": "Begin.", "period": "2026-Q3", "account": "acme", "logprobs": [[-0.5]]}\n',
    )
    assert list(read_outputs(path)) == [Output("a", "One day.", Decimal("0.0023"), "Begin.", "2026-Q3", "acme")]


def test_an_id_and_a_text_are_enough_and_an_empty_text_is_one(tmp_path):
    path = log(
        tmp_path,
        '\ufeff{"id": 7, "text": "x"}\r\n\n  \n{"text": "", "id": "b", "prompt": null, "period": "", "account": 5}',
    )
    assert list(read_outputs(path)) == [Output("7", "x"), Output("b", "", account="5")]


WEIGHTS = {
    "0": "0",
    "12": "12",
    "0.1": "0.1",
    "1.50": "1.50",
    "1e3": "1000",
    "0.1000000000000000055511151231257827": "0.1000000000000000055511151231257827",
    "123456789012345678901234567890123456": "123456789012345678901234567890123456",
    '"0.25"': "0.25",
    '"500M"': "500000000",
    "-0": "0",
}


@pytest.mark.parametrize("written", WEIGHTS)
def test_a_weight_is_the_decimal_that_is_written(tmp_path, written):
    (output,) = read_outputs(log(tmp_path, f'{{"id": 1, "text": "x", "weight": {written}}}'))
    assert output.weight == Decimal(WEIGHTS[written])
    assert not output.weight.is_signed()


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 12], pa.uint64()),
        pa.array([Decimal("1.0000"), Decimal("12.0000")], pa.decimal128(38, 4)),
        pa.array([Decimal("1.00"), Decimal("12.00")], pa.decimal256(70, 2)),
        ["1", "1.2e1"],
        pa.array(["1", "12.0"]).dictionary_encode(),
        pa.array(["1", "12"], pa.large_string()),
    ],
    ids=lambda column: str(getattr(column, "type", "text")),
)
def test_a_weight_in_parquet_is_a_whole_number_a_decimal_or_a_text(tmp_path, column):
    path = parquet(tmp_path, {"id": [1, 2], "text": ["x", "y"], "weight": column, "double": [0.5, 0.5]})
    assert list(read_outputs(path)) == [Output("1", "x", Decimal(1)), Output("2", "y", Decimal(12))]


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=9)
decimals = st.decimals(0, 10**20, places=6)
optional = [st.none() | texts, st.none() | names, st.none() | names]


@st.composite
def logs(draw):
    """Outputs with different ids, all with a weight or all without."""
    ids = draw(st.lists(names, min_size=1, max_size=8, unique=True))
    weighted = draw(st.booleans())
    rest = [[draw(texts), draw(decimals) if weighted else None, *map(draw, optional)] for _ in ids]
    return [dict(zip(Output.__slots__, [one, *row], strict=True)) for one, row in zip(ids, rest, strict=True)]


def line(row, form):
    """A row as a line of JSON, with the weight as a number or a text, and what is absent as null or left out."""
    weight = "null" if row["weight"] is None else f"{row['weight']:f}" if form == "number" else f'"{row["weight"]}"'
    rest = {key: value for key, value in row.items() if key != "weight" and (value is not None or form == "number")}
    return json.dumps(rest)[:-1] + ("}" if weight == "null" and form == "text" else f', "weight": {weight}}}')


@examples(60, 2000)
@given(
    rows=logs(),
    ending=st.sampled_from(ENDINGS),
    form=st.sampled_from(["number", "text"]),
    kind=st.sampled_from([pa.decimal128(38, 6), pa.string()]),
    group=st.integers(1, 9),
)
def test_json_lines_and_parquet_of_the_same_outputs_are_read_alike(tmp_path_factory, rows, ending, form, kind, group):
    folder = tmp_path_factory.getbasetemp()
    expected = [Output(**{**row, "weight": Decimal(1) if row["weight"] is None else row["weight"]}) for row in rows]
    assert list(read_outputs(log(folder, "\n".join(line(row, form) for row in rows), f"same{ending}"))) == expected
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    columns["weight"] = pa.array(columns["weight"], pa.decimal128(38, 6)).cast(kind)
    assert list(read_outputs(parquet(folder, columns, "same.parquet", row_group_size=group))) == expected


def test_only_the_outputs_of_a_period_are_given(tmp_path):
    path = log(
        tmp_path, [{"id": n, "text": "x", "period": p} for n, p in enumerate(["2026-Q3", "2026-Q4", 2026, "2026-Q3"])]
    )
    assert [output.id for output in read_outputs(path, period="2026-Q3")] == ["0", "3"]
    assert [output.id for output in read_outputs(path, period="2026")] == ["2"]
    with pytest.raises(
        CallError,
        match=r"log\.jsonl has no outputs of the period '2027', only of '2026', '2026-Q3', '2026-Q4'; name one of those",
    ):
        list(read_outputs(path, period="2027"))


def test_a_log_in_which_some_outputs_have_no_period_cannot_be_parted_by_it(tmp_path):
    path = log(tmp_path, [{"id": "a", "text": "x", "period": "1"}, {"id": "b", "text": "x"}, {"id": "c", "text": "x"}])
    assert said(path, period="1") == [
        "log.jsonl:2: output 'b': it has no period, but only outputs of '1' are asked for; give each output a period, or ask for those of all periods"
    ]
    assert len(list(read_outputs(path))) == 3
    path = parquet(tmp_path, {"id": ["a"], "text": ["x"]})
    assert said(path, period="1") == ["log.parquet: there is no column 'period'; add it, with a value in each row"]


ID, QUOTED = "give each output an id of its own", "put it in quotation marks"
OBJECT = 'write one object a line, such as {"id": "1", "text": "…"}'
BAD_WEIGHT = 'which is no such number; write zero or more, of at most 36 digits, such as 1, 1.5 or "300e9"'
WRONG = {
    "{": "not valid JSON at column 2: expecting property name enclosed in double quotes; write one object a line",
    '{"id": "a", "text": "x"} {}': "not valid JSON at column 26: extra data; write one object a line",
    '\ufeff{"id": "a", "text": "x"}': "not valid JSON at column 1: unexpected utf-8 bom (decode using utf-8-sig); write one object a line",
    "[1]": f"the line must be an object, but is a list; {OBJECT}",
    "null": f"the line must be an object, but is nothing; {OBJECT}",
    "5.5": f"the line must be an object, but is a number; {OBJECT}",
    '{"id": "a", "text": "x", "weight": NaN}': "not valid JSON: NaN is no number; write one object a line",
    '{"id": "a", "text": "x", "other": -Infinity}': "not valid JSON: -Infinity is no number; write one object a line",
    '{"id": "a", "text": "x", "text": "y"}': "not valid JSON: the key 'text' is given twice; write one object a line",
    '{"id": "a", "text": "x", "o": ' + "[" * 100_000: "not valid JSON: nested too deeply; write one object a line",
    '{"id": "a", "text": "x", "weight": ' + "9" * 5000 + "}": "not valid JSON: a number with too many digits; write one object a line",
    '{"text": "x"}': f"an output: it has no id; {ID}",
    '{"id": "", "text": "x"}': f"an output: it has no id; {ID}",
    '{"id": null, "text": "x"}': f"an output: it has no id; {ID}",
    '{"id": true, "text": "x"}': f"an output: id must be a text, but is true or false; {QUOTED}",
    '{"id": 1.0, "text": "x"}': f"an output: id must be a text, but is a number; {QUOTED}",
    '{"id": ["a"], "text": "x"}': f"an output: id must be a text, but is a list; {QUOTED}",
    '{"id": "a\\u001b[2J", "text": "x"}': "output 'a\\x1b[2J': id 'a\\x1b[2J' holds a control character (U+001B); remove it",
    '{"id": "\\ud800", "text": "x"}': "output '\\ud800': id '\\ud800' holds a control character (U+D800); remove it",
    '{"id": "' + "a" * 4097 + '", "text": "x"}': f"output '{'a' * 119}…': id is longer than 4,096 characters; use a shorter one",
    '{"id": "a", "completion": "x"}': "output 'a': it has no text, only 'completion', 'id'; call what was generated text; if nothing was, write \"\"",
    '{"id": "a", "text": null}': "output 'a': it has no text, only 'id'; call what was generated text; if nothing was, write \"\"",
    '{"id": 12, "text": 5}': f"output '12': text must be a text, but is a number; {QUOTED}",
    '{"id": "a", "text": {"content": "x"}}': f"output 'a': text must be a text, but is a table; {QUOTED}",
    '{"id": "a", "text": "\\udc00"}': "output 'a': text holds half of a surrogate pair, which is no character; mend the line",
    '{"id": "a", "text": "x", "prompt": [{"role": "user"}]}': f"output 'a': prompt must be a text, but is a list; {QUOTED}",
    '{"id": "a", "text": "x", "prompt": "\\ud83d"}': "output 'a': prompt holds half of a surrogate pair, which is no character; mend the line",
    '{"id": "a", "text": "x", "period": 2026.5}': f"output 'a': period must be a text, but is a number; {QUOTED}",
    '{"id": "a", "text": "x", "account": "a\\nb"}': "output 'a': account 'a\\nb' holds a control character (U+000A); remove it",
    '{"id": "a", "text": "x", "weight": -1}': f"output 'a': weight is '-1', {BAD_WEIGHT}",
    '{"id": "a", "text": "x", "weight": -0.5}': f"output 'a': weight is '-0.5', {BAD_WEIGHT}",
    '{"id": "a", "text": "x", "weight": 1e400}': f"output 'a': weight is '1e400', {BAD_WEIGHT}",
    '{"id": "a", "text": "x", "weight": "nan"}': f"output 'a': weight is 'nan', {BAD_WEIGHT}",
    '{"id": "a", "text": "x", "weight": "1.234,56"}': f"output 'a': weight is '1.234,56', {BAD_WEIGHT}",
    '{"id": "a", "text": "x", "weight": ""}': f"output 'a': weight is '', {BAD_WEIGHT}",
    '{"id": "a", "text": "x", "weight": 1' + "0" * 40 + "}": f"output 'a': weight is 'a number of more than 40 digits', {BAD_WEIGHT}",
    '{"id": "a", "text": "x", "weight": false}': "output 'a': weight must be a number, but is true or false; write a decimal or a text, such as 1.5 or \"1.5\"",
    '{"id": "first", "text": "x", "weight": 0}': f"output 'first': its id is also that of log.jsonl:1; {ID}",
    '{"id": "a", "text": "x"}': "output 'a': it has no weight, but the first, at log.jsonl:1, has one; give each output a weight, or none",
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong[:50])
def test_a_row_that_makes_no_sense_is_named_with_its_line(tmp_path, wrong):
    good = '{"id": "first", "text": "fine", "weight": 2}'
    path = log(tmp_path, f"{good}\n\n{wrong}\n")
    assert said(path) == [f"log.jsonl:3: {WRONG[wrong]}"]
    packed_log = log(tmp_path, f"{good}\n\n{wrong}\n", "log.jsonl.gz")
    assert said(packed_log) == [f"log.jsonl.gz:3: {WRONG[wrong].replace('jsonl', 'jsonl.gz')}"]


def test_a_weight_where_the_first_output_has_none_is_refused(tmp_path):
    path = log(tmp_path, [{"id": "a", "text": "x"}, {"id": "b", "text": "x", "weight": 3}])
    assert said(path) == [
        "log.jsonl:2: output 'b': it has a weight, but the first, at log.jsonl:1, has none; give each output a weight, or none"
    ]
    path = parquet(tmp_path, {"id": ["a", "b"], "text": ["x", "y"], "weight": [1, None]})
    assert said(path) == [
        "log.parquet:2: output 'b': it has no weight, but the first, at log.parquet:1, has one; give each output a weight, or none"
    ]


def test_a_number_and_its_digits_are_the_same_id(tmp_path):
    path = log(tmp_path, '{"id": 1, "text": "x"}\n{"id": "1", "text": "y"}\n')
    assert said(path) == [f"log.jsonl:2: output '1': its id is also that of log.jsonl:1; {ID}"]


def test_all_wrong_rows_are_named_at_once_and_the_outputs_before_them_are_given(tmp_path):
    path = log(
        tmp_path,
        b'{"id": 1, "text": "x"}\n{"id": 2}\n{"id": 3, "text": "\xff"}\n{"id": 4, "text": "y"}\n{"id": 1, "text": 1}\n',
    )
    outputs = read_outputs(path)
    assert next(outputs).id == "1"
    with pytest.raises(ManifestError):
        next(outputs)
    assert said(path) == [
        "log.jsonl:2: output '2': it has no text, only 'id'; call what was generated text; if nothing was, write \"\"",
        "log.jsonl:3: not valid UTF-8 at byte 20 (0xff); save the file as UTF-8",
        f"log.jsonl:5: output '1': text must be a text, but is a number; {QUOTED}",
    ]


@pytest.mark.parametrize("row", ["oops", '{"id": 1}'])
def test_of_very_many_wrong_rows_the_first_are_named(tmp_path, row):
    lines = said(log(tmp_path, f"{row}\n" * 100_000))
    assert len(lines) == PROBLEMS_NAMED + 1
    assert lines[-1] == f"log.jsonl:{PROBLEMS_NAMED + 1}: more is wrong from here on; mend the rows above first"
    assert len(said(log(tmp_path, f"{row}\n" * PROBLEMS_NAMED))) == PROBLEMS_NAMED


def test_rows_of_parquet_are_named_by_their_number(tmp_path):
    ids, weights = ["a", None, "a", "b"], [Decimal("1.5"), Decimal(1), Decimal(1), Decimal(-2)]
    path = parquet(tmp_path, {"id": ids, "text": ["x", "y", "z", None], "weight": weights}, row_group_size=2)
    assert said(path) == [
        f"log.parquet:2: an output: it has no id; {ID}",
        f"log.parquet:3: output 'a': its id is also that of log.parquet:1; {ID}",
        "log.parquet:4: output 'b': it has no text, only 'id', 'weight'; call what was generated text; if nothing was, write \"\"",
        f"log.parquet:4: output 'b': weight is '-2', {BAD_WEIGHT}",
    ]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_invalid_utf8_in_parquet_is_named_with_its_row(tmp_path, kind):
    column = pa.array([b"fine", "fin\u00e9".encode("latin-1"), "\ufeffé".encode()], pa.binary())
    offsets = pa.large_binary() if kind == pa.large_string() else pa.binary()
    texts_as_they_are = pa.Array.from_buffers(kind, 3, column.cast(offsets).buffers())
    path = parquet(tmp_path, {"id": [1, 2, 3], "text": texts_as_they_are})
    assert said(path) == ["log.parquet:2: not valid UTF-8 at byte 4 (0xe9); save the file as UTF-8"]


EXACT, AS_TEXT = "write decimals or text, as binary floats are not exact", "write it as text"
COLUMNS = [
    ({"id": ["a"], "text": ["x"], "weight": [0.5]}, [f"column 'weight' is of type double; {EXACT}"]),
    ({"id": ["a"], "text": ["x"], "weight": pa.array([1.0], pa.float32())}, [f"column 'weight' is of type float; {EXACT}"]),
    ({"id": ["a"], "text": ["x"], "weight": [[1]]}, [f"column 'weight' is of type list<element: int64>; {EXACT}"]),
    ({"id": [1.0], "text": [b"x"]}, [f"column 'id' is of type double; {AS_TEXT}", f"column 'text' is of type binary; {AS_TEXT}"]),
    ({"id": ["a"], "text": [5], "prompt": [[1]], "period": pa.array([0], pa.date32()), "account": [True]}, [
        f"column 'account' is of type bool; {AS_TEXT}",
        f"column 'period' is of type date32[day]; {AS_TEXT}",
        f"column 'prompt' is of type list<element: int64>; {AS_TEXT}",
        f"column 'text' is of type int64; {AS_TEXT}",
    ]),
    ({"ID": ["a"]}, ["there is no column 'id'; add it, with a value in each row", "there is no column 'text'; add it, with a value in each row"]),
    (pa.Table.from_arrays([["a"], ["x"], ["y"]], ["id", "text", "text"]), ["column 'text' is given twice; keep one of them"]),
    ({"id": pa.array([], pa.string()), "text": pa.array([], pa.string())}, ["it has no outputs; give it some, each with an id and a text"]),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "expected"), COLUMNS)
def test_what_is_wrong_with_the_columns_of_parquet_is_said_at_once(tmp_path, columns, expected):
    path = tmp_path / "log.parquet"
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), path)
    assert said(path) == [f"log.parquet: {one}" for one in expected]


def test_columns_without_any_value_are_as_if_they_were_not_there(tmp_path):
    path = parquet(tmp_path, {"id": ["a"], "text": ["x"], "weight": [None], "period": [None]})
    assert list(read_outputs(path)) == [Output("a", "x")]


@pytest.mark.parametrize("content", ["", "\n \r\n\n", "\ufeff"])
def test_a_log_without_outputs_is_refused(tmp_path, content):
    expected = ['log.jsonl: it has no outputs; write one a line, such as {"id": "1", "text": "…"}']
    assert said(log(tmp_path, content)) == expected
    assert said(log(tmp_path, content), period="1") == expected


def refusal(path, kind):
    with pytest.raises(kind) as caught:
        list(read_outputs(path))
    return str(caught.value).replace(f"{path.parent}/", "")


def test_what_cannot_be_opened_is_refused(tmp_path):
    cannot = "the log of outputs log.jsonl cannot be read (…); name another"
    assert refusal(tmp_path / "log.jsonl", CallError) == cannot.replace("…", "no such file or directory")
    (tmp_path / "log.jsonl").mkdir()
    assert refusal(tmp_path / "log.jsonl", CallError) == cannot.replace("…", "not a regular file")
    said = refusal(tmp_path / "a\0.jsonl", CallError)
    assert re.search(
        r"cannot be read \(.*embedded null .*\); name another$", said
    )  # Python's versions word it differently.


@pytest.mark.parametrize("name", ["log.csv", "log.json", "log", "log.txt.gz", "log.parquet.gz", "log.gz"])
def test_a_file_with_another_ending_is_refused(tmp_path, name):
    expected = (
        f"the log of outputs {name} ends in none of .jsonl, .jsonl.gz, .jsonl.zst and .parquet; write it as one of them"
    )
    assert refusal(log(tmp_path, "", name), CallError) == expected


def test_a_broken_file_is_refused(tmp_path):
    whole = gzip.compress(b'{"id": 1, "text": "x"}\n' * 3)
    assert refusal(log(tmp_path, whole[:-6], "log.jsonl.gz"), DocumentError).startswith(
        "log.jsonl.gz:1: broken gzip data ("
    )
    assert refusal(log(tmp_path, b"\x28\xb5\x2f\xfdx", "log.jsonl.zst"), DocumentError).startswith(
        "log.jsonl.zst:1: broken zstd data ("
    )
    assert refusal(log(tmp_path, b"PAR1", "log.parquet"), DocumentError).startswith(
        "log.parquet: broken Parquet data ("
    )


def test_a_flipped_bit_in_parquet_is_found_by_its_checksum(tmp_path):
    ids = [f"id-{number}" for number in range(1000)]
    path = parquet(
        tmp_path, {"id": ids, "text": ids}, compression="none", use_dictionary=False, write_page_checksum=True
    )
    data = bytearray(path.read_bytes())
    data[data.index(b"id-500")] ^= 1
    path.write_bytes(data)
    assert "broken Parquet data (could not verify page integrity, CRC checksum verification failed" in refusal(
        path, DocumentError
    )


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path):
    bomb = log(tmp_path, b'{"id": 1, "text": "' + b"a" * (40 << 20) + b'"}', "log.jsonl.gz")
    assert "unpacks to more than 200 times its size" in refusal(bomb, DocumentError)
    bomb = parquet(tmp_path, {"id": range(3000), "text": pa.array(["a" * 10_000] * 3000)}, compression="zstd")
    assert "unpacks to more than 200 times its size" in refusal(bomb, DocumentError)


def test_a_line_of_very_many_keys_one_of_them_twice_is_refused_in_no_time(tmp_path):
    keys = ", ".join(f'"{number}": 0' for number in range(200_000))
    assert said(log(tmp_path, f'{{{keys}, "199999": 1}}')) == [
        "log.jsonl:1: not valid JSON: the key '199999' is given twice; write one object a line"
    ]


@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
def test_of_a_long_log_only_the_ids_stay_in_memory(tmp_path, ending):
    """40 MB of texts in outputs; ids take some 130 bytes each, and what is read at once its 8 MiB a few times."""
    text = [f"{number} {'x' * 2000}" for number in range(20_000)]
    if ending == ".jsonl":
        path = log(tmp_path, [{"id": number, "text": one} for number, one in enumerate(text)])
    else:
        path = parquet(tmp_path, {"id": range(len(text)), "text": text}, row_group_size=5000, use_dictionary=False)
    del text
    tracemalloc.start()
    try:
        assert sum(len(output.text) > 2000 for output in read_outputs(path)) == 20_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 36 << 20


def test_an_output_is_a_plain_value(tmp_path):
    (output,) = read_outputs(log(tmp_path, '{"id": 1, "text": "x"}'))
    assert astuple(output) == ("1", "x", Decimal(1), None, None, None)
    with pytest.raises(AttributeError):
        output.text = "y"

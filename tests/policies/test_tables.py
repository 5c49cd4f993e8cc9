"""Lists of holders and usage tables: what is read, and what is refused."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from royaltycli.errors import CallError, ManifestError, TableError
from royaltycli.payout.currency import find_currency
from royaltycli.payout.earnings import LIST_OF_HOLDERS
from royaltycli.policies import holders, usage
from royaltycli.policies.holders import read_holders
from royaltycli.policies.usage import ROWS_NAMED, read_usage

USD = find_currency("USD")
HEADER = "holder_id,reachable,withholding,advance,minimum\n"


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_of_holders_is_read_with_empty_cells_for_the_policys_values(tmp_path):
    path = written(tmp_path, "h.csv", HEADER + "a,no,15%,100.50,\nb,yes,1/3,,10\nc,,,,\n")
    assert read_holders(path, USD).to_pylist() == [
        {"holder_id": "a", "reachable": False, "withholding": "0.15", "advance": 10_050_000_000, "minimum": None},
        {"holder_id": "b", "reachable": True, "withholding": "1/3", "advance": None, "minimum": 1_000_000_000},
        {"holder_id": "c", "reachable": None, "withholding": None, "advance": None, "minimum": None},
    ]


def test_a_list_of_holders_may_be_json_lines_or_parquet(tmp_path):
    lines = written(tmp_path, "h.jsonl", '{"holder_id": "a", "reachable": false, "withholding": 0.15}\n')
    pq.write_table(
        pa.table({"holder_id": ["a"], "reachable": [False], "withholding": ["0.15"]}), tmp_path / "h.parquet"
    )
    expected = pa.table({"holder_id": ["a"], "reachable": [False], "withholding": ["0.15"], "advance": [None],
                         "minimum": [None]}, LIST_OF_HOLDERS)  # fmt: skip
    assert read_holders(lines, USD) == expected
    assert read_holders(tmp_path / "h.parquet", USD) == expected


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (",no,,,", "h.csv:2: a holder: it has no holder_id; name the holder"),
        (",,,,\n,,,,", "h.csv:2: a holder: it has no holder_id; name the holder\nh.csv:3: a holder: it has no holder_id; name the holder"),
        ("a,perhaps,,,", "h.csv:2: a holder: reachable is 'perhaps'; write yes or no"),
        ("a,,150%,,", "h.csv:2: a holder: withholding is '150%', which is no part from 0 to 100 %; write it such as 15% or 0.15"),
        ("a,,,-5,", "h.csv:2: a holder: advance is '-5', which is no such number; write zero or more, of at most 36 digits, such as 1, 1.5 or \"300e9\""),
        ("a,,,,0.005", "h.csv:2: a holder: minimum is 0.005, but USD has 2 decimals; round it to what can be paid"),
        ("a,,,1e20,", "h.csv:2: a holder: advance is 1E+20, more than any pool; write a smaller amount"),
        ("b,,,,\nb,,,,", "h.csv:3: a holder: 'b' is also in line 2; keep one of the rows"),
    ],
)  # fmt: skip
def test_a_row_that_makes_no_sense_is_named_with_its_line(tmp_path, monkeypatch, row, message):
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "h.csv", HEADER + row + "\n")
    with pytest.raises(ManifestError) as caught:
        read_holders(tmp_path.joinpath("h.csv").relative_to(tmp_path), USD)
    assert str(caught.value) == message


def test_a_list_without_ids_or_with_another_column_is_refused(tmp_path):
    with pytest.raises(ManifestError, match="there is no column 'holder_id'; add it"):
        read_holders(written(tmp_path, "h.csv", "reachable\nno\n"), USD)
    with pytest.raises(ManifestError, match="unknown column 'witholding'; did you mean 'withholding'"):
        read_holders(written(tmp_path, "h.csv", "holder_id,witholding\na,1\n"), USD)


def test_a_list_of_holders_that_is_not_there_is_said_to_be_so(tmp_path):
    with pytest.raises(CallError, match=r"there is no list of holders .*none\.csv; name another file"):
        read_holders(tmp_path / "none.csv", USD)


def test_a_key_of_json_lines_that_is_not_known_is_an_error(tmp_path):
    path = written(tmp_path, "h.jsonl", '{"holder_id": "a", "witholding": "15%"}\n')
    with pytest.raises(ManifestError, match=r"h\.jsonl:1: a holder: unknown column 'witholding'"):
        read_holders(path, USD)


RATES, AMOUNTS = (
    ["", "0", "15%", "0.15", "1/3", "2", "x"],
    ["", "0", "7", "12.5", "12.50", "1e3", "0.001", "1,000", "-1"],
)


@st.composite
def lists(draw):
    """The text of a list of holders: the columns in any order, most cells in order and some not."""
    kinds = {
        "reachable": ["", "yes", "no", "Yes", "maybe"],
        "withholding": RATES,
        "advance": AMOUNTS,
        "minimum": AMOUNTS,
    }
    names = draw(st.permutations(["holder_id", *draw(st.sets(st.sampled_from(sorted(kinds))))]))
    ids = draw(st.lists(st.sampled_from(["a", "b", "c", "d/e", ""]), max_size=4))
    rows = [[one if name == "holder_id" else draw(st.sampled_from(kinds[name])) for name in names] for one in ids]
    return "".join(",".join(f'"{cell}"' if "," in cell else cell for cell in row) + "\n" for row in [names, *rows])


@settings(max_examples=150, deadline=None)
@given(text=lists(), code=st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
def test_columns_are_read_as_rows_are(tmp_path_factory, text, code):
    path = written(tmp_path_factory.getbasetemp(), "both.csv", text)

    def outcome(read):
        try:
            return read(path, find_currency(code))
        except ManifestError as error:
            return str(error)

    whole = outcome(read_holders)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holders, "_by_columns", lambda *_: None)
        assert whole == outcome(read_holders)


def test_a_plain_list_is_read_by_columns(tmp_path, monkeypatch):
    monkeypatch.setattr(holders, "_by_rows", lambda *_: pytest.fail("read row by row"))
    path = written(tmp_path, "h.csv", HEADER + "a,no,15%,100.50,\nb,yes,1/3,1e3,10\nc,,,,\n")
    assert read_holders(path, USD)["advance"].to_pylist() == [10_050_000_000, 100_000_000_000, None]
    pq.write_table(pa.table({"holder_id": ["a"], "minimum": ["1"]}), tmp_path / "h.parquet")
    assert read_holders(tmp_path / "h.parquet", USD)["minimum"].to_pylist() == [100_000_000]


@pytest.mark.parametrize(("code", "written_as"), [("JPY", "12"), ("USD", "0.12"), ("KWD", "0.012"), ("CLF", "0.0012")])
def test_an_amount_has_the_decimals_of_its_currency(tmp_path, code, written_as):
    path = written(tmp_path, "h.csv", f"holder_id,minimum\na,{written_as}\n")
    assert read_holders(path, find_currency(code))["minimum"].to_pylist() == [12_000_000]


def test_a_binary_float_in_parquet_is_refused(tmp_path):
    pq.write_table(pa.table({"holder_id": ["a"], "minimum": [0.1]}), tmp_path / "h.parquet")
    with pytest.raises(ManifestError, match=r"h\.parquet:1: a holder: minimum must be a number, but is a binary float"):
        read_holders(tmp_path / "h.parquet", USD)


def test_credits_are_read_as_they_are_written(tmp_path):
    path = written(tmp_path, "u.csv", "source_id,credit,note\na,0.10,x\nb,12345678901234567890.5,y\n")
    assert read_usage(path).to_pydict() == {"source_id": ["a", "b"], "credit": ["0.10", "12345678901234567890.5"]}
    pq.write_table(pa.table({"source_id": ["a"], "credit": pa.array([7], pa.int64())}), tmp_path / "u.parquet")
    assert read_usage(tmp_path / "u.parquet").to_pydict() == {"source_id": ["a"], "credit": ["7"]}


def test_a_usage_table_that_cannot_be_exact_or_read_is_refused(tmp_path):
    pq.write_table(pa.table({"source_id": ["a"], "credit": [0.5]}), tmp_path / "u.parquet")
    with pytest.raises(TableError, match="holds credits as binary floats, which are not exact"):
        read_usage(tmp_path / "u.parquet")
    with pytest.raises(TableError, match="has no column credit; it needs source_id and credit"):
        read_usage(written(tmp_path, "u.csv", "source_id\na\n"))
    with pytest.raises(TableError, match=r"cannot be read \(.*no such file"):
        read_usage(tmp_path / "none.csv")
    with pytest.raises(TableError, match=r"ends in neither \.csv nor \.parquet"):
        read_usage(tmp_path / "u.txt")
    with pytest.raises(TableError, match=r"cannot be read \(.*write it again"):
        read_usage(written(tmp_path, "broken.parquet", "no Parquet"))


def test_a_usage_table_that_unpacks_to_too_much(tmp_path, monkeypatch):
    pq.write_table(pa.table({"source_id": ["a"], "credit": ["1"], "note": ["x" * 5000]}), tmp_path / "u.parquet")
    monkeypatch.setattr(usage, "LIST_BYTES", 5000)
    with pytest.raises(TableError, match=r"u\.parquet unpacks to more than 5,000 bytes; leave other columns out"):
        read_usage(tmp_path / "u.parquet")


def test_rows_of_a_usage_table_that_make_no_sense_are_named_all_at_once_with_their_lines(tmp_path):
    text = '\ufeffsource_id,credit,note\na,1,"two\nlines"\n\nb,-2,\n,3,\nc,nan,\nd,,\ne,1e3,\n'
    path = written(tmp_path, "u.csv", text)
    with pytest.raises(ManifestError) as caught:
        read_usage(path)
    mend = "write a decimal of zero or more, such as 12 or 0.25"
    assert str(caught.value).replace(f"{path}:", "u.csv:").splitlines() == [
        f"u.csv:5: the credit is '-2'; {mend}",
        "u.csv:6: it has no source_id; name the source, or leave the row out",
        f"u.csv:7: the credit is 'nan'; {mend}",
        f"u.csv:8: the credit is ''; {mend}",
    ]


def flipped(path, columns):
    """Columns in a Parquet file with page checksums, in whose cell `some` a bit is another since."""
    plain = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    pq.write_table(pa.table(columns), path, **plain, write_page_checksum=True)
    path.write_bytes(path.read_bytes().replace(b"some", b"rome"))
    return path


def test_a_flipped_bit_in_parquet_is_noticed(tmp_path):
    rows = {"source_id": ["some"], "credit": ["1"]}
    with pytest.raises(TableError, match="crc checksum verification failed"):
        read_usage(flipped(tmp_path / "u.parquet", rows))
    with pytest.raises(ManifestError, match=r"h\.parquet: not valid Parquet after row 0: .*CRC checksum verification"):
        read_holders(flipped(tmp_path / "h.parquet", {"holder_id": ["some"]}), USD)


def test_rows_of_parquet_are_named_by_their_number(tmp_path):
    pq.write_table(pa.table({"source_id": ["a", None], "credit": ["1", "x"]}), tmp_path / "u.parquet")
    with pytest.raises(ManifestError) as caught:
        read_usage(tmp_path / "u.parquet")
    assert [(problem.place.line, problem.what) for problem in caught.value.problems] == [
        (2, "it has no source_id"), (2, "the credit is 'x'")
    ]  # fmt: skip


def test_a_row_with_another_number_of_cells_is_named_with_its_line(tmp_path):
    path = written(tmp_path, "u.csv", "source_id,credit\na,1\n\nb,1,000\nc\n")
    with pytest.raises(ManifestError) as caught:
        read_usage(path)
    assert [(problem.place.line, problem.what) for problem in caught.value.problems] == [
        (4, "the row has 3 cells, but the header has 2"), (5, "the row has 1 cells, but the header has 2")
    ]  # fmt: skip


def test_of_very_many_wrong_rows_the_first_are_named_and_the_others_counted(tmp_path):
    path = written(tmp_path, "u.csv", "source_id,credit\n" + "a,x\n" * (ROWS_NAMED + 7))
    with pytest.raises(
        ManifestError, match=rf":{ROWS_NAMED + 2}: there is more of this kind .* \(7 times\); mend the rows above first"
    ) as caught:
        read_usage(path)
    assert len(caught.value.problems) == ROWS_NAMED + 1


NO_UTF8 = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"]).buffers())


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([[1]], "the column credit of the usage table … is of type list<element: int64> and does not"),
        (pa.array([0], pa.date32()), "the column credit of the usage table … is of type date32[day] and does not"),
        ([b"\xff"], "the column credit of the usage table … is of type binary and does not"),
        (
            NO_UTF8,
            "the column credit of the usage table … is of type string and does not become text; write it in UTF-8",
        ),
    ],
)
def test_a_column_of_another_type_is_refused(tmp_path, column, message):
    path = tmp_path / "u.parquet"
    pq.write_table(pa.table({"source_id": ["a"], "credit": column}), path)
    with pytest.raises(TableError, match=re.escape(message.replace("…", str(path)))):
        read_usage(path)


def test_a_giant_cell_of_a_usage_table_is_named_by_its_line(tmp_path):
    giant = "x" * 200_000
    with pytest.raises(ManifestError, match=r"u\.csv:3: the credit is 'x"):
        read_usage(written(tmp_path, "u.csv", f"source_id,credit\na,1\nb,{giant}\n"))
    with pytest.raises(ManifestError, match=r"u\.csv:2: the row has 3 cells"):
        read_usage(written(tmp_path, "u.csv", f"source_id,credit\na,1,{giant}\n"))


def test_a_usage_table_names_no_column_twice_and_is_a_file(tmp_path):
    with pytest.raises(TableError, match="has the column credit twice; keep one of them"):
        read_usage(written(tmp_path, "u.csv", "source_id,credit,credit\na,1,2\n"))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(TableError, match=r"cannot be read \(not a regular file\)"):
        read_usage(tmp_path / "folder.csv")

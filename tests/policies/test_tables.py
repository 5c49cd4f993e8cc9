"""Lists of holders and usage tables: what is read, and what is refused."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from royaltycli.errors import ManifestError, TableError
from royaltycli.payout.currency import currency
from royaltycli.payout.parties import PARTIES
from royaltycli.policies.parties import read_parties
from royaltycli.policies.usage import read_usage

USD = currency("USD")
HEADER = "holder_id,reachable,withholding,advance,minimum\n"


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_of_holders_is_read_with_empty_cells_for_the_policys_values(tmp_path):
    path = written(tmp_path, "h.csv", HEADER + "a,no,15%,100.50,\nb,yes,1/3,,10\nc,,,,\n")
    assert read_parties(path, USD).to_pylist() == [
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
                         "minimum": [None]}, PARTIES)  # fmt: skip
    assert read_parties(lines, USD) == expected
    assert read_parties(tmp_path / "h.parquet", USD) == expected


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (",no,,,", "h.csv:2: a holder: it has no holder_id; name the holder"),
        ("a,perhaps,,,", "h.csv:2: a holder: reachable is 'perhaps'; write yes or no"),
        ("a,,150%,,", "h.csv:2: a holder: withholding is '150%', which is no part from 0 to 100 %; write it such as 15% or 0.15"),
        ("a,,,-5,", "h.csv:2: a holder: advance is '-5', which is no such number; write zero or more, such as 1, 1.5 or \"300e9\""),
        ("a,,,,0.005", "h.csv:2: a holder: minimum is 0.005, but USD has 2 decimals; round it"),
        ("a,,,1e20,", "h.csv:2: a holder: advance is 1E+20, more than any pool; write a smaller amount"),
        ("b,,,,\nb,,,,", "h.csv:3: a holder: 'b' is also in line 2; keep one of the rows"),
    ],
)  # fmt: skip
def test_a_row_that_makes_no_sense_is_named_with_its_line(tmp_path, monkeypatch, row, message):
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "h.csv", HEADER + row + "\n")
    with pytest.raises(ManifestError) as caught:
        read_parties(tmp_path.joinpath("h.csv").relative_to(tmp_path), USD)
    assert str(caught.value) == message


def test_a_list_without_ids_or_with_another_column_is_refused(tmp_path):
    with pytest.raises(ManifestError, match="there is no column 'holder_id'; add it"):
        read_parties(written(tmp_path, "h.csv", "reachable\nno\n"), USD)
    with pytest.raises(ManifestError, match="unknown column 'witholding'; did you mean 'withholding'"):
        read_parties(written(tmp_path, "h.csv", "holder_id,witholding\na,1\n"), USD)


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

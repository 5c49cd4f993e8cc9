"""The usage table: the credit of each source, as an exact decimal (docs/policies.md)."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from royaltycli.errors import TableError

COLUMNS = ("source_id", "credit")


def read_usage(path: Path) -> pa.Table:
    """The columns source_id and credit of a CSV or Parquet file, credits as they are written.

    Raises TableError if there is no such file, or it has no such columns, or credits that are not exact.
    """
    readers = {".csv": _csv, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise TableError(f"the usage table {path} ends in neither .csv nor .parquet; write it as one of them")
    try:
        table = reader(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise TableError(f"the usage table {path} cannot be read ({reason}); name another with `--usage`") from error
    except (pa.ArrowInvalid, pa.ArrowKeyError, UnicodeDecodeError) as error:
        reason = str(error).partition("\n")[0][:200].rstrip(".")
        raise TableError(f"the usage table {path} cannot be read ({reason}); write it again") from error
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise TableError(f"the usage table {path} has no column {missing[0]}; it needs {' and '.join(COLUMNS)}")
    credit = table["credit"].type
    if pa.types.is_floating(credit):
        raise TableError(
            f"the usage table {path} holds credits as binary floats, which are not exact; write decimals, or text"
        )
    return pa.table({name: table[name].cast(pa.string()) for name in COLUMNS})


def _csv(path: Path) -> pa.Table:
    options = arrow_csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, pa.string()), strings_can_be_null=False)
    return arrow_csv.read_csv(path, convert_options=options)


def _parquet(path: Path) -> pa.Table:
    return pq.read_table(path, page_checksum_verification=True)

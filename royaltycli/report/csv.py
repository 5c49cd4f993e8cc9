"""CSV that a spreadsheet reads without running anything, and a program without losing anything.

Numbers are written as our own formatter made them and never altered. Ids follow a strict set of
characters. Only free text (titles, names, licences, policies, also as headers, names of files, and what
documents say) can look like a formula; it gets an apostrophe in front, which a spreadsheet takes as "this is text".
"""

from __future__ import annotations

from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.report.batches import Tick, batches

FREE_TEXT = ("title", "name", "license", "policy", "text", "place", "excerpt", "output_id", "passage")

FORMULA = "^[\\s\\pC\\pZ\"']*[=+\\-@|%\uff1d\uff0b\uff0d\uff20]|^'*[\t\r\n]"
"""How text begins that a spreadsheet may run (OWASP, CSV injection), full-width forms and leading blanks included.

Apostrophes are among what may come first, so that every text can be had back: where a cell begins with an
apostrophe and the rest of it matches this, that apostrophe is ours.
"""

ROWS_AT_ONCE = 1 << 16


def write_csv(file: BinaryIO, rows: pa.Table, tick: Tick | None = None, *, raw: bool = False) -> None:
    """Write a header and the rows as UTF-8, nulls as empty cells; `raw` leaves free text as it is."""
    header = pa.array(rows.column_names, pa.string())
    file.write((",".join(_quoted(header if raw else neutral(header)).to_pylist()) + "\n").encode("utf-8"))
    for batch in batches(rows, ROWS_AT_ONCE, tick):
        cells = [_cells(name, batch.column(name), raw=raw) for name in rows.column_names]
        lines = pc.binary_join_element_wise(*cells, ",", null_handling="replace", null_replacement="")
        file.write("".join(line + "\n" for line in lines.to_pylist()).encode("utf-8"))


def neutral(texts: pa.Array) -> pa.Array:
    """The texts, with an apostrophe before those that a spreadsheet would take for a formula."""
    dangerous = pc.fill_null(pc.match_substring_regex(texts, FORMULA), False)
    return pc.if_else(dangerous, pc.binary_join_element_wise("'", texts, ""), texts)


def plain_texts(values: pa.Array) -> pa.Array:
    """A column as text, decimals without exponents."""
    texts = values.cast(pa.string())
    return _without_exponents(values, texts) if pa.types.is_decimal(values.type) else texts


def _cells(name: str, values: pa.Array, *, raw: bool) -> pa.Array:
    """A column as CSV cells."""
    texts = plain_texts(values)
    if name in FREE_TEXT and not raw:
        texts = neutral(texts)
    return _quoted(texts)


def _quoted(texts: pa.Array) -> pa.Array:
    """The texts, in quotes where RFC 4180 wants them."""
    special = pc.fill_null(pc.match_substring_regex(texts, '[",\r\n]'), False)
    quoted = pc.binary_join_element_wise('"', pc.replace_substring(texts, '"', '""'), '"', "")
    return pc.if_else(special, quoted, texts)


def _without_exponents(values: pa.Array, texts: pa.Array) -> pa.Array:
    """Decimals as plain text: Arrow writes zero with eight places as 0E-8."""
    wrong = pc.fill_null(pc.match_substring(texts, "E"), False)
    if not pc.any(wrong).as_py():
        return texts
    return pc.replace_with_mask(
        texts, wrong, pa.array([format(value, "f") for value in values.filter(wrong).to_pylist()])
    )

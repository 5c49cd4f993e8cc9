"""From partial tables to the token table: each source's rows are summed, in bounded memory however many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa

from royaltycli.corpus.pieces import Piece
from royaltycli.manifest.model import Corpus, Duplicates
from royaltycli.numerals import plain
from royaltycli.storage import write_parquet_parts
from royaltycli.tokens.copies import Credits
from royaltycli.tokens.encodings import Encoding
from royaltycli.tokens.partialrows import DOCUMENTS, PLACE_BITS, SOURCE_ROWS, rows_of_pieces, rows_of_sources
from royaltycli.tokens.partials import Kept
from royaltycli.tokens.sorting import SortedRows
from royaltycli.tokens.sourcegroups import SourceGroups
from royaltycli.tokens.table import SCHEMA, SCHEMA_VERSION, lists_text, with_metadata
from royaltycli.tokens.tablerows import TableRows, row_groups
from royaltycli.tokens.totals import Tally, Totals


def merge(
    corpus: Corpus,
    pieces: Sequence[tuple[Piece, Kept]],
    encoding: Encoding,
    *,
    duplicates: Duplicates,
    output: Path,
    folder: Path,
    top: int | None,
) -> Totals:
    """Write the token table of a corpus to `output`, from all its pieces and where the rows of each are.

    The table is the same whatever partial tables the rows lie in. What memory has no room for lies in
    `folder` meanwhile. The totals name the `top` largest sources.

    Raises DocumentError if documents of one source name two holders, TableError if a partial table was
    lost meanwhile or a sum is too large, and OutputError.
    """
    with (
        SortedRows("source_id", SOURCE_ROWS, folder) as sources,
        SortedRows("text", DOCUMENTS, folder) as documents,
        Tally(top, folder, [collection.id for collection in corpus.collections]) as tally,
    ):
        sources.add(rows_of_sources(corpus))
        for rows, texts in rows_of_pieces(corpus, pieces):
            sources.add(rows)
            documents.add(texts)
        credited = Credits(duplicates)
        for rows in credited.of(documents.blocks()):
            sources.add(rows)
        groups, table = SourceGroups(), TableRows(corpus)

        def parts() -> Iterator[pa.Table]:
            for part in row_groups(map(table.of, groups.of(sources.blocks()))):
                tally.add(part)
                yield part
            groups.check_holders(lambda place: pieces[place >> PLACE_BITS][0].file.name)

        sha256 = write_parquet_parts(output, _schema(corpus, encoding, duplicates), parts())
        return tally.totals(duplicates, credited.copies, sha256)


def _schema(corpus: Corpus, encoding: Encoding, duplicates: Duplicates) -> pa.Schema:
    about = with_metadata(
        SCHEMA.empty_table(),
        schema=SCHEMA_VERSION,
        tool=f"royaltycli {version('royaltycli')}",
        corpus=corpus.name,
        manifest_sha256=corpus.digest,
        lists_sha256=lists_text(corpus.lists),
        encoding=encoding.name,
        vocabulary_sha256=encoding.digest,
        pattern=encoding.pattern or None,
        train_tokens=None if corpus.train_tokens is None else plain(corpus.train_tokens),
        duplicates=duplicates,
    )
    return about.schema

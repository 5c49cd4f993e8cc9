"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from royaltycli.cli import completion

Manifest = Annotated[
    str | None,
    typer.Argument(
        metavar="MANIFEST", help="A manifest, or the folder that holds its corpus.toml.", show_default="here"
    ),
]
# Text, as a Path would make another name of `s3://bucket//file`.
Tokens = Annotated[str, typer.Argument(metavar="TOKENS", help="The table that `royalty scan` wrote.")]
TokensOption = Annotated[
    str,
    typer.Option("--tokens", "-t", metavar="TOKENS", help="The table that `royalty scan` wrote."),
]
TokenTable = Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="The token table to write.")]
Encoding = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        "-e",
        metavar="NAME|PATH",
        help="r50k_base, cl100k_base, o200k_base, or the path of a tokenizer.json or .tiktoken file.",
        show_default="the manifest's, else o200k_base",
        autocompletion=completion.encodings,
    ),
]
Pattern = Annotated[
    str | None,
    typer.Option(
        "--pattern",
        metavar="NAME",
        help="The public encoding whose splitting a .tiktoken file uses.",
        autocompletion=completion.encodings,
    ),
]
Verify = Annotated[
    str, typer.Option("--verify", metavar="PART", help="Part of the documents to recount with tiktoken, 0 to 100%.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        "-w",
        metavar="N",
        help="Worker processes; for little work one is enough.",
        show_default="one a core",
    ),
]
Duplicates = Annotated[
    str | None,
    typer.Option(
        "--duplicates",
        metavar="HOW",
        help="Who is credited with a text that occurs more than once: all, first or split.",
        show_default="the manifest's, else all",
        autocompletion=completion.duplicates,
    ),
]
Counts = Annotated[
    str | None,
    typer.Option(
        "--counts",
        metavar="FOLDER",
        help="Where to keep what is counted, for the next scan: here, or at s3://, gs:// or az://.",
        show_default="hidden beside the table, or in your cache if that is remote",
    ),
]
Largest = Annotated[
    int, typer.Option("--top", metavar="N", help="Sources to show in the summary, the largest first; 0 for all.")
]
Outside = Annotated[bool, typer.Option("--outside", help="Let paths leave the manifest's folder.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
TotalTokens = Annotated[
    str | None,
    typer.Option(
        "--total-tokens",
        metavar="N",
        help="Tokens that the whole training run saw, if these sources are only a part of it, such as 300e9.",
        show_default="train_tokens of the manifest",
    ),
]
Top = Annotated[
    int | None,
    typer.Option(
        "--top",
        metavar="N",
        help="Only the N largest rows, and one for all others; 0 for every row.",
        show_default="25 in a table, else all",
    ),
]
First = Annotated[
    int | None,
    typer.Option(
        "--top", metavar="N", help="Only the first N rows; 0 for every row.", show_default="25 in a table, else all"
    ),
]
Currency = Annotated[
    str,
    typer.Option(
        "--currency",
        "-c",
        metavar="CODE",
        help="ISO 4217, such as USD, EUR, JPY or KWD.",
        autocompletion=completion.currencies,
    ),
]
Profit = Annotated[
    str, typer.Option("--profit", "-p", metavar="P", help="The profit, such as 500e6, 500_000_000 or 500M.")
]
Rate = Annotated[
    str | None,
    typer.Option(
        "--rate",
        "-r",
        metavar="R",
        help="The part of it that is paid out, such as 0.2 or 20%.",
        show_default="the policy's, if it has one",
    ),
]
Policy = Annotated[
    str | None,
    typer.Option(
        "--policy",
        metavar="FILE|NAME",
        help="The rules to pay by: a file, or one of `royalty policies`.",
        autocompletion=completion.policies,
        show_default="seen tokens, without further rules",
    ),
]
Basis = Annotated[
    str | None,
    typer.Option(
        "--basis",
        metavar="NAME",
        help="What shares go by, without a policy: seen-tokens, tokens, documents, bytes, works or usage.",
        autocompletion=completion.bases,
        show_default="seen-tokens",
    ),
]
Blend = Annotated[
    str | None,
    typer.Option(
        "--blend",
        metavar="LAMBDA",
        help="The part of each share that goes by usage, such as 0.5 or 50%; the rest goes by seen tokens.",
        show_default=False,
    ),
]
# `readable=False`, of this path and others: what cannot be read or written, its reader or writer says in its own words.
Holders = Annotated[
    Path | None,
    typer.Option(
        "--holders",
        metavar="FILE",
        readable=False,
        help="A list of holders: who can be reached, withholding, advances, minimums. CSV, JSONL or Parquet.",
        show_default=False,
    ),
]
Usage = Annotated[
    Path | None,
    typer.Option(
        "--usage",
        metavar="FILE",
        readable=False,
        help="The usage of each source, for shares that go by it: CSV or Parquet of source_id and credit.",
        show_default=False,
    ),
]
Index = Annotated[
    Path,
    typer.Option(
        "--index", "-i", metavar="FOLDER", readable=False, help="The index of the corpus, as `royalty index` made it."
    ),
]
Period = Annotated[
    str, typer.Option("--period", metavar="PERIOD", help="The period paid for, such as 2026; it settles ties.")
]
Ledger = Annotated[
    Path, typer.Option("--ledger", "-l", metavar="FOLDER", readable=False, help="The folder of the ledger.")
]
PeriodName = Annotated[str, typer.Argument(metavar="PERIOD", help="The name of the period, such as 2026 or 2026-Q3.")]
LedgerCurrency = Annotated[
    str | None,
    typer.Option(
        "--currency",
        "-c",
        metavar="CODE",
        help="ISO 4217, such as USD, EUR, JPY or KWD.",
        autocompletion=completion.currencies,
        show_default="the ledger's, or USD for a new one",
    ),
]
Date = Annotated[
    str,
    typer.Option(
        "--date", metavar="DATE", help="A date to note in the ledger, such as 2026-12-31.", show_default=False
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        metavar="FORMAT",
        help="table, csv, json, jsonl, parquet, markdown or xlsx.",
        autocompletion=completion.formats,
        show_default="a table on a terminal, else csv",
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write to a file, here or at s3://, gs:// or az://; its ending picks the format.",
        show_default=False,
    ),
]
Raw = Annotated[bool, typer.Option("--raw", help="Leave free text in CSV as it is, even what a spreadsheet would run.")]

"""`royalty merge`: make one token table of what was counted in parts."""

from __future__ import annotations

import time

from royaltycli.cli import options, results

EXAMPLES = """[b]Examples[/b]

[cyan]royalty merge[/cyan]  # after `royalty scan --part 1/16` to `16/16`, in any order

[cyan]royalty merge corpus --counts s3://bucket/counts -o tokens.parquet[/cyan]"""


def merge(
    manifest: options.Manifest = None,
    output: options.TokenTable = "tokens.parquet",
    encoding: options.Encoding = None,
    pattern: options.Pattern = None,
    verify: options.Verify = "1%",
    duplicates: options.Duplicates = None,
    counts: options.Counts = None,
    outside: options.Outside = False,
    top: options.Largest = 10,
    quiet: options.Quiet = False,
) -> None:
    """Write the token table of a corpus whose parts have been counted by `royalty scan --part`.

    This counts nothing: all files must have been counted, as they are now and with the same options as here. The table
    is the same, to the byte, as that of one scan.
    """
    from royaltycli import api, scanning
    from royaltycli.arguments import rows_of
    from royaltycli.cli import console

    table = results.token_table(output)
    most = rows_of(top)
    started = time.monotonic()
    with console.waiting("looking for files", quiet=quiet):
        opened = api.check(manifest, outside=outside)
    scanning.spare_corpus(opened, table, encoding)
    scanning.spare_counts(opened, counts)
    how = {"encoding": encoding, "pattern": pattern, "verify": verify, "duplicates": duplicates}
    with (
        scanning.counts_folder(table, counts) as folder,
        console.waiting("putting the counts together", quiet=quiet),
    ):
        merged = scanning.merge_opened(opened, folder, table, top=most, **how)
    if not quiet:
        console.show_scan(opened, merged, table, time.monotonic() - started)

"""What is known of holders beyond the corpus: who can be reached, what is withheld, what they were advanced."""

from __future__ import annotations

import pyarrow as pa

PARTIES = pa.schema(
    [
        ("holder_id", pa.string()),
        ("reachable", pa.bool_()),
        ("withholding", pa.string()),
        ("advance", pa.int64()),
        ("minimum", pa.int64()),
    ]
)
"""The list of holders as a table (docs/spec-policy.md, "The list of holders").

A row a holder, in any order. `withholding` is an exact fraction as text (`0.15`, `1/3`), `advance` and `minimum` are
in millionths of a minor unit. An empty cell stands for the policy's value: reachable, its withholding, no
advance, its minimum.
"""

"""The public vocabularies, loaded once for all the scans of a test run: loading one takes longer than a small scan.

tiktoken's encodings never change, so all scans share one. gigatoken's tokenizers serve one thread at a time,
so each is lent to one engine, and to the next when that engine is gone. The files of users are loaded anew.
"""

from __future__ import annotations

import functools
from collections import defaultdict

from royaltycli.tokens import engines
from royaltycli.tokens.encodings import PUBLIC
from royaltycli.tokens.reference import TiktokenReference


class Lent:
    """A tokenizer that goes back to the free ones when nobody holds it any more."""

    def __init__(self, free, tokenizer):
        self._free, self._tokenizer = free, tokenizer
        self.encode_batch = tokenizer.encode_batch

    def __del__(self):
        self._free.append(self._tokenizer)


def load_once(patch):
    """Have `patch` put what is loaded already in the place of what scans would load."""
    load, make = engines._load, TiktokenReference.__dict__["_engine"].func
    free, made = defaultdict(list), {}

    def lend(encoding):
        if encoding.digest != PUBLIC.get(encoding.pattern, encoding).digest or encoding.kind != "tiktoken":
            return load(encoding)
        spare = free[encoding.digest]
        try:
            return Lent(spare, spare.pop())
        except IndexError:
            return Lent(spare, load(encoding))

    def share(reference):
        source = reference._source
        if source.name not in PUBLIC:
            return make(reference)
        if source.digest not in made:
            made[source.digest] = make(reference)
        return made[source.digest]

    shared = functools.cached_property(share)
    shared.__set_name__(TiktokenReference, "_engine")
    patch.setattr(engines, "_load", lend)
    patch.setattr(TiktokenReference, "_engine", shared)

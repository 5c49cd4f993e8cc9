"""Policies as files: the shipped ones by name, and the user's own.

The shipped ones stand in `data`, each a file such as a user would write, with its source and date. `reading` makes a
policy of a file; `holders` and `usage` read the tables that a policy may need.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from importlib import resources
from pathlib import Path

from royaltycli.errors import CallError, ManifestError, Place, Problem
from royaltycli.limits import MANIFEST_BYTES
from royaltycli.manifest.paths import Refusal, read_regular
from royaltycli.payout.currency import Currency, find_currency
from royaltycli.payout.policy import Policy
from royaltycli.policies.reading import read_policy

ENDING = ".toml"


def names() -> list[str]:
    """The names of the shipped policies, in the order of the alphabet."""
    folder = resources.files(__name__).joinpath("data")
    return sorted(file.name.removesuffix(ENDING) for file in folder.iterdir() if file.name.endswith(ENDING))


def text_of(name: str) -> str:
    """The file of a shipped policy, as it stands. Raises CallError, with the nearest names, if there is none."""
    if name not in names():
        near = difflib.get_close_matches(name.lower(), names(), n=2)
        mend = f"did you mean {' or '.join(near)}?" if near else "`royalty policies` lists them"
        raise CallError(f"there is no policy {name!r}; {mend}")
    return resources.files(__name__).joinpath("data", name + ENDING).read_text(encoding="utf-8")


def shipped() -> list[Policy]:
    """All shipped policies; amounts are in the currency of each, or in US dollars."""
    found = []
    for name in names():
        data = text_of(name).encode()
        found.append(read_policy(data, name, find_currency(tomllib.loads(data.decode()).get("currency", "USD"))))
    return found


def located(given: str) -> bytes | Path:
    """What a name or a path means: the text of a shipped policy, or the user's own file. A name goes first.

    Raises CallError if there is neither.
    """
    if given in names():
        return text_of(given).encode()
    if not os.path.exists(given):
        if given.endswith(ENDING) or os.sep in given:
            raise CallError(f"there is no policy {given}; name a file, or one that `royalty policies` lists")
        text_of(given)  # which says what may have been meant
    return Path(given)


def find_policy(given: str, currency: Currency) -> Policy:
    """The policy that a name or the path of a TOML file means, for payouts in a currency.

    Raises CallError if there is none, or it is for another currency, and ManifestError with all that is
    wrong with a file.
    """
    data = located(given)
    if isinstance(data, Path):
        read = read_regular(data, "the policy", MANIFEST_BYTES)
        if isinstance(read, Refusal):
            raise ManifestError([Problem(Place(given), read.what, read.mend)])
        data = read
    return read_policy(data, given, currency)

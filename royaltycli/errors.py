"""Every error that a user can meet.

    RoyaltyError                 exit status 2 unless said otherwise
    ├── CallError                a value on the command line, or an argument of the Python API
    ├── ManifestError            a manifest, a list or a log of outputs: all its problems at once
    ├── DocumentError            a file of the corpus or a log of outputs, or one document in it
    ├── RemoteError              a file on another machine that cannot be reached, read or written
    ├── EncodingError            a vocabulary or tokenizer file
    ├── TableError               a tokens.parquet that is missing, damaged, or of another version
    ├── AmountError              money or shares that cannot be computed
    ├── LedgerError              a ledger that is missing or in use, or that refuses what is asked of it
    ├── LedgerDamage             exit status 1: a ledger that is not what it was
    ├── AttributionError         an index, or a network, that is missing, damaged or of something else
    ├── WorkerError              a worker of a scan that was lost
    ├── OutputError              a result that cannot be written
    ├── VerificationError        exit status 1: a count that the reference engine does not confirm
    └── Interrupted              exit status 130

The command line prints `str(error)` and ends with `error.exit_status`. Anything else that escapes
is a defect of this program.
"""

from __future__ import annotations

from dataclasses import dataclass


class RoyaltyError(Exception):
    """Base of all: one clear sentence that says what is wrong, where, and how to mend it."""

    exit_status = 2


class CallError(RoyaltyError):
    """A value on the command line, or an argument of the Python API, is wrong."""


class DocumentError(RoyaltyError):
    """A file of the corpus, or a log of outputs, cannot be read as what it claims to be."""


class RemoteError(RoyaltyError):
    """A file on another machine cannot be reached, read or written: what is wrong, and how to mend it."""

    def __init__(self, what: str, mend: str) -> None:
        self.what, self.mend = what, mend
        super().__init__(what, mend)

    def __str__(self) -> str:
        return f"{self.what}; {self.mend}"


class EncodingError(RoyaltyError):
    """A vocabulary or tokenizer file is missing, damaged, or of an unknown kind."""


class TableError(RoyaltyError):
    """A token table is missing, damaged, or of another version."""


class AmountError(RoyaltyError):
    """Money or shares that cannot be computed from what was given."""


class LedgerError(RoyaltyError):
    """A ledger is missing, damaged or in use, or what is asked of it is against its rules; it is as it was."""


class LedgerDamage(RoyaltyError):  # noqa: N818 -- what was looked for and found
    """A ledger is not what it was: everything that is wrong with it, one a line."""

    exit_status = 1


class AttributionError(RoyaltyError):
    """An index of a corpus, or a network, is missing, damaged, or does not belong to what it is used with."""


class WorkerError(RoyaltyError):
    """A worker process of a scan was lost; nothing was written."""


class OutputError(RoyaltyError):
    """A result cannot be written; what stood in its place is still there."""


class VerificationError(RoyaltyError):
    """The reference engine counts a document otherwise; nothing was written."""

    exit_status = 1


class Interrupted(RoyaltyError):  # noqa: N818 -- not an error, an ending
    """The user stopped the work; the message says what was written before."""

    exit_status = 130


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands: a file as the user named it and, if it has lines, the line (from 1)."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with a manifest, a list or a log: where, what, and how to mend it."""

    place: Place
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}; {self.mend}"


class ManifestError(RoyaltyError):
    """A manifest, a list or a log of outputs is wrong; carries all problems, in the order of their places."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def reason_of(error: Exception) -> str:
    """Why something failed, as the end of a message has it: in the words of the system, or else the error's own."""
    return (getattr(error, "strerror", None) or str(error)).lower()

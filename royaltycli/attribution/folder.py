"""The folder of an index: arrays that are mapped into memory, and a list of digests that says what belongs to it.

- `index.json`: what the index is of, and the digest of each file but those of the calibration
- `sources.parquet`, `units.parquet`: the sources in the order of their ids, and what is credited as one
- `calibration.json`, `calibration-prior.npy`, `machine-….npy`: how evidence is weighed, fitted to this index; the
  first, written last, has the digests of the others
- `read/KEY/`: what was read of some pieces of the corpus: tokens, documents, sketches
- `models/KEY/`: what attribution asks of the same documents without copies

Each of the latter two has a `part.json`, written last, with the digests of its files.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import numpy as np
import numpy.typing as npt
from blake3 import blake3

from royaltycli.errors import AttributionError, OutputError, reason_of
from royaltycli.remote.names import check_here, real_path
from royaltycli.storage import write_whole

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

VERSION = 12
"""Of the index's files, and of the way in which they are made: a change of either makes it another."""

LIST, PART = "index.json", "part.json"

CALIBRATION = "calibration"
"""Of the files that say how evidence is weighed: NAME.json and NAME-prior.npy."""

NETWORK = "network.json"
"""The list of a network, by which a calibration beside it is known."""

VOCABULARIES = {"tiktoken": "vocabulary.tiktoken", "huggingface": "vocabulary.json"}
"""What the copy of a vocabulary file is called, by the kind of its encoding."""

MACHINE = ("machine-terms.npy", "machine-weights.npy", "machine-rarity.npy")

OWN = {
    LIST,
    f"{CALIBRATION}.json",
    f"{CALIBRATION}-prior.npy",
    *MACHINE,
    "sources.parquet",
    "units.parquet",
    "read",
    "models",
    *VOCABULARIES.values(),
}

KEY = re.compile(r"[0-9a-f]{64}")

Array = npt.NDArray[Any]

Kind = TypeVar("Kind", bound="DataclassInstance")


def save(folder: Path, name: str, array: Array) -> None:
    """Write an array, whole or not at all. Raises OutputError."""

    def write(file: BinaryIO) -> None:
        np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)

    write_whole(folder / f"{name}.npy", write, is_result=False)


def load(folder: Path, name: str) -> Array:
    """An array that stays on the disk until it is asked for. Raises AttributionError if it is not one of ours."""
    path = folder / f"{name}.npy"
    try:
        if path.stat().st_size == 0:
            raise ValueError("it is empty")
        # As the plain type, which is much quicker for small pieces than numpy's own for files.
        array: Array = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except OSError as error:
        raise _unreadable(path, error) from error
    except (ValueError, EOFError) as error:
        raise damaged(path) from error
    return array


def save_all(folder: Path, name: str, arrays: DataclassInstance) -> None:
    """Write a dataclass of arrays, each to a file of its own. Raises OutputError."""
    for field in fields(arrays):
        save(folder, f"{name}-{field.name}", getattr(arrays, field.name))


def load_all(folder: Path, name: str, kind: type[Kind]) -> Kind:
    """What `save_all` wrote. Raises AttributionError."""
    return kind(*(load(folder, f"{name}-{field.name}") for field in fields(kind)))


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON that a person can read, the same bytes for the same value. Raises OutputError."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    write_whole(path, lambda file: file.write(text.encode("utf-8")), is_result=False)


def read_json(path: Path) -> dict[str, Any]:
    """What `write_json` wrote. Raises AttributionError if it is missing or damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unreadable(path, error) from error
    except (ValueError, RecursionError) as error:
        raise damaged(path) from error
    if not isinstance(value, dict):
        raise damaged(path)
    return value


def digest_of_value(value: dict[str, Any]) -> str:
    """SHA-256 of a value as JSON, by which a file of ours is known to be as it was written."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def digest_of(path: Path) -> str:
    """BLAKE3 of a file, in hexadecimal, on all cores. Raises OSError."""
    path.open("rb").close()  # whose errors have a number, unlike those of the library
    hasher = blake3(max_threads=blake3.AUTO)
    hasher.update_mmap(path)
    return hasher.hexdigest()


def digests_in(folder: Path, parts: list[str]) -> dict[str, str]:
    """The digests of all files of some finished parts of an index, by their names in it. Raises AttributionError."""
    names = [f"{part}/{name}" for part in parts for name in (*read_json(folder / part / PART), PART)]
    return {name: digest_of(folder / name) for name in names}


def check_digests(folder: Path, digests: dict[str, str]) -> None:
    """Raises AttributionError if a file of an index is missing, or has changed by as much as a bit."""
    for name, digest in digests.items():
        path = folder / name
        try:
            if digest_of(path) == digest:
                continue
        except OSError as error:
            raise _unreadable(path, error) from error
        raise damaged(path)


def damaged(path: Path) -> AttributionError:
    """The error for a file of an index that is not what was written."""
    return AttributionError(f"{path} is missing or damaged; run `royalty index` again")


def _unreadable(path: Path, error: OSError) -> Exception:
    """What to raise for a file of an index that the system does not give; it may be as it was."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError, IsADirectoryError)):
        return damaged(path)
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return error  # for which the command line has words
    return AttributionError(f"{path} cannot be read ({reason_of(error)}); mend that, and run the command again")


def remove_others(folder: Path, keys: set[str]) -> None:
    """Remove what earlier builds left in a folder of keys, and nothing that is named otherwise."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if KEY.fullmatch(path.name) and path.name not in keys and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


def remove(folder: Path, keys: Sequence[str]) -> None:
    """Remove some parts from a folder of keys, and the folder if nothing else is in it."""
    for key in keys:
        shutil.rmtree(folder / key, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def finish(part: Path) -> None:
    """Note that all files of a part are there, each with its digest. Raises OutputError."""
    write_json(part / PART, {path.name: digest_of(path) for path in sorted(part.iterdir())})


def is_whole(part: Path) -> bool:
    """Whether a part was finished, and is as it was then."""
    try:
        noted = read_json(part / PART)
        return all(digest_of(part / name) == digest for name, digest in noted.items())
    except (AttributionError, OSError):
        return False


def emptied(folder: Path) -> Path:
    """The folder, made, without what a build that was broken off has left in it. Raises OutputError."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise OutputError(f"the folder {folder} cannot be made ({reason_of(error)}); name another") from error
    return folder


def check_place(folder: Path) -> None:
    """Raises OutputError if an index cannot be made in a folder, as something else is there, or none can be.

    Raises CallError for one in a store.
    """
    check_here(folder, "an index")
    real_path(folder)
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; name a folder for the index")
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    if others := [name for name in names if name not in OWN and not name.startswith(".")]:
        raise OutputError(f"{folder} holds {min(others)}, which is of no index; name a new folder, or an index")

"""The only way a result file is written: whole, or not at all.

A result is written to a file beside its place, synced, read back and compared with what was written,
and then renamed over the old one. Whatever happens before the rename leaves the old file as it was.

Parquet results are sealed as well: their metadata holds the SHA-256 of the whole file, taken with the
seal's own digits as zeros. Page checksums guard only the pages; the seal guards every bit.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import io
import os
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from royaltycli.errors import OutputError, RoyaltyError, TableError, reason_of
from royaltycli.limits import READ_BYTES
from royaltycli.notes import note, unnote
from royaltycli.remote.locations import Location
from royaltycli.remote.locations import written as written_name
from royaltycli.remote.names import folder_there, real_path, remote_place
from royaltycli.remote.reading import in_memory
from royaltycli.remote.writing import check_sent, check_writable, send

if TYPE_CHECKING:
    import pyarrow as pa
    from typing_extensions import Buffer

try:
    import fcntl
except ImportError:  # Windows: what a killed process left behind stays until someone removes it
    fcntl = None  # type: ignore[assignment]

LOCKS = fcntl is not None
PARTIAL = ".partial"
SEAL_KEY = b"royalty.seal"
SEAL_START = b"sha256 of this file with these digits as zeros: "
BLANK_SEAL = SEAL_START + b"0" * 64


def write_whole(path: Path, write: Callable[[BinaryIO], object], *, swept: bool = False, is_result: bool = True) -> str:
    """Make `path` hold what `write` writes to the file it is given, in one step; gives its SHA-256, in hexadecimal.

    `write` writes one part after the other. Raises OutputError if anything fails; `path` is then as it was before.
    On another machine, such as at `s3://bucket/file`, that step is the store's own; it raises RemoteError, too.
    In a `swept` folder, what killed processes have left is not looked for. What `is_result` is noted in `notes`.
    """
    if (elsewhere := remote_place(path)) is not None:
        check_writable(elsewhere)
        return _send(elsewhere, write, is_result=is_result)
    if not swept:
        place = check_place(path)
        remove_leftovers(place.parent.glob(f".{glob.escape(place.name)}.*{PARTIAL}"))
    return _put(path, write, str(path), is_result=is_result)


def _send(place: Location, write: Callable[[BinaryIO], object], *, is_result: bool) -> str:
    """As `write_whole`, on another machine; what is written is collected here before."""
    name = Path(str(place))
    try:
        with tempfile.TemporaryFile() as file:
            given = _Given(file)
            write(cast("BinaryIO", given))
            file.seek(0)
            if is_result:
                note(f"{place} may have been written", name, is_result=True)
            send(place, file)
            if is_result:
                note(f"{place} was written", name, is_result=True)
            check_sent(place, given.digest.digest())
            return given.digest.hexdigest()
    except RoyaltyError:  # which says itself what may be there
        unnote(name)
        raise
    except OSError as error:
        room = f"make room in {tempfile.gettempdir()}"
        raise OutputError(
            f"{place} cannot be written, as it cannot be collected here ({reason_of(error)}); {room}"
        ) from error


def _put(path: Path, write: Callable[[BinaryIO], object], name: str, *, is_result: bool) -> str:
    """As `write_whole`, in whose errors it has a `name`."""
    place = check_place(path)
    partial: Path | None = None
    try:
        partial, created = _create(place)
        with created as file:
            given = _Given(file)
            write(cast("BinaryIO", given))
            file.flush()
            if LOCKS and place.exists():  # Windows has no modes, and neither renames nor removes what is read-only
                partial.chmod(place.stat().st_mode & 0o777)
            os.fsync(file.fileno())
            with partial.open("rb") as again:
                if _digest(again) != given.digest.digest():
                    raise OutputError(f"{name} reads back otherwise than it was written; check the disk")
            if not LOCKS:
                file.close()  # Windows renames no open file; elsewhere the lock is held until the name is gone
            if is_result:
                note(f"{path} was written", partial, is_result=True)
            partial.replace(place)
        _sync_folder(place.parent)
        return given.digest.hexdigest()
    except OSError as error:
        raise OutputError(
            f"{name} cannot be written ({reason_of(error)}); what was there before is unchanged"
        ) from error
    finally:
        if partial is not None:
            with contextlib.suppress(OSError):
                partial.unlink()  # which fails if it has another name now
                unnote(partial)


class _Given(io.BufferedIOBase):
    """A file to write to, and the SHA-256 of what it was given, whatever the disk makes of that."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer, /) -> int:
        self.digest.update(data)
        return self._file.write(data)


def check_place(path: Path) -> Path:
    """The real path that a result at `path` would have: a link to a result stays a link.

    Raises OutputError if no result can stand there, which is best known before a long piece of work; on
    another machine, where there are no links, RemoteError as well.
    """
    if (elsewhere := remote_place(path)) is not None:
        check_writable(elsewhere)
        return Path(path)
    place = real_path(path)
    if os.path.isdir(place):
        raise folder_there(path)
    if os.path.exists(path) and not os.path.isfile(path):  # the real path of /dev/stdout may be no path at all
        raise OutputError(f"{path} is a device or a pipe; name a file, or `-` for standard output")
    if not os.path.isdir(place.parent):
        raise OutputError(f"{path} cannot be written, as its folder does not exist; make the folder, or name another")
    if not os.access(place.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path} cannot be written, as you may not write in its folder; name a file in another")
    return place


def make_folder(folder: Path) -> None:
    """Make a folder for results, with those above it, unless it is there. Raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise OutputError(f"the folder {folder} cannot be made ({reason_of(error)}); name another") from error


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all. Raises OutputError."""
    write_whole(path, lambda file: file.write(text.encode("utf-8")))


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a sealed Parquet file: the same bytes for the same table. Raises OutputError."""
    write_whole(path, lambda file: write_sealed(file, table))


def write_parquet_parts(path: Path, schema: pa.Schema, parts: Iterable[pa.Table]) -> str:
    """Write a sealed Parquet file as `write_parquet` does, whose row groups are the parts; gives its SHA-256.

    Raises OutputError.
    """
    return write_whole(path, lambda file: write_sealed_parts(file, schema, parts))


def write_part(path: Path, table: pa.Table) -> None:
    """Write a part of a longer work in a `working_folder`, as `write_parquet` writes a result.

    Raises OutputError and RemoteError.
    """
    if (elsewhere := remote_place(path)) is not None:
        _send(elsewhere, lambda file: write_sealed(file, table), is_result=False)
        return
    _put(path, lambda file: write_sealed(file, table), f"folder {path.parent}", is_result=False)


def write_sealed(file: BinaryIO, table: pa.Table) -> None:
    """Write `table` to a file, with page checksums and a seal."""
    write_sealed_parts(file, table.schema, [table])


def write_sealed_parts(file: BinaryIO, schema: pa.Schema, parts: Iterable[pa.Table]) -> None:
    """Write a table that is never in memory as a whole, each part as a row group of its own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Without the Arrow schema, which would hold a second, encoded copy of the metadata.
    options = {"compression": "zstd", "write_page_checksum": True, "store_schema": False}
    sealing = _Sealing(file)
    with pq.ParquetWriter(pa.PythonFile(sealing, mode="w"), schema.remove_metadata(), **options) as writer:
        for part in parts:
            writer.write_table(part.replace_schema_metadata(None))
        writer.add_key_value_metadata({**(schema.metadata or {}), SEAL_KEY: BLANK_SEAL})
        sealing.hold_back()
    sealing.seal()


class _Sealing(io.BufferedIOBase):
    """Passes on what it is given, but holds back the end, in which the seal's digits stand, until they are known."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._digest = file, hashlib.sha256()
        self._held: bytearray | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer, /) -> int:
        self._digest.update(data)
        if self._held is None:
            return self._file.write(data)
        self._held += data
        return memoryview(data).nbytes

    def hold_back(self) -> None:
        """Pass nothing on from here: the footer follows."""
        self._held = bytearray()

    def seal(self) -> None:
        """Put the digits into what was held back, and pass it on."""
        assert self._held is not None
        # From the right: a title among the statistics may read alike.
        start = self._held.rindex(SEAL_START) + len(SEAL_START)
        self._held[start : start + 64] = self._digest.hexdigest().encode("ascii")
        self._file.write(self._held)


def read_sealed(path: Path) -> pa.Table:
    """Read a table that `write_parquet` wrote.

    Raises TableError if the file is missing, is not one of ours, or has changed by as much as a bit; and
    RemoteError if it is on another machine and cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with _sealed(path) as file:
        # In this thread alone: one of Arrow's that holds a file of Python's when Python ends aborts the program.
        options = {"pre_buffer": False, "page_checksum_verification": True}
        return pq.ParquetFile(pa.PythonFile(file, mode="r"), **options).read(use_threads=False)


def read_sealed_metadata(path: Path) -> dict[bytes, bytes]:
    """The metadata of a table that `write_parquet` wrote, all of which is looked through. Raises as `read_sealed`."""
    import pyarrow.parquet as pq

    with _sealed(path) as file:
        file.seek(0)
        metadata: dict[bytes, bytes] = pq.read_metadata(file).metadata or {}
        return metadata


@contextlib.contextmanager
def _sealed(path: Path) -> Iterator[BinaryIO]:
    """A table that `write_parquet` wrote, open, after its seal was compared. Raises as `read_sealed`."""
    import pyarrow as pa

    elsewhere = remote_place(path)
    try:
        if elsewhere is None and not _is_regular(path):
            raise TableError(f"{path} is not a file; name a table that `royalty scan` wrote")
        with path.open("rb") if elsewhere is None else in_memory(elsewhere) as file:
            if not is_sealed(file):
                raise _damaged(path)
            yield file
    except OSError as error:
        raise TableError(f"{path} cannot be read ({reason_of(error)})") from error
    except (pa.ArrowException, ValueError, KeyError) as error:
        raise _damaged(path) from error


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)  # `is_file` tells no missing file from one that may not be looked at
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise TableError(f"{path} does not exist; run `royalty scan` first, or name the table") from error


def _damaged(path: Path) -> TableError:
    return TableError(f"{written_name(path)} is damaged, or was not written by royalty; run `royalty scan` again")


def is_sealed(file: BinaryIO) -> bool:
    """Whether an open file is a Parquet file that `write_sealed` wrote, without a bit changed."""
    try:
        seal_at = _find_seal(file)
    except ValueError:
        return False
    file.seek(seal_at + len(SEAL_START))
    claimed = file.read(64)
    return _digest(file, blank=seal_at).hex().encode("ascii") == claimed


def _find_seal(file: BinaryIO) -> int:
    """Where the seal's text stands in a Parquet file's footer. Raises ValueError if there is no such place."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 8))
    tail = file.read(8)
    footer = size - 8 - int.from_bytes(tail[:4], "little")
    if tail[4:] != b"PAR1" or footer < len(b"PAR1"):
        raise ValueError("not a Parquet file")
    file.seek(footer)
    found = file.read(size - 8 - footer).rfind(SEAL_START)  # a title among the statistics may read alike
    if found < 0 or footer + found + len(BLANK_SEAL) > size:
        raise ValueError("no seal")
    return footer + found


def _digest(file: BinaryIO, blank: int | None = None) -> bytes:
    """SHA-256 of a whole file; with `blank`, as if the seal that stands there were still blank."""
    digest = hashlib.sha256()
    position = 0
    file.seek(0)
    while block := file.read(READ_BYTES):
        if blank is not None:
            block = _blanked(block, blank + len(SEAL_START) - position)
        digest.update(block)
        position += len(block)
    return digest.digest()


def _blanked(block: bytes, start: int) -> bytes:
    """`block` with zeros for the 64 digits that begin at `start`, which may lie partly or wholly outside."""
    first, last = max(0, start), min(len(block), start + 64)
    return block if first >= last else block[:first] + b"0" * (last - first) + block[last:]


def _create(place: Path) -> tuple[Path, BinaryIO]:
    """A new file beside `place`, locked, so that no other writer takes it for a leftover."""
    while True:
        partial = place.with_name(f".{place.name}.{secrets.token_hex(6)}{PARTIAL}")
        file = partial.open("x+b")
        if _lock(file.fileno()):
            return partial, file
        file.close()


def _lock(descriptor: int) -> bool:
    """Whether a new file is ours; another writer may have taken it for a leftover before it was locked."""
    if LOCKS:
        with contextlib.suppress(OSError):  # some network drives have no locks; nobody removes leftovers there
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            return os.fstat(descriptor).st_nlink > 0
    return True


def remove_leftovers(found: Iterable[Path]) -> None:
    """Remove what killed processes left half-written; a file that a living one writes is locked, and stays."""
    with contextlib.suppress(OSError):
        for leftover in found if LOCKS else ():
            with contextlib.suppress(OSError):
                _remove_leftover(leftover)


def _remove_leftover(leftover: Path) -> None:
    """Remove a regular file that nobody has locked. A pipe, a device or a link of such a name is none of ours."""
    descriptor = os.open(leftover, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where folders can be synced."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

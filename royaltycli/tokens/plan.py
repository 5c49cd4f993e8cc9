"""What a scan has to do: which pieces of a corpus were counted before, and why the others must be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from royaltycli.corpus.files import File
from royaltycli.corpus.pieces import Piece
from royaltycli.tokens.partials import Kept, Place, Settings, is_unchanged, place_of, surest, usable

UNCHANGED = "counted before, and not changed since"
AGAIN = "counted before; read again for changes, as --rehash says"
CHANGED = "counted before, but changed since"
TOUCHED = "counted before, but size or time is another; read again for changes"
UNCLEAR = "counted before, but twice, as files that differ; read again to see which it is"
OTHERWISE = "counted before, but with another encoding, or read in another way"
LESS = "counted before, but fewer documents were recounted than are asked for"
NEW = "not counted yet"


@dataclass(frozen=True, slots=True)
class Planned:
    """A piece, and why it must be counted or need not be.

    `kept` is what was counted of it before and is good if the piece still has the same content.
    """

    piece: Piece
    why: str
    kept: Kept | None = None

    @property
    def done(self) -> Kept | None:
        """What was counted of it before, where it need not be looked at to know that this is good."""
        return self.kept if self.why == UNCHANGED else None


def plan_pieces(
    pieces: Iterable[Piece],
    settings: Settings,
    verify: Fraction,
    known: Mapping[Place, list[Kept]],
    *,
    rehash: bool,
) -> list[Planned]:
    """Each piece, in their order, with what there is to do about it."""
    return [
        _planned(piece, settings.of(piece.file), verify, known.get(place_of(piece), []), rehash=rehash)
        for piece in pieces
    ]


def cuts_before(files: Iterable[File], settings: Settings, known: Mapping[Place, list[Kept]]) -> dict[str, list[int]]:
    """The bytes at which packed JSONL was cut before, by the name of the file.

    They are told only of a file that has not changed since and of which all pieces were counted, in the
    same way as now: of that, every cut has proved to be one between frames.
    """
    packed = {file.name: file for file in files if file.format == "jsonl" and file.compression is not None}
    stops: defaultdict[str, dict[int, int | None]] = defaultdict(dict)
    for (name, start, stop), kept in known.items():
        file = packed.get(name)
        if file is None:
            continue
        if any(is_unchanged(one, file) for one in usable(kept, settings.of(file), Fraction(0))):
            stops[name][start] = stop
    found = {name: _joined(ranges, packed[name].size) for name, ranges in stops.items()}
    return {name: starts for name, starts in found.items() if starts is not None}


def _joined(stops: Mapping[int, int | None], size: int) -> list[int] | None:
    """Where ranges begin, without the first, that make up a whole file; None if they do not."""
    starts: list[int] = []
    at: int | None = 0
    while at is not None and at < size:
        if at not in stops:
            return None
        at = stops[at]
        if at is not None and at < size:
            starts.append(at)
    return starts


def _planned(piece: Piece, settings: str, verify: Fraction, kept: list[Kept], *, rehash: bool) -> Planned:
    if not kept:
        return Planned(piece, NEW)
    good = usable(kept, settings, verify)
    if not good:
        return Planned(piece, LESS if usable(kept, settings, Fraction(0)) else OTHERWISE)
    if piece.file.remote and (rehash or not any(is_unchanged(one, piece.file) for one in good)):
        return Planned(piece, AGAIN if rehash else CHANGED)  # whose content is known by its version alone
    alike = [one for one in good if is_unchanged(one, piece.file)]
    best = surest(alike or good)
    if rehash:
        return Planned(piece, AGAIN, best)
    if len({one.entry.content for one in alike}) > 1:
        return Planned(piece, UNCLEAR, best)
    return Planned(piece, UNCHANGED if alike else TOUCHED, best)

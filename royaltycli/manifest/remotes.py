"""What a path of a manifest means that leads to another machine: a file, a folder, or a pattern over its names."""

from __future__ import annotations

from collections.abc import Iterable

from royaltycli.errors import RemoteError
from royaltycli.manifest.endings import TABLE_NAME
from royaltycli.manifest.paths import Refusal
from royaltycli.manifest.patterns import NO_NAME, Match, Meant, Part, fits, is_pattern, parts_of
from royaltycli.manifest.wording import CONTROL, shown
from royaltycli.remote.finding import Remote, find_below, find_file
from royaltycli.remote.locations import Location, locate
from royaltycli.remote.waiting import all_of

OFF = Refusal(
    "remote reading is off", "set remote = true in [corpus] if you trust this manifest, or copy the files here"
)


def look_up_all(paths: Iterable[str]) -> dict[str, Meant | Refusal]:
    """What each path means, or why it cannot be used; many are asked for at a time."""
    distinct = list(dict.fromkeys(paths))
    return dict(zip(distinct, all_of(_look_up, distinct), strict=True))


def _look_up(path: str) -> Meant | Refusal:
    try:
        place = locate(path)
        named = place.scheme == "https" or not ("*" in path or path.endswith("/"))
        whole = find_file(place) if named else None
        if whole is not None:
            return Meant("file", str(place), [_match(whole)])
        if is_pattern(place.path):
            found = _matching(place)
            itself = tuple(match for match in found if match.name == str(place))  # goes first, as on this machine
            return Meant("file" if itself else "pattern", str(place), itself or found)
        below = _matching(_all_below(place))
    except RemoteError as error:
        return Refusal(error.what, error.mend)
    if not below:
        return Refusal(f"there is nothing at {shown(path)}", "check its spelling")
    return Meant("folder", str(place), below)


def would_take(path: str, name: str) -> bool:
    """Whether a path that leads to another machine would take a file of that name there, as a folder or a pattern."""
    place = locate(path)
    folder, parts, _ = _sought(place if is_pattern(place.path) else _all_below(place))
    return name.startswith(f"{folder}/") and fits(_names_below(folder, name), parts)


def _all_below(place: Location) -> Location:
    """The pattern that means all files in a folder."""
    return Location(place.scheme, place.host, f"{place.path}/**".lstrip("/"))


def _sought(place: Location) -> tuple[Location, list[Part], bool]:
    """The folder that a pattern begins with, its parts below that, and whether they go into the folders in it."""
    written = place.path.split("/")
    fixed = next((at for at, part in enumerate(written) if is_pattern(part)), len(written))
    folder = Location(place.scheme, place.host, "/".join(written[:fixed]))
    return folder, parts_of("/".join(written[fixed:])), fixed < len(written) - 1 or written[-1] == "**"


def _matching(place: Location) -> tuple[Match, ...]:
    """The files that a pattern matches, but for tables of a scan; only what is below its fixed beginning is listed.

    One of that very name is among them also where the pattern does not mean it, such as `[1]*`.
    """
    folder, parts, deep = _sought(place)
    names = ((_names_below(folder, one.name), one) for one in find_below(folder, deep=deep))
    return tuple(
        _match(one)
        for below, one in names
        if below[-1] != TABLE_NAME and (fits(below, parts) or one.name == str(place))
    )


def _names_below(folder: Location, name: str) -> list[str]:
    """The folders below a folder that a file is in, and its own name."""
    return name.removeprefix(str(folder)).lstrip("/").split("/")


def _match(one: Remote) -> Match:
    refusal = NO_NAME if CONTROL.search(one.name) else None
    return Match(one.name, one.path, one.size, (one.version,), refusal)

"""What there is at a place on another machine: one file, or those in a folder, each with size and version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from royaltycli.errors import RemoteError
from royaltycli.remote.locations import Location

if TYPE_CHECKING:
    from royaltycli.remote.hub import Item


class Remote(NamedTuple):
    """A file on another machine.

    `name` is what it is called in the manifest's way, `path` what it is read by, which may name a commit as
    well, and `version` what changes with its content.
    """

    name: str
    path: str
    size: int
    version: str


def find_file(place: Location) -> Remote | None:
    """The file of that very name; None if there is none, though there may be a folder. Raises RemoteError."""
    name = str(place)
    if place.scheme == "https":
        if "*" in place.path:
            raise RemoteError(f"{name} is on a web server, which cannot list its files", "name each file by itself")
        from royaltycli.remote import web

        return Remote(name, name, *web.find(name))
    if not place.path:
        return None
    if place.scheme == "hf":
        from royaltycli.remote import hub

        pinned = hub.at_commit(place)
        item = hub.head(pinned)
        return None if item is None else _in_dataset(place, pinned, item)
    from royaltycli.remote import objects

    found = objects.head(place)
    return None if found is None else Remote(name, name, found.size, _known(name, found.version))


def find_below(place: Location, *, deep: bool) -> Iterator[Remote]:
    """All files in a folder of a store, and with `deep` those in the folders in it. Raises RemoteError."""
    if place.scheme == "hf":
        from royaltycli.remote import hub

        pinned = hub.at_commit(place)
        yield from (_in_dataset(place, pinned, item) for item in hub.below(pinned))
        return
    from royaltycli.remote import objects

    for found in objects.below(place, deep=deep):
        name = str(Location(place.scheme, place.host, found.path))
        yield Remote(name, name, found.size, _known(name, found.version))


def _in_dataset(place: Location, pinned: Location, item: Item) -> Remote:
    name, path = (str(Location("hf", one.host, item.path)) for one in (place, pinned))
    return Remote(name, path, item.size, item.digest)


def _known(name: str, version: str) -> str:
    if not version:
        what = f"{name} has no ETag, by which a change in mid-scan could be noticed"
        raise RemoteError(what, "copy it to this machine")
    return version

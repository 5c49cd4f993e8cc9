"""Datasets on the Hugging Face Hub: found through its own library, read like files on a web server.

A revision is resolved to a commit when files are looked for, and what is read is of that commit: a push in
mid-scan changes nothing. Tokens come from where `hf auth login` puts them.
"""

from __future__ import annotations

import functools
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from royaltycli.errors import RemoteError
from royaltycli.limits import RETRIES
from royaltycli.remote import web
from royaltycli.remote.locations import Location, without_user

Answer = TypeVar("Answer")

LIBRARIES = ("httpx", "httpx2")
"""Those that huggingface_hub asks with, one or another by its version."""


class Item(NamedTuple):
    """A file of a dataset: its path, its size, and the digest that tells its content from any other."""

    path: str
    size: int
    digest: str


def at_commit(place: Location) -> Location:
    """The same place, with the commit that its revision is at now. Raises RemoteError."""
    name, _, revision = place.host.partition("@")
    owner = name.removeprefix("datasets/")
    try:
        import huggingface_hub
    except ImportError as error:
        what = f"{place} is found with huggingface_hub, which is not installed"
        raise RemoteError(what, "pip install 'royaltycli[hf]'") from error
    info = _asked(place, lambda: huggingface_hub.HfApi().dataset_info(owner, revision=revision or None))
    return Location("hf", f"{name}@{info.sha}", place.path)


def head(place: Location) -> Item | None:
    """The file at a commit that a place names itself, if there is one. Raises RemoteError."""
    return next(_files(place, lambda api, **where: api.get_paths_info(paths=[place.path], **where)), None)


def below(place: Location) -> list[Item]:
    """All files at a commit below a place. Raises RemoteError."""
    return list(
        _files(place, lambda api, **where: api.list_repo_tree(path_in_repo=place.path or None, recursive=True, **where))
    )


def _files(place: Location, ask: Callable[..., Iterable[Any]]) -> Iterator[Item]:
    """The files, and not the folders, of what the hub answers."""
    import huggingface_hub

    name, _, commit = place.host.partition("@")
    where = {"repo_id": name.removeprefix("datasets/"), "repo_type": "dataset", "revision": commit}

    def files() -> list[Any]:
        try:
            return list(ask(huggingface_hub.HfApi(), **where))
        except huggingface_hub.errors.EntryNotFoundError:
            return []

    for found in _asked(place, files):
        if isinstance(found, huggingface_hub.RepoFile):
            digest = found.lfs.sha256 if found.lfs is not None else found.blob_id
            yield Item(found.path, found.size, digest)


def _asked(place: Location, ask: Callable[[], Answer]) -> Answer:
    """What the hub answers, which is asked again while it fails for a reason that may pass. Raises RemoteError."""
    for attempt in range(RETRIES + 1):
        try:
            return ask()
        except Exception as error:
            response = getattr(error, "response", None)
            may_pass = _is_unanswered(error) if response is None else _status(error) in web.MAY_PASS
            if attempt == RETRIES or not may_pass:
                raise _failure(place, error) from error
            web.pause(attempt, 0 if response is None else web.asked_to_wait(response.headers))
    raise AssertionError


def _is_unanswered(error: BaseException) -> bool:
    """Whether a connection failed, and not as there is no such server, or one that could not prove who it is."""
    if type(error).__module__.partition(".")[0] not in LIBRARIES:
        return False
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError | ConnectionRefusedError):
            return False
        if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME:
            return False
        cause = cause.__cause__ or cause.__context__
    return True


def _status(error: Exception) -> int | None:
    """The status of an answer that the library has made an error."""
    return getattr(getattr(error, "response", None), "status_code", None)


def fetch(place: Location, size: int, start: int, stop: int) -> bytes:
    """The bytes of a file at a commit, from `start` to `stop`. Raises RemoteError."""
    origin = _origin()
    name, _, commit = place.host.partition("@")
    url = f"{origin.url}/{name}/resolve/{quote(commit, safe='')}/{quote(place.path)}"
    return web.fetch(url, size, "", start, stop, origin)


@functools.cache
def _origin() -> web.Origin:
    """The hub, as the user's environment names it, and who the user is there."""
    from huggingface_hub import constants, get_token

    token = get_token()
    return web.Origin(constants.ENDPOINT, {"Authorization": f"Bearer {token}"} if token else {})


def _failure(place: Location, error: Exception) -> RemoteError:
    from huggingface_hub import constants

    words = (str(error).strip().splitlines() or [type(error).__name__])[0][:160].rstrip(".:")
    kind = type(error).__name__
    if kind in ("RepositoryNotFoundError", "RevisionNotFoundError", "EntryNotFoundError", "FileNotFoundError"):
        what = f"{place} does not exist, or may not be read by you"
        return RemoteError(what, "check its spelling, or log in with `hf auth login`")
    if kind == "GatedRepoError":
        return RemoteError(f"{place} is open only to those whom its owner lets in", "ask for access on its page")
    if _status(error) in (401, 403):
        what = f"{place} cannot be listed, as the hub does not take your token"
        return RemoteError(what, "log in again with `hf auth login`, or set HF_TOKEN anew")
    hub = without_user(constants.ENDPOINT)
    return RemoteError(f"{place} cannot be listed at {hub} ({words})", "check the network and try again")

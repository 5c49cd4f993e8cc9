"""Object stores: S3, Google Cloud Storage, Azure Blob Storage, and what speaks their languages.

Through obstore, which is Arrow's `object_store`: pyarrow's own file systems list files without their ETags
and read them without If-Match, so that a file which is replaced in mid-scan would be read half and half. It
sends requests again that failed for a reason that may pass, with backoff and jitter, and goes on at the byte
where an answer broke off. Keys and endpoints come from the user's environment, never from a manifest.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, BinaryIO, NamedTuple

from royaltycli.errors import RemoteError
from royaltycli.limits import CONNECT_SECONDS, REQUEST_SECONDS, RETRIES, RETRY_SECONDS, SILENCE_SECONDS
from royaltycli.remote.locations import Location
from royaltycli.remote.refusals import ENDPOINTS, check_settings, failure, is_denied, no_bucket, not_opened

OWN_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SKIP_SIGNATURE", "AWS_WEB_IDENTITY_TOKEN_FILE")
"""Where one of these is set, the store finds its keys without boto3."""


class Object(NamedTuple):
    """A file in a store: its path in the bucket, its size, and its version as the store names it."""

    path: str
    size: int
    version: str


def head(place: Location) -> Object | None:
    """The file of that very name, if there is one that does not only stand for a folder. Raises RemoteError."""
    try:
        found = _object(_store(place.scheme, place.host).head(place.path))
    except FileNotFoundError:
        return None
    except Exception as error:
        raise failure(place, error) from error
    return None if found.size == 0 and has_below(place) else found


def below(place: Location, *, deep: bool) -> Iterator[Object]:
    """The files in a folder, and with `deep` in those in it, without empty files that only stand for folders.

    Raises RemoteError.
    """
    store, prefix = _store(place.scheme, place.host), f"{place.path}/" if place.path else ""
    folders: set[str] = set()
    try:
        if deep:
            objects = [_object(meta) for some in store.list(prefix, chunk_size=1000) for meta in some]
        else:
            listed = store.list_with_delimiter(prefix)
            objects = [_object(meta) for meta in listed["objects"]]
            folders.update(listed["common_prefixes"])
    except Exception as error:
        raise failure(place, error) from error
    for one in objects:
        above = one.path.rpartition("/")[0]
        while above and above not in folders:
            folders.add(above)
            above = above.rpartition("/")[0]
    for one in objects:
        if one.path.startswith(prefix) and (one.size or one.path not in folders):
            yield one


def fetch(place: Location, size: int, version: str, start: int, stop: int) -> bytes:
    """The bytes of a file from `start` to `stop`, of this version and size. Raises RemoteError."""
    import obstore
    from obstore import exceptions

    options: Any = {"range": (start, stop)}
    if version.startswith('"'):  # a weak tag never matches in a request; it is compared with the answer's alone
        options["if_match"] = version
    try:
        answer = obstore.get(_store(place.scheme, place.host), place.path, options=options)
        meta = answer.meta
        if (meta["size"], version_of(meta["e_tag"])) != (size, version):
            raise _changed(place)
        data = bytes(answer.bytes())
    except RemoteError:
        raise
    except (FileNotFoundError, exceptions.PreconditionError) as error:
        raise _changed(place) from error
    except Exception as error:
        raise failure(place, error) from error
    if len(data) != stop - start:
        what = f"{place} was not sent as a whole, but {len(data):,} bytes where {stop - start:,} were asked for"
        raise RemoteError(what, "try again, and look to the store")
    return data


def put(place: Location, file: BinaryIO) -> None:
    """Write a file, in one step for whoever reads it: as a whole, or not at all. Raises RemoteError."""
    import obstore

    try:
        obstore.put(_store(place.scheme, place.host), place.path, file)
    except FileNotFoundError as error:  # whatever the library says, it is not the file that has to be there
        raise no_bucket(place) from error
    except Exception as error:
        raise failure(place, error) from error


def remove(place: Location) -> None:
    """Remove a file. Raises RemoteError."""
    try:
        _store(place.scheme, place.host).delete(place.path)
    except Exception as error:
        raise failure(place, error) from error


def has_below(place: Location) -> bool:
    """Whether there are files below a place, as in a folder; none are seen where one may only write.

    Raises RemoteError, as when a store cannot be reached, or lacks the bucket.
    """
    store = _store(place.scheme, place.host)
    try:
        return bool(next(iter(store.list(f"{place.path}/" if place.path else None)), []))
    except Exception as error:
        if is_denied(error):
            return False
        raise failure(place, error) from error


@functools.lru_cache(maxsize=64)
def _store(scheme: str, bucket: str) -> Any:
    """The store of a bucket, opened once in a process. Raises RemoteError if it cannot be."""
    place = Location(scheme, bucket, "")
    try:
        from obstore.store import AzureStore, GCSStore, S3Store
    except ImportError as error:
        what = f"{place} is read with obstore, which is not installed"
        raise RemoteError(what, "pip install 'royaltycli[remote]'") from error
    check_settings(scheme)
    plain = any(os.environ.get(name, "").lower().startswith("http://") for name in ENDPOINTS[scheme])
    options: dict[str, Any] = {
        "client_options": {
            "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
            "read_timeout": timedelta(seconds=SILENCE_SECONDS),
            "timeout": timedelta(seconds=REQUEST_SECONDS),
            "user_agent": "royalty",
            **({"allow_http": True} if plain else {}),  # as the user's own environment says
        },
        "retry_config": {"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
    }
    try:
        if scheme == "gs":
            return GCSStore(bucket, **options)
        if scheme == "az":
            return AzureStore(bucket, **options)
        return S3Store(bucket, credential_provider=_aws_keys(), **options)
    except Exception as error:
        raise not_opened(place, error) from error


def _aws_keys() -> Any:
    """Keys from where the AWS command line finds them, for those who do not have them in the environment."""
    if any(os.environ.get(name) for name in OWN_KEYS):
        return None
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        return None
    try:
        return Boto3CredentialProvider()
    except ValueError:  # it knows none either
        return None


def _object(meta: Any) -> Object:
    return Object(meta["path"], meta["size"], version_of(meta["e_tag"]))


def version_of(tag: str | None) -> str:
    """An ETag as it is in a request, in quotes, which Azure leaves out where it lists files; empty if there is none."""
    if not tag or tag.startswith(('"', "W/")):
        return tag or ""
    return f'"{tag}"'


def _changed(place: Location) -> RemoteError:
    return RemoteError(f"{place}: changed while it was being read", "let it come to rest and scan again")

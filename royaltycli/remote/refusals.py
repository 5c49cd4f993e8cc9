"""What keeps a store from being used, in words of our own: settings that cannot be right, and what its library says."""

from __future__ import annotations

import os
import re

from royaltycli.errors import RemoteError
from royaltycli.remote.locations import STORES, Location, split_url

ENDPOINTS = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": ("GOOGLE_BASE_URL",),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
KEYS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true for a public bucket",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS, or GOOGLE_SKIP_SIGNATURE=true for a public bucket",
    "az": "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or AZURE_SKIP_SIGNATURE=true",
}
_SENT = {
    "s3": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"),
    "gs": (),
    "az": ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN"),
}
"""Settings that stand in a request, where no end of a line can be, as one copied from a file of Windows has."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SERVER = re.compile(r"https?://[^\s/?#]+(/\S*)?", re.IGNORECASE)

_URL = re.compile(r"https?://\S+")
_NO_KEYS = re.compile(r"credential|account", re.IGNORECASE)
"""What the library says where it finds no keys; but in no URL, as a file or a folder may be called so as well."""

_KEYS_ASKED_FOR = re.compile(
    r"performing token request|https?://(169\.254\.|metadata\.google|[^/\s]+/(latest/(api|meta-data)|computeMetadata)/)"
)
"""A request to the machine's own cloud, which hands out keys, or to whoever gives them in exchange for others."""

_EXPIRED = re.compile(r"<Code>(ExpiredToken|InvalidToken|TokenRefreshRequired)</Code>")
_REGION = re.compile(r"status code: 3\d\d|incorrectly configured region|AuthorizationHeaderMalformed")

_WHOLE = re.compile(r"non-partial response|Content-Length Header missing")
_UNPROVEN = re.compile(r"InvalidCertificate\(\s*(\w+)")
_DEEPEST = re.compile(r'\b(?:message|error): "([^"\n]{1,160})"')
"""What the system said to the library, such as that nobody listens; it stands in no first line."""

_NO_STORE = re.compile(r"404|405|407|501")
"""Answers that will be no others later, as of what is no store, or of a proxy before it."""

_DENIED = re.compile(r"performing (?!token)[\w ]+ request: .*status code: 40[13]\b")
"""What the library says of a list that is refused, for which it has no error of its own."""


def check_settings(scheme: str) -> None:
    """Raises RemoteError for settings of a store on which its library breaks down, and says nothing that helps."""
    for name in _SENT[scheme]:
        if _CONTROL.search(os.environ.get(name, "")):
            what = f"{name} in your environment holds a control character, such as the end of a line"
            raise RemoteError(what, "set it anew without")
    for name in ENDPOINTS[scheme]:
        value = os.environ.get(name)
        if value is not None and not _is_server(value):
            what = f"{name} in your environment is no address of a server"  # and may hold a password
            raise RemoteError(what, "write https://HOST or http://HOST:PORT, or unset it")


def _is_server(text: str) -> bool:
    try:
        return _SERVER.fullmatch(text) is not None and bool(split_url(text).hostname)
    except ValueError:
        return False


def no_bucket(place: Location) -> RemoteError:
    """That a store has no bucket or container of the name."""
    bucket = f"{place.scheme}://{place.host}"
    return RemoteError(f"there is no {STORES[place.scheme]} {bucket}", "check its spelling")


def not_opened(place: Location, error: Exception) -> RemoteError:
    """What the library says against the settings of a store, before it has asked anybody."""
    words = str(error)
    if "must be specified" in words:
        return _without_keys(place)
    what = f"{place} cannot be opened with the settings in your environment ({_first(words)})"
    return RemoteError(what, f"correct them, or {KEYS[place.scheme]}")


def is_denied(error: Exception) -> bool:
    """Whether a store was reached, and refuses for want of permission."""
    from obstore import exceptions

    kinds = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
    return isinstance(error, kinds) or _DENIED.search(str(error).partition("\n")[0]) is not None


def failure(place: Location, error: Exception) -> RemoteError:
    """What went wrong with a store, from the words of the library."""
    if isinstance(error, RemoteError):
        return error
    from obstore import exceptions

    words, bucket = str(error), f"{place.scheme}://{place.host}"
    first = words.partition("\n")[0]
    if "NoSuchBucket" in words or "ContainerNotFound" in words or "bucket does not exist" in words:
        return no_bucket(place)
    if "External AWS credential provider" in first:
        return not_opened(place, ValueError(first.partition("credential provider: ")[2]))
    if isinstance(error, FileNotFoundError):
        what, mend = f"{place} does not exist", "check its spelling"
    elif is_denied(error):
        what = f"{place} may not be used with your keys, or without any"
        mend = "ask its owner for permission, or use other keys"
    elif unproven := _UNPROVEN.search(words):
        what = f"{place}: the server cannot prove who it is ({unproven[1]})"
        mend = "use another address, or see to your certificates (SSL_CERT_FILE)"
    elif _WHOLE.search(first):
        what, mend = f"{place} is sent only as a whole, so that no break could be mended", "copy it to this machine"
    elif isinstance(error, exceptions.InvalidPathError):
        what = f"{place} is, or holds, a name that no path can have ({_first(words)})"
        mend = "use a narrower pattern, or rename it"
    elif _NO_KEYS.search(_URL.sub("", first)) or _KEYS_ASKED_FOR.search(first):
        return _without_keys(place)
    elif _EXPIRED.search(words):
        what = f"{place} cannot be used, as your keys for it have expired or are wrong"
        mend = "get new ones, and set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
    elif place.scheme == "s3" and _REGION.search(words):
        what, mend = f"{bucket} is in another region", "set AWS_REGION to its region"
    else:
        return _without_answer(place, words)
    return RemoteError(what, mend)


def _without_answer(place: Location, words: str) -> RemoteError:
    """What went wrong with a store that gave no answer, or none but a status."""
    status = re.search(r"status code: ([0-9]{3}[A-Za-z ]*)", words)
    if status:
        what, mend = f"{place} cannot be used (status {status[1].strip()})", "try again later"
        if status[1].startswith("400"):  # which is all that S3 says of one file where keys have expired
            mend = "see whether your keys have expired, and your other settings"
        elif _NO_STORE.match(status[1]):
            mend = "see to the address of the store, and to your other settings"
        return RemoteError(what, mend)
    endpoint = next((name for name in ENDPOINTS[place.scheme] if os.environ.get(name)), "your settings")
    reason = deepest[1].lower() if (deepest := _DEEPEST.search(words)) else _first(words)
    return RemoteError(f"{place} cannot be reached ({reason})", f"check the network, and {endpoint}")


def _without_keys(place: Location) -> RemoteError:
    return RemoteError(f"{place} cannot be used, as no keys for it were found", KEYS[place.scheme])


def _first(words: str) -> str:
    """The last clause of what the library says first, which holds its reason."""
    last = words.partition("\n")[0].rpartition(" - ")[2]
    return re.sub(r"^Generic \w+ error: ", "", last)[:160].rstrip(". ")

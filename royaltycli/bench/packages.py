"""The texts that the benchmark's corpora are made of: the Python code of pinned packages, or the documentation in it.

The standard library is one of them. pip fetches the wheels, from whatever index it is set up with, and checks their
SHA-256; they are unpacked, never run.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.resources
import platform
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from royaltycli.errors import RemoteError
from royaltycli.storage import make_folder, write_whole

Kind = Literal["code", "documentation"]
"""What is read of each Python file: the code as it stands, or what its docstrings say."""

SHORTEST, LONGEST = 400, 60_000
"""Characters of a document."""

STDLIB = "stdlib"
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_24_x86_64", "manylinux_2_17_x86_64")
"""Where wheels differ from machine to machine, those for these platforms are pinned, wherever they are unpacked."""

LEFT_OUT = ("site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3", "__pycache__")
"""Folders of the standard library that are passed over."""


@dataclass(frozen=True, slots=True)
class Package:
    """A pinned release: the id of its source, its version, and the one wheel that it is."""

    id: str
    version: str
    wheel: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Document:
    """One text of a source; `name` is its place in the wheel."""

    source: str
    name: str
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def pinned() -> tuple[list[Package], list[Package]]:
    """The packages of the corpus, and those that are unknown to it."""
    said = tomllib.loads((importlib.resources.files("royaltycli.bench") / "sources.toml").read_text(encoding="utf-8"))
    known, unknown = ([Package(**package) for package in said[kind]] for kind in ("source", "unknown"))
    return known, unknown


def fetch(packages: Iterable[Package], wheels: Path) -> int:
    """Let pip fetch the wheels that are not in the folder yet, or are damaged; how many those were.

    Raises RemoteError if it cannot, and OutputError.
    """
    missing = [package for package in packages if not _is_whole(wheels / package.wheel, package.sha256)]
    if not missing:
        return 0
    make_folder(wheels)
    with tempfile.TemporaryDirectory(prefix="royalty-") as passing:
        wanted = Path(passing, "requirements.txt")
        lines = "".join(f"{one.id}=={one.version} --hash=sha256:{one.sha256}\n" for one in missing)
        write_whole(wanted, lambda file: file.write(lines.encode("ascii")), is_result=False)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
        command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(wheels)]
        command += ["--python-version", "3.11", "--implementation", "cp"]
        command += ["--abi", "cp311", "--abi", "abi3", "--abi", "none"]
        command += [word for name in PLATFORMS for word in ("--platform", name)]
        done = subprocess.run(  # noqa: S603 -- of this very Python, with words of our own
            [*command, "--requirement", str(wanted)], capture_output=True, text=True, check=False
        )
    for package in missing:
        if not _is_whole(wheels / package.wheel, package.sha256):
            raise RemoteError(
                f"pip did not fetch {package.wheel} ({_reason(done.stderr)})",
                f"look at the network and pip's settings, or put that file into {wheels}",
            )
    return len(missing)


def _reason(said: str) -> str:
    """The last error that pip names; or else the last line, as where Python has no pip."""
    errors = [line.partition("ERROR:")[2] for line in said.splitlines() if "ERROR:" in line]
    return (errors or said.strip().splitlines() or ["without a reason"])[-1].strip()


def _is_whole(path: Path, sha256: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def documents_of(package: Package, wheels: Path, kind: Kind) -> Iterator[Document]:
    """The Python files of a package, but for other packages that it carries along."""
    with zipfile.ZipFile(wheels / package.wheel) as wheel:
        for name in sorted(wheel.namelist()):
            if name.endswith(".py") and "/_vendor/" not in name:
                yield from _document(package.id, name, wheel.read(name), kind)


def standard_library(kind: Kind) -> Iterator[Document]:
    """The modules of the Python that runs this, but for its tests."""
    top = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(top.rglob("*.py")):
        name = path.relative_to(top)
        if not set(name.parts) & set(LEFT_OUT):
            yield from _document(STDLIB, name.as_posix(), path.read_bytes(), kind)


def python_version() -> str:
    """The version of Python that the standard library is of."""
    return platform.python_version()


def _document(source: str, name: str, data: bytes, kind: Kind) -> Iterator[Document]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return
    if kind == "documentation":
        text = docstrings(text)
    if SHORTEST <= len(text) <= LONGEST and "\0" not in text:
        yield Document(source, name, text)


def docstrings(code: str) -> str:
    """What the docstrings of a module, its classes and functions say, in their order; nothing if it is not Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that mean nothing
            nodes = list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError):
        return ""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    said = {
        node.body[0].lineno: ast.get_docstring(node) for node in nodes if isinstance(node, documented) and node.body
    }
    return "\n\n".join(text for _, text in sorted(said.items()) if text)


def digest_of(documents: Sequence[Document]) -> str:
    """SHA-256 over all documents, in their order."""
    said = "".join(f"{each.source}\n{each.name}\n{each.digest}\n" for each in documents)
    return hashlib.sha256(said.encode()).hexdigest()

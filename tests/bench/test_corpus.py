"""The benchmark's corpus: fetched, split, kept, and nothing held out that is in it."""

from __future__ import annotations

import dataclasses
import sys
import venv

import pytest

import royaltycli
from royaltycli.bench.corpus import Parts, check_apart, prepare, split
from royaltycli.bench.packages import Document, docstrings, documents_of, fetch, pinned, standard_library
from royaltycli.errors import AttributionError, OutputError, RemoteError
from tests.bench import wheels


@pytest.fixture
def packages(tmp_path):
    """Three packages and a fourth that is unknown, where pip would have put them."""
    place = tmp_path / "bench" / "wheels"
    return [wheels.make(place, name) for name in ("ants", "bees", "cats")], [wheels.make(place, "dogs")]


def test_a_corpus_is_built_split_and_read_as_any_other(tmp_path, packages):
    prepared = prepare(tmp_path / "bench", print, packages=packages)
    parts = prepared.parts
    assert {each.source for each in parts.known} == {each.source for each in parts.held_out} == {"ants", "bees", "cats"}
    assert {each.source for each in parts.unknown} == {"dogs"}
    assert len(parts.known) + len(parts.held_out) == 3 * wheels.FILES
    assert not {each.digest for each in parts.known} & {each.digest for each in parts.held_out}
    table = royaltycli.scan(prepared.manifest, workers=1)
    assert table["source_id"].to_pylist() == ["ants", "bees", "cats"]
    assert sum(table["documents"].to_pylist()) == len(parts.known)


def test_a_corpus_that_is_there_and_whole_is_not_built_again(tmp_path, packages):
    first = prepare(tmp_path / "bench", print, packages=packages)
    words = []
    assert prepare(tmp_path / "bench", words.append, packages=packages) == first
    assert words == []


@pytest.mark.parametrize("name", ["corpus/ants.jsonl", "held-out.jsonl", "corpus/tokenizer.json"])
def test_a_corpus_with_a_damaged_file_is_built_again(tmp_path, packages, name):
    first = prepare(tmp_path / "bench", print, packages=packages)
    file = tmp_path / "bench" / "code" / name
    file.write_bytes(file.read_bytes()[:-1])
    words = []
    assert prepare(tmp_path / "bench", words.append, packages=packages) == first
    assert words == ["fetching packages", "building the corpus"]


def test_wheels_that_lead_nowhere_are_an_error_that_names_them(tmp_path, packages):
    (tmp_path / "wheels").symlink_to(tmp_path / "gone" / "wheels")
    with pytest.raises(OutputError, match=r"the folder .+/wheels cannot be made \(file exists\); name another$"):
        prepare(tmp_path, print, packages=packages)


def test_pip_fetches_what_is_missing_or_damaged_and_nothing_else(tmp_path, monkeypatch):
    packages = [wheels.make(tmp_path / "index", name) for name in ("ants", "bees")]
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    place = tmp_path / "wheels"
    assert fetch(packages, place) == 2
    (place / packages[1].wheel).write_bytes(b"half of it")
    assert fetch(packages, place) == 1
    assert fetch(packages, place) == 0
    assert (place / packages[1].wheel).read_bytes() == (tmp_path / "index" / packages[1].wheel).read_bytes()


def test_a_package_that_pip_does_not_find_or_that_is_another_is_an_error(tmp_path, monkeypatch):
    package = wheels.make(tmp_path / "index", "ants")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    other = dataclasses.replace(package, sha256="0" * 64)
    with pytest.raises(
        RemoteError, match=r"pip did not fetch ants-1\.0-py3-none-any\.whl \(.+\); look at the network and"
    ):
        fetch([other], tmp_path / "wheels")
    with pytest.raises(RemoteError, match=r"or put that file into .*wheels"):
        fetch([dataclasses.replace(package, id="emus", wheel="emus-1.0-py3-none-any.whl")], tmp_path / "wheels")


def test_a_python_without_pip_is_said_to_be_one(tmp_path, monkeypatch):
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    with pytest.raises(RemoteError, match=r"pip did not fetch ants-1\.0-py3-none-any\.whl \(.*: No module named pip\)"):
        fetch([wheels.make(tmp_path / "index", "ants")], tmp_path / "wheels")


def test_a_copy_that_is_held_out_is_caught():
    known = [Document("ants", f"{at}.py", wheels.text("ants", at)) for at in range(4)]
    fresh = Document("ants", "5.py", wheels.text("ants", 5))
    check_apart(Parts(known, [fresh], []))
    leaked = Document("ants", "again.py", known[2].text.replace("= ", "=  ", 3))
    with pytest.raises(AttributionError, match=r"ants: again\.py is held out but a copy of it is in the corpus"):
        check_apart(Parts(known, [fresh, leaked], []))
    with pytest.raises(
        AttributionError, match=r"and so are 0 others; remove the folder of the benchmark, and run it again"
    ):
        check_apart(Parts(known, [fresh], [Document("dogs", "a.py", known[0].text)]))


def test_of_copies_one_is_taken_whoever_has_it():
    ants = [Document("ants", f"{at}.py", wheels.text("ants", at)) for at in range(10)]
    bees = [Document("bees", f"{at}.py", wheels.text("bees", at)) for at in range(10)]
    thief = [Document("bees", f"taken{at}.py", each.text + "# bees\n") for at, each in enumerate(ants)]
    dogs = [Document("dogs", "0.py", bees[0].text + "# dogs\n"), Document("dogs", "1.py", wheels.text("dogs", 1))]
    parts = split([ants, bees + thief], [dogs])
    check_apart(parts)
    taken = [*parts.known, *parts.held_out]
    assert sum(each.source == "ants" or each.name.startswith("taken") for each in taken) == 10
    assert [each.name for each in parts.unknown] == ["1.py"]


def test_the_pinned_packages_are_many_and_none_is_known_and_unknown():
    known, unknown = pinned()
    ids = [package.id for package in known + unknown]
    assert len(known) >= 20
    assert len(unknown) >= 10
    assert len(set(ids)) == len(ids)
    assert all(len(package.sha256) == 64 and package.version in package.wheel for package in known + unknown)


def test_the_standard_library_is_without_its_tests():
    names = [document.name for document in standard_library("code")]
    assert {"queue.py", "json/decoder.py"} <= set(names)
    assert [name for name in names if "/test/" in f"/{name}" or "site-packages" in name] == []


def test_what_a_package_carries_along_of_others_is_left_out(tmp_path):
    package = wheels.make(
        tmp_path, "ants", **{"ants/_vendor/bees.py": wheels.text("bees", 0), "ants/latin.py": b"\xe9" * 500}
    )
    assert [each.name for each in documents_of(package, tmp_path, "code")] == [
        f"ants/part{at}.py" for at in range(wheels.FILES)
    ]


CODE = '''#!/usr/bin/env python
"""Of ants.

    They walk in rows.
"""

class Ant:
    """An ant,
       with six legs."""

    async def walk(self):
        """Go on."""
        "no docstring"

    def stop(self):
        return "no docstring either"
'''


def test_documentation_is_what_docstrings_say_in_their_order():
    assert docstrings(CODE) == "Of ants.\n\nThey walk in rows.\n\nAn ant,\nwith six legs.\n\nGo on."
    assert docstrings("") == docstrings("print 'Python 2'") == docstrings("x = 1\n") == ""


def test_a_corpus_of_documentation_stands_beside_that_of_code(tmp_path):
    """Of the same wheels, and neither is built again for the other."""
    top = tmp_path / "bench"
    said = {f"ants/said{at}.py": f'"""{wheels.text("ants", 50 + at)}"""\n' for at in range(5)}
    packages = [wheels.make(top / "wheels", "ants", **said)], []
    code = prepare(top, print, packages=packages)
    documentation = prepare(top, print, "documentation", packages)
    assert {each.text for each in [*documentation.parts.known, *documentation.parts.held_out]} == {
        wheels.text("ants", 50 + at).strip() for at in range(5)
    }
    assert prepare(top, pytest.fail, packages=packages) == code
    assert prepare(top, pytest.fail, "documentation", packages) == documentation

"""What the pages say of the code, of each other and of the licence is so."""

from __future__ import annotations

import hashlib
import inspect
import json
import re

import pytest

import royaltycli
from royaltycli import limits
from royaltycli.tokens.encodings import PUBLIC
from tests.docs.pages import PAGES, ROOT
from tests.docs.tables import code, rows_under

OTHERS = [ROOT / name for name in ("NOTICE.md", "CHANGELOG.md", "sample_corpora/README.md")]


def text(name):
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not link.startswith("https://") and not (page.parent / link).exists()] == []


def test_the_index_has_every_page():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in PAGES if path.parent.name == "docs" and path.name not in index] == ["README.md"]


def test_the_targets_named_are_those_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {
        target
        for page in PAGES
        for target in re.findall(r"(?:`|^    )make (\w+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {"demo", "test", "help"} <= targets
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_the_python_page_has_every_function_with_its_arguments():
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    assert sorted(sections) == sorted(royaltycli.__all__)
    for name in set(sections) - {"RoyaltyError"}:
        assert f"`{name}({arguments(getattr(royaltycli, name))})`" in " ".join(sections[name].split())


def arguments(function):
    """As a call would be written: without types."""
    parts, starred = [], False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts, starred = [*parts, "*"], True
        default = "" if parameter.default is parameter.empty else "=" + json.dumps(parameter.default)
        parts.append(parameter.name + default.replace("null", "None").replace("false", "False"))
    return ", ".join(parts)


def test_what_a_page_imports_is_defined_there():
    """It is not run: the attribution network needs more than is always installed."""
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    imported = re.findall(r"^from (royaltycli[.\w]*) import (.+)$", pages, re.MULTILINE)
    assert imported != []
    for module, names in imported:
        source = ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")
        defined = re.findall(r"^(?:def |class )?(\w+)", source, re.MULTILINE)
        assert set(names.split(", ")) - set(defined) == set()


def test_the_rules_are_numbered_without_gaps():
    page = (ROOT / "docs" / "spec-counting.md").read_text(encoding="utf-8")
    for letter in "DNC":
        numbers = re.findall(rf"^- \*\*{letter}(\d+)\*\*", page, re.MULTILINE)
        assert numbers == [str(number) for number in range(1, len(numbers) + 1)] != []


def test_every_rule_that_a_test_or_the_code_cites_exists():
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    rules = set(re.findall(r"^- \*\*([A-Z]\d+)\*\*", pages, re.MULTILINE))
    files = [path for folder in ("tests", "royaltycli") for path in (ROOT / folder).rglob("*.py")]
    cited = {rule for path in files for rule in re.findall(r"[Rr]ules? ([A-Z]\d+)\b", path.read_text(encoding="utf-8"))}
    assert {"C1", "D1", "A1"} <= cited
    assert cited - rules == set()


def test_the_limits_in_the_rules_are_those_of_the_code():
    page = text("docs/spec-counting.md")
    assert f"after {limits.CACHE_TEXT // limits.MiB} MiB of text" in page
    assert f"grown by {limits.CACHE_BYTES // limits.MiB} MiB" in page
    assert f"unpack to {limits.EXPANSION_FREE // limits.MiB} MiB and {limits.EXPANSION} times its size" in page
    assert f"longer than {limits.NAME_LENGTH:,} characters" in page
    assert f"{limits.WHITESPACE_RUN:,} whitespace characters" in page
    assert f"{limits.HTML_DEPTH:,} elements open" in page
    assert f"{limits.HTML_COPIES:,} times" in page
    assert f"{limits.HTML_COMPARISONS:,} comparisons" in page
    assert f"under {limits.HTML_SMALL // limits.KiB} KiB with at most {limits.HTML_TAGS:,} tags" in page
    assert "2^31 − 1 bytes" in page
    assert limits.DOCUMENT_BYTES == 2**31 - 1
    assert f"at most {limits.ID_BYTES} bytes" in text("docs/manifest.md")
    errors = text("docs/errors.md")
    assert f"more than {limits.NUMBER_DIGITS} digits" in errors
    assert (
        f"above {limits.MANIFEST_BYTES // limits.MiB} MiB, a list above {limits.LIST_BYTES // limits.GiB} GiB" in errors
    )


def test_the_notice_has_the_digests_of_what_is_shipped():
    page = (ROOT / "NOTICE.md").read_text(encoding="utf-8")
    folder = ROOT / "royaltycli" / "tokens" / "vocabularies"
    stated = [
        (code(row[0])[0], int(row[1].replace(",", "")), code(row[2])[0]) for row in rows_under(page, "## Vocabularies")
    ]
    shipped = [(path.name, path.read_bytes()) for path in map(folder.joinpath, (f"{name}.tiktoken" for name in PUBLIC))]
    assert stated == [(name, len(data.splitlines()), hashlib.sha256(data).hexdigest()) for name, data in shipped]


def test_the_licence_is_that_of_the_package():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'license = "MIT"' in project
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert licence.startswith("MIT License\n\nCopyright (c) 2026 The royalty authors\n")


def test_the_changelog_has_the_version_of_the_package():
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert f"\n## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

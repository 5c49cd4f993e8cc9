"""The layout of the package as rules over the source, each with a planted violation that it must catch."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import royaltycli

PACKAGE = Path(royaltycli.__file__).parent
SOURCES = {str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}

LAYERS = (
    "errors", "limits", "arrays", "numerals", "notes", "progress", "parallel", "remote", "storage", "workspace", "manifest", "corpus", "tokens", "payout", "mixtures",
    "policies", "ledger", "attribution", "report", "arguments", "scanning", "estimating", "distributing", "accounting",
    "networks", "attributing", "api", "bench", "cli", "__init__", "__main__",
)  # fmt: skip
"""From the bottom up. A module imports from its own layer and those before it."""

FORBIDDEN = {"payout": ("storage", "workspace", "manifest", "corpus", "tokens")}
"""What a layer must not import although it lies below: payout is pure and knows no files."""

HEAVY = (
    "pyarrow",
    "numpy",
    "tiktoken",
    "gigatoken",
    "awkward",
    "regex",
    "wcmatch",
    "tokenizers",
    "selectolax",
    "psutil",
    "publicsuffixlist",
    "idna",
    "fastwarc",
    "urllib3",
    "obstore",
    "boto3",
    "huggingface_hub",
    "torch",
    "transformers",
    "safetensors",
    "sklearn",
)

NETWORK = ("urllib3", "obstore", "boto3", "huggingface_hub")
"""What a scan of files on this machine has no use for."""

LINES, FUNCTION_LINES = 400, 60

FLOATS_ALLOWED = ("payout/quotas.py",)
"""Where floats may stand in payout: they only estimate a floor there, whose remainder is computed in integers."""


parsed = functools.cache(ast.parse)


def layer(name):
    """The layer of a file of the package."""
    return Path(name).parts[0].removesuffix(".py")


def imports(source):
    """Every module that a source imports, wherever it does so."""
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            if module == "royaltycli":
                yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield module, node.lineno


def upward_imports(name, source):
    here, found = layer(name), []
    for module, line in imports(source):
        parts = module.split(".")
        if parts[0] == "":
            found.append(f"{name}:{line} imports relatively")
        elif parts[0] == "royaltycli":
            other = parts[1] if len(parts) > 1 else "__init__"
            if LAYERS.index(other) > LAYERS.index(here) or other in FORBIDDEN.get(here, ()):
                found.append(f"{name}:{line} imports {other}")
    return found


def rich_imports(name, source):
    if name.startswith("cli/console/"):
        return []
    return [f"{name}:{line} imports {module}" for module, line in imports(source) if module.split(".")[0] == "rich"]


def learning_imports(name, source):
    """Imports of the packages of the extra `network` elsewhere than where they are asked for."""
    if name.startswith("attribution/network/") or name == "bench/language.py":
        return []
    learning = ("torch", "transformers", "safetensors")
    return [f"{name}:{line} imports {module}" for module, line in imports(source) if module.split(".")[0] in learning]


def writes(name, source):
    """Calls that write a file by other means than storage."""
    if name == "storage.py":
        return []
    found = []
    for node in ast.walk(parsed(source)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        method = isinstance(node.func, ast.Attribute)
        modes = [argument.value for argument in node.args[not method :] if isinstance(argument, ast.Constant)]
        modes += [
            word.value.value for word in node.keywords if word.arg == "mode" and isinstance(word.value, ast.Constant)
        ]
        opened = called == "open" and any(isinstance(mode, str) and set(mode) & set("wax+") for mode in modes)
        if opened or (method and called in ("write_text", "write_bytes", "touch", "write_table")):
            found.append(f"{name}:{node.lineno} writes by {called}")
    return found


def floats(name, source):
    """Binary floats in payout: literals, conversions and numpy's types."""
    if layer(name) != "payout" or name in FLOATS_ALLOWED:
        return []
    found = []
    for node in ast.walk(parsed(source)):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        named = isinstance(node, ast.Name) and node.id == "float" and isinstance(node.ctx, ast.Load)
        typed = isinstance(node, ast.Attribute) and node.attr.startswith(("float", "double"))
        if literal or named or typed:
            found.append(f"{name}:{node.lineno} has a float")
    return found


def undocumented(name, source):
    """The module, and its public classes, functions and methods, that have no docstring."""
    tree = parsed(source)
    found = [] if ast.get_docstring(tree) else [f"{name} has no docstring"]
    nodes = list(tree.body)
    for node in nodes:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node):
                found.append(f"{name}:{node.lineno} {node.name} has no docstring")
            if isinstance(node, ast.ClassDef):
                nodes.extend(node.body)
    return found


def too_long(name, source):
    lines = len(source.splitlines())
    found = [f"{name} has {lines} lines"] if lines > LINES else []
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.FunctionDef):
            lines = node.end_lineno - node.body[0].lineno + 1  # a command's signature is a list of its options
            if lines > FUNCTION_LINES:
                found.append(f"{name}:{node.lineno} {node.name} has {lines} lines")
    return found


RULES = [upward_imports, rich_imports, learning_imports, writes, floats, undocumented, too_long]


@pytest.mark.parametrize("rule", RULES)
def test_the_package_keeps_the_rule(rule):
    assert [violation for name, source in SOURCES.items() for violation in rule(name, source)] == []


@pytest.mark.parametrize(
    ("rule", "name", "source", "expected"),
    [
        (upward_imports, "errors.py", "import royaltycli.limits", "imports limits"),
        (upward_imports, "storage.py", "from royaltycli.tokens.table import SCHEMA", "imports tokens"),
        (upward_imports, "corpus/a.py", "def f():\n    from royaltycli import api", "imports api"),
        (upward_imports, "corpus/a.py", "if TYPE_CHECKING:\n    import royaltycli.cli.scan", "imports cli"),
        (upward_imports, "payout/a.py", "from royaltycli.tokens import table", "imports tokens"),
        (upward_imports, "payout/a.py", "from royaltycli.storage import write_text", "imports storage"),
        (upward_imports, "payout/a.py", "from royaltycli.report.csv import write_csv", "imports report"),
        (upward_imports, "report/a.py", "import royaltycli", "imports __init__"),
        (upward_imports, "manifest/a.py", "from .model import Corpus", "imports relatively"),
        (rich_imports, "cli/scan.py", "from rich.console import Console", "imports rich.console"),
        (rich_imports, "report/a.py", "import rich", "imports rich"),
        (learning_imports, "attribution/index.py", "def f():\n    import torch.nn", "imports torch.nn"),
        (writes, "report/csv.py", "open(path, 'w')", "writes by open"),
        (writes, "report/csv.py", "open(path, mode='r+b')", "writes by open"),
        (writes, "report/csv.py", "path.open('xb')", "writes by open"),
        (writes, "report/csv.py", "io.open(path, 'a')", "writes by open"),
        (writes, "report/csv.py", "Path(path).write_bytes(data)", "writes by write_bytes"),
        (writes, "report/csv.py", "path.write_text(text)", "writes by write_text"),
        (writes, "report/csv.py", "pq.write_table(table, path)", "writes by write_table"),
        (floats, "payout/a.py", "x = 0.5", "has a float"),
        (floats, "payout/a.py", "x = float(y)", "has a float"),
        (floats, "payout/a.py", "x = y.astype(np.float64)", "has a float"),
        (floats, "payout/a.py", "x = list(map(float, y))", "has a float"),
        (undocumented, "a.py", "'''A module.'''\ndef public(): pass", "public has no docstring"),
        (
            undocumented,
            "a.py",
            "'''A.'''\nclass Public:\n    '''It.'''\n    def do(self): pass",
            "do has no docstring",
        ),
        (undocumented, "a.py", "x = 1", "has no docstring"),
        (too_long, "a.py", "x = 1\n" * 401, "has 401 lines"),
        (too_long, "a.py", "class A:\n    def f():\n" + "        x = 1\n" * 61, "f has 61 lines"),
    ],
)
def test_a_planted_violation_is_caught(rule, name, source, expected):
    (violation,) = rule(name, source)
    assert violation.startswith(name)
    assert violation.endswith(expected)


@pytest.mark.parametrize(
    ("rule", "name", "source"),
    [
        (upward_imports, "mixtures/__init__.py", "from royaltycli.payout.estimate import Part"),
        (upward_imports, "cli/a.py", "from royaltycli import api\nimport pyarrow"),
        (writes, "report/csv.py", "path.open('rb')\nopen(path)\nwrite_text(path, text)"),
        (floats, "payout/a.py", "x = 1 / Fraction(1, 3)\ny = np.int64"),
        (floats, "tokens/a.py", "x = 0.5"),
        (undocumented, "a.py", "'''A module.'''\ndef _private(): pass\nclass _Private:\n    def public(self): pass"),
    ],
)
def test_what_is_allowed_is_no_violation(rule, name, source):
    assert rule(name, source) == []


def test_every_layer_is_on_the_map_for_who_contributes():
    page = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    files = [f"`{name}/`" if (PACKAGE / name).is_dir() else f"`{name}.py`" for name in LAYERS if name[0] != "_"]
    assert [file for file in files if file not in page] == []


@pytest.mark.parametrize("arguments", [["--help"], ["scan", "--help"], ["payout", "--help"], ["--version"]])
def test_nothing_heavy_is_imported_before_it_is_needed(arguments):
    assert heavy_after(f"from royaltycli.cli import app; app({arguments!r})") == []


def test_the_package_itself_imports_nothing_heavy():
    assert heavy_after("import royaltycli") == []


def test_a_heavy_import_would_be_noticed():
    assert heavy_after("import royaltycli; royaltycli.scan; import numpy") == ["numpy"]


def test_a_local_scan_imports_nothing_of_the_network(folder):
    place = folder({"corpus.toml": '[[source]]\nid = "a"\npath = "a.txt"\n', "a.txt": "One day."})
    scan = f"import royaltycli; royaltycli.scan({str(place)!r}, workers=1)"
    assert [name for name in heavy_after(scan) if name in NETWORK] == []


def test_every_file_of_the_package_is_installed_with_it():
    """Where nothing is copied, as in an environment for tests, one that is forgotten is there all the same."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    named = project["tool"]["setuptools"]["package-data"]["royaltycli"]
    installed = {path for pattern in named for path in PACKAGE.glob(pattern)}
    files = {path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert sorted(files - installed) == []
    assert len(files) > 20


@pytest.mark.skipif(not Path(PACKAGE.parent, ".git").exists(), reason="this is no checkout")
@pytest.mark.parametrize(
    "file", ["royaltycli/tokens/vocabularies/o200k_base.tiktoken", "sample_corpora/tricky/crlf.txt", "README.md"]
)
def test_git_changes_no_line_ends(file):
    """As it does for Windows, where the digest of a vocabulary was then another, and so were the counts of the samples."""
    asked = ["git", "-C", str(PACKAGE.parent), "check-attr", "text", "--", file]
    assert (PACKAGE.parent / file).exists()
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == f"{file}: text: unset\n"


def heavy_after(code):
    """The heavy modules that are there when some code has run."""
    script = f"""
import atexit, sys
atexit.register(lambda: print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr))
{code}
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=True)
    return ast.literal_eval(done.stderr)

"""Rule "Bad input": one golden message each, exit status 2, no traceback, and nothing written.

The golden files in `errors/` hold what the user has, what is typed, and all that is then said; `golden`
reads them. What cannot stand in a file (full disks, permissions, damage at every place) follows here.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import random
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

import royaltycli
from royaltycli import storage
from royaltycli.cli import app, ending_well
from royaltycli.errors import OutputError
from royaltycli.manifest import starter
from tests.cli import golden

FILES = sorted(path.name for path in golden.FOLDER.glob("*.txt") if path.name != "elsewhere.txt")
CASES = {f"{file.removesuffix('.txt')}: {case.title}": case for file in FILES for case in golden.cases(file)}
DAMAGED = "error: tokens.parquet is damaged, or was not written by royalty; run `royalty scan` again\n"
PAYOUT = "payout --profit 500e6 --rate 0.2"
FULL = Path("/dev/full")


def typed(command):
    """A command, run in this process: exit status, standard output, standard error."""
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, shlex.split(command))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def called(expression):
    """The same of a call in Python, as if a program that makes it said what its error is."""
    try:
        eval(expression, {"royaltycli": royaltycli, "tokens": golden.small_table()})
    except royaltycli.RoyaltyError as error:
        return error.exit_status, "", f"error: {error}\n"
    return 0, "", ""


def program(command, folder, before="", **options):
    """The same of the real program, which first runs some lines of Python."""
    start = f"import sys, os\n{textwrap.dedent(before)}\nfrom royaltycli.cli import main\nmain()"
    line = [sys.executable, "-c", start, *shlex.split(command)]
    options = {"capture_output": True, **options}
    done = subprocess.run(line, cwd=folder, text=True, timeout=300, check=False, **options)
    return done.returncode, done.stdout, done.stderr


def check(case, folder, run):
    """Whether all is as the golden file says, and the folder holds what it held."""
    golden.prepare(case, folder)
    before = golden.snapshot(folder)
    status, output, said = run(case.command)
    said = re.sub("[0-9a-f]{64}", "DIGEST", said.replace(str(folder), "FOLDER"))
    pattern = re.escape(case.message).replace(r"\(…\)", r"\([^\n]+\)")
    assert said == case.message or re.fullmatch(pattern, said)
    assert (status, output) == (2, "")
    assert golden.snapshot(folder) == before


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_bad_input(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check(case, tmp_path, called if case.is_call else typed)


@pytest.mark.parametrize(
    "name",
    [
        "manifest: everything at once, in the order of the lines",
        "paths: a link to a device",
        "documents: a gzip bomb",
        "tokens: a table with a flipped bit",
        "calls: a profit that is no number",
        "outputs: into a pipe",
    ],
)
def test_the_real_program_says_the_same(name, tmp_path):
    check(CASES[name], tmp_path, lambda command: program(command, tmp_path))


@pytest.mark.parametrize("name", CASES)
def test_every_message_has_the_same_form(name):
    for line in CASES[name].message.splitlines():
        assert line.startswith("error: ")
        assert not line.endswith((".", " "))


def test_a_wrong_message_status_or_file_would_be_noticed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loss = CASES["calls: a loss"]
    said = "error: profit is -1, but must not be negative\n"

    def litter(status):
        (tmp_path / ".payout.csv.partial").touch()
        return status, "", said

    for run in (lambda _: (2, "", said + "Traceback"), lambda _: (1, "", said), lambda _: litter(2)):
        with pytest.raises(AssertionError):
            check(loss, tmp_path, run)


POLICY = 'name a policy, such as a file of the lines [basis], seen_tokens = "50%" and usage = "50%"'


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("payout --rate 0.2", "Missing option '--profit'"),
        ("shars", "No such command 'shars'. Did you mean 'shares'?"),
        ("scan --workers many", "Invalid value for '--workers'"),
        ("shares --by author", "'author' is none of source, holder, license, collection"),
        ("payout --by holderr", "'holderr' is none of source, holder, split; did you mean holder?"),
        ('shares --by "\'"', '"\'" is none of source, holder'),
        ("shares --top x", "Invalid value for '--top': it must be a whole number"),
        ("scan --fast", "No such option: --fast"),
        ("payout --tokens q1.parquet", "No such option: --tokens; name the token table without it, as TOKENS"),
        ("close 2026 --blend 0.5", f"No such option: --blend; {POLICY}"),
        ("compare token-share --basis usage", f"No such option: --basis; {POLICY}"),
        ("shares --basis usage", "No such option: --basis ╰"),
        ("shares -t q1.parquet", "No such option: -t; name the token table without it, as TOKENS"),
        ("estimate -t 130k --profit 1", "No such option: -t ╰"),
        ("close 2026 --profit 1 -l ''", "Invalid value for '--ledger' / '-l': it is empty; write what you mean"),
        ("statement --all 2026 --output=", "Invalid value for '--output' / '-o': it is empty; write what you mean"),
        ("init ''", "Invalid value for 'FOLDER': it is empty; write what you mean, or leave it out"),
        ("settle 2026 ann '' --paid", "Invalid value for 'HOLDER': it is empty; write what you mean"),
    ],
)
def test_a_call_that_is_none(command, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, output, said = typed(command)
    assert (status, output) == (2, "")
    assert expected in " ".join(said.replace("│", " ").split())


# -- damaged tables ------------------------------------------------------------------------------


def test_a_table_with_any_bit_flipped_or_cut_anywhere_is_refused(tmp_path, monkeypatch, long_form):
    """A sample through the command line; test_storage.py flips them all."""
    monkeypatch.chdir(tmp_path)
    table = tmp_path / "tokens.parquet"
    golden.make_tokens(table)
    good = table.read_bytes()
    chance = random.Random(2)
    for _ in range(400 if long_form else 40):
        at, length = chance.randrange(8 * len(good)), chance.randrange(len(good))
        flipped = bytearray(good)
        flipped[at // 8] ^= 1 << at % 8
        for data in (flipped, good[:length]):
            table.write_bytes(data)
            assert typed(PAYOUT) == (2, "", DAMAGED)
    table.write_bytes(good)
    assert typed(PAYOUT)[0] == 0


# -- disks that are full, and what may not be read or written ------------------------------------


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("form", ["payout -f csv", "payout -f table", "payout -f parquet", "shares -f json", "scan"])
def test_standard_output_on_a_full_disk(tmp_path, form):
    golden.make_tokens(tmp_path / "tokens.parquet")
    golden.make_corpus(tmp_path / "corpus.toml")
    with FULL.open("wb") as full:
        options = {"capture_output": False, "stdout": full, "stderr": subprocess.PIPE}
        status, _, said = program(form.replace("payout", PAYOUT), tmp_path, **options)
    end = "; tokens.parquet was written\n" if form == "scan" else "\n"
    assert (status, said) == (2, f"error: the output cannot be written (no space left on device){end}")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    ("command", "before"),
    [
        ("scan -o new.parquet", "new.parquet was written"),
        ("close 2026 --profit 1 --rate 1", "the ledger ledger has been written"),
    ],
)
def test_what_was_written_before_standard_output_failed_is_said(tmp_path, command, before):
    golden.make_tokens(tmp_path / "tokens.parquet")
    golden.make_corpus(tmp_path / "corpus.toml")
    with FULL.open("wb") as full:
        options = {"capture_output": False, "stdout": full, "stderr": subprocess.PIPE}
        status, _, said = program(command, tmp_path, **options)
    end = f"error: the output cannot be written (no space left on device); {before}\n"
    assert (status, said.splitlines(keepends=True)[-1]) == (2, end)


def test_a_result_that_fails_after_another_says_what_was_written(tmp_path):
    def write_second():
        storage.write_text(tmp_path / "a.csv", "a")
        raise OutputError("b.csv cannot be written (no space left on device); what was there before is unchanged")

    with pytest.raises(SystemExit), contextlib.redirect_stderr(io.StringIO()) as said:
        ending_well(write_second)()
    assert said.getvalue().endswith(f"what was there before is unchanged; {tmp_path}/a.csv was written\n")
    with pytest.raises(SystemExit), contextlib.redirect_stderr(io.StringIO()) as said:
        ending_well(lambda: storage.check_place(tmp_path))()
    assert said.getvalue().endswith("is a folder; name a file in it\n")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", ["--help", "scan --help", "--version", "", "--show-completion"])
def test_what_typer_writes_on_a_full_disk(tmp_path, command):
    with FULL.open("wb") as full:
        options = {"capture_output": False, "stdout": full, "stderr": subprocess.PIPE}
        # However the tests were started, there is a shell around the program.
        before = "import shellingham\nshellingham.detect_shell = lambda: ('bash', '/bin/bash')"
        status, _, said = program(command, tmp_path, before, **options)
    assert (status, said) == (2, "error: the output cannot be written (no space left on device)\n")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("--help", 0),
        ("scan --quiet", 0),
        ("scan", 0),
        (PAYOUT, 0),
        (f"{PAYOUT} -o payout.csv", 0),
        ("shares nowhere.parquet", 2),
        ("scan nowhere", 2),
        ("scan --fast", 2),
    ],
)
def test_messages_on_a_full_disk_are_lost_but_the_status_is_not(tmp_path, command, status):
    golden.make_tokens(tmp_path / "tokens.parquet")
    golden.make_corpus(tmp_path / "corpus.toml")
    with FULL.open("wb") as full:
        options = {"capture_output": False, "stdout": subprocess.PIPE, "stderr": full}
        ended, output, _ = program(command, tmp_path, **options)
    assert ended == status
    if command == PAYOUT:
        assert output.count("\n") == 3
    assert (tmp_path / "payout.csv").exists() == ("payout.csv" in command)


@pytest.mark.parametrize(
    ("number", "name", "said"),
    [
        ("EMFILE", None, "too many files are open; allow more (`ulimit -n`)"),
        ("ENFILE", "book.txt", "too many files are open; allow more (`ulimit -n`)"),
        ("EACCES", "module.py", "module.py cannot be opened (permission denied)"),
        ("ENOSPC", None, "the output cannot be written (no space left on device)"),
    ],
)
def test_an_error_of_the_system_that_nobody_has_named(tmp_path, number, name, said):
    """Only what comes of no file can be of standard output."""
    before = f"""
        import errno
        from royaltycli import api
        def fail(*_, **__): raise OSError(errno.{number}, os.strerror(errno.{number}), {name!r})
        api.check = fail
    """
    assert program("check", tmp_path, before) == (2, "", f"error: {said}\n")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "error: out of memory; use a machine with more\n"),
        (OSError(errno.EMFILE, "too many"), "error: too many files are open; allow more (`ulimit -n`)\n"),
    ],
)
def test_only_a_command_that_has_workers_is_told_to_use_fewer(error, said, capsys):
    def alone():
        raise error

    def shared(workers):  # noqa: ARG001 -- its name is what counts
        raise error

    for command, args in ((alone, ()), (shared, (2,))):
        with pytest.raises(SystemExit, match="2"):
            ending_well(command)(*args)
    assert capsys.readouterr().err == said + said.replace("; ", "; use fewer `--workers`, or ")


@pytest.mark.parametrize("name", ["payout.csv", "payout.json", "payout.jsonl", "payout.md", "payout.parquet"])
def test_a_result_that_the_disk_has_no_room_for(tmp_path, name):
    golden.make_tokens(tmp_path / "tokens.parquet")
    (tmp_path / name).write_bytes(b"last year's")
    before = golden.snapshot(tmp_path)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))"
    said = f"error: {name} cannot be written (file too large); what was there before is unchanged\n"
    assert program(f"{PAYOUT} -o {name}", tmp_path, limit) == (2, "", said)
    assert golden.snapshot(tmp_path) == before


def test_a_scan_that_the_disk_has_no_room_for(tmp_path):
    golden.make_corpus(tmp_path / "corpus.toml")
    (tmp_path / "tokens.parquet").write_bytes(b"last year's")
    before = golden.snapshot(tmp_path)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))"
    kept = tmp_path / ".tokens.parquet.shards"
    said = f"error: folder {kept} cannot be written (file too large); what was there before is unchanged\n"
    assert program("scan", tmp_path, limit) == (2, "", said)
    assert golden.snapshot(tmp_path) == before


def test_a_disk_that_is_really_full(tmp_path):
    disk, corpus = tmp_path / "disk", tmp_path / "corpus"
    disk.mkdir()
    corpus.mkdir()
    golden.make_corpus(corpus / "corpus.toml")
    script = f"""
        mount -t tmpfs -o size=8k tmpfs {disk} || exit 99
        echo "last year's" > {disk}/tokens.parquet
        head -c 4096 /dev/zero > {disk}/rest
        {sys.executable} -m royaltycli scan {corpus} -o {disk}/tokens.parquet
        echo $?; cat {disk}/tokens.parquet; ls -A {disk}
    """
    if shutil.which("unshare") is None:
        pytest.skip("no disk can be mounted here")
    line = ["unshare", "-m", "sh", "-c", script]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)
    if not done.stdout:
        pytest.skip("no disk can be mounted here")
    assert done.stdout.split("\n") == ["2", "last year's", "rest", "tokens.parquet", ""]
    where = f"folder {disk}/.tokens.parquet.shards cannot be written"
    assert done.stderr == f"error: {where} (no space left on device); what was there before is unchanged\n"


OBEY = """
    # Root reads and writes everything; without these two capabilities it minds the modes as others do.
    import ctypes, os, sys
    if os.getuid() == 0 and "obeying" not in os.environ:
        libc = ctypes.CDLL(None)
        assert libc.prctl(24, 1) == 0 and libc.prctl(24, 2) == 0  # PR_CAPBSET_DROP: DAC_OVERRIDE, DAC_READ_SEARCH
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, "obeying": "1"})
"""


MAY_NOT_WRITE = "cannot be written, as you may not write in its folder; name a file in another"
FORBIDDEN = [
    ("corpus.toml", 0, "scan", "corpus.toml: the manifest may not be read by you; give yourself permission to read it"),
    (
        "book.txt",
        0,
        "scan",
        "corpus.toml:1: source 'book': cannot read 'book.txt': no permission; give yourself permission to read it",
    ),
    ("old/tokens.parquet", 0, "shares old/tokens.parquet", "old/tokens.parquet cannot be read (permission denied)"),
    ("old", 0, "shares old/tokens.parquet", "old/tokens.parquet cannot be read (permission denied)"),
    ("old", 0o500, "scan -o old/tokens.parquet", f"old/tokens.parquet {MAY_NOT_WRITE}"),
    ("old", 0, "scan -o old/tokens.parquet", f"old/tokens.parquet {MAY_NOT_WRITE}"),
    (
        "old/tokens.parquet",
        0,
        "close 2026 --profit 1 --rate 1 --tokens old/tokens.parquet",
        "old/tokens.parquet cannot be read (permission denied); name the token table that can be",
    ),
    ("mine.tiktoken", 0, "scan -e mine.tiktoken", "mine.tiktoken cannot be read (permission denied)"),
    ("book.txt", 0, "trace book.txt", "book.txt cannot be read (permission denied); name another file"),
    ("ledger", 0, "balance", "the ledger ledger may not be read by you; give yourself permission to read its folder"),
    (".", 0o500, "init .", f"corpus.toml {MAY_NOT_WRITE}"),
]


@pytest.mark.parametrize(("locked", "mode", "command", "said"), FORBIDDEN)
def test_without_permission(tmp_path, locked, mode, command, said):
    golden.make_corpus(tmp_path / "corpus.toml")
    golden.make_vocabulary(tmp_path / "mine.tiktoken")
    (tmp_path / "old").mkdir()
    golden.make_tokens(tmp_path / "old" / "tokens.parquet")
    golden.make_ledger(tmp_path / "ledger")
    if command == "init .":
        (tmp_path / "corpus.toml").unlink()
    before = golden.snapshot(tmp_path)
    with forbidden(tmp_path / locked, mode):
        if "AssertionError" in program("--version", tmp_path, OBEY)[2]:
            pytest.skip("this system lets no process give up its capabilities")
        assert program(command, tmp_path, OBEY) == (2, "", f"error: {said}\n")
    assert golden.snapshot(tmp_path) == before


@contextlib.contextmanager
def forbidden(path, mode):
    usual = path.stat().st_mode
    path.chmod(mode)
    yield
    path.chmod(usual)


def test_a_name_that_steers_the_terminal_is_shown_without_doing_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = "error: \ufffd[31mred does not exist; run `royalty scan` first, or name the table\n"
    assert typed("shares '\x1b[31mred'") == (2, "", said)


def test_a_manifest_that_appears_while_documents_are_looked_at_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("words", encoding="utf-8")

    def slow(folder, look=starter.starter):
        (folder / "corpus.toml").write_text("# somebody's own", encoding="utf-8")
        return look(folder)

    monkeypatch.setattr(starter, "starter", slow)
    status, _, said = typed("init")
    assert (status, said.startswith("error: corpus.toml is already there, and stays as it is")) == (2, True)
    assert (tmp_path / "corpus.toml").read_text(encoding="utf-8") == "# somebody's own"


def test_a_name_with_a_line_end_is_still_one_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a\nb").mkdir()
    (tmp_path / "a\nb" / "corpus.toml").write_text("[[source]]\n[[source]]\n", encoding="utf-8")
    status, _, said = typed("init 'a\nb'")
    assert (status, said.count("error: "), said.count("\n")) == (2, 1, 1)
    assert said.startswith("error: a\ufffdb/corpus.toml is already there")
    assert len(typed("check 'a\nb'")[2].splitlines()) == 4  # a line for each path and id that is missing


def test_a_name_longer_than_any_disk_takes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    golden.make_tokens(tmp_path / "tokens.parquet")
    name = "x" * 300 + ".csv"
    said = f"error: {name} cannot be written (file name too long); what was there before is unchanged\n"
    assert typed(f"{PAYOUT} -o {name}") == (2, "", said)
    said = f"error: {name} cannot be read (file name too long)\n"
    assert typed(f"shares {name}") == (2, "", said)


CHANGING = """
    from royaltycli.corpus import jsonl
    parse = jsonl._parse_fast

    def parse_and_change(*args):
        with open("posts.jsonl", "r+b") as file:
            file.truncate({size})
        return parse(*args)

    jsonl._parse_fast = parse_and_change
"""


@pytest.mark.parametrize("size", [100, 9_000_000, 9_000_010, 20_000_000], ids=["emptied", "cut", "torn", "grown"])
def test_a_file_that_changes_while_it_is_read(tmp_path, size):
    """Whether the change tears a line, as zeros or an end within it, or ends after one."""
    line = json.dumps({"text": "x" * 87}) + "\n"
    assert len(line) == 100
    (tmp_path / "posts.jsonl").write_text(line * 100_000, encoding="utf-8")
    (tmp_path / "corpus.toml").write_text('[[source]]\nid = "a"\npath = "posts.jsonl"\n', encoding="utf-8")
    said = "error: posts.jsonl: changed while it was being read; let it come to rest and scan again\n"
    assert program("scan", tmp_path, before=CHANGING.format(size=size)) == (2, "", said)
    assert not (tmp_path / "tokens.parquet").exists()


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="there is no /dev/stdout")
def test_standard_output_by_its_path_is_a_pipe_and_is_said_to_be(tmp_path):
    golden.make_tokens(tmp_path / "tokens.parquet")
    said = "error: /dev/stdout is a device or a pipe; name a file, or `-` for standard output\n"
    assert program(f"{PAYOUT} -f csv -o /dev/stdout", tmp_path) == (2, "", said)


def test_init_says_what_it_leaves_out_and_why(tmp_path, monkeypatch):
    (tmp_path / "outside.txt").write_text("One day.", encoding="utf-8")
    place = tmp_path / "corpus"
    place.mkdir()
    for name in ("fine.txt", "tab\there.txt", "notes.pdf"):
        (place / name).write_text("One day.", encoding="utf-8")
    (place / "link.txt").symlink_to(tmp_path / "outside.txt")
    monkeypatch.chdir(place)
    status, _, said = typed("init")
    assert status == 0
    assert set(said.splitlines()) == {
        "Wrote corpus.toml.",
        "Left out 'link.txt': outside the manifest's folder; copy it into the folder, or allow it with --outside.",
        "Left out 'tab\\there.txt': a name with control characters, or not in UTF-8; rename it.",
        "Look through it, then run `royalty check` and `royalty scan`.",
    }


@pytest.mark.parametrize("command", ["balance \udcff", "release \udcff", "settle 2026 \udcff --paid"])
def test_an_argument_in_another_encoding_is_named(tmp_path, command):
    golden.prepare(next(case for case in CASES.values() if case.command.strip() == "balance bob"), tmp_path)
    status, _, said = program(command, tmp_path)
    assert (status, said) == (2, "error: '\\udcff' is not valid UTF-8; write it in UTF-8\n")

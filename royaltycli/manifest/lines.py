"""On which line each key of a TOML file stands; the standard library's reader does not say.

This is no second reader of TOML: it expects a text that the reader has accepted, and only follows
strings, comments and brackets, so that nothing inside them is taken for a header or a key.
"""

from __future__ import annotations

import re
import tomllib

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_STATEMENT = re.compile(rf"[ \t]*(\[\[?)?[ \t]*({_PART}(?:[ \t]*\.[ \t]*{_PART})*)")
_TOKEN = re.compile(
    r'''(?P<skip> [^"'\#\[\]{}\n]++ | \#[^\n]*+
          | """ (?: [^"\\]++ | \\. | "{1,2}+(?!") )*+ "{3,5}
          | \'\'\' (?: [^']++ | '{1,2}+(?!') )*+ '{3,5}
          | " (?: [^"\\\n]++ | \\. )*+ " | ' [^'\n]*+ ' )
      | (?P<open> [\[{] ) | (?P<close> [\]}] ) | (?P<newline> \n )''',
    re.VERBOSE | re.DOTALL,
)
_PLAIN_REST = re.compile(r"""[^"'#\[\]{}\n]*(?:"[^"\\\n]*"[ \t\r]*)?\n""")
"""Of a statement with a single plain value, as nearly all have; any other goes on to its tokens."""

Lines = dict[tuple[str, int], dict[str, int]]
"""By table and its number (from 0): the line of each of its keys, and under "" that of its header."""


def locate(text: str) -> Lines:
    """The line (from 1) of every header and key of a TOML text that is known to be valid.

    What stands deeper than a table's own keys counts to the key that it stands in. A table written
    inline has the line of the key that holds it.
    """
    lines: Lines = {}
    counts: dict[str, int] = {}
    header: tuple[str, ...] = ()
    at, line = 0, 1
    while at < len(text):
        depth = 0
        statement = _STATEMENT.match(text, at)
        if statement:
            brackets, path = statement[1], _path(statement[2])
            at = statement.end()
            if brackets:
                depth, header = len(brackets), path
                if brackets == "[[" and len(path) == 1:
                    counts[path[0]] = counts.get(path[0], -1) + 1
            _note(lines, path if brackets else header + path, counts, line)
        if not depth and (plain := _PLAIN_REST.match(text, at)):
            at, line = plain.end(), line + 1
            continue
        at, line = _end_of_statement(text, at, line, depth)
    return lines


def lines_of(lines: Lines, table: str, number: int = 0) -> dict[str, int]:
    """The lines of the `number`-th table of a name; if it has no header of its own, that of the first."""
    return lines.get((table, number)) or {"": lines.get((table, 0), {}).get("", 1)}


def _end_of_statement(text: str, at: int, line: int, depth: int) -> tuple[int, int]:
    while token := _TOKEN.match(text, at):
        at = token.end()
        line += token[0].count("\n")
        if token["open"]:
            depth += 1
        elif token["close"]:
            depth -= 1
        elif token["newline"] and depth <= 0:
            return at, line
    return len(text), line


def _note(lines: Lines, path: tuple[str, ...], counts: dict[str, int], line: int) -> None:
    keys = lines.setdefault((path[0], counts.get(path[0], 0)), {"": line})
    if len(path) > 1:
        keys.setdefault(path[1], line)


def _path(written: str) -> tuple[str, ...]:
    """The parts of a key such as `corpus."name"`."""
    if re.fullmatch(r"[A-Za-z0-9_-]+", written):
        return (written,)
    return tuple(next(iter(tomllib.loads(f"{part} = 0"))) for part in re.findall(_PART, written))

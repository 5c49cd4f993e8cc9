"""Line numbers of headers and keys, whatever stands in strings, comments and arrays between them."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from royaltycli.manifest import lines as module
from royaltycli.manifest.lines import lines_of, locate


def line(text, table, number=0, key=""):
    tomllib.loads(text)  # the locator expects valid TOML
    keys = lines_of(locate(text), table, number)
    return keys.get(key, keys[""])


def test_the_nth_table_and_a_key_in_it():
    text = '[[source]]\nid = "a"\n\n[[source]]\n# a comment\nid = "b"\n'
    assert [line(text, "source", 1), line(text, "source", 1, "id")] == [4, 6]


def test_a_key_that_is_not_there_has_the_line_of_its_header():
    assert line('\n[[source]]\nid = "a"\n', "source", 0, "path") == 2


@pytest.mark.parametrize(
    "between",
    [
        'x = """\n[[source]]\nid = 1\n"""\n',
        "x = '''\n[[source]]\nid = 1\n'''\n",
        'x = """\n\\"""\n[[source]]\n"""""\n',
        'x = """"two quotes""\n[[source]]"""\n',
        "x = '''''\n[[source]]'''\n",
        "x = '''it's\n[[source]]''\n'''\n",
        'x = [\n[1, 2],\n["[[source]]"],\n]\n',
        "x = [ # [[source]]\n[\n], # ]\n]\n",
        '# """ [[source]] \n',
        "# it's a comment\n",
        'x = "# no comment [["\n',
        'x = "\\"[[source]]"\n',
        "x = '\\'\n",
        'x = { "[[source]]" = "}" }\n',
    ],
)
def test_what_looks_like_a_header_but_is_none(between):
    text = f'[[source]]\nid = "a"\n{between}[[source]]\nid = "b"\n'
    expected = text.count("\n") - 1
    assert line(text, "source", 1) == expected
    assert line(text, "source", 1, "id") == expected + 1


@pytest.mark.parametrize(
    ("text", "where", "expected"),
    [
        ('corpus.name = "x"\n\ncorpus.encoding = "y"', ("corpus", 0, "encoding"), 3),
        ('["corpus"]\n"na\\u006de" = "x"', ("corpus", 0, "name"), 2),
        ("['corpus']\n 'name' . x = 1", ("corpus", 0, "name"), 2),
        ("[ corpus ]\n\tname = 1", ("corpus", 0, "name"), 2),
        ("[[ source ]]\n[[source]]\n\nid = 1", ("source", 1, "id"), 4),
        ("[[source]]\n[[source]]\n\n[[source.holders]]\nid = 1", ("source", 1, "holders"), 4),
        ("[[source]]\n[source.x]\nid = 1\n[[source]]\nid = 2", ("source", 1, "id"), 5),
        ("[[source]]\n[source.x.y]\nid = 1", ("source", 0, "id"), 1),
        ("\nsource = [{id = 1},\n{id = 2}]", ("source", 1, "id"), 2),
        ("\ncorpus = {name = 1}", ("corpus", 0, "name"), 2),
        ("[corpus]\r\n\r\nname = 1\r\n", ("corpus", 0, "name"), 3),
        ("", ("corpus", 0, "name"), 1),
        ("[corpus]\nname = 1", ("holder", 4, "id"), 1),
    ],
)
def test_other_ways_to_write_it(text, where, expected):
    assert line(text, *where) == expected


KEYS = st.sampled_from(["id", '"id"', "'id'", "path", '"a.b"', "a.b", "''"])
VALUES = st.sampled_from(
    [
        '"x"',
        "1.5",
        '"" # "',
        '"# [{\'"',
        "'\"'",
        '"\\"" # "]"',
        '"x"\t\r',
        "'''\n[[source]]\n'''",
        '"""\n\n"""',
        "[\n[1],\n]",
        "{ id = 1 }",
        "1 # [[source]]",
        '"""\\""""""',
    ]
)


def test_plain_values_are_not_cut_into_tokens(monkeypatch):
    """Nearly all are plain, and a manifest may have a great many."""
    cut = []
    end = module._end_of_statement
    monkeypatch.setattr(
        module, "_end_of_statement", lambda text, at, *how: cut.append(text[at:]) or end(text, at, *how)
    )
    assert line('[[source]]\nid = "a # [b"\r\n\nepochs = 1.5\npath = "c"\n', "source", 0, "path") == 5
    assert [rest.partition("\n")[0] for rest in cut] == ["]]"]


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=4), min_size=1, max_size=4))
def test_every_key_is_found_where_it_was_written(tables):
    text, expected = "", []
    for table in tables:
        lines = {"": text.count("\n") + 1}
        text += "[[source]]\n"
        for key, value in table.items():
            lines.setdefault(next(iter(tomllib.loads(f"{key} = 1"))), text.count("\n") + 1)
            text += f"{key} = {value}\n"
        expected.append(lines)
    assert [lines_of(locate(text), "source", number) for number in range(len(tables))] == expected

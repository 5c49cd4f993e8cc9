"""Statements: they add up, say the same in every format, and run nothing that stands in a title or name."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from royaltycli.errors import AmountError, OutputError
from royaltycli.report.statements import rendering
from royaltycli.report.statements.files import file_name, write_statements
from royaltycli.report.statements.model import Entry, Party
from royaltycli.report.statements.page import page_of
from royaltycli.report.statements.rendering import FORMATS, as_html, as_json, as_pdf
from tests.report.pages import read as read_page
from tests.report.statements import ALL, BY_USAGE, CENT, EMPTY, HOSTILE, LONG, ORDINARY, RED, SCRIPTS, made

AMOUNT = {"opening_balance", "earned", "paid", "closing_balance", "pool", "amount"}


def figures(lines):
    return {line.label: line.amount.main + line.amount.rest for line in lines}


# -- what it says ----------------------------------------------------------------------------------


def test_a_statement_that_does_not_add_up_cannot_be_made():
    with pytest.raises(AmountError, match="the statement of a-rao for 2026-Q3 comes to 921621 millionths"):
        dataclasses.replace(ORDINARY, closing=ORDINARY.closing + 1)


def test_the_account_runs_from_the_opening_to_the_closing_balance():
    assert figures(page_of(ORDINARY).account) == {
        "Opening balance": "0.00412345",
        "Earned by 3 sources": "17,280.34045861",
        "Administration fee": "−1,723.74536585",
        "Withholding tax": "−50.00",
        "Paid": "−15,506.59",
        "Closing balance": "0.00921621",
    }


def test_amounts_below_zero_and_without_minor_units():
    assert figures(page_of(RED).account) == {
        "Opening balance": "−0.03",
        "Earned by 1 source": "0.0000025",
        "Correction of 2026-Q1": "−12.3456789",
        "Payment of 2026-Q2 returned": "0.50",
        "Paid": "0.00",
        "Closing balance": "−11.8756764",
    }
    assert figures(page_of(EMPTY).account)["Closing balance"] == "0"
    assert (
        figures(page_of(made(Party("y", "Y"), [], opening=12_500_000, code="JPY")).account)["Opening balance"] == "12.5"
    )


def test_article_18_of_directive_2014_26_eu():
    """(a) contact details, (b) revenue attributed, (c) paid by category and use, (d) period, (e) (f) deductions, (g) outstanding."""
    page = page_of(ORDINARY)
    assert dict(page.holder_contacts) == {"orcid": "0000-0002-1825-0097", "email": "asha@rao.example"}
    assert dict(page.payer_contacts)["email"] == "members@society.example"
    use = {name: value if isinstance(value, str) else value.main + value.rest for name, value in page.use}
    assert use == {
        "Category of rights": "reproduction of works",
        "Type of use": "training of a language model",
        "Period of use": "2026-Q3",
        "Revenue attributed to you": "17,280.34045861",
        "Paid to you": "15,506.59",
    }
    assert figures(page.deductions) == {"For management": "1,723.74536585", "For all other purposes": "50.00"}
    assert figures(page.outstanding) == {
        "Closing balance, carried to the next period": "0.00921621",
        "Reserve, released at the next close": "250.00",
    }


@given(st.integers(-(2**62), 2**62), st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
def test_any_amount_is_shown_to_the_last_digit(amount, code):
    shown = figures(page_of(made(Party("y", "Y"), [], opening=amount, code=code)).account)["Opening balance"]
    whole, _, part = shown.replace("−", "-").replace(",", "").partition(".")
    places = {"USD": 8, "JPY": 6, "KWD": 9, "CLF": 10}[code]
    assert int(whole + part.ljust(places, "0")) == amount


def test_where_a_policy_goes_by_usage_each_source_has_its_usage_and_the_part_of_all_that_it_is():
    page = page_of(BY_USAGE)
    assert page.has_usage
    assert [(row.usage, row.usage_share) for row in page.rows] == [
        ("0.123456789012", "12.346 %"),
        ("1,000", "0.000433 %"),
        ("0", "0.000 %"),
    ]
    assert page.arithmetic.endswith("= a pool of 100,000,000.00 USD; 37.344 % of all usage is of no source")
    attributed = dataclasses.replace(BY_USAGE, terms=dataclasses.replace(BY_USAGE.terms, unattributed="0"))
    assert page_of(attributed).has_usage
    assert page_of(attributed).arithmetic == page_of(ORDINARY).arithmetic
    assert not page_of(ORDINARY).has_usage


# -- formats ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_json_has_every_amount_as_exact_text(name):
    def refuse(number):
        raise AssertionError(f"a float: {number}")

    read = json.loads(as_json(ALL[name]), parse_float=refuse)
    assert [line["source_id"] for line in read["sources"]] == [line.source_id for line in ALL[name].earned]
    for key in AMOUNT & read.keys():
        assert isinstance(read[key], str)
    if name == "ordinary":
        assert read["sources"][2] == {
            "source_id": "books/3",
            "title": None,
            "tokens": 3000,
            "seen_tokens": "4500.5",
            "holder_share": "1/3",
            "share": "0.000000000001235",
            "amount": "0.00012345",
        }
        assert "unattributed_usage" not in read
        assert read["deductions"][0] == {
            "label": "Administration fee",
            "amount": "1723.74536585",
            "management_fee": True,
        }


def test_json_has_usage_where_the_policy_goes_by_it():
    read = json.loads(as_json(BY_USAGE))
    assert read["unattributed_usage"] == "0.373443210987"
    assert [line["usage"] for line in read["sources"]] == [
        {"credit": "0.123456789012", "share": "0.123456789012"},
        {"credit": "1000", "share": "0.00000433333333333333"},
        {"credit": "0", "share": "0"},
    ]


@pytest.mark.parametrize(("name", "columns"), [("ordinary", 6), ("usage", 7)])
def test_html_has_a_cell_below_each_header(name, columns):
    table = as_html(ALL[name]).decode().split('<h2 id="sources">')[1].split("</table>")[0]
    *rows, foot = re.findall(r"<tr.*?</tr>", table)
    assert len(rows) == 1 + len(ALL[name].earned)
    assert {len(re.findall("<t[hd]", row)) for row in rows} == {columns}
    assert f'<td colspan="{columns - 2}">' in foot
    assert ('0.123456789012<br><span class="quiet">12.346 % of all</span>' in rows[1]) == (name == "usage")


def page(statement):
    return read_page(as_html(statement))


def test_html_needs_nothing_else_and_can_be_read_aloud():
    read = page(ORDINARY)
    assert read.tags.isdisjoint({"script", "link", "img", "iframe"})
    assert ("lang", "en") in read.attributes
    assert {"main", "h1", "h2", "th", "thead"} <= read.tags
    text = as_html(ORDINARY).decode()
    assert "url(" not in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_each_region_and_table_of_html_has_a_name_of_its_own():
    names = re.findall(r'<(section|div|table)[^>]*aria-label(?:ledby)?="([^"]+)"', as_html(ORDINARY).decode())
    regions = [name for tag, name in names if tag != "table"]
    assert len(regions) == len(set(regions)) == 6
    assert [name for tag, name in names if tag == "table"] == ["account", "sources", "outstanding"]


def test_html_escapes_whatever_comes_from_a_corpus():
    read = page(HOSTILE)
    assert "script" not in read.tags
    assert "b" not in read.tags
    shown = " ".join(read.words)
    assert '<script>alert("x")</script>' in shown
    assert "=cmd|' /C calc'!A0" in shown


@pytest.mark.parametrize("kind", FORMATS)
def test_same_statement_same_bytes(kind):
    script = f"""
import sys
from royaltycli.report.statements.rendering import FORMATS
from tests.report.statements import ORDINARY
sys.stdout.buffer.write(FORMATS[{kind!r}](ORDINARY))
"""
    environment = {**os.environ, "TZ": "Pacific/Apia", "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True, timeout=120)
    assert done.stdout == FORMATS[kind](ORDINARY)


def pdf_text(statement, folder):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    (folder / "it.pdf").write_bytes(as_pdf(statement))
    command = ["pdftotext", "-layout", str(folder / "it.pdf"), "-"]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout.split("\f")


def test_pdf_has_every_source_under_a_header_on_each_page(tmp_path):
    pages = pdf_text(LONG, tmp_path)
    for number in (1, 250, 500):
        assert sum(f"Volume {number} of" in each for each in pages) == 1
    with_sources = [each for each in pages if "Volume" in each]
    assert len(with_sources) > 5
    assert all("Seen tokens" in each and f"Page {at} of " in each for at, each in enumerate(with_sources, 1))


def test_pdf_has_the_usage_of_each_source(tmp_path):
    text = "".join(pdf_text(BY_USAGE, tmp_path))
    assert re.search(r"Seen tokens +Usage +Your part", text)
    assert "0.123456789012" in text
    assert "12.346 % of all" in text
    assert "Usage" not in "".join(pdf_text(ORDINARY, tmp_path))


def test_pdf_takes_hostile_texts_as_texts(tmp_path):
    text = " ".join("".join(pdf_text(HOSTILE, tmp_path)).split())
    assert "=cmd|' /C calc'!A0" in text.replace("’", "'")
    assert "#link" in text or "knil#" in text  # a mark in the name turns what follows it
    assert b"/CreationDate" not in as_pdf(SCRIPTS)
    assert b"/StructTreeRoot" in as_pdf(SCRIPTS)  # tagged, for screen readers


@pytest.mark.parametrize("name", ["יוסף בן־דוד, סופר", "כרך א׳ " * 20, "\u202eturned"])
def test_pdf_keeps_what_runs_from_right_to_left_by_itself(tmp_path, name):
    foot = pdf_text(dataclasses.replace(ORDINARY, holder=Party("y", name)), tmp_path)[0].rstrip().splitlines()[-1]
    assert "2026-Q3" in foot
    assert "Page 1 of 2" in foot


def test_in_a_pdf_only_what_turns_has_marks_around_it():
    assert rendering._isolated({"title": "ספר (one)", "rows": ["Ångström", ["巷口", "مرحبا"]], "has_rests": True}) == {
        "title": "\u2068ספר (one)\u2069",
        "rows": ["Ångström", ["巷口", "\u2068مرحبا\u2069"]],
        "has_rests": True,
    }


# -- many ------------------------------------------------------------------------------------------

IDS = [
    "a-rao",
    "A-Rao",
    "x/y",
    "x:y",
    "con",
    "index",
    "nul.txt",
    "आशा",
    "a" * 300,
    "-",
    "@at",
    "a..b",
    "%40x",
    "a.",
    "ñ",
    "n\u0303",
]


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("x" * 30, "x" * 24),
        ("щ" * 150, "щ" * 24),
        ("e\u0301" * 25, "e\u0301" * 24),  # a letter and its mark stay together
        ("नमस्तेदुनिया" * 8, None),
    ],
)
def test_a_word_of_any_script_that_no_line_has_room_for_can_be_broken(word, first):
    parts = rendering._breakable({"title": word})["title"].split("\u200b")
    assert "".join(parts) == word
    assert max(len(regex.findall(r"\X", part)) for part in parts) == rendering.WORD
    assert first is None or parts[0] == first
    assert rendering._breakable("an ordinary title, of words of ordinary length") == (
        "an ordinary title, of words of ordinary length"
    )


def test_contacts_of_the_holder_have_their_names():
    contacts = (("tax id", "99887766"),)
    statement = dataclasses.replace(ORDINARY, holder=dataclasses.replace(ORDINARY.holder, contacts=contacts))
    assert b"<dt>tax id</dt><dd><bdi>99887766</bdi></dd>" in as_html(statement)
    assert b'<dl class="contacts named">' in as_html(statement)


def test_file_names_are_apart_on_any_disk():
    names = [file_name(holder) for holder in IDS]
    assert names[0] == "a-rao"
    assert len({name.casefold() for name in names}) == len(IDS)
    for name in names:
        assert name.isascii()
        assert len(name) <= 80
        assert not set(name) & set('/\\:*?"<>|')
        assert not name.startswith(".")
        assert not name.endswith((".", " "))
        assert name.split(".")[0] not in ("con", "nul", "index")


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_two_holders_share_a_file(one, other):
    assert (file_name(one).casefold() == file_name(other).casefold()) == (one == other)


def named(holder):
    return dataclasses.replace(ORDINARY, holder=Party(holder, f"Name of {holder}"))


def test_all_statements_and_their_index(tmp_path):
    folder, told = tmp_path / "new" / "statements", []
    count = write_statements(folder, map(named, IDS), ["html", "json"], told.append)
    assert (count, sum(told)) == (len(IDS), len(IDS))
    assert len(list(folder.iterdir())) == 2 * len(IDS) + 2
    for holder in IDS:
        assert json.loads((folder / f"{file_name(holder)}.json").read_bytes())["holder"]["id"] == holder
    header, *lines = (folder / "index.csv").read_text(encoding="utf-8").splitlines()
    assert header == (
        "holder_id,name,period,opening_balance,earned,adjustments,deductions,paid,closing_balance,currency,file"
    )
    assert lines[0] == (
        "a-rao,Name of a-rao,2026-Q3,0.00412345,17280.34045861,0.00,1773.74536585,15506.59,0.00921621,USD,a-rao"
    )
    assert len(lines) == len(IDS)
    index = read_page((folder / "index.html").read_bytes())
    links = {value for name, value in index.attributes if name == "href"}
    assert '<a href="a-rao.html"><bdi>' in (folder / "index.html").read_text(encoding="utf-8")
    assert links == {path.name for path in folder.iterdir()} - {"index.html"}


def test_the_index_sets_what_is_below_a_minor_unit_apart_so_that_cents_stand_below_cents(tmp_path):
    whole = dataclasses.replace(EMPTY, holder=Party("y", "Y"), opening=5 * CENT, closing=5 * CENT)
    write_statements(tmp_path, [named("a-rao"), whole], ["html"])
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert '<span class="n">17,280.34<span class="rest">045861</span></span>' in index
    assert '<span class="n">5<span class="rest"></span></span>' in index
    assert '<span class="n">15,506.59</span>' in index  # no payment has any


def test_the_index_and_contacts_have_no_character_that_steers(tmp_path):
    steering = "An\x1b[2Jn \a\nAuthor"
    party = dataclasses.replace(named("ann").holder, name=steering, contacts=((steering, steering),))
    write_statements(tmp_path, [dataclasses.replace(named("ann"), holder=party)], ["html"])
    for page in ("index.html", "ann.html"):
        text = (tmp_path / page).read_text(encoding="utf-8")
        assert "An\ufffd[2Jn \ufffd Author" in text
        assert "\x1b" not in text
        assert "\a" not in text
    assert page_of(dataclasses.replace(named("ann"), payer=party)).payer_contacts == (
        ("An\ufffd[2Jn \ufffd Author", "An\ufffd[2Jn \ufffd Author"),
    )


def test_the_same_statements_give_the_same_files(tmp_path):
    for name in ("one", "two"):
        write_statements(tmp_path / name, map(named, IDS), ["html", "json", "pdf"])
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two


def test_what_a_killed_run_left_is_removed_and_a_failed_one_leaves_whole_files(tmp_path):
    (tmp_path / ".a-rao.html.0123456789ab.partial").write_bytes(b"half")
    (tmp_path / "a-rao.html").write_bytes(b"old")

    def some():
        yield named("a-rao")
        raise AmountError("stop")

    with pytest.raises(AmountError, match="stop"):
        write_statements(tmp_path, some(), ["html"])
    assert [path.name for path in tmp_path.iterdir()] == ["a-rao.html"]
    assert (tmp_path / "a-rao.html").read_bytes() == b"old"  # the first were not yet written


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=r"the folder .*file cannot be made \(file exists\); name another"):
        write_statements(tmp_path / "file", [], ["html"])


def test_without_typst_pdf_is_an_error_that_says_how_to_get_it():
    script = """
import sys
sys.modules["typst"] = None
from royaltycli.report.statements.rendering import as_pdf
from tests.report.statements import ORDINARY
try:
    as_pdf(ORDINARY)
except Exception as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True, timeout=60)
    assert done.stdout == "PDF is made by typst, which is not installed; pip install 'royaltycli[pdf]'\n"


def test_an_entry_counts_once():
    assert made(Party("y", "Y"), [], adjustments=[Entry("x", CENT), Entry("x", CENT)]).closing == 2 * CENT

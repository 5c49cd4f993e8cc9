"""What Chromium makes of statements and traced texts: nothing is cut off, on a screen of any width or on paper."""

from __future__ import annotations

import dataclasses
import html
import json
import re
import shutil
import subprocess

import pytest

from royaltycli.attribution.tracing import Passage, Place, Traced, TracedSource
from royaltycli.report.statements.model import Entry, Party
from royaltycli.report.statements.rendering import as_html
from royaltycli.report.traces.rendering import as_html as trace_page
from tests.report.statements import ALL, CENT, ORDINARY, made, source

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
FRAME = """<iframe width="{width}" height="900" style="border: 0" srcdoc="{page}"></iframe><pre id="measured"></pre>
<script>onload = () => {{
  const page = document.querySelector('iframe').contentDocument, root = page.documentElement;
  const tables = [...page.querySelectorAll('.wide')].map(each => each.scrollWidth - each.clientWidth);
  const heights = [...page.querySelectorAll('.named dd')].map(each => each.clientHeight);
  const right = each => each.getBoundingClientRect().right;
  const cut = [...page.querySelectorAll('.wide td:last-child')].map(each => right(each) - right(each.closest('.wide')));
  const measured = {{page: root.scrollWidth - root.clientWidth, table: Math.max(0, ...tables),
                    detail: Math.max(0, ...heights), cut: Math.max(0, ...cut)}};
  document.getElementById('measured').textContent = JSON.stringify(measured);
}}</script>"""
"""A page in a frame, as a window of Chromium cannot be as narrow as a telephone's."""

if CHROMIUM is None:
    pytest.skip("Chromium is not installed", allow_module_level=True)

YEN = made(Party("y", "Yen"), [source(n, 1_992_774_200_888_888) for n in (1, 2)], paid=12, code="JPY")
LARGE = made(
    Party("l", "Large"),
    [source(1, 987_654_321_098_765)],
    opening=-(10**17),
    adjustments=[Entry("Correction of 2026-Q1", -512_345_678_901_234_567)],
    paid=98_765_432_109,
)


def chromium(folder, page, *options):
    (folder / "page.html").write_bytes(page)
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={folder / 'profile'}", *options, str(folder / "page.html")]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def measured(folder, statement, width):
    """Pixels by which the page is wider than a window of this width, a table than its place on the page, and by which
    an amount is out of sight; and the height of the largest detail of the holder."""
    page = html.escape(as_html(statement).decode())
    shown = chromium(folder, FRAME.format(width=width, page=page).encode(), "--dump-dom")
    return json.loads(re.search(r'<pre id="measured">(.*?)</pre>', shown)[1])


@pytest.mark.parametrize("statement", [YEN, ORDINARY, ALL["usage"]])
def test_on_a_screen_of_usual_width_no_digit_is_cut_off(tmp_path, statement):
    shown = measured(tmp_path, statement, 1280)
    assert (shown["page"], shown["table"]) == (0, 0)


@pytest.mark.parametrize("statement", [*(ALL[name] for name in ("hostile", "scripts")), LARGE])
def test_on_a_telephone_only_the_table_of_sources_is_scrolled(tmp_path, statement):
    assert measured(tmp_path, statement, 390)["page"] == 0


@pytest.mark.parametrize("statement", [ORDINARY, ALL["hostile"], ALL["usage"], LARGE])
def test_on_a_telephone_the_amount_of_each_source_is_seen(tmp_path, statement):
    """The last of six or seven columns: what is between it and the source is scrolled."""
    shown = measured(tmp_path, statement, 390)
    assert shown["table"] > 0
    assert shown["cut"] == 0


def test_a_detail_of_a_holder_with_a_long_name_still_has_room(tmp_path):
    contacts = (("preferred number of the agent in all questions of payment", "+32 2 555 01 00"), ("x" * 80, "y" * 80))
    statement = dataclasses.replace(ORDINARY, holder=Party("a-rao", "Asha Rao", contacts))
    shown = measured(tmp_path, statement, 1280)
    assert shown["detail"] < 150  # a letter a line would be ten times as high
    assert shown["page"] == 0


def printed(folder, page):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    made_of = folder / "page.pdf"
    chromium(folder, page, "--no-pdf-header-footer", f"--print-to-pdf={made_of}")
    command = ["pdftotext", "-layout", str(made_of), "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.split("\f")


def test_on_paper_each_page_of_a_table_has_its_header_and_no_heading_stands_alone(tmp_path):
    lines = tuple(Entry(f"Correction of {1990 + n}", n * CENT) for n in range(1, 13))
    sources = [source(n, n * CENT, f"Volume {n}") for n in range(1, 61)]
    pages = printed(tmp_path, as_html(made(Party("press", "Press"), sources, adjustments=lines)))
    with_sources = [page for page in pages if "Volume" in page]
    assert len(with_sources) > 1
    assert all("Seen tokens" in page for page in with_sources)
    assert "What your sources earned" in with_sources[0]


def test_on_paper_a_row_of_a_source_is_two_lines_high(tmp_path):
    assert len(printed(tmp_path, as_html(ALL["long"]))) < 32  # of 500 sources


def test_on_paper_payer_and_holder_stand_side_by_side(tmp_path):
    payer = dataclasses.replace(ORDINARY.payer, name="A Collecting Society of a Rather Long Name")
    lines = printed(tmp_path, as_html(dataclasses.replace(ORDINARY, payer=payer)))[0].splitlines()
    assert "Statement for" in lines[0]


def test_on_paper_a_passage_of_many_sources_has_all_of_them_and_each_is_whole(tmp_path):
    words = "seven hundred umbrellas beneath the lighthouse"
    places = [
        Place(f"s{n}.txt", False, "Before it. " * 40, words, f" after. And the end of source {n}.") for n in range(30)
    ]
    sources = tuple(TracedSource(f"s{n}", f"Title number {n},", 1, (place,)) for n, place in enumerate(places))
    traced = Traced(words, 9, 9, (Passage(0, len(words), words, 9, 3.5, sources),), tuple(each.id for each in sources))
    pages = printed(tmp_path, trace_page(traced))[1:]  # after the text and the list of all sources
    assert len(pages) > 2
    for n in range(30):
        (page,) = (page for page in pages if f"s{n}.txt" in page)
        assert f"Title number {n}," in page

"""What Chromium makes of statements: nothing is cut off, on a screen of any width or on paper."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess

import pytest

from royaltycli.report.statements.model import Entry, Party
from royaltycli.report.statements.rendering import as_html
from tests.report.statements import ALL, CENT, ORDINARY, made, source

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
MEASURE = """<pre id="measured"></pre><script>
const tables = [...document.querySelectorAll('.wide')].map(each => each.scrollWidth - each.clientWidth);
const page = document.documentElement.scrollWidth - document.documentElement.clientWidth;
document.getElementById('measured').textContent = JSON.stringify({page, table: Math.max(0, ...tables)});
</script>"""

if CHROMIUM is None:
    pytest.skip("Chromium is not installed", allow_module_level=True)

YEN = made(Party("y", "Yen"), [source(n, 1_992_774_200_888_888) for n in (1, 2)], paid=12, code="JPY")


def chromium(folder, page, *options):
    (folder / "page.html").write_bytes(page)
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={folder / 'profile'}", *options, str(folder / "page.html")]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def beyond(folder, statement, width):
    """Pixels by which the page is wider than the window, and a table wider than its place on the page."""
    shown = chromium(folder, as_html(statement) + MEASURE.encode(), "--dump-dom", f"--window-size={width},900")
    return json.loads(re.search(r'<pre id="measured">(.*?)</pre>', shown)[1])


@pytest.mark.parametrize("statement", [YEN, ORDINARY])
def test_on_a_screen_of_usual_width_no_digit_is_cut_off(tmp_path, statement):
    assert beyond(tmp_path, statement, 1280) == {"page": 0, "table": 0}


@pytest.mark.parametrize("name", ["hostile", "scripts"])
def test_on_a_narrow_screen_only_a_table_is_scrolled(tmp_path, name):
    assert beyond(tmp_path, ALL[name], 500)["page"] == 0  # the least that a window of Chromium has


def printed(folder, statement):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    made_of = folder / "page.pdf"
    chromium(folder, as_html(statement), "--no-pdf-header-footer", f"--print-to-pdf={made_of}")
    command = ["pdftotext", "-layout", str(made_of), "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.split("\f")


def test_on_paper_each_page_of_a_table_has_its_header_and_no_heading_stands_alone(tmp_path):
    lines = tuple(Entry(f"Correction of {1990 + n}", n * CENT) for n in range(1, 13))
    sources = [source(n, n * CENT, f"Volume {n}") for n in range(1, 61)]
    pages = printed(tmp_path, made(Party("press", "Press"), sources, adjustments=lines))
    with_sources = [page for page in pages if "Volume" in page]
    assert len(with_sources) > 1
    assert all("Seen tokens" in page for page in with_sources)
    assert "What your sources earned" in with_sources[0]


def test_on_paper_payer_and_holder_stand_side_by_side(tmp_path):
    payer = dataclasses.replace(ORDINARY.payer, name="A Collecting Society of a Rather Long Name")
    lines = printed(tmp_path, dataclasses.replace(ORDINARY, payer=payer))[0].splitlines()
    assert "Statement for" in lines[0]

"""What LibreOffice makes of a CSV file: numbers are numbers, and no cell runs."""

from __future__ import annotations

import shutil
import subprocess

import openpyxl
import pytest

from royaltycli.report.csv import write_csv
from tests.report.hostile import RESULTS

SOFFICE = shutil.which("soffice")
AS_CSV = "CSV:44,34,76,1"
"""Commas, quotes, UTF-8, from the first line: what it finds out by itself when a person opens the file."""
GERMAN, ENGLISH = "1031", "1033"
"""Languages in which numbers are read."""

if SOFFICE is None:
    pytest.skip("LibreOffice is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def open_in_calc(tmp_path_factory):
    """The cells of CSV files, as LibreOffice saves them: all converted at once, as it is slow to start."""
    folder = tmp_path_factory.mktemp("calc")

    def convert(results, language=ENGLISH):
        for name, (rows, raw) in results.items():
            with (folder / f"{name}.csv").open("wb") as file:
                write_csv(file, rows, raw=raw)
        files = [str(folder / f"{name}.csv") for name in results]
        options = [f"-env:UserInstallation=file://{folder}/profile", "--headless", f"--infilter={AS_CSV},,{language}"]
        command = [SOFFICE, *options, "--convert-to", "xlsx", "--outdir", str(folder), *files]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        return {name: list(openpyxl.load_workbook(folder / f"{name}.xlsx").active.iter_rows()) for name in results}

    return convert


def test_numbers_are_numbers_and_nothing_runs(open_in_calc):
    rows = RESULTS["payout by source"]
    sheets = open_in_calc({"safe": (rows, False), "raw": (rows, True)})
    assert any(cell.data_type == "f" for line in sheets["raw"] for cell in line)  # so these titles do run when left raw
    header, *lines = sheets["safe"]
    assert [cell.value for cell in header] == rows.column_names
    for line, row in zip(lines, rows.to_pylist(), strict=True):
        cells = dict(zip(rows.column_names, line, strict=True))
        assert not [cell for cell in line if cell.data_type == "f"]
        assert (cells["payout"].data_type, cells["payout"].value) == ("n", pytest.approx(float(row["payout"])))
        assert (cells["share"].data_type, cells["share"].value) == ("n", pytest.approx(float(row["share"])))
        assert (cells["source_id"].data_type, cells["source_id"].value) == ("s", row["source_id"])
        if row["title"] and row["title"].startswith("="):
            assert (cells["title"].data_type, cells["title"].value) == ("s", "'" + row["title"])


def test_where_decimals_have_a_comma_amounts_are_texts_unless_the_language_is_said(open_in_calc):
    """As docs/files.md says."""
    rows = RESULTS["payout by source"]
    at = rows.column_names.index("payout")
    for language, kind in ((GERMAN, "s"), (ENGLISH, "n")):
        sheet = open_in_calc({"spoken": (rows, False)}, language)["spoken"]
        assert {line[at].data_type for line in sheet[1:]} == {kind}

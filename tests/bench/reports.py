"""What tests ask of a report."""

from __future__ import annotations


def rows(report, part):
    """The rows under the one heading that begins so, by what they measure."""
    (found,) = [rows for name, rows in report.parts.items() if name.startswith(part)]
    return {row.measure: row for row in found}

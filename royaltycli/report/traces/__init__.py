"""A traced text as a page: one HTML file that needs nothing else."""

from royaltycli.report.traces.rendering import as_html

__all__ = ["as_html"]

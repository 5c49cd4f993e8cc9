"""Results as CSV, JSON, Markdown, Parquet, workbooks and pages.

`formats.writer` is the door for any rows: `csv`, `text` and `sheets` write them, and `storage` Parquet. `workbook` is a
payout in several sheets; `statements` and `traces` are pages.
"""

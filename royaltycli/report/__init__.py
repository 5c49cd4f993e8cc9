"""Results as CSV, JSON, Markdown, Parquet, workbooks and pages."""

"""Results as CSV, JSON, Markdown and Parquet."""

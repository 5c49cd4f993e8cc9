"""From batches of documents to token counts and `tokens.parquet`."""

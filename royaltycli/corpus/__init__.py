"""From the files of a corpus to batches of documents.

`opening` reads the manifest and finds its `files`, `shards` cuts them into `pieces`, and `documents.read` is the one
door to the readers: `text`, `jsonl`, `parquet` and `warc`. All of these open files by `unpack`, within its bounds, and
yield `batches`.
"""

"""Every limit there is, named and in one place. At a limit the work fails; nothing is cut short."""

from __future__ import annotations

KiB = 1 << 10
MiB = 1 << 20
GiB = 1 << 30

# -- numbers ------------------------------------------------------------------------------------
NUMBER_DIGITS = 36
"""Digits before and after the point together: money, counts and shares fit a decimal128."""

# -- manifests ----------------------------------------------------------------------------------
MANIFEST_BYTES = 64 * MiB
"""Size of corpus.toml; longer lists of sources belong in a list file."""

LIST_BYTES = 4 * GiB
"""Size of one list file, unpacked."""

ID_BYTES = 512
"""Length of an id as UTF-8."""

NAME_LENGTH = 4096
"""Characters of a field's value that names a source or a holder."""

FILES_NAMED = 5
"""How many files an error names before it says how many more there are."""

# -- reading ------------------------------------------------------------------------------------
BATCH_BYTES = 8 * MiB
"""Text handed to a counting engine at once. It holds four bytes a token meanwhile."""

READ_BYTES = 8 * MiB
"""How much of a file is read at once."""

SHARD_BYTES = 16 * MiB
"""How much of a big file, or how many small files together, one worker takes at a time."""

SHARDS = 20_000
"""In so many shards at the least a large corpus is counted, each of up to LARGE_SHARD_BYTES."""

LARGE_SHARD_BYTES = 1024 * MiB

PIECES = 4096
"""In so many pieces at the most one big file is cut, which are larger then."""

TASK_RETRIES = 3
"""How often a shard is counted anew whose worker on a cluster was lost."""

HEAD_GONE_SECONDS = 30
"""How long the head of a cluster may be out of reach before a scan gives it up."""

SHARD_FILES = 1000
"""How many small files one worker takes at a time."""

FRAME_BLOCKS = 1024
"""Blocks of one zstd frame whose headers are read to find its end: of text some 40 MiB, in one or two
milliseconds. The frames of zstd's tools for frames have at most 32 MiB of text; a file whose first frame is
longer is most often one frame, and stays whole."""

FRAME_INFLATED = 256 * KiB
"""How much of one gzip member is inflated to tell it from bytes that only begin like one: 2 milliseconds.
What is no member is found out within some hundred bytes; and bgzip's members have at most 64 KiB."""

FRAME_START = 1 * MiB
"""How much of a packed file is looked through for its second frame, where the first was not followed to
its end. Without one the file stays whole, as most do, so this has to cost nearly nothing."""

FRAME_SEARCH = 4 * MiB
"""How much of a file of many frames is looked through for one to cut at, from where a cut is wanted on: one
or two milliseconds. A file of longer frames is cut at some of them."""

FRAME_MISSES = 16
"""Searches in a row that find no frame, after which the rest of a file is left as one piece."""

FRAME_CUTS = 4096
"""Pieces that one packed file is cut into at most, roughly: so that looking for them takes seconds at
most, and there are enough for any number of processor cores."""

DOCUMENT_BYTES = 2 * GiB - 1
"""Length of one document, or one line of JSONL, as it is counted whole in memory."""

EXPANSION = 200
"""How many times larger than its file unpacked text may be. Prose packs 3 to 10 times, logs up to some
50; DEFLATE ends at 1032. What is genuine beyond this can be unpacked by hand."""

EXPANSION_FREE = 16 * MiB
"""Unpacked text up to this size is fine whatever the ratio."""

HTML_SMALL = 64 * KiB
"""A page up to this size, and with at most HTML_TAGS tags, costs an HTML parser little whatever is in it."""

HTML_TAGS = 2000
"""Pages with so few tags need no look at each of them."""

HTML_DEPTH = 10_000
"""HTML elements open at once in a page that is stripped: the parser looks through them at every tag."""

HTML_COPIES = 1_000_000
"""How often `<b>` and its like, left open, may be opened again by the parser, beside once for every two
characters of the page: each time takes some 400 bytes."""

HTML_COMPARISONS = 1_000_000_000
"""Comparisons of the attributes of one HTML tag with each other, some seconds; they must have different names."""

# -- files on other machines --------------------------------------------------------------------
CONNECT_SECONDS = 10
"""How long a connection may take to come about."""

SILENCE_SECONDS = 30
"""How long a server may send nothing before the connection counts as lost."""

HEAD_SECONDS = 60
"""How long a web server may take with the head of an answer, however little it sends at a time."""

REQUEST_SECONDS = 600
"""How long one request to an object store may take, and its answer; or the content of an answer of a web server."""

RETRIES = 8
"""How often a request is sent again that failed for a reason that may pass, or broke off without getting further."""

LONGEST_WAIT = 60
"""Seconds waited at most before a request is sent again, whatever the server asks for."""

RETRY_SECONDS = 240
"""After so long since its first attempt, a request to an object store is not sent again."""

REDIRECTS = 5
"""How often a web server may send a request on to another address."""

AT_A_TIME = 16
"""Small files, and names of files, that one process asks other machines for at a time."""

# -- counting -----------------------------------------------------------------------------------
CACHE_TEXT = 480 * MiB
"""How much text a counting engine counts before it is made anew, as its caches only grow."""

CACHE_BYTES = 256 * MiB
"""Growth of the process, per worker, at which it is made anew before that: text with very many new words."""

CACHE_CHECK_BYTES = 16 * MiB
"""How much text a worker counts before it looks at its memory again."""

WHITESPACE_RUN = 100_000
"""tiktoken overflows its stack on whitespace runs of several hundred thousand characters; documents
that hold a run of this length are split by the regex package instead, with the same pattern."""

PROCESSES_FROM = 64 * MiB
"""From about this much text on, workers are processes; for less, starting them takes longer than it saves."""

REFERENCE_TIMES = 15
"""How many times longer than gigatoken a reference engine takes, roughly, for that choice."""

WORKERS = 1024
"""The most worker processes one scan may have."""

# -- merging ------------------------------------------------------------------------------------
SORT_BYTES = 256 * MiB
"""Rows that are sorted in memory; more of them lie in files. Sorting takes some three times as much."""

SORT_RUNS = 64
"""Sorted files that are merged at once, each read in blocks of SORT_BYTES / SORT_RUNS."""

ROW_GROUP = 1 << 20
"""Sources in one row group of a token table."""

ROW_GROUP_BYTES = 256 * MiB
"""Ids and names in one row group of a token table, where they are long."""

COPIES_HELD = 1 << 16
"""Sources of one text that are held until all of them are known; of more, only those that may get a token."""

# -- workbooks ----------------------------------------------------------------------------------
SHEET_ROWS = 1 << 20
"""Rows of a sheet in Excel and LibreOffice, its header among them."""

CELL_LETTERS = 32_767
"""UTF-16 units of the text in one cell."""

# -- attribution --------------------------------------------------------------------------------
INDEX_SHARD_BYTES = 64 * MiB
"""Text in one shard of an index: some 16 to 20 million tokens, whose models take 2 GB to make."""

COMMON_TERM = 1 << 14
"""Passages of a shard that have a term; one that more of them have says little, and would take longest to look up."""

COMMON_RUN = 1 << 14
"""Folds of units that have a run of tokens; what more of them have is counted, and says nothing else."""

MATCH_TOKENS = 64
"""Tokens of a match that are compared at once; a longer one is looked through for its end."""

OCCURRENCES = 1000
"""Places of one passage in a shard that are looked at to find its sources."""

SKIPPED = 256
"""Neighbours in a suffix array that are passed over as they belong to a text that is left out."""

CANDIDATES = 64
"""Sources of which a span is weighed in earnest; of the others no measure says much."""

MACHINE_UNITS = 256
"""Sources that a linear machine is trained to tell apart."""

MACHINE_WEIGHTS = 1 << 24
"""Weights that it has at the most, one for each term and source, of two bytes each."""

MACHINE_PASSAGES = 40_000
"""Passages that it is trained on, of 64 tokens each; it takes longer with each, and learns little more."""

FACTORS = 256
"""Sources of which each has a factor of its own in how evidence is weighed; for more there is little to learn from."""

TRACE_BYTES = 1 * MiB
"""Length of a text that is traced, as UTF-8: a book of some 200,000 tokens."""

PLACES = 3
"""Documents of one source that are shown of a traced passage, with some of what stands around it; all are counted."""

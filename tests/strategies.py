"""Texts that trip tokenizers, and how many examples a slow property test takes."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from royaltycli.tokens.unicode_guard import ranges

CAMPAIGN = False
"""Whether the long forms of the tests were asked for; tests/conftest.py sets it before it collects any."""


def examples(few, many):
    """Settings for `few` examples, or `many` in a campaign."""
    return settings(max_examples=many if CAMPAIGN else few, deadline=None)


SPECIAL = ["<|endoftext|>", "<|endofprompt|>", "<|fim_prefix|>", "<|im_start|>", "<|", "|>"]
SPACES = [
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\n\n",
    "\r",
    "\u00a0",
    "\u3000",
    "\u2028",
    "\u200b",
    "\u0085",
    "\v",
    "\f",
    " " * 200,
]
CONTRACTIONS = ["'s", "'S", "'LL", "'ve", "'Re", "’s", "'ſ", "'K", "'"]
MARKS = ["\u0301", "\u0308\u0301", "\u093f", "\u200d", "\ufe0f", "\u20e3", "\u1f3fb", "\u0e33"]
EMOJI = ["😀", "👨‍👩‍👧‍👦", "🇮🇳🇸🇪", "👍🏽", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"]
WORDS = [
    "hello",
    "World",
    "ÅNGSTRÖM",
    "McDonald",
    "naïve",
    "नमस्ते",
    "你好世界",
    "مرحبا",
    "שלום",
    "ไทย",
    "ǅ",
    "ß",
    "İi",
    "x" * 700,
    "𝔘𝔫𝔦",
    "Ⅷ",
]
NUMBERS = ["1", "12", "1234567", "٣٤٥", "½", "²", "1.000,50", "𝟙𝟚"]
SIGNS = ["!", "...", "->", "/*", "//\n", "@#$", "—", "“", "\x00", "\x7f", "\ufeff", "\ufffd"]
NEWER = [chr(first) for first, _ in ranges()]

pieces = st.one_of(
    st.sampled_from(SPECIAL + SPACES + CONTRACTIONS + MARKS + EMOJI + WORDS + NUMBERS + SIGNS + NEWER),
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.builds(lambda piece, times: piece * times, st.sampled_from(SPACES + MARKS + WORDS + SIGNS), st.integers(2, 300)),
)
texts = st.lists(pieces, max_size=12).map("".join)

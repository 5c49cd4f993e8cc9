"""quire from the command line:  python -m quire.press FILE [--width 64] [--height 40] [--justify]"""

import argparse
import sys

from .breaks import set_paragraph
from .hyphen import Hyphenator
from .measure import pad
from .notes import CALL, Note, paginate

FLEURON = "❦"


def read_blocks(text):
    """Split a text into paragraphs and notes; a block that starts with `[n]:` is a note."""
    paragraphs, notes = [], []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        block = " ".join(block.split())
        if not block:
            continue
        found = CALL.match(block)
        if found and block[found.end():found.end() + 1] == ":":
            notes.append(Note(int(found.group(1)), block[found.end() + 1:].strip()))
        else:
            paragraphs.append(block)
    return paragraphs, notes


def folio(number, width):
    """The line at the foot of a page: outward on either side, as in a bound book."""
    return pad(f"{FLEURON} {number}", width, "right" if number % 2 else "left").rstrip()


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="quire", description="Sets a plain text in pages.")
    parser.add_argument("file", help="the text, or - for standard input")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--height", type=int, default=40)
    parser.add_argument("--justify", action="store_true")
    parser.add_argument("--scroll", action="store_true", help="no pages: one long strip, as the ancients had it")
    options = parser.parse_args(arguments)

    if options.file == "-":
        text = sys.stdin.read()
    else:
        with open(options.file, encoding="utf-8") as file:
            text = file.read()

    paragraphs, notes = read_blocks(text)
    if options.scroll:
        for paragraph in paragraphs:
            for line in set_paragraph(paragraph, options.width, Hyphenator(), options.justify):
                print(line)
            print()
        return 0
    for page in paginate(paragraphs, notes, options.height, options.width):
        for line in page.lines(options.height, options.width):
            print(line)
        print()
        print(folio(page.number, options.width))
        print("\f", end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

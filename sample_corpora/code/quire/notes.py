"""Pages with notes at their feet.

The difficulty of footnotes is that they are late. One knows how much room the text needs
only when one knows which notes stand below it, and one knows which notes stand below it only
when one knows how much text there is room for. The way out is to add one line at a time, and
with each line the notes that it calls for, and to stop just before it would be too much.

                    +------------------------------------------+
                    |  text text text text text text text [1]  |      \
                    |  text text text text text text text text |       |   height
                    |  text text text [2] text text text text  |       |   lines
                    |                                          |       |
                    |  ----------                              |       |
                    |  [1] note note note note                 |       |
                    |  [2] note note note note note note note  |      /
                    +------------------------------------------+
"""

import re
from dataclasses import dataclass, field

from .breaks import set_paragraph

CALL = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True)
class Note:
    number: int
    text: str

    def lines(self, width):
        mark = f"[{self.number}] "
        body = set_paragraph(self.text, max(1, width - len(mark)))
        out = []
        for count, line in enumerate(body):
            out.append((mark if count == 0 else " " * len(mark)) + line)
        return out


@dataclass
class Page:
    number: int
    text: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    carried: list = field(default_factory=list)

    def lines(self, height, width, rule=10):
        """The page as exactly `height` lines."""
        foot = []
        if self.notes or self.carried:
            foot.append("-" * rule)
            foot.extend(self.carried)
            for note in self.notes:
                foot.extend(note.lines(width))
        blank = height - len(self.text) - len(foot)
        return self.text + [""] * max(0, blank) + foot


class NoteMissing(KeyError):
    """The text calls a note that nobody wrote."""


def calls(line):
    """The numbers of the notes that a line calls, in order."""
    return [int(number) for number in CALL.findall(line)]


def paginate(paragraphs, notes, height, width, rule=10):
    """Set paragraphs and notes as pages of `height` lines.

    A note that does not fit on its page is begun there if two of its lines do, and carried over.
    """
    by_number = {note.number: note for note in notes}
    pages = [Page(1)]
    free = height
    for paragraph in paragraphs:
        lines = set_paragraph(paragraph, width)
        for position, line in enumerate(lines):
            called = []
            for number in calls(line):
                if number not in by_number:
                    raise NoteMissing(f"note [{number}] is called on page {pages[-1].number} but not given")
                called.append(by_number[number])
            need = 1
            for note in called:
                need += len(note.lines(width))
            if called and not pages[-1].notes and not pages[-1].carried:
                need += 1
            if need > free and pages[-1].text:
                page = Page(pages[-1].number + 1)
                if position == len(lines) - 1 and position > 0:
                    # A widow: the last line of a paragraph alone on a new page. Take one along.
                    if len(pages[-1].text) > 1:
                        if not calls(pages[-1].text[-1]):
                            page.text.append(pages[-1].text.pop())
                pages.append(page)
                free = height - len(page.text)
                if called:
                    need = 2
                    for note in called:
                        need += len(note.lines(width))
            pages[-1].text.append(line)
            pages[-1].notes.extend(called)
            free -= need
        if free > 0 and pages[-1].text:
            pages[-1].text.append("")
            free -= 1
    return pages

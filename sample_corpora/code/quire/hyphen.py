"""Hyphenation by rule of thumb.

Patterns learned from a dictionary are better. They are also half a megabyte, and somebody
else's. The rules here are the ones that a compositor's apprentice was told in his first
week, and they are right about nine times in ten, as he was:

    1.  never leave fewer than two letters before a break, nor fewer than three after it;
    2.  break before a single consonant between vowels:         pa-per, re-gret
    3.  break between two consonants between vowels:            bas-ket, gar-den
    4.  but not inside a pair that says one sound:              mo-ther, fa-shion
    5.  a known ending takes its own break:                     walk-ing, kind-ness
    6.  if in doubt, do not.
"""

VOWELS = frozenset("aeiouyäöüåæøœáéíóúàèìòùâêîôû")
PAIRS = frozenset(["ch", "ck", "gh", "ng", "ph", "sh", "th", "wh", "qu", "gn", "rh"])
ENDINGS = ("ing", "ness", "ment", "less", "ful", "ship", "hood", "ward", "tion", "sion")
PREFIXES = ("under", "over", "inter", "counter", "super", "fore", "dis", "mis", "non", "out")

EXCEPTIONS = {
    "every": ("every",),
    "people": ("people",),
    "something": ("some", "thing"),
    "therapist": ("ther", "a", "pist"),
    "weeknights": ("week", "nights"),
    "mannequin": ("man", "ne", "quin"),
    "footnote": ("foot", "note"),
    "bookkeeper": ("book", "keeper"),
    "nowhere": ("no", "where"),
}


class Hyphenator:
    """Splits words into parts between which a hyphen may stand."""

    def __init__(self, before=2, after=3, shortest=5, exceptions=None):
        self.before = before
        self.after = after
        self.shortest = shortest
        self.exceptions = dict(EXCEPTIONS)
        if exceptions:
            self.exceptions.update(exceptions)

    def split(self, word):
        """The parts of a word; a word that should stay whole is a list of one.

        >>> Hyphenator().split("garden")
        ['gar', 'den']
        """
        lower = word.lower()
        known = self.exceptions.get(lower)
        if known is not None:
            return self._cut(word, self._places(known))
        if len(word) < self.shortest or not word.isalpha():
            return [word]
        found = set(self._by_prefix(lower)) | set(self._by_ending(lower)) | set(self._by_sound(lower))
        kept = []
        for place in sorted(found):
            if place < self.before or len(word) - place < self.after:
                continue
            if kept and place - kept[-1] < 2:
                continue
            kept.append(place)
        return self._cut(word, kept)

    def _places(self, parts):
        place, places = 0, []
        for part in parts[:-1]:
            place += len(part)
            places.append(place)
        return places

    def _cut(self, word, places):
        parts, start = [], 0
        for place in places:
            parts.append(word[start:place])
            start = place
        parts.append(word[start:])
        return parts

    def _by_prefix(self, word):
        for prefix in PREFIXES:
            if word.startswith(prefix) and len(word) - len(prefix) >= self.after + 1:
                yield len(prefix)

    def _by_ending(self, word):
        for ending in ENDINGS:
            if word.endswith(ending):
                place = len(word) - len(ending)
                if any(letter in VOWELS for letter in word[:place]):
                    yield place

    def _by_sound(self, word):
        size = len(word)
        for place in range(1, size - 1):
            if word[place - 1] in VOWELS and word[place] not in VOWELS:
                rest = word[place:]
                if len(rest) >= 2 and rest[1] in VOWELS:
                    yield place
                elif len(rest) >= 3 and rest[1] not in VOWELS and rest[2] in VOWELS:
                    if rest[:2] in PAIRS:
                        if rest[:2] not in ("ck", "ng"):
                            yield place
                    else:
                        yield place + 1

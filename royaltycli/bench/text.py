"""The part `text`: the text method beside well-known ones, its calibration, payouts, and text of unknown sources."""

from __future__ import annotations

from royaltycli.bench import rows
from royaltycli.bench.results import Goal, Row, seeded
from royaltycli.bench.setting import TEXT, WHOLE, Headed, Setting, Size
from royaltycli.bench.spans import SIZES

TOP: dict[Size, Goal] = {
    32: Goal(".733 text, .745 stacked", 0.78),
    128: Goal(".831 text, .832 stacked", 0.86),
    WHOLE: Goal(".901 text, .907 stacked", 0.93),
}
PROTOTYPE: dict[tuple[str, Size], str] = {
    ("naive Bayes on bigrams, Laplace", 32): ".715",
    ("naive Bayes on bigrams, Laplace", 128): ".821",
    ("naive Bayes on bigrams, Laplace", WHOLE): ".853",
    ("BM25, vote of the top 20", 32): ".696",
    ("BM25, vote of the top 20", 128): ".763",
    ("verbatim, matched tokens", 32): ".660",
    ("verbatim, matched tokens", 128): ".788",
}


def measure(setting: Setting) -> Headed:
    """The rows of this part, each heading as soon as it is measured."""
    for size in (*SIZES, WHOLE):
        yield f"Top-1 source of {rows.named(size)}", _accuracy(setting, size)
    asked, answers = setting.asked(setting.form.seeds), setting.by_text(setting.form.seeds)
    yield "Calibration, of the likeliest source if it is a known one", rows.calibration(asked, answers)
    heading = "Payouts of 100 skewed mixtures of 400 spans: total variation from the true usage"
    yield heading, rows.paid_out(setting, asked, answers)
    yield "Known against unknown corpora", rows.known_or_not(asked, answers)


def _accuracy(setting: Setting, size: Size) -> list[Row]:
    """Accuracy of each method, and by how many fewer errors than the best of the others the text method makes."""
    compared = setting.compared(setting.form.seeds)
    others = list(dict.fromkeys(name for name, _ in compared if name != TEXT))
    found = [
        seeded(name, Goal(PROTOTYPE.get((name, size), "")), rows.accuracy_of, compared[name, size]) for name in others
    ]
    best = rows.best_of(compared, size, others)
    words = f"fewer errors than the best other ({best})"
    return [
        *found,
        seeded(TEXT, TOP[size], rows.accuracy_of, compared[TEXT, size]),
        rows.fewer_errors(compared[TEXT, size], compared[best, size], words),
    ]

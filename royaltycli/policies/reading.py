"""A policy file to a Policy, strictly, with all that is wrong at once (docs/policies.md)."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, get_args

from royaltycli.errors import CallError, ManifestError, Place, Problem
from royaltycli.manifest.fields import Entry, amount, check_keys, choice, text, texts
from royaltycli.manifest.identifiers import check_id
from royaltycli.manifest.lines import lines_of
from royaltycli.manifest.tables import Tables, entries, parse_tables
from royaltycli.manifest.wording import instead, kind, shown
from royaltycli.numerals import percentage
from royaltycli.payout.currency import Currency, find_currency
from royaltycli.payout.policy import Cap, Deductions, Fixed, Floor, Gate, Measure, Payment, Per, Policy, Top
from royaltycli.policies.values import money, rate

HEAD = ("name", "title", "source", "date", "notes", "currency", "rate")
SINGLE, MANY = ("basis", "fixed", "usage", "deductions", "payment"), ("top", "gate", "cap", "floor")
MEASURES: tuple[Measure, ...] = get_args(Measure)
PLACES = ("pool", "escrow", "payer", "fund:NAME")


def read_policy(data: bytes, file: str, currency: Currency) -> Policy:
    """The policy that a TOML text describes, its amounts in a currency; `file` is what messages call it.

    Raises ManifestError with all problems, and CallError if the policy is for another currency.
    """
    problems: list[Problem] = []
    tables = parse_tables(data, file, problems)
    if tables is None:
        raise ManifestError(problems)
    _check_tables(tables)
    head = _head(tables)
    check_keys(head, [*HEAD, *SINGLE, *MANY])
    texts(head, "notes")
    own = _currency(head)
    if own is not None and own != currency.code and not problems:
        raise CallError(f"the policy {file} is in {own}, but the payout in {currency.code}; say `--currency {own}`")
    policy = Policy(
        name=text(head, "name") or file,
        title=text(head, "title") or "",
        source=text(head, "source") or "",
        date=text(head, "date") or "",
        digest=hashlib.sha256(data).hexdigest(),
        rate=_rate(head, "rate"),
        basis=_basis(tables),
        top=_top(tables),
        gates=_gates(tables),
        fixed=_fixed(tables, currency),
        caps=_caps(tables, currency),
        floors=_floors(tables, currency),
        unattributed=_unattributed(tables),
        deductions=_deductions(tables),
        payment=_payment(tables, currency),
    )
    if problems:
        raise ManifestError(problems)
    return policy


def _check_tables(tables: Tables) -> None:
    """Notes every table that is written with the wrong brackets, and leaves it out."""
    for name, value in list(tables.values.items()):
        if name in SINGLE and not isinstance(value, Mapping):
            tables.note(name, f"{name} must be one table, but is {kind(value)}", f"write [{name}] in single brackets")
        elif name in MANY and not (isinstance(value, list) and all(isinstance(item, Mapping) for item in value)):
            tables.note(name, f"{name} must be tables, but is {kind(value)}", f"write [[{name}]] in double brackets")
            tables.values[name] = []


def _head(tables: Tables) -> Entry:
    """The keys that stand before all tables."""
    lines = {key: lines_of(tables.lines, key)[""] for key in tables.values}
    return Entry("[policy]", tables.values, Place(tables.file, 1), tables.problems, lines)


def _currency(head: Entry) -> str | None:
    """The code of the currency that the amounts of the policy are in."""
    written = text(head, "currency")
    try:
        return None if written is None else find_currency(written).code
    except CallError as error:
        what, _, mend = str(error).partition("; ")
        head.note("currency", what, mend)
        return None


def _single(tables: Tables, name: str, keys: tuple[str, ...]) -> Entry | None:
    """A table that may stand once, its keys checked; None if it is not there."""
    value = tables.values.get(name)
    if not isinstance(value, Mapping):
        return None
    lines = lines_of(tables.lines, name)
    entry = Entry(f"[{name}]", value, Place(tables.file, lines[""]), tables.problems, lines)
    check_keys(entry, keys)
    return entry


def _many(tables: Tables, name: str, keys: tuple[str, ...]) -> list[Entry]:
    """All tables of a name, their keys checked."""
    found = [Entry(f"[[{name}]]", one.values, one.place, one.problems, one.lines) for one in entries(tables, name)]
    for entry in found:
        check_keys(entry, keys)
    return found


def _basis(tables: Tables) -> tuple[tuple[Measure, Fraction], ...]:
    entry = _single(tables, "basis", MEASURES)
    if entry is None:
        return Policy("").basis
    found = [(name, _rate(entry, name)) for name in MEASURES if name in entry.values]
    basis = tuple((name, weight) for name, weight in found if weight is not None)
    whole = sum((weight for _, weight in basis), Fraction(0))
    if len(basis) == len(entry.values) and whole != 1:
        entry.note("", f"the weights of the basis make {percentage(whole)}", "make them 100 % in all")
    return tuple((name, weight) for name, weight in basis if weight)


def _top(tables: Tables) -> tuple[Top, ...]:
    found = []
    for entry in _many(tables, "top", ("part", "to")):
        part, to = _needed(entry, "part", _rate(entry, "part"), '"5%"'), _place(entry, "to", pool=False)
        found.append(Top(part or Fraction(0), to))
    if sum((top.part for top in found), Fraction(0)) > 1:
        tables.note("top", "the parts that go elsewhere first make more than 100 %", "lower them")
    return tuple(found)


def _gates(tables: Tables) -> tuple[Gate, ...]:
    conditions, found = ("minimum", "licenses", "other_licenses", "holders"), []
    for entry in _many(tables, "gate", (*conditions, "to")):
        minimum = _minimums(entry)
        licenses = frozenset(texts(entry, "licenses")) if "licenses" in entry.values else None
        others = frozenset(texts(entry, "other_licenses")) if "other_licenses" in entry.values else None
        unknown = choice(entry, "holders", ("unknown",)) is not None
        if not entry.values.keys() & set(conditions):
            mend = 'add one, such as minimum = { tokens = 1000 } or holders = "unknown"'
            entry.note("to", "it has no condition", mend)
        found.append(Gate(_place(entry, "to"), minimum, licenses, others, unknown))
    return tuple(found)


def _minimums(entry: Entry) -> dict[Measure, Decimal] | None:
    given = entry.values.get("minimum")
    if given is None:
        return None
    if not isinstance(given, Mapping) or not given:
        entry.note("minimum", f"minimum is {kind(given)}", "write it such as minimum = { tokens = 1000 }")
        return {}
    lines = dict.fromkeys(given, entry.lines.get("minimum", entry.place.line))
    inner = Entry("[[gate]]", given, entry.place, entry.problems, lines)
    check_keys(inner, [name for name in MEASURES if name != "works"])
    found = {name: amount(inner, name) for name in MEASURES if name in given}
    return {name: least for name, least in found.items() if least is not None}


def _fixed(tables: Tables, currency: Currency) -> Fixed | None:
    entry = _single(tables, "fixed", ("each", "amount", "part"))
    if entry is None:
        return None
    each = _needed(entry, "each", choice(entry, "each", ("work", "holder")), '"work"')
    given, part = money(entry, "amount", currency), _rate(entry, "part")
    if ("amount" in entry.values) == ("part" in entry.values):
        entry.note("amount", "it needs an amount or a part, and not both", 'write amount = "0.05", or part = "40%"')
    return Fixed("holder" if each == "holder" else "work", given, part)


def _caps(tables: Tables, currency: Currency) -> tuple[Cap, ...]:
    found: list[Cap] = []
    for entry in _many(tables, "cap", ("per", "amount", "tiers", "excess")):
        per = _per(entry, [cap.per for cap in found])
        flat = money(entry, "amount", currency)
        tiers = _tiers(entry, per, currency)
        if ("amount" in entry.values) == ("tiers" in entry.values):
            entry.note("amount", "it needs an amount or tiers, and not both", 'write amount = "501.00"')
        excess = _place(entry, "excess") if "excess" in entry.values else "pool"
        found.append(Cap(per, tiers or ((0, flat or Decimal(0)),), excess))
    return tuple(found)


def _tiers(entry: Entry, per: Per, currency: Currency) -> tuple[tuple[int, Decimal], ...]:
    given = entry.values.get("tiers")
    if given is None:
        return ()
    form = 'write tiers = [{ holders = 1, amount = "501.00" }, { holders = 3, amount = "2505.00" }]'
    if per == "holder":
        entry.note("tiers", "tiers go by the number of holders of a source, so they are for sources", "write an amount")
    if not isinstance(given, list) or not given or not all(isinstance(item, Mapping) for item in given):
        entry.note("tiers", "tiers must be a list of tables", form)
        return ()
    line = entry.lines.get("tiers", entry.place.line)
    tiers = []
    for item in given:
        inner = Entry("[[cap]]", item, Place(entry.place.file, line), entry.problems, {})
        check_keys(inner, ("holders", "amount"))
        start, most = item.get("holders"), money(inner, "amount", currency)
        if not isinstance(start, int) or isinstance(start, bool) or start < 0 or "amount" not in item:
            entry.note("tiers", "a tier needs a whole number of holders and an amount", form)
        tiers.append((start if isinstance(start, int) else 0, most or Decimal(0)))
    starts = [start for start, _ in tiers]
    if any(first >= second for first, second in itertools.pairwise(starts)):
        entry.note("tiers", "the numbers of holders do not rise", "list the tiers from the smallest number on")
    return tuple(tiers)


def _floors(tables: Tables, currency: Currency) -> tuple[Floor, ...]:
    found: list[Floor] = []
    for entry in _many(tables, "floor", ("per", "amount", "below")):
        per = _per(entry, [floor.per for floor in found])
        least = _needed(entry, "amount", money(entry, "amount", currency), '"1.00"')
        below = _needed(entry, "below", choice(entry, "below", ("leave", "raise")), '"leave"')
        found.append(Floor(per, least or Decimal(0), "raise" if below == "raise" else "leave"))
    return tuple(found)


def _unattributed(tables: Tables) -> str:
    entry = _single(tables, "usage", ("unattributed",))
    return "pool" if entry is None or "unattributed" not in entry.values else _place(entry, "unattributed")


def _deductions(tables: Tables) -> Deductions:
    entry = _single(tables, "deductions", ("fee", "withholding", "reserve"))
    if entry is None:
        return Deductions()
    rates = {key: _rate(entry, key) for key in ("fee", "withholding", "reserve")}
    return Deductions(**{key: rate for key, rate in rates.items() if rate is not None})


def _payment(tables: Tables, currency: Currency) -> Payment:
    entry = _single(tables, "payment", ("minimum", "below", "rests"))
    if entry is None:
        return Payment()
    below = "carry"
    if entry.values.get("below") not in (None, "carry"):
        below = _place(entry, "below", pool=False)
    rests = choice(entry, "rests", ("carry", "round"))
    return Payment(money(entry, "minimum", currency) or Decimal(0), below, "round" if rests == "round" else "carry")


def _per(entry: Entry, before: list[Per]) -> Per:
    """What a cap or a floor is for; of each there may be one for sources and one for holders (rule Y12)."""
    written = _needed(entry, "per", choice(entry, "per", ("source", "holder")), '"source"')
    per: Per = "holder" if written == "holder" else "source"
    if written and per in before:
        entry.note("per", f"there is one per {per} already", "keep one of them")
    return per


def _place(entry: Entry, key: str, *, pool: bool = True) -> str:
    """A destination; `pool` is one only where the others can share the money."""
    value = text(entry, key)
    allowed = PLACES if pool else PLACES[1:]
    mend = f"write one of {', '.join(allowed)}"
    if value is None:
        if key not in entry.values:
            entry.note(key, f"it does not say where the money goes ({key})", mend)
        return "escrow"
    if value.startswith("fund:"):
        why = check_id(value.removeprefix("fund:"))
        if why:
            entry.note(key, f"the name of the fund {shown(value)} {why}", "write it such as fund:musicians")
    elif value not in allowed[:-1]:
        mend = instead(value, allowed, "destinations") if pool or value != "pool" else mend
        entry.note(key, f"unknown destination {shown(value)}", mend)
    return value


def _rate(entry: Entry, key: str) -> Fraction | None:
    return rate(entry, key, f'write it such as {key} = "15%"')


def _needed(entry: Entry, key: str, value: Any, example: str) -> Any:
    """Notes a key that must be there and is not."""
    if key not in entry.values:
        entry.note(key, f"it has no {key}", f"add it, such as {key} = {example}")
    return value

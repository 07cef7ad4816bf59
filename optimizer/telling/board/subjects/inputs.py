"""What is assumed: the numbers that matter with their sources and confidence, and every input of the case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from optimizer.case.case import TABLE_NAMES
from optimizer.case.market import hashprice_usd_per_ph_day
from optimizer.case.origins import HEADS, origin_of
from optimizer.telling.board.blocks import WHOLE, Paragraph, Section, Slide, Table, Texts
from optimizer.telling.board.figures import Figure, Row, Word
from optimizer.telling.board.keys import Key, at, encoded
from optimizer.telling.board.pack import Pack
from optimizer.telling.board.subjects.contracts import price_words
from optimizer.telling.board.tables import Data, cell, input_table, settings_of, written

MOST_ORIGIN = 105
MOST_ROWS = 20
"""Rows by quarter from which on a page shortens a table to its first, least, most and last."""
WITHOUT_SOURCES = "No list of sources came with the plan: name one with --sources."


@dataclass(frozen=True)
class Assumption:
    """One line of the table: words, the plan's own value, and where its source is looked up."""

    words: str
    value: str
    file: str
    name: str = ""
    kind: str = ""


def assumptions(pack: Pack) -> tuple[Slide, ...]:
    """The case's settings, then its markets, options and contracts, each with origin and confidence."""
    company, markets = tuple(_company(pack)), tuple(_markets(pack))
    return (
        Slide("assumptions", _company_title(pack), ((WHOLE, _table(pack, "company", company)),), _origin_note(pack)),
        Slide("assumptions 2", _markets_title(pack), ((WHOLE, _table(pack, "markets", markets)),), _origin_note(pack)),
    )


def _origin_note(pack: Pack) -> str:
    if not pack.origins:
        return WITHOUT_SOURCES
    return "Values are those of the plan; origin and confidence are those of the list of sources, long ones cut short."


def _company_title(pack: Pack) -> str:
    budget, cash = (pack.ledger.money(pack.source.setting(f"{name}_musd")) for name in ("capex_budget", "opening_cash"))
    return f"Assumed: {cash} of cash at the start, and a capex budget of {budget}"


def _markets_title(pack: Pack) -> str:
    first, last = _hashprice(pack, 0), _hashprice(pack, -1)
    number = pack.ledger.number
    if round(first.value, 1) == round(last.value, 1):
        both = f"in {pack.quarter(pack.quarters[0])} and in {pack.quarter(pack.quarters[-1])}"
        return f"Assumed: hashprice is ${number(first)} per PH and day {both}"
    ends = f"in {pack.quarter(pack.quarters[0])} to ${number(last)} in {pack.quarter(pack.quarters[-1])}"
    return f"Assumed: hashprice goes from ${number(first)} per PH and day {ends}"


def _hashprice(pack: Pack, place: int) -> Figure:
    quarter = pack.plan.case.horizon[place]
    value = hashprice_usd_per_ph_day(pack.plan.case, pack.plan.scenario, quarter)
    return Figure(at("figures/hashprices", "usd_per_ph_day", quarter=quarter), value)


def _table(pack: Pack, name: str, rows: tuple[Assumption, ...]) -> Table:
    if not pack.origins:
        cells = tuple((row.words, row.value) for row in rows)
        return Table(f"table:{name}", ("Assumption", "In this plan"), cells, (0.5, 0.5), "ll", largest=14)
    told = tuple((row.words, row.value, *_origin(pack, row)) for row in rows)
    head = ("Assumption", "In this plan", "Origin", "Confidence")
    return Table(f"table:{name}", head, told, (0.21, 0.26, 0.38, 0.15), "llll", largest=14)


def _origin(pack: Pack, row: Assumption) -> tuple[str, str]:
    """Origin, cut to a line or two, and confidence."""
    origin = origin_of(pack.origins, row.file, row.name, row.kind)
    if origin is None:
        return "not in the list of sources", "none"
    text = origin.origin if len(origin.origin) <= MOST_ORIGIN else origin.origin[:MOST_ORIGIN].rsplit(" ", 1)[0] + " …"
    return pack.ledger.word(Word(origin.place, text)), pack.ledger.word(Word(origin.place, origin.confidence))


# ---- the rows -------------------------------------------------------------------------------------------------------


def _company(pack: Pack) -> Iterator[Assumption]:
    source, ledger, settings = pack.source, pack.ledger, pack.plan.case.settings
    span = f"{pack.quarter(pack.quarters[0])} to {pack.quarter(pack.quarters[-1])}"
    always = {
        "Horizon": (f"{ledger.whole(source.setting('quarters'))} quarters, {span}", "quarters"),
        "Capex budget": (ledger.money(source.setting("capex_budget_musd")), "capex_budget_musd"),
        "Level of facility capex": (ledger.word(source.setting_word("capex_level")), "capex_level"),
        "Cash at the start": (ledger.money(source.setting("opening_cash_musd")), "opening_cash_musd"),
        "Minimum liquidity": (ledger.money(source.setting("minimum_cash_musd")), "minimum_cash_musd"),
    }
    yield from (Assumption(words, value, "case.toml", name) for words, (value, name) in always.items())
    if settings.btc_held:
        yield Assumption("BTC held at the start", ledger.number(source.setting("btc_held")), "case.toml", "btc_held")
    yield Assumption("Discount rates a year", _rates(pack), "case.toml", "discount_rates")
    for name, words, told in _POLICIES:
        if getattr(settings, name) is not None:
            yield Assumption(words, _policy(pack, name, told), "case.toml", name)
    yield Assumption("G&A in the first quarter", _overhead(pack), "overheads")


def _policy(pack: Pack, name: str, told: str) -> str:
    if not told:
        return pack.ledger.word(pack.source.setting_word(name))
    figure = pack.source.setting(name)
    if told == "number":
        return pack.ledger.number(figure)
    return pack.ledger.percent(figure, 0 if abs(figure.value * 100 - round(figure.value * 100)) < 1e-9 else 1)


_POLICIES = (
    ("mining_ends", "Last quarter of mining", ""),
    ("max_it_mw_under_construction", "IT MW under construction at once", "number"),
    ("max_blocks_under_construction", "Blocks under construction at once", "number"),
    ("max_customer_share", "Largest share of one customer", "percent"),
    ("cash_rate", "Interest on cash a year", "percent"),
    ("tax_rate", "Tax rate", "percent"),
)


def _rates(pack: Pack) -> str:
    word, told = pack.ledger.word, []
    for name, rate in pack.plan.case.settings.discount_rates.items():
        figure = Figure(Key("settings", f"discount_rates/{encoded(name)}"), rate)
        told.append(f"{word(Word(figure.key, name))} {pack.ledger.percent(figure, 1)}")
    return ", ".join(told)


def _overhead(pack: Pack) -> str:
    rows = pack.source.inputs("overheads")
    return pack.ledger.money(rows[0].figure("g_and_a_musd")) if rows else "none"


def _markets(pack: Pack) -> Iterator[Assumption]:
    ledger, number = pack.ledger, pack.ledger.number
    rows = pack.source.inputs("bitcoin", {"scenario": pack.plan.scenario})
    if rows:
        ends = f"${number(rows[0].figure('btc_usd'), 0)} to ${number(rows[-1].figure('btc_usd'), 0)}"
        yield Assumption("BTC price, first and last quarter", ends, "bitcoin")
    ends = f"${number(_hashprice(pack, 0))} to ${number(_hashprice(pack, -1))} per PH and day"
    yield Assumption("Hashprice, first and last quarter", ends, "bitcoin")
    yield Assumption("Price of energy, first quarter", _energy(pack), "tariffs")
    yield from _built(pack)
    for row in pack.source.rows("contracts")[:6]:
        size = f"{number(row.figure('it_mw'))} IT MW at {price_words(pack, row)}"
        yield Assumption(
            f"Rent of {ledger.word(row.word('customer'))}", size, "offers", str(row["offer"]), _kind(pack, row)
        )
    for row in pack.source.inputs("facilities")[:3]:
        value = f"{ledger.money(row.figure('commitment_musd'))}, {_rate(pack, row)}"
        yield Assumption(ledger.word(row.word("facility")), value, "facilities", str(row["facility"]))


def _kind(pack: Pack, row: Row) -> str:
    """The kind of a contract's product as a list of sources would say it."""
    kind = str(pack.plan.case.product[str(row["product"])].kind)
    return kind.replace("_", " ").replace("gpu", "GPU").lower()


def _rate(pack: Pack, row: Row) -> str:
    margin = pack.ledger.percent(row.figure("margin"), 3 if float(row["margin"]) * 1000 % 1 else 1)
    base = pack.ledger.word(row.word("base_rate"))
    return f"{base} + {margin}" if row.word("base_rate").text else margin


def _energy(pack: Pack) -> str:
    """Lowest and highest price of energy of all tariffs in the first quarter."""
    rows = pack.source.inputs(
        "tariffs",
        {"scenario": pack.plan.scenario, "quarter": [str(int(pack.plan.case.first)), str(pack.plan.case.first)]},
    )
    if not rows:
        return "none"
    low, high = (pick(rows, key=lambda row: float(row["energy_usd_per_mwh"])) for pick in (min, max))
    number = pack.ledger.number
    ends = (number(row.figure("energy_usd_per_mwh"), 2) for row in (low, high))
    return f"{' to '.join(f'${end}' for end in ends)} per MWh, by tariff"


def _built(pack: Pack) -> Iterator[Assumption]:
    """Facility capex of the options that are started."""
    level = pack.plan.case.settings.capex_level
    column = f"facility_{level}_musd_per_it_mw"
    for option in dict.fromkeys(str(row["option"]) for row in pack.source.rows("starts")):
        row = pack.source.inputs("options", {"option": option})[0]
        value = f"${pack.ledger.number(row.figure(column), 2)}M per IT MW"
        if row.has("gpu_musd_per_it_mw") and row["gpu_musd_per_it_mw"]:
            value += f", GPUs ${pack.ledger.number(row.figure('gpu_musd_per_it_mw'), 2)}M"
        yield Assumption(f"Capex of {pack.ledger.word(row.word('option'))}", value, "options", "facility_*")


# ---- on a page ------------------------------------------------------------------------------------------------------


def assumptions_section(pack: Pack) -> Section:
    """Every input of the case; the plan's folder holds them in full."""
    case = pack.plan.case
    things = [pack.many(f"inputs/{noun}s", noun, noun) if rows else f"no {noun}"
              for rows, noun in ((case.sites, "site"), (case.options, "option"), (case.offers, "offer"))]  # fmt: skip
    known = pack.ledger.word(pack.source.setting_word("as_of"))
    title = f"The case holds {things[0]}, {things[1]} and {things[2]}, as known on {known}"
    held = (one for name in TABLE_NAMES if (one := input_table(pack.plan, name, every=True)) is not None)
    tables = (_ranges(pack, one) if _is_long(one) else written(pack, one) for one in held)
    return Section("assumptions", "Assumptions", title, (_origins(pack), _settings(pack), *tables))


def _is_long(one: Data) -> bool:
    return "quarter" in one.frame and len(one.frame) > MOST_ROWS


def _origins(pack: Pack) -> Table | Texts:
    """Where each input comes from and how sure it is, in the words of the case's own file."""
    if not pack.origins:
        told = "Where each number comes from, and how sure it is, stands in the sources of the case, if it keeps any; "
        return Texts((Paragraph(f"{told}named with --case they are told here.", quiet=True),))
    word = pack.ledger.word
    rows = tuple(
        tuple(word(Word(one.place, cell)) if cell else "not set" for cell in one.cells) for one in pack.origins
    )
    return Table("table:sources", HEADS, rows, aligns="l" * len(HEADS), folded=True,
                 caption="Sources: where each number comes from, and how sure it is")  # fmt: skip


def _settings(pack: Pack) -> Table:
    ledger, run = pack.ledger, pack.source.run
    rows = []
    for name, value, key, about in settings_of(pack.plan):
        if isinstance(value, str):
            told = ledger.word(pack.source.word(key, value))
        else:
            told = ledger.exact(Figure(Key("settings", key, plan=run), float(value)))
        rows.append((ledger.word(pack.source.word(key, name)), told, ledger.word(pack.source.word(key, about))))
    caption = "Settings: the company, its horizon, its money and its policies"
    return Table(
        "table:settings", ("setting", "value", "what it is"), tuple(rows), aligns="lll", caption=caption, folded=True
    )


def _ranges(pack: Pack, one: Data) -> Table:
    """A table by quarter as the first, least, most and last of each of its numbers."""
    names = [column for column in one.shown if column not in one.numeric and column != "quarter"]
    groups: dict[tuple[str, ...], list[Row]] = {}
    for number, record in zip(one.frame.index, one.frame.to_dict("records"), strict=True):
        row = Row(dict(record), one.room, int(number), pack.source.run)
        groups.setdefault(tuple(str(record[name]) for name in names), []).append(row)
    rows = [
        (column.replace("_", " "), *(cell(pack, held[0], name, False) for name in names), *_range(pack, column, held))
        for members in groups.values() for column in one.numeric
        if (held := sorted((row for row in members if row.has(column)), key=lambda row: str(row["quarter"])))
    ]  # fmt: skip
    heads = ("number", *(name.replace("_", " ") for name in names), "first", "least", "most", "last")
    aligns = "l" * (1 + len(names)) + "rrrr"
    return Table(f"table:{one.room}", heads, tuple(rows), aligns=aligns, caption=one.caption(pack), folded=True)


def _range(pack: Pack, column: str, rows: Sequence[Row]) -> tuple[str, ...]:
    least, most = (pick(rows, key=lambda row: float(row[column])) for pick in (min, max))
    return tuple(pack.ledger.exact(row.figure(column)) for row in (rows[0], least, most, rows[-1]))

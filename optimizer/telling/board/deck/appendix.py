"""The appendix: assumptions with sources and confidence, the method, and the audit page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from optimizer.case.market import hashprice_usd_per_ph_day
from optimizer.case.origins import origin_of
from optimizer.telling.board.deck.blocks import WHOLE, Box, Paragraph, Slide, Table, Texts
from optimizer.telling.board.deck.contract_slide import price_words
from optimizer.telling.board.deck.figures import Figure, Row, Word
from optimizer.telling.board.deck.ledger import listed
from optimizer.telling.board.deck.pack import Pack
from optimizer.telling.board.keys import Key, at, encoded
from optimizer.telling.board.receipts import input_hash

MOST_ORIGIN = 105
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
    ledger, source = pack.ledger, pack.source
    budget, cash = source.setting("capex_budget_musd"), source.setting("opening_cash_musd")
    return f"Assumed: {ledger.money(cash)} of cash at the start, and a capex budget of {ledger.money(budget)}"


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
    word = ledger.word
    span = f"{pack.quarter(pack.quarters[0])} to {pack.quarter(pack.quarters[-1])}"
    yield Assumption("Horizon", f"{ledger.whole(source.setting('quarters'))} quarters, {span}", "case.toml", "quarters")
    yield Assumption(
        "Capex budget", ledger.money(source.setting("capex_budget_musd")), "case.toml", "capex_budget_musd"
    )
    level = word(source.setting_word("capex_level"))
    yield Assumption("Level of facility capex", level, "case.toml", "capex_level")
    cash = ledger.money(source.setting("opening_cash_musd"))
    yield Assumption("Cash at the start", cash, "case.toml", "opening_cash_musd")
    yield Assumption(
        "Minimum liquidity", ledger.money(source.setting("minimum_cash_musd")), "case.toml", "minimum_cash_musd"
    )
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


# ---- method and audit -----------------------------------------------------------------------------------------------


def method(pack: Pack) -> Slide:
    """How the plan was found, in ten lines."""
    ledger, source = pack.ledger, pack.source
    rows, columns, integers = (
        ledger.whole(source.field(f"provenance/size/{name}")) for name in ("rows", "columns", "integers")
    )
    solver = ledger.word(source.word("provenance.solver", pack.plan.provenance["solver"]))
    checked = ledger.whole(Figure(Key("audit", "rows"), float(pack.audit.rows)))
    quarters = ledger.whole(source.setting("quarters"))
    lines = (
        "Each quarter, each site's power goes to mining, to halls under construction and in service, or stays unused.",
        "The program decides starts of halls, signings, machines and debt, all at once, for the most value.",
        f"It looks {quarters} quarters ahead; contracts then run to their own end at the last quarter's prices.",
        "Value is margin less capex, overheads, interest and tax, discounted in the middle of each quarter.",
        "Debt drawn is cash and no value; what it costs is value.",
        "Liquidity keeps its minimum at the end of every quarter; capex keeps its budgets.",
        "Doing nothing is a plan of its own: mining at its best, commitments kept, nothing new.",
        f"The search is a mixed-integer linear program of {rows} rows, {columns} columns and {integers} whole numbers.",
        f"{solver} finds the plan and a bound that no plan can exceed; the gap between the two is told.",
        f"Other code computes {checked} rows again in exact decimals before a plan is handed out.",
    )
    title = f"No plan that keeps every rule is worth {pack.most_more()} more than this one"
    return Slide("method", title, ((WHOLE, Texts(tuple(Paragraph(line, bullet=True) for line in lines), largest=17)),))


def audit_page(pack: Pack) -> Slide:
    """Status, run id, input hash and versions at the left; the audit by group at the right."""
    table = _audit_table(pack)
    left = Texts(tuple(_papers(pack)), largest=14)
    blocks = ((Box(0, 0, 0.46, 1), left), (Box(0.5, 0, 0.5, 1), table))
    return Slide("audit", _audit_title(pack), blocks)


def _audit_title(pack: Pack) -> str:
    ledger, report = pack.ledger, pack.audit
    broken = sum(not check.clean for check in (*report.checks, *report.nothing))
    rows = ledger.whole(Figure(Key("audit", "rows"), float(report.rows)))
    if broken:
        count = ledger.whole(Figure(at("audit/checks", "rule", "count", clean=False), float(broken)))
        fail = "check fails" if broken == 1 else "checks fail"
        return f"The audit is not clean: {count} {fail} among {rows} rows computed again"
    return f"The audit is clean: {rows} rows computed again, none misses"


def _papers(pack: Pack) -> Iterator[Paragraph]:
    source, word = pack.source, pack.ledger.word
    provenance = pack.plan.provenance
    yield Paragraph(word(source.word("plan.json status", pack.plan.status_words)), bold=True)
    for stamp in pack.stamps:
        yield Paragraph(word(source.word("stamps", stamp)), bold=True)
    case, scenario = word(source.setting_word("name")), word(source.word("scenario", pack.plan.scenario))
    yield Paragraph(f"Case {case}, scenario {scenario}")
    yield Paragraph(
        f"Run {word(source.word('run id', pack.plan.run_id))}, "
        f"inputs {word(source.word('input hash', input_hash(pack.plan)))}"
    )
    versions = [f"optimizer {provenance['optimizer']}", str(provenance["solver"]), f"Python {provenance['python']}"]
    versions += [f"{name} {version}" for name, version in provenance["packages"].items()]
    yield Paragraph(word(source.word("provenance", listed(versions, len(versions)))))
    options = ", ".join(f"{name} {value}" for name, value in provenance["options"].items() if value is not None)
    yield Paragraph(f"Options: {word(source.word('provenance.options', options))}")
    for other in pack.others:
        told = f"{other.name}: run {other.plan.run_id}, {other.plan.word}"
        yield Paragraph(f"Compared with {word(other.word('run id', told))}")
    if pack.missing:
        yield Paragraph("Left out, because the study was not made", bold=True)
        for command in pack.missing:
            yield Paragraph(word(Word("commands of missing studies", command)), bullet=True)


def _audit_table(pack: Pack) -> Table:
    ledger, report = pack.ledger, pack.audit
    groups: dict[str, list[float]] = {}
    for check in (*report.checks, *report.nothing):
        told = groups.setdefault(check.group, [0, 0, 0])
        told[0] += 1
        told[1] += check.rows
        told[2] += not check.clean
    rows = []
    for group, counts in groups.items():
        figures = (
            Figure(key, count)
            for key, count in zip(
                (
                    at("audit/checks", "rule", "count", group=group),
                    at("audit/checks", "rows", group=group),
                    at("audit/checks", "rule", "count", group=group, clean=False),
                ),
                counts,
                strict=True,
            )
        )
        rows.append((group.capitalize(), *(ledger.whole(figure) for figure in figures)))
    return Table(
        "table:audit", ("Audit, plan and doing nothing", "Checks", "Rows", "Failed"), tuple(rows),
        (0.5, 0.16, 0.18, 0.16), "lrrr", largest=14,
    )  # fmt: skip

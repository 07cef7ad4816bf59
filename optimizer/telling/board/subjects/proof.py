"""Why the numbers may be believed: the method in ten lines, the audit, the versions."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.telling.board.blocks import WHOLE, Box, Paragraph, Section, Slide, Table, Texts
from optimizer.telling.board.figures import Figure, Word
from optimizer.telling.board.keys import Key, at
from optimizer.telling.board.pack import Pack
from optimizer.telling.board.receipts import input_hash
from optimizer.telling.board.tables import audit_table, provenance, written


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
        "Value is margin less capex, overheads and tax, each business at its hurdle rate: the price of capital.",
        "Debt and interest are cash and no value; fees and interest above the normal cost of debt are value.",
        "Liquidity keeps its minimum at the end of every quarter; capex keeps its budgets.",
        "Doing nothing is a plan of its own: mining at its best, commitments kept, nothing new; so is mining on, which "
        "keeps every rule as well.",
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
    broken = sum(not check.clean for check in report.every)
    rows = ledger.whole(Figure(Key("audit", "rows"), float(report.rows)))
    if broken:
        count = ledger.whole(Figure(at("audit/checks", "rule", "count", clean=False), float(broken)))
        fail = "check fails" if broken == 1 else "checks fail"
        return f"The audit is not clean: {count} {fail} among {rows} rows computed again"
    return f"The audit is clean: {rows} rows computed again, none misses"


def _papers(pack: Pack) -> Iterator[Paragraph]:
    source, word = pack.source, pack.ledger.word
    yield Paragraph(word(source.word("plan.json status", pack.plan.status_words)), bold=True)
    for stamp in pack.stamps:
        yield Paragraph(word(source.word("stamps", stamp)), bold=True)
    case, scenario = word(source.setting_word("name")), word(source.word("scenario", pack.plan.scenario))
    yield Paragraph(f"Case {case}, scenario {scenario}")
    yield Paragraph(
        f"Run {word(source.word('run id', pack.plan.run_id))}, "
        f"inputs {word(source.word('input hash', input_hash(pack.plan)))}"
    )
    for label, told in provenance(pack.plan)[-3:]:
        yield Paragraph(f"{label}: {word(source.word('provenance', told))}")
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
    for check in report.every:
        told = groups.setdefault(check.group, [0, 0, 0])
        told[0] += 1
        told[1] += check.rows
        told[2] += not check.clean
    rows = []
    for group, counts in groups.items():
        keys = (at("audit/checks", "rule", "count", group=group), at("audit/checks", "rows", group=group),
                at("audit/checks", "rule", "count", group=group, clean=False))  # fmt: skip
        figures = (Figure(key, count) for key, count in zip(keys, counts, strict=True))
        rows.append((group.capitalize(), *map(ledger.whole, figures)))
    return Table(
        "table:audit", ("Audit, plan and yardsticks", "Checks", "Rows", "Failed"), tuple(rows),
        (0.5, 0.16, 0.18, 0.16), "lrrr", largest=14,
    )  # fmt: skip


# ---- on a page ------------------------------------------------------------------------------------------------------

METHOD = (
    "Every site's power is divided among uses in every quarter: mining, halls under construction, AI capacity by "
    "product, and what stays unused. The uses of a site never draw more than its grid limit.",
    "Conversions come in whole blocks, each with its lead time, its cost by quarter and the quarter in which mining "
    "there has to stop. Offers are signed whole, once, or refused, on their own terms.",
    "Machines run where they earn more than their power, and are bought, moved and sold at market prices.",
    "Cash is reckoned quarter by quarter with debt, interest, fees, tax and the BTC held; liquidity may not fall below "
    "its minimum at the end of any quarter.",
    "Value is the present value of what sites, halls and machines bring and cost, each business at its hurdle rate, "
    "which holds the price of capital: interest is no value; fees and interest above the normal cost of debt are.",
    "Contracts that outlast the horizon run to their own end; a hall that stands free is worth its stated residual on "
    "that day, which falls by the calendar.",
    "The plan is the best of all plans that keep every rule, found as one mixed-integer linear program. The bound says "
    "how much better any plan could be; the gap is the bound less the value.",
    "Doing nothing is a plan too: no new start and no new contract, commitments honoured, machines run and sold as "
    "well as they can be. Where that company runs short of cash, the page says when and by how much.",
    "Prices and difficulty are those of one scenario, known in advance: the plan is the best for that scenario, and "
    "the studies say how it fares in others.",
    "Before this page was written the plan was audited by separate code, and every number on the page was read back "
    "from the file and held against the plan.",
)


def audit_section(pack: Pack) -> Section:
    """The word, what stands behind it, and every rule that was computed again."""
    report, run, money = pack.audit, pack.source.run, pack.ledger.money
    many = len({check.name for check in report.every})
    told = [
        pack.ledger.whole(Figure(Key("audit", name, plan=run), float(held)))
        for name, held in (("rules", many), ("rows", report.rows))
    ]
    clean = "none misses" if report.clean else "some miss"
    title = f"{told[0]} rules and {told[1]} rows were computed again from the decisions and the inputs; {clean}"
    value, bound = (money(pack.source.field(f"{name}_musd"), 3) for name in ("value", "bound"))
    facts = [
        f"{label}: {pack.ledger.word(pack.source.word('provenance', told))}" for label, told in provenance(pack.plan)
    ]
    facts.insert(1, f"Value {value}; by the bound of the search no plan is worth more than {bound}.")
    texts = Texts(tuple(Paragraph(text, bullet=True) for text in facts))
    rules = written(pack, audit_table(report, "rows", "breaches", "binding"))
    return Section("audit", "Audit and proof", title, (texts, rules))


def method_section() -> Section:
    """How the plan is found, in ten lines."""
    lines = tuple(Paragraph(line, bullet=True) for line in METHOD)
    return Section("method", "Method", "How the plan is found, in ten lines.", (Texts(lines),))

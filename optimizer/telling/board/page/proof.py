"""Why the numbers may be believed: the audit, the proof, the versions, and the method in ten lines."""

from __future__ import annotations

from markupsafe import Markup

from optimizer.telling.board.keys import place as at
from optimizer.telling.board.page.blocks import Column, Line, Section, Table, Words
from optimizer.telling.board.page.book import Book
from optimizer.telling.board.page.numbers import Name, words

METHOD = (
    "Every site's power is divided among uses in every quarter: mining, halls under construction, AI capacity by "
    "product, and what stays unused. The uses of a site never draw more than its grid limit.",
    "Conversions come in whole blocks, each with its lead time, its cost by quarter and the quarter in which mining "
    "there has to stop. Offers are signed whole, once, or refused, on their own terms.",
    "Machines run where they earn more than their power, and are bought, moved and sold at market prices.",
    "Cash is reckoned quarter by quarter with debt, interest, fees, tax and the BTC held; liquidity may not fall below "
    "its minimum at the end of any quarter.",
    "Value is the present value of all cash flows but debt drawn and repaid, each business at its own rate, dated in "
    "the middle of its quarter, in dollars of the day.",
    "Contracts that outlast the horizon run to their own end; what is left of halls and machines has the value that "
    "the case states.",
    "The plan is the best of all plans that keep every rule, found as one mixed-integer linear program. The bound says "
    "how much better any plan could be; the gap is the bound less the value.",
    "Doing nothing is a plan too: no new start and no new contract, commitments honoured, machines run and sold as "
    "well as they can be. Where that company runs short of cash, the page says when and by how much.",
    "Prices and difficulty are those of one scenario, known in advance: the plan is the best for that scenario, and "
    "the studies say how it fares in others.",
    "Before this page was written the plan was audited by separate code, and every number on the page was read back "
    "from the file and held against the plan.",
)


def audit(book: Book) -> Section:
    """The word, what stands behind it, and every rule that was computed again."""
    report = book.report
    clean = "none misses" if report.clean else "some miss"
    message = words(
        "{} rules and {} rows were computed again from the decisions and the inputs; {}.",
        book.number(len({c.name for c in (*report.checks, *report.nothing)}), "audit/rules", decimals=0),
        book.number(report.rows, "audit/rows", decimals=0), clean,
    )  # fmt: skip
    facts = Words(_facts(book), bullets=True)
    return Section("audit", "Audit and proof", message, (facts, _checks(book)))


def _facts(book: Book) -> list[Markup]:
    plan, provenance = book.plan, book.plan.provenance
    packages = provenance.get("packages", {})
    return [
        words("Status: {}", Name(plan.status_words)),
        words("Value {}; by the bound of the search no plan is worth more than {}.",
              book.number(plan.value_musd, "record/value_musd", "musd", 3),
              book.number(plan.bound_musd, "record/bound_musd", "musd", 3)),
        words("Run {}, inputs {}; case {}, scenario {}, known on {}.", Name(plan.run_id), Name(book.input_hash),
              Name(plan.case.settings.name), Name(plan.scenario), Name(str(plan.case.settings.as_of))),
        words("Solved by {} with version {} of this program, Python {}; {}.", Name(str(provenance.get("solver"))),
              Name(str(provenance.get("optimizer"))), Name(str(provenance.get("python"))),
              Markup(", ").join(words("{} {}", Name(name), Name(str(version))) for name, version in packages.items())),
    ]  # fmt: skip


def _checks(book: Book) -> Table:
    """Every check of the audit, with the rows it computed again."""
    frame = book.report.frame
    columns = [
        Column("plan", number=False), Column("group", number=False), Column("sentence", number=False), Column("rows"),
        Column("miss"), Column("binding"),
    ]  # fmt: skip
    rows = [
        Line(
            Name(row.rule), "",
            [
                row.plan, row.group, Name(row.sentence),
                *(book.number(float(getattr(row, column)), at(f"audit/checks/{column}", row=row.Index), decimals=0)
                  for column in ("rows", "breaches", "binding")),
            ],
        )
        for row in frame.itertuples()
        if row.rows
    ]  # fmt: skip
    return Table("Rules computed again", columns, rows, "rule", folded=True, sortable=True)


def method() -> Section:
    """How the plan is found, in ten lines."""
    return Section("method", "Method", Markup("How the plan is found, in ten lines."), (Words(METHOD, bullets=True),))

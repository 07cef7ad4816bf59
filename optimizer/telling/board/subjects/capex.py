"""Capex against its budget, by quarter, year, site and line."""

from __future__ import annotations

from dataclasses import replace

from optimizer.business.lines import LINES
from optimizer.ground.amounts import TOLD_MUSD
from optimizer.telling.board.blocks import Box, Chart, Paragraph, Section, Series, Slide, Table, Texts
from optimizer.telling.board.figures import Figure
from optimizer.telling.board.ledger import adds
from optimizer.telling.board.pack import Pack
from optimizer.telling.board.subjects.cash import TIGHT_MUSD, ends_apart


def capex(pack: Pack) -> Slide | None:
    """Capex by quarter, and what is spent to date against the budget; None where nothing is spent."""
    spent = _path(pack, "capex_musd")
    last = max((i for i, figure in enumerate(spent) if abs(figure.value) > 1e-9), default=-1)
    if last < 0:
        return None
    by_quarter, against = _charts(pack, pack.quarters[: min(len(spent), max(last + 2, 4))])
    blocks = (
        (Box(0, 0, 0.48, 0.07), Texts((Paragraph("By quarter, $M", bold=True),), largest=14)),
        (Box(0, 0.08, 0.48, 0.77), by_quarter),
        (Box(0.52, 0, 0.48, 0.07), Texts((Paragraph("Since the first quarter, $M", bold=True),), largest=14)),
        (Box(0.52, 0.08, 0.48, 0.77), against),
        (Box(0, 0.88, 1, 0.12), Texts(_of_years(pack, 6), largest=14)),
    )
    return Slide("capex", _title(pack), blocks, _note(pack))


def capex_section(pack: Pack) -> Section:
    """The same charts over the whole horizon, and capex by site and line."""
    topic, budget = "Capex and budget", pack.money("capex_budget_musd")
    if pack.source.due("capex_musd").value < TOLD_MUSD and not any(f.value for f in _path(pack, "capex_musd")):
        return Section("capex", topic, f"No capex is spent of a budget of {budget}")
    told = (*_of_years(pack, len(pack.plan.case.budget_years)), Paragraph(_note(pack), quiet=True))
    return Section("capex", topic, _title(pack), (*_charts(pack, pack.quarters), _by_site(pack), Texts(told)))


def _path(pack: Pack, column: str) -> tuple[Figure, ...]:
    return pack.source.by_quarter("capex_to_date", column, {}, pack.quarters)


def _charts(pack: Pack, quarters: tuple[str, ...]) -> tuple[Chart, Chart]:
    """Capex of the first so many quarters, and the sum of it against the budget."""
    budget, many = pack.source.due("capex_budget_musd"), len(quarters)
    columns = (Series("Capex, $M", _path(pack, "capex_musd")[:many], "strong"),)
    limit = Series("Budget", (budget,) * many, "quiet", dashed=True)
    so_far = Series("Spent to date", _path(pack, "to_date_musd")[:many], "strong")
    lines = _labelled(
        limit, so_far, f"budget {pack.ledger.money(budget)}", f"spent {pack.ledger.money(so_far.values[-1])}"
    )
    alts = ("Capex by quarter", "Capex to date against the budget")
    return (
        pack.over_time("capex", "columns", columns, alts[0], "$M in the quarter", quarters=quarters, share=0.45),
        pack.over_time("budget", "lines", lines, alts[1], "$M since the first quarter", quarters=quarters, share=0.45),
    )


def _labelled(limit: Series, so_far: Series, budget: str, spent: str) -> tuple[Series, Series]:
    """Both lines told at their ends, in one label where they end together: elsewhere it would name another amount."""
    if ends_apart(so_far, [limit], 1):
        return replace(limit, end_label=budget), replace(so_far, end_label=spent)
    return replace(limit, end_label=f"{budget}\n{spent}"), so_far


def _title(pack: Pack) -> str:
    ledger, due = pack.ledger, pack.source.due
    committed, left = due("capex_committed_musd"), due("capex_left_musd")
    budget = ledger.money(due("capex_budget_musd"))
    head = f"Capex of {ledger.money(due('capex_musd'))}"
    if committed.value > TIGHT_MUSD:
        head = f"New capex of {ledger.money(due('capex_new_musd'))} and {ledger.money(committed)} committed before"
    plural = committed.value > TIGHT_MUSD
    if left.value < TIGHT_MUSD:
        head += f" {'take' if plural else 'takes'} all of the budget of {budget}"
    else:
        head += f" {'leave' if plural else 'leaves'} {ledger.money(left)} of the {budget} budget"
    quarter = pack.source.kpi_word("peak_capex_quarter")
    if quarter is None:
        return head
    return f"{head}; the most in a quarter is {ledger.money(due('peak_capex_musd'))}, in {ledger.word(quarter)}"


def _of_years(pack: Pack, most: int) -> tuple[Paragraph, ...]:
    """What is spent of each year's own budget."""
    words = []
    for row in pack.source.inputs("budget_years")[:most]:
        spent = pack.source.total("capex_to_date", "capex_musd", {"year": str(row["year"])})
        budget = pack.ledger.money(row.figure("capex_budget_musd"))
        words.append(f"{pack.ledger.word(row.word('year'))}: {pack.ledger.money(spent)} of {budget}")
    return (Paragraph(f"Budgets of single years: {'; '.join(words)}."),) if words else ()


def _by_site(pack: Pack) -> Table:
    """Capex by site and line: the parts of the total."""
    held = pack.source.table("capex")
    sites, lines = list(dict.fromkeys(held["site"])), [name for name in LINES if (held["line"] == name).any()]
    rows, noted = [], ""
    for site in [*sites, None]:
        where = {} if site is None else {"site": site}
        parts = [pack.source.total("capex", "musd", {**where, "line": line}) for line in lines]
        whole = pack.source.total("capex", "musd", where)
        noted = noted or adds(parts, whole)
        name = "all sites" if site is None else pack.site(site) if site else "company"
        rows.append((name, *map(pack.ledger.fixed, (*parts, whole))))
    heads = ("site", *(LINES[line].words for line in lines), "total")
    caption = f"Capex by site and line, $M. {noted}".rstrip()
    return Table("table:capex", heads, tuple(rows), strong=frozenset({len(sites)}), caption=caption)


def _note(pack: Pack) -> str:
    paid, what = pack.source.due("tenant_advances_musd"), "Capex within the horizon, committed before and new"
    if abs(paid.value) < TIGHT_MUSD:
        return f"{what}."
    words = f"{what}, of which tenants advance {pack.ledger.money(paid)}"
    lines = {"line": "tenant_credits"}
    back = pack.source.total("cash_flow", "musd", lines) + pack.source.total("after_horizon", "musd", lines)
    if back.value < -TIGHT_MUSD:
        words += f" and take back as {pack.ledger.money(-back)} of credits on their rent, interest included"
    spent = _path(pack, "capex_musd")
    below = any(figure.value < -TIGHT_MUSD for figure in spent)
    return f"{words}.{' Below zero, they pay more than is spent.' if below else ''}"

"""The signed contracts as a timeline: when each delivers, what it takes and what it pays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from optimizer.ground.quarters import Quarter
from optimizer.telling.pictures.lettering import cut, first_said, musd, number, plain, width_in
from optimizer.telling.pictures.quarter_axis import quarter_axis
from optimizer.telling.pictures.rows import Rows, names_in, open_rows, rows_that_fit
from optimizer.telling.pictures.sheet import DARK, INK, LINE_IN, PALE, PAPER, SOFT, finish, label, open_sheet
from optimizer.telling.pictures.tables import plan_source

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan

HEAD_IN, FLOOR_IN = LINE_IN + 0.03, 0.2
OVER = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.5}
BASES = {"usd_per_kw_month": "/kW-month", "musd_per_it_mw_year": "M/IT MW-year", "usd_per_gpu_hour": "/GPU-hour"}


def draw_contracts(plan: Plan) -> Figure:
    """A bar for each contract from delivery to end, pale where it was committed before; the horizon as a line."""
    contracts = plan.contracts.sort_values(["delivery_quarter", "end_quarter"], kind="stable")
    sheet = open_sheet(_title(plan), plan_source(plan))
    if contracts.empty:
        sheet.write(sheet.left, sheet.top - 0.2, "No contract is signed in this plan.", color=SOFT)
        return finish(sheet)
    fitting = rows_that_fit(sheet, head=HEAD_IN, floor=FLOOR_IN)
    shown = list(contracts.iloc[:fitting].itertuples())
    hidden = f"; {len(contracts) - fitting} more in the table" if len(contracts) > fitting else ""
    committed = "; pale: committed before" if any(row.decided == "committed" for row in shown) else ""
    options = any(_term_end(plan, row) < Quarter.parse(str(row.end_quarter)) for row in shown)
    hatched = "; hatched: the tenant's options" if options else ""
    words = f"from delivery to end; dashed: end of the horizon{committed}{hatched}{hidden}"
    sheet.write(sheet.left, sheet.top - LINE_IN / 2, cut(words, sheet.width), color=SOFT)
    rows = open_rows(sheet, len(shown), head=HEAD_IN, floor=FLOOR_IN, most=0.58)
    _draw_rows(rows, shown, plan)
    return finish(sheet)


def _title(plan: Plan) -> str:
    contracts, offers = plan.contracts, len(plan.case.offers)
    if contracts.empty:
        return f"None of {offers} offers is signed."
    mw, worth, n = contracts["it_mw"].sum(), musd(contracts["value_musd"].sum()), len(contracts)
    if n == 1:
        return f"One signed contract takes {mw:,.1f} IT MW and is worth {worth} today."
    return f"{n} signed contracts take {mw:,.1f} IT MW and are worth {worth} today."


def _draw_rows(rows: Rows, shown: list[Any], plan: Plan) -> None:
    sheet, first, horizon = rows.sheet, int(plan.case.first), int(plan.case.last)
    names = names_in([text for row in shown for text in (_name(row), _detail(row))], 1.0, 2.5)
    if rows.lines == 1:
        names = names_in([_name(row) for row in shown], 1.0, 2.5)
    left, width = sheet.left + names, sheet.width - names - 0.05
    last = max(horizon, *(int(Quarter.parse(str(row.end_quarter))) for row in shown), horizon)
    axes = rows.axes(left, width)
    axes.set_xlim(-0.5, last - first + 0.5)
    quarter_axis(axes, [str(Quarter(at)) for at in range(first, last + 1)], width)
    axes.axvline(horizon - first + 0.5, color=INK, linewidth=0.9, linestyle=(0, (5, 2)), zorder=0)
    for i, row in enumerate(shown):
        rows.name(i, _name(row), names - 0.1, _detail(row))
        _draw_bar(axes, i, row, first, int(_term_end(plan, row)), width / (last - first + 1))


def _term_end(plan: Plan, row: Any) -> Quarter:
    """The last quarter of the term itself, or of the contract where that is earlier."""
    term = plan.case.term_end(str(row.offer), Quarter.parse(str(row.delivery_quarter)))
    return min(term, Quarter.parse(str(row.end_quarter)))


def _name(row: Any) -> str:
    return first_said(row.customer, row.offer)


def _detail(row: Any) -> str:
    return f"{number(row.it_mw)} IT MW {plain(row.product)}, {plain(row.site)}"


def _draw_bar(axes: Any, i: int, row: Any, first: int, term: int, quarter_in: float) -> None:
    """The bar with its price and quarters inside, or beside it where they do not fit; the tenant's options hatched."""
    start = int(Quarter.parse(str(row.delivery_quarter))) - first
    end, last = term - first, int(Quarter.parse(str(row.end_quarter))) - first
    dark = row.decided != "committed"
    axes.barh(i, end - start + 1, left=start - 0.5, height=0.6, facecolor=DARK if dark else PALE, edgecolor=DARK)
    if last > end:
        axes.barh(i, last - end, left=end + 0.5, height=0.6, facecolor=PAPER, edgecolor=DARK, hatch="///")
    price = f"${number(row.price)}{BASES.get(str(row.price_basis), '')}"
    inside, before = (end - start + 1) * quarter_in - 0.08, (start + 0.5) * quarter_in
    after = (axes.get_xlim()[1] - last - 0.5) * quarter_in
    whole = f"{price}, {row.delivery_quarter}-{Quarter(term)}"
    for words in (whole, price):
        if width_in(words) <= inside:
            label(axes, words, ((start + end) / 2, i), ha="center", va="center", color=PAPER if dark else INK)
            return
    words = whole if width_in(whole) <= max(before, after) - 0.1 else price
    if after >= before:
        label(axes, words, (last + 0.5, i), (4, 0), va="center", bbox=OVER)
    else:
        label(axes, words, (start - 0.5, i), (-4, 0), ha="right", va="center", bbox=OVER)

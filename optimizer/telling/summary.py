"""A plan told to a director: decisions in words, money, and megawatts by quarter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from optimizer.case.schema import MINING
from optimizer.ground.errors import PlanError
from optimizer.ground.quarters import Quarter
from optimizer.plan.figures import figures_of, sales_and_delays
from optimizer.plan.power_uses import limits_of, reach_limit, uses_there
from optimizer.plan.unused import standings

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan

BARS = " ▁▂▃▄▅▆▇█"
WIDTH = 110


def print_summary(plan: Plan, console: Console) -> None:
    """Print the summary; in a pipe it is the same words without trailing blanks."""
    with console.capture() as captured:
        console.print(summary(plan))
    lines = captured.get().splitlines()
    console.file.write("\n".join(line.rstrip() for line in lines) + "\n")


def summary(plan: Plan) -> RenderableType:
    """Headline, decisions by site, signed offers, money, and the megawatt chart."""
    settings = plan.case.settings
    head = Text(f"{settings.title}\n", style="bold")
    head.append(f"Scenario {plan.scenario}. {plan.status_words}.\n", style="default")
    parts: list[RenderableType] = [head]
    for title, body in (
        ("Decision by site", _decisions(plan)),
        ("Signed offers", _offers(plan)),
        ("Sold, and delivered late", _sold(plan)),
        ("Money", _money(plan)),
        ("Gross MW by quarter", _chart(plan)),
    ):
        if body is not None:
            parts += [Text(title, style="bold"), Padding(body, (0, 0, 1, 2))]
    return Group(*parts)


def _grid(rows: Iterable[tuple[str, ...]], right: tuple[int, ...] = ()) -> Table:
    rows = list(rows)
    table = Table.grid(padding=(0, 2))
    for i in range(len(rows[0])):
        table.add_column(justify="right" if i in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


# ---- decisions ----------------------------------------------------------------------------------------------------


def _decisions(plan: Plan) -> RenderableType:
    return _grid((site.site, _fate(plan, site.site)) for site in plan.case.sites)


def _fate(plan: Plan, site: str) -> str:
    starts = plan.starts[plan.starts["site"] == site]
    words = [_start_words(row) for row in starts.itertuples()]
    mined = plan.allocation[(plan.allocation["site"] == site) & (plan.allocation["use"] == MINING)]
    if len(mined):
        by_quarter = mined.groupby("quarter", sort=False)["gross_mw"].sum()
        first, last = by_quarter.index[0], by_quarter.index[-1]
        span = f"to {last}" if first == str(plan.case.first) else f"{first} to {last}"
        words.append(f"mines {span} ({by_quarter.iloc[0]:g} gross MW at first, {by_quarter.iloc[-1]:g} at last)")
    return "; ".join(words) if words else "neither mines nor converts"


def _start_words(row: Any) -> str:
    decided = " (committed)" if row.decided == "committed" else ""
    return (
        f"{row.gross_mw:g} gross MW ({row.it_mw:.1f} IT) become {row.product}, "
        f"start {row.start_quarter}, in service {row.service_quarter}{decided}"
    )


def _offers(plan: Plan) -> RenderableType:
    rows = [
        (
            row.offer, row.customer, f"{row.it_mw:.1f} IT MW {row.product} at {row.site}",
            f"{row.delivery_quarter}-{min(_term_end(plan, row), Quarter.parse(row.end_quarter))}",
            _price(row.price, row.price_basis),
        )
        for row in plan.contracts.itertuples()
    ]  # fmt: skip
    refused = Text(f"{len(plan.case.offers) - len(rows)} of {len(plan.case.offers)} refused")
    return Group(*([_grid(rows)] if rows else [Text("none")]), *_options_used(plan), refused)


def _options_used(plan: Plan) -> list[Text]:
    """How far tenants extend, where their options' prices are no higher than the market's."""
    used = [
        f"{row.offer} to {row.end_quarter}"
        for row in plan.contracts.itertuples()
        if Quarter.parse(row.end_quarter) > _term_end(plan, row)
    ]
    return [Text(f"Extended by the tenant's options: {', '.join(used)}")] if used else []


def _term_end(plan: Plan, row: Any) -> Quarter:
    return plan.case.term_end(str(row.offer), Quarter.parse(row.delivery_quarter))


def _price(price: float, basis: object) -> str:
    words = {"usd_per_kw_month": "/kW-month", "musd_per_it_mw_year": "M/IT MW-yr", "usd_per_gpu_hour": "/GPU-hour"}
    return f"${price:g}{words[str(basis)]}"


# ---- money --------------------------------------------------------------------------------------------------------


def _money(plan: Plan) -> RenderableType:
    """The lines that slide and page tell too; a terminal has a hyphen for a minus."""
    from optimizer.telling.board.ledger import MINUS
    from optimizer.telling.board.pack import alone
    from optimizer.telling.board.subjects.figures import money_lines

    pack = alone(plan)
    lines = (tuple(pack.ledger.plain(part).replace(MINUS, "-") for part in line) for line in money_lines(pack))
    return _grid(lines, right=(1,))


def _sold(plan: Plan) -> RenderableType | None:
    """What is sold and what is delivered late, in the words of every report; nothing where nothing is."""
    told = sales_and_delays(figures_of(plan))
    return Group(*(Text(f"{one.verb} {one.text}") for one in told)) if told else None


# ---- megawatts ----------------------------------------------------------------------------------------------------


def _chart(plan: Plan) -> RenderableType:
    """Every use and the unused as small bars up to the grid limit, the scale of them all."""
    table = plan.megawatts
    quarters = list(table.columns)
    limits = limits_of(plan)
    head = f"{quarters[0]}{quarters[-1]:>{max(1, len(quarters) - len(quarters[0]))}}"
    rows: list[tuple[str, ...]] = [("", head, "first", "most", "last")]
    series = {use.words: table.loc[name].tolist() for name, use in uses_there(plan).items()}
    for words, values in (*series.items(), ("grid limit", limits)):
        figures = (f"{mw:,.0f}" for mw in (values[0], max(values), values[-1]))
        rows.append((words, _bars(values, max(limits, default=0.0)), *figures))
    return Group(_grid(rows, right=(2, 3, 4)), *_short_of_limit(plan, series), *_unused(plan))


def _unused(plan: Plan) -> list[RenderableType]:
    """What stands unused at last, by site and why; where nothing does then, until when."""
    rows = []
    for one in standings(plan):
        when = one.quarter if one.quarter == plan.case.last else f"until {one.quarter}"
        rows.append((f"{one.gross_mw:,.0f}", f"{', '.join(one.sites)}, {when}: {one.reason.words}"))
    return [Text(), Text("Gross MW unused at last, by site and why"), _grid(rows, right=(0,))] if rows else []


def _short_of_limit(plan: Plan, series: Mapping[str, Sequence[float]]) -> list[Text]:
    """A sentence where the uses of an edited plan do not add up to the grid limit."""
    try:
        reach_limit(plan.case.horizon, series, limits_of(plan))
    except PlanError as error:
        return [Text(str(error), style="bold")]
    return []


def _bars(values: Sequence[float], top: float) -> str:
    steps = len(BARS) - 1
    return "".join(BARS[0 if mw <= 0 else max(1, round(mw / (top or 1.0) * steps))] for mw in values)

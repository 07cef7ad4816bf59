"""Megawatts at the meter: who takes them from a site's grid connection, quarter by quarter."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from optimizer.auditors.books import ZERO, Books, decimal
from optimizer.auditors.halls import batches
from optimizer.auditors.machines import IDLE, RUNNING
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.tolerances import A_FEW_DIGITS, WATT
from optimizer.ground.quarters import Quarter

MACHINES = (RUNNING, IDLE)
UNUSED = "unused"
CONSTRUCTION = "construction"

Place = tuple[str, Quarter]


def record(books: Books) -> None:
    """Megawatts alone move no money."""


def grid_limit(books: Books, site: str, quarter: Quarter) -> Decimal:
    """Gross MW that a site may draw: its last energisation step that has come."""
    steps = [row for row in books.inputs.rows_of("site_limits", "site", site) if row.from_quarter <= quarter]
    return decimal(max(steps, key=lambda row: row.from_quarter).limit_gross_mw) if steps else ZERO


def group_limit(books: Books, group: str, quarter: Quarter) -> Decimal:
    """Gross MW that a group's sites may draw together: its last step that has come."""
    steps = [row for row in books.inputs.rows_of("grid_group_limits", "group", group) if row.from_quarter <= quarter]
    return decimal(max(steps, key=lambda row: row.from_quarter).limit_gross_mw) if steps else ZERO


def checks(books: Books) -> Iterator[Check]:
    power = Tally(
        "rules", "site_power",
        "The uses of a site never draw more than its grid limit: machines installed and blocks handed over.",
        "gross MW", WATT,
    )  # fmt: skip
    table = Tally(
        "roll-forward", "allocation_table",
        "The uses of a site, unused megawatts included, add up to its grid limit; halls are there as started.",
        "gross MW", A_FEW_DIGITS,
    )  # fmt: skip
    stated = _stated(books)
    halls = _halls(books)
    drawn: dict[Place, Decimal] = {}
    for site in books.case.rows("sites"):
        for quarter in books.case.horizon:
            place = site.site, quarter
            uses, due = stated.pop(place, {}), halls.get(place, {})
            _compare(table, f"{place[0]} in {quarter}", uses, due)
            machines = sum((mw for (use, _), mw in uses.items() if use in MACHINES), ZERO)
            limit = grid_limit(books, *place)
            drawn[place] = machines + sum(due.values(), ZERO)
            power.at_most(place[0], drawn[place], limit, quarter)
            table.equal(f"{place[0]} in {quarter}: all uses", sum(uses.values(), ZERO), limit)
            table.holds(f"{place[0]} in {quarter}: unused is told", (UNUSED, "") in uses)
    for place in stated:
        table.holds(f"{place[0]} in {place[1]}: no such row is due", False)
    yield power.check()
    yield _groups(books, drawn)
    yield table.check()


def _groups(books: Books, drawn: dict[Place, Decimal]) -> Check:
    tally = Tally(
        "rules", "grid_groups",
        "Sites that share a limit of the grid never draw more than it together.", "gross MW", WATT,
    )  # fmt: skip
    for group in dict.fromkeys(row.group for row in books.case.rows("grid_groups")):
        sites = [row.site for row in books.inputs.rows_of("grid_groups", "group", group)]
        for quarter in books.case.horizon:
            together = sum((drawn[site, quarter] for site in sites), ZERO)
            tally.at_most(group, together, group_limit(books, group, quarter), quarter)
    return tally.check()


def _stated(books: Books) -> dict[Place, dict[tuple[str, str], Decimal]]:
    uses: dict[Place, dict[tuple[str, str], Decimal]] = {}
    for row in books.table("allocation"):
        here = uses.setdefault((row["site"], row["quarter"]), {})
        use = row["use"], row["detail"]
        here[use] = here.get(use, ZERO) + row["gross_mw"]
    return uses


def _halls(books: Books) -> dict[Place, dict[tuple[str, str], Decimal]]:
    """Gross MW of blocks from hand-over on: under construction, then in service as what they are let as."""
    taken: dict[Place, dict[tuple[str, str], Decimal]] = {}
    for batch in batches(books):
        option = batch.option
        for quarter in books.case.horizon:
            if quarter < batch.handover:
                continue
            here = taken.setdefault((option.site, quarter), {})
            for name, blocks in batch.in_service(quarter).items() or ((CONSTRUCTION, batch.blocks),):
                use = name, option.option
                here[use] = here.get(use, ZERO) + blocks * decimal(option.block_gross_mw)
    return taken


def _compare(
    table: Tally, where: str, uses: dict[tuple[str, str], Decimal], due: dict[tuple[str, str], Decimal]
) -> None:
    for use in {**uses, **due}:
        if use[0] in MACHINES or use[0] == UNUSED:
            table.at_least(f"{where}: {' '.join(use).strip()}", uses[use], ZERO)
        else:
            table.equal(f"{where}: {' '.join(use)}", uses.get(use, ZERO), due.get(use, ZERO))

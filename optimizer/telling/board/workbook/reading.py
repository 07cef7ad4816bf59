"""The written workbook read again: every number must be the plan's, every formula one of ours, every check 0."""

from __future__ import annotations

from optimizer.files.sheets import Cell, read_workbook
from optimizer.ground.errors import PlanError
from optimizer.telling.board.workbook.sheets import Workbook

MOST_TOLD = 5


def refuse_untrue(data: bytes, desk: Workbook) -> None:
    """Hold the bytes of a workbook against the ledger of what was put into it. Raises PlanError."""
    read: dict[str, list[float]] = {}
    wrong: list[str] = []
    places: set[str] = set()
    for sheet in read_workbook(data).sheets:
        for (row, column), cell in sheet.cells.items():
            place = desk.sheets[sheet.name].place(row - 1, column - 1)
            places.add(place)
            wrong += _of_cell(place, cell, desk, read)
    wrong += [f"{place}: {desk.texts[place][:40]!r} is lost" for place in sorted(desk.texts.keys() - places)]
    wrong += [f"{place}: its check is lost" for place in sorted(desk.zeros - places)]
    wrong += desk.ledger.check(read)
    if wrong:
        told = "\n".join(f"  {line}" for line in wrong[:MOST_TOLD])
        more = f"\n  and {len(wrong) - MOST_TOLD} more" if len(wrong) > MOST_TOLD else ""
        raise PlanError(f"The workbook does not say what the plan holds; nothing was written:\n{told}{more}")


def _of_cell(place: str, cell: Cell, desk: Workbook, read: dict[str, list[float]]) -> list[str]:
    """What is wrong with a cell by itself; its number, if it needs a receipt, goes to `read`."""
    if (cell.formula is not None) != (place in desk.formulas):
        return [f"{place}: a formula that is not the program's"] if cell.formula else [f"{place}: its formula is lost"]
    if cell.kind == "text":
        return (
            [] if cell.text == desk.texts.get(place) else [f"{place}: says {cell.text[:40]!r}, which was not put there"]
        )
    if cell.kind not in ("number", "dummy"):  # a formula's 0 here is the program's own result, not a place holder
        return [f"{place}: holds {cell.text!r}, which is no number"]
    number = float(cell.text)
    if place in desk.zeros:
        return [] if number == 0 else [f"{place}: a check does not hold ({number:g})"]
    if place not in desk.tolerances:
        read.setdefault(place, []).append(number)
    return []

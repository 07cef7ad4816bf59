"""What a block of a hall costs, line by line and quarter by quarter; the model multiplies it with its decisions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from optimizer.case.case import Case
    from optimizer.case.schema import Option
    from optimizer.ground.quarters import Quarter

Amounts = npt.NDArray[np.float64]
Outlay = tuple[str, "Quarter", Amounts]
"""A line of the statement, its first quarter, and what is paid from it on, $M, positive."""


def outlays_of_block(case: Case, option: Option, start: Quarter) -> Iterator[Outlay]:
    """Deposits, the hall by its curve less them, and GPUs by theirs, for one block that starts in a quarter."""
    it_mw = case.it_mw_of_block(option)
    cost = case.facility_musd_per_it_mw(option) * it_mw
    ordered = [row for row in case.deposits if row.option == option.option]
    for row in ordered:
        yield "facility_capex", start - row.quarters_before, np.array([cost * row.share])
    facility = cost * (1 - sum(row.share for row in ordered)) * np.array(case.profile[option.facility_curve])
    yield "facility_capex", start, facility
    yield "gpu_capex", start, option.gpu_musd_per_it_mw * it_mw * np.array(case.profile[option.gpu_curve])

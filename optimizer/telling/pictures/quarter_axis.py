"""An axis of quarters: numbered from the first, a tick at the first quarter of a year."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optimizer.telling.pictures.lettering import width_in


def quarter_axis(axes: Any, quarters: Sequence[str], width: float) -> None:
    """Name the years where they begin, as many as there is room for; quarters, where there are few."""
    few = len(quarters) <= width / (width_in("2026Q1") + 0.12)
    starts = [i for i, quarter in enumerate(quarters) if few or quarter.endswith("Q1")] or [0]
    step = 1
    while len(starts[::step]) > width / (width_in("2026") + 0.15) and not few:
        step += 1
    names = [quarters[i] if few or not quarters[i].endswith("Q1") else quarters[i][:4] for i in starts]
    axes.set_xticks(starts[::step], names[::step])

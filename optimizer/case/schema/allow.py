"""What a case means although it looks like a mistake."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from optimizer.case.schema.base import Row
from optimizer.ground.cells import Text

_Any = Annotated[str, Field(min_length=1)]


class Allow(Row):
    table = "allow"
    key = ("file", "column", "row")
    required = False
    about = (
        "Numbers outside the bands of docs/units.md that are meant. `optimizer check` names file, column and row of "
        "each; `*` stands for anything, also inside a row's key: `headline, *`."
    )
    file: Annotated[_Any, Field(description="`tariffs.csv`, `case.toml`, or `*`")]
    column: Annotated[_Any, Field(description="a column or a setting, or `*`")]
    row: Annotated[_Any, Field(description="the row's key, its parts separated by comma and space, or `*`")]
    reason: Annotated[Text, Field(description="why the number is right, in one sentence")]

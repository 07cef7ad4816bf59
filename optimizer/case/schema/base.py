"""What a row of a case table is, and the kinds of numbers that columns hold."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from optimizer.ground.cells import Number, Whole
from optimizer.ground.findings import Finding, Severity, as_told
from optimizer.ground.power import MINING as MINING

ProductKind = Literal["colocation", "gpu_service"]
PriceBasis = Literal["usd_per_kw_month", "musd_per_it_mw_year", "usd_per_gpu_hour"]
CapexLevel = Literal["low", "base", "high"]
ANY = "*"


class Row(BaseModel):
    """One row of a case table: immutable, checked, and knowing the line it came from."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)

    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    required: ClassVar[bool] = True
    about: ClassVar[str]

    _line: int | None = PrivateAttr(default=None)

    @property
    def file_line(self) -> int | None:
        """The line of the file that this row was read from; None for a row made by a script."""
        return self._line

    def __eq__(self, other: object) -> bool:
        """Equal in every column; the line a row came from does not count."""
        return type(other) is type(self) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.values()))

    def finding(self, why: str, mend: str = "", column: str = "", severity: Severity = "error") -> Finding:
        """A finding at this row; its value is what the column holds."""
        value = as_told(getattr(self, column)) if column in type(self).model_fields else ""
        return Finding(f"{self.table}.csv", why, mend, line=self._line, column=column, value=value, severity=severity)

    def identity(self) -> tuple[object, ...]:
        """The values of the key columns; no two rows of a table share them."""
        return tuple(getattr(self, name) for name in self.key)


Share = Annotated[Number, Field(ge=0, le=1)]
Positive = Annotated[Number, Field(gt=0)]
NotNegative = Annotated[Number, Field(ge=0)]
Rate = Annotated[Number, Field(gt=-1, le=1)]
Quarters = Annotated[Whole, Field(ge=1, le=120)]

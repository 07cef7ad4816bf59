"""What the company owes and allows itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from optimizer.cells import Maybe, Name, QuarterCell, Whole
from optimizer.schema.base import NotNegative, Row


class Overhead(Row):
    table = "overheads"
    key = ("quarter",)
    about = "What the company costs whatever it does. One row for each quarter of the horizon."
    quarter: Annotated[QuarterCell, Field(description="the quarter")]
    g_and_a_musd: Annotated[NotNegative, Field(description="general and administrative cost")]


class Obligation(Row):
    table = "obligations"
    key = ("quarter", "name", "kind")
    required = False
    about = "Dated payments and receipts that are already owed. Principal moves cash and is no value."
    quarter: Annotated[QuarterCell, Field(description="the quarter")]
    name: Annotated[Name, Field(description="the note, loan or sale")]
    kind: Annotated[
        Literal["interest", "fee", "principal", "asset_sale"],
        Field(description="interest, fee and principal are paid; asset_sale is received"),
    ]
    musd: Annotated[NotNegative, Field(description="amount, always positive")]


class BudgetYear(Row):
    table = "budget_years"
    key = ("year",)
    required = False
    about = "Capex ceilings of single calendar years, beside the total budget. A year without a row has none."
    year: Annotated[Whole, Field(ge=2000, le=2200, description="calendar year")]
    capex_budget_musd: Annotated[NotNegative, Field(description="most that may be spent in it")]


class UseLimit(Row):
    table = "use_limits"
    key = ("policy",)
    required = False
    about = (
        "Floors and ceilings that a policy puts on mining or on one product. Mining counts installed machines, "
        "a product its capacity in service."
    )
    policy: Annotated[Name, Field(description="its name, as reports shall call it")]
    use: Annotated[Name, Field(description="`mining` or a product")]
    site: Annotated[Annotated[str, Field(min_length=1)], Field(description="a site, or `*` for all sites together")]
    first: Annotated[QuarterCell, Field(description="first quarter in which it holds")]
    last: Annotated[QuarterCell, Field(description="last quarter in which it holds")]
    basis: Annotated[
        Literal["gross_mw", "it_mw"],
        Field(description="which megawatts the numbers count; mining has gross MW only"),
    ]
    min_mw: Annotated[NotNegative | None, Maybe, Field(description="floor; blank: none")]
    max_mw: Annotated[NotNegative | None, Maybe, Field(description="ceiling; blank: none")]

"""What the company owes and allows itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from optimizer.case.schema.base import NotNegative, Quarters, Rate, Row, Share
from optimizer.ground.cells import Maybe, Name, QuarterCell, Whole, YesNo


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


class BaseRate(Row):
    table = "base_rates"
    key = ("scenario", "base_rate", "quarter")
    required = False
    about = "Paths of floating rates. For each base rate, one row for each scenario and quarter of the horizon."
    scenario: Annotated[Name, Field(description="a scenario")]
    base_rate: Annotated[Name, Field(description="its name, as facilities use it")]
    quarter: Annotated[QuarterCell, Field(description="the quarter")]
    rate: Annotated[Rate, Field(description="yearly rate")]


class Facility(Row):
    table = "facilities"
    key = ("facility",)
    required = False
    about = (
        "Loans and notes: drawn already, or to be drawn. Draws are made at the start of a quarter, repaid at its end. "
        "What secures a loan stands in `collateral.csv`; without rows there the company borrows."
    )
    facility: Annotated[Name, Field(description="its name")]
    commitment_musd: Annotated[NotNegative, Field(description="most that may be drawn, what is drawn already included")]
    drawn_musd: Annotated[NotNegative, Field(description="balance at the start of the first quarter")]
    available_first: Annotated[
        QuarterCell | None, Maybe, Field(description="first quarter in which it can be drawn; blank: it cannot")
    ]
    available_last: Annotated[
        QuarterCell | None, Maybe, Field(description="last quarter in which it can be drawn; blank: it cannot")
    ]
    maturity: Annotated[QuarterCell, Field(description="quarter at whose end the last of it is repaid")]
    base_rate: Annotated[Name | None, Maybe, Field(description="floating rate it adds to; blank: the rate is fixed")]
    margin: Annotated[Rate, Field(description="yearly spread over the base rate, or the fixed rate itself")]
    upfront_fee: Annotated[Share, Field(description="share of the commitment, paid in `available_first` if it is used")]
    undrawn_fee: Annotated[
        Share, Field(description="yearly share of what is not drawn while it could be, if it is used")
    ]
    interest_every_quarters: Annotated[Whole, Field(ge=1, le=4, description="quarters between payments of interest")]
    loan_to_cost: Annotated[
        Share | None,
        Maybe,
        Field(description="largest balance as a share of its halls' cost so far; blank: none"),
    ]
    minimum_cash_musd: Annotated[
        NotNegative | None, Maybe, Field(description="cash at each quarter's end while it is outstanding; blank: none")
    ]
    dscr: Annotated[
        NotNegative | None,
        Maybe,
        Field(
            description="least AI margin of its halls over the debt service of all that rank equal or before it there; "
            "blank: none"
        ),
    ]
    dscr_from: Annotated[QuarterCell | None, Maybe, Field(description="first quarter in which `dscr` is tested")]
    prepayable: Annotated[YesNo, Field(description="yes if it may be repaid ahead of schedule at no cost")]
    requires_offer: Annotated[
        Name | None, Maybe, Field(description="offer that must be signed for it to be drawn; blank: none")
    ]
    refinances: Annotated[
        Name | None, Maybe, Field(description="facility whose repayment is all that it may be drawn for; blank: free")
    ]
    rank: Annotated[
        Annotated[Whole, Field(ge=1, le=9)] | None,
        Maybe,
        Field(description="1: senior, 2: behind that, ...; blank: 1"),
    ] = None
    first_coupon: Annotated[
        QuarterCell | None,
        Maybe,
        Field(description="a quarter in which interest is paid; needed where not every quarter is one"),
    ] = None

    @property
    def can_be_drawn(self) -> bool:
        return self.available_first is not None


class Collateral(Row):
    table = "collateral"
    key = ("facility", "option")
    required = False
    about = (
        "What secures a facility: the halls of options, all of a site's options for a product or none. Loans with a "
        "hall in common share its cost and its margin."
    )
    facility: Annotated[Name, Field(description="a facility")]
    option: Annotated[Name, Field(description="an option whose halls secure it")]


class BtcSale(Row):
    table = "btc_schedule"
    key = ("quarter",)
    required = False
    about = "BTC of the opening holding to be sold, where `btc_rule` is `schedule`. Quarters without a row sell none."
    quarter: Annotated[QuarterCell, Field(description="the quarter")]
    btc: Annotated[NotNegative, Field(description="BTC sold in it")]


class Amortisation(Row):
    table = "amortisation"
    key = ("facility", "quarter")
    required = False
    about = "Repayment schedules, as shares of what was drawn. A facility without rows is repaid at maturity."
    facility: Annotated[Name, Field(description="a facility")]
    quarter: Annotated[QuarterCell, Field(description="quarter at whose end it is repaid")]
    share: Annotated[Share, Field(description="share of all that was drawn")]


class Depreciation(Row):
    table = "depreciation"
    key = ("line",)
    required = False
    about = "Straight-line lives for tax. A capex line without a row is never deducted."
    line: Annotated[
        Literal["facility_capex", "gpu_capex", "mobilisation", "machine_purchases"],
        Field(description="line of the cash-flow statement"),
    ]
    quarters: Annotated[
        Quarters, Field(description="quarters over which it is deducted, from the quarter of payment on")
    ]

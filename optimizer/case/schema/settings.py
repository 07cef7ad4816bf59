"""`case.toml`: the company, the horizon, its money and its policies."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from optimizer.case.schema.base import CapexLevel, NotNegative, Positive, Rate, Share
from optimizer.ground.cells import DateCell, FolderName, Number, QuarterCell, Text, Whole, YesNo


class Settings(BaseModel):
    """`case.toml`: the company, the horizon, its money and its policies."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)

    format: Annotated[Whole, Field(ge=2, le=2, description="version of this case format; today 2")]
    name: Annotated[FolderName, Field(description="short name of the case, used for folders")]
    title: Annotated[Text, Field(description="one line for reports")]
    as_of: Annotated[DateCell, Field(description="the day whose knowledge the case holds")]
    currency: Annotated[Literal["USD"], Field(description="all money is US dollars")]
    money_basis: Annotated[Literal["nominal"], Field(description="dollars of the day, discounted at nominal rates")]
    first_quarter: Annotated[
        QuarterCell, Field(description="first quarter of the horizon; value is dated at its start")
    ]
    quarters: Annotated[Whole, Field(ge=1, le=60, description="length of the horizon in quarters")]
    capex_level: Annotated[
        CapexLevel, Field(description="which of the three facility capex figures of the options holds")
    ]
    capex_budget_musd: Annotated[
        NotNegative,
        Field(
            description="$M that may be spent on capex within the horizon, committed spending included, "
            "whatever tenants advance of it"
        ),
    ]
    opening_cash_musd: Annotated[Number, Field(description="$M of cash at the start of the first quarter")]
    minimum_cash_musd: Annotated[NotNegative, Field(description="$M that cash may not fall below at any quarter's end")]
    subsidy_btc: Annotated[
        Positive, Field(description="block subsidy in BTC on the first day of the horizon, as the protocol has it")
    ]
    halvings: Annotated[
        tuple[DateCell, ...],
        Field(
            description="days to come on which the subsidy halves, as the protocol has them; inside a quarter, "
            "weighted by days"
        ),
    ]
    discount_rates: Annotated[
        dict[str, Rate],
        Field(
            description="yearly rates: `corporate` always; `mining` or a product's name to override it for that line; "
            "`debt`: what borrowing normally costs the company, at which fees and customers' money count"
        ),
    ]
    mining_ends: Annotated[
        QuarterCell | None, Field(description="policy: the last quarter in which any machine runs")
    ] = None
    max_blocks_under_construction: Annotated[
        Whole | None, Field(ge=0, description="policy: blocks under construction at once, all sites together")
    ] = None
    max_it_mw_under_construction: Annotated[
        NotNegative | None, Field(description="policy: IT MW under construction at once, all sites together")
    ] = None
    max_customer_share: Annotated[
        Share | None,
        Field(description="policy: the largest share of a quarter's rent that one customer may pay"),
    ] = None
    cash_rate: Annotated[
        Rate | None,
        Field(description="yearly interest on cash, on each quarter's opening balance; left out: none"),
    ] = None
    btc_held: Annotated[
        NotNegative | None, Field(description="BTC in the treasury at the start of the first quarter; left out: none")
    ] = None
    btc_liquidity_share: Annotated[
        Share | None,
        Field(description="share of the market value of BTC held that counts towards the minimum liquidity"),
    ] = None
    btc_rule: Annotated[
        Literal["sell_mined", "schedule", "free"],
        Field(
            description="sell_mined: what is mined is sold at once, BTC held are kept until liquidity needs them; "
            "schedule: BTC held are sold by `btc_schedule.csv`; free: mined BTC may be kept too, which assumes that "
            "the price path is known; left out: sell_mined"
        ),
    ] = "sell_mined"
    minimum_btc: Annotated[
        NotNegative | None, Field(description="policy: BTC held at the end of every quarter; left out: none")
    ] = None
    max_btc_sales_per_quarter: Annotated[
        NotNegative | None, Field(description="policy: BTC sold from the treasury in a quarter; left out: any number")
    ] = None
    market_looks_ahead_quarters: Annotated[
        Whole,
        Field(
            ge=1,
            le=40,
            description="machines are priced by the mean hashprice of so many quarters from the sale on, since buyers "
            "know what comes; left out: 8",
        ),
    ] = 8
    allow_planned_lateness: Annotated[
        YesNo, Field(description="yes if a plan may deliver new contracts late on purpose; left out: no")
    ] = False
    end_coverage: Annotated[
        NotNegative | None,
        Field(
            description="what is owed at the horizon's end, less cash above the minimum, as a share of the cash that "
            "contracts and residuals still bring; left out: 1"
        ),
    ] = None
    tax_rate: Annotated[Share | None, Field(description="tax on profits, share; left out: the case is before tax")] = (
        None
    )
    tax_losses_musd: Annotated[
        NotNegative | None, Field(description="losses carried forward at the start of the first quarter, $M")
    ] = None
    tax_loss_use: Annotated[
        Share | None, Field(description="largest share of a quarter's profit that carried losses may offset")
    ] = None
    max_customer_share_from: Annotated[
        QuarterCell | None, Field(description="first quarter in which `max_customer_share` holds")
    ] = None

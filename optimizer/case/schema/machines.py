"""Mining machines and the bitcoin market."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from optimizer.case.schema.base import NotNegative, Positive, Quarters, Row
from optimizer.ground.cells import Maybe, Name, Number, QuarterCell, Whole
from optimizer.ground.quarters import Quarter


class Asic(Row):
    table = "asics"
    key = ("asic",)
    about = "Classes of mining machines."
    asic: Annotated[Name, Field(description="its name")]
    joules_per_th: Annotated[Number, Field(ge=3, le=150, description="efficiency at the wall, J/TH")]
    uptime: Annotated[Number, Field(gt=0, le=1, description="share of the hours that it runs when wanted")]
    pool_fee: Annotated[Number, Field(ge=0, lt=1, description="share of the reward that the pool keeps")]
    overhead: Annotated[
        Number, Field(ge=0, lt=1, description="the site's own use (fans, transformers) per watt of machine")
    ]
    retires_after: Annotated[
        QuarterCell | None,
        Maybe,
        Field(description="last quarter in which it is fit to run; blank: beyond the horizon"),
    ]
    residual_usd_per_th: Annotated[
        NotNegative, Field(description="what a machine still installed at the horizon's end is worth")
    ]
    th_per_unit: Annotated[
        Positive | None, Maybe, Field(description="TH/s of one machine; needed where the fleet is counted in units")
    ] = None
    bought: Annotated[
        QuarterCell | None, Maybe, Field(description="first quarter of its life; with `life_quarters`, its age")
    ] = None
    life_quarters: Annotated[
        Quarters | None,
        Maybe,
        Field(description="quarters that it is fit to run from `bought` on; the earlier of this and `retires_after`"),
    ] = None

    @property
    def fit_until(self) -> Quarter | None:
        """The last quarter in which the class is fit to run; None: beyond the horizon."""
        aged = None if self.bought is None or self.life_quarters is None else self.bought + self.life_quarters - 1
        ends = [end for end in (self.retires_after, aged) if end is not None]
        return min(ends, default=None)


class Fleet(Row):
    table = "fleet"
    key = ("site", "asic")
    required = False
    about = "Machines installed at the start of the horizon."
    site: Annotated[Name, Field(description="a site")]
    asic: Annotated[Name, Field(description="a class of machines")]
    gross_mw: Annotated[
        Positive | None, Maybe, Field(description="MW at the meter that they draw when they run; or give `units`")
    ] = None
    units: Annotated[Positive | None, Maybe, Field(description="number of machines, instead of `gross_mw`")] = None


class MachineMarket(Row):
    table = "machine_markets"
    key = ("asic",)
    required = False
    about = (
        "Prices of machines, which follow hashprice, the mean of the quarters that `market_looks_ahead_quarters` "
        "counts: `price x (hashprice / reference) ** elasticity`. "
        "A class without a row can be neither sold, bought nor moved."
    )
    asic: Annotated[Name, Field(description="a class of machines")]
    resale_usd_per_th: Annotated[
        NotNegative, Field(description="what a machine sells for in the first quarter at the reference hashprice")
    ]
    purchase_usd_per_th: Annotated[
        Positive | None, Maybe, Field(description="what a machine costs at the reference hashprice; blank: not bought")
    ]
    delivery_quarters: Annotated[
        Whole, Field(ge=0, le=12, description="quarters from payment of a purchase to installation")
    ]
    reference_hashprice_usd_per_ph_day: Annotated[Positive, Field(description="hashprice that the prices belong to")]
    elasticity: Annotated[
        Number, Field(ge=0, le=5, description="relative change of the prices per relative change of hashprice")
    ]
    yearly_decline: Annotated[
        Number, Field(ge=0, lt=1, description="share that the resale price loses each year, hashprice aside")
    ]
    moving_cost_musd_per_gross_mw: Annotated[
        NotNegative | None, Maybe, Field(description="cost of moving a gross MW to another site; blank: not moved")
    ]
    max_sales_mw_per_quarter: Annotated[
        NotNegative | None,
        Maybe,
        Field(description="gross MW of the class that the market takes in a quarter; blank: any number"),
    ] = None


class BitcoinMarket(Row):
    table = "bitcoin"
    key = ("scenario", "quarter")
    about = (
        "The bitcoin market, quarter by quarter. Hashprice is given directly, or follows from price, difficulty, "
        "subsidy and fees. One row for each scenario and quarter of the horizon."
    )
    scenario: Annotated[Name, Field(description="a scenario")]
    quarter: Annotated[QuarterCell, Field(description="the quarter")]
    btc_usd: Annotated[Positive, Field(description="price of one BTC")]
    difficulty_t: Annotated[
        Positive | None,
        Maybe,
        Field(description="network difficulty in trillions; blank where hashprice is given"),
    ]
    fees_btc_per_block: Annotated[
        NotNegative | None, Maybe, Field(description="fees in a block; blank where hashprice is given")
    ]
    hashprice_usd_per_ph_day: Annotated[
        NotNegative | None,
        Maybe,
        Field(description="hashprice itself; blank where it follows from the columns before"),
    ]

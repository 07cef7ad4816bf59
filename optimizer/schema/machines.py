"""Mining machines and the bitcoin market."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from optimizer.cells import Maybe, Name, Number, QuarterCell
from optimizer.schema.base import NotNegative, Positive, Row


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


class Fleet(Row):
    table = "fleet"
    key = ("site", "asic")
    required = False
    about = "Machines installed at the start of the horizon."
    site: Annotated[Name, Field(description="a site")]
    asic: Annotated[Name, Field(description="a class of machines")]
    gross_mw: Annotated[Positive, Field(description="MW at the meter that they draw when they run")]


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

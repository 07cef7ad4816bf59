"""AI products and the halls that serve them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from optimizer.case.schema.base import NotNegative, Positive, PriceBasis, ProductKind, Quarters, Row, Share
from optimizer.ground.cells import Maybe, Name, Number, QuarterCell, Whole, YesNo


class Product(Row):
    table = "products"
    key = ("product",)
    about = "What AI capacity is sold as, and the terms of selling it uncontracted at the market."
    product: Annotated[Name, Field(description="its name")]
    kind: Annotated[
        ProductKind, Field(description="colocation (the tenant owns the GPUs) or gpu_service (we own them)")
    ]
    power_passed_through: Annotated[YesNo, Field(description="market sales: yes if the customer pays for its power")]
    operating_cost_share: Annotated[
        Share, Field(description="market sales: operating cost without power, share of rent")
    ]
    load_factor: Annotated[Share, Field(description="market sales: share of the IT MW that draws power on average")]
    gpus_per_it_mw: Annotated[
        Positive | None,
        Maybe,
        Field(description="GPUs behind one IT MW; needed where a price is per GPU-hour"),
    ]
    utilisation: Annotated[
        Share | None,
        Maybe,
        Field(description="market sales: share of GPU-hours let; needed for prices per GPU-hour"),
    ]
    residual_musd_per_it_mw: Annotated[
        NotNegative,
        Field(
            description="what an IT MW that stands free is worth on the first day of the case, at most what its halls "
            "cost; it falls by the calendar to nothing over `residual_life_quarters`; without its GPUs where "
            "`gpu_lives.csv` sells them"
        ),
    ]
    residual_life_quarters: Annotated[
        Annotated[Whole, Field(ge=1, le=400)] | None,
        Maybe,
        Field(description="quarters from the first one on over which the residual falls to nothing; blank: 120"),
    ] = None


class ProductMarket(Row):
    table = "product_markets"
    key = ("scenario", "product", "quarter")
    about = (
        "What uncontracted capacity sells for and how much of it the market takes. "
        "One row for each scenario, product and quarter of the horizon."
    )
    scenario: Annotated[Name, Field(description="a scenario")]
    product: Annotated[Name, Field(description="a product")]
    quarter: Annotated[QuarterCell, Field(description="the quarter")]
    price: Annotated[NotNegative, Field(description="price in the unit of `price_basis`")]
    price_basis: Annotated[PriceBasis, Field(description="the unit of `price`")]
    depth_it_mw: Annotated[NotNegative, Field(description="IT MW that the market takes, all sites together")]


class Profile(Row):
    table = "profiles"
    key = ("profile", "step")
    about = (
        "Shares by quarter, for two uses. A spending curve: shares of capex from the start quarter on; they sum to 1. "
        "A ramp: share usable or billed in the first quarters; the last step is 1 and holds from then on."
    )
    profile: Annotated[Name, Field(description="its name")]
    step: Annotated[Whole, Field(ge=0, le=60, description="quarters since the start: 0, 1, 2, ...")]
    share: Annotated[Share, Field(description="the share")]


class Option(Row):
    table = "options"
    key = ("option",)
    required = False
    about = "Ways to convert megawatts at a site, in whole blocks."
    option: Annotated[Name, Field(description="its name")]
    site: Annotated[Name, Field(description="the site")]
    product: Annotated[Name, Field(description="what the hall can be sold as")]
    block_gross_mw: Annotated[
        Positive, Field(description="size of a block at the meter; its IT MW is this over `design_ratio`")
    ]
    max_blocks: Annotated[Whole, Field(ge=0, le=1000, description="most blocks of this option")]
    design_ratio: Annotated[Number, Field(ge=1, le=2.5, description="gross MW reserved per IT MW")]
    pue: Annotated[
        Number,
        Field(
            ge=1,
            le=2.5,
            description="energy drawn at the meter per energy at the servers; at most `design_ratio`, "
            "one value per site and product",
        ),
    ]
    rack_kw: Annotated[Positive, Field(description="kW of a rack; the site's `max_rack_kw` must reach it")]
    lead_quarters: Annotated[Quarters, Field(description="quarters from start to service")]
    mining_stops_quarters: Annotated[
        Whole,
        Field(
            ge=0,
            description="quarters from start until the block takes its MW from mining; 0: when work starts",
        ),
    ]
    earliest: Annotated[QuarterCell, Field(description="first quarter in which work may start")]
    facility_low_musd_per_it_mw: Annotated[NotNegative, Field(le=100, description="facility capex, low")]
    facility_base_musd_per_it_mw: Annotated[NotNegative, Field(le=100, description="facility capex, base")]
    facility_high_musd_per_it_mw: Annotated[NotNegative, Field(le=100, description="facility capex, high")]
    gpu_musd_per_it_mw: Annotated[
        NotNegative, Field(le=100, description="capex for GPUs that we own; 0 for colocation")
    ]
    mobilisation_musd: Annotated[
        NotNegative,
        Field(description="one-off cost of using the option at all, paid in its first start quarter"),
    ]
    facility_curve: Annotated[Name, Field(description="spending curve of facility capex; no longer than the lead time")]
    gpu_curve: Annotated[Name, Field(description="spending curve of GPU capex; no longer than the lead time")]
    ramp: Annotated[Name, Field(description="share of a block's IT MW usable in its first quarters of service")]


class CommittedStart(Row):
    table = "committed_starts"
    key = ("option", "quarter")
    required = False
    about = "Conversions already decided. The quarter may lie before the horizon: what was spent before it is sunk."
    option: Annotated[Name, Field(description="an option")]
    quarter: Annotated[QuarterCell, Field(description="quarter in which work starts or started")]
    blocks: Annotated[Whole, Field(ge=1, description="blocks")]


class Deposit(Row):
    table = "deposits"
    key = ("option", "quarters_before")
    required = False
    about = (
        "Long-lead equipment (transformers, switchgear) paid before work starts, as shares of facility capex; the "
        "option's curve spends the rest."
    )
    option: Annotated[Name, Field(description="an option")]
    quarters_before: Annotated[Whole, Field(ge=1, le=20, description="quarters before the start")]
    share: Annotated[Share, Field(description="share of the facility capex paid then")]


class GpuLife(Row):
    table = "gpu_lives"
    key = ("option",)
    required = False
    about = "How long an option's GPUs serve, what they fetch then, and what their successors cost."
    option: Annotated[Name, Field(description="an option")]
    life_quarters: Annotated[Quarters, Field(description="quarters of service until the GPUs are replaced or sold")]
    residual_share: Annotated[
        Share, Field(description="share of their capex that they are sold for at the end, after the horizon too")
    ]
    refresh_musd_per_it_mw: Annotated[
        Positive | None, Maybe, Field(description="capex of new GPUs in the same hall; blank: no refresh")
    ]
    relet_product: Annotated[
        Name | None,
        Maybe,
        Field(description="what the hall is sold as once its GPUs are gone; blank: nothing, it stands empty for good"),
    ] = None
    refit_musd_per_it_mw: Annotated[
        NotNegative | None, Maybe, Field(description="what that change costs, paid in the quarter after the GPUs' last")
    ] = None

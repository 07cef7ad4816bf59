"""Sites, their grid and their power; scenarios."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from optimizer.case.schema.base import NotNegative, Rate, Row, Share
from optimizer.ground.cells import Maybe, Name, Number, QuarterCell, Text, Whole, YesNo


class Scenario(Row):
    table = "scenarios"
    key = ("scenario",)
    about = "Possible futures of the markets. The first row is the case's base scenario."
    scenario: Annotated[Name, Field(description="its name, used as key in every market table")]
    description: Annotated[Text, Field(description="what happens in it, in one sentence")]


class Site(Row):
    table = "sites"
    key = ("site",)
    about = "Places with a grid connection."
    site: Annotated[Name, Field(description="its name")]
    tariff: Annotated[Name, Field(description="the power tariff it buys under (a row of `tariffs`)")]
    mining_cost_musd_per_gross_mw_year: Annotated[
        NotNegative,
        Field(description="$M a year to keep a gross MW of machines installed, running or not, power aside"),
    ]
    firm_power: Annotated[YesNo, Field(description="yes if the power is firm enough for AI load")]
    fibre: Annotated[YesNo, Field(description="yes if the fibre is good enough for AI customers")]
    max_rack_kw: Annotated[NotNegative, Field(description="densest rack in kW that the site's cooling can serve")]
    mining_ends: Annotated[
        QuarterCell | None,
        Maybe,
        Field(description="last quarter in which machines run here; blank: no such rule"),
    ]


class SiteLimit(Row):
    table = "site_limits"
    key = ("site", "from_quarter")
    about = "Energisation steps: the grid limit that holds from a quarter on, until the site's next row."
    site: Annotated[Name, Field(description="a site")]
    from_quarter: Annotated[
        QuarterCell,
        Field(description="first quarter of the step; each site's first step begins by the first quarter"),
    ]
    limit_gross_mw: Annotated[NotNegative, Field(le=5000, description="MW at the meter that may be drawn")]


class Tariff(Row):
    table = "tariffs"
    key = ("scenario", "tariff", "quarter")
    about = "What power costs, quarter by quarter. One row for each scenario, tariff and quarter of the horizon."
    scenario: Annotated[Name, Field(description="a scenario")]
    tariff: Annotated[Name, Field(description="its name, as sites use it")]
    quarter: Annotated[QuarterCell, Field(description="the quarter")]
    energy_usd_per_mwh: Annotated[Number, Field(ge=-50, le=1000, description="all-in energy price")]
    demand_usd_per_kw_month: Annotated[
        NotNegative,
        Field(description="demand charge on the gross MW that run, billed three months a quarter"),
    ]
    curtailed_hours: Annotated[
        NotNegative,
        Field(description="hours in which the utility feeds no machines; a site's own plant goes on"),
    ]
    interruptible_usd_per_mw_year: Annotated[
        NotNegative,
        Field(description="what a running gross MW of machines earns for being interruptible; AI load earns none"),
    ]


class PriceStep(Row):
    table = "price_steps"
    key = ("scenario", "tariff", "quarter", "step")
    required = False
    about = (
        "Energy prices inside a quarter, for tariffs whose price moves by the hour: machines run in the steps that "
        "pay, AI load in all. A quarter's shares sum to 1, and its prices average to the tariff's `energy_usd_per_mwh`."
    )
    scenario: Annotated[Name, Field(description="a scenario")]
    tariff: Annotated[Name, Field(description="a tariff")]
    quarter: Annotated[QuarterCell, Field(description="the quarter")]
    step: Annotated[Whole, Field(ge=1, le=24, description="1, 2, 3, ... within the quarter")]
    hours_share: Annotated[Share, Field(gt=0, description="share of the quarter's hours that have this price")]
    energy_usd_per_mwh: Annotated[Number, Field(ge=-500, le=10000, description="all-in energy price in those hours")]


class Ratchet(Row):
    table = "ratchets"
    key = ("site",)
    required = False
    about = (
        "Sites whose demand charge remembers: a quarter is billed on at least a share of the highest demand of the "
        "quarters before it, also after machines have left."
    )
    site: Annotated[Name, Field(description="a site")]
    ratchet_share: Annotated[Share, Field(description="share of the highest demand that is billed at least")]
    ratchet_quarters: Annotated[Whole, Field(ge=1, le=20, description="quarters that are looked back")]
    highest_before_gross_mw: Annotated[
        NotNegative, Field(description="highest demand of the quarters before the horizon")
    ]


class GridGroup(Row):
    table = "grid_groups"
    key = ("group", "site")
    required = False
    about = "Sites that share a limit of the grid, such as a feeder or a substation."
    group: Annotated[Name, Field(description="the group's name")]
    site: Annotated[Name, Field(description="a site")]


class GridGroupLimit(Row):
    table = "grid_group_limits"
    key = ("group", "from_quarter")
    required = False
    about = "What a group's sites may draw together: the limit that holds from a quarter on, until the next row."
    group: Annotated[Name, Field(description="a group of `grid_groups.csv`")]
    from_quarter: Annotated[QuarterCell, Field(description="first quarter of the step; the first covers the start")]
    limit_gross_mw: Annotated[NotNegative, Field(le=5000, description="MW at the meter that may be drawn together")]


class PowerEscalator(Row):
    table = "power_escalators"
    key = ("tariff",)
    required = False
    about = "A yearly rise on top of a tariff's energy prices, taken every four quarters. For tariffs given flat."
    tariff: Annotated[Name, Field(description="a tariff")]
    from_quarter: Annotated[QuarterCell, Field(description="quarter that the given prices belong to")]
    yearly_rise: Annotated[Rate, Field(description="rise after every four quarters from then on")]


class OwnPlant(Row):
    table = "own_plants"
    key = ("scenario", "site", "quarter")
    required = False
    about = (
        "Power plants behind a site's meter, which machines may run on instead of the grid: no demand charge, no "
        "interruptible income. For each site with a plant, one row for each scenario and quarter of the horizon."
    )
    scenario: Annotated[Name, Field(description="a scenario")]
    site: Annotated[Name, Field(description="a site")]
    quarter: Annotated[QuarterCell, Field(description="the quarter")]
    capacity_mw: Annotated[NotNegative, Field(description="MW that the plant delivers on average over the quarter")]
    cost_usd_per_mwh: Annotated[Number, Field(ge=-50, le=1000, description="what a MWh of its own costs")]

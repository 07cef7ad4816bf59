"""Sites, their grid and their power; scenarios."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from optimizer.case.schema.base import NotNegative, Rate, Row
from optimizer.ground.cells import Maybe, Name, Number, QuarterCell, Text, YesNo


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
        NotNegative, Field(description="hours of the quarter in which machines must stand still, on an own plant too")
    ]
    interruptible_usd_per_mw_year: Annotated[
        NotNegative,
        Field(description="what a running gross MW of machines earns for being interruptible; AI load earns none"),
    ]


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

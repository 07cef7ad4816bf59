"""The case format: a class for each table, a field for each column; `docs/case-format.md` is generated from here."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from optimizer.cells import DateCell, Maybe, Name, Number, QuarterCell, Text, Whole, YesNo

ProductKind = Literal["colocation", "gpu_service"]
PriceBasis = Literal["usd_per_kw_month", "musd_per_it_mw_year", "usd_per_gpu_hour"]
CapexLevel = Literal["low", "base", "high"]
MINING = "mining"
ANY = "*"


class Row(BaseModel):
    """One row of a case table: immutable, checked, and knowing the line it came from."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    required: ClassVar[bool] = True
    about: ClassVar[str]

    _line: int | None = PrivateAttr(default=None)

    @property
    def line(self) -> int | None:
        """The line of the file that this row was read from; None for a row made by a script."""
        return self._line

    def __eq__(self, other: object) -> bool:
        """Equal in every column; the line a row came from does not count."""
        return type(other) is type(self) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.values()))

    def identity(self) -> tuple[object, ...]:
        """The values of the key columns; no two rows of a table share them."""
        return tuple(getattr(self, name) for name in self.key)


Share = Annotated[Number, Field(ge=0, le=1)]
Positive = Annotated[Number, Field(gt=0)]
NotNegative = Annotated[Number, Field(ge=0)]
Rate = Annotated[Number, Field(gt=-1, le=1)]
Quarters = Annotated[Whole, Field(ge=1, le=120)]


class Settings(BaseModel):
    """`case.toml`: the company, the horizon, its money and its policies."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    format: Annotated[Whole, Field(ge=1, le=1, description="version of this case format; today 1")]
    name: Annotated[Name, Field(description="short name of the case, used for folders")]
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
        Field(description="$M that may be spent on capex within the horizon, committed spending included"),
    ]
    opening_cash_musd: Annotated[Number, Field(description="$M of cash at the start of the first quarter")]
    minimum_cash_musd: Annotated[NotNegative, Field(description="$M that cash may not fall below at any quarter's end")]
    subsidy_btc: Annotated[Positive, Field(description="block subsidy in BTC before the first date in `halvings`")]
    halvings: Annotated[
        tuple[DateCell, ...],
        Field(description="days on which the subsidy halves; inside a quarter, weighted by days"),
    ]
    discount_rates: Annotated[
        dict[str, Rate],
        Field(
            description="yearly rates: `corporate` always; `mining` or a product's name to override it for that line"
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
    max_customer_share_from: Annotated[
        QuarterCell | None, Field(description="first quarter in which `max_customer_share` holds")
    ] = None


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
        NotNegative, Field(description="hours of the quarter in which machines must stand still")
    ]
    interruptible_usd_per_mw_year: Annotated[
        NotNegative,
        Field(description="what a running gross MW of machines earns for being interruptible; AI load earns none"),
    ]


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
        NotNegative, Field(description="what capacity without a contract is worth at the horizon's end")
    ]


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


class Offer(Row):
    table = "offers"
    key = ("offer",)
    required = False
    about = "Customer contracts that can be signed, once each, or refused."
    offer: Annotated[Name, Field(description="its name")]
    customer: Annotated[Name, Field(description="who pays the rent")]
    product: Annotated[Name, Field(description="what is rented")]
    min_it_mw: Annotated[Positive, Field(description="smallest size")]
    max_it_mw: Annotated[Positive, Field(description="largest size; the same as the smallest for a fixed-size offer")]
    window_first: Annotated[QuarterCell, Field(description="first quarter in which delivery may begin")]
    window_last: Annotated[QuarterCell, Field(description="last quarter in which delivery may begin")]
    term_quarters: Annotated[Quarters, Field(description="length of the contract from first delivery")]
    escalator: Annotated[Rate, Field(description="yearly rise of the price, taken every four quarters")]
    price_base_quarter: Annotated[
        QuarterCell | None,
        Maybe,
        Field(description="quarter that the price is quoted for; blank: the first delivery quarter"),
    ]
    power_passed_through: Annotated[YesNo, Field(description="yes if the customer pays for its power")]
    operating_cost_share: Annotated[Share, Field(description="operating cost without power, share of rent")]
    load_factor: Annotated[Share, Field(description="share of the IT MW that draws power on average")]
    ramp: Annotated[Name, Field(description="share of the contracted MW billed in the first quarters of delivery")]
    utilisation: Annotated[
        Share | None, Maybe, Field(description="share of GPU-hours billed; needed for prices per GPU-hour")
    ]
    exclusive_group: Annotated[
        Name | None,
        Maybe,
        Field(description="of the offers with the same word here at most one is signed; blank: none"),
    ]


class OfferPrice(Row):
    table = "offer_prices"
    key = ("scenario", "offer")
    required = False
    about = "What each offer pays in each scenario."
    scenario: Annotated[Name, Field(description="a scenario")]
    offer: Annotated[Name, Field(description="an offer")]
    price: Annotated[NotNegative, Field(description="price in the unit of `price_basis`")]
    price_basis: Annotated[PriceBasis, Field(description="the unit of `price`")]


class OfferSite(Row):
    table = "offer_sites"
    key = ("offer", "site")
    required = False
    about = "Where each offer can be delivered. An offer is delivered at one site."
    offer: Annotated[Name, Field(description="an offer")]
    site: Annotated[Name, Field(description="a site that the customer accepts")]


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


class CommittedStart(Row):
    table = "committed_starts"
    key = ("option", "quarter")
    required = False
    about = "Conversions already decided. The quarter may lie before the horizon: what was spent before it is sunk."
    option: Annotated[Name, Field(description="an option")]
    quarter: Annotated[QuarterCell, Field(description="quarter in which work starts or started")]
    blocks: Annotated[Whole, Field(ge=1, description="blocks")]


class CommittedContract(Row):
    table = "committed_contracts"
    key = ("offer",)
    required = False
    about = "Offers already signed. First delivery may lie before the horizon."
    offer: Annotated[Name, Field(description="an offer")]
    site: Annotated[Name, Field(description="where it is delivered")]
    quarter: Annotated[QuarterCell, Field(description="first delivery")]
    it_mw: Annotated[Positive, Field(description="contracted IT MW")]


TABLES: tuple[type[Row], ...] = (
    Scenario, Site, SiteLimit, Tariff, Asic, Fleet, BitcoinMarket, Product, ProductMarket, Profile, Option,
    Offer, OfferPrice, OfferSite, Overhead, Obligation, BudgetYear, UseLimit, CommittedStart, CommittedContract,
)  # fmt: skip

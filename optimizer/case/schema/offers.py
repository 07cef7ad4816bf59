"""Customer contracts that can be signed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from optimizer.case.schema.base import NotNegative, Positive, PriceBasis, Quarters, Rate, Row, Share
from optimizer.ground.cells import Maybe, Name, QuarterCell, Whole, YesNo


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
    sign_by: Annotated[
        QuarterCell | None,
        Maybe,
        Field(
            description="last quarter in which it can be accepted; blank: the shortest lead time of its halls before "
            "`window_last`"
        ),
    ] = None


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


class Customer(Row):
    table = "customers"
    key = ("customer",)
    required = False
    about = (
        "How likely a customer is to fail, and what is left then: the expected loss is a cost of its contracts. A "
        "customer without a row never fails."
    )
    customer: Annotated[Name, Field(description="a customer of `offers.csv`")]
    yearly_default: Annotated[Share, Field(lt=1, description="chance that it fails within a year")]
    relet_quarters: Annotated[Whole, Field(ge=0, le=20, description="quarters without rent before it is let again")]
    relet_rent_share: Annotated[Share, Field(description="share of the contract's rent that is paid from then on")]
    recovered_share: Annotated[Share, Field(description="share of the lost rent that the failed customer still pays")]


class CommittedContract(Row):
    table = "committed_contracts"
    key = ("offer",)
    required = False
    about = "Offers already signed. First delivery may lie before the horizon."
    offer: Annotated[Name, Field(description="an offer")]
    site: Annotated[Name, Field(description="where it is delivered")]
    quarter: Annotated[QuarterCell, Field(description="first delivery")]
    it_mw: Annotated[Positive, Field(description="contracted IT MW")]
